/*
 * trace.h - the story of a run, one line an event, for people.
 *
 * A watcher of a simulation (sim_watch) that writes a line for each change of a member's mind, each
 * fault and each change of the network; with `datagrams`, also for each datagram sent, delivered
 * and lost. The same run gives the same bytes on every platform: golden files compare them.
 *
 *     seconds  who  what
 *      12.203  n4   suspects n7 (incarnation 0): no answer to its probes
 *
 * Members are called by their node: n7; n7/2 is the second life on that node with an id of its own
 * (a restart under the same id keeps the name). An id that no node ever had is written as
 * id:0123456789abcdef.
 */
#ifndef SWIM_SWIMSIM_TRACE_H
#define SWIM_SWIMSIM_TRACE_H

#include "sim/sim.h"

#include <stdbool.h>
#include <stdio.h>

struct trace;

struct trace_config {
    FILE *out; /* the caller's */
    bool has_datagrams;
};

/* Nodes must not have been started yet for their first lives to be known by name. */
struct trace *trace_new(struct sim *sim, const struct trace_config *config);
/* The simulation must not run afterwards; it may be freed before. */
void trace_free(struct trace *trace);

/* A line of the runner's own, at sim_now: what it does to the network, say. `text` without a line
 * feed. */
void trace_note(struct trace *trace, const char *text);

#endif
