/* Who is called what: see names.h. docs/protocol.md section 7, "names". */
#include "core/names.h"

#include "base/siphash.h"
#include "core/event.h"
#include "core/meta_store.h"

#include <string.h>

enum {
    NAME_SIZE = SWIM_NAME_MAX + 1,
    /* Of one name, in the index: many may share one (the host's, by default), and must not take the
     * places of those whose names fall into the same chain. */
    NAMESAKES_MAX = 8,
};

static struct index_view names_of(const struct swim *s)
{
    struct swim *mutable = (struct swim *)(uintptr_t)s;

    return (struct index_view){&mutable->by_name, name_heads(s), next_by_name(s)};
}

/* Keyed, so that nobody can choose names that fall into one chain. */
static uint32_t hash_name(const struct swim *s, const uint8_t name[NAME_SIZE])
{
    size_t size = 0;

    while (size < SWIM_NAME_MAX && name[size])
        size++;
    return (uint32_t)siphash(s->config.secret, name, size);
}

/* The name held of `slot`, filled up with zeros. False when it has none. */
static bool read_name(const struct swim *s, uint32_t slot, uint8_t ret[NAME_SIZE])
{
    const struct meta_slot *held = &meta_slots_of(s)[slot];
    size_t length = 0;

    if (!has_meta(&members_of(s)[slot]) || !held->block)
        return false;
    memset(ret, 0, NAME_SIZE);
    meta_store_read(s, held->block, 0, ret, held->size < NAME_SIZE ? held->size : NAME_SIZE);
    while (length < SWIM_NAME_MAX && ret[length])
        length++;
    memset(ret + length, 0, NAME_SIZE - length);
    return length > 0;
}

static bool is_called(const struct swim *s, uint32_t slot, const uint8_t name[NAME_SIZE])
{
    uint8_t held[NAME_SIZE];

    return read_name(s, slot, held) && !memcmp(held, name, NAME_SIZE);
}

static bool is_present(const struct swim *s, uint32_t slot)
{
    return is_live(&members_of(s)[slot]);
}

static uint32_t find(const struct swim *s, const uint8_t name[NAME_SIZE], uint32_t except)
{
    uint32_t slot;

    if (except != SELF && is_present(s, SELF) && is_called(s, SELF, name))
        return SELF;
    slot = name_heads(s)[index_bucket(&s->by_name, hash_name(s, name))];
    while (slot && (slot == except || !is_called(s, slot, name)))
        slot = next_by_name(s)[slot];
    return slot;
}

/* The next one after `slot` of those that are not in the index. Looks at all members: only for what
 * the host asks for. */
static uint32_t find_unindexed(const struct swim *s, const uint8_t name[NAME_SIZE], uint32_t slot)
{
    uint32_t hash = hash_name(s, name);

    if (!s->names_unindexed)
        return 0;
    while (++slot <= s->slots_high) {
        const struct meta_slot *held = &meta_slots_of(s)[slot];

        if (slot != SELF && has_meta(&members_of(s)[slot]) && held->name_hash == hash &&
            (held->flags & (META_NAMED | META_INDEXED)) == META_NAMED && is_called(s, slot, name))
            return slot;
    }
    return 0;
}

uint32_t names_find(const struct swim *s, const char *name)
{
    uint8_t filled[NAME_SIZE] = {0};
    size_t length = 0;
    uint32_t slot;

    while (name[length] && length < NAME_SIZE)
        length++;
    if (length == 0 || length == NAME_SIZE)
        return 0;
    memcpy(filled, name, length);
    slot = find(s, filled, 0);
    return slot ? slot : find_unindexed(s, filled, 0);
}

bool names_are_rivals(const struct swim *s, uint32_t a, uint32_t b)
{
    uint8_t name[NAME_SIZE];

    return a != b && members_of(s)[a].record.id && members_of(s)[b].record.id && is_present(s, a) &&
           is_present(s, b) && read_name(s, a, name) && is_called(s, b, name);
}

/* The pair is reported about the one that is not SELF. */
static void report(struct swim *s, uint32_t slot, uint32_t rival)
{
    uint32_t subject = slot == SELF ? rival : slot;

    meta_slots_of(s)[subject].rival = slot == SELF ? SELF : rival;
    meta_slots_of(s)[subject].flags |= META_RIVALLED;
    s->stats.name_conflicts++;
    event_about(s, subject, false);
}

/* Everybody whom SELF now shares its name with; for another member, one is enough: each owner finds
 * itself among them. */
static void find_rivals(struct swim *s, uint32_t slot, const uint8_t name[NAME_SIZE])
{
    uint32_t rival;

    if (slot != SELF) {
        rival = find(s, name, slot);
        if (rival)
            report(s, slot, rival);
        return;
    }
    rival = name_heads(s)[index_bucket(&s->by_name, hash_name(s, name))];
    for (; rival; rival = next_by_name(s)[rival]) {
        if (is_called(s, rival, name))
            report(s, SELF, rival);
    }
    while ((rival = find_unindexed(s, name, rival)) != 0)
        report(s, SELF, rival);
}

static bool has_place(const struct swim *s, uint32_t hash)
{
    struct index_view names = names_of(s);
    uint32_t slot = name_heads(s)[index_bucket(&s->by_name, hash)];
    uint32_t namesakes = 0;

    for (; slot; slot = next_by_name(s)[slot])
        namesakes += meta_slots_of(s)[slot].name_hash == hash;
    return namesakes < NAMESAKES_MAX && index_has_room(&names, hash);
}

bool names_is_called(const struct swim *s, uint32_t slot, const uint8_t *content, uint32_t size)
{
    uint8_t name[NAME_SIZE];
    uint32_t length = 0;

    if (!(meta_slots_of(s)[slot].flags & META_NAMED) || !read_name(s, slot, name))
        return false;
    while (length < SWIM_NAME_MAX && name[length]) /* bounded, or gcc makes a strlen of it */
        length++;
    return length < size && !memcmp(content, name, length + 1);
}

void names_leave(struct swim *s, uint32_t slot)
{
    struct meta_slot *held = &meta_slots_of(s)[slot];
    struct index_view names = names_of(s);

    if (!has_meta(&members_of(s)[slot]))
        return;
    if (held->flags & META_INDEXED)
        index_remove(&names, held->name_hash, slot);
    else if (held->flags & META_NAMED && slot != SELF)
        s->names_unindexed--;
    held->flags &= (uint8_t) ~(META_NAMED | META_INDEXED);
}

void names_follow(struct swim *s, uint32_t slot, bool is_old)
{
    struct index_view names = names_of(s);
    struct meta_slot *held = &meta_slots_of(s)[slot];
    uint8_t name[NAME_SIZE];

    if (!is_present(s, slot)) {
        names_leave(s, slot);
        return;
    }
    if (!has_meta(&members_of(s)[slot]) || held->flags & META_NAMED || !read_name(s, slot, name))
        return;
    if (!is_old)
        find_rivals(s, slot, name);
    held->flags |= META_NAMED;
    held->name_hash = hash_name(s, name);
    if (slot == SELF)
        return; /* it is looked at first anyway */
    if (!has_place(s, held->name_hash)) {
        s->names_unindexed++;
        return;
    }
    if (index_insert(&names, held->name_hash, slot)) {
        struct index_split split = index_grow(&names);

        while (split.slot)
            index_place(&names, &split, meta_slots_of(s)[split.slot].name_hash);
    }
    held->flags |= META_INDEXED;
}
