/* Anti-entropy, the deciding half: when to ask, what to answer. See sync.h; job.c sends. */
#include "core/sync.h"

#include "base/hash.h"
#include "core/clock.h"
#include "core/gossip.h"
#include "core/job.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/sync_sketch.h"

#include <string.h>

/* How long a newcomer takes what a full push tells it for known to everybody else. */
static const swim_time SETTLING = 3000 * SWIM_MS;
/* A reply that takes longer than this is merged like any other, but not returned to. */
static const swim_time SESSION_LIFE = 5000 * SWIM_MS;
enum { MEMBERS_PER_BUCKET = 4, PLAIN_DRAWS = 16, GAP_MIN = 8 };
/* Each synchronisation without agreement with anybody doubles the distance to the next, up to
 * 32 times: views that never can agree must not cost more and more. One whose reply never came to
 * its end was most likely lost, which is no sign of such views: it brings it to twice at most. */
enum { SYNC_FAILURES_MAX = 5, SYNC_LOSSES_MAX = 1 };

swim_time sync_settling_time(const struct swim *s)
{
    return ms(s->config.gossip_interval_ms) * (ceil_log2(cluster_size(s) + 1) / 2 + 2);
}

bool sync_is_settling(const struct swim *s)
{
    return s->now < s->settled_at;
}

static bool is_off(const struct swim *s)
{
    return s->config.anti_entropy_interval_ms == 0 || s->leaving;
}

void sync_follow_membership(struct swim *s)
{
    if (live_count(s) == 0)
        s->settled_at = SWIM_NEVER;
    else if (s->settled_at == SWIM_NEVER)
        s->settled_at = s->now + SETTLING;

    if (s->plain_live == 0 || is_off(s))
        timer_stop(s, TIMER_SYNC);
    else if (!timer_is_on(s, TIMER_SYNC))
        timer_start(s, TIMER_SYNC, ms(s->config.anti_entropy_interval_ms));
}

/* ---- Full pushes ---- */

/* An echo, and our cluster's tag, go into each datagram of a push: whichever arrives first opens the
 * door to the rest. */
enum { ECHO_SIZE = 2 + 3 + 16 + 3 + 8 };

uint32_t sync_datagram_max(const struct swim *s)
{
    return WIRE_SYNC_DATAGRAM_MAX - (SWIM_DATAGRAM_MAX - s->config.datagram_max);
}

/* Chunks that all live members fit into, whatever their order. */
static uint16_t chunks_needed(const struct swim *s, bool has_echo)
{
    uint32_t n = cluster_size(s);
    uint32_t room = sync_datagram_max(s) - WIRE_HEADER_SIZE - WIRE_CHUNK_HEADER_SIZE -
                    (has_echo ? ECHO_SIZE : 0);
    uint32_t bytes = n * WIRE_ENTRY4_SIZE + s->live_v6 * (WIRE_ENTRY6_SIZE - WIRE_ENTRY4_SIZE);
    uint32_t used = room - WIRE_ENTRY6_SIZE + 1; /* of each, at least, when both kinds mix */

    if (s->live_v6 == 0)
        used = room / WIRE_ENTRY4_SIZE * WIRE_ENTRY4_SIZE;
    else if (s->live_v6 == n)
        used = room / WIRE_ENTRY6_SIZE * WIRE_ENTRY6_SIZE;
    return (uint16_t)((bytes + used - 1) / used);
}

bool sync_push(struct swim *s, const struct source *source)
{
    static const struct walk everybody = {.mask = {1}}; /* of one bucket */
    struct job *job = NULL;

    if (source->is_proved)
        job = job_start(s, JOB_PUSH, source, &everybody);
    if (!job)
        return false;
    job->table_version = ++s->table_version;
    job->echo = job->extended ? source->challenge : 0;
    job->chunk_count = chunks_needed(s, job->echo);
    s->stats.syncs_started++;
    return true;
}

void sync_push_periodic(struct swim *s)
{
    timer_stop(s, TIMER_SYNC);
    for (unsigned draw = 0; s->plain_live && draw < PLAIN_DRAWS; draw++) {
        uint32_t slot = live_of(s)[1 + prng_below(&s->prng, live_count(s))];
        const struct member *m = member_at(s, slot);
        struct source peer = {.slot = slot, .addr = m->record.addr, .is_proved = true};

        if (!is_plain(m) || !(m->flags & MEMBER_PROVED))
            continue;
        sync_push(s, &peer);
        break;
    }
    sync_follow_membership(s);
}

/* ---- Views ---- */

/* By how much the numbers of live members differ: so many are missing on one side at least. */
static uint32_t gap_to(const struct swim *s, const struct wire_datagram *dg)
{
    uint32_t n = cluster_size(s);
    uint32_t theirs = dg->has_view ? dg->view_count : n;

    return theirs > n ? theirs - n : n - theirs;
}

/* More is missing on one side than the news under way can account for: tables that have grown
 * apart, or a start of many at once. No need to wait for quiet. */
static bool is_far_apart(const struct swim *s, uint32_t gap)
{
    return gap > GAP_MIN && gap > cluster_size(s) / 8;
}

/* Different for longer than dissemination takes: we have heard no news for so long; or there is
 * always some news, and yet nobody has agreed with us for twice as long. */
static bool is_overdue(const struct swim *s)
{
    swim_time settling = sync_settling_time(s);

    return s->now - s->view_changed >= settling || s->now - s->differs_since >= 2 * settling;
}

/* `slot`, unless there is a member whose names and tags nobody else seems to have. */
static uint32_t partner(struct swim *s, uint32_t slot)
{
    uint32_t wanted = s->meta_wanted;

    if (!wanted || s->now < s->sync_allowed)
        return slot;
    s->meta_wanted = 0;
    return is_live(member_at(s, wanted)) ? wanted : slot;
}

void sync_hear_view(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    bool is_first_contact;

    /* That of a SYNC is about to change by what it brings: asking back would double the work. */
    if (!dg->has_view || dg->header.kind == WIRE_SYNC || !source->slot ||
        !is_live(member_at(s, source->slot)))
        return;
    if (dg->view_digest == s->digest) {
        s->stats.digests_equal++;
        s->differs_since = SWIM_NEVER;
        s->sync_failures = 0;
        gossip_agreed(s);
        if (s->sync_allowed > s->now + sync_settling_time(s))
            s->sync_allowed = s->now + sync_settling_time(s); /* the back-off ends with its cause */
        return;
    }
    s->stats.digests_different++;
    if (s->differs_since == SWIM_NEVER)
        s->differs_since = s->now;
    /* Two clusters that meet need not wait; a newcomer with an empty table is being sent one. */
    is_first_contact =
        source->heard_new && dg->header.kind == WIRE_ACK && dg->view_count > 2 && live_count(s) > 1;
    if (is_first_contact || is_far_apart(s, gap_to(s, dg)) || is_overdue(s))
        sync_ask(s, partner(s, source->slot));
}

/* ---- Bucket digests ---- */

/* The digest of bucket `bucket` of 2^bits: as many of the finest buckets as fall into it. */
static uint32_t folded_digest(const struct swim *s, unsigned bits, uint32_t bucket)
{
    uint32_t digest = 0;

    for (uint32_t i = bucket; i < BUCKETS_MAX; i += 1u << bits)
        digest ^= s->bucket_digest[i];
    return digest;
}

static uint16_t value_size(uint8_t phase, unsigned bits)
{
    unsigned content = 0;

    if (phase == SYNC_REQUEST)
        content = 4u << bits;
    else if (phase == SYNC_REPLY)
        content = sync_mask_size(bits);
    return (uint16_t)(SYNC_VALUE_HEADER + content);
}

bool sync_is_wellformed(const struct wire_datagram *dg)
{
    const uint8_t *value = dg->buckets;

    if (!value || dg->buckets_size < SYNC_VALUE_HEADER || value[1] > BUCKET_BITS_MAX)
        return false;
    if (value[0] >= SYNC_SKETCH && value[0] <= SYNC_WANT)
        return sync_is_sketch_size(value[0], value[1], dg->buckets_size);
    return value[0] >= SYNC_REQUEST && value[0] <= SYNC_RETURN &&
           dg->buckets_size == value_size(value[0], value[1]);
}

void sync_write_request(struct swim *s, struct wire_builder *b)
{
    uint8_t value[SYNC_VALUE_HEADER + 4 * BUCKETS_MAX];
    struct writer w = writer_of(value, sizeof value);
    unsigned bits = s->session.bits;

    write_u8(&w, SYNC_REQUEST);
    write_u8(&w, (uint8_t)bits);
    write_u8(&w, 1);
    for (uint32_t i = 0; i < 1u << bits; i++)
        write_u32(&w, folded_digest(s, bits, i));
    wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)writer_size(&w));
}

bool sync_can_mend(const struct swim *s)
{
    /* A full table can't come to agree with anybody. */
    return !is_off(s) && s->plain_live == 0 && s->slots_used < s->config.members_max;
}

static bool ask(struct swim *s, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    uint32_t bits = ceil_log2(cluster_size(s) / MEMBERS_PER_BUCKET + 1);

    if (is_off(s) || !(m->flags & MEMBER_CAPABLE) || !(m->flags & MEMBER_PROVED) ||
        s->slots_used == s->config.members_max)
        return false;
    if (!outbox_push(s, WIRE_SYNC, slot, &m->record.addr))
        return false;
    s->session.peer_id = m->record.id;
    s->session.started = s->now;
    s->session.bits = (uint8_t)(bits < BUCKET_BITS_MAX ? bits : BUCKET_BITS_MAX);
    s->session.owed = 1;
    s->session.looks = 0;
    if (++s->session.number == 0)
        s->session.number = 1;
    s->stats.syncs_started++;
    return true;
}

void sync_ask(struct swim *s, uint32_t slot)
{
    bool is_lost = s->session.owed;

    if (s->now < s->sync_allowed || !ask(s, slot))
        return;
    s->sync_allowed = s->now + (sync_settling_time(s) << s->sync_failures);
    if (s->sync_failures < (is_lost ? SYNC_LOSSES_MAX : SYNC_FAILURES_MAX))
        s->sync_failures++;
}

/* The next datagram of it may be on its way. */
static bool is_push_coming(const struct swim *s)
{
    return s->now - s->push_heard < ms(s->config.gossip_interval_ms);
}

void sync_mend(struct swim *s, uint32_t slot)
{
    swim_time reply_time = ms(s->config.gossip_interval_ms) + chunks_needed(s, false) * JOB_PACE;

    if ((s->session.owed && s->now - s->session.started < reply_time) || is_push_coming(s))
        return;
    if (ask(s, slot) && s->sync_allowed < s->now + sync_settling_time(s))
        s->sync_allowed = s->now + sync_settling_time(s);
}

void sync_retry(struct swim *s, uint32_t slot)
{
    if (s->differs_since != SWIM_NEVER && is_overdue(s))
        sync_ask(s, slot);
}

static void hear_request(struct swim *s, const struct wire_datagram *dg,
                         const struct source *source)
{
    unsigned bits = dg->buckets[1];
    struct reader digests = reader_of(dg->buckets + SYNC_VALUE_HEADER, 4u << bits);
    struct walk differ = {.bits = (uint8_t)bits};
    uint32_t different = 0;

    for (uint32_t i = 0; i < 1u << bits; i++) {
        if (read_u32(&digests) == folded_digest(s, bits, i))
            continue;
        differ.mask[i / 8] |= (uint8_t)(1u << i % 8);
        different++;
    }
    if (different && !job_is_under_way(s, JOB_REPLY, &source->addr) &&
        !job_is_under_way(s, JOB_SKETCH, &source->addr))
        sync_reply(s, source, &differ, sync_density(different, bits, gap_to(s, dg)));
}

static void hear_reply(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    bool is_last = dg->buckets[2];
    struct walk differ = {.bits = dg->buckets[1]};
    struct job *job;

    if (!is_last || !source->is_sync)
        return;
    s->session.owed--;
    memcpy(differ.mask, dg->buckets + SYNC_VALUE_HEADER, sync_mask_size(differ.bits));
    job = job_start(s, JOB_RETURN, source, &differ);
    if (job)
        job->skip_synced = s->session.number;
}

bool sync_is_in_session(const struct swim *s, const struct wire_datagram *dg)
{
    return s->session.peer_id == dg->header.sender_id &&
           s->now - s->session.started <= SESSION_LIFE;
}

bool sync_is_reply(const struct swim *s, const struct wire_datagram *dg)
{
    return dg->header.kind == WIRE_SYNC && dg->buckets[0] == SYNC_REPLY && s->session.owed &&
           sync_is_in_session(s, dg);
}

void sync_hear(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    if (!source->slot || !source->is_proved || !is_live(member_at(s, source->slot)) || is_off(s))
        return;
    switch (dg->buckets[0]) {
    case SYNC_REQUEST: hear_request(s, dg, source); break;
    case SYNC_REPLY: hear_reply(s, dg, source); break;
    case SYNC_SKETCH: sync_hear_sketch(s, dg, source); break;
    case SYNC_AGAIN: sync_hear_again(s, dg, source); break;
    case SYNC_WANT: sync_hear_want(s, dg, source); break;
    default: break; /* a return asks for nothing */
    }
}

void sync_note_equal(struct swim *s, uint32_t slot, const struct record *heard)
{
    struct member *m = member_at(s, slot);

    if (is_live(m) && heard->incarnation == m->record.incarnation &&
        addr_equal(&heard->addr, &m->record.addr))
        m->synced = s->session.number;
}
