/* Members of ours under the faults of test_engine_net.c and test_engine_node.c: the faults reach
 * them, the ledger balances, and the cluster is whole again afterwards. */
#include "beeper.h"

static void end(struct sim *sim)
{
    sim_heal(sim);
    expect_converged(sim, 60000);
    scenario_end(sim);
}

static uint64_t dropped(const struct sim *sim, enum sim_drop drop)
{
    return sim_ledger(sim).dropped[drop];
}

/* Nodes from 3 on are behind one NAT, each with a port of its own, and know it. */
static struct sim *behind_nat(const char *name, uint32_t nodes, bool is_symmetric)
{
    struct sim *sim = scenario_of(name, nodes);

    for (uint32_t i = 3; i < nodes; i++) {
        struct swim_addr outside = make_addr(1, (uint16_t)(4000 + i));
        sim_nat(sim, i, &outside, is_symmetric);
        sim_member_config(sim, i)->addr = outside;
        sim_member_config(sim, i)->addr_in_probes = true;
    }
    return sim;
}

static void a_cluster_half_behind_a_nat(void **state)
{
    (void)state;
    struct sim *sim = behind_nat(__func__, 6, false);
    struct swim_addr outside = make_addr(1, 4004);
    struct swim_member seen;

    start_star(sim, 0, 6);
    expect_converged(sim, 20000);
    run_ms(sim, 10000);
    expect_nobody_suspected(sim, 0, 0);
    assert_true(swim_member_find(sim_member(sim, 1), sim_id(sim, 4), &seen));
    assert_true(is_equal_addr(&seen.addr, &outside));
    assert_int_equal(dropped(sim, SIM_DROP_NAT), 0);
    sim_crash(sim, 4);
    expect_all_see(sim, sim_id(sim, 4), SWIM_DEAD, death_bound_ms(6));
    scenario_end(sim);
}

/* Whoever wants to reach them must have been called first: they call everybody in time. */
static void a_cluster_half_behind_a_symmetric_nat(void **state)
{
    (void)state;
    struct sim *sim = behind_nat(__func__, 6, true);

    start_star(sim, 0, 6);
    expect_all_known(sim, 20000);
    assert_true(dropped(sim, SIM_DROP_NAT) > 0);
    run_ms(sim, 20000);
    expect_nobody_failed(sim, 0, 0);
    assert_true(sim_converged(sim, NULL));
    uint64_t before = dropped(sim, SIM_DROP_NAT);
    run_ms(sim, 10000);
    assert_int_equal(dropped(sim, SIM_DROP_NAT), before);
    scenario_end(sim);
}

/* They need not know of it: they reach each other inside. */
static void a_whole_cluster_behind_one_nat(void **state)
{
    (void)state;
    for (uint32_t symmetric = 0; symmetric < 2; symmetric++) {
        struct sim *sim = scenario_of(__func__, 5);

        for (uint32_t i = 0; i < 5; i++) {
            struct swim_addr outside = make_addr(1, (uint16_t)(4000 + i));
            sim_nat(sim, i, &outside, symmetric);
        }
        start_settled(sim);
        expect_nobody_suspected(sim, 0, 0);
        assert_int_equal(dropped(sim, SIM_DROP_NAT), 0);
        scenario_end(sim);
    }
}

static void a_member_blocked_in_its_io(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 3);
    uint64_t since = sim_now(sim);

    sim_block(sim, 3, SECONDS(8), SIM_BLOCK_IO);
    run_ms(sim, 7900);
    assert_true(sim_ledger(sim).waiting > 0);
    assert_true(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, id, since) > 0);
    run_ms(sim, 1000);
    assert_int_equal(sim_ledger(sim).waiting, 0);
    assert_int_equal(SIM_COUNTER(sim, 3, pauses), 0); /* its timers were on time */
    end(sim);
}

static void a_member_blocked_as_a_process(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 3);
    uint64_t since = sim_now(sim);

    sim_block(sim, 3, SECONDS(8), SIM_BLOCK_PROCESS);
    run_ms(sim, 7900);
    assert_int_equal(sim_state(sim, 3), SIM_PAUSED);
    assert_true(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, id, since) > 0);
    run_ms(sim, 1000);
    assert_int_equal(SIM_COUNTER(sim, 3, pauses), 1);
    run_ms(sim, 10000);
    expect_nobody_suspected(sim, id, since); /* it blames nobody for its own gap */
    end(sim);
}

/* Anomalies as in Lifeguard's experiments: a quarter of them, again and again. */
static void blocks_that_come_and_go(void **state)
{
    (void)state;
    for (unsigned how = SIM_BLOCK_IO; how <= SIM_BLOCK_PROCESS; how++) {
        struct sim *sim = settled(__func__, 16);

        for (uint32_t round = 0; round < 10; round++) {
            for (uint32_t i = 0; i < 16; i += 4)
                sim_block(sim, i, MILLISECONDS(1024), (enum sim_block)how);
            run_ms(sim, 1024 + 64);
        }
        end(sim);
    }
}

static void a_member_with_a_slow_clock_and_one_with_a_fast_one(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    uint64_t since = sim_now(sim);
    struct sim_traffic before[2], after[2];

    sim_clock_rate(sim, 1, -500000);
    sim_clock_rate(sim, 2, 1000000);
    for (uint32_t i = 0; i < 2; i++)
        before[i] = sim_sent(sim, 1 + i);
    run_ms(sim, 60000);
    expect_nobody_suspected(sim, 0, since);
    for (uint32_t i = 0; i < 2; i++) {
        after[i] = sim_sent(sim, 1 + i);
        after[i] = sim_traffic_since(&after[i], &before[i]);
    }
    /* Half as many probes a minute, and twice as many. */
    assert_in_range(after[0].datagrams[WIRE_PING], 25, 35);
    assert_in_range(after[1].datagrams[WIRE_PING], 110, 130);
    end(sim);
}

static void a_clock_that_jumps_hurts_nobody(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 5);
    uint64_t since = sim_now(sim);

    sim_clock_jump(sim, 2, SECONDS(3600));
    run_ms(sim, 20000);
    assert_int_equal(sim_event_count(sim, 2, SWIM_EVENT_PAUSED, 0, since), 1);
    expect_nobody_suspected(sim, 0, since);
    end(sim);
}

static void a_member_that_is_overloaded(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);

    sim_service(sim, 3, MILLISECONDS(900), 2);
    run_ms(sim, 20000);
    assert_true(dropped(sim, SIM_DROP_BUFFER) > 0);
    sim_service(sim, 3, 0, 0);
    end(sim);
}

/* Two sites, a slow thin line between them. */
static void two_sites(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 8);
    struct sim_net line = {.delay_min_ns = MILLISECONDS(40),
                           .delay_max_ns = MILLISECONDS(60),
                           .delay = SIM_DELAY_NORMAL,
                           .bandwidth = 20000,
                           .queue_bytes = 20000};

    for (uint32_t i = 4; i < 8; i++)
        sim_set_zone(sim, i, 1);
    sim_set_zone_link(sim, 0, 1, &line);
    sim_set_zone_link(sim, 1, 0, &line);
    start_settled(sim);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void an_address_changes_hands(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 5);
    struct swim_addr addr = sim_addr(sim, 2);
    uint64_t old_id = sim_id(sim, 2);

    sim_crash(sim, 2);
    sim_crash(sim, 4);
    sim_move(sim, 4, &addr);
    sim_restart_new_id(sim, 4);
    expect_converged(sim, 60000);
    assert_false(sim_sees(sim, 0, old_id, SWIM_ALIVE));
    scenario_end(sim);
}

/* ---- Warm start -------------------------------------------------------------------------- */

static void acquainted(const char *name, uint8_t family, uint32_t nodes)
{
    struct sim_config config = scenario_config(name, nodes);
    struct sim *sim;

    config.family = family;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_start(sim, sim_add(sim));
    run_ms(sim, 1700);
    sim_acquaint(sim);
    assert_true(sim_converged(sim, NULL));
    assert_int_equal(sim_ledger(sim).delivered, 0);
    run_ms(sim, 10000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void all_are_acquainted_at_once(void **state)
{
    (void)state;
    acquainted(__func__, 4, 1);
    acquainted(__func__, 4, 2);
    acquainted(__func__, 4, 3);
    acquainted(__func__, 4, 64);
    acquainted(__func__, 6, 64);
}

/* Those that do not run, and programs that are not ours, are left out. */
static void only_members_that_run_are_acquainted(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 6);
    struct swim_addr addr = sim_addr(sim, 0);
    struct beeper *stranger = beeper_new(&addr, 0, 0);

    for (uint32_t i = 0; i < 4; i++)
        sim_start(sim, i);
    sim_restart_same_id(sim, 1);
    beeper_start(sim, 5, stranger);
    sim_acquaint(sim);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), 4);
    assert_int_equal(stranger->arrival_count, 0);
    run_ms(sim, 5000);
    assert_int_equal(self_of(sim, 1).incarnation, 1);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
    free(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_half_behind_a_nat),
        cmocka_unit_test(a_cluster_half_behind_a_symmetric_nat),
        cmocka_unit_test(a_whole_cluster_behind_one_nat),
        cmocka_unit_test(a_member_blocked_in_its_io),
        cmocka_unit_test(a_member_blocked_as_a_process),
        cmocka_unit_test(blocks_that_come_and_go),
        cmocka_unit_test(a_member_with_a_slow_clock_and_one_with_a_fast_one),
        cmocka_unit_test(a_clock_that_jumps_hurts_nobody),
        cmocka_unit_test(a_member_that_is_overloaded),
        cmocka_unit_test(two_sites),
        cmocka_unit_test(an_address_changes_hands),
        cmocka_unit_test(all_are_acquainted_at_once),
        cmocka_unit_test(only_members_that_run_are_acquainted),
    };

    return cmocka_run_group_tests_name("engine_cluster", tests, NULL, NULL);
}
