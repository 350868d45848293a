/* The outbox: see outbox.h. docs/protocol.md section 7 for corrections. */
#include "core/outbox.h"

#include "core/member.h"
#include "core/proof.h"

#include <string.h>

/* To an address that has proved nothing, on our own account: a PING with what makes its answer one
 * that can prove it. Room for a token, a probe, a view and three entries. */
enum { INTRODUCTION_MAX = 200 };

static struct intent *intent_at(const struct swim *s, uint32_t place)
{
    return &outbox_intents(s)[(s->outbox.head + place) % OUTBOX_MAX];
}

struct intent *outbox_push(struct swim *s, uint8_t kind, uint32_t slot, const struct swim_addr *to)
{
    struct intent *intent;

    if (!addr_is_usable(to)) /* a forged source: there is nowhere to answer to */
        return NULL;
    if (s->outbox.count == OUTBOX_MAX) {
        s->stats.outbox_full++;
        return NULL;
    }
    intent = intent_at(s, s->outbox.count++);
    memset(intent, 0, sizeof *intent);
    intent->kind = kind;
    intent->to = *to;
    intent->peer = slot;
    if (slot) {
        intent->peer_id = member_at(s, slot)->record.id;
        intent->extended = member_at(s, slot)->flags & MEMBER_CAPABLE;
    }
    intent->is_proved = proof_covers(s, slot, to);
    intent->cap = (uint16_t)(intent->is_proved ? s->config.datagram_max : INTRODUCTION_MAX);
    return intent;
}

struct intent *outbox_reply(struct swim *s, uint8_t kind, struct source *source)
{
    struct intent *intent = NULL;

    if (source->is_proved || !source->is_answered)
        intent = outbox_push(s, kind, source->slot, &source->addr);
    if (!intent)
        return NULL;
    intent->peer_id = source->id;
    intent->is_proved = source->is_proved;
    intent->cap = (uint16_t)s->config.datagram_max;
    if (!source->is_proved && source->size < intent->cap)
        intent->cap = (uint16_t)source->size;
    source->is_answered = true;
    return intent;
}

struct intent *outbox_push_ack(struct swim *s, struct source *source, bool is_extended)
{
    struct intent *last = s->outbox.count ? intent_at(s, s->outbox.count - 1) : NULL;
    struct intent *ack = last;

    if (last && last->kind == WIRE_GOSSIP && last->subject_count &&
        addr_equal(&last->to, &source->addr))
        last->kind = WIRE_ACK;
    else
        ack = outbox_reply(s, WIRE_ACK, source);
    if (ack)
        ack->extended = is_extended;
    return ack;
}

bool outbox_pop(struct swim *s, struct intent *ret)
{
    if (s->outbox.count == 0) {
        s->outbox.head = 0; /* so that only the depth that is used is ever touched */
        return false;
    }
    *ret = *intent_at(s, 0);
    s->outbox.head = (s->outbox.head + 1) % OUTBOX_MAX;
    s->outbox.count--;
    return true;
}

void outbox_clear(struct swim *s)
{
    s->outbox.count = 0;
    s->outbox.head = 0;
}

void intent_add_subject(struct intent *intent, uint32_t slot)
{
    ASSERT(intent->subject_count < SUBJECTS_MAX);
    intent->subjects[intent->subject_count++] = slot;
}

static uint32_t now_ms(const struct swim *s)
{
    return (uint32_t)(s->now / SWIM_MS);
}

void outbox_allow_correction(struct swim *s, uint32_t slot)
{
    member_at(s, slot)->flags &= (uint16_t)~MEMBER_CORRECTED;
}

bool outbox_may_correct(struct swim *s, uint32_t slot)
{
    struct member *m = member_at(s, slot);
    uint32_t *last = &corrections_of(s)[slot % CORRECTIONS_MAX];

    if (m->flags & MEMBER_CORRECTED && now_ms(s) - *last < s->config.gossip_interval_ms)
        return false;
    m->flags |= MEMBER_CORRECTED;
    *last = now_ms(s);
    return true;
}

void outbox_correct(struct swim *s, struct source *source, uint32_t slot)
{
    struct intent *intent = s->outbox.count ? intent_at(s, s->outbox.count - 1) : NULL;

    if (!outbox_may_correct(s, slot))
        return;
    if (!intent || intent->kind != WIRE_GOSSIP || !addr_equal(&intent->to, &source->addr) ||
        intent->subject_count == 0 || intent->subject_count == SUBJECTS_MAX)
        intent = outbox_reply(s, WIRE_GOSSIP, source);
    if (!intent)
        return;
    intent_add_subject(intent, slot);
    s->stats.corrections_sent++;
}
