/*
 * Memory that is wiped when it is given back: for libevent and jansson, through whose buffers pass
 * the bytes of requests, which can hold keys and tokens. A copy that stayed behind in freed memory
 * could come out again in a core dump or a swap file.
 */
#ifndef SWIM_AGENT_WIPING_HEAP_H
#define SWIM_AGENT_WIPING_HEAP_H

#include <stddef.h>

/* From now on libevent and jansson use this heap. To be called once, before either is used. */
void wiping_heap_install(void);

/* As malloc, realloc and free. Only what came from here can be given back here. */
void *wiping_heap_get(size_t size);
void *wiping_heap_resize(void *memory, size_t size);
void wiping_heap_put(void *memory);

#endif
