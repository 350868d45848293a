/*
 * A datagram comes in: decoded, its sender heard, its entries merged, its request answered, in
 * this order, so that an answer already knows what the question told. docs/protocol.md
 * sections 1, 4 to 9.
 */
#include "core/accusation.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/instance.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/outbox.h"
#include "core/ping.h"
#include "core/probe.h"
#include "core/proof.h"
#include "core/relay.h"
#include "core/reliable.h"
#include "core/stranger.h"
#include "core/suspicion.h"
#include "core/sync.h"

static enum swim_error drop(struct swim *s, enum swim_error error)
{
    uint64_t *const counters[] = {
        [SWIM_DROP_SHORT] = &s->stats.drop_short,
        [SWIM_DROP_VERSION] = &s->stats.drop_version,
        [SWIM_DROP_LENGTH] = &s->stats.drop_length,
        [SWIM_DROP_CHECKSUM] = &s->stats.drop_checksum,
        [SWIM_DROP_KIND] = &s->stats.drop_kind,
        [SWIM_DROP_PAYLOAD] = &s->stats.drop_payload,
        [SWIM_DROP_SELF] = &s->stats.drop_self,
        [SWIM_DROP_LEFT] = &s->stats.drop_left,
        [SWIM_DROP_CLUSTER] = &s->stats.drop_cluster,
        [SWIM_DROP_UNPROVED] = &s->stats.drop_unproved,
    };

    ASSERT(error > SWIM_OK && error < sizeof counters / sizeof *counters);
    ++*counters[error];
    return error;
}

static void count_received(struct swim *s, uint8_t kind, size_t size)
{
    s->stats.datagrams_recv++;
    switch (kind) {
    case WIRE_GOSSIP: s->stats.gossip_recv++; break;
    case WIRE_PING: s->stats.pings_recv++; break;
    case WIRE_ACK: s->stats.acks_recv++; break;
    case WIRE_PING_REQ: s->stats.ping_reqs_recv++; break;
    case WIRE_NACK: s->stats.nacks_recv++; break;
    case WIRE_ANTI_ENTROPY:
    case WIRE_SYNC:
        s->stats.sync_chunks_recv++;
        s->stats.sync_bytes_recv += size;
        break;
    default: break;
    }
}

/* Worth it from a few entries on, in a table that the caches of a core may not hold. */
enum {
    PREFETCH_ENTRIES = 4,
    PREFETCH_MEMBERS = 2048,
    ENTRIES_MAX = 1448 / WIRE_ENTRY4_SIZE,
    IDS_MAX = ENTRIES_MAX + 16, /* and as many accusations as members put into one datagram */
};

/* The next entry's id; false at the end. */
static bool next_id(struct reader *entries, uint64_t *ret)
{
    const uint8_t *at = wire_next_entry4(entries);
    struct wire_entry other;

    if (!at && !wire_next_other_entry(entries, &other))
        return false;
    *ret = at ? load_u64(at) : other.id;
    return true;
}

static void prefetch(const struct swim *s, const struct wire_datagram *dg)
{
    uint32_t heads[IDS_MAX];
    struct reader suspicions = {0};
    struct wire_suspicion suspicion;
    struct reader entries = dg->entries;
    uint64_t id;
    uint32_t count = 0;

    if (dg->entry_count + dg->suspicions_size / WIRE_SUSPICION_SIZE < PREFETCH_ENTRIES ||
        s->slots_used < PREFETCH_MEMBERS)
        return;
    while (count < ENTRIES_MAX && next_id(&entries, &id))
        heads[count++] = member_prefetch_head(s, id);
    if (dg->suspicions)
        suspicions = reader_of(dg->suspicions, dg->suspicions_size);
    while (count < IDS_MAX && wire_next_suspicion(&suspicions, &suspicion))
        heads[count++] = member_prefetch_head(s, suspicion.target);
    member_prefetch(s, heads, count);
}

static void hear_entries(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct reader entries = dg->entries;
    struct record heard;

    prefetch(s, dg);
    while (claim_next_entry(&entries, &heard)) {
        if (heard.id == dg->header.sender_id || heard.status == WIRE_STATUS_CLUSTER)
            continue; /* its header has said so, and claim_hear_sender has judged it */
        probe_hear_entry(s, &heard, source);
        claim_hear_entry(s, &heard, source);
    }
}

/* A first word from a member that knows few: the whole table, at once. One that says in its view
 * that it knows about as many as we do needs no more than the usual comparison. */
static bool is_newcomer(const struct swim *s, const struct wire_datagram *dg,
                        const struct source *source)
{
    uint32_t n = cluster_size(s);

    if (!source->heard_new || !source->slot)
        return false;
    return !dg->has_view || (dg->view_count <= n / 2 && dg->view_count + 1 < n);
}

static void acknowledge(struct swim *s, const struct wire_datagram *dg, struct source *source,
                        bool is_pushed)
{
    struct intent *ack = outbox_push_ack(s, source, dg->header.capabilities & WIRE_CAPABLE);

    if (!ack)
        return;
    ack->no_news = is_pushed;
    ack->has_sequence = dg->header.kind == WIRE_PING && dg->has_probe;
    ack->sequence = dg->probe_sequence;
    ack->echo = dg->challenge;
}

/* The peer does not know us, and our PING left no room to ask who we are: it is given some. */
static void introduce_again(struct swim *s, struct source *source)
{
    struct intent *ping;

    if (!outbox_may_correct(s, source->slot))
        return;
    ping = outbox_reply(s, WIRE_PING, source);
    if (!ping)
        return;
    ping->no_news = ping->is_padded = true;
    stranger_expect(s, &source->addr);
}

/* A peer asks us to prove our address, in its answer to a PING of ours. While few have proved
 * theirs to us, or this one does not know us (it says nothing of its view) or knows what we don't,
 * that is done at once, and asked in return. Else it is done in passing, when it probes us. */
static void meet_challenge(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    bool is_urgent = !dg->has_view || dg->view_digest != s->digest || proof_is_wanted(s);
    struct intent *ping;

    if (!source->slot || !(dg->header.capabilities & WIRE_CAPABLE) || s->leaving)
        return;
    if (dg->has_token && !dg->challenge && !dg->echo)
        introduce_again(s, source);
    if (!dg->challenge || !is_urgent)
        return;
    /* What it did not hear may have been no PING: news, or a request. */
    if (source->is_proved && !dg->has_view && !stranger_is_expected(s, &source->addr))
        stranger_expect(s, &source->addr);
    if (!stranger_may_reply(s, source))
        return;
    ping = outbox_reply(s, WIRE_PING, source);
    if (!ping)
        return;
    ping->echo = dg->challenge;
    ping->no_news = true;
}

static void hear_ack(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    probe_hear_ack(s, dg, source);
    ping_hear_ack(s, dg, source);
    if (source->slot)
        relay_hear_ack(s, dg, source);
    reliable_hear_ack(s, dg);
    meet_challenge(s, dg, source);
    /* Plain peers become members by their first ACK (section 10). */
    if (!(dg->header.capabilities & WIRE_CAPABLE) && is_newcomer(s, dg, source))
        (void)sync_push(s, source);
}

/* What each kind asks for, beyond what it tells. */
static void answer(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    bool wants_ack = dg->header.flags & WIRE_FLAG_REQUEST_ACK;

    switch (dg->header.kind) {
    case WIRE_PING:
        acknowledge(s, dg, source, is_newcomer(s, dg, source) && sync_push(s, source));
        return;
    case WIRE_PING_REQ: relay_hear_request(s, dg, source); return;
    case WIRE_ACK: hear_ack(s, dg, source); return;
    case WIRE_LEAVE: leave_hear(s, dg, source); break;
    case WIRE_NACK: probe_hear_nack(s, dg); return;
    case WIRE_SYNC: sync_hear(s, dg, source); break;
    default: break;
    }
    if (wants_ack)
        acknowledge(s, dg, source, false);
}

/* Section 1: all checks that look at nothing but the datagram and ourselves. */
static enum swim_error examine(const struct swim *s, const void *data, size_t size,
                               struct wire_datagram *ret)
{
    enum swim_error error;

    error = size > SWIM_RECEIVE_MAX ? SWIM_DROP_SHORT : wire_decode(data, size, ret);
    if (error)
        return error;
    if (ret->header.sender_id == 0 || ret->header.sender_id == self_of(s)->record.id)
        return SWIM_DROP_SELF;
    if (ret->header.kind == WIRE_SYNC && !sync_is_wellformed(ret))
        return SWIM_DROP_PAYLOAD;
    if (s->leaving && ret->header.kind != WIRE_ACK)
        return SWIM_DROP_LEFT;
    return SWIM_OK;
}

static void hear(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    bool is_late = proof_is_late(s, dg, source);

    count_received(s, dg->header.kind, source->size);
    source->is_sync = sync_is_reply(s, dg);
    source->is_settling = dg->header.kind == WIRE_ANTI_ENTROPY && sync_is_settling(s);
    if (dg->header.kind == WIRE_ANTI_ENTROPY)
        s->push_heard = s->now;
    claim_hear_sender(s, dg, source);
    proof_note(s, source);
    if (!is_late) {
        hear_entries(s, dg, source);
        accusation_hear(s, dg, source);
        meta_hear(s, dg, source);
    }
    if (!member_holds(s, source->slot, dg->header.sender_id))
        source->slot = 0; /* its own entries may have cost a sender its tombstone */
    if (source->slot)
        suspicion_note_heard(s);
    sync_hear_view(s, dg, source);
    answer(s, dg, source);
}

static enum swim_error receive(struct swim *s, const struct swim_addr *from,
                               const struct wire_datagram *dg, size_t size, bool is_repeatable)
{
    struct source source = {.addr = addr_fold(from), .size = (uint32_t)size};
    bool is_admitted = proof_admits(s, dg, &source, is_repeatable);
    enum swim_error error;

    if (s->leaving) { /* an ACK */
        if (!is_admitted)
            return SWIM_DROP_UNPROVED;
        reliable_hear_ack(s, dg);
        count_received(s, dg->header.kind, source.size);
        return SWIM_OK;
    }
    error = stranger_check_cluster(s, dg, &source);
    if (error)
        return error;
    if (!is_admitted) {
        stranger_answer(s, dg, &source);
        return SWIM_DROP_UNPROVED;
    }
    hear(s, dg, &source);
    return SWIM_OK;
}

static enum swim_error take(struct swim *s, swim_time now, const struct swim_addr *from,
                            const void *data, size_t size, bool is_repeatable)
{
    struct wire_datagram dg;
    enum swim_error error;

    ASSERT(s && from && (data || size == 0));
    clock_enter(s, now);
    s->stats.bytes_recv += size;
    error = examine(s, data, size, &dg);
    if (!error)
        error = receive(s, from, &dg, size, is_repeatable);
    return error ? drop(s, error) : SWIM_OK;
}

enum swim_error swim_receive(struct swim *s, swim_time now, const struct swim_addr *from,
                             const void *data, size_t size)
{
    return take(s, now, from, data, size, false);
}

enum swim_error swim_receive_unproved(struct swim *s, swim_time now, const struct swim_addr *from,
                                      const void *data, size_t size)
{
    return take(s, now, from, data, size, true);
}

const char *swim_error_name(enum swim_error error)
{
    static const char *const names[] = {"ok",       "short",   "version", "length",
                                        "checksum", "kind",    "payload", "self",
                                        "left",     "cluster", "unproved"};

    return (unsigned)error < sizeof names / sizeof *names ? names[error] : "unknown";
}
