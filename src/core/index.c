/* Linear hashing (Litwin, 1980): see index.h for why. */
#include "core/index.h"

void index_init(struct index *index, uint32_t buckets_max, uint32_t load)
{
    ASSERT(buckets_max >= INDEX_BUCKETS_MIN && load >= 1 && load <= INDEX_LOAD_MAX);
    index->buckets = INDEX_BUCKETS_MIN;
    index->low = INDEX_BUCKETS_MIN;
    index->buckets_max = buckets_max;
    index->count = 0;
    index->load = load;
    index_set_full(index);
}

/* The last bucket's chain goes back to where it was split from. */
static void shrink(const struct index_view *view)
{
    struct index *index = view->index;
    uint32_t last = --index->buckets;
    uint32_t *end;

    if (last < index->low)
        index->low /= 2;
    end = &view->heads[last - index->low];
    while (*end)
        end = &view->next[*end];
    *end = view->heads[last];
    view->heads[last] = 0;
    index_set_full(index);
}

void index_remove(const struct index_view *view, uint64_t hash, uint32_t slot)
{
    struct index *index = view->index;
    uint32_t *at = &view->heads[index_bucket(index, hash)];

    while (*at != slot) {
        ASSERT(*at != 0);
        at = &view->next[*at];
    }
    *at = view->next[slot];
    view->next[slot] = 0;
    index->count--;
    if (index->count < index->load * index->buckets / 2 && index->buckets > INDEX_BUCKETS_MIN)
        shrink(view);
}
