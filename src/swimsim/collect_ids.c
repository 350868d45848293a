/*
 * Ids to numbers. A run of ten thousand members tells a hundred million events at its start, each
 * about an id: so the table holds no more than the id and its number, and stays in the cache.
 */
#include "swimsim/collect_ids.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *collect_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL) {
        fprintf(stderr, "swimsim: out of memory\n");
        abort();
    }
    return memory;
}

void *collect_grow(void *memory, size_t before, size_t count, size_t size)
{
    char *grown = count <= SIZE_MAX / size ? realloc(memory, count * size) : NULL;
    if (grown == NULL) {
        fprintf(stderr, "swimsim: out of memory\n");
        abort();
    }
    memset(grown + before * size, 0, (count - before) * size);
    return grown;
}

static uint32_t place_of(const struct ids *ids, uint64_t id)
{
    uint32_t mask = ids->capacity - 1;
    uint32_t place = (uint32_t)hash_u64(id) & mask;
    while (ids->places[place].number != 0 && ids->places[place].id != id) {
        place = (place + 1) & mask;
    }
    return place;
}

uint32_t ids_find(const struct ids *ids, uint64_t id)
{
    if (ids->capacity == 0) {
        return IDS_NONE;
    }
    return ids->places[place_of(ids, id)].number - 1; /* 0 - 1 is IDS_NONE */
}

/* At most half full, so that chains stay short. */
static void make_room(struct ids *ids)
{
    struct ids old = *ids;
    ids->capacity = old.capacity == 0 ? 64 : 2 * old.capacity;
    ids->places = collect_allocate(ids->capacity, sizeof *ids->places);
    for (uint32_t i = 0; i < old.capacity; i++) {
        if (old.places[i].number != 0) {
            ids->places[place_of(ids, old.places[i].id)] = old.places[i];
        }
    }
    free(old.places);
}

uint32_t ids_add(struct ids *ids, uint64_t id)
{
    if (2 * (ids->count + 1) > ids->capacity) {
        make_room(ids);
    }
    struct ids_place *place = &ids->places[place_of(ids, id)];
    if (place->number == 0) {
        place->id = id;
        place->number = ++ids->count;
    }
    return place->number - 1;
}

void ids_free(struct ids *ids)
{
    free(ids->places);
    memset(ids, 0, sizeof *ids);
}
