/*
 * A binary min-heap of (key, index) in an array of the caller's. The caller keeps, for each
 * index, its place in the heap (`places[index]`, 0 = not in it), so that any element can be
 * removed or moved in O(log size). Equal keys come out in the order of their sequence numbers,
 * that is, of insertion: ties never depend on the heap's shape.
 */
#ifndef SWIM_BASE_HEAP_H
#define SWIM_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct heap_node {
    uint64_t key;
    uint32_t index;
    uint32_t sequence; /* wraps; compared by distance, valid for fewer than 2^31 alive at a time */
};

/* nodes[1..size] are used; nodes has room for capacity + 1. */
struct heap {
    uint32_t size;
    uint32_t capacity;
    uint32_t sequence;
};

/* Asserted: not full, `index` not in it. */
void heap_push(struct heap *heap, struct heap_node *nodes, uint32_t *places, uint32_t index,
               uint64_t key);
/* Asserted: `index` is in it. */
void heap_remove(struct heap *heap, struct heap_node *nodes, uint32_t *places, uint32_t index);
/* Asserted: not empty. */
const struct heap_node *heap_top(const struct heap *heap, const struct heap_node *nodes);
/* True when the order and every place hold. O(size). */
bool heap_check(const struct heap *heap, const struct heap_node *nodes, const uint32_t *places);

#endif
