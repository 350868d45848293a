/*
 * GET /events: what happens, as it happens, as server-sent events. docs/events.md is for its
 * readers.
 *
 *        agent -- events_note --> journal <---+--- next --- a listener, each at its own pace:
 *          |                                  |             resumed, snapshot, live
 *          +----- events_push ----------------+
 *
 * A listener owns no queue: it has a place in the journal, and reads on from there whenever its
 * connection has taken what it was given. So what it can hold up is bounded: 64 KiB here
 * (HTTPD_STREAM_PENDING_MAX), and as much again in the kernel. One that takes nothing for
 * EVENTS_STALL_MS, or has been behind for EVENTS_BEHIND_MS when the journal overtakes it, is told
 * that it is dropped, and is.
 */
#ifndef SWIM_AGENT_EVENTS_H
#define SWIM_AGENT_EVENTS_H

#include "agent/httpd.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

/* Listeners at a time, through the public server and through the control socket. */
#define EVENTS_PUBLIC_MAX 16
#define EVENTS_CONTROL_MAX 8
#define EVENTS_STALL_MS 10000
#define EVENTS_BEHIND_MS 1000
#define EVENTS_RETRY_AFTER_S 5

struct event_base;
struct events;
struct journal;

struct events_stats {
    uint64_t events;    /* noted */
    uint64_t dropped;   /* listeners that were too slow */
    uint64_t refused;   /* would-be listeners, for want of a place */
    uint32_t listeners; /* now */
};

/* `swim` is only read, and must outlive it. NULL: no memory, or no random numbers. */
struct events *events_new(struct event_base *base, const struct swim *swim);
/* Every listener must have ended: events_end, or the servers' end. */
void events_free(struct events *events);
/* How long a listener may hear nothing before it is told that all is well: milliseconds. */
void events_set_heartbeat(struct events *events, uint32_t heartbeat_ms);

/* To be called with each event, then once at the end of the turn. No work but the journal's when
 * nobody listens. */
void events_note(struct events *events, const struct swim_event *event);
void events_push(struct events *events);

/* Answers a request for /events. */
void events_answer(struct events *events, bool is_control, const struct http_request *request,
                   struct http_reply *reply);

/* Another token is asked for: the public streams end, and who may comes again. */
void events_end_public(struct events *events);
/* The daemon ends: every listener gets what it can still get at once, and the end of its stream. */
void events_end(struct events *events);

/* For other readers; it lives as long as `events`. */
const struct journal *events_journal(const struct events *events);

struct events_stats events_stats(const struct events *events);

#endif
