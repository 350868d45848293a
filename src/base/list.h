/*
 * Doubly linked lists of u32 indices. Links live in an array of their own, one `struct link`
 * per element that can be in the list, so lists hold no pointer and survive a memcpy of the
 * arena. Index 0 is "none"; a zero-filled list is empty and a zero-filled link is out of any.
 *
 *     list.head -> 7 -> 3 -> 9 <- list.tail        links[3] = {.prev = 7, .next = 9, .linked = 1}
 */
#ifndef SWIM_BASE_LIST_H
#define SWIM_BASE_LIST_H

#include "base/assert.h"

#include <stdbool.h>
#include <stdint.h>

struct link {
    uint32_t prev;
    uint32_t next : 31;
    uint32_t linked : 1;
};

struct list {
    uint32_t head;
    uint32_t tail;
    uint32_t count;
};

#define LIST_INDEX_MAX UINT32_C(0x7FFFFFFF) /* what fits beside the `linked` bit */

static inline bool is_linked(const struct link *links, uint32_t index)
{
    return links[index].linked;
}

/* Asserted: `index` is not 0 and not linked. Inline: what each newcomer of a merge costs. */
static inline void list_push_head(struct list *list, struct link *links, uint32_t index)
{
    uint32_t first = list->head;

    ASSERT(index != 0 && index <= LIST_INDEX_MAX && !is_linked(links, index));
    links[index] = (struct link){.next = first & LIST_INDEX_MAX, .linked = 1};
    if (first)
        links[first].prev = index;
    else
        list->tail = index;
    list->head = index;
    list->count++;
}

/* The same, at the other end. */
void list_push_tail(struct list *list, struct link *links, uint32_t index);
/* Asserted: `index` is linked. It must be in this very list. */
void list_remove(struct list *list, struct link *links, uint32_t index);
/* Neighbours in `from`, run->count of them, from run->head to run->tail, go to the end of `to`, in the
 * same order. O(1). Asserted: what can be told of that without a walk. */
void list_move_run(struct list *from, struct list *to, struct link *links, const struct list *run);

#endif
