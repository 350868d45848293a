/* Processes that stop for a while (SIGSTOP, a suspended machine, a long swap-in): the pause is
 * one's own, and no evidence against others. */
#include "scenario.h"

static void a_pause_of_two_seconds_hurts_nobody(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 8; nodes += 3) {
        struct sim *sim = settled(__func__, nodes);
        uint64_t id = sim_id(sim, 1);
        uint64_t since = sim_now(sim);

        sim_pause(sim, 1, SECONDS(2));
        run_ms(sim, 20000);
        assert_true(sim_converged(sim, NULL));
        expect_nobody_failed(sim, 0, since);
        expect_nobody_suspected(sim, id, since);
        assert_int_equal(sim_event_count(sim, 1, SWIM_EVENT_PAUSED, 0, since), 1);
        scenario_end(sim);
    }
}

static void the_pause_is_told_with_its_length(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 4);
    const struct sim_event *events;
    size_t count;
    bool is_told = false;

    sim_pause(sim, 1, SECONDS(5));
    run_ms(sim, 6000);
    count = sim_events(sim, &events);
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind != SWIM_EVENT_PAUSED)
            continue;
        assert_int_equal(events[i].node, 1);
        assert_in_range(events[i].paused_for_ns, SECONDS(4), SECONDS(6) + SECONDS(1));
        is_told = true;
    }
    assert_true(is_told);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, pauses), 1);
    scenario_end(sim);
}

/* Declared dead meanwhile; it learns that, comes back higher, and blames nobody. */
static void a_pause_of_twenty_seconds(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 5);
    uint64_t id = sim_id(sim, 3);
    uint64_t since = sim_now(sim);
    uint32_t incarnation = self_of(sim, 3).incarnation;

    sim_pause(sim, 3, SECONDS(20));
    run_ms(sim, 13000); /* dead by now, and not forgotten yet */
    for (uint32_t i = 0; i < 5; i++) {
        if (i != 3)
            assert_true(sim_sees(sim, i, id, SWIM_DEAD));
    }
    run_ms(sim, 7000);
    expect_converged(sim, 5000);
    assert_true(self_of(sim, 3).incarnation > incarnation);
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_suspected(sim, id, since);
    scenario_end(sim);
}

/* So long that it is forgotten too. */
static void pauses_of_a_minute_and_of_an_hour(void **state)
{
    (void)state;
    static const uint64_t lengths_s[] = {40, 60, 3600};

    for (size_t i = 0; i < COUNT_OF(lengths_s); i++) {
        struct sim *sim = settled(__func__, 5);
        uint64_t id = sim_id(sim, 3);

        sim_pause(sim, 3, SECONDS(lengths_s[i]));
        run_ms(sim, lengths_s[i] * 1000);
        assert_true(sim_all_forgot(sim, id) || sim_count(sim, 0, SWIM_ALIVE) == 4);
        expect_converged(sim, 30000);
        expect_nobody_suspected(sim, id, 0);
        expect_clean(sim, 60000);
        scenario_end(sim);
    }
}

/* Everything was suspended at once, as in a virtual machine host: nobody has died of it. */
static void the_whole_cluster_sleeps_for_an_hour(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 7);
    uint64_t since = sim_now(sim);

    for (uint32_t i = 0; i < 7; i++)
        sim_pause(sim, i, SECONDS(3600) + MILLISECONDS(40 * i));
    run_ms(sim, 3600000);
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_suspected(sim, 0, since);
    scenario_end(sim);
}

/* Again and again for two minutes: an overloaded node harms itself at most. */
static void a_stuttering_node_accuses_nobody(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 6);
    uint64_t since = sim_now(sim);

    for (uint32_t i = 0; i < 40; i++) {
        sim_pause(sim, 6, MILLISECONDS(1500 + 100 * (i % 10)));
        run_ms(sim, 3000);
    }
    expect_nobody_suspected(sim, id, since);
    expect_nobody_failed(sim, 0, since);
    expect_converged(sim, 5000);
    scenario_end(sim);
}

/* It doubts the others, and falls asleep a second before the end of that: nine of ten seconds
 * have passed. Waking, it gives them a period again, for it may just not have listened. */
static void a_pause_during_a_suspicion(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 3);
    struct sim *sim;
    uint64_t waited_ms = 0;

    config.receive_buffer = 0;
    config.member.suspect_timeout_ms = 10000;
    config.member.suspect_multiplier_milli = 0;
    config.member.suspect_jitter_ms = 0;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 3; i++)
        sim_add(sim);
    start_settled(sim);
    sim_node_loss(sim, 0, 1000, 0);
    while (sim_count(sim, 0, SWIM_SUSPECT) == 0 && waited_ms < 10000) {
        run_ms(sim, 10);
        waited_ms += 10;
    }
    assert_int_equal(sim_count(sim, 0, SWIM_SUSPECT), 1);
    run_ms(sim, 9000);
    sim_pause(sim, 0, SECONDS(8));
    run_ms(sim, 8000);
    /* Still deaf, for twice the second that was left. */
    run_ms(sim, 2000);
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_FAILED, 0, 0), 0);
    sim_heal(sim);
    expect_converged(sim, 10000);
    expect_nobody_failed(sim, sim_id(sim, 0), 0);
    scenario_end(sim);
}

/* 166 datagrams wait at most; what the socket lost is made good by the protocol. */
static void a_burst_after_a_pause_in_a_busy_cluster(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 60);
    struct sim *sim;

    config.receive_buffer = 16;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 60; i++)
        sim_add(sim);
    start_settled(sim);
    sim_pause(sim, 9, SECONDS(3));
    for (uint32_t i = 0; i < 30; i++) {
        sim_restart_same_id(sim, 20 + i);
        run_ms(sim, 100);
    }
    expect_converged(sim, 10000);
    expect_nobody_failed(sim, 0, 0);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_of_two_seconds_hurts_nobody),
        cmocka_unit_test(the_pause_is_told_with_its_length),
        cmocka_unit_test(a_pause_of_twenty_seconds),
        cmocka_unit_test(pauses_of_a_minute_and_of_an_hour),
        cmocka_unit_test(the_whole_cluster_sleeps_for_an_hour),
        cmocka_unit_test(a_stuttering_node_accuses_nobody),
        cmocka_unit_test(a_pause_during_a_suspicion),
        cmocka_unit_test(a_burst_after_a_pause_in_a_busy_cluster),
    };

    return cmocka_run_group_tests_name("pause", tests, NULL, NULL);
}
