/* libevent's events in this house's units. */
#ifndef SWIM_AGENT_TIMER_H
#define SWIM_AGENT_TIMER_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/time.h>

static inline struct timeval timer_wait_ms(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* Takes NULL, as free() does. */
static inline void timer_free(struct event *event)
{
    if (event != NULL)
        event_free(event);
}

#endif
