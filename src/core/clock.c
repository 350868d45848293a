/* Time, timers and pauses: see clock.h. */
#include "core/clock.h"

#include "core/event.h"
#include "core/health.h"
#include "core/probe.h"
#include "core/self.h"
#include "core/suspicion.h"
#include "core/sync.h"
#include "core/tombstone.h"

void timer_start(struct swim *s, enum timer timer, swim_time delay)
{
    s->timers[timer] = timer_now(s) + delay;
}

bool timer_is_due(const struct swim *s, enum timer timer)
{
    return s->timers[timer] <= timer_now(s);
}

static swim_time earlier(swim_time a, swim_time b)
{
    return a < b ? a : b;
}

static swim_time timer_deadline(const struct swim *s)
{
    swim_time earliest = SWIM_NEVER;

    for (unsigned i = 0; i < TIMER_COUNT; i++)
        earliest = earlier(earliest, s->timers[i]);
    return earlier(timer_to_host(s, earliest), suspicion_deadline(s));
}

swim_time clock_deadline(const struct swim *s)
{
    swim_time earliest = timer_deadline(s);

    earliest = earlier(earliest, tombstone_deadline(s));
    return earlier(earliest, sync_deadline(s));
}

/* Whatever was under way while we stood still says nothing about the peers: the probe is given
 * up, the timers go on where they were, and every suspect gets its first period again. */
static void resume(struct swim *s, swim_time lateness)
{
    s->paused += lateness;
    s->suspicion_shift += ms(s->config.suspect_timeout_ms);
    s->last_pause = lateness;
    s->stats.pauses++;
    probe_abandon(s);
    health_worse(s, 1);
    event_about_self(s, SELF_PAUSED);
}

void clock_enter(struct swim *s, swim_time now)
{
    swim_time deadline;

    ASSERT(now >= s->now);
    deadline = timer_deadline(s);
    s->now = now;
    if (deadline < now && now - deadline > ms(s->config.probe_interval_ms))
        resume(s, now - deadline);
    if ((now - s->heartbeat_epoch) / ms(s->config.heartbeat_interval_ms) >= UINT32_MAX) {
        clock_restart_heartbeat(s);
        self_next_incarnation(s, self_of(s)->record.incarnation);
    }
}

uint32_t clock_heartbeat(const struct swim *s)
{
    return (uint32_t)((s->now - s->heartbeat_epoch) / ms(s->config.heartbeat_interval_ms));
}

void clock_restart_heartbeat(struct swim *s)
{
    s->heartbeat_epoch = s->now;
}

void clock_skip_heartbeat(struct swim *s)
{
    /* The epoch may pass 0: only differences count. At the end of the counter it starts again. */
    if (clock_heartbeat(s) < UINT32_MAX - 1)
        s->heartbeat_epoch -= ms(s->config.heartbeat_interval_ms);
}
