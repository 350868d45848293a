/*
 * The swarm: seed after seed, until a limit or a failure. See swarm.h; swarm_draw.c makes the
 * scenarios, reduce.c cuts down the one that fails.
 */
#define _GNU_SOURCE
#include "swimsim/swarm.h"

#include "base/assert.h"
#include "swimsim/guard.h"
#include "swimsim/plan_print.h"
#include "swimsim/reduce.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HOUR_NS (3600 * SIM_SECOND)
/* Real time that the reducer may take. */
#define REDUCE_NS (120 * SIM_SECOND)

void swarm_options_default(struct swarm_options *options)
{
    *options =
        (struct swarm_options){.seed = 1, .virtual_ns = HOUR_NS, .nodes_max = 200, .every = 100};
}

/* Real time: decides when to stop, and nothing else. */
static uint64_t wall_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SIM_SECOND + (uint64_t)t.tv_nsec;
}

static void show_totals(FILE *out, const char *what, const struct swarm_totals *totals)
{
    fprintf(out,
            "%s: %llu seeds, %.1f virtual hours, %.0f member hours, %llu datagrams, "
            "at most %llu nodes, %llu failures, %.0f s\n",
            what, (unsigned long long)totals->seeds, (double)totals->virtual_ns / (double)HOUR_NS,
            (double)totals->member_ns / (double)HOUR_NS, (unsigned long long)totals->datagrams,
            (unsigned long long)totals->nodes_max, (unsigned long long)totals->failures,
            (double)totals->wall_ns / (double)SIM_SECOND);
    fflush(out);
}

static bool is_over(const struct swarm_options *options, const struct swarm_totals *totals)
{
    return (options->seeds != 0 && totals->seeds >= options->seeds) ||
           (options->virtual_ns != 0 && totals->virtual_ns >= options->virtual_ns) ||
           (options->wall_ns != 0 && totals->wall_ns >= options->wall_ns);
}

/* ---- A failure --------------------------------------------------------------------------- */

static void print_part(void *context, const char *text, size_t size)
{
    fwrite(text, 1, size, (FILE *)context);
}

static bool is_time_left(void *context)
{
    return wall_clock() < *(const uint64_t *)context;
}

static void reduce_and_show(struct plan *plan, FILE *out)
{
    uint64_t end_ns = wall_clock() + REDUCE_NS;
    struct reduce_options options = {.may_go_on = is_time_left, .context = &end_ns};
    struct reduce_result result;

    fprintf(out, "swarm: reducing it, for %llu s at most ...\n",
            (unsigned long long)(REDUCE_NS / SIM_SECOND));
    fflush(out);
    if (!reduce_plan(plan, &options, &result)) {
        fprintf(out, "swarm: it does not fail again: the simulator is not deterministic\n");
        return;
    }
    fprintf(out, "swarm: reduced in %lu runs to %lu nodes and %lu actions, which fail with\n  %s\n",
            (unsigned long)result.runs, (unsigned long)plan->nodes,
            (unsigned long)plan->action_count, result.failure);
}

static void show_failure(const struct swarm_options *options, struct plan *plan,
                         const struct run_result *result, FILE *out)
{
    unsigned long long seed = (unsigned long long)plan->seed;

    fprintf(out, "swarm: seed %llu failed: %s\n", seed, result->failure);
    fprintf(out, "swarm: repeat with: swimsim swarm --seeds 1 --seed %llu --max-nodes %lu\n", seed,
            (unsigned long)options->nodes_max);
    if (!options->is_unreduced)
        reduce_and_show(plan, out);
    fprintf(out,
            "swarm: as a scenario, for: swimsim run swarm-%llu.toml\n"
            "# ---- swarm-%llu.toml\n",
            seed, seed);
    plan_print(plan, print_part, out);
    fprintf(out, "# ----\n");
    fflush(out);
}

/* ---- All seeds --------------------------------------------------------------------------- */

static void count(struct swarm_totals *totals, const struct plan *plan,
                  const struct run_result *result)
{
    uint32_t nodes = plan_nodes_total(plan);

    totals->seeds++;
    totals->virtual_ns += result->ended_ns;
    totals->member_ns += result->ended_ns * nodes;
    totals->datagrams += result->datagrams;
    totals->nodes_max = nodes > totals->nodes_max ? nodes : totals->nodes_max;
}

bool swarm_run(const struct swarm_options *options, FILE *out, struct swarm_totals *ret_totals)
{
    struct plan *plan = calloc(1, sizeof *plan);
    struct run_options run = {0};
    struct run_result result;
    uint64_t begin_ns = wall_clock();

    ASSERT(plan != NULL);
    memset(ret_totals, 0, sizeof *ret_totals);
    while (ret_totals->failures == 0 && !is_over(options, ret_totals)) {
        swarm_draw(options->seed + ret_totals->seeds, options->nodes_max, plan);
        ret_totals->failures += !guard_run(plan, &run, &result);
        count(ret_totals, plan, &result);
        ret_totals->wall_ns = wall_clock() - begin_ns;
        if (options->every != 0 && ret_totals->seeds % options->every == 0)
            show_totals(out, "swarm", ret_totals);
    }
    if (ret_totals->failures != 0)
        show_failure(options, plan, &result, out);
    show_totals(out, "swarm: all", ret_totals);
    free(plan);
    return ret_totals->failures == 0;
}
