/*
 * The member table: slots, the two indexes, the live members (live.h), the counts and the view
 * digest, kept consistent with each member's record. It knows nothing of timers, news or events:
 * claim.c decides what a change means and tells the others.
 *
 * Every operation is O(1); nothing here scans the table.
 */
#ifndef SWIM_CORE_MEMBER_H
#define SWIM_CORE_MEMBER_H

#include "base/hash.h"
#include "core/instance.h"

/* Slot of an id, 0 if unknown. Forgotten ids are found too: look at MEMBER_FORGOTTEN. */
uint32_t member_find(const struct swim *s, uint64_t id);
/* These ids will be looked up soon: their places in memory are fetched all at once, where a large
 * table would else make each wait for several of them. First, for each, its head in the index, whose
 * number is returned; then all else. Changes nothing. */
uint32_t member_prefetch_head(const struct swim *s, uint64_t id);
void member_prefetch(const struct swim *s, const uint32_t *heads, uint32_t count);
/* A live member at this address, 0 if none; never SELF. */
uint32_t member_find_addr(const struct swim *s, const struct swim_addr *addr);
/* The same, but not `except`. */
uint32_t member_find_addr_except(const struct swim *s, const struct swim_addr *addr,
                                 uint32_t except);
/* True when `slot` still holds `id`. */
bool member_holds(const struct swim *s, uint32_t slot, uint64_t id);

/* Where an id is, or where it would be entered: no need to look for it twice. */
struct member_place {
    uint64_t hash;   /* hash_u64 of it */
    uint32_t slot;   /* as of member_find */
    uint32_t passed; /* others in its chain that were looked at before that was known */
};
/* Inline: each entry of a datagram is looked for. */
static inline struct member_place member_seek(const struct swim *s, uint64_t id)
{
    uint64_t hash = hash_u64(id);
    uint32_t slot = id_heads(s)[index_bucket(&s->by_id, hash)];
    uint32_t passed = 0;

    for (; slot && members_of(s)[slot].record.id != id; slot = next_by_id(s)[slot])
        passed++;
    return (struct member_place){hash, slot, passed};
}

/* A free slot now holds `record`, whose heartbeat the member's clock shows now. 0 when no slot is free or a
 * hash chain is full. */
uint32_t member_add(struct swim *s, const struct record *record);
/* The same; `place`: what member_seek has just said of its id, which is not there. */
uint32_t member_add_at(struct swim *s, const struct record *record, struct member_place place);
/* The slot is free again. Asserted: the member is in no list and no heap. */
void member_free(struct swim *s, uint32_t slot);
/* The member's record becomes `record` (same id); arrays, indexes, counts, digest follow. Asserted:
 * it is in the heap of suspects no more, unless it was, and stays, the same suspect. */
void member_set(struct swim *s, uint32_t slot, const struct record *record);
/* SELF's id changes; it keeps its slot. */
void member_rename_self(struct swim *s, uint64_t id);
/* SELF and the live member at `slot` change places: each gets the other's record. */
void member_swap_self(struct swim *s, uint32_t slot);
/* The table becomes that of another instance with as many slots, this member's own record
 * included. Asserted: nothing but SELF is in ours. */
void member_copy_table(struct swim *s, const struct swim *from);
void member_forget(struct swim *s, uint32_t slot);
/* The host sees this tombstone no more, until the member lives again. */
void member_prune(struct swim *s, uint32_t slot);
/* The member's own header was heard, with or without capability bit 0. */
void member_set_capable(struct swim *s, uint32_t slot, bool is_capable);

/* Something answered from the member's address, or it has another one now. */
void member_set_proved(struct swim *s, uint32_t slot, bool is_proved);

/* The member's clock was read: its heartbeat was `heartbeat` just now. */
static inline void member_read_clock(struct swim *s, uint32_t slot, uint32_t heartbeat)
{
    struct member *m = member_at(s, slot);

    m->clock_heartbeat = heartbeat;
    m->guessed = 0;
    m->clock_at = s->now;
}
/* An accuser thinks so, and is ahead of our own estimate; `is_new_life`: of an incarnation of
 * which the member itself has not been heard. */
void member_guess_clock(struct swim *s, uint32_t slot, uint32_t heartbeat, bool is_new_life);
/* The highest heartbeat of this incarnation that is known to be the member's own word; 0 when
 * that is not known. */
uint32_t member_last_word(const struct member *m);
/* Where the member's heartbeat should be by now (docs/protocol.md section 5). */
uint32_t member_estimate(const struct swim *s, const struct member *m);

/* A probe of it was answered after so long. */
void member_set_rtt(struct swim *s, uint32_t slot, swim_time rtt);

/* What one live member adds to the view digest by XOR (docs/protocol.md section 8). */
uint64_t member_digest(const struct record *record);
/* The same of the live member at `slot`, its name and tags included. */
uint64_t member_slot_digest(const struct swim *s, uint32_t slot);
/* Its name and tags have another version now, NULL: none. The digest follows. */
void member_set_meta(struct swim *s, uint32_t slot, const struct wire_meta_key *key);
uint32_t member_bucket(uint64_t id); /* 0 .. BUCKETS_MAX - 1: low bits of hash_u64(id) */

#endif
