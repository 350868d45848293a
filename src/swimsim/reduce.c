/*
 * Making a failing scenario small. See reduce.h. Every change is a function on a copy of the best
 * plan so far; what is invalid, or changes nothing, is not run at all.
 */
#include "swimsim/reduce.h"

#include "base/assert.h"
#include "swimsim/check.h"
#include "swimsim/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHORTEST_NS (100 * SWIM_MS)
/* What is left after silence is demanded, so that it is seen to last. */
#define TAIL_NS (15 * SIM_SECOND)

struct reducer {
    const struct reduce_options *options;
    struct reduce_result *result;
    struct plan *best;
    struct plan *candidate;
    struct plan *usual; /* all defaults */
    uint64_t failed_at_ns;
    bool is_settling; /* the checker looks at the end, long after the last fault */
};

size_t reduce_checker(const char *failure)
{
    return strcspn(failure, ":");
}

void reduce_settle(struct plan *plan)
{
    plan->duration_ns = PLAN_TIME_MAX_NS;
    plan->duration_ns =
        plan_faults_end_ns(plan) + check_bound_ns(plan) + check_silence_ns(plan) + TAIL_NS;
    plan->duration_ns -= plan->duration_ns % SIM_SECOND;
}

static bool fails_by_default(void *context, const struct plan *plan, char *ret_failure, size_t size,
                             uint64_t *ret_failed_at_ns)
{
    struct run_options options = {0};
    struct run_result result;

    (void)context;
    if (guard_run(plan, &options, &result))
        return false;
    snprintf(ret_failure, size, "%s", result.failure);
    *ret_failed_at_ns = result.failed_at_ns;
    return true;
}

/* ---- Trying ------------------------------------------------------------------------------ */

static bool run_candidate(struct reducer *r, char *ret_failure, size_t size,
                          uint64_t *ret_failed_at_ns)
{
    reduce_fails *fails = r->options->fails != NULL ? r->options->fails : fails_by_default;

    r->result->runs++;
    return fails(r->options->context, r->candidate, ret_failure, size, ret_failed_at_ns);
}

static bool is_same_checker(const char *a, const char *b)
{
    return reduce_checker(a) == reduce_checker(b) && strncmp(a, b, reduce_checker(a)) == 0;
}

/* The candidate is kept as the best when it is valid, new, and fails in the same way. */
static bool try_it(struct reducer *r)
{
    char failure[sizeof r->result->failure];
    struct plan_error error;
    uint64_t failed_at_ns = 0;

    if (r->is_settling)
        reduce_settle(r->candidate);
    if ((r->options->may_go_on != NULL && !r->options->may_go_on(r->options->context)) ||
        plan_equal(r->candidate, r->best) || !plan_check(r->candidate, &error) ||
        !run_candidate(r, failure, sizeof failure, &failed_at_ns) ||
        !is_same_checker(failure, r->result->failure))
        return false;
    *r->best = *r->candidate;
    r->failed_at_ns = failed_at_ns;
    memcpy(r->result->failure, failure, sizeof failure);
    r->result->kept++;
    return true;
}

/* A fresh copy of the best, to be changed. */
static struct plan *begin(struct reducer *r)
{
    *r->candidate = *r->best;
    return r->candidate;
}

/* ---- The plan as a whole ----------------------------------------------------------------- */

/* Not for longer than it takes to fail. */
static void cut_short(struct reducer *r)
{
    uint64_t enough_ns = r->failed_at_ns - r->failed_at_ns % SIM_SECOND + 2 * SIM_SECOND;

    if (r->is_settling || enough_ns >= r->best->duration_ns)
        return;
    begin(r)->duration_ns = enough_ns;
    try_it(r);
}

/* Ever smaller groups of actions are left out. */
static void drop_actions(struct reducer *r)
{
    for (uint32_t size = r->best->action_count; size > 0; size /= 2) {
        uint32_t first = 0;

        while (first < r->best->action_count) {
            struct plan *plan = begin(r);

            for (uint32_t i = 0; i < size && first < plan->action_count; i++)
                plan_remove(plan, first);
            if (!try_it(r))
                first += size;
        }
    }
}

static void clamp(struct plan_selection *selection, uint32_t total)
{
    if (selection->kind == PLAN_SELECT_COUNT && selection->value > total)
        selection->value = total;
    if (selection->kind == PLAN_SELECT_RANGE && selection->last >= total)
        selection->last = total - 1;
    if (selection->kind == PLAN_SELECT_RANGE && selection->first > selection->last)
        selection->first = selection->last;
}

static void set_nodes(struct plan *plan, uint32_t nodes)
{
    uint32_t total;

    plan->nodes = nodes;
    total = plan_nodes_total(plan);
    clamp(&plan->plain, nodes);
    for (uint32_t i = 0; i < plan->action_count; i++) {
        struct plan_action *action = &plan->actions[i];

        clamp(&action->who, total);
        clamp(&action->other, total);
        for (uint32_t k = 0; k < action->group_count; k++)
            clamp(&action->groups[k], total);
    }
}

/* By half, by a quarter, by one. */
static void drop_nodes(struct reducer *r)
{
    for (uint32_t part = 2; part <= 4; part *= 2) {
        while (r->best->nodes >= 2 * part) {
            uint32_t nodes = r->best->nodes;

            set_nodes(begin(r), nodes - nodes / part);
            if (!try_it(r))
                break;
        }
    }
    while (r->best->nodes > 1) {
        uint32_t nodes = r->best->nodes;

        set_nodes(begin(r), nodes - 1);
        if (!try_it(r))
            break;
    }
}

static void drop_zones(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        if (plan->actions[i].kind == PLAN_ZONE)
            plan->actions[i].kind = PLAN_NETWORK;
    }
    plan->zone_count = 0;
    plan->zone_link_count = 0;
}

static void simplify_plan(struct reducer *r)
{
    begin(r)->net = r->usual->net;
    try_it(r);
    begin(r)->zone_link_count = 0;
    try_it(r);
    drop_zones(begin(r));
    try_it(r);
    begin(r)->plain = r->usual->plain;
    try_it(r);
    begin(r)->family = 4;
    try_it(r);
    begin(r)->start = r->usual->start;
    try_it(r);
    begin(r)->start.seeds = PLAN_SEEDS_STAR;
    try_it(r);
    begin(r)->start.rest_after_ns = 0;
    try_it(r);
}

/* All settings at their defaults, or else as many as possible. */
static void simplify_settings(struct reducer *r)
{
    struct plan *plan = begin(r);

    plan->member = r->usual->member;
    plan->settings = 0;
    if (try_it(r))
        return;
    for (uint32_t i = 0; i < plan_settings(); i++) {
        if ((r->best->settings >> i & 1) == 0)
            continue;
        plan = begin(r);
        if (plan_setting_set(plan, i, plan_setting_get(r->usual, i)))
            plan->settings &= ~(UINT64_C(1) << i);
        try_it(r);
    }
}

/* ---- Actions, one by one ----------------------------------------------------------------- */

static void simplify_net(struct reducer *r, uint32_t index)
{
    uint32_t *const permilles[] = {
        &r->candidate->actions[index].net.loss_permille,
        &r->candidate->actions[index].net.duplicate_permille,
        &r->candidate->actions[index].net.corrupt_permille,
        &r->candidate->actions[index].net.reorder_permille,
    };
    struct sim_net *net = &r->candidate->actions[index].net;

    for (size_t i = 0; i < sizeof permilles / sizeof permilles[0]; i++) {
        begin(r);
        *permilles[i] = 0;
        try_it(r);
    }
    begin(r);
    net->bandwidth = 0;
    net->queue_bytes = 0;
    try_it(r);
    begin(r);
    net->jitter_ns = 0;
    try_it(r);
    begin(r);
    net->delay = r->usual->net.delay;
    net->delay_min_ns = r->usual->net.delay_min_ns;
    net->delay_max_ns = r->usual->net.delay_max_ns;
    try_it(r);
}

/* As few nodes as possible. */
static void simplify_selection(struct reducer *r, uint32_t index)
{
    struct plan_selection *who = &r->candidate->actions[index].who;

    if (r->best->actions[index].who.kind == PLAN_SELECT_NONE)
        return;
    begin(r);
    *who = (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = 1};
    if (try_it(r) || r->best->actions[index].who.kind != PLAN_SELECT_COUNT)
        return;
    while (r->best->actions[index].who.value > 2) {
        begin(r);
        who->value -= who->value / 2;
        if (!try_it(r))
            break;
    }
}

static uint64_t halved(uint64_t duration_ns)
{
    return duration_ns / 2 - duration_ns / 2 % SWIM_MS;
}

/* Once instead of again and again, for a shorter while, sooner. */
static void simplify_times(struct reducer *r, uint32_t index)
{
    struct plan_action *action = &r->candidate->actions[index];

    begin(r);
    action->every_ns = 0;
    action->until_ns = 0;
    action->is_same = false;
    try_it(r);
    while (r->best->actions[index].for_ns > 2 * SHORTEST_NS) {
        begin(r);
        action->for_ns = halved(action->for_ns);
        if (!try_it(r))
            break;
    }
    while (r->best->actions[index].until_ns > r->best->actions[index].at_ns + SIM_SECOND) {
        begin(r);
        action->until_ns = action->at_ns + halved(action->until_ns - action->at_ns);
        if (!try_it(r))
            break;
    }
    begin(r);
    action->at_ns -= action->at_ns % SIM_SECOND;
    try_it(r);
    while (r->best->actions[index].at_ns > SIM_SECOND) {
        begin(r);
        if (action->until_ns != 0)
            action->until_ns -= action->at_ns - halved(action->at_ns);
        action->at_ns = halved(action->at_ns);
        if (!try_it(r))
            break;
    }
}

static void simplify_kind(struct reducer *r, uint32_t index)
{
    struct plan_action *action = &r->candidate->actions[index];

    begin(r);
    action->restart = PLAN_RESTART_NEW_ID;
    try_it(r);
    begin(r);
    action->is_one_way = false;
    try_it(r);
    begin(r);
    action->is_symmetric = false;
    try_it(r);
    begin(r);
    action->group_count = action->group_count > 1 ? 1 : action->group_count;
    try_it(r);
    begin(r);
    action->count = action->count > 1 ? 1 : action->count;
    try_it(r);
}

static void simplify_actions(struct reducer *r)
{
    for (uint32_t i = 0; i < r->best->action_count; i++) {
        simplify_times(r, i);
        simplify_selection(r, i);
        simplify_kind(r, i);
        simplify_net(r, i);
    }
}

/* ---- The whole --------------------------------------------------------------------------- */

static bool is_at_the_end(const char *failure)
{
    return is_same_checker(failure, check_name(CHECK_AGREEMENT)) ||
           is_same_checker(failure, check_name(CHECK_SILENCE));
}

static void reduce(struct reducer *r)
{
    uint32_t kept_before;

    do {
        kept_before = r->result->kept;
        cut_short(r);
        drop_actions(r);
        drop_nodes(r);
        simplify_settings(r);
        simplify_plan(r);
        simplify_actions(r);
        cut_short(r);
    } while (r->result->kept != kept_before);
}

bool reduce_plan(struct plan *plan, const struct reduce_options *options,
                 struct reduce_result *ret_result)
{
    struct reducer r = {.options = options,
                        .result = ret_result,
                        .best = plan,
                        .candidate = malloc(sizeof *plan),
                        .usual = malloc(sizeof *plan)};
    bool has_failed;

    ASSERT(r.candidate != NULL && r.usual != NULL);
    memset(ret_result, 0, sizeof *ret_result);
    plan_default(r.usual);
    begin(&r);
    has_failed =
        run_candidate(&r, ret_result->failure, sizeof ret_result->failure, &r.failed_at_ns);
    r.is_settling = has_failed && is_at_the_end(ret_result->failure);
    if (has_failed)
        reduce(&r);
    free(r.candidate);
    free(r.usual);
    return has_failed;
}
