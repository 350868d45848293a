/* Large clusters. Smaller ones stand in under a sanitizer, and the output says so. */
#include "scenario.h"

static struct sim *large(const char *name, uint32_t nodes)
{
    struct sim_config config = scenario_config(name, nodes);
    struct sim *sim;

    config.keep_events = false;
    config.check_period_ns = SECONDS(20);
    config.poll_ns = 50 * SWIM_MS;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

/* From 59 IPv4 members on, a known implementation's gossip fails to encode: 52 s to converge at
 * 100 nodes, 73 s to agree on a death. */
static void gossip_with(const char *name, uint32_t nodes, uint64_t join_ms)
{
    struct sim *sim = large(name, nodes);
    uint64_t id = sim_id(sim, nodes / 2);

    start_star(sim, 0, nodes);
    expect_converged(sim, join_ms);
    run_ms(sim, 5000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, 0, 0), 0);
    sim_crash(sim, nodes / 2);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(nodes));
    run_ms(sim, 2000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0), nodes - 1);
    scenario_end(sim);
}

static void gossip_with_59_members(void **state)
{
    (void)state;
    gossip_with(__func__, 59, 2000);
}

static void gossip_with_200_members(void **state)
{
    (void)state;
    gossip_with(__func__, 200, 5000);
}

static void gossip_with_1000_members(void **state)
{
    (void)state;
    gossip_with(__func__, scenario_size(1000, 250), 15000);
}

static void an_idle_cluster_of_200_costs_no_more_a_member(void **state)
{
    (void)state;
    struct sim *sim = large(__func__, 200);
    struct sim_traffic traffic;

    start_star(sim, 0, 200);
    expect_converged(sim, 5000);
    run_ms(sim, 20000);
    traffic = traffic_of(sim, SIM_NOBODY, 30000);
    assert_in_range(traffic.datagrams_total, 200 * 30 * 19 / 10, 200 * 30 * 22 / 10);
    assert_int_equal(traffic.datagrams_total,
                     traffic.datagrams[WIRE_PING] + traffic.datagrams[WIRE_ACK]);
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
    uint32_t half = scenario_size(1000, 200);
    struct sim *sim = large(__func__, 2 * half);
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
    assert_true(after.bytes_total < 60 * needed_bytes);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, 0, 0), 0);
    scenario_end(sim);
}

/* A member with a thousand peers that were all cut off from it at once finds them again. */
static void one_of_200_comes_back_from_isolation(void **state)
{
    (void)state;
    struct sim *sim = large(__func__, 200);

    start_star(sim, 0, 200);
    expect_converged(sim, 5000);
    run_ms(sim, 10000);
    sim_split(sim, 150, 1);
    run_ms(sim, 60000);
    assert_false(sim_sees(sim, 0, sim_id(sim, 150), SWIM_ALIVE));
    sim_heal(sim);
    expect_converged(sim, 90000);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gossip_with_59_members),
        cmocka_unit_test(gossip_with_200_members),
        cmocka_unit_test(gossip_with_1000_members),
        cmocka_unit_test(an_idle_cluster_of_200_costs_no_more_a_member),
        cmocka_unit_test(two_tables_of_1000_meet),
        cmocka_unit_test(one_of_200_comes_back_from_isolation),
    };

    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
