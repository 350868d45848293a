/* What the swarm draws, and how it goes about it. That it finds anything is tools/check-bugs's to
 * show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "swimsim/check.h"
#include "swimsim/guard.h"
#include "swimsim/plan_print.h"
#include "swimsim/swarm.h"

#define SEEDS 1500

static struct plan *plan_new(void)
{
    struct plan *plan = malloc(sizeof *plan);

    assert_non_null(plan);
    return plan;
}

/* Each seed gives a scenario that can be run, whose end has to be quiet. */
static void every_seed_draws_a_scenario(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    struct plan_error error;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        swarm_draw(seed, 200, plan);
        if (!plan_check(plan, &error))
            fail_msg("seed %lu: %s", (unsigned long)seed, error.text);
        assert_true(check_demands_agreement(plan));
        assert_in_range(plan->nodes, 2, 200);
        assert_int_equal(plan->seed, seed);
    }
    free(plan);
}

/* All that can happen does, in some scenario; and there are some where nothing does. */
static void everything_is_drawn(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    uint32_t kinds[PLAN_KIND_COUNT] = {0};
    uint32_t restarts[PLAN_RESTART_NO_MEMORY + 1] = {0};
    uint64_t settings = 0;
    uint32_t plain = 0;
    uint32_t quiet = 0;
    uint32_t large = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        swarm_draw(seed, 200, plan);
        settings |= plan->settings;
        plain += plan->plain.kind != PLAN_SELECT_NONE;
        quiet += plan->action_count == 0;
        large += plan->nodes >= 60;
        for (uint32_t i = 0; i < plan->action_count; i++) {
            kinds[plan->actions[i].kind]++;
            restarts[plan->actions[i].restart]++;
        }
    }
    for (uint32_t kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        if (kind != PLAN_HEAL && kinds[kind] < 20) /* every fault has an end of its own */
            fail_msg("%s is drawn %lu times", plan_kind_name((enum plan_kind)kind),
                     (unsigned long)kinds[kind]);
    }
    for (uint32_t i = 0; i <= PLAN_RESTART_NO_MEMORY; i++)
        assert_true(restarts[i] > 20);
    for (uint32_t i = 0; i < plan_settings(); i++) {
        if ((settings >> i & 1) == 0 && strcmp(plan_setting(i)->name, "members_max") != 0)
            fail_msg("%s is never drawn", plan_setting(i)->name);
    }
    assert_true(plain > 50 && quiet > 5 && large > 5);
    free(plan);
}

static void no_more_nodes_than_wanted(void **state)
{
    (void)state;
    struct plan *plan = plan_new();

    for (uint64_t seed = 0; seed < 300; seed++) {
        swarm_draw(seed, 5, plan);
        assert_in_range(plan->nodes, 2, 5);
    }
    free(plan);
}

static void add_text(void *context, const char *text, size_t size)
{
    uint64_t *hash = context;

    for (size_t i = 0; i < size; i++)
        *hash = hash_combine(*hash, (uint8_t)text[i]);
}

/* Compilers may do the calls in one expression in any order: drawing must not depend on it. The
 * number changes with what is drawn, and with nothing else. */
static void a_seed_draws_the_same_everywhere(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    uint64_t hash = 0;

    for (uint64_t seed = 1; seed <= 200; seed++) {
        swarm_draw(seed, 200, plan);
        plan_print(plan, add_text, &hash);
    }
    printf("scenarios of seeds 1 to 200: %016llx\n", (unsigned long long)hash);
    assert_true(hash == UINT64_C(0x795636ce5b36ca81));
    free(plan);
}

static bool runs_clean(const struct swarm_options *options, struct swarm_totals *ret_totals,
                       char *ret_text, size_t size)
{
    FILE *out = tmpfile();
    bool is_good;
    size_t length;

    assert_non_null(out);
    is_good = swarm_run(options, out, ret_totals);
    rewind(out);
    length = fread(ret_text, 1, size - 1, out);
    ret_text[length] = '\0';
    fclose(out);
    return is_good;
}

static void a_short_swarm(void **state)
{
    (void)state;
    struct swarm_options options;
    struct swarm_totals totals;
    struct swarm_totals again;
    char text[4000];

    swarm_options_default(&options);
    options.seed = 3;
    options.seeds = 20;
    options.virtual_ns = 0;
    options.nodes_max = 12;
    options.every = 8;
    assert_true(runs_clean(&options, &totals, text, sizeof text));
    assert_int_equal(totals.seeds, 20);
    assert_int_equal(totals.failures, 0);
    assert_true(totals.virtual_ns > 20 * 60 * SIM_SECOND);
    assert_true(totals.member_ns >= 2 * totals.virtual_ns);
    assert_true(totals.nodes_max <= 12 + 40);
    assert_non_null(strstr(text, "swarm: 8 seeds, "));
    assert_non_null(strstr(text, "swarm: 16 seeds, "));
    assert_non_null(strstr(text, "swarm: all: 20 seeds, "));
    assert_non_null(strstr(text, " 0 failures, "));
    assert_true(runs_clean(&options, &again, text, sizeof text));
    assert_int_equal(again.datagrams, totals.datagrams);
}

static void it_stops_at_its_limits(void **state)
{
    (void)state;
    struct swarm_options options;
    struct swarm_totals totals;
    char text[4000];

    swarm_options_default(&options);
    options.nodes_max = 5;
    options.virtual_ns = 1800 * SIM_SECOND;
    assert_true(runs_clean(&options, &totals, text, sizeof text));
    assert_in_range(totals.seeds, 2, 10);
    assert_true(totals.virtual_ns >= options.virtual_ns);
    options.wall_ns = 1; /* one is begun, and finished */
    assert_true(runs_clean(&options, &totals, text, sizeof text));
    assert_int_equal(totals.seeds, 1);
}

/* A failed assertion is a failure that can be told and reduced, not the end. */
static void assertions_are_caught(void **state)
{
    (void)state;
    struct plan *plan = plan_new();
    struct run_options options = {0};
    struct run_result result;

    plan_default(plan);
    plan->family = 5; /* no plan that run_plan may be given */
    assert_false(guard_run(plan, &options, &result));
    assert_memory_equal(result.failure, "assertion: plan_check", 21);
    plan->family = 4;
    assert_true(guard_run(plan, &options, &result));
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_seed_draws_a_scenario),
        cmocka_unit_test(everything_is_drawn),
        cmocka_unit_test(no_more_nodes_than_wanted),
        cmocka_unit_test(a_seed_draws_the_same_everywhere),
        cmocka_unit_test(a_short_swarm),
        cmocka_unit_test(it_stops_at_its_limits),
        cmocka_unit_test(assertions_are_caught),
    };

    return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}
