/* Reliable delivery and leave: see reliable.h; swim_leave in swim.h. */
#include "core/reliable.h"

#include "core/clock.h"
#include "core/contact.h"
#include "core/event.h"
#include "core/gossip.h"
#include "core/inspect.h"
#include "core/live.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/outbox.h"
#include "core/probe.h"
#include "core/stranger.h"
#include "core/sync.h"

static void send(struct swim *s, const struct reliable *r)
{
    uint32_t slot = member_holds(s, r->peer, r->peer_id) ? r->peer : 0;
    struct intent *intent = outbox_push(s, r->kind, slot, &r->to);

    if (intent)
        intent->request_ack = true;
}

static void schedule(struct swim *s)
{
    const struct reliable *all = reliables_of(s);
    swim_time earliest = SWIM_NEVER;

    for (unsigned i = 0; i < RELIABLE_MAX; i++) {
        if (all[i].used && all[i].deadline < earliest)
            earliest = all[i].deadline;
    }
    s->timers[TIMER_RELIABLE] = earliest;
    if (s->leaving && s->reliable_count == 0 && !s->has_left) {
        s->has_left = true;
        event_about_self(s, SELF_LEAVE_DONE);
    }
}

static void begin(struct swim *s, uint8_t kind, uint32_t slot)
{
    struct reliable *all = reliables_of(s);
    const struct member *m = member_at(s, slot);

    for (unsigned i = 0; i < RELIABLE_MAX; i++) {
        if (all[i].used)
            continue;
        all[i] = (struct reliable){
            .used = true,
            .kind = kind,
            .peer = slot,
            .peer_id = m->record.id,
            .to = m->record.addr,
            .deadline = timer_now(s) + ms(s->config.reliable_ack_timeout_ms),
        };
        s->reliable_count++;
        send(s, &all[i]);
        return;
    }
}

static void finish(struct swim *s, struct reliable *r)
{
    r->used = false;
    s->reliable_count--;
}

void reliable_hear_ack(struct swim *s, const struct wire_datagram *dg)
{
    struct reliable *all = reliables_of(s);

    if (s->reliable_count == 0 || dg->has_probe)
        return;
    for (unsigned i = 0; i < RELIABLE_MAX; i++) {
        if (all[i].used && all[i].peer_id == dg->header.sender_id)
            finish(s, &all[i]);
    }
    schedule(s);
}

void reliable_expire(struct swim *s)
{
    struct reliable *all = reliables_of(s);

    for (unsigned i = 0; i < RELIABLE_MAX; i++) {
        struct reliable *r = &all[i];

        if (!r->used || r->deadline > timer_now(s))
            continue;
        if (r->tries == s->config.reliable_max_retries) {
            s->stats.reliable_exhausted++;
            finish(s, r);
            continue;
        }
        r->tries++;
        r->deadline = timer_now(s) + ms(s->config.reliable_ack_timeout_ms);
        s->stats.reliable_retries++;
        send(s, r);
    }
    schedule(s);
}

void leave_hear(struct swim *s, const struct wire_datagram *dg, struct source *source)
{
    struct record left = {
        .id = dg->header.sender_id,
        .incarnation = dg->header.incarnation,
        .heartbeat = dg->header.heartbeat,
        .status = SWIM_LEFT,
    };
    const struct record *held;

    if (!source->slot)
        return;
    held = &member_at(s, source->slot)->record;
    /* Its own later word outweighs it. A suspect's heartbeat is an accuser's estimate, no word. */
    if (dg->header.incarnation == held->incarnation && dg->header.heartbeat < held->heartbeat &&
        held->status == SWIM_ALIVE) {
        s->stats.merges_stale++;
        return;
    }
    left.addr = held->addr;
    claim_hear_entry(s, &left, source);
}

enum swim_order swim_force_leave(struct swim *s, swim_time now, uint64_t id, bool prune)
{
    uint32_t slot;

    ASSERT(s);
    clock_enter(s, now);
    slot = member_find(s, id);
    if (s->leaving)
        return SWIM_ORDER_LEAVING;
    if (slot == SELF)
        return SWIM_ORDER_SELF;
    if (!inspect_is_listed(s, slot))
        return SWIM_ORDER_UNKNOWN;
    if (member_at(s, slot)->record.status != SWIM_LEFT)
        claim_declare(s, slot, SWIM_LEFT);
    if (prune) {
        member_prune(s, slot);
        event_about(s, slot, false);
    }
    return SWIM_ORDER_DONE;
}

const char *swim_order_name(enum swim_order order)
{
    static const char *const names[] = {"done", "self", "unknown", "busy", "leaving"};

    return (unsigned)order < sizeof names / sizeof *names ? names[order] : "unknown";
}

void swim_leave(struct swim *s, swim_time now)
{
    uint32_t targets[RELIABLE_MAX];
    uint32_t count;
    struct record left;

    ASSERT(s);
    clock_enter(s, now);
    if (s->leaving)
        return;
    count = 2 * s->config.indirect_k + ceil_log2(cluster_size(s));
    count = live_sample(s, count < RELIABLE_MAX ? count : RELIABLE_MAX, targets);
    s->leaving = true;
    timer_stop(s, TIMER_RELAY);
    probe_follow_membership(s);
    gossip_follow_membership(s);
    contact_follow_membership(s);
    sync_stop(s);
    outbox_clear(s);
    left = self_of(s)->record;
    left.heartbeat = clock_heartbeat(s);
    left.status = SWIM_LEFT;
    member_set(s, SELF, &left);
    meta_follow_status(s, SELF);
    for (uint32_t i = 0; i < count; i++)
        begin(s, WIRE_LEAVE, targets[i]);
    stranger_tell_leave(s);
    schedule(s);
}

bool swim_has_left(const struct swim *s)
{
    ASSERT(s);
    return s->has_left;
}
