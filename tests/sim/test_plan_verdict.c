/* The runner (swimsim/run.h, run_verdict.c): nobody who looks on changes a run, and what it says in the
 * end of what was expected. */
#include "stories.h"

static struct plan *eventful_plan(void)
{
    struct plan *plan = new_plan(12, 60);

    plan->net.loss_permille = 50;
    plan->start.kind = PLAN_START_TOGETHER;
    plan->plain = range(11, 11);
    add(plan, PLAN_KILL, 10, by_lot(1));
    add(plan, PLAN_RESTART, 12, by_lot(3))->every_ns = 4 * SIM_SECOND;
    add(plan, PLAN_PAUSE, 13, by_lot(2))->for_ns = 700 * SWIM_MS;
    add(plan, PLAN_CUT, 20, by_lot(2))->for_ns = 3 * SIM_SECOND;
    return plan;
}

static void looking_on_changes_nothing(void **state)
{
    (void)state;
    struct plan *plan = eventful_plan();
    struct story story = tell(plan);
    struct run_options ways[] = {{.has_no_checks = true}, {.checks_each_event = true}, {0}};
    struct run_result result;
    struct figures figures;

    assert_true(story.result.datagrams > 1000);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        (void)run_plan(plan, &ways[i], &result, NULL);
        assert_true(result.trace_hash == story.result.trace_hash);
        assert_int_equal(result.datagrams, story.result.datagrams);
    }
    (void)run_plan(plan, &ways[0], &result, &figures);
    assert_true(figures.trace_hash == story.result.trace_hash);
    assert_true(story.figures.trace_hash == story.result.trace_hash);
    figures_free(&figures);
    plan->seed = 2;
    (void)run_plan(plan, &ways[0], &result, NULL);
    assert_true(result.trace_hash != story.result.trace_hash);
    forget(&story);
    free(plan);
}

/* The same on every platform: the golden file serves all builds. If a run is meant to change:
 * SWIM_GOLDEN=write meson test -C DIR plan_run */
static void the_run_is_the_same_everywhere(void **state)
{
    (void)state;
    struct plan *plan = eventful_plan();
    struct run_options options = {.has_no_checks = true};
    struct run_result result;
    const char *folder = getenv("SWIM_TEST_GOLDEN");
    const char *mode = getenv("SWIM_GOLDEN");
    char path[1024];
    char told[64] = "";
    char now[64];
    FILE *file;

    assert_non_null(folder);
    (void)run_plan(plan, &options, &result, NULL);
    free(plan);
    (void)snprintf(path, sizeof path, "%s/plan_run.hash", folder);
    (void)snprintf(now, sizeof now, "%016llx, %llu datagrams\n",
                   (unsigned long long)result.trace_hash, (unsigned long long)result.datagrams);
    file = fopen(path, mode != NULL && strcmp(mode, "write") == 0 ? "w+" : "r");
    assert_non_null(file);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        (void)fputs(now, file);
        rewind(file);
    }
    assert_non_null(fgets(told, sizeof told, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(now, told);
}

static void must_be_unmet(struct plan *plan, const char *part)
{
    struct run_options options = {0};
    struct run_result result;

    assert_false(run_plan(plan, &options, &result, NULL));
    if (strstr(result.failure, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", result.failure, part);
    assert_false(result.is_ok);
    memset(&plan->expect, 0, sizeof plan->expect);
}

static void expectations_that_are_not_met(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 60);

    add(plan, PLAN_LOSSY, 10, range(3, 3))->in_permille = 1000;
    add(plan, PLAN_KILL, 20, range(5, 5));
    add(plan, PLAN_LEAVE, 50, range(6, 6));
    plan->expect.is_converged = true;
    must_be_unmet(plan, "expect converged");
    plan->expect.nobody_failed = true;
    must_be_unmet(plan, "expect nobody_failed: running members were declared dead");
    plan->expect.nobody_suspected = true;
    must_be_unmet(plan, "expect nobody_suspected");
    plan->expect.converged_within_ns = SIM_SECOND;
    must_be_unmet(plan, "expect converged_within = 1s: not even at the end");
    plan->expect.deaths_known_within_ns = SIM_SECOND;
    must_be_unmet(plan, "expect deaths_known_within = 1s: n5 stopped at 20.0 s");
    plan->expect.leaves_known_within_ns = 1;
    must_be_unmet(plan, "expect leaves_known_within = 1ns: n6 stopped at 50.0 s");
    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.rest_after_ns = 3 * SIM_SECOND;
    plan->expect.joined_within_ns = 1;
    must_be_unmet(plan, "expect joined_within = 1ns: all saw all");
    plan->net.loss_permille = 1000;
    plan->expect.joined_within_ns = SIM_SECOND;
    must_be_unmet(plan, "never did all see all");
    free(plan);
}

static void expectations_can_be_ignored(void **state)
{
    (void)state;
    struct plan *plan = new_plan(3, 20);
    struct run_options options = {.has_no_checks = true};
    struct run_result result;

    add(plan, PLAN_KILL, 19, range(0, 0));
    plan->expect.is_converged = true;
    assert_true(run_plan(plan, &options, &result, NULL));
    must_be_unmet(plan, "expect converged");
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_on_changes_nothing),
        cmocka_unit_test(the_run_is_the_same_everywhere),
        cmocka_unit_test(expectations_that_are_not_met),
        cmocka_unit_test(expectations_can_be_ignored),
    };

    return cmocka_run_group_tests_name("plan_verdict", tests, NULL, NULL);
}
