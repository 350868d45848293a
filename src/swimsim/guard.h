/*
 * guard.h - a run in which a failed assertion is a failure like any other.
 *
 * swim_panic normally ends the program. The swarm has to go on: to say which seed it was, and to cut
 * the scenario down. While a guarded run is under way, a failed assertion ends the run alone, with
 * the failure "assertion: EXPRESSION (FILE:LINE)". What the run had allocated is lost.
 */
#ifndef SWIM_SWIMSIM_GUARD_H
#define SWIM_SWIMSIM_GUARD_H

#include "swimsim/run.h"

#include <stdbool.h>

/* run_plan without figures. One at a time. */
bool guard_run(const struct plan *plan, const struct run_options *options, struct run_result *ret);

#endif
