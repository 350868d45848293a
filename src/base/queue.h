/*
 * First-in, first-out queues of u32 values in an array of the caller's, used as a ring. It is used
 * from its start whenever the queue has been empty, so that only the depth that was ever needed is
 * touched. A zero-filled queue is empty.
 *
 *     head = 1, count = 3        cells: | . | 7 | 3 | 9 | . | . |    capacity = 6
 */
#ifndef SWIM_BASE_QUEUE_H
#define SWIM_BASE_QUEUE_H

#include "base/assert.h"

#include <stdint.h>

struct queue {
    uint32_t head; /* place of the oldest one */
    uint32_t count;
};

/* A place of the line as a place of the array. Not by division: who asks for the oldest one asks often. */
static inline uint32_t queue_wrap(uint32_t at, uint32_t capacity)
{
    return at < capacity ? at : at - capacity;
}

/* Who stands at a place of the line, 0 being the oldest. Asserted: place < count. */
uint32_t queue_at(const struct queue *queue, const uint32_t *cells, uint32_t capacity,
                  uint32_t place);
/* Asserted: not full. Inline: what each newcomer of a merge costs. */
static inline void queue_push(struct queue *queue, uint32_t *cells, uint32_t capacity,
                              uint32_t value)
{
    ASSERT(queue->count < capacity);
    cells[queue_wrap(queue->head + queue->count, capacity)] = value;
    queue->count++;
}

/* The oldest one leaves. Asserted: not empty. */
void queue_pop(struct queue *queue, uint32_t capacity);

#endif
