/* A hash table: see sim_map.h. Linear probing, at most three quarters full. */
#include "sim/sim_map.h"

#include "sim/sim_private.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

#define PLACES_MIN 64

/* Where `key` is, or the free place where it would go. */
static uint32_t place_of(const struct sim_map *map, uint64_t key)
{
    uint32_t place = (uint32_t)hash_u64(key) & map->mask;

    while (map->keys[place] != 0 && map->keys[place] != key) {
        place = (place + 1) & map->mask;
    }
    return place;
}

uint32_t *map_find(const struct sim_map *map, uint64_t key)
{
    ASSERT(key != 0);
    if (map->count == 0) {
        return NULL;
    }
    uint32_t place = place_of(map, key);
    return map->keys[place] == key ? &map->values[place] : NULL;
}

static void grow(struct sim_map *map)
{
    struct sim_map old = *map;
    uint32_t places = old.mask == 0 ? PLACES_MIN : 2 * (old.mask + 1);

    map->keys = sim_allocate(places, sizeof *map->keys);
    map->values = sim_allocate(places, sizeof *map->values);
    map->mask = places - 1;
    for (uint32_t i = 0; old.mask != 0 && i <= old.mask; i++) {
        if (old.keys[i] != 0) {
            uint32_t place = place_of(map, old.keys[i]);
            map->keys[place] = old.keys[i];
            map->values[place] = old.values[i];
        }
    }
    free(old.keys);
    free(old.values);
}

uint32_t *map_put(struct sim_map *map, uint64_t key)
{
    ASSERT(key != 0);
    if (4 * (uint64_t)map->count >= 3 * (uint64_t)map->mask) {
        grow(map);
    }
    uint32_t place = place_of(map, key);
    if (map->keys[place] == 0) {
        map->keys[place] = key;
        map->count++;
    }
    return &map->values[place];
}

void map_clear(struct sim_map *map)
{
    free(map->keys);
    free(map->values);
    memset(map, 0, sizeof *map);
}
