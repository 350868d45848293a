/* The runner (swimsim/run.h): starts, stops, and to whom actions are done. Runs are read by their trace.
 * Faults are in test_plan_faults.c, what is expected of a run in test_plan_verdict.c. */
#include "stories.h"

/* ---- Starting ---------------------------------------------------------------------------- */

static void one_by_one(void **state)
{
    (void)state;
    struct plan *plan = new_plan(4, 10);
    struct story story;

    plan->start.kind = PLAN_START_ONE_BY_ONE;
    plan->start.every_ns = 500 * SWIM_MS;
    plan->start.seeds = PLAN_SEEDS_RING;
    plan->expect.joined_within_ns = 2 * SIM_SECOND;
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 0; i < 4; i++)
        must_happen(&story, i, "starts", (uint32_t)i * 500, 1);
    assert_int_equal(story.figures.running, 4);
    forget(&story);
}

static void several_clusters(void **state)
{
    (void)state;
    struct plan *plan = new_plan(9, 30);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.rest_after_ns = SIM_SECOND;
    plan->start.clusters = 3;
    story = tell_and_free(plan);
    for (int i = 0; i < 9; i++)
        must_happen(&story, i, "starts", i % 3 == 0 ? 0 : 1000, 1);
    /* Each met the two others of its cluster, and nobody else. */
    assert_int_equal(count_lines(&story, -1, "meets", 0, 30000, NULL), 9 * 2);
    assert_null(strstr(story.text, "n0     meets n3"));
    assert_non_null(strstr(story.text, "n3     meets n4"));
    forget(&story);
}

/* n9 of the second cluster gets the address of n4 of the first one, which is dead. Without names the
 * first looks for n4, finds n9, and the two become one. */
static struct story reused_address(const char *names)
{
    struct plan *plan = new_plan(10, 120);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.clusters = 2;
    snprintf(plan->start.names, sizeof plan->start.names, "%s", names);
    add(plan, PLAN_KILL, 20, range(4, 4));
    add(plan, PLAN_MOVE, 30, range(9, 9))->other = range(4, 4);
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_true(story.figures.is_converged);
    return story;
}

static void clusters_of_different_names_never_merge(void **state)
{
    (void)state;
    struct story story = reused_address("A, B");

    assert_int_equal(count_lines(&story, 0, "meets", 0, 120000, NULL), 4);
    assert_int_equal(count_lines(&story, -1, "meets n9/2", 0, 120000, NULL), 4);
    assert_null(strstr(story.text, "n0     meets n9"));
    assert_null(strstr(story.text, "n5     meets n0"));
    forget(&story);

    story = reused_address("A, A");
    assert_int_equal(count_lines(&story, -1, "meets n9/2", 0, 120000, NULL), 8);
    assert_non_null(strstr(story.text, "n5     meets n0"));
    forget(&story);
}

static void acquainted(void **state)
{
    (void)state;
    struct plan *plan = new_plan(20, 20);
    struct story story;

    plan->expect.joined_within_ns = SIM_SECOND;
    plan->expect.nobody_suspected = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_int_equal(story.figures.events[SWIM_EVENT_JOINED], 0); /* it was not measured */
    forget(&story);
}

static void random_seeds(void **state)
{
    (void)state;
    struct plan *plan = new_plan(30, 30);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.seeds = PLAN_SEEDS_RANDOM;
    plan->start.seed_count = 3;
    plan->expect.joined_within_ns = 10 * SIM_SECOND;
    story = tell_and_free(plan);
    must_be_ok(&story);
    forget(&story);
}

static void further_nodes_join(void **state)
{
    (void)state;
    struct plan *plan = new_plan(3, 30);
    struct plan_action *action = plan_add(plan, PLAN_JOIN, 5 * SIM_SECOND);
    struct story story;

    action->count = 2;
    action->every_ns = 2 * SIM_SECOND;
    action->until_ns = 10 * SIM_SECOND;
    plan->expect.converged_within_ns = 5 * SIM_SECOND;
    assert_int_equal(plan_nodes_total(plan), 9);
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 3; i < 9; i++)
        must_happen(&story, i, "starts", 5000 + (uint32_t)(i - 3) / 2 * 2000, 1);
    assert_int_equal(story.figures.running, 9);
    forget(&story);
}

static void plain_nodes_among_ours(void **state)
{
    (void)state;
    struct plan *plan = new_plan(10, 90);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->plain = range(6, 8);
    add(plan, PLAN_KILL, 20, range(7, 7));
    add(plan, PLAN_LEAVE, 20, range(8, 8));
    add(plan, PLAN_RESTART, 50, range(7, 7));
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "starts, a program that is not ours", 0, 3);
    must_happen(&story, 7, "crashes", 20000, 1);
    assert_int_equal(story.figures.running, 9);
    forget(&story);
}

/* ---- Stopping and coming back ------------------------------------------------------------ */

static void the_dead_stay_dead_and_those_that_leave_say_so(void **state)
{
    (void)state;
    struct plan *plan = new_plan(10, 60);
    struct story story;

    add(plan, PLAN_KILL, 10, range(2, 3));
    add(plan, PLAN_LEAVE, 12, range(4, 4));
    add(plan, PLAN_KILL, 20, range(2, 3)); /* they do not run: nothing happens */
    plan->expect.is_converged = true;
    plan->expect.deaths_known_within_ns = 20 * SIM_SECOND;
    plan->expect.leaves_known_within_ns = 2 * SIM_SECOND;
    plan->expect.false_positives.is_set = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "crashes", 10000, 2);
    must_happen(&story, 4, "begins to leave", 12000, 1);
    assert_int_equal(story.figures.killed, 2);
    assert_int_equal(story.figures.left, 1);
    forget(&story);
}

static void restarts(void **state)
{
    (void)state;
    static const enum plan_restart ways[] = {PLAN_RESTART_NEW_ID, PLAN_RESTART_SAME_ID,
                                             PLAN_RESTART_NO_MEMORY};
    static const char *const said[] = {"starts", "starts again under its old id (incarnation 1)",
                                       "starts again under its old id"};

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct plan *plan = new_plan(6, 60);
        struct plan_action *action = add(plan, PLAN_RESTART, 10, range(3, 3));
        struct story story;
        action->restart = ways[i];
        action->for_ns = 2500 * SWIM_MS;
        plan->expect.converged_within_ns = 30 * SIM_SECOND;
        story = tell_and_free(plan);
        must_be_ok(&story);
        must_happen(&story, 3, "crashes", 10000, 1);
        must_happen(&story, 3, said[i], 12500, 1);
        forget(&story);
    }
}

/* Whoever is killed while it is down for a restart comes back all the same; a second restart does not
 * take it. */
static void restarts_that_overlap(void **state)
{
    (void)state;
    struct plan *plan = new_plan(6, 40);
    struct story story;

    add(plan, PLAN_RESTART, 10, range(3, 3))->for_ns = 5 * SIM_SECOND;
    add(plan, PLAN_KILL, 11, range(3, 3));
    add(plan, PLAN_RESTART, 12, range(3, 3))->for_ns = SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_int_equal(count_lines(&story, 3, "starts", 1, 40000, NULL), 1);
    must_happen(&story, 3, "starts", 15000, 1);
    forget(&story);
}

static void a_node_moves(void **state)
{
    (void)state;
    struct plan *plan = new_plan(6, 60);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_MOVE, 10, range(3, 3))->restart = PLAN_RESTART_SAME_ID;
    add(plan, PLAN_KILL, 12, range(5, 5));
    action = add(plan, PLAN_MOVE, 30, range(4, 4)); /* 5 is gone: its address is free */
    action->other = range(5, 5);
    action = add(plan, PLAN_MOVE, 31, range(2, 2)); /* 1 runs: its address is not */
    action->other = range(1, 1);
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_non_null(strstr(story.text, "n3     has the address 10.128.0.1:7946"));
    assert_non_null(strstr(story.text, "n4     has the address 10.0.0.6:7946"));
    assert_int_equal(count_lines(&story, 2, "crashes", 0, 60000, NULL), 0);
    assert_int_equal(story.figures.running, 5);
    forget(&story);
}

/* ---- Choices ----------------------------------------------------------------------------- */

static uint32_t killed(const struct plan *plan, bool *ret_nodes)
{
    struct story story = tell(plan);
    uint32_t count;

    memset(ret_nodes, 0, NODES_MAX * sizeof *ret_nodes);
    count = count_lines(&story, -1, "crashes", 0, UINT32_MAX, ret_nodes);
    forget(&story);
    return count;
}

static uint32_t in_common(const bool *one, const bool *two)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += one[i] && two[i];
    return count;
}

/* Taking an action away, or some nodes, leaves the other choices as they are. */
static void choices_do_not_hang_together(void **state)
{
    (void)state;
    struct plan *plan = new_plan(60, 12);
    bool both[NODES_MAX];
    bool second[NODES_MAX];
    bool fewer[NODES_MAX];
    bool other_seed[NODES_MAX];

    add(plan, PLAN_KILL, 10, by_lot(10));
    add(plan, PLAN_KILL, 11, by_lot(10));
    assert_int_equal(killed(plan, both), 20); /* never one that is dead already */
    plan_remove(plan, 0);
    assert_int_equal(killed(plan, second), 10);
    assert_true(in_common(both, second) >= 8);
    plan->nodes = 50;
    assert_int_equal(killed(plan, fewer), 10);
    assert_true(in_common(second, fewer) >= 6);
    plan->nodes = 60;
    plan->seed = 2;
    assert_int_equal(killed(plan, other_seed), 10);
    assert_true(in_common(second, other_seed) <= 6);
    free(plan);
}

static void shares_and_repetitions(void **state)
{
    (void)state;
    struct plan *plan = new_plan(60, 30);
    struct plan_action *action =
        add(plan, PLAN_PAUSE, 10, (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 51});
    struct story story;
    bool nodes[NODES_MAX] = {false};
    uint32_t count = 0;

    action->for_ns = 100 * SWIM_MS;
    action->every_ns = 5 * SIM_SECOND;
    story = tell(plan);
    /* 5.1 % of 60, rounded up, four times; each time others. */
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 30000, nodes), 4 * 4);
    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += nodes[i];
    assert_true(count > 8);
    forget(&story);
    memset(nodes, 0, sizeof nodes);
    action->is_same = true;
    story = tell_and_free(plan);
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 30000, nodes), 4 * 4);
    count = 0;
    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += nodes[i];
    assert_int_equal(count, 4);
    forget(&story);
}

/* Groups do not share a node, and shares are of all. */
static void groups(void **state)
{
    (void)state;
    struct plan *plan = new_plan(40, 120);
    struct plan_action *action = plan_add(plan, PLAN_SPLIT, 10 * SIM_SECOND);
    struct story story;

    action->group_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        action->groups[i] = (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 250};
    story = tell_and_free(plan);
    /* Four groups of ten: each marks the thirty others. */
    assert_int_equal(count_lines(&story, -1, "marks", 10000, 120000, NULL), 40 * 30);
    forget(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one),
        cmocka_unit_test(several_clusters),
        cmocka_unit_test(clusters_of_different_names_never_merge),
        cmocka_unit_test(acquainted),
        cmocka_unit_test(random_seeds),
        cmocka_unit_test(further_nodes_join),
        cmocka_unit_test(plain_nodes_among_ours),
        cmocka_unit_test(the_dead_stay_dead_and_those_that_leave_say_so),
        cmocka_unit_test(restarts),
        cmocka_unit_test(restarts_that_overlap),
        cmocka_unit_test(a_node_moves),
        cmocka_unit_test(choices_do_not_hang_together),
        cmocka_unit_test(shares_and_repetitions),
        cmocka_unit_test(groups),
    };

    return cmocka_run_group_tests_name("plan_run", tests, NULL, NULL);
}
