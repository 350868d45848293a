/* Indirect probes for others: see relay.h. */
#include "core/relay.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/outbox.h"

#include <string.h>

/* A free place, or the one that is oldest. */
static struct relay *take(struct swim *s)
{
    struct relay *relays = relays_of(s);
    struct relay *oldest = &relays[0];

    for (unsigned i = 0; i < RELAYS_MAX; i++) {
        if (!relays[i].used || relays[i].expires <= s->now) {
            oldest = &relays[i];
            break;
        }
        if (relays[i].expires < oldest->expires)
            oldest = &relays[i];
    }
    if (!oldest->used)
        s->relay_count++;
    memset(oldest, 0, sizeof *oldest);
    oldest->used = true;
    return oldest;
}

static void answer(struct swim *s, const struct relay *relay)
{
    uint32_t slot = member_holds(s, relay->requester, relay->requester_id) ? relay->requester : 0;
    struct intent *ack = outbox_push(s, WIRE_ACK, slot, &relay->requester_addr);

    if (!ack)
        return;
    ack->has_sequence = ack->extended && relay->has_sequence;
    ack->sequence = relay->requester_sequence;
    ack->has_on_behalf = ack->extended;
    ack->on_behalf = relay->target_id;
    /* For a plain requester the target's fresh record is all the answer there can be. */
    intent_add_subject(ack, relay->target);
    s->stats.indirect_relayed++;
}

/* TIMER_RELAY, at the earliest NACK that is due. */
static void schedule(struct swim *s)
{
    const struct relay *relays = relays_of(s);
    swim_time earliest = SWIM_NEVER;

    for (unsigned i = 0; i < RELAYS_MAX; i++) {
        if (relays[i].used && relays[i].nack_due < earliest)
            earliest = relays[i].nack_due;
    }
    s->timers[TIMER_RELAY] = earliest;
}

static void say_nack(struct swim *s, const struct relay *relay)
{
    uint32_t slot = member_holds(s, relay->requester, relay->requester_id) ? relay->requester : 0;
    struct intent *nack = outbox_push(s, WIRE_NACK, slot, &relay->requester_addr);

    if (!nack)
        return;
    nack->extended = nack->has_sequence = nack->has_on_behalf = true;
    nack->sequence = relay->requester_sequence;
    nack->on_behalf = relay->target_id;
}

/* There is nobody to probe here: the requester hears so at once, and of the death, if that is
 * why. */
static void decline(struct swim *s, const struct wire_datagram *dg, struct source *source,
                    uint32_t target)
{
    struct intent *nack = NULL;

    if (target && is_terminal(member_at(s, target)->record.status) &&
        !(member_at(s, target)->flags & MEMBER_FORGOTTEN))
        outbox_correct(s, source, target);
    if (s->config.nack && dg->has_probe)
        nack = outbox_reply(s, WIRE_NACK, source);
    if (!nack)
        return;
    nack->extended = nack->has_sequence = nack->has_on_behalf = true;
    nack->sequence = dg->probe_sequence;
    nack->on_behalf = dg->target_id;
}

void relay_nack(struct swim *s)
{
    struct relay *relays = relays_of(s);

    for (unsigned i = 0; i < RELAYS_MAX; i++) {
        if (!relays[i].used || relays[i].nack_due > timer_now(s))
            continue;
        relays[i].nack_due = SWIM_NEVER;
        say_nack(s, &relays[i]);
    }
    schedule(s);
}

/* At 80 % of the time-out, or of what the requester has left of its round, if that is less, so
 * that it hears it in time. Only a capable requester, which gave a sequence number, can understand
 * it. */
static void promise_nack(struct swim *s, struct relay *relay)
{
    uint32_t rest = s->config.probe_interval_ms - s->config.probe_timeout_ms;
    uint32_t wait = s->config.probe_timeout_ms < rest ? s->config.probe_timeout_ms : rest;

    relay->nack_due = SWIM_NEVER;
    if (!s->config.nack || !relay->has_sequence)
        return;
    relay->nack_due = timer_now(s) + ms(wait) / 5 * 4;
    if (relay->nack_due < s->timers[TIMER_RELAY])
        s->timers[TIMER_RELAY] = relay->nack_due;
}

/* Whoever asks without end is served like everybody else, and no more. */
static bool is_served_enough(const struct swim *s, uint64_t requester_id)
{
    const struct relay *relays = relays_of(s);
    unsigned count = 0;

    for (unsigned i = 0; s->relay_count && i < RELAYS_MAX; i++)
        count +=
            relays[i].used && relays[i].expires > s->now && relays[i].requester_id == requester_id;
    return count >= RELAYS_PER_PEER;
}

void relay_hear_request(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    uint32_t target = member_find(s, dg->target_id);
    struct relay *relay;
    struct intent *ping;

    if (!source->slot)
        return;
    if (!target || !is_live(member_at(s, target)) || !source->is_proved ||
        is_served_enough(s, dg->header.sender_id)) {
        decline(s, dg, source, target);
        return;
    }
    if (target == SELF) { /* asked about ourselves: we hear well */
        struct intent *ack = outbox_push_ack(s, source, dg->header.capabilities & WIRE_CAPABLE);

        if (!ack)
            return;
        ack->has_sequence = dg->has_probe;
        ack->sequence = dg->probe_sequence;
        ack->has_on_behalf = dg->has_probe;
        ack->on_behalf = dg->target_id;
        return;
    }
    ping = outbox_push(s, WIRE_PING, target, &member_at(s, target)->record.addr);
    if (!ping)
        return;
    ping->has_sequence = ping->has_on_behalf = ping->extended;
    ping->sequence = ++s->sequence;
    ping->on_behalf = dg->header.sender_id;

    relay = take(s);
    relay->requester = source->slot;
    relay->requester_id = dg->header.sender_id;
    relay->requester_addr = source->addr;
    relay->requester_sequence = dg->probe_sequence;
    relay->has_sequence = dg->has_probe;
    relay->target = target;
    relay->target_id = dg->target_id;
    relay->sequence = s->sequence;
    relay->extended = ping->extended;
    relay->expires = s->now + ms(s->config.probe_interval_ms);
    promise_nack(s, relay);
}

void relay_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct relay *relays = relays_of(s);

    for (unsigned i = 0; s->relay_count && i < RELAYS_MAX; i++) {
        struct relay *relay = &relays[i];
        bool is_answer = relay->extended ? dg->has_probe && dg->probe_sequence == relay->sequence
                                         : !dg->has_probe;

        if (!relay->used || !is_answer || relay->target_id != dg->header.sender_id ||
            relay->target != source->slot)
            continue;
        if (relay->expires > s->now)
            answer(s, relay);
        relay->used = false;
        s->relay_count--;
    }
}
