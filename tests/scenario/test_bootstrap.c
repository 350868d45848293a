/* How clusters come to be: every member finds every other, whatever it was told at its start. */
#include "scenario.h"

static void discovery(const char *name, uint32_t nodes, uint64_t limit_ms)
{
    struct sim *sim = scenario_of(name, nodes);

    start_star(sim, 0, nodes);
    expect_converged(sim, limit_ms);
    run_ms(sim, 30000);
    assert_true(sim_converged(sim, NULL));
    expect_nobody_suspected(sim, 0, 0);
    /* Everyone was told of everyone else once. */
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, 0, 0),
                     nodes * (nodes - 1));
    scenario_end(sim);
}

static void two_find_each_other(void **state)
{
    (void)state;
    discovery(__func__, 2, 1000);
}

static void three_find_each_other_within_a_second(void **state)
{
    (void)state;
    discovery(__func__, 3, 1000);
}

static void five_find_each_other(void **state)
{
    (void)state;
    discovery(__func__, 5, 1000);
}

static void fifty_find_each_other_within_two_seconds(void **state)
{
    (void)state;
    discovery(__func__, 50, 2000);
}

static void five_on_ipv6(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 5);
    struct sim *sim;

    config.family = 6;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 5; i++)
        sim_add(sim);
    start_star(sim, 0, 5);
    expect_converged(sim, 1000);
    scenario_end(sim);
}

/* Each knows only the next one. */
static void ring_of_twenty(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 20);

    for (uint32_t i = 0; i < 20; i++) {
        sim_seed_node(sim, i, (i + 1) % 20);
        sim_start(sim, i);
    }
    expect_converged(sim, 5000);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

/* The hub knows nobody and comes last. */
static void star_whose_hub_starts_last(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 30);

    for (uint32_t i = 1; i < 30; i++) {
        sim_seed_node(sim, i, 0);
        sim_start(sim, i);
    }
    run_ms(sim, 5000);
    for (uint32_t i = 1; i < 30; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), 1);
    sim_start(sim, 0);
    expect_converged(sim, 15000);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

/* A line of single links, every next node started a second later. */
static void chain_that_grows(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 12);

    for (uint32_t i = 0; i < 12; i++) {
        if (i > 0)
            sim_seed_node(sim, i, i - 1);
        sim_start(sim, i);
        run_ms(sim, 1000);
        assert_true(sim_converged(sim, NULL));
    }
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

/* A known implementation gives a seed up when its placeholder dies: after 15 s it never joined. */
static void started_long_before_its_seed(void **state)
{
    (void)state;
    static const uint64_t waits_s[] = {15, 120, 1800};

    for (size_t i = 0; i < COUNT_OF(waits_s); i++) {
        struct sim *sim = scenario_of(__func__, 2);
        struct sim_traffic traffic;

        sim_seed_node(sim, 1, 0);
        sim_start(sim, 1);
        traffic = traffic_of(sim, 1, waits_s[i] * 1000);
        /* It keeps asking: quickly at first, then once a second. */
        assert_in_range(traffic.datagrams_total, waits_s[i],
                        waits_s[i] < 40 ? 2 * waits_s[i] + 4 : waits_s[i] + 44);
        sim_start(sim, 0);
        expect_converged(sim, 1500);
        scenario_end(sim);
    }
}

/* Nobody to talk to: nothing is said, nothing is wanted. */
static void cluster_of_one(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 1);

    sim_start(sim, 0);
    run_ms(sim, 600000);
    assert_int_equal(sim_sent(sim, 0).datagrams_total, 0);
    assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 1);
    const struct sim_event *events;
    assert_int_equal(sim_events(sim, &events), 0);
    scenario_end(sim);
}

/* Seeds that never answer cost little and hold up neither work nor the way out. */
static void unreachable_seeds_hold_nothing_up(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 3);
    struct sim_traffic traffic;

    for (uint8_t k = 1; k <= 4; k++) {
        struct swim_addr nowhere = make_addr(k, 7946);

        sim_seed(sim, 1, &nowhere);
        sim_seed(sim, 2, &nowhere);
    }
    start_star(sim, 0, 3);
    expect_converged(sim, 1000);
    run_ms(sim, 10000);
    traffic = traffic_of(sim, 1, 60000);
    /* Two probes or answers a second, and at most one try a second. */
    assert_in_range(traffic.datagrams_total, 60, 60 * 3 + 10);
    sim_leave(sim, 1);
    run_ms(sim, 500);
    assert_int_equal(sim_state(sim, 1), SIM_STOPPED);
    scenario_end(sim);
}

static void everyone_is_everyones_seed(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 7);

    for (uint32_t i = 0; i < 7; i++) {
        for (uint32_t k = 0; k < 7; k++)
            sim_seed_node(sim, i, k); /* its own address too */
    }
    for (uint32_t i = 0; i < 7; i++)
        sim_start(sim, i);
    expect_converged(sim, 1000);
    run_ms(sim, 10000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, 0, 0), 7 * 6);
    assert_int_equal(sim_sent(sim, SIM_NOBODY).datagrams[0], 0);
    scenario_end(sim);
}

/* A seed that lives is not asked again: seeds are for those who are alone. */
static void seeds_that_live_are_not_asked(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 6);

    for (uint32_t i = 0; i < 6; i++)
        sim_seed_node(sim, i, (i + 3) % 6);
    start_settled(sim);
    uint64_t before = SIM_COUNTER(sim, SIM_NOBODY, contacts_tried);
    run_ms(sim, 120000);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, contacts_tried), before);
    scenario_end(sim);
}

/* One joins a settled cluster: all know it, it knows all, and none of the old ones hears news
 * about another. */
static void a_newcomer_is_known_at_once(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 31);
    struct sim *sim = scenario_new(&config);
    uint64_t since;

    for (uint32_t i = 0; i < 30; i++)
        sim_add(sim);
    start_settled(sim);
    since = sim_now(sim) + 1;
    uint32_t newcomer = sim_add(sim);
    sim_seed_node(sim, newcomer, 17);
    sim_start(sim, newcomer);
    /* A round trip and a one-way: the table comes with the first answer, not with an interval. */
    run_ms(sim, 10);
    assert_int_equal(sim_count(sim, newcomer, SWIM_ALIVE), 31);
    expect_converged(sim, 2000);
    run_ms(sim, 5000);
    assert_int_equal(
        sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, sim_id(sim, newcomer), since), 30);
    assert_int_equal(sim_event_count(sim, newcomer, SWIM_EVENT_JOINED, 0, since), 30);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, 0, since), 60);
    scenario_end(sim);
}

/* A restarted seed without seeds of its own is found again by those who know it as a seed. */
static void a_seed_that_forgot_everyone(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);

    sim_restart_new_id(sim, 0);
    expect_converged(sim, 20000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_find_each_other),
        cmocka_unit_test(three_find_each_other_within_a_second),
        cmocka_unit_test(five_find_each_other),
        cmocka_unit_test(fifty_find_each_other_within_two_seconds),
        cmocka_unit_test(five_on_ipv6),
        cmocka_unit_test(ring_of_twenty),
        cmocka_unit_test(star_whose_hub_starts_last),
        cmocka_unit_test(chain_that_grows),
        cmocka_unit_test(started_long_before_its_seed),
        cmocka_unit_test(cluster_of_one),
        cmocka_unit_test(unreachable_seeds_hold_nothing_up),
        cmocka_unit_test(everyone_is_everyones_seed),
        cmocka_unit_test(seeds_that_live_are_not_asked),
        cmocka_unit_test(a_newcomer_is_known_at_once),
        cmocka_unit_test(a_seed_that_forgot_everyone),
    };

    return cmocka_run_group_tests_name("bootstrap", tests, NULL, NULL);
}
