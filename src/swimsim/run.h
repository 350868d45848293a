/*
 * run.h - a plan, executed: makes the simulation, does what the plan says when it says so,
 * lets checkers (check.h) and a collector (collect.h) look on, and gives a verdict.
 *
 * What is watched or shown never changes a run: the same plan gives the same trace hash with and
 * without checkers, figures, trace and progress.
 */
#ifndef SWIM_SWIMSIM_RUN_H
#define SWIM_SWIMSIM_RUN_H

#include "swimsim/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct figures; /* collect.h */

/* Of a line on stderr with the virtual time: on a terminal it is rewritten every second of real time,
 * elsewhere there is a new one every ten. */
enum run_progress_mode {
    RUN_PROGRESS_NONE,
    RUN_PROGRESS_LATER, /* from the second second on, if it takes so long */
    RUN_PROGRESS_AT_ONCE,
};

struct run_options {
    bool has_no_checks;     /* neither the checkers nor the plan's expectations */
    bool checks_each_event; /* swim_check of the touched node after every event; else each second,
                               in clusters above 1,000 more seldom: it looks at n * n records */
    uint32_t checks_off;    /* bit (1 << enum check_id): this checker is off */
    enum run_progress_mode progress;
    FILE *trace;           /* one line an event; NULL: none */
    bool traces_datagrams; /* and one for each datagram */
};

struct run_result {
    bool is_ok;            /* no fault, no checker's complaint, all expectations met */
    char failure[512];     /* the first that was not so: "checker: what, where, when" */
    uint64_t failed_at_ns; /* virtual time; the end for expectations */
    uint64_t ended_ns;
    uint64_t trace_hash;
    uint64_t datagrams; /* sent in all */
};

/*
 * Runs the plan, which must pass plan_check (asserted), to its end, or to the first failure.
 * Returns ret->is_ok. `ret_figures` may be NULL, then none are collected; otherwise the caller
 * frees them (figures_free), whatever the verdict.
 */
bool run_plan(const struct plan *plan, const struct run_options *options, struct run_result *ret,
              struct figures *ret_figures);

/* ---- For those who look on while it runs (check.h, collect.h, trace.h) -------------------- */

struct run; /* in progress */

/* This node has a fault in force that lets it seem dead to some: paused, blocked, not in the
 * largest group, cut, lossy, on a changed link, overloaded, behind NAT, with a clock that is not
 * right. */
bool run_is_faulted(const struct run *run, uint32_t node);

#endif
