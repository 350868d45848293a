/* Dissemination and anti-entropy (docs/protocol.md sections 7 and 8): news spreads, differences
 * are found and mended, and agreement is silent. */
#include "scenario.h"

static struct sim *cluster_without_sync(const char *name, uint32_t nodes)
{
    struct sim_config config = scenario_config(name, nodes + 1);
    struct sim *sim;

    config.member.anti_entropy_interval_ms = 0;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

/* Gossip alone may pass somebody by, once in tens of thousands of times; the member in question
 * then says it itself, with its next probe of that one: 2n - 1 rounds at most. */
static void start_without_sync(struct sim *sim)
{
    uint32_t nodes = sim_nodes(sim);

    start_star(sim, 0, nodes);
    expect_converged(sim, 1000 * 2 * nodes);
    run_ms(sim, 10000);
}

static uint32_t count_informed(const struct sim *sim, uint64_t id, uint32_t incarnation)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        struct swim_member member;

        count +=
            swim_member_find(sim_member(sim, i), id, &member) && member.incarnation == incarnation;
    }
    return count;
}

/* Gossip alone carries one change to all, in a few rounds. */
static void one_change_reaches_all(void **state)
{
    (void)state;
    struct sim *sim = cluster_without_sync(__func__, 40);
    struct sim_traffic before;
    struct sim_traffic after;

    start_without_sync(sim);
    before = sim_sent(sim, SIM_NOBODY);
    sim_restart_same_id(sim, 11);
    run_ms(sim, 2000);
    assert_in_range(count_informed(sim, sim_id(sim, 11), 1), 39, 40);
    expect_converged(sim, 1000 * 2 * 40);
    run_ms(sim, 10000);
    after = sim_sent(sim, SIM_NOBODY);
    after = sim_traffic_since(&after, &before);
    /* Each member tells it at most lambda * log2(n + 1) times; lambda is 3 by default. */
    assert_in_range(after.datagrams[WIRE_GOSSIP], 1, 40 * 6 * 4);
    /* The restarted one was given the table as a newcomer; nothing else was synchronised. */
    assert_in_range(after.datagrams[WIRE_SYNC] + after.datagrams[WIRE_ANTI_ENTROPY], 0, 1);
    scenario_end(sim);
}

static void works_without_anti_entropy(void **state)
{
    (void)state;
    struct sim *sim = cluster_without_sync(__func__, 20);
    uint64_t id;

    start_without_sync(sim);
    id = sim_id(sim, 7);
    sim_crash(sim, 7);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(20));
    expect_nobody_suspected(sim, id, 0);
    sim_restart_new_id(sim, 7);
    expect_converged(sim, 1000 * 2 * 20);
    scenario_end(sim);
}

static void agreement_is_silent(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 30);
    struct sim_traffic traffic = traffic_of(sim, SIM_NOBODY, 120000);

    assert_int_equal(traffic.datagrams[WIRE_GOSSIP], 0);
    assert_int_equal(traffic.datagrams[WIRE_ANTI_ENTROPY], 0);
    assert_int_equal(traffic.datagrams[WIRE_SYNC], 0);
    assert_true(SIM_COUNTER(sim, SIM_NOBODY, digests_equal) > 0);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, gossip_sent),
                     sim_sent(sim, SIM_NOBODY).datagrams[WIRE_GOSSIP]);
    scenario_end(sim);
}

/* ---- Differences ------------------------------------------------------------------------- */

struct deaf {
    uint32_t node;
    uint32_t newcomer; /* the other one that it hears nothing of at first */
    uint64_t syncs;    /* to and from it */
    uint64_t bytes;
};

/* One that hears no gossip (and probes carry no news here): only a synchronisation can tell it. */
static bool lose_news(void *context, const struct sim_datagram *datagram)
{
    struct deaf *deaf = context;
    uint8_t kind = datagram->data[1];

    if ((kind == WIRE_SYNC || kind == WIRE_ANTI_ENTROPY) &&
        (datagram->to == deaf->node || datagram->from == deaf->node)) {
        deaf->syncs++;
        deaf->bytes += datagram->size;
    }
    if (deaf->syncs == 0 && datagram->to == deaf->node && datagram->from == deaf->newcomer)
        return false;
    return datagram->to != deaf->node || kind != WIRE_GOSSIP;
}

/* It missed a newcomer; the digests in the probes tell, and the difference is fetched. */
static void missed_news_is_found_by_its_digest(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 31);
    struct deaf deaf = {.node = 12, .newcomer = SIM_NOBODY};
    struct sim *sim;
    uint32_t newcomer;

    config.member.piggyback_max = 0;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 30; i++)
        sim_add(sim);
    start_settled(sim);
    sim_filter(sim, lose_news, &deaf);
    newcomer = deaf.newcomer = sim_add(sim);
    sim_seed_node(sim, newcomer, 0);
    sim_start(sim, newcomer);
    expect_converged(sim, 20000);
    assert_true(deaf.syncs > 0);
    scenario_end(sim);
}

/* One of 400 is one member apart from the rest: what is exchanged with it is a difference, a few
 * times over at most, and not tables (400 entries are 9,600 bytes). */
static void a_small_difference_is_mended_with_few_bytes(void **state)
{
    (void)state;
    uint32_t nodes = 400;
    struct sim_config config = scenario_config(__func__, nodes + 1);
    struct deaf deaf = {.node = 12, .newcomer = SIM_NOBODY};
    struct sim *sim;
    uint32_t newcomer;

    config.check_period_ns = SECONDS(10);
    config.keep_events = false;
    config.member.piggyback_max = 0;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    start_settled(sim);
    sim_filter(sim, lose_news, &deaf);
    newcomer = deaf.newcomer = sim_add(sim);
    sim_seed_node(sim, newcomer, 0);
    sim_start(sim, newcomer);
    expect_converged(sim, 30000);
    run_ms(sim, 5000);
    printf("  mended with %llu bytes in %llu datagrams\n", (unsigned long long)deaf.bytes,
           (unsigned long long)deaf.syncs);
    assert_true(deaf.syncs >= 2);
    assert_true(deaf.bytes < UINT64_C(24) * nodes);
    scenario_end(sim);
}

/* ---- Limits of dissemination ------------------------------------------------------------- */

/* Churn for a minute: what is queued stays bounded by the table, and is said in the end. */
static void news_is_bounded_under_churn(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 30);
    struct swim_stats stats;

    for (uint32_t i = 0; i < 200; i++) {
        sim_restart_same_id(sim, 1 + i % 29);
        run_ms(sim, 100);
        swim_stats(sim_member(sim, 0), &stats);
        assert_in_range(stats.news_queued, 0, 64);
    }
    expect_converged(sim, 10000);
    run_ms(sim, 10000);
    for (uint32_t i = 0; i < 30; i++) {
        swim_stats(sim_member(sim, i), &stats);
        assert_int_equal(stats.news_queued, 0);
        assert_int_equal(stats.outbox_queued, 0);
    }
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* No entries in probes and one a gossip datagram: slow, but it arrives. */
static void the_smallest_dissemination_converges(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 12);
    struct sim *sim;

    config.member.fanout = 1;
    config.member.adaptive_fanout = false;
    config.member.adaptive_targets = false;
    config.member.piggyback_max = 0;
    config.member.retransmit_multiplier = 1;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 12; i++)
        sim_add(sim);
    start_star(sim, 0, 12);
    expect_converged(sim, 30000);
    sim_crash(sim, 4);
    expect_converged(sim, 60000);
    scenario_end(sim);
}

/* The largest fan-out that can be asked for: datagrams stay within their size (the simulator
 * refuses others), and everyone is told. */
static void the_largest_fanout_is_capped_by_the_datagram(void **state)
{
    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        struct sim_config config = scenario_config(__func__, 70);
        struct sim *sim;

        config.family = family;
        config.member.fanout = 65535;
        config.member.piggyback_max = 58;
        sim = scenario_new(&config);
        for (uint32_t i = 0; i < 70; i++)
            sim_add(sim);
        start_star(sim, 0, 70);
        expect_converged(sim, 3000);
        scenario_end(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_change_reaches_all),
        cmocka_unit_test(works_without_anti_entropy),
        cmocka_unit_test(agreement_is_silent),
        cmocka_unit_test(missed_news_is_found_by_its_digest),
        cmocka_unit_test(a_small_difference_is_mended_with_few_bytes),
        cmocka_unit_test(news_is_bounded_under_churn),
        cmocka_unit_test(the_smallest_dissemination_converges),
        cmocka_unit_test(the_largest_fanout_is_capped_by_the_datagram),
    };

    return cmocka_run_group_tests_name("sync", tests, NULL, NULL);
}
