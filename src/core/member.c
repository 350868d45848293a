/*
 * The member table. docs/protocol.md sections 4 and 8 (digest).
 */
#include "core/member.h"

#include "base/bytes.h"
#include "base/hash.h"
#include "base/inline.h"
#include "core/live.h"

#include <string.h>

/* Many members may be at one address, and their ports at regular distances: 2^32 divided by the golden
 * ratio spreads them. */
static inline uint32_t mixed_port(uint16_t port)
{
    return port * UINT32_C(0x9E3779B1) >> 16;
}

/* For the index alone, and of less work than addr_hash, which goes over the wire. What is hashed here is
 * a part of that one, so that a newcomer's IPv4 address is hashed once for both. */
static inline uint64_t hash_addr(const struct swim_addr *addr)
{
    uint64_t hash = hash_u64(load_u64(addr->ip) + HASH_GOLDEN) ^ mixed_port(addr->port);

    return LIKELY(addr->family == 4) ? hash : hash_combine(hash, load_u64(addr->ip + 8));
}

static inline struct index_view ids_of(const struct swim *s)
{
    struct swim *mutable = (struct swim *)(uintptr_t)s;

    return (struct index_view){&mutable->by_id, id_heads(s), next_by_id(s)};
}

static inline struct index_view addrs_of(const struct swim *s)
{
    struct swim *mutable = (struct swim *)(uintptr_t)s;

    return (struct index_view){&mutable->by_addr, addr_heads(s), next_by_addr(s)};
}

/* Growing is apart, so that who comes without it does not save registers for it. */
NOINLINE static void ids_grow(struct swim *s)
{
    const struct index_view ids = ids_of(s);
    struct index_split split = index_grow(&ids);

    while (split.slot)
        index_place(&ids, &split, hash_u64(members_of(s)[split.slot].record.id));
}

static inline void ids_insert(struct swim *s, uint64_t hash, uint32_t slot)
{
    const struct index_view ids = ids_of(s);

    if (index_insert(&ids, hash, slot))
        ids_grow(s);
}

NOINLINE static void addrs_grow(struct swim *s)
{
    const struct index_view addrs = addrs_of(s);
    struct index_split split = index_grow(&addrs);

    while (split.slot)
        index_place(&addrs, &split, hash_addr(&members_of(s)[split.slot].record.addr));
}

static inline void addrs_insert(struct swim *s, uint64_t hash, uint32_t slot)
{
    const struct index_view addrs = addrs_of(s);

    if (index_insert(&addrs, hash, slot))
        addrs_grow(s);
}

uint32_t member_find(const struct swim *s, uint64_t id)
{
    uint32_t slot = id_heads(s)[index_bucket(&s->by_id, hash_u64(id))];

    while (slot && members_of(s)[slot].record.id != id)
        slot = next_by_id(s)[slot];
    return slot;
}

#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

uint32_t member_prefetch_head(const struct swim *s, uint64_t id)
{
    uint32_t head = index_bucket(&s->by_id, hash_u64(id));

    PREFETCH(&id_heads(s)[head]);
    return head;
}

void member_prefetch(const struct swim *s, const uint32_t *heads, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = id_heads(s)[heads[i]];

        PREFETCH(&members_of(s)[slot]);
        PREFETCH((const uint8_t *)&members_of(s)[slot] + 64);
        PREFETCH(&next_by_id(s)[slot]);
    }
}

uint32_t member_find_addr_except(const struct swim *s, const struct swim_addr *addr,
                                 uint32_t except)
{
    uint32_t slot = addr_heads(s)[index_bucket(&s->by_addr, hash_addr(addr))];

    while (slot && (slot == except || !addr_equal(&members_of(s)[slot].record.addr, addr)))
        slot = next_by_addr(s)[slot];
    return slot;
}

uint32_t member_find_addr(const struct swim *s, const struct swim_addr *addr)
{
    return member_find_addr_except(s, addr, 0);
}

bool member_holds(const struct swim *s, uint32_t slot, uint64_t id)
{
    return slot != 0 && id != 0 && members_of(s)[slot].record.id == id;
}

/* ---- View digest ---- */

uint32_t member_bucket(uint64_t id)
{
    return (uint32_t)hash_u64(id) & (BUCKETS_MAX - 1);
}

/* `id_hash` is hash_u64(record->id). */
static inline uint64_t digest_record(const struct record *record, uint64_t id_hash)
{
    uint64_t life = LIKELY(record->incarnation == 0)
                        ? hash_combine(id_hash, 0) /* half of it is a constant */
                        : hash_combine(id_hash, record->incarnation);

    return hash_combine(life, addr_hash(&record->addr));
}

uint64_t member_digest(const struct record *record)
{
    return digest_record(record, hash_u64(record->id));
}

static inline uint64_t digest_slot(const struct swim *s, uint32_t slot, uint64_t id_hash)
{
    const struct member *m = &members_of(s)[slot];
    uint64_t digest = digest_record(&m->record, id_hash);
    const struct wire_meta_key *key;

    if (!has_meta(m))
        return digest;
    key = &meta_slots_of(s)[slot].key;
    digest = hash_combine(digest, (uint64_t)key->incarnation << 32 | key->version);
    return hash_combine(digest, key->digest);
}

uint64_t member_slot_digest(const struct swim *s, uint32_t slot)
{
    return digest_slot(s, slot, hash_u64(members_of(s)[slot].record.id));
}

/* `digest` enters the view's, or leaves it. */
static inline void digest_toggle(struct swim *s, uint64_t id_hash, uint64_t digest)
{
    s->digest ^= digest;
    s->bucket_digest[id_hash & (BUCKETS_MAX - 1)] ^= (uint32_t)digest;
    s->view_changed = s->now;
}

static void toggle_slot(struct swim *s, uint32_t slot)
{
    uint64_t id_hash = hash_u64(members_of(s)[slot].record.id);

    digest_toggle(s, id_hash, digest_slot(s, slot, id_hash));
}

static void set_has_meta(struct member *m, bool has)
{
    m->flags = (uint16_t)(has ? m->flags | MEMBER_META : m->flags & ~MEMBER_META);
}

void member_set_meta(struct swim *s, uint32_t slot, const struct wire_meta_key *key)
{
    struct member *m = member_at(s, slot);

    if (is_live(m))
        toggle_slot(s, slot);
    set_has_meta(m, key != NULL);
    if (key)
        meta_slots_of(s)[slot].key = *key;
    if (is_live(m))
        toggle_slot(s, slot);
}

/* ---- Entering and leaving the structures that follow a record ---- */

static void unlink_record(struct swim *s, uint32_t slot)
{
    struct member *m = &members_of(s)[slot];
    struct index_view addrs = addrs_of(s);

    s->status_count[m->record.status] -= !(m->flags & MEMBER_PRUNED);
    if (is_terminal(m->record.status))
        return;
    toggle_slot(s, slot);
    s->live_v6 -= m->record.addr.family == 6;
    if (m->flags & MEMBER_AT_ADDR)
        index_remove(&addrs, hash_addr(&m->record.addr), slot);
    m->flags &= (uint16_t)~MEMBER_AT_ADDR;
}

/* `slot` lives: it is part of the view and, if its chain has room, in the index by address. All that is
 * hashed is hashed before anything is stored, so that it is loaded once. */
static ALWAYS_INLINE void link_live(struct swim *s, uint32_t slot, const struct record *record,
                                    uint64_t id_hash, uint64_t digest)
{
    struct member *m = &members_of(s)[slot];
    struct index_view addrs = addrs_of(s);
    uint64_t hash = hash_addr(&record->addr);
    bool is_v6 = record->addr.family == 6;

    digest_toggle(s, id_hash, digest);
    s->live_v6 += is_v6;
    if (slot == SELF || !index_has_room(&addrs, hash))
        return;
    m->flags |= MEMBER_AT_ADDR;
    addrs_insert(s, hash, slot);
}

static void link_record(struct swim *s, uint32_t slot)
{
    struct member *m = &members_of(s)[slot];
    uint64_t id_hash = hash_u64(m->record.id);

    s->status_count[m->record.status] += !(m->flags & MEMBER_PRUNED);
    if (!is_terminal(m->record.status))
        link_live(s, slot, &m->record, id_hash, digest_slot(s, slot, id_hash));
}

static void follow_live(struct swim *s, uint32_t slot, bool was_alive)
{
    struct member *m = &members_of(s)[slot];
    bool live = is_live(m);

    if (live && !m->place) {
        live_add(s, slot);
        s->plain_live += is_plain(m);
        s->proved_live += is_proved(m);
    } else if (!live && m->place) {
        live_remove(s, slot);
        s->plain_live -= is_plain(m);
        s->proved_live -= is_proved(m);
    } else if (live && was_alive != (m->record.status == SWIM_ALIVE)) {
        live_change_status(s, slot);
    }
}

/* ---- Slots ---- */

static uint32_t take_slot(struct swim *s)
{
    uint32_t slot = s->free_head;

    if (slot) {
        s->free_head = next_by_id(s)[slot];
        next_by_id(s)[slot] = 0;
    } else if (s->slots_high < s->config.members_max) {
        slot = ++s->slots_high;
    }
    if (slot)
        s->slots_used++;
    return slot;
}

/* An entry in the queue of events outlives its member, and is then the slot's next one's. */
static void wipe(struct member *m)
{
    uint16_t flags = m->flags & MEMBER_QUEUED;

    memset(m, 0, sizeof *m);
    m->flags = flags;
}

/* Field by field, as it was written a moment ago: loaded by 16 bytes, it would be waited for until all
 * that was stored before it is in the cache (claim_next_entry). */
static void write_record(struct record *to, const struct record *record)
{
    to->id = record->id;
    to->incarnation = record->incarnation;
    to->heartbeat = record->heartbeat;
    memcpy(to->addr.ip, record->addr.ip, 8);
    memcpy(to->addr.ip + 8, record->addr.ip + 8, 8);
    to->addr.port = record->addr.port;
    to->addr.family = record->addr.family;
    to->status = record->status;
}

uint32_t member_add_at(struct swim *s, const struct record *record, struct member_place place)
{
    const swim_time now = s->now;
    uint32_t slot;
    struct member *m;

    ASSERT(record->id != 0 && place.slot == 0);
    slot = place.passed < INDEX_CHAIN_MAX ? take_slot(s) : 0;
    if (!slot)
        return 0;
    m = &members_of(s)[slot]; /* blank: never used, or wiped by member_free */
    write_record(&m->record, record);
    m->clock_heartbeat = record->heartbeat;
    m->clock_at = m->changed = now;
    ids_insert(s, place.hash, slot);
    s->status_count[record->status]++;
    if (is_terminal(record->status))
        return slot;
    link_live(s, slot, record, place.hash, digest_record(record, place.hash));
    if (slot != SELF)
        live_add(s, slot);
    return slot;
}

uint32_t member_add(struct swim *s, const struct record *record)
{
    return member_add_at(s, record, member_seek(s, record->id));
}

void member_free(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);
    struct index_view ids = ids_of(s);

    ASSERT(slot != SELF && m->flags & MEMBER_FORGOTTEN);
    ASSERT(!is_linked(news_links(s), slot));
    ASSERT(!is_linked(grave_links(s), slot));
    index_remove(&ids, hash_u64(m->record.id), slot);
    wipe(m);
    next_by_id(s)[slot] = s->free_head;
    s->free_head = slot;
    s->slots_used--;
}

/* Neither the digest nor the address index can tell the two apart. */
static bool is_same_view(const struct record *a, const struct record *b)
{
    return !is_terminal(a->status) && !is_terminal(b->status) && a->incarnation == b->incarnation &&
           addr_equal(&a->addr, &b->addr);
}

void member_set(struct swim *s, uint32_t slot, const struct record *record)
{
    struct member *m = member_at(s, slot);
    bool was_alive = m->record.status == SWIM_ALIVE;

    ASSERT(m->record.id == record->id);
    ASSERT(m->record.status != SWIM_SUSPECT || record->status == SWIM_SUSPECT ||
           !doubts_of(s)[slot].place);
    if (m->record.status != record->status || m->flags & MEMBER_FORGOTTEN)
        m->changed = s->now;
    if (is_same_view(&m->record, record)) {
        s->status_count[m->record.status]--;
        s->status_count[record->status]++;
        m->record = *record;
    } else {
        if (m->flags & MEMBER_FORGOTTEN)
            m->flags &= (uint16_t)~MEMBER_FORGOTTEN;
        else
            unlink_record(s, slot);
        if (!is_terminal(record->status))
            m->flags &= (uint16_t)~MEMBER_PRUNED;
        m->record = *record;
        link_record(s, slot);
    }
    if (slot != SELF)
        follow_live(s, slot, was_alive);
}

void member_rename_self(struct swim *s, uint64_t id)
{
    struct member *m = self_of(s);
    struct index_view ids = ids_of(s);

    unlink_record(s, SELF);
    index_remove(&ids, hash_u64(m->record.id), SELF);
    m->record.id = id;
    ids_insert(s, hash_u64(id), SELF);
    link_record(s, SELF);
}

void member_forget(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);

    ASSERT(is_terminal(m->record.status) && !(m->flags & MEMBER_FORGOTTEN));
    unlink_record(s, slot);
    m->flags |= MEMBER_FORGOTTEN;
    m->flags &= (uint16_t) ~(MEMBER_PROVED | MEMBER_PRUNED | MEMBER_VIA);
}

void member_prune(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);

    ASSERT(is_terminal(m->record.status) && !(m->flags & (MEMBER_FORGOTTEN | MEMBER_PRUNED)));
    s->status_count[m->record.status]--;
    m->flags |= MEMBER_PRUNED;
}

void member_set_capable(struct swim *s, uint32_t slot, bool is_capable)
{
    struct member *m = member_at(s, slot);
    bool was_plain = is_plain(m);

    m->flags |= MEMBER_HEARD;
    m->flags = (uint16_t)(is_capable ? m->flags | MEMBER_CAPABLE : m->flags & ~MEMBER_CAPABLE);
    if (m->place && was_plain != is_plain(m))
        s->plain_live += was_plain ? UINT32_MAX : 1; /* one less, or one more */
}

void member_set_proved(struct swim *s, uint32_t slot, bool is_proved_now)
{
    struct member *m = member_at(s, slot);
    bool was_proved = is_proved(m);

    m->flags = (uint16_t)(is_proved_now ? m->flags | MEMBER_PROVED : m->flags & ~MEMBER_PROVED);
    if (m->place && was_proved != is_proved_now)
        s->proved_live += was_proved ? UINT32_MAX : 1; /* one less, or one more */
}

/* ---- Clocks ---- */

void member_guess_clock(struct swim *s, uint32_t slot, uint32_t heartbeat, bool is_new_life)
{
    struct member *m = member_at(s, slot);
    uint32_t guessed = heartbeat - (is_new_life ? 0 : member_last_word(m));

    m->clock_heartbeat = heartbeat;
    m->guessed = guessed < GUESSED_MAX ? guessed & GUESSED_MAX : GUESSED_MAX;
    m->clock_at = s->now;
}

uint32_t member_last_word(const struct member *m)
{
    return m->guessed == GUESSED_MAX ? 0 : m->clock_heartbeat - m->guessed;
}

uint32_t member_estimate(const struct swim *s, const struct member *m)
{
    uint64_t ticks = (s->now - m->clock_at) / ms(s->config.heartbeat_interval_ms);
    uint64_t estimate = m->clock_heartbeat + ticks;

    return estimate < UINT32_MAX ? (uint32_t)estimate : UINT32_MAX;
}

void member_set_rtt(struct swim *s, uint32_t slot, swim_time rtt)
{
    swim_time us = rtt / (SWIM_MS / 1000);

    us = us < RTT_MAX_US ? us : RTT_MAX_US;
    member_at(s, slot)->rtt_us = us ? us & RTT_MAX_US : 1;
}

/* ---- A whole table at once ---- */

/* What follows from a record but is not in it. */
static void swap_meta(struct swim *s, uint32_t a, uint32_t b)
{
    struct member *one = &members_of(s)[a];
    struct member *other = &members_of(s)[b];
    struct meta_slot before;
    bool had = has_meta(one);

    if (has_meta(one) || has_meta(other)) {
        before = meta_slots_of(s)[a];
        meta_slots_of(s)[a] = meta_slots_of(s)[b];
        meta_slots_of(s)[b] = before;
    }
    set_has_meta(one, has_meta(other));
    set_has_meta(other, had);
}

void member_swap_self(struct swim *s, uint32_t slot)
{
    struct index_view ids = ids_of(s);
    struct record *self = &self_of(s)->record;
    struct record *other = &member_at(s, slot)->record;
    const struct record before = *self;

    ASSERT(slot != SELF && is_live(member_at(s, slot)));
    index_remove(&ids, hash_u64(self->id), SELF);
    index_remove(&ids, hash_u64(other->id), slot);
    unlink_record(s, SELF);
    unlink_record(s, slot);
    *self = *other;
    *other = before;
    swap_meta(s, SELF, slot);
    link_record(s, SELF);
    link_record(s, slot);
    ids_insert(s, hash_u64(self->id), SELF);
    ids_insert(s, hash_u64(other->id), slot);
}

void member_copy_table(struct swim *s, const struct swim *from)
{
    size_t slots = (size_t)from->slots_high + 1;

    ASSERT(s->slots_used == 1 && s->config.members_max == from->config.members_max);
    memcpy(members_of(s), members_of(from), slots * sizeof(struct member));
    for (uint32_t slot = SELF; slot < slots; slot++) { /* contents: meta_take_over */
        members_of(s)[slot].flags &= (uint16_t)~MEMBER_QUEUED;
        if (has_meta(&members_of(s)[slot]))
            meta_slots_of(s)[slot] = (struct meta_slot){.key = meta_slots_of(from)[slot].key,
                                                        .size = meta_slots_of(from)[slot].size};
    }
    memcpy(next_by_id(s), next_by_id(from), slots * sizeof(uint32_t));
    memcpy(next_by_addr(s), next_by_addr(from), slots * sizeof(uint32_t));
    memcpy(id_heads(s), id_heads(from), from->by_id.buckets * sizeof(uint32_t));
    memcpy(addr_heads(s), addr_heads(from), from->by_addr.buckets * sizeof(uint32_t));
    live_copy(s, from);
    memcpy(s->status_count, from->status_count, sizeof s->status_count);
    memcpy(s->bucket_digest, from->bucket_digest, sizeof s->bucket_digest);
    s->digest = from->digest;
    s->slots_high = from->slots_high;
    s->free_head = from->free_head;
    s->slots_used = from->slots_used;
    s->by_id = from->by_id;
    s->by_addr = from->by_addr;
    s->plain_live = from->plain_live;
    s->proved_live = from->proved_live;
    s->live_v6 = from->live_v6;
}
