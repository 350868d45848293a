/*
 * The binary heap behind every deadline. A heap, not a wheel: the next deadline must be known
 * exactly, so that the host sleeps until then and probes time out on the millisecond.
 */
#include "base/heap.h"

#include "base/assert.h"

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    if (a->key != b->key)
        return a->key < b->key;
    /* Distance on the circle of sequence numbers: "older" survives their wrap. */
    return a->sequence - b->sequence > UINT32_MAX / 2;
}

static void set_node(struct heap_node *nodes, uint32_t *places, uint32_t place,
                     struct heap_node node)
{
    nodes[place] = node;
    places[node.index] = place;
}

/* Moves `node` towards the root from the hole at `place`; returns where the hole ends up. */
static uint32_t sift_up(struct heap_node *nodes, uint32_t *places, uint32_t place,
                        const struct heap_node *node)
{
    while (place > 1 && is_before(node, &nodes[place / 2])) {
        set_node(nodes, places, place, nodes[place / 2]);
        place /= 2;
    }
    return place;
}

/* The same away from the root. */
static uint32_t sift_down(const struct heap *heap, struct heap_node *nodes, uint32_t *places,
                          uint32_t place, const struct heap_node *node)
{
    while (place <= heap->size / 2) {
        uint32_t child = 2 * place;
        if (child < heap->size && is_before(&nodes[child + 1], &nodes[child]))
            child++;
        if (!is_before(&nodes[child], node))
            break;
        set_node(nodes, places, place, nodes[child]);
        place = child;
    }
    return place;
}

void heap_push(struct heap *heap, struct heap_node *nodes, uint32_t *places, uint32_t index,
               uint64_t key)
{
    ASSERT(heap->size < heap->capacity);
    ASSERT(places[index] == 0);
    struct heap_node node = {.key = key, .index = index, .sequence = heap->sequence++};
    heap->size++;
    set_node(nodes, places, sift_up(nodes, places, heap->size, &node), node);
}

void heap_remove(struct heap *heap, struct heap_node *nodes, uint32_t *places, uint32_t index)
{
    uint32_t hole = places[index];
    ASSERT(hole >= 1 && hole <= heap->size);
    ASSERT(nodes[hole].index == index);
    struct heap_node last = nodes[heap->size];
    heap->size--;
    places[index] = 0;
    if (last.index == index)
        return;
    /* The last node fills the hole, and may belong on either side of it. */
    uint32_t place = sift_up(nodes, places, hole, &last);
    if (place == hole)
        place = sift_down(heap, nodes, places, hole, &last);
    set_node(nodes, places, place, last);
}

const struct heap_node *heap_top(const struct heap *heap, const struct heap_node *nodes)
{
    ASSERT(heap->size > 0);
    return &nodes[1];
}

bool heap_check(const struct heap *heap, const struct heap_node *nodes, const uint32_t *places)
{
    if (heap->size > heap->capacity)
        return false;
    for (uint32_t i = 1; i <= heap->size; i++) {
        if (places[nodes[i].index] != i)
            return false;
        if (i > 1 && is_before(&nodes[i], &nodes[i / 2]))
            return false;
    }
    return true;
}
