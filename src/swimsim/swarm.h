/*
 * swarm.h - random scenarios by the thousand, each run under all checkers.
 *
 * A seed alone decides a plan: size, settings, topology, faults and workload of a *safety phase*,
 * after which everything is mended (or a minority stays cut off for good), and enough time for
 * check_bound_ns and check_silence_ns. So "agreement" and "silence" are demanded of every seed.
 *
 *     seed -> swarm_draw -> plan -> run_plan -> all is well: next seed
 *                                      |
 *                                      +-> a checker complains -> reduce (reduce.h) -> scenario file
 *
 * The first failure ends the swarm: it is reduced, and written out as a scenario with the command
 * that repeats it.
 */
#ifndef SWIM_SWIMSIM_SWARM_H
#define SWIM_SWIMSIM_SWARM_H

#include "swimsim/plan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* It ends when one of the limits that are not 0 is reached. */
struct swarm_options {
    uint64_t seed;       /* the first; the others follow it */
    uint64_t seeds;      /* so many scenarios */
    uint64_t virtual_ns; /* so much virtual time, all scenarios together */
    uint64_t wall_ns;    /* so long in real time; the scenario begun is finished */
    uint32_t nodes_max;  /* no scenario has more nodes */
    uint64_t every;      /* a line of progress after so many scenarios; 0: none */
    bool is_unreduced;   /* do not reduce what failed */
};

/* Seed 1, no limit but one virtual hour, at most 200 nodes, progress every 100. */
void swarm_options_default(struct swarm_options *options);

struct swarm_totals {
    uint64_t seeds;
    uint64_t virtual_ns;
    uint64_t member_ns; /* virtual time times the nodes of each scenario */
    uint64_t datagrams;
    uint64_t nodes_max; /* of any scenario */
    uint64_t failures;  /* 0 or 1 */
    uint64_t wall_ns;
};

/* The scenario of a seed: the same on every platform. It passes plan_check. */
void swarm_draw(uint64_t seed, uint32_t nodes_max, struct plan *ret_plan);

/* Runs until a limit or a failure. Everything is written to `out`. Returns true when all is
 * well; `ret_totals` is set in any case. */
bool swarm_run(const struct swarm_options *options, FILE *out, struct swarm_totals *ret_totals);

#endif
