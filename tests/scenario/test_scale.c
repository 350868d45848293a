/* Large clusters. Smaller ones stand in under a sanitizer, and the output says so. */
#include "scenario.h"

/* Each must be told an entry of each other one. Where many are news at once, views that are compared
 * save most repetitions; what two datagrams can hold is repeated as ever. */
static void expect_cheap_start(struct sim *sim, uint32_t nodes)
{
    struct sim_traffic sent = sim_sent(sim, SIM_NOBODY);
    uint64_t needed_bytes = UINT64_C(24) * nodes * nodes;

    printf("  %llu bytes sent, %llu are needed at least\n", (unsigned long long)sent.bytes_total,
           (unsigned long long)needed_bytes);
    if (nodes >= 200)
        assert_true(sent.bytes_total < 6 * needed_bytes);
}

/* From 59 IPv4 members on, a known implementation's gossip fails to encode: 52 s to converge at
 * 100 nodes, 73 s to agree on a death. */
static void gossip_with(const char *name, uint32_t nodes, uint64_t join_ms)
{
    struct sim *sim = scenario_large(name, nodes);
    uint64_t id = sim_id(sim, nodes / 2);

    start_star(sim, 0, nodes);
    expect_converged(sim, join_ms);
    run_ms(sim, 5000);
    expect_cheap_start(sim, nodes);
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
    gossip_with(__func__, scenario_size(1000, 500), 15000);
}

static void an_idle_cluster_of_200_costs_no_more_a_member(void **state)
{
    (void)state;
    struct sim *sim = scenario_large(__func__, 200);
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

/* One that lost all its 199 peers at once finds them again, and they find it. */
static void one_of_200_comes_back_from_isolation(void **state)
{
    (void)state;
    struct sim *sim = scenario_large(__func__, 200);

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
        cmocka_unit_test(one_of_200_comes_back_from_isolation),
    };

    return cmocka_run_group_tests_name("scale", tests, NULL, NULL);
}
