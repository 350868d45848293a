/*
 * The suspects by the end of their time: a binary heap of slots. The ends of their times lie where
 * tombstones have their links. Equal ends come in the order of slots, whatever the heap's shape.
 */
#ifndef SWIM_CORE_SUSPECTS_H
#define SWIM_CORE_SUSPECTS_H

#include "core/instance.h"

/* The member at `slot`, which is not in the heap, is a suspect until `due`, which counts as
 * suspicion_now does. O(log suspects), as all that changes the heap. */
void suspects_add(struct swim *s, uint32_t slot, swim_time due);
/* Asserted: the member at `slot` is a suspect. */
void suspects_remove(struct swim *s, uint32_t slot);
/* A suspect has another end. */
void suspects_set_due(struct swim *s, uint32_t slot, swim_time due);
swim_time suspects_due(const struct swim *s, uint32_t slot);
/* The slot of place 1 .. suspect_count of the heap; at 1 is who ends first. */
uint32_t suspects_at(const struct swim *s, uint32_t place);
/* NULL, or what does not hold of the heap. O(suspects). */
const char *suspects_check(const struct swim *s);

#endif
