/* The reducer (swimsim/reduce.h), on faults made up here: what must stay, stays; all else goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/check.h"
#include "swimsim/reduce.h"
#include "swimsim/swarm.h"

/* A made-up fault of the simulated: what a plan must have to fail, and by which checker. */
struct fault {
    const char *failure;
    enum plan_kind kind; /* there must be an action of this kind */
    uint32_t nodes_min;  /* and so many nodes */
    uint32_t loss_min;   /* and so much loss in one of its networks */
    const char *setting; /* and this setting of [probes] at `value` */
    uint32_t value;
    uint32_t other_below; /* with fewer nodes than this it fails by another checker */
    uint64_t failed_at_ns;
    uint32_t runs_max; /* a budget */
    uint32_t runs;
};

static bool has_kind(const struct plan *plan, enum plan_kind kind)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        if (plan->actions[i].kind == kind)
            return true;
    }
    return false;
}

static bool has_loss(const struct plan *plan, uint32_t permille)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        if (plan->actions[i].kind == PLAN_NETWORK && plan->actions[i].net.loss_permille >= permille)
            return true;
    }
    return permille == 0;
}

static bool fails(void *context, const struct plan *plan, char *ret_failure, size_t size,
                  uint64_t *ret_failed_at_ns)
{
    struct fault *fault = context;
    struct plan_error error;

    fault->runs++;
    assert_true(plan_check(plan, &error));
    if (plan->nodes < fault->other_below) {
        snprintf(ret_failure, size, "order: another one");
        *ret_failed_at_ns = 1;
        return true;
    }
    if (!has_kind(plan, fault->kind) || plan->nodes < fault->nodes_min ||
        !has_loss(plan, fault->loss_min) || plan->duration_ns < fault->failed_at_ns)
        return false;
    if (fault->setting != NULL &&
        plan_setting_get(plan, plan_setting_find("probes", fault->setting)) != fault->value)
        return false;
    snprintf(ret_failure, size, "%s", fault->failure);
    *ret_failed_at_ns = fault->failed_at_ns;
    return true;
}

static bool may_go_on(void *context)
{
    const struct fault *fault = context;

    return fault->runs_max == 0 || fault->runs < fault->runs_max;
}

/* The first scenario of the swarm with so many actions at least that fails. */
static struct plan *drawn(struct fault *fault, uint32_t actions)
{
    struct plan *plan = malloc(sizeof *plan);
    char failure[64];
    uint64_t at_ns;

    assert_non_null(plan);
    for (uint64_t seed = 1; seed < 5000; seed++) {
        swarm_draw(seed, 40, plan);
        if (plan->action_count >= actions && plan->nodes >= fault->other_below &&
            fails(fault, plan, failure, sizeof failure, &at_ns))
            return plan;
    }
    fail_msg("no seed draws such a scenario");
    return NULL;
}

static struct reduce_result reduced(struct plan *plan, struct fault *fault)
{
    struct reduce_options options = {.fails = fails, .may_go_on = may_go_on, .context = fault};
    struct reduce_result result;

    fault->runs = 0;
    assert_true(reduce_plan(plan, &options, &result));
    assert_string_equal(result.failure, fault->failure);
    assert_int_equal(result.runs, fault->runs);
    assert_true(result.kept > 0);
    return result;
}

static void all_actions_but_the_one_that_matters_go(void **state)
{
    (void)state;
    struct fault fault = {"self: x", .kind = PLAN_RESTART, .nodes_min = 3,
                          .failed_at_ns = 45 * SIM_SECOND};
    struct plan *plan = drawn(&fault, 6);

    reduced(plan, &fault);
    assert_int_equal(plan->action_count, 1);
    assert_int_equal(plan->actions[0].kind, PLAN_RESTART);
    assert_int_equal(plan->actions[0].every_ns, 0);
    assert_true(plan->actions[0].at_ns <= SIM_SECOND);
    assert_true(plan->actions[0].who.kind == PLAN_SELECT_COUNT);
    assert_int_equal(plan->actions[0].who.value, 1);
    assert_int_equal(plan->nodes, 3);
    assert_int_equal(plan->settings, 0);
    assert_int_equal(plan->zone_count, 0);
    assert_int_equal(plan->plain.kind, PLAN_SELECT_NONE);
    assert_int_equal(plan->duration_ns, 47 * SIM_SECOND); /* just beyond the failure */
    free(plan);
}

static void what_the_network_does_is_cut_down_too(void **state)
{
    (void)state;
    struct fault fault = {"order: x", .kind = PLAN_NETWORK, .nodes_min = 2, .loss_min = 50};
    struct plan *plan = drawn(&fault, 4);
    const struct sim_net *net = &plan->actions[0].net;
    struct plan usual;

    plan_default(&usual);
    reduced(plan, &fault);
    assert_int_equal(plan->action_count, 1);
    assert_int_equal(plan->nodes, 2);
    assert_true(net->loss_permille >= 50);
    assert_int_equal(net->duplicate_permille + net->corrupt_permille + net->reorder_permille, 0);
    assert_int_equal(net->bandwidth + net->jitter_ns, 0);
    assert_int_equal(net->delay_max_ns, usual.net.delay_max_ns);
    free(plan);
}

static void the_setting_that_matters_stays(void **state)
{
    (void)state;
    struct fault fault = {"self: x", .kind = PLAN_KILL, .setting = "indirect_k", .value = 4};
    struct plan *plan = drawn(&fault, 2);
    uint32_t setting = plan_setting_find("probes", "indirect_k");

    reduced(plan, &fault);
    assert_int_equal(plan->settings, UINT64_C(1) << setting);
    assert_int_equal(plan_setting_get(plan, setting), 4);
    free(plan);
}

/* A smaller plan that fails otherwise is no smaller form of this failure. */
static void the_checker_stays_the_same(void **state)
{
    (void)state;
    struct fault fault = {"self: x", .kind = PLAN_PAUSE, .other_below = 5};
    struct plan *plan = drawn(&fault, 3);

    reduced(plan, &fault);
    assert_int_equal(plan->nodes, 5);
    free(plan);
}

/* What is found long after the last fault needs its time, whatever is left of the plan. */
static void the_end_keeps_its_distance(void **state)
{
    (void)state;
    struct fault fault = {"agreement: x", .kind = PLAN_SPLIT};
    struct plan *plan = drawn(&fault, 4);

    reduced(plan, &fault);
    assert_int_equal(plan->action_count, 1);
    assert_true(check_demands_agreement(plan));
    assert_true(plan->duration_ns >
                plan_faults_end_ns(plan) + check_bound_ns(plan) + check_silence_ns(plan));
    free(plan);
}

static void a_budget_is_kept(void **state)
{
    (void)state;
    struct fault fault = {"self: x", .kind = PLAN_RESTART, .runs_max = 7};
    struct plan *plan = drawn(&fault, 6);

    assert_int_equal(reduced(plan, &fault).runs, 7);
    free(plan);
}

static void what_does_not_fail_is_left_alone(void **state)
{
    (void)state;
    struct fault fault = {"self: x", .kind = PLAN_RESTART};
    struct reduce_options options = {.fails = fails, .context = &fault};
    struct reduce_result result;
    struct plan *plan = drawn(&fault, 6);
    struct plan *before = malloc(sizeof *before);

    assert_non_null(before);
    *before = *plan;
    fault.nodes_min = 1000;
    assert_false(reduce_plan(plan, &options, &result));
    assert_int_equal(result.runs, 1);
    assert_true(plan_equal(plan, before));
    free(before);
    free(plan);
}

static void a_checkers_name_ends_at_the_colon(void **state)
{
    (void)state;
    assert_int_equal(reduce_checker("false-death: n3 at 1.000 s: says"), 11);
    assert_int_equal(reduce_checker("self"), 4);
    for (uint32_t i = 0; i < CHECK_COUNT; i++)
        assert_int_equal(check_find(check_name((enum check_id)i)), i);
    assert_int_equal(check_find("nonsense"), CHECK_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_actions_but_the_one_that_matters_go),
        cmocka_unit_test(what_the_network_does_is_cut_down_too),
        cmocka_unit_test(the_setting_that_matters_stays),
        cmocka_unit_test(the_checker_stays_the_same),
        cmocka_unit_test(the_end_keeps_its_distance),
        cmocka_unit_test(a_budget_is_kept),
        cmocka_unit_test(what_does_not_fail_is_left_alone),
        cmocka_unit_test(a_checkers_name_ends_at_the_colon),
    };

    return cmocka_run_group_tests_name("reduce", tests, NULL, NULL);
}
