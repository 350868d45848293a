/* Leaving (docs/protocol.md section 9): announced, acknowledged, and told apart from death. */
#include "scenario.h"

struct leave_watch {
    uint32_t leaver;
    uint32_t leaves;
    uint32_t without_request;
    uint32_t acks; /* to the leaver */
    bool is_dropping_acks;
    uint64_t targets;
};

static bool watch_leave(void *context, const struct sim_datagram *datagram)
{
    struct leave_watch *watch = context;
    uint8_t kind = datagram->data[1];

    if (kind == WIRE_LEAVE && datagram->from == watch->leaver) {
        watch->leaves++;
        watch->without_request += (datagram->data[20] & WIRE_FLAG_REQUEST_ACK) == 0;
        if (datagram->to < 64)
            watch->targets |= UINT64_C(1) << datagram->to;
    }
    if (kind == WIRE_ACK && datagram->to == watch->leaver) {
        watch->acks++;
        return !watch->is_dropping_acks;
    }
    return true;
}

static uint32_t count_bits(uint64_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

static bool is_stopped(const struct sim *sim, const void *context)
{
    return sim_state(sim, *(const uint32_t *)context) == SIM_STOPPED;
}

static void a_leave_is_seen_by_all_within_a_second(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {2, 3, 10, 50};

    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct sim *sim = settled(__func__, sizes[i]);
        uint64_t id = sim_id(sim, 1);
        uint64_t since = sim_now(sim);

        sim_leave(sim, 1);
        expect_all_see(sim, id, SWIM_LEFT, 1000);
        run_ms(sim, 10000);
        expect_nobody_suspected(sim, 0, 0);
        assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_LEFT, id, since),
                         sizes[i] - 1);
        expect_clean(sim, 20000);
        scenario_end(sim);
    }
}

/* Up to 2k + log2 n members are told, each is asked for an ACK and gives it; nothing is repeated. */
static void a_leave_is_acknowledged(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 30);
    struct leave_watch watch = {.leaver = 4};
    uint32_t node = 4;
    uint64_t took_ms;

    sim_filter(sim, watch_leave, &watch);
    sim_leave(sim, 4);
    took_ms = expect_until(sim, is_stopped, &node, 1000, "it has left");
    assert_true(took_ms <= 20);
    assert_in_range(watch.leaves, 2, 2 * 2 + 5);
    assert_int_equal(count_bits(watch.targets), watch.leaves);
    assert_int_equal(watch.without_request, 0);
    assert_true(watch.acks >= watch.leaves);
    assert_int_equal(SIM_COUNTER(sim, 4, reliable_retries), 0);
    assert_int_equal(sim_event_count(sim, 4, SWIM_EVENT_LEAVE_DONE, 0, 0), 1);
    scenario_end(sim);
}

/* No ACK ever comes: three retries of each announcement, half a second apart, then it goes. */
static void a_leave_whose_acks_are_lost(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 30);
    struct leave_watch watch = {.leaver = 4, .is_dropping_acks = true};
    uint64_t id = sim_id(sim, 4);
    uint32_t node = 4;
    uint64_t took_ms;

    sim_filter(sim, watch_leave, &watch);
    sim_leave(sim, 4);
    took_ms = expect_until(sim, is_stopped, &node, 3000, "it has given up");
    assert_in_range(took_ms, 1990, 2020);
    assert_int_equal(watch.leaves, 4 * count_bits(watch.targets));
    assert_int_equal(SIM_COUNTER(sim, 4, reliable_retries), 3 * count_bits(watch.targets));
    assert_int_equal(SIM_COUNTER(sim, 4, reliable_exhausted), count_bits(watch.targets));
    expect_all_see(sim, id, SWIM_LEFT, 1000);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

/* At 40 % loss the retries still bring the word across: it is left, not dead, for everyone. */
static void a_leave_through_loss(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 12);
    struct sim_net lossy = NET(SWIM_MS, 5 * SWIM_MS, 400, 0, 0);
    uint64_t id = sim_id(sim, 4);

    sim_set_net(sim, &lossy);
    sim_leave(sim, 4);
    expect_all_see(sim, id, SWIM_LEFT, 5000);
    run_ms(sim, 2010);
    assert_int_equal(sim_state(sim, 4), SIM_STOPPED);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, id, 0), 0);
    scenario_end(sim);
}

static void the_last_one_leaves_at_once(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 1);

    sim_start(sim, 0);
    run_ms(sim, 1000);
    sim_leave(sim, 0);
    run_ms(sim, 1);
    assert_int_equal(sim_state(sim, 0), SIM_STOPPED);
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_LEAVE_DONE, 0, 0), 1);
    scenario_end(sim);
}

/* Seeds that nobody answers at are no reason to stay. */
static void one_without_peers_leaves_in_bounded_time(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 2);

    sim_seed_node(sim, 1, 0);
    sim_start(sim, 1);
    run_ms(sim, 3333);
    sim_leave(sim, 1);
    run_ms(sim, 2000);
    assert_int_equal(sim_state(sim, 1), SIM_STOPPED);
    scenario_end(sim);
}

static void all_leave_at_once(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 20);

    for (uint32_t i = 0; i < 20; i++)
        sim_leave(sim, i);
    run_ms(sim, 2100);
    assert_int_equal(sim_running(sim), 0);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void half_leave_one_after_another(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 20);

    for (uint32_t i = 0; i < 10; i++) {
        sim_leave(sim, 2 * i);
        run_ms(sim, 100);
    }
    expect_converged(sim, 2000);
    expect_nobody_suspected(sim, 0, 0);
    expect_clean(sim, 20000);
    scenario_end(sim);
}

static void rejoins_after_a_leave_under_a_new_id(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t old = sim_id(sim, 3);

    sim_leave(sim, 3);
    run_ms(sim, 1500);
    sim_restart_new_id(sim, 3);
    expect_converged(sim, 2000);
    for (uint32_t i = 0; i < 8; i++) {
        if (i != 3)
            assert_true(sim_sees(sim, i, old, SWIM_LEFT));
    }
    expect_clean(sim, 20000);
    assert_true(sim_all_forgot(sim, old));
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void rejoins_after_a_leave_under_its_old_id(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 3);
    uint64_t since;

    sim_leave(sim, 3);
    run_ms(sim, 1500);
    since = sim_now(sim);
    sim_restart_same_id(sim, 3);
    expect_converged(sim, 2000);
    run_ms(sim, 2000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, id, since), 7);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, id, since), 0);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

/* Its farewell, heard again after it has come back, is old news. */
static void a_stale_leave_changes_nothing(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    struct forged leave = {.header = honest_header(sim, 3, WIRE_LEAVE)};
    struct swim_addr from = sim_addr(sim, 3);

    leave.header.flags = WIRE_FLAG_REQUEST_ACK;
    sim_leave(sim, 3);
    run_ms(sim, 1500);
    sim_restart_same_id(sim, 3);
    expect_converged(sim, 2000);
    run_ms(sim, 3000);
    for (uint32_t i = 0; i < 6; i++) {
        if (i != 3)
            forge(sim, &from, i, &leave);
    }
    run_ms(sim, 10);
    assert_true(sim_all_see(sim, sim_id(sim, 3), SWIM_ALIVE));
    scenario_end(sim);
}

/* Also within one incarnation: what it said before it was last heard of is stale. */
static void a_leave_older_than_the_record_changes_nothing(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    struct forged leave = {.header = honest_header(sim, 1, WIRE_LEAVE)};
    struct swim_addr from = sim_addr(sim, 1);

    run_ms(sim, 10000);
    forge(sim, &from, 0, &leave);
    run_ms(sim, 1);
    assert_true(sim_sees(sim, 0, sim_id(sim, 1), SWIM_ALIVE));
    scenario_end(sim);
}

/* In a known implementation a LEAVE that names its receiver marks the receiver itself dead. */
static void a_leave_in_my_own_name_is_dropped(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    struct forged leave = {.header = honest_header(sim, 0, WIRE_LEAVE)};
    struct swim_addr from = sim_addr(sim, 2);

    leave.header.heartbeat += 100;
    forge(sim, &from, 0, &leave);
    run_ms(sim, 10);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_self), 1);
    assert_int_equal(self_of(sim, 0).status, SWIM_ALIVE);
    assert_true(sim_converged(sim, NULL));
    run_ms(sim, 5000);
    assert_true(sim_converged(sim, NULL));
    scenario_end(sim);
}

struct address_count {
    struct swim_addr addr;
    uint64_t count;
};

static bool count_address(void *context, const struct sim_datagram *datagram)
{
    struct address_count *counted = context;

    counted->count += is_equal_addr(&counted->addr, &datagram->to_addr);
    return true;
}

/* Unlike the dead, those who left are not looked for again. */
static void those_who_left_are_left_alone(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    struct address_count counted = {.addr = sim_addr(sim, 5)};

    sim_leave(sim, 5);
    run_ms(sim, 2000);
    sim_filter(sim, count_address, &counted);
    run_ms(sim, 300000);
    assert_int_equal(counted.count, 0);
    scenario_end(sim);
}

/* A suspect that says goodbye has left; it did not die. */
static void a_suspect_can_leave(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 5);
    uint64_t id = sim_id(sim, 2);
    struct wire_entry entry = entry_of(sim, 0, id);
    struct forged lie = {
        .header = honest_header(sim, 1, WIRE_GOSSIP), .entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 1);

    entry.status = SWIM_SUSPECT;
    entry.heartbeat += 2;
    for (uint32_t i = 0; i < 5; i++) {
        if (i != 1 && i != 2)
            forge(sim, &from, i, &lie);
    }
    sim_leave(sim, 2);
    expect_all_see(sim, id, SWIM_LEFT, 3000);
    run_ms(sim, 12000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_FAILED, 0, 0), 0);
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leave_is_seen_by_all_within_a_second),
        cmocka_unit_test(a_leave_is_acknowledged),
        cmocka_unit_test(a_leave_whose_acks_are_lost),
        cmocka_unit_test(a_leave_through_loss),
        cmocka_unit_test(the_last_one_leaves_at_once),
        cmocka_unit_test(one_without_peers_leaves_in_bounded_time),
        cmocka_unit_test(all_leave_at_once),
        cmocka_unit_test(half_leave_one_after_another),
        cmocka_unit_test(rejoins_after_a_leave_under_a_new_id),
        cmocka_unit_test(rejoins_after_a_leave_under_its_old_id),
        cmocka_unit_test(a_stale_leave_changes_nothing),
        cmocka_unit_test(a_leave_older_than_the_record_changes_nothing),
        cmocka_unit_test(a_leave_in_my_own_name_is_dropped),
        cmocka_unit_test(those_who_left_are_left_alone),
        cmocka_unit_test(a_suspect_can_leave),
    };

    return cmocka_run_group_tests_name("leave", tests, NULL, NULL);
}
