/* The log of what members told their hosts, and counting in it without reading all of it. */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <stdlib.h>

/* Ids are random, and 0 is none: good keys as they are. */
static void append(struct event_log *log, const struct sim_event *event)
{
    if (log->count == log->capacity) {
        log->capacity = log->capacity == 0 ? 1024 : 2 * log->capacity;
        log->events = sim_grow(log->events, log->capacity, sizeof *log->events);
        log->before = sim_grow(log->before, log->capacity, sizeof *log->before);
    }
    ASSERT(log->count < UINT32_MAX - 1);
    uint32_t *newest = map_put(&log->newest, event->id);
    log->before[log->count] = *newest;
    log->events[log->count] = *event;
    *newest = (uint32_t)++log->count;
}

void log_event(struct sim *sim, uint32_t index, const struct swim_event *event)
{
    ASSERT(event->kind >= SWIM_EVENT_JOINED && event->kind < SWIM_EVENT_KINDS);
    sim->log.totals[event->kind]++;
    if (!sim->config.keep_events && sim->watcher_count == 0) {
        return;
    }
    const struct sim_event logged = {
        .at = sim->now_ns,
        .node = index,
        .id = event->member.id,
        .incarnation = event->member.incarnation,
        .kind = event->kind,
        .before = event->before,
        .status = event->member.status,
        .paused_for_ns = event->paused_for,
        .rtt_ns = event->rtt_ns,
        .other = event->other,
    };
    if (sim->config.keep_events) {
        append(&sim->log, &logged);
    }
    sim_tell(sim, &(struct sim_happening){.at = sim->now_ns,
                                          .kind = SIM_HAPPENED_EVENT,
                                          .node = index,
                                          .peer = SIM_NOBODY,
                                          .event = &logged});
}

void log_free(struct event_log *log)
{
    free(log->events);
    free(log->before);
    map_clear(&log->newest);
}

size_t sim_events(const struct sim *sim, const struct sim_event **ret)
{
    *ret = sim->log.events;
    return sim->log.count;
}

static bool is_counted(const struct sim_event *event, uint32_t node, enum swim_event_kind kind,
                       uint64_t since)
{
    return event->kind == kind && (node == SIM_NOBODY || event->node == node) && event->at >= since;
}

/* The first event that is not before `since`: they are in order of time. */
static size_t first_since(const struct event_log *log, uint64_t since)
{
    size_t low = 0;
    size_t high = log->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (log->events[middle].at < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t sim_event_count(const struct sim *sim, uint32_t node, enum swim_event_kind kind,
                         uint64_t id, uint64_t since)
{
    const struct event_log *log = &sim->log;
    uint64_t count = 0;

    if (node == SIM_NOBODY && id == 0 && since == 0) {
        return log->totals[kind];
    }
    ASSERT(sim->config.keep_events);
    if (id == 0) {
        for (size_t i = first_since(log, since); i < log->count; i++) {
            count += is_counted(&log->events[i], node, kind, since);
        }
        return count;
    }
    const uint32_t *newest = map_find(&log->newest, id);
    for (uint32_t i = newest != NULL ? *newest : 0; i != 0; i = log->before[i - 1]) {
        if (log->events[i - 1].at < since) {
            break;
        }
        count += is_counted(&log->events[i - 1], node, kind, since);
    }
    return count;
}
