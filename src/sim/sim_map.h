/*
 * A hash table from 64-bit keys to 32-bit values, for what few of all pairs of nodes have: links
 * of their own, queues, holes in a NAT. Open addressing; entries are never removed one by one.
 * A zero-filled struct is an empty table. Order of insertion and size never show outside.
 */
#ifndef SWIM_SIM_SIM_MAP_H
#define SWIM_SIM_SIM_MAP_H

#include <stdint.h>

struct sim_map {
    uint64_t *keys; /* 0 = free */
    uint32_t *values;
    uint32_t mask; /* number of places - 1; 0 while there are none */
    uint32_t count;
};

/* The value of `key` (not 0: asserted), NULL when it is not in the table. The pointer is valid
 * until the next map_put. */
uint32_t *map_find(const struct sim_map *map, uint64_t key);
/* The value of `key`, which is put in with 0 when it was not there. */
uint32_t *map_put(struct sim_map *map, uint64_t key);
/* Empties the table and gives its memory back. */
void map_clear(struct sim_map *map);

/* The key of an ordered pair. */
static inline uint64_t map_pair(uint32_t from, uint32_t to)
{
    return ((uint64_t)from + 1) << 32 | to;
}

#endif
