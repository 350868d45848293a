/*
 * A size is kept in front of each piece, so that all of it can be wiped. The daemon's own hot path
 * allocates nothing, so the wiping costs HTTP alone. docs/security.md, "Keys".
 */
#include "agent/wiping_heap.h"

#include <event2/event.h>
#include <jansson.h>
#include <sodium.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As aligned as malloc's own. */
#define HEAD_SIZE _Alignof(max_align_t)
_Static_assert(HEAD_SIZE >= sizeof(size_t), "the size fits in front");

static void *begin_of(void *memory)
{
    return (char *)memory - HEAD_SIZE;
}

static size_t size_of(void *memory)
{
    size_t size;

    memcpy(&size, begin_of(memory), sizeof size);
    return size;
}

void *wiping_heap_get(size_t size)
{
    char *begin = size <= SIZE_MAX - HEAD_SIZE ? malloc(size + HEAD_SIZE) : NULL;

    if (begin == NULL)
        return NULL;
    memcpy(begin, &size, sizeof size);
    return begin + HEAD_SIZE;
}

void wiping_heap_put(void *memory)
{
    if (memory == NULL)
        return;
    sodium_memzero(memory, size_of(memory));
    free(begin_of(memory));
}

void *wiping_heap_resize(void *memory, size_t size)
{
    void *next = wiping_heap_get(size);

    if (memory == NULL || next == NULL)
        return next;
    size_t before = size_of(memory);
    memcpy(next, memory, before < size ? before : size);
    wiping_heap_put(memory);
    return next;
}

void wiping_heap_install(void)
{
    event_set_mem_functions(wiping_heap_get, wiping_heap_resize, wiping_heap_put);
    json_set_alloc_funcs(wiping_heap_get, wiping_heap_put);
}
