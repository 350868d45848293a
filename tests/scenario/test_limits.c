/* Counters at their ends, full tables, and datagrams that no honest member sends. */
#include "scenario.h"

/* ---- Counters ---------------------------------------------------------------------------- */

#define DAY_MS UINT64_C(86400000)

/* A clock of 10 ms runs out after 497 days. The whole cluster sleeps for 498: each member raises
 * its incarnation and starts its clock again, and nobody is lost. */
static void heartbeats_that_run_out(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 4);
    struct sim *sim;

    config.member.heartbeat_interval_ms = 10;
    sim = scenario_new(&config);
    for (uint32_t i = 0; i < 4; i++)
        sim_add(sim);
    start_settled(sim);
    for (uint32_t i = 0; i < 4; i++)
        sim_pause(sim, i, MILLISECONDS(498 * DAY_MS));
    run_ms(sim, 498 * DAY_MS);
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_failed(sim, 0, 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(self_of(sim, i).incarnation, 1);
        assert_true(self_of(sim, i).heartbeat < 498 * DAY_MS / 10 % UINT32_MAX + 1000000);
    }
    /* And detection still works. */
    uint64_t id = sim_id(sim, 2);
    sim_crash(sim, 2);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(4));
    expect_nobody_suspected(sim, id, 0);
    scenario_end(sim);
}

static void accuse(struct sim *sim, uint32_t node, uint64_t id, uint32_t incarnation)
{
    uint32_t by = node == 1 ? 2 : 1;
    struct wire_entry entry = entry_of(sim, by, id);
    struct forged lie = {
        .header = honest_header(sim, by, WIRE_GOSSIP), .entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, by);

    entry.incarnation = incarnation;
    entry.status = SWIM_SUSPECT;
    forge(sim, &from, node, &lie);
}

/* The last incarnation is refuted too: by a new id. */
static void incarnations_that_run_out(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 6);
    uint64_t old;

    sim_member_config(sim, 3)->incarnation = UINT32_MAX - 1;
    start_settled(sim);
    old = sim_id(sim, 3);
    accuse(sim, 3, old, UINT32_MAX - 1);
    run_ms(sim, 5000);
    assert_int_equal(self_of(sim, 3).incarnation, UINT32_MAX);
    assert_true(sim_converged(sim, NULL));
    accuse(sim, 3, old, UINT32_MAX);
    run_ms(sim, 10);
    assert_true(sim_id(sim, 3) != old);
    assert_int_equal(sim_event_count(sim, 3, SWIM_EVENT_ID_CHANGED, 0, 0), 1);
    expect_converged(sim, 5000);
    expect_clean(sim, 60000);
    assert_true(sim_all_forgot(sim, old));
    scenario_end(sim);
}

/* Started at the very end of its incarnations. */
static void a_start_at_the_last_incarnation(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 4);

    sim_member_config(sim, 2)->incarnation = UINT32_MAX;
    start_settled(sim);
    uint64_t old = sim_id(sim, 2);
    sim_split(sim, 2, 1);
    run_ms(sim, 15000);
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_clean(sim, 90000);
    assert_true(sim_id(sim, 2) != old);
    assert_true(sim_all_forgot(sim, old));
    scenario_end(sim);
}

/* One forged datagram uses up all incarnations of another at once. */
static void the_highest_forged_incarnation(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    uint64_t old = sim_id(sim, 3);

    accuse(sim, 5, old, UINT32_MAX);
    expect_converged(sim, 30000);
    expect_clean(sim, 90000);
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    assert_true(sim_id(sim, 3) != old);
    scenario_end(sim);
}

/* A third party's word carries a heartbeat far in the future, for every one of them. */
static void the_highest_forged_heartbeat(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);

    for (uint32_t i = 2; i < 6; i++) {
        struct wire_entry entry = entry_of(sim, 1, sim_id(sim, i));
        struct forged lie = {
            .header = honest_header(sim, 1, WIRE_GOSSIP), .entries = &entry, .count = 1};
        struct swim_addr from = sim_addr(sim, 1);

        entry.heartbeat = UINT32_MAX;
        entry.status = i % 2 == 0 ? SWIM_SUSPECT : SWIM_ALIVE;
        forge(sim, &from, 0, &lie);
    }
    run_ms(sim, 60000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_failed(sim, 0, 0);
    /* And a real death is still found, though its clock is known to be at its end. */
    uint64_t id = sim_id(sim, 3);
    sim_crash(sim, 3);
    expect_all_see(sim, id, SWIM_DEAD, death_bound_ms(6) + 2000);
    scenario_end(sim);
}

/* ---- Full tables ------------------------------------------------------------------------- */

/* Node 0 has room for eight; twelve are there. It keeps the first, refuses the rest, says so
 * once, and takes another when there is room. */
static void a_full_table_refuses_newcomers(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 13);
    uint64_t kept[8];
    struct sim_traffic traffic;

    sim_member_config(sim, 0)->members_max = 8;
    start_star(sim, 0, 8);
    expect_converged(sim, 2000);
    run_ms(sim, 2000);
    for (uint32_t i = 0; i < 8; i++)
        kept[i] = sim_id(sim, i);
    for (uint32_t i = 8; i < 13; i++) {
        sim_seed_node(sim, i, 3);
        sim_start(sim, i);
    }
    run_ms(sim, 60000);
    for (uint32_t i = 1; i < 13; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), 13);
    assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 8);
    for (uint32_t i = 1; i < 8; i++)
        assert_true(sim_sees(sim, 0, kept[i], SWIM_ALIVE));
    assert_true(SIM_COUNTER(sim, 0, newcomers_refused) > 0);
    assert_int_equal(sim_event_count(sim, 0, SWIM_EVENT_TABLE_FULL, 0, 0), 1);
    expect_nobody_suspected(sim, 0, 0);
    /* They will never agree; the price of that is bounded. */
    traffic = traffic_of(sim, SIM_NOBODY, 60000);
    assert_true(traffic.datagrams_total < 13 * 60 * 6);
    sim_leave(sim, 5);
    run_ms(sim, 60000);
    assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 8);
    assert_false(sim_sees(sim, 0, kept[5], SWIM_ALIVE));
    scenario_end(sim);
}

static void the_smallest_table(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 4);

    for (uint32_t i = 0; i < 4; i++)
        sim_member_config(sim, i)->members_max = 2;
    start_star(sim, 0, 4);
    run_ms(sim, 60000);
    for (uint32_t i = 0; i < 4; i++)
        assert_in_range(sim_count(sim, i, SWIM_ALIVE), 1, 2);
    scenario_end(sim);
}

/* Ten thousand strangers knock from addresses where nobody is: nobody is learnt. */
static void a_flood_of_forged_ids(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 5);
    struct swim_addr from = make_addr(5, 1000);
    uint64_t before;

    for (uint32_t i = 0; i < 5; i++)
        sim_member_config(sim, i)->members_max = 64;
    start_settled(sim);
    before = SIM_COUNTER(sim, 0, drop_unproved);
    for (uint32_t i = 0; i < 10000; i++) {
        struct forged lie = {.header = {.kind = WIRE_PING, .sender_id = 100000 + i}};

        from.port = (uint16_t)(1000 + i % 60000);
        forge(sim, &from, 0, &lie);
        if (i % 100 == 0)
            run_ms(sim, 10);
    }
    run_ms(sim, 1000);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_unproved) - before, 10000);
    /* None of them has ever been there: nobody has anything to forget. */
    expect_converged(sim, 0);
    scenario_end(sim);
}

/* The same from addresses that answer: they get in until the table is full, and no further. */
static void a_flood_of_real_strangers(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 5);
    struct swim_addr from = make_addr(5, 1000);

    for (uint32_t i = 0; i < 5; i++)
        sim_member_config(sim, i)->members_max = 64;
    start_settled(sim);
    for (uint32_t i = 0; i < 10000; i++) {
        struct forged knock = {.header = {.kind = WIRE_PING, .sender_id = 100000 + i},
                               .is_proved = true};

        from.port = (uint16_t)(1000 + i % 60000);
        forge(sim, &from, 0, &knock);
        if (i % 100 == 0)
            run_ms(sim, 10);
    }
    run_ms(sim, 1000);
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(sim_count(sim, i, SWIM_ALIVE) + sim_count(sim, i, SWIM_SUSPECT) <= 64);
        for (uint32_t k = 0; k < 5; k++) {
            if (i != k)
                assert_true(sim_sees(sim, i, sim_id(sim, k), SWIM_ALIVE));
        }
    }
    assert_true(SIM_COUNTER(sim, 0, newcomers_refused) > 9000);
    /* They have gone again: in the end only the members are left. */
    expect_converged(sim, 300000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

/* ---- What no honest member sends --------------------------------------------------------- */

/* A correct datagram without payload of any kind, known or not. */
static void inject_kind(struct sim *sim, uint32_t node, uint8_t kind)
{
    struct wire_header header = honest_header(sim, 1, WIRE_GOSSIP);
    struct swim_addr from = sim_addr(sim, 1);
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;
    uint16_t sum;
    size_t size;

    wire_begin(&b, buf, sizeof buf, &header);
    size = wire_finish(&b);
    buf[1] = kind;
    buf[22] = buf[23] = 0;
    sum = wire_checksum(buf, size);
    buf[22] = (uint8_t)(sum >> 8);
    buf[23] = (uint8_t)sum;
    sim_inject(sim, &from, node, buf, size);
}

static void nonsense_is_dropped_and_counted(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    struct swim_addr from = sim_addr(sim, 1);
    uint64_t digest = swim_view_digest(sim_member(sim, 0));
    struct forged nobody = {.header = {.kind = WIRE_PING}};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_header header = honest_header(sim, 1, WIRE_GOSSIP);
    struct wire_builder b;
    size_t size;

    wire_begin(&b, buf, sizeof buf, &header);
    size = wire_finish(&b);
    sim_inject(sim, &from, 0, buf, 0);
    sim_inject(sim, &from, 0, buf, 23);
    buf[0] = 2;
    sim_inject(sim, &from, 0, buf, size);
    buf[0] = 1;
    sim_inject(sim, &from, 0, buf, size + 1);
    buf[10] ^= 1;
    sim_inject(sim, &from, 0, buf, size);
    inject_kind(sim, 0, 0x00);
    inject_kind(sim, 0, 0x09);
    inject_kind(sim, 0, 0x77);
    inject_kind(sim, 0, WIRE_PING_REQ);     /* without a target */
    inject_kind(sim, 0, WIRE_ANTI_ENTROPY); /* without its header */
    forge(sim, &from, 0, &nobody);
    run_ms(sim, 1);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_short), 2);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_version), 1);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_length), 1);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_checksum), 1);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_kind), 3);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_payload), 2);
    assert_int_equal(SIM_COUNTER(sim, 0, drop_self), 1);
    assert_true(digest == swim_view_digest(sim_member(sim, 0)));
    run_ms(sim, 5000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* Entries that cannot be used are skipped, and those beside them are taken. */
static void unusable_entries_are_skipped(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    struct swim_addr from = sim_addr(sim, 1);
    struct wire_entry entries[] = {
        {.id = 501, .status = 9, .addr = make_addr(1, 7000)},     /* no such status */
        {.id = 502, .addr = {.family = 4, .port = 7000}},         /* 0.0.0.0 */
        {.id = 503, .addr = {.ip = {192, 0, 2, 3}, .family = 4}}, /* port 0 */
        {.id = 0, .addr = make_addr(4, 7000)},                    /* no id */
        {.id = 505, .addr = {.family = 6, .port = 7000}},         /* :: */
        {.id = 506, .addr = sim_addr(sim, 0)},                    /* the receiver's own */
        {.id = 507, .addr = make_addr(7, 7000)},                  /* the one good one */
    };
    struct forged gossip = {.header = honest_header(sim, 1, WIRE_GOSSIP),
                            .entries = entries,
                            .count = COUNT_OF(entries)};

    forge(sim, &from, 0, &gossip);
    run_ms(sim, 1);
    assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 4);
    assert_true(sim_sees(sim, 0, 507, SWIM_ALIVE));
    assert_true(SIM_COUNTER(sim, 0, entries_skipped) >= 5);
    scenario_end(sim);
}

/* An entry may put a member's address anywhere only by being newer than what is known. */
static void old_words_move_no_address(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    uint64_t id = sim_id(sim, 2);
    struct wire_entry entry = entry_of(sim, 1, id);
    struct forged lie = {
        .header = honest_header(sim, 1, WIRE_GOSSIP), .entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 1);
    struct swim_addr home = sim_addr(sim, 2);
    struct swim_member member;

    run_ms(sim, 10000);
    entry.addr = make_addr(200, 200);
    entry.heartbeat /= 2;
    forge(sim, &from, 0, &lie);
    run_ms(sim, 1);
    assert_true(swim_member_find(sim_member(sim, 0), id, &member));
    assert_true(is_equal_addr(&member.addr, &home));
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heartbeats_that_run_out),
        cmocka_unit_test(incarnations_that_run_out),
        cmocka_unit_test(a_start_at_the_last_incarnation),
        cmocka_unit_test(the_highest_forged_incarnation),
        cmocka_unit_test(the_highest_forged_heartbeat),
        cmocka_unit_test(a_full_table_refuses_newcomers),
        cmocka_unit_test(the_smallest_table),
        cmocka_unit_test(a_flood_of_forged_ids),
        cmocka_unit_test(a_flood_of_real_strangers),
        cmocka_unit_test(nonsense_is_dropped_and_counted),
        cmocka_unit_test(unusable_entries_are_skipped),
        cmocka_unit_test(old_words_move_no_address),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
