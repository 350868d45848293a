/* Names and tags as news: see meta_news.h. */
#include "core/meta_news.h"

#include "core/gossip.h"
#include "core/member.h"
#include "core/meta_store.h"
#include "core/outbox.h"

#include <string.h>

enum {
    RUMOUR_SENDS = 4, /* as gossip.c's */
    RUMOUR_LEVEL = NEWS_LEVELS - RUMOUR_SENDS,
    LOOKS_MAX = 64, /* at one list for one datagram: more than fit into it */
};

static uint32_t parts_of(const struct swim *s, uint32_t slot)
{
    return wire_meta_parts(meta_slots_of(s)[slot].size);
}

/* How often it is told. What takes several datagrams costs no more of them than other news, but it
 * is told often enough to reach most; the rest is for anti-entropy. */
static uint32_t limit_of(const struct swim *s, uint32_t slot)
{
    uint32_t least = ceil_log2(cluster_size(s) + 1);
    uint32_t limit = gossip_limit(s) / parts_of(s, slot);

    if (gossip_is_mending(s))
        return GOSSIP_CROWD_SENDS;
    return limit > least ? limit : least;
}

static void unqueue(struct swim *s, uint32_t slot)
{
    list_remove(&meta_news_of(s)[meta_slots_of(s)[slot].sent], meta_links(s), slot);
    s->meta_news_count--;
}

static bool is_queued(const struct swim *s, uint32_t slot)
{
    return has_meta(&members_of(s)[slot]) && !(meta_slots_of(s)[slot].flags & META_UNHELD) &&
           is_linked(meta_links(s), slot);
}

static void queue(struct swim *s, uint32_t slot, uint32_t sent)
{
    ASSERT(meta_slots_of(s)[slot].block);
    if (is_queued(s, slot))
        unqueue(s, slot);
    meta_slots_of(s)[slot].sent = (uint8_t)sent;
    list_push_head(&meta_news_of(s)[sent], meta_links(s), slot);
    s->meta_news_count++;
    gossip_follow_membership(s);
}

void meta_news_tell(struct swim *s, uint32_t slot)
{
    queue(s, slot, 0);
}

void meta_news_rumour(struct swim *s, uint32_t slot)
{
    queue(s, slot, gossip_is_mending(s) ? NEWS_LEVELS - 1 : RUMOUR_LEVEL);
}

void meta_news_withdraw(struct swim *s, uint32_t slot)
{
    if (!is_queued(s, slot))
        return;
    unqueue(s, slot);
    gossip_follow_membership(s);
}

bool meta_news_is_due(const struct swim *s)
{
    return s->meta_news_count > 0 && live_count(s) > s->plain_live;
}

/* One transmission more. True when there are more to come. */
static bool charge(struct swim *s, uint32_t slot)
{
    struct meta_slot *held = &meta_slots_of(s)[slot];
    uint32_t sent = held->sent + 1u;

    unqueue(s, slot);
    if (sent == NEWS_LEVELS || (sent < RUMOUR_LEVEL && sent >= limit_of(s, slot)))
        return false;
    held->sent = (uint8_t)sent;
    list_push_tail(&meta_news_of(s)[sent], meta_links(s), slot);
    s->meta_news_count++;
    return true;
}

void meta_news_overheard(struct swim *s, uint32_t slot)
{
    if (!is_queued(s, slot) || meta_slots_of(s)[slot].sent >= RUMOUR_LEVEL || parts_of(s, slot) > 1)
        return;
    charge(s, slot);
    gossip_follow_membership(s);
}

/* ---- Parts ---- */

static bool put_part(struct swim *s, struct writer *value, uint32_t slot, uint8_t number)
{
    const struct meta_slot *held = &meta_slots_of(s)[slot];
    uint8_t bytes[WIRE_META_PART];
    struct wire_meta_part part = {
        .id = members_of(s)[slot].record.id,
        .key = held->key,
        .size = held->size,
        .number = number,
        .bytes = bytes,
    };
    uint32_t size = wire_meta_part_size(held->size, number);

    if (writer_left(value) < WIRE_META_HEADER + size)
        return false;
    if (held->block)
        meta_store_read(s, held->block, (uint32_t)number * WIRE_META_PART, bytes, size);
    else
        memset(bytes, 0, size);
    s->stats.meta_sent++;
    return wire_write_meta(value, &part);
}

/* A version without its content is told as one part with zeros for bytes, the last one, unless that
 * is too short to be told from a content's. */
static uint8_t key_part(const struct swim *s, uint32_t slot)
{
    uint32_t parts = parts_of(s, slot);
    uint32_t last = wire_meta_part_size(meta_slots_of(s)[slot].size, (uint8_t)(parts - 1));

    return last >= META_KEY_ALONE_MIN || parts == 1 ? (uint8_t)(parts - 1) : (uint8_t)(parts - 2);
}

bool meta_news_put_parts(struct swim *s, struct writer *value, uint32_t slot, uint8_t *part)
{
    if (!meta_slots_of(s)[slot].block)
        return put_part(s, value, slot, key_part(s, slot));
    while (*part < parts_of(s, slot)) {
        if (!put_part(s, value, slot, *part))
            return false;
        ++*part;
    }
    return true;
}

/* ---- What a datagram takes along ---- */

/* The rest of what one datagram had no room for goes into the next. */
static void follow_up(struct swim *s, const struct intent *before, uint32_t slot, uint8_t part)
{
    struct intent *next = outbox_push(s, WIRE_GOSSIP, before->peer, &before->to);

    if (!next)
        return;
    next->meta = slot;
    next->meta_part = part;
}

/* The peer knows that of itself. */
static bool is_idle_talk(const struct swim *s, const struct intent *intent, uint32_t slot)
{
    return members_of(s)[slot].record.id == intent->peer_id;
}

/* ... and nobody else can be told. */
static bool is_alone(const struct swim *s)
{
    return s->proved_live == 1 || live_count(s) - s->plain_live == 1;
}

/* One of the queue. What fits into no datagram beside the entries gets one of its own: one for each
 * that goes out. False when it has to wait. */
static bool write_one(struct swim *s, struct writer *value, const struct intent *intent,
                      uint32_t slot)
{
    uint8_t part = 0;

    if (meta_news_put_parts(s, value, slot, &part))
        return true;
    if (part == 0 && (intent->kind != WIRE_GOSSIP || writer_size(value) > 0))
        return false;
    follow_up(s, intent, slot, part);
    return true;
}

static bool is_large(const struct swim *s, uint32_t slot)
{
    return parts_of(s, slot) > 1;
}

/* Not even an empty name fits. */
static bool is_full(const struct writer *value)
{
    return writer_left(value) <= WIRE_META_HEADER;
}

/* Writes from the first `looks` of one list. Returns how many went on to the next list. */
static uint32_t write_level(struct swim *s, struct writer *value, const struct intent *intent,
                            uint32_t level, uint32_t looks)
{
    uint32_t moved = 0;
    uint32_t slot = meta_news_of(s)[level].head;

    for (; looks && slot && !is_full(value); looks--) {
        uint32_t next = meta_links(s)[slot].next;

        if (level < RUMOUR_LEVEL && level >= limit_of(s, slot)) {
            unqueue(s, slot); /* the cluster has shrunk */
        } else if (is_idle_talk(s, intent, slot)) {
            if (is_alone(s))
                moved += charge(s, slot);
        } else if (is_large(s, slot) && intent->kind != WIRE_GOSSIP) {
            /* waits for a round of gossip */
        } else if (write_one(s, value, intent, slot)) {
            moved += charge(s, slot);
        }
        slot = next;
    }
    return moved;
}

static void write_queue(struct swim *s, struct writer *value, const struct intent *intent)
{
    uint32_t moved = 0;

    /* What a list has just received from the one before it is not looked at again. */
    for (uint32_t level = 0; level < NEWS_LEVELS && s->meta_news_count && !is_full(value);
         level++) {
        uint32_t looks = meta_news_of(s)[level].count - moved;

        moved = write_level(s, value, intent, level, looks < LOOKS_MAX ? looks : LOOKS_MAX);
    }
}

static void write_rest(struct swim *s, struct writer *value, const struct intent *intent)
{
    uint8_t part = intent->meta_part;

    if (!has_meta(&members_of(s)[intent->meta]) || !meta_slots_of(s)[intent->meta].block)
        return; /* forgotten meanwhile */
    if (!meta_news_put_parts(s, value, intent->meta, &part) && part > intent->meta_part)
        follow_up(s, intent, intent->meta, part);
}

uint32_t meta_news_write(struct swim *s, struct wire_builder *b, const struct intent *intent,
                         size_t reserve)
{
    uint8_t bytes[SWIM_DATAGRAM_MAX];
    struct writer value = writer_of(bytes, wire_record_room(b, reserve));
    uint64_t before = s->stats.meta_sent;

    if (intent->meta)
        write_rest(s, &value, intent);
    else if (s->meta_news_count)
        write_queue(s, &value, intent);
    if (writer_size(&value))
        wire_put_record(b, WIRE_EXT_META, bytes, (uint16_t)writer_size(&value));
    gossip_follow_membership(s);
    return (uint32_t)(s->stats.meta_sent - before);
}
