/* Queues in an array: see queue.h. */
#include "base/queue.h"

#include "base/assert.h"

/* Not by division: who asks for the oldest one asks often. */
static uint32_t wrap(uint32_t at, uint32_t capacity)
{
    return at < capacity ? at : at - capacity;
}

uint32_t queue_at(const struct queue *queue, const uint32_t *cells, uint32_t capacity,
                  uint32_t place)
{
    ASSERT(place < queue->count);
    return cells[wrap(queue->head + place, capacity)];
}

void queue_push(struct queue *queue, uint32_t *cells, uint32_t capacity, uint32_t value)
{
    ASSERT(queue->count < capacity);
    cells[wrap(queue->head + queue->count, capacity)] = value;
    queue->count++;
}

void queue_pop(struct queue *queue, uint32_t capacity)
{
    ASSERT(queue->count > 0);
    queue->count--;
    queue->head = queue->count ? wrap(queue->head + 1, capacity) : 0;
}
