/* Pings on demand: see ping.h; swim_ping in swim.h. */
#include "core/ping.h"

#include "core/clock.h"
#include "core/inspect.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/stranger.h"

static void schedule(struct swim *s)
{
    swim_time earliest = SWIM_NEVER;

    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++) {
        if (pings_of(s)[i].phase == PING_WAITING && pings_of(s)[i].due < earliest)
            earliest = pings_of(s)[i].due;
    }
    s->timers[TIMER_PING] = earliest;
}

static struct ping *free_ping(struct swim *s)
{
    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++) {
        if (pings_of(s)[i].phase == PING_FREE)
            return &pings_of(s)[i];
    }
    return NULL;
}

static enum swim_order begin(struct swim *s, uint32_t slot)
{
    const struct member *m = member_at(s, slot);
    struct ping *p = free_ping(s);
    struct intent *ping = p ? outbox_push(s, WIRE_PING, slot, &m->record.addr) : NULL;

    if (!ping)
        return SWIM_ORDER_BUSY;
    *p = (struct ping){
        .id = m->record.id,
        .addr = m->record.addr,
        .sent = s->now,
        .due = timer_now(s) + ms(s->config.probe_timeout_ms),
        .sequence = ping->extended ? ++s->sequence : 0,
        .extended = ping->extended,
        .phase = PING_WAITING,
    };
    s->ping_count++;
    ping->has_sequence = p->extended;
    ping->sequence = p->sequence;
    stranger_expect(s, &m->record.addr);
    schedule(s);
    return SWIM_ORDER_DONE;
}

enum swim_order swim_ping(struct swim *s, swim_time now, uint64_t id)
{
    uint32_t slot;

    ASSERT(s);
    clock_enter(s, now);
    slot = member_find(s, id);
    if (s->leaving)
        return SWIM_ORDER_LEAVING;
    if (slot == SELF)
        return SWIM_ORDER_SELF;
    return inspect_is_listed(s, slot) ? begin(s, slot) : SWIM_ORDER_UNKNOWN;
}

static void end(struct swim *s, struct ping *p, swim_time rtt)
{
    p->phase = PING_ENDED;
    p->ended = s->now;
    p->rtt_ns = rtt;
}

/* Of several pings to a peer that repeats no sequence, its next ACK answers the oldest. */
static struct ping *answered_by(struct swim *s, const struct wire_datagram *dg)
{
    struct ping *found = NULL;

    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++) {
        struct ping *p = &pings_of(s)[i];

        if (p->phase != PING_WAITING || p->id != dg->header.sender_id ||
            p->extended != dg->has_probe || (p->extended && p->sequence != dg->probe_sequence))
            continue;
        if (!found || p->sent < found->sent)
            found = p;
    }
    return found;
}

void ping_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct ping *p = timer_is_on(s, TIMER_PING) && !dg->has_on_behalf ? answered_by(s, dg) : NULL;
    swim_time rtt;

    if (!p)
        return;
    rtt = s->now > p->sent ? s->now - p->sent : 1;
    end(s, p, rtt);
    schedule(s);
    if (source->slot && addr_equal(&member_at(s, source->slot)->record.addr, &p->addr))
        member_set_rtt(s, source->slot, rtt);
}

void ping_expire(struct swim *s)
{
    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++) {
        if (pings_of(s)[i].phase == PING_WAITING && pings_of(s)[i].due <= timer_now(s))
            end(s, &pings_of(s)[i], 0);
    }
    schedule(s);
}

bool ping_next_event(struct swim *s, struct swim_event *ret)
{
    struct ping *first = NULL;
    uint32_t slot;

    for (unsigned i = 0; s->ping_count && i < SWIM_PINGS_MAX; i++) {
        struct ping *p = &pings_of(s)[i];

        if (p->phase == PING_ENDED && (!first || p->ended < first->ended))
            first = p;
    }
    if (!first)
        return false;
    *ret =
        (struct swim_event){.kind = SWIM_EVENT_PONG, .at = first->ended, .rtt_ns = first->rtt_ns};
    slot = member_find(s, first->id);
    if (inspect_is_listed(s, slot))
        inspect_member(s, slot, &ret->member);
    else
        ret->member =
            (struct swim_member){.id = first->id, .addr = first->addr, .status = SWIM_DEAD};
    ret->before = ret->member.status;
    first->phase = PING_FREE;
    s->ping_count--;
    return true;
}
