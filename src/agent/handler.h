/*
 * [events] exec: a program that is run with what has happened, as JSON on its standard input.
 * docs/events.md, section "A program for events", is for those who write one.
 *
 *            an event
 *     idle ------------> gathering  --- exec_batch_ms ---> running --- it ends, or is ended
 *      ^                     ^                                |
 *      |                     +------ events came meanwhile ---+
 *      +--------------------------------- none came ----------+
 *
 * One runs at a time; what happens meanwhile waits in the journal (journal.h), and what the journal
 * gives up before it was handed over is counted, and told to the next one. Each event is handed over
 * at most once, whatever becomes of the program.
 */
#ifndef SWIM_AGENT_HANDLER_H
#define SWIM_AGENT_HANDLER_H

#include "agent/config.h"
#include "agent/journal.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

/* Events, and bytes of them, that one run is given. */
#define HANDLER_EVENTS_MAX 512
#define HANDLER_BYTES_MAX ((size_t)1024 * 1024)
/* From SIGTERM to SIGKILL, when the time is over. */
#define HANDLER_GRACE_MS 2000

struct event_base;
struct handler;

struct handler_stats {
    uint64_t ok;
    uint64_t failed;      /* ended with another code than 0, or by a signal of its own */
    uint64_t timed_out;   /* ended by us */
    uint64_t not_started; /* and its events are lost */
    uint64_t missed;      /* events that the journal gave up before */
    bool is_running;
};

/* All three are only read, and must outlive it. The program is the configuration's of the moment:
 * it may change, come and go. NULL: no memory. */
struct handler *handler_new(struct event_base *base, const struct swim *swim,
                            const struct journal *journal, const struct agent_config *config);
/* A program that still runs is asked to end, and not waited for. */
void handler_free(struct handler *handler);

/* To be called when there may be events in the journal that it has not seen, and when the program
 * may have changed. */
void handler_push(struct handler *handler);

struct handler_stats handler_stats(const struct handler *handler);

/* Can the configured program be run? False, and *ret_error says why not. True when there is none. */
SWIM_MUST_CHECK bool handler_check(const struct agent_config *config,
                                   struct config_error *ret_error);

#endif
