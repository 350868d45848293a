/*
 * The live members: whose turn it is to be probed, and whom chance chooses. One array of slots in
 * four parts, so that whoever may be chosen lies in one piece, whatever the choice:
 *
 *     live[]:  | suspect | alive | alive | suspect |     suspects and alive: all of it
 *              |      left       |      right      |     alive: what is in the middle
 *
 * One side had its turn in this pass of the probes, the other is yet to have it. Who is probed
 * changes sides; when a side is empty, the next pass goes the other way. Owns live[], live_ends,
 * is_rightward, and each member's `place`; knows of nothing else but statuses.
 *
 * Nothing here scans: each call costs O(1), a sample O(its size).
 */
#ifndef SWIM_CORE_LIVE_H
#define SWIM_CORE_LIVE_H

#include "core/instance.h"

/* The member at `slot` is alive or suspect, as its record says, and was not live. Its first turn is
 * as likely to be any of this pass as there are places, those that were passed included: then it is
 * in the next one (SWIM section 4.3). */
void live_add(struct swim *s, uint32_t slot);
/* It is live no more. Nobody else gains or loses a turn. */
void live_remove(struct swim *s, uint32_t slot);
/* A live member's record changed from alive to suspect, or back. It keeps its turn. */
void live_change_status(struct swim *s, uint32_t slot);
/* Whose turn it is: a random one of those who were not probed in this pass. So each pass is
 * round-robin over a fresh random order. 0 when nobody is live. */
uint32_t live_next_probe(struct swim *s);

/* Up to `count` distinct random live members into `ret_slots`, in a random order. */
uint32_t live_sample(struct swim *s, uint32_t count, uint32_t *ret_slots);
/* The same of alive members but `except`, 0: nobody. */
uint32_t live_sample_alive(struct swim *s, uint32_t count, uint32_t except, uint32_t *ret_slots);
/* The live members are those of another instance, where all are alive, and none was probed yet in
 * this pass. */
void live_copy(struct swim *s, const struct swim *from);
/* How many are yet to be probed in this pass. */
uint32_t live_unprobed(const struct swim *s);
/* NULL, or what does not hold. O(live members). */
const char *live_check(const struct swim *s);

#endif
