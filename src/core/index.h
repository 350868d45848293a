/*
 * A hash index from keys to slots by linear hashing: it grows and shrinks by one bucket at a
 * time, so no insertion ever stops to rehash, and memory is touched only as it is used. Heads
 * and chain links are arrays of the caller's; the caller knows the keys.
 *
 *     buckets = 6:   000 001 010 011 | 100 101      hash & 7 if below 6, else hash & 3
 *
 * Bucket numbers are low bits of the hash, so all slots whose hash ends in given bits can be
 * walked without touching the others: synchronisation relies on it (docs/protocol.md section 8).
 */
#ifndef SWIM_CORE_INDEX_H
#define SWIM_CORE_INDEX_H

#include "base/assert.h"

#include <stdbool.h>
#include <stdint.h>

#define INDEX_BUCKETS_MIN 16u
/* Longest chain that still takes a newcomer. With at most four slots a bucket on average, and eight
 * in one that is yet to be split, random keys never come near it (probability under 10^-9); chosen
 * ones can't make a lookup long. */
#define INDEX_LOAD_MAX 4u
#define INDEX_CHAIN_MAX 32u

struct index {
    uint32_t buckets;
    uint32_t low; /* the greatest power of two that is at most `buckets` */
    uint32_t count;
    uint32_t full; /* with so many it can do without another bucket, and with one more it can't */
    uint32_t buckets_max;
    uint32_t load; /* slots a bucket, above which it grows: a head of 4 bytes serves so many */
};

struct index_view {
    struct index *index;
    uint32_t *heads; /* buckets_max of them */
    uint32_t *next;  /* by slot */
};

/* Asserted: 1 <= load <= INDEX_LOAD_MAX. */
void index_init(struct index *index, uint32_t buckets_max, uint32_t load);
static inline uint32_t index_bucket(const struct index *index, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & (2 * index->low - 1);

    return bucket < index->buckets ? bucket : bucket - index->low;
}

/* False when the chain of `hash` is INDEX_CHAIN_MAX long. */
static inline bool index_has_room(const struct index_view *view, uint64_t hash)
{
    uint32_t length = 0;

    for (uint32_t slot = view->heads[index_bucket(view->index, hash)]; slot;
         slot = view->next[slot])
        length++;
    return length < INDEX_CHAIN_MAX;
}

/* As many as its buckets are for; all, when there can be no more of these. */
static inline void index_set_full(struct index *index)
{
    index->full = index->buckets < index->buckets_max ? index->load * index->buckets : UINT32_MAX;
}

/* `slot` must not be in the index; its hash must be `hash`. True when the index must now grow: see
 * index_grow. */
static inline bool index_insert(const struct index_view *view, uint64_t hash, uint32_t slot)
{
    struct index *index = view->index;
    uint32_t *head = &view->heads[index_bucket(index, hash)];

    ASSERT(slot != 0);
    view->next[slot] = *head;
    *head = slot;
    return ++index->count > index->full;
}

/* A bucket's chain that is being shared out between it and the new last bucket. */
struct index_split {
    uint32_t *stay; /* heads */
    uint32_t *move;
    uint32_t bit;  /* of the hash: who moves */
    uint32_t slot; /* the next one to be placed; 0: none is left */
};

/*
 * Begins to grow by a bucket. The caller, who knows the keys, places what is in the split one, and
 * calls nothing else meanwhile. No callback, since that is done once for each slot that comes:
 *
 *     if (index_insert(&view, hash, slot)) {
 *         struct index_split split = index_grow(&view);
 *
 *         while (split.slot)
 *             index_place(&view, &split, hash of what is in split.slot);
 *     }
 */
static inline struct index_split index_grow(const struct index_view *view)
{
    struct index *index = view->index;
    struct index_split split = {
        .stay = &view->heads[index->buckets - index->low],
        .move = &view->heads[index->buckets],
        .bit = index->low,
    };

    if (++index->buckets == 2 * index->low)
        index->low = index->buckets;
    index_set_full(index);
    split.slot = *split.stay;
    *split.stay = *split.move = 0;
    return split;
}

static inline void index_place(const struct index_view *view, struct index_split *split,
                               uint64_t hash)
{
    uint32_t *head = hash & split->bit ? split->move : split->stay;
    uint32_t slot = split->slot;

    split->slot = view->next[slot];
    view->next[slot] = *head;
    *head = slot;
}

/* Asserted: `slot` is in the index, under `hash`. */
void index_remove(const struct index_view *view, uint64_t hash, uint32_t slot);

#endif
