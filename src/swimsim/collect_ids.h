/*
 * collect_ids.h - a map from member ids to small numbers 0, 1, 2, ... in the order of adding.
 *
 * For the watchers of a simulation: they meet an id in each event and keep what they know of it in
 * arrays of their own, by number. Grows; nothing is ever removed.
 */
#ifndef SWIM_SWIMSIM_COLLECT_IDS_H
#define SWIM_SWIMSIM_COLLECT_IDS_H

#include <stddef.h>
#include <stdint.h>

#define IDS_NONE UINT32_MAX

struct ids_place {
    uint64_t id;
    uint32_t number; /* + 1; 0 is a free place */
};

/* Zero-filled is empty. */
struct ids {
    struct ids_place *places; /* open addressing, a power of two */
    uint32_t capacity;
    uint32_t count;
};

/* IDS_NONE when it was not added. */
uint32_t ids_find(const struct ids *ids, uint64_t id);
/* The number it has, or the next one. Aborts when out of memory. */
uint32_t ids_add(struct ids *ids, uint64_t id);
void ids_free(struct ids *ids);

/* Zeroed memory; reports and aborts when there is none. */
void *collect_allocate(size_t count, size_t size);
/* Grown from `before` to `count` items, the new ones zeroed. */
void *collect_grow(void *memory, size_t before, size_t count, size_t size);

#endif
