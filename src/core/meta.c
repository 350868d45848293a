/* Names and tags of the members: see meta.h. */
#include "core/meta.h"

#include "core/clock.h"
#include "core/event.h"
#include "core/inspect.h"
#include "core/member.h"
#include "core/meta_news.h"
#include "core/meta_parts.h"
#include "core/meta_store.h"
#include "core/names.h"
#include "core/self.h"
#include "core/sync.h"

#include <string.h>

enum { REVIVALS_MAX = 16 }; /* members asked for again when there is room, in one call */

int meta_compare(const struct wire_meta_key *a, const struct wire_meta_key *b)
{
    if (a->incarnation != b->incarnation)
        return a->incarnation < b->incarnation ? -1 : 1;
    if (a->version != b->version)
        return a->version < b->version ? -1 : 1;
    return (a->digest > b->digest) - (a->digest < b->digest);
}

static struct meta_slot *slot_of(const struct swim *s, uint32_t slot)
{
    return &meta_slots_of(s)[slot];
}

/* ---- What is held ---- */

static void release_content(struct swim *s, uint32_t slot)
{
    struct meta_slot *held = slot_of(s, slot);

    meta_news_withdraw(s, slot);
    names_leave(s, slot);
    if (held->flags & META_UNHELD) {
        list_remove(&s->meta_unheld, meta_links(s), slot);
    } else {
        meta_store_free(s, slot, held->block, held->size);
        s->meta_count--;
    }
    held->block = 0;
    held->flags &= (uint8_t)~META_UNHELD;
}

/* Its version is known, its content is not: there is no room for it. */
static void put_aside(struct swim *s, uint32_t slot)
{
    s->stats.meta_no_room++;
    slot_of(s, slot)->flags |= META_UNHELD;
    list_push_tail(&s->meta_unheld, meta_links(s), slot);
}

static void keep_content(struct swim *s, uint32_t slot, const uint8_t *content, uint32_t size,
                         bool has_old_name)
{
    struct meta_slot *held = slot_of(s, slot);

    held->size = (uint16_t)size;
    held->block = meta_store_keep(s, slot, content, size);
    if (held->block) {
        s->meta_count++;
        names_follow(s, slot, has_old_name);
        return;
    }
    put_aside(s, slot);
}

static void drop(struct swim *s, uint32_t slot)
{
    release_content(s, slot);
    member_set_meta(s, slot, NULL);
}

/* There is room again: those whose content was not held are unknown from here on, so that views
 * differ and it is sent. */
static void revive(struct swim *s)
{
    uint32_t room = s->meta_blocks_max - s->meta_blocks_used;

    for (unsigned i = 0; i < REVIVALS_MAX && s->meta_unheld.head; i++) {
        uint32_t slot = s->meta_unheld.head;
        uint32_t need = meta_store_need(slot_of(s, slot)->size);

        if (need > room) {
            list_remove(&s->meta_unheld, meta_links(s), slot);
            list_push_tail(&s->meta_unheld, meta_links(s), slot);
            return;
        }
        room -= need;
        drop(s, slot);
    }
}

/* `slot` has this content in this version. */
static void hold(struct swim *s, uint32_t slot, const struct wire_meta_key *key,
                 const uint8_t *content, uint32_t size)
{
    struct meta_slot *held = slot_of(s, slot);
    bool is_first = !has_meta(&members_of(s)[slot]);
    bool is_change = is_first || held->key.digest != key->digest || held->flags & META_UNHELD;
    bool has_old_name = !is_first && names_is_called(s, slot, content, size);

    if (!is_first)
        release_content(s, slot);
    else
        memset(held, 0, sizeof *held);
    member_set_meta(s, slot, key);
    keep_content(s, slot, content, size, has_old_name);
    meta_parts_forget(s, members_of(s)[slot].record.id, key);
    if (is_change && held->block) {
        held->changed = s->now;
        if (slot != SELF)
            event_about_meta(s, slot);
        else if (!is_first) /* what it starts with is no change */
            event_about_self(s, SELF_RETAGGED);
    }
    revive(s);
}

/* The same, but there is no room for it. */
static void hold_key(struct swim *s, uint32_t slot, const struct wire_meta_key *key, uint16_t size)
{
    if (has_meta(&members_of(s)[slot]))
        release_content(s, slot);
    else
        memset(slot_of(s, slot), 0, sizeof(struct meta_slot));
    member_set_meta(s, slot, key);
    slot_of(s, slot)->size = size;
    put_aside(s, slot);
    meta_parts_forget(s, members_of(s)[slot].record.id, key);
    revive(s);
}

void meta_drop(struct swim *s, uint32_t slot)
{
    if (!has_meta(member_at(s, slot)))
        return;
    drop(s, slot);
    revive(s);
}

void meta_follow_status(struct swim *s, uint32_t slot)
{
    if (!has_meta(member_at(s, slot)))
        return;
    names_follow(s, slot, false);
    if (!is_live(member_at(s, slot)))
        meta_news_withdraw(s, slot);
}

void meta_take_over(struct swim *s, uint32_t slot, const struct swim *like, uint32_t its_slot)
{
    const struct meta_slot *its = slot_of(like, its_slot);
    uint8_t content[META_CONTENT_MAX];

    if (!has_meta(member_at(s, slot)))
        return;
    if (!its->block && slot == SELF) { /* the host says what it is, as in a cold start */
        member_set_meta(s, SELF, NULL);
        return;
    }
    if (!its->block) {
        slot_of(s, slot)->flags |= META_UNHELD;
        list_push_tail(&s->meta_unheld, meta_links(s), slot);
        return;
    }
    meta_store_read(like, its->block, 0, content, its->size);
    keep_content(s, slot, content, its->size, false);
}

/* ---- This member's own ---- */

/* The next version after *above, NULL: there is none. Counters never wrap: with the versions of an
 * incarnation used up, this member moves to the next one. */
static struct wire_meta_key next_key(struct swim *s, const struct wire_meta_key *above)
{
    uint32_t incarnation = self_of(s)->record.incarnation;

    if (!above || above->incarnation < incarnation)
        return (struct wire_meta_key){.incarnation = incarnation, .version = 1};
    if (above->version < UINT32_MAX)
        return (struct wire_meta_key){.incarnation = above->incarnation,
                                      .version = above->version + 1};
    self_next_incarnation(s, above->incarnation);
    return (struct wire_meta_key){.incarnation = self_of(s)->record.incarnation, .version = 1};
}

void meta_renew(struct swim *s)
{
    struct wire_meta_key key = {.version = 1, .digest = slot_of(s, SELF)->key.digest};

    if (!has_meta(self_of(s)))
        return;
    member_set_meta(s, SELF, &key);
    meta_news_tell(s, SELF);
}

/* Somebody holds of us what we never said, or said before we forgot it: our own goes above it. */
static void overrule(struct swim *s, const struct wire_meta_key *heard)
{
    static const uint8_t nothing[1] = {0}; /* no name, no tags */
    struct wire_meta_key key;

    if (has_meta(self_of(s))) {
        const struct wire_meta_key own = slot_of(s, SELF)->key;

        key = next_key(s, meta_compare(heard, &own) > 0 ? heard : &own);
        key.digest = own.digest;
        member_set_meta(s, SELF, &key);
    } else {
        key = next_key(s, heard);
        key.digest = meta_value_digest(nothing, sizeof nothing);
        hold(s, SELF, &key, nothing, sizeof nothing);
    }
    meta_news_tell(s, SELF);
    s->stats.meta_overruled++;
}

static void hear_about_self(struct swim *s, const struct wire_meta_part *part, bool is_sync)
{
    const struct wire_meta_key *own = &slot_of(s, SELF)->key;
    const struct wire_meta_key *heard = &part->key;

    if (s->leaving)
        return;
    if (!has_meta(self_of(s)) || meta_compare(heard, own) > 0 ||
        (heard->incarnation == own->incarnation && heard->version == own->version &&
         heard->digest != own->digest)) {
        overrule(s, heard);
        return;
    }
    s->stats.meta_stale++;
    if (meta_compare(heard, own) == 0 && !is_sync && part->number == 0)
        meta_news_overheard(s, SELF);
}

void swim_set_meta(struct swim *s, swim_time now, const struct swim_meta *meta)
{
    uint8_t content[META_CONTENT_MAX];
    size_t size;
    uint64_t digest;
    struct wire_meta_key key;

    ASSERT(s && meta);
    clock_enter(s, now);
    size = meta_value_write(meta, content);
    digest = meta_value_digest(content, size);
    if (s->leaving || (has_meta(self_of(s)) && slot_of(s, SELF)->key.digest == digest))
        return;
    key = next_key(s, has_meta(self_of(s)) ? &slot_of(s, SELF)->key : NULL);
    key.digest = digest;
    hold(s, SELF, &key, content, (uint32_t)size);
    meta_news_tell(s, SELF);
}

/* ---- What others say ---- */

/* Of whom names and tags can be known. */
static bool has_metas(const struct swim *s, uint32_t slot)
{
    return slot && is_live(member_at(s, slot)) && !is_plain(member_at(s, slot));
}

/* < 0, 0, > 0 as the part is older than what is held, the same, or wanted. */
static int order_of(const struct swim *s, uint32_t slot, const struct wire_meta_part *part)
{
    const struct meta_slot *held = slot_of(s, slot);
    int order = has_meta(&members_of(s)[slot]) ? meta_compare(&part->key, &held->key) : 1;

    if (order == 0 && held->flags & META_UNHELD && meta_store_has_room(s, part->size))
        return 1;
    return order;
}

/* With what is held of `slot` now given up. */
static bool has_room_for(const struct swim *s, uint32_t slot, uint32_t size)
{
    const struct meta_slot *held = slot_of(s, slot);
    uint32_t freed =
        has_meta(&members_of(s)[slot]) && held->block ? meta_store_need(held->size) : 0;

    return meta_store_need(size) <= s->meta_blocks_max - s->meta_blocks_used + freed;
}

/* No content has so many zeros in a row: whoever sent this has the version alone (meta_news.h). */
static bool is_key_alone(const struct wire_meta_part *part)
{
    for (uint32_t i = 0; i < part->part_size; i++) {
        if (part->bytes[i])
            return false;
    }
    return part->part_size >= META_KEY_ALONE_MIN;
}

static void take(struct swim *s, uint32_t slot, const struct wire_meta_part *part, bool is_rumour)
{
    const uint8_t *content;

    if (!has_room_for(s, slot, part->size)) {
        hold_key(s, slot, &part->key, part->size);
        return;
    }
    if (is_key_alone(part)) {
        s->meta_wanted = slot; /* its owner has it */
        return;
    }
    content = meta_parts_add(s, part);
    if (!content)
        return;
    if (meta_value_digest(content, part->size) != part->key.digest ||
        !meta_value_is_wellformed(content, part->size)) {
        s->stats.meta_refused++;
        return;
    }
    hold(s, slot, &part->key, content, part->size);
    s->stats.meta_updated++;
    if (!slot_of(s, slot)->block)
        return;
    if (is_rumour)
        meta_news_rumour(s, slot);
    else
        meta_news_tell(s, slot);
}

static void hear_part(struct swim *s, const struct wire_meta_part *part,
                      const struct source *source, bool is_sync)
{
    uint32_t slot = member_find(s, part->id);
    int order;

    s->stats.meta_recv++;
    if (slot == SELF) {
        hear_about_self(s, part, is_sync);
        return;
    }
    if (!has_metas(s, slot)) {
        s->stats.meta_refused++;
        return;
    }
    order = order_of(s, slot, part);
    if (order > 0) {
        take(s, slot, part, is_sync && sync_is_settling(s));
    } else {
        s->stats.meta_stale++;
        if (order == 0 && !is_sync && part->number == 0)
            meta_news_overheard(s, slot);
    }
    if (source->is_sync && has_meta(&members_of(s)[slot]) &&
        meta_compare(&part->key, &slot_of(s, slot)->key) == 0)
        slot_of(s, slot)->synced = s->session.number;
}

void meta_hear(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct wire_meta_part part;
    struct reader left;

    if (!dg->metas)
        return;
    left = reader_of(dg->metas, dg->metas_size);
    while (wire_next_meta(&left, &part))
        hear_part(s, &part, source, dg->header.kind == WIRE_SYNC);
}

/* ---- Looking in ---- */

bool swim_member_meta(const struct swim *s, uint64_t id, struct swim_meta *ret)
{
    uint8_t content[META_CONTENT_MAX];
    const struct meta_slot *held;
    uint32_t slot;

    ASSERT(s && ret);
    slot = member_find(s, id);
    held = slot_of(s, slot);
    if (!inspect_is_listed(s, slot) || !has_meta(&members_of(s)[slot]) || !held->block)
        return false;
    meta_store_read(s, held->block, 0, content, held->size);
    meta_value_read(content, held->size, ret);
    ret->incarnation = held->key.incarnation;
    ret->version = held->key.version;
    return true;
}

bool swim_member_find_name(const struct swim *s, const char *name, struct swim_member *ret)
{
    uint32_t slot;

    ASSERT(s && name && ret);
    slot = names_find(s, name);
    if (slot)
        inspect_member(s, slot, ret);
    return slot != 0;
}
