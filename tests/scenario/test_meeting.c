/* Clusters that grew up apart and meet (docs/protocol.md sections 7 and 8). The largest one has
 * this program to itself, so that it runs beside the others. */
#include "scenario.h"

/* Two clusters that never met are one within seconds of the first word between them. */
static void two_clusters_that_meet_become_one(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 40);

    for (uint32_t i = 20; i < 40; i++)
        sim_split(sim, i, 1);
    start_star(sim, 0, 20);
    start_star(sim, 20, 20);
    run_ms(sim, 20000);
    assert_int_equal(sim_count(sim, 5, SWIM_ALIVE), 20);
    assert_int_equal(sim_count(sim, 25, SWIM_ALIVE), 20);
    sim_heal(sim);
    sim_seed_node(sim, 5, 33);
    expect_converged(sim, 3000);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void two_clusters_meet_through_loss(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 40);
    struct sim_net lossy = NET(SWIM_MS, 10 * SWIM_MS, 300, 0, 0);

    for (uint32_t i = 20; i < 40; i++)
        sim_split(sim, i, 1);
    start_star(sim, 0, 20);
    start_star(sim, 20, 20);
    run_ms(sim, 20000);
    sim_heal(sim);
    sim_set_net(sim, &lossy);
    sim_seed_node(sim, 5, 33);
    /* In company a seed is tried every ten seconds, and three tries in ten are lost. */
    expect_all_known(sim, 60000);
    expect_nobody_failed(sim, 0, 0);
    scenario_end(sim);
}

/*
 * Two settled clusters of 1,000 each, and one member of one is told of one member of the other.
 * The news is 1,000 records for each of 2,000 members: that many entries must be received, and
 * not many times as many.
 */
static void two_tables_of_1000_meet(void **state)
{
    (void)state;
    uint32_t half = scenario_size(1000, 400);
    struct sim *sim = scenario_large(__func__, 2 * half);
    struct sim_traffic before;
    struct sim_traffic after;
    uint64_t needed_bytes = UINT64_C(24) * half * 2 * half;

    for (uint32_t i = half; i < 2 * half; i++)
        sim_split(sim, i, 1);
    start_star(sim, 0, half);
    start_star(sim, half, half);
    run_ms(sim, 20000);
    for (uint32_t i = 0; i < 2 * half; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), half);
    sim_heal(sim);
    before = sim_sent(sim, SIM_NOBODY);
    sim_seed_node(sim, 7, half + 9);
    expect_converged(sim, 30000);
    run_ms(sim, 20000);
    after = sim_sent(sim, SIM_NOBODY);
    after = sim_traffic_since(&after, &before);
    printf("  %llu bytes sent, %llu are needed at least; gossip %llu, sync %llu\n",
           (unsigned long long)after.bytes_total, (unsigned long long)needed_bytes,
           (unsigned long long)after.bytes[WIRE_GOSSIP],
           (unsigned long long)(after.bytes[WIRE_SYNC] + after.bytes[WIRE_ANTI_ENTROPY]));
    assert_true(after.bytes_total < 8 * needed_bytes);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, 0, 0), 0);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_clusters_that_meet_become_one),
        cmocka_unit_test(two_clusters_meet_through_loss),
        cmocka_unit_test(two_tables_of_1000_meet),
    };

    return cmocka_run_group_tests_name("meeting", tests, NULL, NULL);
}
