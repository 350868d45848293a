/*
 * Lists of indices. They exist beside plain arrays because members, timers and queued news
 * must be unlinked from the middle in O(1), inside an arena that can be copied.
 */
#include "base/list.h"

static void set_next(struct link *links, uint32_t index, uint32_t next)
{
    links[index].next = next & LIST_INDEX_MAX;
}

void list_push_tail(struct list *list, struct link *links, uint32_t index)
{
    ASSERT(index != 0 && index <= LIST_INDEX_MAX && !is_linked(links, index));
    links[index].prev = list->tail;
    set_next(links, index, 0);
    links[index].linked = 1;
    if (list->tail)
        set_next(links, list->tail, index);
    else
        list->head = index;
    list->tail = index;
    list->count++;
}

/* Those from `first` to `last` are in the list no more, nor are those beside them their neighbours. */
static void cut(struct list *list, struct link *links, uint32_t first, uint32_t last)
{
    uint32_t prev = links[first].prev;
    uint32_t next = links[last].next;

    /* The two ends of a list know its indices: a removal from another list shows here. */
    ASSERT(prev != 0 || list->head == first);
    ASSERT(next != 0 || list->tail == last);
    if (prev)
        set_next(links, prev, next);
    else
        list->head = next;
    if (next)
        links[next].prev = prev;
    else
        list->tail = prev;
}

void list_remove(struct list *list, struct link *links, uint32_t index)
{
    ASSERT(index != 0 && is_linked(links, index));
    ASSERT(list->count > 0);
    cut(list, links, index, index);
    links[index].prev = 0;
    set_next(links, index, 0);
    links[index].linked = 0;
    list->count--;
}

void list_move_run(struct list *from, struct list *to, struct link *links, const struct list *run)
{
    ASSERT(run->count > 0 && run->count <= from->count);
    ASSERT(run->head != 0 && is_linked(links, run->head) && is_linked(links, run->tail));
    cut(from, links, run->head, run->tail);
    from->count -= run->count;
    links[run->head].prev = to->tail;
    set_next(links, run->tail, 0);
    if (to->tail)
        set_next(links, to->tail, run->head);
    else
        to->head = run->head;
    to->tail = run->tail;
    to->count += run->count;
}
