/*
 * Arenas for members, taken and given back many times: the same few blocks, each of exactly its
 * size, so that a sanitizer sees what is read or written past it. The system's memory, new for each
 * input, would cost more than the member that lives in it.
 */
#ifndef SWIM_TESTS_FUZZ_ARENA_H
#define SWIM_TESTS_FUZZ_ARENA_H

#include "base/assert.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ARENAS_MAX = 6 };

static struct {
    void *block;
    size_t size;
    bool is_taken;
} arenas[ARENAS_MAX];

/* Zero-filled; `size` is a multiple of 16. */
static inline void *arena_take(size_t size)
{
    int i = 0;

    while (i < ARENAS_MAX && arenas[i].block && (arenas[i].is_taken || arenas[i].size != size))
        i++;
    ASSERT(i < ARENAS_MAX);
    if (!arenas[i].block) {
        arenas[i].block = aligned_alloc(16, size);
        arenas[i].size = size;
    }
    ASSERT(arenas[i].block != NULL);
    arenas[i].is_taken = true;
    memset(arenas[i].block, 0, size);
    return arenas[i].block;
}

static inline void arena_give(const void *block)
{
    int i = 0;

    while (i < ARENAS_MAX && arenas[i].block != block)
        i++;
    ASSERT(i < ARENAS_MAX);
    arenas[i].is_taken = false;
}

#endif
