/* Contents that come in parts: see meta_parts.h. */
#include "core/meta_parts.h"

#include "core/meta.h"

#include <string.h>

_Static_assert((META_CONTENT_MAX + WIRE_META_PART - 1) / WIRE_META_PART <= 16,
               "a bit for each part");

/* An assembly of which nothing has come in for so long gives way to another version. */
static const swim_time ASSEMBLY_LIFE = 5000 * SWIM_MS;

static void release(struct swim *s, struct assembly *a)
{
    a->size = 0;
    s->assembly_count--;
}

static void give_up(struct swim *s, struct assembly *a)
{
    s->stats.meta_given_up++;
    release(s, a);
}

static struct assembly *find(struct swim *s, uint64_t id)
{
    for (unsigned i = 0; s->assembly_count && i < ASSEMBLIES_MAX; i++) {
        struct assembly *a = &assemblies_of(s)[i];

        if (a->size && a->id == id)
            return a;
    }
    return NULL;
}

/* A free one, or else that which has waited longest. */
static struct assembly *take(struct swim *s)
{
    struct assembly *oldest = assemblies_of(s);

    for (unsigned i = 0; i < ASSEMBLIES_MAX; i++) {
        struct assembly *a = &assemblies_of(s)[i];

        if (!a->size)
            return a;
        if (s->assembly_turn - a->turn > s->assembly_turn - oldest->turn)
            oldest = a;
    }
    give_up(s, oldest);
    return oldest;
}

static struct assembly *begin(struct swim *s, const struct wire_meta_part *part)
{
    struct assembly *a = take(s);

    s->assembly_count++;
    a->id = part->id;
    a->key = part->key;
    a->size = part->size;
    a->missing = (uint16_t)((1u << wire_meta_parts(part->size)) - 1);
    return a;
}

const uint8_t *meta_parts_add(struct swim *s, const struct wire_meta_part *part)
{
    struct assembly *a;
    int order;

    if (part->part_size == part->size)
        return part->bytes;
    a = find(s, part->id);
    if (a && s->now - a->touched > ASSEMBLY_LIFE) {
        give_up(s, a);
        a = NULL;
    }
    order = a ? meta_compare(&part->key, &a->key) : 1;
    if (order < 0 || (order == 0 && part->size != a->size))
        return NULL; /* what is greater comes in already; or somebody lies about its size */
    if (order > 0) {
        if (a)
            give_up(s, a);
        a = begin(s, part);
    }
    a->touched = s->now;
    a->turn = ++s->assembly_turn;
    a->missing &= (uint16_t) ~(1u << part->number);
    memcpy(a->content + (size_t)part->number * WIRE_META_PART, part->bytes, part->part_size);
    if (a->missing)
        return NULL;
    release(s, a);
    return a->content;
}

void meta_parts_forget(struct swim *s, uint64_t id, const struct wire_meta_key *key)
{
    struct assembly *a = find(s, id);

    if (a && meta_compare(&a->key, key) <= 0)
        release(s, a);
}
