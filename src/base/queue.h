/*
 * First-in, first-out queues of u32 indices, with one link of 4 bytes an element, where a list has 8:
 * nothing leaves but at the head. A zero-filled queue is empty, and a zero-filled link is in none.
 *
 *     queue.head -> 7 -> 3 -> 9 <- queue.tail        next[7] = 3, next[3] = 9, next[9] = QUEUE_END
 */
#ifndef SWIM_BASE_QUEUE_H
#define SWIM_BASE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_END UINT32_MAX

struct queue {
    uint32_t head; /* 0: empty */
    uint32_t tail;
    uint32_t count;
};

static inline bool is_in_queue(const uint32_t *next, uint32_t index)
{
    return next[index] != 0;
}

/* Asserted: `index` is neither 0 nor QUEUE_END, nor queued. */
void queue_push(struct queue *queue, uint32_t *next, uint32_t index);
/* Asserted: not empty. */
void queue_pop(struct queue *queue, uint32_t *next);
/* True when the links and the count hold. O(count). */
bool queue_check(const struct queue *queue, const uint32_t *next);

#endif
