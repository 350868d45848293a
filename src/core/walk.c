/* Walks go through the heads of the id index, bucket by bucket. See walk.h. */
#include "core/walk.h"

#include "base/hash.h"

bool walk_has_bucket(const struct walk *walk, uint32_t bucket)
{
    return walk->mask[bucket / 8] >> bucket % 8 & 1;
}

void walk_restart(struct walk *walk)
{
    walk->bucket = walk->head = walk->skip = 0;
}

static bool is_walked(const struct walk *walk, const struct member *m)
{
    uint32_t bucket = (uint32_t)hash_u64(m->record.id) & ((1u << walk->bits) - 1);

    return is_live(m) && walk_has_bucket(walk, bucket);
}

/* Heads of one bucket lie 2^bits apart, unless the index has fewer heads than that: then every
 * head is looked at, and is_walked chooses. */
static uint32_t stride(const struct swim *s, const struct walk *walk)
{
    return s->by_id.buckets >> walk->bits ? 1u << walk->bits : 1;
}

/* Moves to the next head that may hold somebody; false at the end. */
static bool seek(const struct swim *s, struct walk *walk)
{
    uint32_t step = stride(s, walk);

    while (walk->head >= s->by_id.buckets ||
           (step > 1 && !walk_has_bucket(walk, walk->head & (step - 1)))) {
        if (++walk->bucket >= step)
            return false;
        walk->head = walk->bucket;
    }
    return true;
}

uint32_t walk_slot(const struct swim *s, struct walk *walk)
{
    while (seek(s, walk)) {
        uint32_t slot = id_heads(s)[walk->head];

        for (uint32_t i = 0; i < walk->skip && slot; i++)
            slot = next_by_id(s)[slot];
        for (; slot; slot = next_by_id(s)[slot], walk->skip++) {
            if (is_walked(walk, member_at(s, slot)))
                return slot;
        }
        walk->skip = 0;
        walk->head += stride(s, walk);
    }
    return 0;
}
