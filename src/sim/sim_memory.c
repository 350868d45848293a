/*
 * Memory. A member's arena is mapped afresh from the system: its zero pages cost nothing until
 * they are written, and a restart gets new ones instead of clearing old ones.
 */
#define _GNU_SOURCE
#include "sim/sim_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static void *or_abort(void *memory)
{
    if (memory == NULL || memory == MAP_FAILED) {
        fprintf(stderr, "sim: out of memory\n");
        abort();
    }
    return memory;
}

void *sim_allocate(size_t count, size_t size)
{
    return or_abort(calloc(count, size));
}

void *sim_grow(void *memory, size_t count, size_t size)
{
    return or_abort(realloc(memory, count * size));
}

void *sim_map_arena(size_t size)
{
    return or_abort(mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
}

void sim_unmap_arena(void *arena, size_t size)
{
    if (arena != NULL) {
        munmap(arena, size);
    }
}
