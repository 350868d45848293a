/* Writing datagrams: see transmit.h. docs/protocol.md sections 1, 2, 6 and 7. */
#include "core/transmit.h"

#include "core/accusation.h"
#include "core/clock.h"
#include "core/gossip.h"
#include "core/job.h"
#include "core/member.h"
#include "core/meta_news.h"
#include "core/outbox.h"
#include "core/proof.h"
#include "core/sync.h"

struct wire_header transmit_header(const struct swim *s, uint8_t kind)
{
    return (struct wire_header){
        .kind = kind,
        .capabilities = WIRE_CAPABLE,
        .sender_id = self_of(s)->record.id,
        .heartbeat = clock_heartbeat(s),
        .incarnation = self_of(s)->record.incarnation,
    };
}

/* Plain version 1 knows no fourth status and is told of a death. A peer that was never heard may
 * be either: it is told both, since plain version 1 skips an entry with a status it does not
 * know, and to a capable peer the death is then stale. */
static bool put_left(const struct swim *s, struct wire_builder *b, const struct intent *intent,
                     const struct wire_entry *left)
{
    struct wire_entry dead = *left;
    bool is_heard = member_holds(s, intent->peer, intent->peer_id) &&
                    member_at(s, intent->peer)->flags & MEMBER_HEARD;

    dead.status = SWIM_DEAD;
    if (is_heard)
        return wire_put_entry(b, &dead);
    if (wire_left(b) < 2 * wire_entry_size(&left->addr))
        return false;
    return wire_put_entry(b, left) && wire_put_entry(b, &dead);
}

static bool put_doubt(const struct swim *s, struct wire_builder *b, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    struct wire_entry doubt = {
        .id = m->record.id,
        .heartbeat = member_estimate(s, m),
        .incarnation = m->record.incarnation,
        .status = SWIM_SUSPECT,
        .addr = m->record.addr,
    };

    return wire_put_entry(b, &doubt);
}

bool transmit_put_anybody(const struct swim *s, struct wire_builder *b, const struct intent *intent,
                          uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    struct wire_entry entry = {
        .id = m->record.id,
        .heartbeat = m->record.heartbeat,
        .incarnation = m->record.incarnation,
        .status = m->record.status,
        .addr = m->record.addr,
    };

    if (slot == SELF)
        entry.heartbeat = clock_heartbeat(s);
    else if (m->flags & MEMBER_FORGOTTEN)
        return put_doubt(s, b, slot);
    else if (entry.status == SWIM_LEFT && !intent->extended)
        return put_left(s, b, intent, &entry);
    return wire_put_entry(b, &entry);
}

/* Does this datagram take along what there is to tell? A correction says no more than itself;
 * and news is not spent on a newcomer that gets all of it. */
static bool carries_news(const struct swim *s, const struct intent *intent)
{
    if (intent->no_news || !intent->is_proved || s->leaving)
        return false;
    return intent->kind == WIRE_PING || intent->kind == WIRE_ACK || intent->news_only;
}

static uint32_t news_max(const struct swim *s, const struct intent *intent)
{
    return intent->kind == WIRE_GOSSIP ? gossip_fanout(s) : s->config.piggyback_max;
}

/* The peer is asked to prove its address, and repeats what it asked us (section 10). Between those
 * who have both done so there is nothing to say. */
static void put_proof(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    bool asks = !intent->is_proved && !intent->no_challenge;
    uint64_t challenge = asks ? proof_token(s, &intent->to, intent->peer_id) : 0;

    if (intent->kind != WIRE_PING && intent->kind != WIRE_ACK)
        return;
    if ((challenge || intent->echo) && wire_put_token(b, challenge, intent->echo))
        s->stats.challenges_sent += challenge != 0;
    else if (challenge && intent->is_stranger)
        wire_put_record(b, WIRE_EXT_TOKEN, NULL, 0);
    if (s->cluster_tag && (challenge || intent->echo || intent->is_stranger))
        wire_put_cluster(b, s->cluster_tag);
}

/* What our own entry takes, where it has to go in front. */
static size_t own_size(const struct swim *s)
{
    return s->config.addr_in_probes ? wire_entry_size(&self_of(s)->record.addr) : 0;
}

static void put_view(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    enum { VIEW_SIZE = 15 };
    bool is_told = intent->kind == WIRE_SYNC || intent->kind == WIRE_PING ||
                   (intent->kind == WIRE_ACK && !intent->is_stranger);

    if (is_told && wire_left(b) >= VIEW_SIZE + own_size(s))
        wire_put_view(b, s->digest, cluster_size(s));
}

/* The answer may be no larger than what it answers: so there is room for a token, a tag and a probe
 * in it, and for our own entry in the answer to that. */
static void put_padding(const struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    enum { FIRST_WORD = 2 * WIRE_ENTRY4_SIZE };

    if (intent->is_padded)
        wire_put_padding(b, FIRST_WORD + own_size(s));
    else if (intent->is_stranger && intent->kind == WIRE_ACK && wire_left(b) > own_size(s))
        wire_put_padding(b, wire_left(b) - own_size(s));
}

/* What the entries behind the extension may take: they go first, but leave a quarter of the datagram
 * to names and tags, which would else wait for as long as there is other news. */
static size_t entries_reserve(const struct swim *s, const struct wire_builder *b,
                              const struct intent *intent)
{
    size_t each = s->live_v6 ? WIRE_ENTRY6_SIZE : WIRE_ENTRY4_SIZE;
    uint32_t news = news_max(s, intent);
    size_t size = own_size(s) + (size_t)intent->subject_count * WIRE_ENTRY6_SIZE;
    size_t most = wire_left(b) - wire_left(b) / 4;

    if (!intent->meta)
        size += each * (s->news_count < news ? s->news_count : news);
    return size < most ? size : most;
}

static uint32_t put_metas(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    bool is_rest = intent->meta && intent->is_proved && !s->leaving;

    if (!is_rest && (!s->meta_news_count || !carries_news(s, intent)))
        return 0;
    return meta_news_write(s, b, intent, entries_reserve(s, b, intent));
}

/* Extension records. Returns how many of them are news. */
static uint32_t put_records(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    uint32_t count = 0;

    if (!intent->extended)
        return 0;
    if (intent->has_sequence)
        wire_put_probe(b, intent->sequence);
    if (intent->has_on_behalf)
        wire_put_on_behalf(b, intent->on_behalf);
    put_proof(s, b, intent);
    if (carries_news(s, intent))
        count = accusation_write(s, b, intent, news_max(s, intent));
    put_view(s, b, intent);
    if (intent->kind == WIRE_SYNC)
        sync_write_request(s, b);
    count += put_metas(s, b, intent);
    put_padding(s, b, intent);
    return count;
}

/* What this destination is told besides the news. Who claims that a member lives which is dead
 * here is told of a doubt, not of the death: where both sides of a partition that has healed hold
 * the other for dead, each would else have its own members declared dead by the other. A doubt can
 * be dispelled by the living, and the dead are found by the one who doubts. */
static bool put_subject(const struct swim *s, struct wire_builder *b, const struct intent *intent,
                        uint32_t slot)
{
    bool is_dead = member_at(s, slot)->record.status == SWIM_DEAD;

    if (is_dead && member_at(s, slot)->record.id != intent->peer_id)
        return put_doubt(s, b, slot);
    return transmit_put_member(s, b, intent, slot);
}

/* Our own entry first, where the datagram's source may not be where we are reached, then what
 * this destination must be told. Returns the number of entries. */
static uint32_t put_subjects(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    uint32_t count = 0;

    if (s->config.addr_in_probes)
        count += transmit_put_member(s, b, intent, SELF);
    for (uint32_t i = 0; i < intent->subject_count; i++) {
        uint32_t slot = intent->subjects[i];

        if (members_of(s)[slot].record.id == 0 || (slot == SELF && s->config.addr_in_probes))
            continue;
        count += put_subject(s, b, intent, slot);
    }
    return count;
}

/* To those of whom nothing is known. What every decoder skips says which cluster this is, and makes
 * room for the answer: a challenge, and all that meets it (section 10). */
static void put_introduction(const struct swim *s, struct wire_builder *b,
                             const struct intent *intent)
{
    const struct wire_entry tag = {
        .id = s->cluster_tag, .status = WIRE_STATUS_CLUSTER, .addr = {.family = 4}};

    if (intent->kind != WIRE_PING || intent->extended || intent->is_proved || intent->is_stranger)
        return;
    wire_put_entry(b, &tag);
    wire_put_entry(b, &tag);
}

static uint32_t put_entries(struct swim *s, struct wire_builder *b, const struct intent *intent)
{
    uint32_t count = put_subjects(s, b, intent);

    put_introduction(s, b, intent);

    if (carries_news(s, intent))
        count += gossip_write(s, b, intent, news_max(s, intent));
    return count;
}

static void count_sent(struct swim *s, uint8_t kind, size_t size)
{
    switch (kind) {
    case WIRE_GOSSIP: s->stats.gossip_sent++; break;
    case WIRE_PING: s->stats.pings_sent++; break;
    case WIRE_ACK: s->stats.acks_sent++; break;
    case WIRE_PING_REQ: s->stats.ping_reqs_sent++; break;
    case WIRE_NACK: s->stats.nacks_sent++; break;
    case WIRE_SYNC:
        s->stats.anti_entropy_sent++;
        s->stats.sync_bytes_sent += size;
        break;
    default: break;
    }
}

/* Writes one datagram; 0 when it turned out that there is nothing to say. */
static size_t write_intent(struct swim *s, const struct intent *intent, void *buf)
{
    struct wire_header header = transmit_header(s, intent->kind);
    struct wire_builder b;
    uint32_t entries = 0;
    uint32_t accusations;
    size_t size;

    header.flags = intent->request_ack ? WIRE_FLAG_REQUEST_ACK : 0;
    wire_begin(&b, buf, intent->cap, &header);
    accusations = put_records(s, &b, intent);
    if (intent->kind == WIRE_PING_REQ)
        wire_put_target(&b, intent->target_id, &intent->target_addr);
    else if (intent->kind != WIRE_LEAVE && intent->kind != WIRE_SYNC && intent->kind != WIRE_NACK)
        entries = put_entries(s, &b, intent);
    if (intent->kind == WIRE_GOSSIP && accusations == 0 &&
        entries == (s->config.addr_in_probes ? 1u : 0u))
        return 0;
    size = wire_finish(&b);
    count_sent(s, intent->kind, size);
    return size;
}

size_t swim_transmit(struct swim *s, swim_time now, struct swim_addr *ret_to, void *buf, size_t cap)
{
    struct intent intent;
    size_t size = 0;

    ASSERT(s && ret_to && buf && cap >= SWIM_DATAGRAM_MAX);
    clock_enter(s, now);
    while (!size && outbox_pop(s, &intent)) {
        *ret_to = intent.to;
        size = write_intent(s, &intent, buf);
    }
    if (!size)
        size = job_transmit(s, ret_to, buf, cap);
    if (size) {
        s->stats.datagrams_sent++;
        s->stats.bytes_sent += size;
    }
    return size;
}
