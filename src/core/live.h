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

#include "base/inline.h"
#include "core/instance.h"

/* Parts of live[], from left to right; live_ends has the last place of each. */
enum live_part { LEFT_SUSPECT, LEFT_ALIVE, RIGHT_ALIVE, RIGHT_SUSPECT, OUTSIDE };

/* How many are yet to be probed in this pass. */
static inline uint32_t live_unprobed(const struct swim *s)
{
    uint32_t left = s->live_ends[LEFT_ALIVE];

    return s->is_rightward ? live_count(s) - left : left;
}

static inline void live_put(struct swim *s, uint32_t place, uint32_t slot)
{
    live_of(s)[place] = slot;
    members_of(s)[slot].place = place & PLACE_MAX;
}

/* Whoever is at `from` goes to the hole, and leaves one. */
static inline uint32_t live_fill(struct swim *s, uint32_t hole, uint32_t from)
{
    if (hole != from)
        live_put(s, hole, live_of(s)[from]);
    return from;
}

/* A place for one more who is alive: on its way there from the end is the right side alone. */
static inline uint32_t live_open(struct swim *s, bool is_left)
{
    uint32_t *ends = s->live_ends;
    uint32_t hole = live_fill(s, ++ends[RIGHT_SUSPECT], ++ends[RIGHT_ALIVE]);

    return is_left ? live_fill(s, hole, ++ends[LEFT_ALIVE]) : hole;
}

void live_add_suspect(struct swim *s, uint32_t slot, bool is_left);
/* The member at `slot` is alive or suspect, as its record says, and was not live. Its first turn is
 * as likely to be any of this pass as there are places, those that were passed included: then it is
 * in the next one (SWIM section 4.3). Inline: part of what each newcomer costs. */
static ALWAYS_INLINE void live_add(struct swim *s, uint32_t slot)
{
    uint32_t count = live_count(s);
    bool is_probed = prng_below(&s->prng, count + 1) < count - live_unprobed(s);
    bool is_left = s->is_rightward == is_probed;

    if (members_of(s)[slot].record.status == SWIM_ALIVE)
        live_put(s, live_open(s, is_left), slot);
    else
        live_add_suspect(s, slot, is_left);
}
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
/* NULL, or what does not hold. O(live members). */
const char *live_check(const struct swim *s);

#endif
