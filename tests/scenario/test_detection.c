/* Failure detection (docs/protocol.md section 5): the dead are found, the living are left alone,
 * and it costs what it should. */
#include "scenario.h"

static void death_in_a_cluster_of(const char *name, uint32_t nodes)
{
    struct sim *sim = settled(name, nodes);
    uint32_t victim = nodes / 2;
    uint64_t id = sim_id(sim, victim);
    uint64_t since = sim_now(sim);

    sim_crash(sim, victim);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(nodes));
    run_ms(sim, 5000);
    expect_nobody_suspected(sim, id, 0);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, since), nodes - 1);
    expect_all_forgot(sim, id, 20000);
    run_ms(sim, 40000);
    assert_true(sim_all_forgot(sim, id));
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, since), nodes - 1);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FORGOTTEN, id, since), nodes - 1);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, id, since), 0);
    scenario_end(sim);
}

static void death_in_a_cluster_of_two(void **state)
{
    (void)state;
    death_in_a_cluster_of(__func__, 2);
}

static void death_in_a_cluster_of_three(void **state)
{
    (void)state;
    death_in_a_cluster_of(__func__, 3);
}

static void death_in_a_cluster_of_ten(void **state)
{
    (void)state;
    death_in_a_cluster_of(__func__, 10);
}

static void death_in_a_cluster_of_fifty(void **state)
{
    (void)state;
    death_in_a_cluster_of(__func__, 50);
}

/* kill -9 in the cluster of `make cluster`: 12 s, whatever the moment. */
static void three_notice_a_kill_within_twelve_seconds(void **state)
{
    (void)state;
    for (uint64_t offset_ms = 0; offset_ms < 3000; offset_ms += 375) {
        struct sim *sim = settled(__func__, 3);
        uint64_t id = sim_id(sim, 2);

        run_ms(sim, offset_ms);
        sim_crash(sim, 2);
        expect_all_see(sim, id, SWIM_DEAD, 12000);
        expect_nobody_suspected(sim, id, 0);
        scenario_end(sim);
    }
}

static bool is_doubted_by_someone(const struct sim *sim, const void *context)
{
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_sees(sim, i, *(const uint64_t *)context, SWIM_SUSPECT))
            return true;
    }
    return false;
}

/* The first doubt outranks whatever the others had heard of the member before the probe failed,
 * however lately: all share it at once, and the same one. */
static void a_suspicion_outranks_what_others_know(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 30);
    uint64_t id = sim_id(sim, 11);

    run_ms(sim, 60000);
    sim_crash(sim, 11);
    expect_until(sim, is_doubted_by_someone, &id, 6000, "somebody doubts it");
    expect_all_see(sim, id, SWIM_SUSPECT, 1000);
    scenario_end(sim);
}

static void half_of_the_cluster_dies_at_once(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 20);
    uint64_t ids[10];

    for (uint32_t i = 0; i < 10; i++) {
        ids[i] = sim_id(sim, 10 + i);
        sim_crash(sim, 10 + i);
    }
    /* A round of each survivor meets the dead as often as the living: twice as long. */
    expect_converged(sim, 2 * death_bound_ms(20));
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, ids[i], 0), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, sim_id(sim, i), 0),
                         0);
    }
    scenario_end(sim);
}

/* Unreachable for less than the shortest suspicion lasts, again and again: doubted (whenever it
 * was somebody's turn to probe it), then believed again, never dead. */
static void a_suspect_that_lives_refutes(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    uint64_t id = sim_id(sim, 3);
    uint64_t since = sim_now(sim);

    for (unsigned i = 0; i < 10; i++) {
        sim_node_loss(sim, 3, 1000, 1000);
        run_ms(sim, 2500);
        sim_heal(sim);
        expect_converged(sim, 5000);
        run_ms(sim, 5000);
    }
    assert_true(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, id, since) > 0);
    run_ms(sim, 30000);
    assert_true(sim_converged(sim, NULL));
    expect_nobody_failed(sim, 0, 0);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, id, since),
                     sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RECOVERED, id, since));
    scenario_end(sim);
}

/* ---- Indirect probes --------------------------------------------------------------------- */

struct ping_reqs {
    uint32_t count;
    uint32_t from;
    uint32_t to;
    uint64_t at;
    bool is_repeated; /* the same helper twice in one probe */
    bool is_self;     /* the target was asked about itself */
    uint64_t pings[12][12];
};

static bool watch_probes(void *context, const struct sim_datagram *datagram)
{
    struct ping_reqs *seen = context;
    struct wire_datagram decoded;

    if (wire_decode(datagram->data, datagram->size, &decoded) != SWIM_OK)
        return true;
    if (decoded.header.kind == WIRE_PING && datagram->to < 12)
        seen->pings[datagram->from][datagram->to]++;
    if (decoded.header.kind != WIRE_PING_REQ)
        return true;
    seen->count++;
    seen->is_repeated |= seen->from == datagram->from && seen->to == datagram->to &&
                         seen->at + 100 * SWIM_MS > datagram->at;
    seen->is_self |= is_equal_addr(&decoded.target_addr, &datagram->to_addr);
    seen->from = datagram->from;
    seen->to = datagram->to;
    seen->at = datagram->at;
    return true;
}

/*
 * Nothing goes between 3 and 7, for five minutes. Each sees the other through k = 2 of the ten
 * others, who relay the answers; nobody is ever doubted, and nobody else is asked.
 */
static void one_cut_link_harms_nobody(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 12);
    struct ping_reqs seen = {.from = SIM_NOBODY};
    uint64_t timeouts;

    sim_link_loss(sim, 3, 7, 1000);
    sim_link_loss(sim, 7, 3, 1000);
    sim_filter(sim, watch_probes, &seen);
    run_ms(sim, 300000);
    expect_nobody_suspected(sim, 0, 0);
    assert_true(sim_converged(sim, NULL));
    timeouts = SIM_COUNTER(sim, 3, probe_direct_timeouts);
    assert_in_range(timeouts, 20, 40); /* once in a lap of 11 rounds */
    timeouts += SIM_COUNTER(sim, 7, probe_direct_timeouts);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, probe_direct_timeouts), timeouts);
    assert_int_equal(seen.count, 2 * timeouts);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, ping_reqs_sent), 2 * timeouts);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, indirect_relayed), 2 * timeouts);
    assert_int_equal(SIM_COUNTER(sim, SIM_NOBODY, probe_failures), 0);
    assert_false(seen.is_repeated);
    assert_false(seen.is_self);
    scenario_end(sim);
}

/* With two members there is nobody to ask; with three, one. */
static void small_clusters_ask_whom_they_have(void **state)
{
    (void)state;
    for (uint32_t nodes = 2; nodes <= 3; nodes++) {
        struct sim *sim = settled(__func__, nodes);
        struct ping_reqs seen = {.from = SIM_NOBODY};

        sim_filter(sim, watch_probes, &seen);
        sim_link_loss(sim, 0, 1, 1000);
        sim_link_loss(sim, 1, 0, 1000);
        run_ms(sim, 60000);
        if (nodes == 3) {
            expect_nobody_suspected(sim, 0, 0);
            assert_int_equal(seen.count, SIM_COUNTER(sim, SIM_NOBODY, probe_direct_timeouts));
            assert_true(seen.count > 0);
        } else {
            assert_int_equal(seen.count, 0);
            assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 1);
        }
        assert_false(seen.is_self);
        scenario_end(sim);
    }
}

/* Direct probes alone, by configuration. */
static void without_intermediaries(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 6);
    struct sim *sim;

    config.member.indirect_k = 0;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 6; i++)
        sim_add(sim);
    start_settled(sim);
    uint64_t id = sim_id(sim, 5);
    sim_crash(sim, 5);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(6));
    expect_nobody_suspected(sim, id, 0);
    assert_int_equal(sim_sent(sim, SIM_NOBODY).datagrams[WIRE_PING_REQ], 0);
    scenario_end(sim);
}

/* ---- One-sided deafness ------------------------------------------------------------------ */

/* Nothing reaches node 5, and all that it says gets through. */
static void deafness(const char *name, bool addr_in_probes)
{
    struct sim_config config = scenario_config(name, 8);
    struct sim *sim;
    uint64_t id;

    config.member.addr_in_probes = addr_in_probes;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 8; i++)
        sim_add(sim);
    start_settled(sim);
    id = sim_id(sim, 5);
    sim_node_loss(sim, 5, 1000, 0);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(8) + 5000);
    /* What it says about the others, whom it cannot hear, kills none of them. */
    for (uint32_t i = 0; i < 8; i++) {
        for (uint32_t k = 0; k < 8; k++) {
            if (i != 5 && k != 5 && i != k)
                assert_int_equal(sim_event_count(sim, i, SWIM_EVENT_FAILED, sim_id(sim, k), 0), 0);
        }
    }
    scenario_end(sim);
}

/* A known implementation never finds this one: any datagram of the target clears a probe. */
static void a_node_that_can_send_but_not_receive_is_found(void **state)
{
    (void)state;
    deafness(__func__, false);
}

/* Nor do entries about itself in its own datagrams prove that it hears. */
static void a_deaf_node_that_tells_its_address_is_found(void **state)
{
    (void)state;
    deafness(__func__, true);
}

static void a_node_that_can_receive_but_not_send_is_found(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 5);

    sim_node_loss(sim, 5, 0, 1000);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(8));
    for (uint32_t k = 0; k < 8; k++) {
        for (uint32_t i = 0; i < 8; i++) {
            if (i != 5 && k != 5)
                assert_int_equal(sim_event_count(sim, i, SWIM_EVENT_FAILED, sim_id(sim, k), 0), 0);
        }
    }
    scenario_end(sim);
}

/* ---- Rounds and costs -------------------------------------------------------------------- */

/* Round-robin: between two probes of one member by one other, 2n - 1 rounds at most. */
static void every_member_is_probed_in_turn(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 12);
    struct ping_reqs seen = {.from = SIM_NOBODY};

    sim_filter(sim, watch_probes, &seen);
    for (uint32_t lap = 0; lap < 6; lap++) {
        memset(seen.pings, 0, sizeof seen.pings);
        run_ms(sim, (2 * 11 - 1) * 1000 + 1000);
        for (uint32_t i = 0; i < 12; i++) {
            for (uint32_t k = 0; k < 12; k++) {
                if (i != k)
                    assert_in_range(seen.pings[i][k], 1, 3);
            }
        }
    }
    scenario_end(sim);
}

/* A PING and an ACK a member a second, and not a word more. */
static void an_idle_cluster_costs_two_datagrams_a_member_a_second(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 12, 50};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct sim *sim = settled(__func__, sizes[i]);
        struct sim_traffic traffic = traffic_of(sim, SIM_NOBODY, 60000);
        uint64_t seconds = UINT64_C(60) * sizes[i];

        assert_in_range(traffic.datagrams_total, 19 * seconds / 10, 22 * seconds / 10);
        assert_int_equal(traffic.datagrams_total,
                         traffic.datagrams[WIRE_PING] + traffic.datagrams[WIRE_ACK]);
        /* Headers and a few records: there is no news to carry. */
        assert_true(traffic.bytes_total <= 80 * traffic.datagrams_total);
        expect_nobody_suspected(sim, 0, 0);
        scenario_end(sim);
    }
}

/* ---- Claims ------------------------------------------------------------------------------ */

/* A known implementation adds one to its own counter: it stayed dead for as long as watched. */
static void one_forged_incarnation_of_a_million_is_refuted_at_once(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 2);
    struct wire_entry entry = entry_of(sim, 5, id);
    struct forged lie = {.entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 4);
    uint64_t since = sim_now(sim);

    entry.incarnation = 1000000;
    entry.status = SWIM_DEAD;
    lie.header = honest_header(sim, 4, WIRE_GOSSIP);
    forge(sim, &from, 5, &lie);
    run_ms(sim, 1);
    assert_true(sim_sees(sim, 5, id, SWIM_DEAD));
    expect_all_see(sim, id, SWIM_ALIVE, 3000);
    run_ms(sim, 2000);
    assert_int_equal(self_of(sim, 2).incarnation, 1000001);
    assert_int_equal(sim_event_count(sim, 2, SWIM_EVENT_REFUTED, id, since), 1);
    expect_converged(sim, 2000);
    run_ms(sim, 60000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* The same stale word, fifty times a second: answered once an interval, not each time. */
static void stale_claims_are_answered_once_an_interval(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    struct wire_entry entry = entry_of(sim, 1, sim_id(sim, 3));
    struct forged stale = {.entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 2);
    uint64_t before = SIM_COUNTER(sim, 1, corrections_sent);
    uint64_t answers;

    /* 3 comes back higher, so what is held of it now becomes a stale claim. */
    sim_restart_same_id(sim, 3);
    expect_converged(sim, 10000);
    run_ms(sim, 5000);
    entry.status = SWIM_SUSPECT;
    for (uint32_t i = 0; i < 500; i++) {
        stale.header = honest_header(sim, 2, WIRE_GOSSIP);
        forge(sim, &from, 1, &stale);
        run_ms(sim, 20);
    }
    answers = SIM_COUNTER(sim, 1, corrections_sent) - before;
    assert_in_range(answers, 1, 10000 / 200 + 2);
    expect_nobody_failed(sim, 0, sim_now(sim) - SECONDS(10));
    assert_true(sim_converged(sim, NULL));
    scenario_end(sim);
}

/* Each holds another opinion; neither tells the other for ever. */
static void two_that_disagree_fall_silent(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 2);
    uint64_t nobody = 0x1234;
    struct wire_entry entry = {
        .id = nobody, .incarnation = 5, .status = SWIM_ALIVE, .addr = make_addr(9, 7946)};
    struct forged lie = {.entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 1);
    struct sim_traffic traffic;

    lie.header = honest_header(sim, 1, WIRE_GOSSIP);
    forge(sim, &from, 0, &lie);
    run_ms(sim, 120000);
    expect_clean(sim, 60000);
    traffic = traffic_of(sim, SIM_NOBODY, 60000);
    assert_int_equal(traffic.datagrams[WIRE_GOSSIP], 0);
    assert_in_range(traffic.datagrams[WIRE_PING] + traffic.datagrams[WIRE_ACK], 228, 264);
    scenario_end(sim);
}

/* The dead are tried again at a low rate, for they may come back; they are not told all news. */
static void the_dead_are_not_told_for_ever(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 7);
    uint64_t before = 0;
    uint64_t after = 0;
    struct sim_traffic sent;
    uint64_t tried;

    sim_crash(sim, 7);
    expect_all_forgot(sim, id, death_bound_ms(8) + 20000);
    run_ms(sim, 20000);
    sent = sim_sent(sim, SIM_NOBODY);
    tried = SIM_COUNTER(sim, SIM_NOBODY, contacts_tried);
    run_ms(sim, 300000);
    before = sent.datagrams_total;
    sent = sim_sent(sim, SIM_NOBODY);
    after = sent.datagrams_total;
    tried = SIM_COUNTER(sim, SIM_NOBODY, contacts_tried) - tried;
    /* Seven survivors in five minutes: beside their probes and answers, only the tries. */
    assert_in_range(tried, 1, 7 * 300);
    assert_in_range(after - before, 7 * 300 * 19 / 10, 7 * 300 * 22 / 10 + tried);
    assert_true(sim_all_forgot(sim, id));
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_in_a_cluster_of_two),
        cmocka_unit_test(death_in_a_cluster_of_three),
        cmocka_unit_test(death_in_a_cluster_of_ten),
        cmocka_unit_test(death_in_a_cluster_of_fifty),
        cmocka_unit_test(three_notice_a_kill_within_twelve_seconds),
        cmocka_unit_test(a_suspicion_outranks_what_others_know),
        cmocka_unit_test(half_of_the_cluster_dies_at_once),
        cmocka_unit_test(a_suspect_that_lives_refutes),
        cmocka_unit_test(one_cut_link_harms_nobody),
        cmocka_unit_test(small_clusters_ask_whom_they_have),
        cmocka_unit_test(without_intermediaries),
        cmocka_unit_test(a_node_that_can_send_but_not_receive_is_found),
        cmocka_unit_test(a_deaf_node_that_tells_its_address_is_found),
        cmocka_unit_test(a_node_that_can_receive_but_not_send_is_found),
        cmocka_unit_test(every_member_is_probed_in_turn),
        cmocka_unit_test(an_idle_cluster_costs_two_datagrams_a_member_a_second),
        cmocka_unit_test(one_forged_incarnation_of_a_million_is_refuted_at_once),
        cmocka_unit_test(stale_claims_are_answered_once_an_interval),
        cmocka_unit_test(two_that_disagree_fall_silent),
        cmocka_unit_test(the_dead_are_not_told_for_ever),
    };

    return cmocka_run_group_tests_name("detection", tests, NULL, NULL);
}
