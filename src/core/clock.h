/*
 * Time: the instance's own heartbeat, its fixed timers, and its own pauses.
 *
 * Timers run on *timer time*, host time less the pauses: after a gap they stand where they
 * stood, and nothing fires at once. docs/protocol.md section 5.
 */
#ifndef SWIM_CORE_CLOCK_H
#define SWIM_CORE_CLOCK_H

#include "core/instance.h"

/* Timer time at host time 0 without pauses: high enough that pauses never make it negative. */
#define TIMER_EPOCH (UINT64_C(1) << 62)

static inline swim_time timer_now(const struct swim *s)
{
    return s->now + TIMER_EPOCH - s->paused;
}

static inline swim_time timer_to_host(const struct swim *s, swim_time time)
{
    return time == SWIM_NEVER ? SWIM_NEVER : time - TIMER_EPOCH + s->paused;
}

/* Every call that carries time enters here first: time moves on, a gap of more than a probe
 * interval past the deadline restarts the timers. Asserted: `now` does not go back. */
void clock_enter(struct swim *s, swim_time now);

/* Fires `delay` nanoseconds from now, instead of whenever it was to fire. */
void timer_start(struct swim *s, enum timer timer, swim_time delay);
bool timer_is_due(const struct swim *s, enum timer timer);
static inline void timer_stop(struct swim *s, enum timer timer)
{
    s->timers[timer] = SWIM_NEVER;
}
static inline bool timer_is_on(const struct swim *s, enum timer timer)
{
    return s->timers[timer] != SWIM_NEVER;
}
/* Host time of the earliest timer, suspicion, tombstone or paced datagram. */
swim_time clock_deadline(const struct swim *s);

/* This member's heartbeat now. */
uint32_t clock_heartbeat(const struct swim *s);
/* The heartbeat starts again from 0: a new incarnation has begun. */
void clock_restart_heartbeat(struct swim *s);
/* The heartbeat is one higher from now on than it would be: higher than any said so far. */
void clock_skip_heartbeat(struct swim *s);

#endif
