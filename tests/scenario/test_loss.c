/* Bad networks: datagrams lost, late, out of order, twice, damaged - and the proof that a run
 * depends on its seed alone. */
#include "scenario.h"

#include "base/prng.h"

static struct sim *cluster_on(struct sim_config config, uint32_t nodes, struct sim_net net)
{
    struct sim *sim;

    config.net = net;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

static struct sim *lossy_cluster(const char *name, uint32_t nodes, struct sim_net net)
{
    return cluster_on(scenario_config(name, nodes), nodes, net);
}

static const struct sim_net quiet = NET(SWIM_MS / 5, SWIM_MS, 0, 0, 0);

/* Safety under the fault, liveness when it is over. */
static void expect_recovery(struct sim *sim)
{
    sim_set_net(sim, &quiet);
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_clean(sim, 60000);
}

/* A start at so much loss is a lottery: one seed says little. */
enum { STARTS = 10 };

/* Twenty that start at once. The seed that is printed is that of the first such start. */
static struct sim *lossy_start(const char *name, uint32_t start, uint32_t loss_permille)
{
    struct sim_net net = NET(SWIM_MS, 10 * SWIM_MS, loss_permille, 0, 0);
    struct sim_config config = scenario_config(name, 20);
    struct sim *sim;

    config.seed += start;
    sim = cluster_on(config, 20, net);
    start_star(sim, 0, 20);
    return sim;
}

static void converges_at_thirty_percent_loss(void **state)
{
    (void)state;
    for (uint32_t start = 0; start < STARTS; start++) {
        struct sim *sim = lossy_start(__func__, start, 300);

        expect_converged(sim, 10000);
        /* Half of the direct probes get no answer, yet nobody dies of it: there is time to refute. */
        run_ms(sim, 300000);
        expect_nobody_failed(sim, 0, 0);
        expect_recovery(sim);
        scenario_end(sim);
    }
}

static void converges_at_sixty_percent_loss(void **state)
{
    (void)state;
    for (uint32_t start = 0; start < STARTS; start++) {
        struct sim *sim = lossy_start(__func__, start, 600);

        /* Some are under suspicion at any moment, and now and then one is taken for dead. */
        expect_all_known(sim, 60000);
        run_ms(sim, 120000);
        expect_recovery(sim);
        scenario_end(sim);
    }
}

/* One bad line among good ones. */
static void one_node_on_a_bad_line(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 10);

    sim_node_loss(sim, 6, 300, 300);
    run_ms(sim, 300000);
    expect_nobody_failed(sim, 0, 0);
    expect_recovery(sim);
    scenario_end(sim);
}

static void a_death_is_found_through_loss(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 15);
    struct sim_net lossy = NET(SWIM_MS, 10 * SWIM_MS, 300, 0, 0);
    uint64_t id = sim_id(sim, 9);

    sim_set_net(sim, &lossy);
    sim_crash(sim, 9);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(15) + 5000);
    expect_nobody_failed(sim, id, 0);
    expect_recovery(sim);
    scenario_end(sim);
}

/* Delays from nothing to 200 ms: later datagrams overtake earlier ones all the time. */
static void reordering_confuses_nobody(void **state)
{
    (void)state;
    struct sim *sim = lossy_cluster(__func__, 12, (struct sim_net)NET(0, 200 * SWIM_MS, 0, 0, 0));

    start_star(sim, 0, 12);
    expect_converged(sim, 5000);
    run_ms(sim, 120000);
    expect_nobody_suspected(sim, 0, 0);
    uint64_t id = sim_id(sim, 5);
    sim_crash(sim, 5);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(12) + 2000);
    expect_nobody_suspected(sim, id, 0);
    sim_restart_new_id(sim, 5);
    expect_converged(sim, 5000);
    scenario_end(sim);
}

static void duplicates_change_nothing(void **state)
{
    (void)state;
    struct sim *sim = lossy_cluster(__func__, 12, (struct sim_net)NET(0, 100 * SWIM_MS, 0, 500, 0));

    start_star(sim, 0, 12);
    expect_converged(sim, 5000);
    run_ms(sim, 60000);
    expect_nobody_suspected(sim, 0, 0);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, 0, 0), 12 * 11);
    sim_leave(sim, 4);
    run_ms(sim, 2000);
    assert_int_equal(sim_state(sim, 4), SIM_STOPPED);
    expect_clean(sim, 30000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_LEFT, 0, 0), 11);
    scenario_end(sim);
}

/* One datagram in ten arrives damaged, and is dropped for it. */
static void damage_is_noticed(void **state)
{
    (void)state;
    struct sim *sim =
        lossy_cluster(__func__, 12, (struct sim_net)NET(SWIM_MS, 5 * SWIM_MS, 0, 0, 100));
    uint64_t dropped;
    uint64_t received = 0;

    start_star(sim, 0, 12);
    expect_converged(sim, 5000);
    run_ms(sim, 120000);
    expect_nobody_failed(sim, 0, 0);
    for (uint32_t i = 0; i < 12; i++)
        received += sim_received(sim, i).datagrams_total;
    dropped = SIM_COUNTER(sim, SIM_NOBODY, drop_checksum) +
              SIM_COUNTER(sim, SIM_NOBODY, drop_version) +
              SIM_COUNTER(sim, SIM_NOBODY, drop_length);
    assert_in_range(dropped, received * 8 / 100, received * 12 / 100);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE) + sim_count(sim, i, SWIM_SUSPECT), 12);
    expect_recovery(sim);
    scenario_end(sim);
}

/* What was recorded long ago is played back from elsewhere: no address moves, nobody is revived. */
static void replayed_datagrams_move_no_address(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 4);
    struct swim_addr elsewhere = make_addr(66, 6666);
    struct forged old[3];
    struct swim_member member;

    for (uint32_t i = 0; i < 3; i++) {
        static const uint8_t kinds[] = {WIRE_PING, WIRE_ACK, WIRE_GOSSIP};

        old[i] = (struct forged){.header = honest_header(sim, 1, kinds[i])};
    }
    run_ms(sim, 10000);
    for (uint32_t i = 0; i < 3; i++) {
        forge(sim, &elsewhere, 0, &old[i]);
        run_ms(sim, 10);
        assert_true(swim_member_find(sim_member(sim, 0), sim_id(sim, 1), &member));
        assert_int_equal(member.status, SWIM_ALIVE);
        struct swim_addr home = sim_addr(sim, 1);
        assert_true(is_equal_addr(&member.addr, &home));
    }
    assert_true(sim_converged(sim, NULL));
    scenario_end(sim);
}

/* Everything at once, with crashes, restarts and pauses; then calm, and all is well again. */
static void a_storm_and_then_calm(void **state)
{
    (void)state;
    struct sim *sim =
        lossy_cluster(__func__, 16, (struct sim_net)NET(0, 150 * SWIM_MS, 200, 100, 50));
    struct prng prng;

    prng_init(&prng, scenario_seed());
    start_star(sim, 0, 16);
    run_ms(sim, 5000);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t node = prng_below(&prng, 16);

        if (sim_state(sim, node) == SIM_RUNNING) {
            uint32_t fate = prng_below(&prng, 5);

            if (fate == 0)
                sim_crash(sim, node);
            else if (fate == 1)
                sim_pause(sim, node, MILLISECONDS(500 + prng_below(&prng, 9000)));
            else if (fate == 2)
                sim_restart_same_id(sim, node);
            else if (fate == 3)
                sim_split(sim, node, 1 + prng_below(&prng, 2));
            else
                sim_leave(sim, node);
        } else if (sim_state(sim, node) == SIM_STOPPED) {
            sim_restart_new_id(sim, node);
        }
        run_ms(sim, prng_below(&prng, 3000));
    }
    run_ms(sim, 15000); /* pauses end, leaves are done */
    for (uint32_t i = 0; i < 16; i++) {
        if (sim_state(sim, i) == SIM_STOPPED)
            sim_restart_new_id(sim, i);
    }
    expect_recovery(sim);
    scenario_end(sim);
}

/* ---- Determinism ------------------------------------------------------------------------- */

static uint64_t trace_of_a_storm(uint64_t seed)
{
    struct sim_config config;
    struct sim *sim;
    uint64_t hash;

    sim_config_default(&config, seed, 10);
    config.net = (struct sim_net)NET(0, 100 * SWIM_MS, 150, 50, 20);
    config.member.members_max = 256;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 10; i++)
        sim_add(sim);
    start_star(sim, 0, 10);
    run_ms(sim, 20000);
    sim_crash(sim, 4);
    sim_pause(sim, 5, SECONDS(3));
    run_ms(sim, 20000);
    sim_restart_new_id(sim, 4);
    run_ms(sim, 20000);
    hash = sim_trace_hash(sim);
    scenario_end(sim);
    return hash;
}

static void the_same_seed_is_the_same_run(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 1);
    uint64_t first = trace_of_a_storm(config.seed);

    assert_true(first == trace_of_a_storm(config.seed));
    assert_true(first != trace_of_a_storm(config.seed + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converges_at_thirty_percent_loss),
        cmocka_unit_test(converges_at_sixty_percent_loss),
        cmocka_unit_test(one_node_on_a_bad_line),
        cmocka_unit_test(a_death_is_found_through_loss),
        cmocka_unit_test(reordering_confuses_nobody),
        cmocka_unit_test(duplicates_change_nothing),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(replayed_datagrams_move_no_address),
        cmocka_unit_test(a_storm_and_then_calm),
        cmocka_unit_test(the_same_seed_is_the_same_run),
    };

    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
