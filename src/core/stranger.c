/* Strangers: see stranger.h. docs/protocol.md section 10. */
#include "core/stranger.h"

#include "base/bytes.h"
#include "core/contact.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/proof.h"
#include "core/tombstone.h"

/* How long an answer may take, and how many datagrams are sent in reply to answers to one PING: a
 * challenge met and one more, should it have crossed with another. */
static const swim_time PATIENCE = 2000 * SWIM_MS;
/* A challenge is good for one epoch at least, and most likely for longer. */
static const swim_time CHALLENGE_LIFE = 30000 * SWIM_MS;
enum { REPLIES_MAX = 2 };

/* ---- Whom we have asked ---- */

/* One place an address: another one that falls there takes it, and the first must be asked again.
 * Its key keeps senders from choosing who that is. Places are scattered, knocks lie in the order in
 * which their places were first taken: a small cluster touches little memory. */
static uint16_t *place_of(const struct swim *s, const struct swim_addr *addr)
{
    return &knock_places(s)[proof_place(s, addr) % KNOCKS_MAX];
}

/* Whom we have asked last of those at this place: NULL, nobody. */
static struct knock *knock_at(const struct swim *s, const struct swim_addr *addr)
{
    uint16_t number = *place_of(s, addr);

    return number ? &knocks_of(s)[number] : NULL;
}

static struct knock *knock_take(struct swim *s, const struct swim_addr *addr)
{
    uint16_t *number = place_of(s, addr);

    if (*number == 0)
        *number = (uint16_t)++s->knocks_high; /* as many as there are places */
    return &knocks_of(s)[*number];
}

static bool is_fresh(const struct swim *s, const struct knock *knock, const struct swim_addr *addr)
{
    return knock && knock->until > s->now && addr_equal(&knock->addr, addr);
}

void stranger_expect(struct swim *s, const struct swim_addr *addr)
{
    struct knock *knock = knock_take(s, addr);

    if (!addr_equal(&knock->addr, addr) || knock->usable_until <= s->now)
        *knock = (struct knock){.addr = *addr};
    knock->until = s->now + PATIENCE;
    knock->replies = REPLIES_MAX;
}

void stranger_recall(struct swim *s, struct intent *ping)
{
    const struct knock *knock = knock_at(s, &ping->to);

    if (!knock || !addr_equal(&knock->addr, &ping->to) || knock->usable_until <= s->now)
        return;
    ping->echo = knock->challenge;
    ping->peer_id = knock->id;
    ping->extended = ping->is_stranger = true;
}

bool stranger_is_expected(const struct swim *s, const struct swim_addr *addr)
{
    return is_fresh(s, knock_at(s, addr), addr);
}

/* If what follows is lost, the next try begins with this challenge. */
bool stranger_may_reply(struct swim *s, const struct source *source)
{
    struct knock *knock = knock_at(s, &source->addr);

    if (!is_fresh(s, knock, &source->addr))
        return false;
    if (source->challenge) {
        knock->challenge = source->challenge;
        knock->id = source->id;
        knock->usable_until = s->now + CHALLENGE_LIFE;
    }
    if (knock->replies == 0)
        return false;
    knock->replies--;
    return true;
}

void stranger_tell_leave(struct swim *s)
{
    const struct knock *knocks = knocks_of(s);

    for (uint32_t i = 1; i <= s->knocks_high; i++) {
        const struct knock *knock = &knocks[i];

        if (knock->challenge && knock->until > s->now && !member_find_addr(s, &knock->addr))
            (void)outbox_push(s, WIRE_LEAVE, 0, &knock->addr);
    }
}

/* ---- Clusters ---- */

/* What the sender says of its cluster. False: nothing, as plain peers do. */
static bool find_tag(const struct wire_datagram *dg, uint64_t *ret)
{
    struct reader entries = dg->entries;
    struct wire_entry entry;

    if (dg->has_cluster) {
        *ret = dg->cluster;
        return true;
    }
    if (dg->header.kind != WIRE_PING || dg->header.flags & WIRE_FLAG_EXTENDED)
        return false;
    while (wire_next_entry(&entries, &entry)) {
        if (entry.status != WIRE_STATUS_CLUSTER)
            continue;
        *ret = entry.id;
        return true;
    }
    return false;
}

static struct intent *reply(struct swim *s, uint8_t kind, const struct wire_datagram *dg,
                            struct source *source)
{
    struct intent *intent = outbox_reply(s, kind, source);

    if (!intent)
        return NULL;
    intent->extended = dg->header.capabilities & WIRE_CAPABLE;
    intent->is_stranger = true;
    intent->has_sequence = kind == WIRE_ACK && dg->header.kind == WIRE_PING && dg->has_probe;
    intent->sequence = dg->probe_sequence;
    return intent;
}

enum swim_error stranger_check_cluster(struct swim *s, const struct wire_datagram *dg,
                                       struct source *source)
{
    bool is_capable = dg->header.capabilities & WIRE_CAPABLE;
    uint64_t tag = 0;
    struct intent *ack;

    /* Among those who are heard nobody says it again. */
    if (!find_tag(dg, &tag) && is_capable && (source->is_known || !dg->has_token))
        return SWIM_OK;
    if (tag == s->cluster_tag)
        return SWIM_OK;
    source->slot = 0;
    source->is_proved = false;
    if (is_capable && dg->header.kind == WIRE_PING) {
        ack = reply(s, WIRE_ACK, dg, source);
        if (ack)
            ack->no_challenge = true;
    }
    return SWIM_DROP_CLUSTER;
}

/* ---- Answers ---- */

static void challenge(struct swim *s, const struct wire_datagram *dg, struct source *source,
                      uint8_t kind)
{
    struct intent *intent = reply(s, kind, dg, source);

    if (intent)
        intent->echo = dg->challenge;
}

/* Plain version 1 knows no tokens: it is asked by a PING, where what it sent is worth that. */
static void answer_plain(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    bool has_room = source->size >= 2 * WIRE_HEADER_SIZE;

    if (dg->header.kind == WIRE_ACK)
        return;
    if (dg->header.kind == WIRE_PING || dg->header.flags & WIRE_FLAG_REQUEST_ACK) {
        source->size -= has_room ? WIRE_HEADER_SIZE : 0; /* an advertised address makes it larger */
        if (!reply(s, WIRE_ACK, dg, source) || !has_room)
            return;
        source->is_answered = false; /* and there is room for one more */
    }
    source->size = WIRE_HEADER_SIZE;
    if (!stranger_is_expected(s, &source->addr) && reply(s, WIRE_PING, dg, source))
        stranger_expect(s, &source->addr);
}

static void answer_capable(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct intent *ack;

    switch (dg->header.kind) {
    case WIRE_NACK: return;
    case WIRE_LEAVE: /* nothing of it is heard, and nobody who leaves is asked anything */
        ack = dg->header.flags & WIRE_FLAG_REQUEST_ACK ? reply(s, WIRE_ACK, dg, source) : NULL;
        if (ack)
            ack->no_challenge = true;
        return;
    case WIRE_ACK:
        if (!stranger_may_reply(s, source))
            return;
        challenge(s, dg, source, WIRE_PING);
        contact_hurry(s);
        return;
    default: challenge(s, dg, source, WIRE_ACK);
    }
}

void stranger_answer(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    /* It is still there, and yet does not answer: it stays forgotten. */
    if (source->slot && member_at(s, source->slot)->flags & MEMBER_FORGOTTEN)
        tombstone_refresh(s, source->slot);
    source->slot = 0;
    source->is_proved = false; /* whoever was there before */
    if (dg->header.capabilities & WIRE_CAPABLE)
        answer_capable(s, dg, source);
    else
        answer_plain(s, dg, source);
}
