/* The runner (swimsim/run_action.c): faults begin and end when they should, and only for those that they
 * are about. Runs are read by their trace. */
#include "stories.h"

static void pauses_and_blocks(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 60);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_PAUSE, 10, range(1, 2))->for_ns = 2 * SIM_SECOND;
    add(plan, PLAN_PAUSE, 11, range(2, 3))->for_ns = 2 * SIM_SECOND; /* 2 is paused already */
    action = add(plan, PLAN_BLOCK, 20, range(5, 5));
    action->for_ns = 3 * SIM_SECOND;
    action->block = SIM_BLOCK_IO;
    plan->expect.converged_within_ns = 20 * SIM_SECOND;
    plan->expect.nobody_failed = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "is paused", 10000, 2);
    must_happen(&story, 3, "is paused", 11000, 1);
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 60000, NULL), 3);
    must_happen(&story, -1, "goes on after its pause", 12000, 2);
    must_happen(&story, 5, "is blocked", 20000, 1);
    must_happen(&story, 5, "is not blocked any more", 23000, 1);
    forget(&story);
}

/* Cut off, it is declared dead; mended, it is back. So for all faults that part nodes. */
static void parted_for_a_while(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_SPLIT, PLAN_CUT, PLAN_LOSSY, PLAN_LINK};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct plan *plan = new_plan(8, 240);
        struct plan_action *action = plan_add(plan, kinds[i], 10 * SIM_SECOND);
        struct story story;
        action->for_ns = 40 * SIM_SECOND;
        action->group_count = kinds[i] == PLAN_SPLIT;
        action->groups[0] = range(3, 3);
        if (kinds[i] != PLAN_SPLIT)
            action->who = range(3, 3);
        action->in_permille = 1000;
        action->out_permille = 1000;
        action->net.loss_permille = 1000;
        plan->expect.converged_within_ns = 60 * SIM_SECOND;
        story = tell_and_free(plan);
        must_be_ok(&story);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 10000, 50000, NULL), 7);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 50001, 240000, NULL), 0);
        /* Nobody was healthy and taken for dead, but by the one that heard nobody. */
        assert_true((kinds[i] == PLAN_SPLIT ? story.figures.unreachable_failed
                                            : story.figures.faulted_failed) >= 7);
        if (kinds[i] == PLAN_SPLIT)
            assert_int_equal(story.figures.false_failed, 0);
        assert_true(story.figures.converged_last_ns >= 50 * SIM_SECOND);
        forget(&story);
    }
}

/* Without an end, a fault lasts until it is healed; what would end later has nothing to mend. */
static void healed_by_hand(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 240);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_CUT, 10, range(3, 3))->is_one_way = true;
    add(plan, PLAN_LOSSY, 10, range(5, 5))->out_permille = 1000;
    add(plan, PLAN_LINK, 10, range(2, 2))->net.loss_permille = 1000;
    action = add(plan, PLAN_LOSSY, 10, range(6, 6));
    action->out_permille = 1000;
    action->for_ns = 150 * SIM_SECOND;
    (void)plan_add(plan, PLAN_HEAL, 50 * SIM_SECOND);
    add(plan, PLAN_LOSSY, 110, range(6, 6))->out_permille = 1000; /* and what began then stays */
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 2; i < 7; i += i == 3 ? 2 : 1) {
        char met[32];
        (void)snprintf(met, sizeof met, "meets n%d", i);
        if (count_lines(&story, -1, met, 50000, 110000, NULL) == 0)
            fail_msg("nobody %s after it was healed\n%s", met, story.text);
    }
    assert_int_equal(count_lines(&story, -1, "marks n6 dead", 110000, 240000, NULL), 7);
    assert_int_equal(count_lines(&story, -1, "meets n6", 110000, 240000, NULL), 0);
    forget(&story);
}

/* The checkers know that one is apart, and ask agreement of the others. */
static void apart_for_good(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_SPLIT, PLAN_CUT, PLAN_LOSSY};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct plan *plan = new_plan(5, 3600);
        struct plan_action *action = add(plan, kinds[i], 10, range(3, 3));
        struct story story;
        action->group_count = kinds[i] == PLAN_SPLIT;
        action->groups[0] = range(3, 3);
        action->in_permille = 1000;
        action->out_permille = 1000;
        assert_true(check_demands_agreement(plan));
        story = tell_and_free(plan);
        must_be_ok(&story);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 10000, 3600000, NULL), 4);
        assert_false(story.figures.is_converged);
        forget(&story);
    }
}

static void a_link_flaps(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 100);
    struct plan_action *action = add(plan, PLAN_LOSSY, 10, range(2, 2));
    struct story story;

    action->in_permille = 1000;
    action->out_permille = 1000;
    action->every_ns = 10 * SIM_SECOND;
    action->for_ns = 10 * SIM_SECOND; /* ends just when it begins again */
    action->until_ns = 41 * SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    /* Gone for all of 40 s: nobody hears it again in between. */
    assert_int_equal(count_lines(&story, -1, "marks n2 dead", 10000, 50000, NULL), 7);
    assert_int_equal(count_lines(&story, -1, "meets n2", 10000, 50000, NULL), 0);
    forget(&story);
}

static void zones_and_networks(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 200);
    struct plan_action *action;
    struct story story;

    plan->zone_count = 2;
    plan->zones[0] = (struct plan_zone){.name = "a", .share = 3};
    plan->zones[1] = (struct plan_zone){.name = "b", .share = 1};
    plan->zone_link_count = 1;
    plan->zone_links[0] = (struct plan_zone_link){.from = 0, .to = 1, .net = plan->net};
    plan->zone_links[0].net.delay_max_ns = 50 * SWIM_MS;
    action = plan_add(plan, PLAN_ZONE, 10 * SIM_SECOND);
    action->zone_from = 1;
    action->zone_to = 0;
    action->net.loss_permille = 1000;
    action->for_ns = 40 * SIM_SECOND;
    action = plan_add(plan, PLAN_NETWORK, 120 * SIM_SECOND);
    action->net.loss_permille = 1000; /* between zones it is that of their link */
    action->for_ns = 2 * SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    /* The six find the two; these, which miss most, may take longer than that for all six. */
    assert_in_range(count_lines(&story, -1, "marks", 10000, 50000, NULL), 6 * 2 + 2, 2 * 6 * 2);
    assert_true(story.figures.dropped[SIM_DROP_LOSS] > 0);
    forget(&story);
}

static void other_faults_do_something(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 120);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_CLOCK_RATE, 10, range(1, 1))->ppm = -50000;
    add(plan, PLAN_CLOCK_JUMP, 10, range(2, 2))->jump_ns = 60 * SIM_SECOND;
    action = add(plan, PLAN_SERVICE, 10, range(3, 3));
    action->service_ns = 200 * SWIM_MS;
    action->buffer = 1;
    action->for_ns = 20 * SIM_SECOND;
    action = add(plan, PLAN_NAT, 10, range(4, 4));
    action->for_ns = 20 * SIM_SECOND;
    action = add(plan, PLAN_SEEDS, 10, range(5, 5));
    action->other = range(6, 7);
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, 1, "has another clock", 10000, 1);
    must_happen(&story, 2, "has another clock", 10000, 1);
    assert_true(story.figures.dropped[SIM_DROP_BUFFER] > 0);
    assert_int_equal(story.figures.events[SWIM_EVENT_PAUSED], 1);
    forget(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_and_blocks),
        cmocka_unit_test(parted_for_a_while),
        cmocka_unit_test(healed_by_hand),
        cmocka_unit_test(apart_for_good),
        cmocka_unit_test(a_link_flaps),
        cmocka_unit_test(zones_and_networks),
        cmocka_unit_test(other_faults_do_something),
    };

    return cmocka_run_group_tests_name("plan_faults", tests, NULL, NULL);
}
