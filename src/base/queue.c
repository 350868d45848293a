/* Queues of indices: see queue.h. They exist for what each of a million elements may be in. */
#include "base/queue.h"

#include "base/assert.h"

void queue_push(struct queue *queue, uint32_t *next, uint32_t index)
{
    ASSERT(index != 0 && index != QUEUE_END && !is_in_queue(next, index));
    if (queue->head)
        next[queue->tail] = index;
    else
        queue->head = index;
    queue->tail = index;
    next[index] = QUEUE_END;
    queue->count++;
}

void queue_pop(struct queue *queue, uint32_t *next)
{
    uint32_t first = queue->head;

    ASSERT(first != 0 && queue->count > 0);
    queue->head = next[first] == QUEUE_END ? 0 : next[first];
    next[first] = 0;
    queue->count--;
}

bool queue_check(const struct queue *queue, const uint32_t *next)
{
    uint32_t count = 0;

    for (uint32_t at = queue->head; at; at = next[at]) {
        if (!is_in_queue(next, at) || ++count > queue->count)
            return false;
        if (next[at] == QUEUE_END)
            return at == queue->tail && count == queue->count;
    }
    return count == 0 && queue->count == 0;
}
