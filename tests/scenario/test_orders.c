/* An operator's orders: members made to leave, and pings, with what they cost. */
#include "scenario.h"

static enum swim_order force_leave(struct sim *sim, uint32_t node, uint64_t id, bool prune)
{
    enum swim_order order =
        swim_force_leave(sim_member(sim, node), sim_local_time(sim, node, sim_now(sim)), id, prune);

    sim_poke(sim, node);
    return order;
}

static enum swim_order ping(struct sim *sim, uint32_t node, uint64_t id)
{
    enum swim_order order =
        swim_ping(sim_member(sim, node), sim_local_time(sim, node, sim_now(sim)), id);

    sim_poke(sim, node);
    return order;
}

/* lambda * lg(n + 1) times for each member that holds it (protocol.md section 7). */
static uint64_t tellings_max(uint32_t n)
{
    return (uint64_t)n * 3 * log2_up(n + 1);
}

/* Whether it is dead already or only suspect: within a second it has left, for all, for good. */
static void the_dead_are_made_to_leave(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {3, 10, 50};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (enum swim_status from = SWIM_SUSPECT; from <= SWIM_DEAD; from++) {
            struct sim *sim = settled(__func__, sizes[i]);
            uint64_t id = sim_id(sim, 1);
            uint64_t since;

            sim_crash(sim, 1);
            expect_all_see(sim, id, from, death_bound_ms(sizes[i]));
            run_ms(sim, from == SWIM_DEAD ? 4000 : 0);
            since = sim_now(sim);
            assert_int_equal(force_leave(sim, 0, id, false), SWIM_ORDER_DONE);
            expect_all_see(sim, id, SWIM_LEFT, 1000 + 200 * log2_up(sizes[i]));
            assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_LEFT, id, since),
                             sizes[i] - 1);
            run_ms(sim, 30000);
            assert_true(sim_all_forgot(sim, id));
            assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, id, since), 0);
            assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, since), 0);
            scenario_end(sim);
        }
    }
}

static void it_costs_one_piece_of_news(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 20);
    uint64_t id = sim_id(sim, 1);
    struct sim_traffic idle;
    struct sim_traffic busy;
    uint64_t gossip;

    sim_crash(sim, 1);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(20));
    run_ms(sim, 4000);
    idle = traffic_of(sim, SIM_NOBODY, 2000);
    assert_int_equal(idle.datagrams[WIRE_GOSSIP], 0);
    assert_int_equal(force_leave(sim, 0, id, false),
                     SWIM_ORDER_DONE); /* waits for the next round */
    busy = traffic_of(sim, SIM_NOBODY, 2000);
    gossip = busy.datagrams[WIRE_GOSSIP];
    printf("  %llu GOSSIP datagrams told 19 members\n", (unsigned long long)gossip);
    assert_in_range(gossip, 18, tellings_max(19));
    expect_all_see(sim, id, SWIM_LEFT, 0);
    idle = traffic_of(sim, SIM_NOBODY, 2000);
    assert_int_equal(idle.datagrams[WIRE_GOSSIP], 0);
    scenario_end(sim);
}

/* Who lives says so: it is back for everybody within moments, and nobody calls that a restart. */
static void the_living_come_back(void **state)
{
    (void)state;
    static const bool prunes[] = {false, true};

    for (size_t i = 0; i < COUNT_OF(prunes); i++) {
        struct sim *sim = settled(__func__, 10);
        uint64_t id = sim_id(sim, 3);
        uint32_t incarnation = self_of(sim, 3).incarnation;

        assert_int_equal(force_leave(sim, 0, id, prunes[i]), SWIM_ORDER_DONE);
        assert_int_equal(sim_sees(sim, 0, id, SWIM_LEFT), !prunes[i]);
        expect_converged(sim, 5000);
        assert_true(self_of(sim, 3).incarnation > incarnation);
        assert_true(SIM_COUNTER(sim, 3, refutations) > 0);
        run_ms(sim, 60000);
        assert_true(sim_is_clean(sim, NULL));
        assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, 0, 0), 0);
        expect_nobody_failed(sim, 0, 0);
        scenario_end(sim);
    }
}

/* Pruned here, it has left everywhere else, and nobody's old word brings it back to anybody. */
static void pruned_is_not_seen_again(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 10);
    uint64_t id = sim_id(sim, 3);
    uint64_t since;

    sim_pause(sim, 4, SECONDS(20)); /* and will believe in it when it goes on */
    run_ms(sim, 100);
    sim_crash(sim, 3);
    run_ms(sim, 8000);
    since = sim_now(sim);
    assert_int_equal(force_leave(sim, 0, id, true), SWIM_ORDER_DONE);
    for (uint32_t i = 0; i < 1000; i++) {
        run_ms(sim, 100);
        assert_false(sim_sees(sim, 0, id, SWIM_ALIVE));
        assert_false(sim_sees(sim, 0, id, SWIM_LEFT));
    }
    assert_true(sim_all_forgot(sim, id));
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_FORGOTTEN, id, since), 1);
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_JOINED, id, since), 0);
    assert_true(sim_event_count(sim, 5, SWIM_EVENT_LEFT, id, since) == 1);
    scenario_end(sim);
}

static uint64_t last_rtt(const struct sim *sim)
{
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);

    while (count > 0 && events[count - 1].kind != SWIM_EVENT_PONG)
        count--;
    assert_true(count > 0);
    return events[count - 1].rtt_ns;
}

/* A world of five, all links as slow, from when a ping may be asked for: twice the same. */
static struct sim *steady_world(void)
{
    struct sim *sim = settled("a_ping_is_two_datagrams", 5);
    struct sim_net steady = NET(7 * SWIM_MS, 7 * SWIM_MS, 0, 0, 0);

    sim_set_net(sim, &steady);
    run_ms(sim, 5000);
    return sim;
}

/* One PING and one ACK more than without it, and the time that both took. */
static void a_ping_is_two_datagrams(void **state)
{
    (void)state;
    struct sim *idle = steady_world();
    struct sim *busy = steady_world();
    uint64_t id = sim_id(busy, 3);
    struct swim_member member;
    struct sim_traffic without;
    struct sim_traffic with;

    assert_int_equal(ping(busy, 0, id), SWIM_ORDER_DONE);
    run_ms(idle, 20000);
    run_ms(busy, 20000);
    without = sim_sent(idle, SIM_NOBODY);
    with = sim_sent(busy, SIM_NOBODY);
    assert_int_equal(with.datagrams[WIRE_PING], without.datagrams[WIRE_PING] + 1);
    assert_int_equal(with.datagrams[WIRE_ACK], without.datagrams[WIRE_ACK] + 1);
    assert_int_equal(with.datagrams_total, without.datagrams_total + 2);
    assert_int_equal(sim_event_count(busy, 0, SWIM_EVENT_PONG, id, 0), 1);
    assert_int_equal(last_rtt(busy), 14 * SWIM_MS);
    /* The probes have measured all the others by now. */
    for (uint32_t i = 1; i < 5; i++) {
        assert_true(swim_member_find(sim_member(idle, 0), sim_id(idle, i), &member));
        assert_int_equal(member.rtt_ns, 14 * SWIM_MS);
    }
    scenario_end(idle);
    scenario_end(busy);
}

/* Pings of one that is gone, by all, all the time, make nobody find out sooner or later. */
static void pings_accuse_nobody(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    uint64_t id = sim_id(sim, 2);
    uint64_t asked = 0;

    sim_link_loss(sim, 0, 2, 1000); /* one way is cut: its own probes still say that it lives */
    for (uint32_t i = 0; i < 100; i++) {
        asked += ping(sim, 0, id) == SWIM_ORDER_DONE;
        run_ms(sim, 100);
    }
    run_ms(sim, 1000);
    assert_int_equal(asked, 100);
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_PONG, id, 0), asked);
    assert_int_equal(last_rtt(sim), 0);
    assert_int_equal(SIM_COUNTER(sim, 0, probe_failures), 0); /* indirect probes reach it */
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dead_are_made_to_leave), cmocka_unit_test(it_costs_one_piece_of_news),
        cmocka_unit_test(the_living_come_back),       cmocka_unit_test(pruned_is_not_seen_again),
        cmocka_unit_test(a_ping_is_two_datagrams),    cmocka_unit_test(pings_accuse_nobody),
    };

    return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
