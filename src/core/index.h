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
    uint32_t buckets_max;
    uint32_t load; /* slots a bucket, above which it grows: a head of 4 bytes serves so many */
};

/* The arrays and the hash of what is in a slot. */
struct index_view {
    struct index *index;
    uint32_t *heads; /* buckets_max of them */
    uint32_t *next;  /* by slot */
    uint64_t (*hash_of)(const void *context, uint32_t slot);
    const void *context;
};

/* Asserted: 1 <= load <= INDEX_LOAD_MAX. */
void index_init(struct index *index, uint32_t buckets_max, uint32_t load);
static inline uint32_t index_bucket(const struct index *index, uint64_t hash)
{
    uint32_t bucket = (uint32_t)hash & (2 * index->low - 1);

    return bucket < index->buckets ? bucket : (uint32_t)hash & (index->low - 1);
}

/* False when the chain of `hash` is INDEX_CHAIN_MAX long. */
bool index_has_room(const struct index_view *view, uint64_t hash);
/* `slot` must not be in the index; its hash must be `hash`. */
void index_insert(const struct index_view *view, uint64_t hash, uint32_t slot);
/* Asserted: `slot` is in the index, under `hash`. */
void index_remove(const struct index_view *view, uint64_t hash, uint32_t slot);

#endif
