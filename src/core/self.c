/* This member's own record: see self.h. */
#include "core/self.h"

#include "core/clock.h"
#include "core/event.h"
#include "core/gossip.h"
#include "core/health.h"
#include "core/member.h"
#include "core/meta.h"
#include "core/outbox.h"

void self_init(struct swim *s)
{
    struct record self = {
        .id = s->config.id,
        .incarnation = s->config.incarnation,
        .status = SWIM_ALIVE,
        .addr = addr_fold(&s->config.addr),
    };
    uint32_t slot = member_add(s, &self);

    ASSERT(slot == SELF);
    self_of(s)->flags |= MEMBER_CAPABLE | MEMBER_REPORTED;
    clock_restart_heartbeat(s);
    gossip_news(s, SELF);
}

/* Counters never wrap: with the last incarnation used up, this member goes on under another id,
 * and its old one is superseded at its address. */
static void take_new_id(struct swim *s)
{
    uint64_t id;

    do {
        id = prng_next(&s->prng);
    } while (id == 0 || member_find(s, id));
    member_rename_self(s, id);
    s->config.id = id;
    meta_renew(s);
    event_about_self(s, SELF_ID_CHANGED);
}

void self_next_incarnation(struct swim *s, uint32_t heard)
{
    struct record next;

    if (heard == UINT32_MAX)
        take_new_id(s);
    next = self_of(s)->record;
    next.incarnation = heard == UINT32_MAX ? 0 : heard + 1;
    member_set(s, SELF, &next);
    gossip_news(s, SELF);
}

void self_hear(struct swim *s, const struct record *heard, struct source *source)
{
    const struct record *self = &self_of(s)->record;
    bool ahead = heard->incarnation > self->incarnation;
    bool same = heard->incarnation == self->incarnation;
    /* Alive, but further than we ever were: we came back without our memory. */
    bool before_us = same && heard->heartbeat > clock_heartbeat(s);

    if (s->leaving)
        return;
    if (same && heard->status != SWIM_ALIVE)
        health_blame(s); /* we were too slow to be believed alive */
    if (ahead || before_us || (same && heard->status != SWIM_ALIVE)) {
        /* Past all that we have said: no new run of ours would be. Restarts are told so. */
        clock_skip_heartbeat(s);
        self_next_incarnation(s, heard->incarnation);
        s->stats.refutations++;
        event_about_self(s, SELF_REFUTED);
        outbox_allow_correction(s, SELF);
        outbox_correct(s, source, SELF);
    } else if (same) {
        gossip_overheard(s, SELF);
    } else {
        outbox_correct(s, source, SELF);
    }
}
