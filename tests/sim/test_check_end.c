/*
 * What the checks ask for in the end (swimsim/check_views.c): all agree, and then there is silence.
 */
#include "checked.h"

/* A partition that the plan does not know of. */
static void all_must_agree_in_the_end(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(600), 0);

    assert_true(run_on(world, 60));
    sim_split(world->sim, 1, 1);
    sim_split(world->sim, 2, 1);
    assert_false(run_on(world, 540));
    assert_int_equal(check_failed_at(world->check) / SIM_SECOND,
                     (check_bound_ns(&world->plan) + SIM_SECOND - 1) / SIM_SECOND);
    expect_complaint(world, CHECK_AGREEMENT, "after the last fault");
}

/* Those who never heard of each other can't agree. */
static void strangers_need_not_agree(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(600), 0);

    for (uint32_t i = 0; i < NODES; i++)
        sim_crash(world->sim, i);
    assert_true(run_on(world, 5)); /* what was under way is gone */
    sim_clear_seeds(world->sim, 0);
    sim_clear_seeds(world->sim, 1);
    sim_restart_new_id(world->sim, 0);
    sim_restart_new_id(world->sim, 1);
    assert_true(run_on(world, 595));
    assert_int_equal(sim_count(world->sim, 0, SWIM_ALIVE), 1);
    assert_int_equal(sim_count(world->sim, 1, SWIM_ALIVE), 1);
    world_free(world);
}

static void then_there_is_silence(void **state)
{
    (void)state;
    struct world *world = world_new(SECONDS(900), 1u << CHECK_TRUTH | 1u << CHECK_FALSE_DEATH);
    uint64_t silence_ns = check_bound_ns(&world->plan) + check_silence_ns(&world->plan);
    struct swim_member lie;

    assert_true(run_on(world, (uint32_t)(silence_ns / SIM_SECOND) + 2));
    lie = held_by(world, 1, 2);
    lie.incarnation++;
    forge(world, 3, 1, &lie);
    expect_complaint(world, CHECK_SILENCE, "when nothing is to be said");
}

static struct world *silent_world(void)
{
    struct world *world = world_new(SECONDS(900), 0);
    uint64_t silence_ns = check_bound_ns(&world->plan) + check_silence_ns(&world->plan);

    assert_true(run_on(world, (uint32_t)(silence_ns / SIM_SECOND) + 2));
    return world;
}

/* n1 says this to n2, whose address is proved or not. */
static struct world *said_in_silence(struct word word, bool is_proved)
{
    struct world *world = silent_world();

    word.as = (struct sim_happening){.kind = SIM_HAPPENED_SENT, .node = 1, .peer = 2};
    if (!is_proved) /* to one that it does not know */
        sim_restart_new_id(world->sim, 2);
    views_sent(world->check, write_word(world, &word));
    return world;
}

static void in_silence_only_the_unknown_are_asked(void **state)
{
    (void)state;
    const struct word questions[] = {
        {.kind = WIRE_PING, .challenge = 5},
        {.kind = WIRE_ACK, .challenge = 5, .echo = 6},
        {.kind = WIRE_PING, .tags = 1},
        {.kind = WIRE_PING, .tags = 2},
    };
    const struct word answer = {.kind = WIRE_ACK, .echo = 6};

    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        struct world *world = said_in_silence(questions[i], false);

        assert_null(check_failure(world->check));
        world_free(world);
        expect_complaint(said_in_silence(questions[i], true), CHECK_SILENCE, "which it has given");
    }
    world_free(said_in_silence(answer, true));
    expect_complaint(said_in_silence((struct word){.kind = WIRE_PING, .tags = 3}, false),
                     CHECK_SILENCE, "of kind 2, 96 bytes, when nothing is to be said");
    expect_complaint(said_in_silence((struct word){.kind = WIRE_ACK, .tags = 1}, false),
                     CHECK_SILENCE, "of kind 4, 48 bytes, when nothing is to be said");
}

static void agreement_is_asked_where_it_can_be_had(void **state)
{
    (void)state;
    struct plan *plan = malloc(sizeof *plan);
    struct plan_action *action;

    assert_non_null(plan);
    plan_default(plan);
    plan->duration_ns = SECONDS(1000);
    assert_true(check_demands_agreement(plan));
    plan->duration_ns = check_bound_ns(plan);
    assert_false(check_demands_agreement(plan));
    plan->duration_ns = SECONDS(1000);
    action = plan_add(plan, PLAN_NETWORK, SECONDS(1));
    action->net.loss_permille = 10;
    assert_false(check_demands_agreement(plan)); /* it loses for ever */
    action->for_ns = SECONDS(5);
    assert_true(check_demands_agreement(plan));
    action->kind = PLAN_LINK;
    action->for_ns = 0;
    assert_false(check_demands_agreement(plan));
    (void)plan_add(plan, PLAN_HEAL, SECONDS(10));
    assert_true(check_demands_agreement(plan));
    plan->net.delay_max_ns = SECONDS(1); /* not gentle: longer than a probe waits */
    assert_false(check_demands_agreement(plan));
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_must_agree_in_the_end),
        cmocka_unit_test(strangers_need_not_agree),
        cmocka_unit_test(then_there_is_silence),
        cmocka_unit_test(in_silence_only_the_unknown_are_asked),
        cmocka_unit_test(agreement_is_asked_where_it_can_be_had),
    };

    return cmocka_run_group_tests_name("check_end", tests, NULL, NULL);
}
