/*
 * Words that the collector (swimsim/collect_words.c) calls wrong: failures of the healthy, and what a
 * fault, a pause or a partition excuses.
 */
#include "collected.h"

/* One that gets nothing for a while fails for all; whether that is wrong is for the runner to
 * say. */
static void cut_off(struct world *world, bool is_noted)
{
    world_begin(world, 8);
    sim_node_loss(world->sim, 5, 1000, 1000);
    if (is_noted) {
        collect_note_fault(world->collect, 5, sim_now(world->sim) + 120 * SIM_SECOND);
    }
    run_ms(world, 120000);
    sim_heal(world->sim);
    run_ms(world, 40000);
    assert_true(sim_converged(world->sim, NULL));
    finish(world);
}

static void failures_of_the_healthy_are_false(void **state)
{
    (void)state;
    struct world world;
    cut_off(&world, false);
    uint64_t failed = sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0);
    uint64_t by_it = sim_event_count(world.sim, 5, SWIM_EVENT_FAILED, 0, 0);
    assert_true(by_it > 0);
    assert_int_equal(world.figures.false_failed, failed);
    assert_int_equal(world.figures.false_failed_healthy, failed);
    assert_int_equal(world.figures.events[SWIM_EVENT_FAILED], failed);
    assert_int_equal(world.figures.false_failed_members, 1 + by_it);
    assert_int_equal(world.figures.faulted_failed, 0);
    assert_int_equal(world.figures.oscillations, failed);
    assert_int_equal(world.figures.oscillating_members, 1 + by_it);
    world_end(&world);
}

static void failures_of_the_faulted_are_not(void **state)
{
    (void)state;
    struct world world;
    cut_off(&world, true);
    uint64_t about_it =
        sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, sim_id(world.sim, 5), 0);
    uint64_t by_it = sim_event_count(world.sim, 5, SWIM_EVENT_FAILED, 0, 0);
    uint64_t failed = sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0);
    assert_int_equal(about_it, 7);
    assert_int_equal(world.figures.faulted_failed, about_it);
    assert_int_equal(world.figures.false_failed, failed - about_it);
    assert_int_equal(world.figures.false_failed_healthy, failed - about_it - by_it);
    assert_int_equal(world.figures.faulted, 1);
    assert_true(world.figures.false_suspected >= by_it);
    assert_true(world.figures.faulted_suspected > 0);
    world_end(&world);
}

/* The cut lasts longer than what is noted: words in the shadow are still the fault's. */
static void a_fault_has_a_shadow(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 8);
    uint64_t id = sim_id(world.sim, 5);
    sim_node_loss(world.sim, 5, 0, 1000);
    collect_note_fault(world.collect, 5, sim_now(world.sim) + SIM_SECOND);
    run_ms(&world, 12000);
    assert_true(sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, 0) > 0);
    assert_int_equal(finish(&world)->faulted_failed,
                     sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, 0));
    assert_int_equal(world.figures.false_failed,
                     sim_event_count(world.sim, 5, SWIM_EVENT_FAILED, 0, 0));
    world_end(&world);
}

static void a_pause_is_a_fault_that_needs_no_telling(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    sim_pause(world.sim, 2, 15 * SIM_SECOND);
    run_ms(&world, 15000);
    sim_block(world.sim, 3, 15 * SIM_SECOND, SIM_BLOCK_PROCESS);
    run_ms(&world, 40000);
    const struct figures *figures = finish(&world);
    assert_true(figures->faulted_failed >= 10);
    assert_int_equal(figures->false_failed, 0);
    assert_int_equal(figures->faulted, 2);
    assert_true(figures->oscillations >= 10);
    world_end(&world);
}

static void what_is_said_across_a_partition_is_counted_apart(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 6);
    for (uint32_t i = 4; i < 6; i++) {
        sim_split(world.sim, i, 1);
        collect_note_group(world.collect, i, 1);
    }
    run_ms(&world, 30000);
    sim_heal(world.sim);
    collect_note_heal(world.collect);
    run_ms(&world, 20000);
    const struct figures *figures = finish(&world);
    uint64_t failed = sim_event_count(world.sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0);
    assert_true(failed > 0);
    assert_int_equal(figures->unreachable_failed, failed);
    assert_true(figures->unreachable_suspected > 0);
    assert_int_equal(figures->false_failed + figures->faulted_failed, 0);
    assert_int_equal(figures->oscillations, failed);
    world_end(&world);
}

/* Once the shadow of the last one is over, what is wrong is wrong again. */
static void each_partition_has_a_shadow_of_its_own(void **state)
{
    (void)state;
    struct world world;
    world_begin(&world, 4);
    collect_note_group(world.collect, 3, 1);
    run_ms(&world, 1000);
    collect_note_heal(world.collect);
    run_ms(&world, 20000);
    for (uint32_t i = 0; i < 2; i++) {
        sim_split(world.sim, i, 1);
        collect_note_group(world.collect, i, 1);
    }
    run_ms(&world, 3000);
    sim_heal(world.sim);
    collect_note_heal(world.collect);
    run_ms(&world, 10000);
    assert_true(finish(&world)->unreachable_suspected > 0);
    assert_int_equal(world.figures.false_suspected, 0);
    run_ms(&world, 6000);
    sim_node_loss(world.sim, 3, 1000, 1000);
    run_ms(&world, 20000);
    finish(&world);
    assert_true(world.figures.false_failed > 0);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_the_healthy_are_false),
        cmocka_unit_test(failures_of_the_faulted_are_not),
        cmocka_unit_test(a_fault_has_a_shadow),
        cmocka_unit_test(a_pause_is_a_fault_that_needs_no_telling),
        cmocka_unit_test(what_is_said_across_a_partition_is_counted_apart),
        cmocka_unit_test(each_partition_has_a_shadow_of_its_own),
    };

    return cmocka_run_group_tests_name("collect_words", tests, NULL, NULL);
}
