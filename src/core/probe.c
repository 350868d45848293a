/* Failure detection: see probe.h. */
#include "core/probe.h"

#include "core/accusation.h"
#include "core/clock.h"
#include "core/health.h"
#include "core/live.h"
#include "core/member.h"
#include "core/outbox.h"
#include "core/stranger.h"
#include "core/suspicion.h"

void probe_abandon(struct swim *s)
{
    s->probe.phase = PROBE_IDLE;
    timer_stop(s, TIMER_PROBE);
}

void probe_follow_membership(struct swim *s)
{
    if (live_count(s) == 0 || s->leaving) {
        probe_abandon(s);
        timer_stop(s, TIMER_ROUND);
    } else if (!timer_is_on(s, TIMER_ROUND)) {
        /* At a random instant, so that members that start together do not probe together. */
        uint32_t phase = prng_below(&s->prng, s->config.probe_interval_ms);

        timer_start(s, TIMER_ROUND, ms(phase));
    }
}

static bool is_pending(const struct swim *s)
{
    return s->probe.phase == PROBE_DIRECT || s->probe.phase == PROBE_INDIRECT;
}

/* The target is still the member, and the life of it, that was probed. */
static bool is_target_there(const struct swim *s)
{
    const struct probe *p = &s->probe;

    return member_holds(s, p->target, p->target_id) && is_live(member_at(s, p->target)) &&
           member_at(s, p->target)->record.incarnation == p->incarnation;
}

/* Intermediaries that are silent too speak for a fault of our own. */
static uint32_t count_missed(struct swim *s)
{
    uint32_t missed = 0;

    for (uint32_t owing = s->probe.owing; owing; owing &= owing - 1)
        missed++;
    s->stats.nacks_missed += missed;
    return missed;
}

static void conclude(struct swim *s)
{
    uint32_t target = s->probe.target;

    if (!is_pending(s) || !is_target_there(s))
        return;
    s->stats.probe_failures++;
    s->probe_failed = s->probe.owing != 0 || !s->probe.has_nack;
    health_worse(s, 1 + count_missed(s));
    if (member_at(s, target)->record.status == SWIM_ALIVE) {
        s->stats.suspicions_raised++;
        claim_declare(s, target, SWIM_SUSPECT);
        member_at(s, target)->flags |= MEMBER_ACCUSED;
    }
    accusation_add(s, target, self_of(s)->record.id);
}

static void begin(struct swim *s, uint32_t target)
{
    const struct member *m = member_at(s, target);
    struct intent *ping = outbox_push(s, WIRE_PING, target, &m->record.addr);

    if (!ping) /* our own congestion is no evidence */
        return;
    s->probe = (struct probe){
        .target = target,
        .target_id = m->record.id,
        .incarnation = m->record.incarnation,
        .estimate = member_estimate(s, m),
        .started = s->now,
        .sequence = ++s->sequence,
        .phase = PROBE_DIRECT,
        .extended = ping->extended,
    };
    ping->has_sequence = ping->extended;
    ping->sequence = s->sequence;
    stranger_expect(s, &m->record.addr);
    /* The suspect is the first to be told, in the very probe that goes to it. */
    if (s->config.buddy && m->record.status == SWIM_SUSPECT)
        intent_add_subject(ping, target);
    timer_start(s, TIMER_PROBE, health_probe_timeout(s));
}

void probe_round(struct swim *s)
{
    uint32_t target;

    conclude(s);
    probe_abandon(s);
    timer_stop(s, TIMER_ROUND);
    target = live_next_probe(s);
    if (!target)
        return;
    timer_start(s, TIMER_ROUND, health_probe_interval(s));
    begin(s, target);
}

/* If the host called late, the intermediaries still get the time that they are due. */
static void extend_round(struct swim *s)
{
    swim_time due = health_probe_interval(s) - health_probe_timeout(s);

    if (s->timers[TIMER_ROUND] < timer_now(s) + due)
        timer_start(s, TIMER_ROUND, due);
}

/* At random, but those first that have proved their address: they most likely know ours, and
 * serve nobody else (relay.c). */
static uint32_t choose_helpers(struct swim *s, uint32_t ret[SWIM_INDIRECT_MAX])
{
    uint32_t drawn[3 * SWIM_INDIRECT_MAX];
    uint32_t count = live_sample_alive(s, 3 * s->config.indirect_k, s->probe.target, drawn);
    uint32_t chosen = 0;

    for (unsigned pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < count && chosen < s->config.indirect_k; i++) {
            bool is_proved = member_at(s, drawn[i])->flags & MEMBER_PROVED;

            if (is_proved == (pass == 0))
                ret[chosen++] = drawn[i];
        }
    }
    return chosen;
}

void probe_timeout(struct swim *s)
{
    struct probe *p = &s->probe;
    uint32_t helpers[SWIM_INDIRECT_MAX];
    uint32_t count;

    timer_stop(s, TIMER_PROBE);
    if (p->phase != PROBE_DIRECT || !is_target_there(s))
        return;
    extend_round(s);
    s->stats.probe_direct_timeouts++;
    p->phase = PROBE_INDIRECT;
    count = choose_helpers(s, helpers);
    for (uint32_t i = 0; i < count; i++) {
        const struct member *m = member_at(s, helpers[i]);
        struct intent *req = outbox_push(s, WIRE_PING_REQ, helpers[i], &m->record.addr);

        if (!req)
            return;
        req->has_sequence = req->extended;
        req->sequence = p->sequence;
        req->target_id = p->target_id;
        req->target_addr = member_at(s, p->target)->record.addr;
        if (req->extended && s->config.nack)
            p->owing |= 1u << p->helper_count;
        p->helpers[p->helper_count++] = m->record.id;
    }
}

static void answered(struct swim *s)
{
    s->probe.phase = PROBE_ANSWERED;
    timer_stop(s, TIMER_PROBE);
    health_better(s);
    if (s->probe_failed)
        suspicion_tell_again(s);
    s->probe_failed = false;
}

static void record_rtt(struct swim *s)
{
    static const uint32_t bounds_us[] = SWIM_RTT_BOUNDS_US;
    uint64_t rtt = s->now - s->probe.started;
    unsigned bucket = 0;

    _Static_assert(sizeof bounds_us / sizeof *bounds_us + 1 == SWIM_RTT_BUCKETS, "one for +Inf");
    while (bucket < SWIM_RTT_BUCKETS - 1 && rtt > bounds_us[bucket] * (SWIM_MS / 1000))
        bucket++;
    s->stats.rtt_count++;
    s->stats.rtt_sum_ns += rtt;
    s->stats.rtt_bucket[bucket]++;
    member_set_rtt(s, s->probe.target, rtt);
}

bool probe_is_at(const struct swim *s, const struct swim_addr *addr)
{
    const struct probe *p = &s->probe;

    return is_pending(s) && member_holds(s, p->target, p->target_id) &&
           addr_equal(addr, &member_at(s, p->target)->record.addr);
}

bool probe_is_answer(const struct swim *s, const struct wire_datagram *dg)
{
    const struct probe *p = &s->probe;

    return dg->header.kind == WIRE_ACK && is_pending(s) && p->extended && dg->has_probe &&
           dg->probe_sequence == p->sequence;
}

/* Somebody answers in the target's place: the target's process is gone. */
static void hear_stranger(struct swim *s, const struct source *source)
{
    struct probe *p = &s->probe;

    if (source->slot && source->slot != p->target && is_live(member_at(s, source->slot)) &&
        member_holds(s, p->target, p->target_id) &&
        addr_equal(&source->addr, &member_at(s, p->target)->record.addr) &&
        addr_equal(&source->addr, &member_at(s, source->slot)->record.addr)) {
        probe_abandon(s);
        claim_supersede(s, source->slot);
    }
}

void probe_hear_ack(struct swim *s, const struct wire_datagram *dg, const struct source *source)
{
    struct probe *p = &s->probe;
    bool is_from_target = dg->header.sender_id == p->target_id;

    if (!is_pending(s))
        return;
    if (dg->has_on_behalf) { /* relayed, whatever the target itself understands */
        if (dg->has_probe && dg->probe_sequence == p->sequence && dg->on_behalf == p->target_id)
            answered(s);
        return;
    }
    /* Without a sequence number, where our PING had none: the best evidence there is. */
    if (dg->has_probe ? dg->probe_sequence != p->sequence || !p->extended
                      : is_from_target && p->extended)
        return;
    if (!is_from_target) {
        hear_stranger(s, source);
        return;
    }
    if (p->phase == PROBE_DIRECT)
        record_rtt(s);
    answered(s); /* perhaps late, but it heard us */
}

void probe_hear_nack(struct swim *s, const struct wire_datagram *dg)
{
    struct probe *p = &s->probe;

    if (p->phase != PROBE_INDIRECT || !dg->has_probe || dg->probe_sequence != p->sequence ||
        !dg->has_on_behalf || dg->on_behalf != p->target_id)
        return;
    for (uint32_t i = 0; i < p->helper_count; i++) {
        if (p->helpers[i] == dg->header.sender_id) {
            p->owing &= ~(1u << i);
            p->has_nack = true;
        }
    }
}

void probe_hear_word(struct swim *s, const struct record *heard, const struct source *source)
{
    struct probe *p = &s->probe;
    uint64_t helper;

    if (heard->status != SWIM_ALIVE || !source->slot ||
        member_at(s, source->slot)->flags & MEMBER_CAPABLE)
        return;
    if (heard->incarnation < p->incarnation ||
        (heard->incarnation == p->incarnation && heard->heartbeat <= p->estimate))
        return;
    helper = member_at(s, source->slot)->record.id;
    for (uint32_t i = 0; i < p->helper_count; i++) {
        if (p->helpers[i] == helper)
            answered(s);
    }
}
