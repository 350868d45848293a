/*
 * The runner: a plan becomes a simulation, which is run from step to step. A step is a time at
 * which the plan does something, or somebody wants to look. Cutting a run into steps does not
 * change it, so it does not matter to the run how many look.
 */
#include "swimsim/run_private.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS (SIM_SECOND / 10) /* the collector's: how exactly convergence is timed */
#define CHECK_NS SIM_SECOND
/* swim_check of all costs n * n; in clusters of this size it is done every second. */
#define CHECKED_EACH_SECOND UINT64_C(1000)

/* ---- Making it --------------------------------------------------------------------------- */

static uint64_t check_period(const struct run *run)
{
    uint64_t seconds =
        (uint64_t)run->total * run->total / CHECKED_EACH_SECOND / CHECKED_EACH_SECOND;

    if (run->options->has_no_checks)
        return SIM_NEVER;
    if (run->options->checks_each_event)
        return 0;
    return (seconds > 0 ? seconds : 1) * SIM_SECOND;
}

/* Tables for twice the nodes: restarts under new ids leave the old ones behind for a while. */
static uint32_t members_max(const struct plan *plan)
{
    uint32_t members = 2 * plan_nodes_total(plan);

    return members < 256 ? 256 : members;
}

static struct sim *make_sim(const struct run *run)
{
    const struct plan *plan = run->plan;
    uint32_t setting = plan_setting_find("gossip", "members_max");
    struct sim_config config;
    struct sim *sim;

    sim_config_default(&config, plan->seed, run->total);
    config.family = plan->family;
    config.net = plan->net;
    config.receive_buffer = plan->receive_buffer;
    config.check_period_ns = check_period(run);
    config.keep_events = false;
    config.member = plan->member;
    if ((plan->settings >> setting & 1) == 0)
        config.member.members_max = members_max(plan);
    sim = sim_new(&config);
    if (sim == NULL)
        (void)run_allocate(SIZE_MAX / 2, 1); /* reports and aborts */
    return sim;
}

/* Those that need figures. */
static bool has_expectations(const struct plan_expect *expect)
{
    return expect->is_converged || expect->tags_agree || expect->nobody_failed ||
           expect->nobody_suspected || expect->false_positives.is_set ||
           expect->healthy_false_positives.is_set || expect->joined_within_ns != 0 ||
           expect->converged_within_ns != 0 || expect->deaths_known_within_ns != 0 ||
           expect->leaves_known_within_ns != 0;
}

static void watch(struct run *run, bool is_collecting)
{
    struct collect_config collect;
    struct check_config check;
    struct trace_config trace = {.out = run->options->trace,
                                 .has_datagrams = run->options->traces_datagrams};

    if (run->options->trace != NULL)
        run->trace = trace_new(run->sim, &trace);
    if (is_collecting) {
        collect_config_default(&collect, run->total);
        run->collect = collect_new(run->sim, &collect);
    }
    if (!run->options->has_no_checks) {
        check_config_default(&check, run->plan, run);
        check.off = run->options->checks_off;
        run->check = check_new(run->sim, &check);
    }
}

static void begin(struct run *run, bool is_collecting)
{
    run->total = plan_nodes_total(run->plan);
    run->sim = make_sim(run);
    watch(run, is_collecting);
    run_add_nodes(run);
    run_set_zone_links(run);
}

static void end(struct run *run)
{
    sim_free(run->sim);
    check_free(run->check);
    collect_free(run->collect);
    trace_free(run->trace);
    run_free_endings(run);
    run_free_nodes(run);
}

/* ---- Running it -------------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_step(const struct run *run)
{
    uint64_t next_ns = earlier(run->plan->duration_ns, run->next_tick_ns);

    next_ns = earlier(next_ns, run->next_check_ns);
    next_ns = earlier(next_ns, run_next_start(run));
    next_ns = earlier(next_ns, run_next_ending(run));
    return earlier(next_ns, run_next_action(run));
}

/* Those who look come before those who do something at the same time. */
static bool look(struct run *run)
{
    uint64_t now_ns = sim_now(run->sim);
    bool is_good = true;

    if (now_ns >= run->next_tick_ns) {
        run->next_tick_ns += TICK_NS;
        if (run->collect != NULL)
            collect_tick(run->collect);
    }
    if (now_ns >= run->next_check_ns) {
        run->next_check_ns += CHECK_NS;
        is_good = run->check == NULL || check_tick(run->check);
    }
    return is_good;
}

/* What a warm start took is not to be measured, and nobody has told of it. */
static void note_acquainted(struct run *run)
{
    if (run->collect != NULL)
        collect_reset(run->collect);
    if (run->check != NULL)
        check_acquainted(run->check);
}

/* To the end, or to the first fault that was found. */
static void go(struct run *run)
{
    struct run_progress progress;
    bool is_good = true;

    progress_begin(&progress, run->options->progress);
    run->next_tick_ns = TICK_NS;
    run->next_check_ns = CHECK_NS;
    run_start_due(run);
    if (run->plan->start.kind == PLAN_START_ACQUAINTED)
        note_acquainted(run);
    run_do_due(run);
    while (is_good && sim_now(run->sim) < run->plan->duration_ns) {
        is_good = sim_run(run->sim, next_step(run) - sim_now(run->sim)) && look(run);
        if (!is_good || sim_now(run->sim) == run->plan->duration_ns)
            break;
        run_start_due(run);
        run_do_due(run);
        if (run->options->progress != RUN_PROGRESS_NONE)
            progress_show(&progress, run);
    }
    progress_end(&progress);
}

/* ---- Its end ----------------------------------------------------------------------------- */

static void fail(struct run_result *ret, uint64_t at_ns, const char *text)
{
    if (!ret->is_ok)
        return;
    ret->is_ok = false;
    ret->failed_at_ns = at_ns;
    (void)snprintf(ret->failure, sizeof ret->failure, "%s", text);
}

static void judge(struct run *run, const struct figures *figures, struct run_result *ret)
{
    bool is_checked = !run->options->has_no_checks;
    char text[sizeof ret->failure];

    if (is_checked && sim_failure(run->sim) == NULL)
        (void)sim_check(run->sim);
    if (run->check != NULL && !check_tick(run->check))
        fail(ret, check_failed_at(run->check), check_failure(run->check));
    if (sim_failure(run->sim) != NULL)
        fail(ret, sim_now(run->sim), sim_failure(run->sim));
    if (is_checked && ret->is_ok && figures != NULL && !run_meets(run, figures, text, sizeof text))
        fail(ret, sim_now(run->sim), text);
}

static void sum_up(const struct run *run, struct run_result *ret)
{
    struct sim_traffic sent = sim_sent(run->sim, SIM_NOBODY);

    ret->ended_ns = sim_now(run->sim);
    ret->trace_hash = sim_trace_hash(run->sim);
    ret->datagrams = sent.datagrams_total;
}

bool run_plan(const struct plan *plan, const struct run_options *options, struct run_result *ret,
              struct figures *ret_figures)
{
    struct run run = {.plan = plan, .options = options};
    struct figures figures = {0};
    struct plan_error error;
    bool is_collecting =
        ret_figures != NULL || (!options->has_no_checks && has_expectations(&plan->expect));

    ASSERT(plan_check(plan, &error));
    *ret = (struct run_result){.is_ok = true, .failed_at_ns = SWIM_NEVER};
    begin(&run, is_collecting);
    go(&run);
    if (is_collecting)
        collect_finish(run.collect, &figures);
    judge(&run, is_collecting ? &figures : NULL, ret);
    sum_up(&run, ret);
    if (ret_figures != NULL)
        *ret_figures = figures;
    else
        figures_free(&figures);
    end(&run);
    return ret->is_ok;
}
