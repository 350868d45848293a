/* Queues in an array: see queue.h. */
#include "base/queue.h"

uint32_t queue_at(const struct queue *queue, const uint32_t *cells, uint32_t capacity,
                  uint32_t place)
{
    ASSERT(place < queue->count);
    return cells[queue_wrap(queue->head + place, capacity)];
}

void queue_pop(struct queue *queue, uint32_t capacity)
{
    ASSERT(queue->count > 0);
    queue->count--;
    queue->head = queue->count ? queue_wrap(queue->head + 1, capacity) : 0;
}
