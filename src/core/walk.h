/*
 * A walk over the live members of some buckets of the view, a few at a time, without a copy of the
 * table: whoever comes or goes meanwhile may be missed. docs/protocol.md section 8.
 */
#ifndef SWIM_CORE_WALK_H
#define SWIM_CORE_WALK_H

#include "core/instance.h"

/* The slot at which it stands, this member's own included; 0 at the end. */
uint32_t walk_slot(const struct swim *s, struct walk *walk);
/* Past the slot at which it stands. */
static inline void walk_step(struct walk *walk)
{
    walk->skip++;
}
/* To its start. */
void walk_restart(struct walk *walk);
bool walk_has_bucket(const struct walk *walk, uint32_t bucket);

#endif
