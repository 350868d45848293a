/*
 * This member's own record, of which it is the only authority. docs/protocol.md section 4.
 */
#ifndef SWIM_CORE_SELF_H
#define SWIM_CORE_SELF_H

#include "core/claim.h"
#include "core/instance.h"

/* Puts this member into its slot. */
void self_init(struct swim *s);
/* Somebody spoke of us: overruled when it doubts us or knows more than we do, else corrected. */
void self_hear(struct swim *s, const struct record *heard, struct source *source);
/* Moves above incarnation `heard`: to heard + 1, or to a new id when there is none left. */
void self_next_incarnation(struct swim *s, uint32_t heard);

#endif
