/* Clusters of our members and of plain version-1 peers (plain/plain_v1.h). Every run asserts that no
 * plain peer was sent anything that a plain decoder does not know (its `check` fails the run),
 * and that none had to drop a datagram of ours for its rate. */
#include "plain/plain_v1.h"
#include "scenario.h"

#define PLAIN_NODES_MAX 8

struct mixed {
    struct sim *sim;
    struct plain *plain[PLAIN_NODES_MAX];
    uint32_t node[PLAIN_NODES_MAX];
    uint32_t plain_count;
    struct plain *retired[PLAIN_NODES_MAX];
    uint32_t retired_count;
};

static void start_plain(struct mixed *mixed, uint32_t slot, uint32_t seed_node)
{
    struct sim *sim = mixed->sim;
    uint32_t node = mixed->node[slot];
    struct swim_addr addr = sim_addr(sim, node);
    struct swim_addr seed = sim_addr(sim, seed_node);

    mixed->plain[slot] = plain_new(sim_id(sim, node), &addr, scenario_seed() + node,
                                   sim_local_time(sim, node, sim_now(sim)));
    plain_join(mixed->plain[slot], &seed);
    sim_start_peer(sim, node, &plain_ops, mixed->plain[slot], 0);
}

static void add_plain(struct mixed *mixed, uint32_t seed_node)
{
    uint32_t slot = mixed->plain_count++;

    mixed->node[slot] = sim_add(mixed->sim);
    start_plain(mixed, slot, seed_node);
}

/* Under a new id, at the same address. */
static void restart_plain(struct mixed *mixed, uint32_t slot, uint64_t id, uint32_t seed_node)
{
    sim_crash(mixed->sim, mixed->node[slot]);
    mixed->retired[mixed->retired_count++] = mixed->plain[slot];
    sim_member_config(mixed->sim, mixed->node[slot])->id = id;
    start_plain(mixed, slot, seed_node);
}

/* `ours` of our members (the first is everyone's seed), then `plain` plain ones. */
static struct mixed mixed_cluster(const char *name, uint32_t ours, uint32_t plain)
{
    struct sim_config config = scenario_config(name, ours + plain + 4);
    struct mixed mixed = {0};

    mixed.sim = scenario_new(&config);
    for (uint32_t i = 0; i < ours; i++)
        sim_add(mixed.sim);
    start_star(mixed.sim, 0, ours);
    for (uint32_t i = 0; i < plain; i++)
        add_plain(&mixed, 0);
    return mixed;
}

static struct mixed settled_mixed(const char *name, uint32_t ours, uint32_t plain)
{
    struct mixed mixed = mixed_cluster(name, ours, plain);

    expect_converged(mixed.sim, 5000);
    run_ms(mixed.sim, 10000);
    return mixed;
}

static void mixed_end(struct mixed *mixed)
{
    for (uint32_t i = 0; i < mixed->plain_count; i++) {
        assert_int_equal(mixed->plain[i]->limited, 0);
        assert_int_equal(mixed->plain[i]->dropped, 0);
    }
    scenario_end(mixed->sim);
    for (uint32_t i = 0; i < mixed->plain_count; i++)
        plain_free(mixed->plain[i]);
    for (uint32_t i = 0; i < mixed->retired_count; i++)
        plain_free(mixed->retired[i]);
}

/* The model alone: were it broken, everything below would prove nothing. */
static void plain_peers_find_each_other(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 5);
    struct mixed mixed = {.sim = sim_new(&config)};

    for (uint32_t i = 0; i < 5; i++)
        add_plain(&mixed, 0);
    expect_converged(mixed.sim, 5000);
    run_ms(mixed.sim, 30000);
    assert_true(sim_converged(mixed.sim, NULL));
    sim_crash(mixed.sim, 3);
    expect_all_see(mixed.sim, sim_id(mixed.sim, 3), SWIM_DEAD, 20000);
    mixed_end(&mixed);
}

static void mixed_clusters_converge(void **state)
{
    (void)state;
    static const uint32_t mixes[][2] = {{1, 1}, {2, 1}, {1, 2}, {3, 3}, {8, 2}, {2, 6}};

    for (size_t i = 0; i < COUNT_OF(mixes); i++) {
        struct mixed mixed = mixed_cluster(__func__, mixes[i][0], mixes[i][1]);

        expect_converged(mixed.sim, 5000);
        run_ms(mixed.sim, 120000);
        assert_true(sim_converged(mixed.sim, NULL));
        expect_nobody_suspected(mixed.sim, 0, 0);
        for (uint32_t k = 0; k < mixed.plain_count; k++)
            assert_int_equal(mixed.plain[k]->violation != NULL, false);
        mixed_end(&mixed);
    }
}

/* The seed is the plain one. */
static void ours_join_a_plain_cluster(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 8);
    struct mixed mixed = {.sim = sim_new(&config)};

    for (uint32_t i = 0; i < 4; i++)
        add_plain(&mixed, 0);
    run_ms(mixed.sim, 5000);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t node = sim_add(mixed.sim);

        sim_seed_node(mixed.sim, node, i % 4);
        sim_start(mixed.sim, node);
    }
    expect_converged(mixed.sim, 15000);
    run_ms(mixed.sim, 30000);
    expect_nobody_suspected(mixed.sim, 0, 0);
    mixed_end(&mixed);
}

static void a_death_among_ours_is_seen_by_plain_peers(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 4, 4);
    uint64_t id = sim_id(mixed.sim, 2);

    sim_crash(mixed.sim, 2);
    expect_all_see(mixed.sim, id, SWIM_DEAD, death_bound_ms(8) + 5000);
    expect_nobody_suspected(mixed.sim, id, 0);
    mixed_end(&mixed);
}

static void a_death_among_plain_peers_is_seen_by_ours(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 4, 4);
    uint64_t id = sim_id(mixed.sim, 6);

    sim_crash(mixed.sim, 6);
    expect_all_see(mixed.sim, id, SWIM_DEAD, death_bound_ms(8) + 5000);
    expect_nobody_suspected(mixed.sim, id, 0);
    mixed_end(&mixed);
}

struct mixed_view {
    uint64_t id;
    uint32_t ours;
};

/* Ours see it as left, plain ones as dead. */
static bool is_gone_for_all(const struct sim *sim, const void *context)
{
    const struct mixed_view *view = context;

    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        enum swim_status expected = sim_is_foreign(sim, i) ? SWIM_DEAD : SWIM_LEFT;

        if (sim_state(sim, i) == SIM_RUNNING && sim_id(sim, i) != view->id &&
            !sim_sees(sim, i, view->id, expected))
            return false;
    }
    return true;
}

static void a_leave_of_ours(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 5, 3);
    struct mixed_view view = {.id = sim_id(mixed.sim, 2)};

    sim_leave(mixed.sim, 2);
    expect_until(mixed.sim, is_gone_for_all, &view, 3000, "all know that it has gone");
    assert_int_equal(sim_state(mixed.sim, 2), SIM_STOPPED);
    assert_int_equal(sim_event_count(mixed.sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0), 0);
    expect_nobody_suspected(mixed.sim, 0, 0);
    mixed_end(&mixed);
}

/* It says so once, to a few, and does not wait. */
static void a_leave_of_a_plain_peer(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 5, 3);
    uint64_t id = sim_id(mixed.sim, 6);
    bool is_gone = false;

    plain_leave(mixed.plain[1]);
    sim_poke(mixed.sim, 6);
    sim_crash(mixed.sim, 6);
    for (uint32_t i = 0; i < 100 && !is_gone; i++) {
        is_gone = true;
        run_ms(mixed.sim, 50);
        for (uint32_t k = 0; k < sim_nodes(mixed.sim); k++) {
            is_gone &= sim_state(mixed.sim, k) == SIM_STOPPED ||
                       sim_sees(mixed.sim, k, id, SWIM_DEAD) ||
                       sim_sees(mixed.sim, k, id, SWIM_LEFT);
        }
    }
    assert_true(is_gone);
    mixed_end(&mixed);
}

/* One link is cut between two of ours and all helpers are plain: they relay nothing, but their
 * next word about the target is evidence enough. */
static void indirect_probes_through_plain_peers(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 2, 4);

    sim_link_loss(mixed.sim, 0, 1, 1000);
    sim_link_loss(mixed.sim, 1, 0, 1000);
    run_ms(mixed.sim, 120000);
    assert_true(SIM_COUNTER(mixed.sim, 0, ping_reqs_sent) > 0);
    expect_nobody_failed(mixed.sim, 0, 0);
    assert_true(sim_sees(mixed.sim, 0, sim_id(mixed.sim, 1), SWIM_ALIVE) ||
                sim_sees(mixed.sim, 0, sim_id(mixed.sim, 1), SWIM_SUSPECT));
    mixed_end(&mixed);
}

/* Plain peers tell each other of their dead for ever; ours take no part in it. */
static void ghosts_of_plain_peers_do_not_haunt_ours(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 5, 3);
    uint64_t ids[3];

    for (uint32_t i = 0; i < 3; i++) {
        ids[i] = sim_id(mixed.sim, 2 + i);
        sim_restart_new_id(mixed.sim, 2 + i);
        run_ms(mixed.sim, 3000);
    }
    run_ms(mixed.sim, 120000);
    for (uint32_t node = 0; node < 5; node++) {
        for (uint32_t i = 0; i < 3; i++) {
            enum swim_status status;

            assert_false(sim_status(mixed.sim, node, ids[i], &status));
        }
        assert_int_equal(sim_count(mixed.sim, node, SWIM_ALIVE), 8);
        assert_int_equal(sim_count(mixed.sim, node, SWIM_DEAD), 0);
    }
    mixed_end(&mixed);
}

static void a_plain_peer_restarts_under_a_new_id(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 4, 3);
    uint64_t old = sim_id(mixed.sim, 5);
    uint64_t fresh = old ^ 0x5555;

    restart_plain(&mixed, 1, fresh, 0);
    run_ms(mixed.sim, 5000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(sim_sees(mixed.sim, i, fresh, SWIM_ALIVE));
        assert_false(sim_sees(mixed.sim, i, old, SWIM_ALIVE));
    }
    run_ms(mixed.sim, 90000);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(sim_count(mixed.sim, i, SWIM_ALIVE), 7);
    mixed_end(&mixed);
}

static void a_partition_with_plain_peers_on_both_sides(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 6, 2);

    for (uint32_t i = 0; i < 8; i += 2)
        sim_split(mixed.sim, i, 1);
    run_ms(mixed.sim, 90000);
    sim_heal(mixed.sim);
    expect_converged(mixed.sim, 90000);
    mixed_end(&mixed);
}

static bool are_ours_converged(const struct sim *sim, const void *context)
{
    (void)context;
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_state(sim, i) == SIM_RUNNING && !sim_is_foreign(sim, i) &&
            (sim_count(sim, i, SWIM_ALIVE) != sim_running(sim) ||
             sim_count(sim, i, SWIM_SUSPECT) != 0))
            return false;
    }
    return true;
}

/* A member of ours was replaced by a plain peer at its address, and the other way round: what
 * was learnt of an address's capability does not outlive its id. */
static void an_upgrade_and_a_downgrade(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 4, 2);
    uint32_t slot = mixed.plain_count++;

    sim_crash(mixed.sim, 2);
    sim_member_config(mixed.sim, 2)->id ^= 0x77;
    mixed.node[slot] = 2;
    start_plain(&mixed, slot, 0);
    /* For as long as news needs, the others believe in the capable one at its address. */
    mixed.plain[slot]->tolerant_until =
        sim_local_time(mixed.sim, 2, sim_now(mixed.sim) + SECONDS(3));
    sim_crash(mixed.sim, 4);
    sim_seed_node(mixed.sim, 4, 0);
    sim_member_config(mixed.sim, 4)->id ^= 0x77;
    sim_start(mixed.sim, 4);
    /* Plain peers may chase the ghosts of the old ids for longer: that is theirs. */
    expect_until(mixed.sim, are_ours_converged, NULL, 20000, "ours see all");
    run_ms(mixed.sim, 30000);
    struct swim_member member;
    assert_true(swim_member_find(sim_member(mixed.sim, 0), sim_id(mixed.sim, 4), &member));
    assert_true(member.is_capable);
    assert_true(swim_member_find(sim_member(mixed.sim, 0), sim_id(mixed.sim, 2), &member));
    assert_false(member.is_capable);
    mixed_end(&mixed);
}

/* It keeps its id and comes back as a plain program. */
static void a_downgrade_under_the_same_id(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 4, 2);
    uint32_t slot = mixed.plain_count++;
    uint32_t incarnation = self_of(mixed.sim, 2).incarnation;
    struct sim *sim = mixed.sim;
    struct swim_addr addr = sim_addr(sim, 2);
    struct swim_addr seed = sim_addr(sim, 0);

    mixed.node[slot] = 2;
    sim_crash(sim, 2);
    run_ms(sim, 60000);
    mixed.plain[slot] = plain_new(sim_id(sim, 2), &addr, 1, sim_local_time(sim, 2, sim_now(sim)));
    mixed.plain[slot]->incarnation = incarnation + 1;
    plain_join(mixed.plain[slot], &seed);
    sim_start_peer(sim, 2, &plain_ops, mixed.plain[slot], 0);
    expect_converged(sim, 20000);
    mixed_end(&mixed);
}

/* A table of 6,000 is 125 chunks, more than the burst of 100 that a plain peer takes: they are
 * spread over seconds, and all of them arrive. */
static void a_huge_table_is_paced_for_a_plain_peer(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 2);
    struct mixed mixed = {.sim = sim_new(&config)};
    struct swim_addr from = make_addr(1, 7);
    uint32_t node = sim_add(mixed.sim);

    sim_member_config(mixed.sim, node)->members_max = 8192;
    sim_start(mixed.sim, node);
    for (uint32_t i = 0; i < 120; i++) {
        struct wire_entry entries[50];
        struct forged gossip = {.header = {.kind = WIRE_GOSSIP, .sender_id = 7},
                                .is_proved = true,
                                .entries = entries,
                                .count = 50};

        for (uint32_t k = 0; k < 50; k++) {
            uint32_t id = 1000 + 50 * i + k;

            entries[k] = (struct wire_entry){.id = id, .addr = make_addr(2, (uint16_t)id)};
        }
        forge(mixed.sim, &from, node, &gossip);
    }
    run_ms(mixed.sim, 1);
    assert_int_equal(sim_count(mixed.sim, node, SWIM_ALIVE), 6002);
    add_plain(&mixed, node);
    run_ms(mixed.sim, 1000);
    assert_true(mixed.plain[0]->received[WIRE_ANTI_ENTROPY] < 100);
    run_ms(mixed.sim, 9000);
    assert_in_range(mixed.plain[0]->received[WIRE_ANTI_ENTROPY], 125, 130);
    assert_int_equal(mixed.plain[0]->syncs_complete, 1);
    assert_true(mixed.plain[0]->member_count > 6000);
    mixed_end(&mixed);
}

/* A plain peer that keeps its id and takes a higher incarnation is back, in one event; one that only
 * refutes is not. */
static void a_plain_peer_restarts_under_its_id(void **state)
{
    (void)state;
    struct mixed mixed = settled_mixed(__func__, 3, 2);
    uint64_t id = sim_id(mixed.sim, mixed.node[0]);
    struct wire_entry doubt = entry_of(mixed.sim, 0, id);
    struct forged gossip = {
        .header = honest_header(mixed.sim, 1, WIRE_GOSSIP), .entries = &doubt, .count = 1};
    struct swim_addr from = sim_addr(mixed.sim, 1);
    uint32_t incarnation;
    uint64_t since;

    doubt.status = SWIM_SUSPECT;
    doubt.heartbeat += 5;
    forge(mixed.sim, &from, mixed.node[0], &gossip);
    run_ms(mixed.sim, 5000);
    incarnation = mixed.plain[0]->incarnation;
    assert_true(incarnation > 0);
    assert_int_equal(sim_event_count(mixed.sim, 0, SWIM_EVENT_UPDATED, id, 0), 1);
    assert_int_equal(sim_event_count(mixed.sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, 0, 0), 0);
    since = sim_now(mixed.sim);
    restart_plain(&mixed, 0, id, 0);
    mixed.plain[0]->incarnation = incarnation + 1;
    expect_converged(mixed.sim, 5000);
    run_ms(mixed.sim, 20000);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(sim_event_count(mixed.sim, i, SWIM_EVENT_RESTARTED, id, since), 1);
        assert_int_equal(sim_event_count(mixed.sim, i, SWIM_EVENT_JOINED, id, since), 0);
        assert_int_equal(sim_event_count(mixed.sim, i, SWIM_EVENT_UPDATED, id, since), 0);
    }
    mixed_end(&mixed);
}

/* The table of a thousand that all live, for a peer that takes 50 datagrams a second. */
static void a_big_table_for_a_plain_peer(void **state)
{
    (void)state;
    uint32_t ours = scenario_size(1000, 500);
    struct sim_config config = scenario_config(__func__, ours + 1);
    struct mixed mixed = {0};

    config.keep_events = false;
    config.check_period_ns = SECONDS(10);
    config.poll_ns = 50 * SWIM_MS;
    mixed.sim = scenario_new(&config);
    for (uint32_t i = 0; i < ours; i++)
        sim_add(mixed.sim);
    start_star(mixed.sim, 0, ours);
    expect_converged(mixed.sim, 15000);
    run_ms(mixed.sim, 5000);
    add_plain(&mixed, 17);
    expect_converged(mixed.sim, 15000);
    assert_true(mixed.plain[0]->syncs_complete > 0);
    run_ms(mixed.sim, 20000);
    assert_true(sim_converged(mixed.sim, NULL));
    assert_int_equal(sim_event_count(mixed.sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, 0, 0), 0);
    mixed_end(&mixed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_peers_find_each_other),
        cmocka_unit_test(mixed_clusters_converge),
        cmocka_unit_test(ours_join_a_plain_cluster),
        cmocka_unit_test(a_death_among_ours_is_seen_by_plain_peers),
        cmocka_unit_test(a_death_among_plain_peers_is_seen_by_ours),
        cmocka_unit_test(a_leave_of_ours),
        cmocka_unit_test(a_leave_of_a_plain_peer),
        cmocka_unit_test(indirect_probes_through_plain_peers),
        cmocka_unit_test(ghosts_of_plain_peers_do_not_haunt_ours),
        cmocka_unit_test(a_plain_peer_restarts_under_a_new_id),
        cmocka_unit_test(a_partition_with_plain_peers_on_both_sides),
        cmocka_unit_test(an_upgrade_and_a_downgrade),
        cmocka_unit_test(a_downgrade_under_the_same_id),
        cmocka_unit_test(a_huge_table_is_paced_for_a_plain_peer),
        cmocka_unit_test(a_plain_peer_restarts_under_its_id),
        cmocka_unit_test(a_big_table_for_a_plain_peer),
    };

    return cmocka_run_group_tests_name("mixed", tests, NULL, NULL);
}
