/* Processes that come back: at the same address or another, under the same id or another. */
#include "scenario.h"

/* A newer process at a peer's address makes the older id there dead at once. */
static void a_new_id_at_the_same_address_replaces_the_old(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t old = sim_id(sim, 3);

    sim_restart_new_id(sim, 3);
    expect_converged(sim, 2000);
    assert_false(sim_sees(sim, 0, old, SWIM_ALIVE));
    expect_clean(sim, 20000);
    expect_nobody_suspected(sim, old, 0);
    scenario_end(sim);
}

/* What the others were told of `node` since then: that it restarted, once each, and nothing else. */
static void expect_one_restart_told(const struct sim *sim, uint32_t node, uint64_t since,
                                    uint64_t observers)
{
    uint64_t id = sim_id(sim, node);

    for (int kind = SWIM_EVENT_JOINED; kind < SWIM_EVENT_KINDS; kind++) {
        uint64_t told = sim_event_count(sim, SIM_NOBODY, (enum swim_event_kind)kind, id, since) -
                        sim_event_count(sim, node, (enum swim_event_kind)kind, id, since);

        assert_int_equal(told, kind == SWIM_EVENT_RESTARTED ? observers : 0);
    }
}

static void the_same_id_at_a_higher_incarnation(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t since = sim_now(sim);

    sim_restart_same_id(sim, 3);
    expect_converged(sim, 2000);
    run_ms(sim, 10000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_suspected(sim, 0, 0);
    /* The others never lost it: for them it is one member that runs anew. */
    expect_one_restart_told(sim, 3, since, 7);
    scenario_end(sim);
}

/* It kept its id but not its memory: what it hears of itself makes it go on from there. */
static void the_same_id_without_its_memory(void **state)
{
    (void)state;
    struct sim *sim = scenario_of(__func__, 8);
    uint64_t since;
    uint32_t held;

    sim_member_config(sim, 3)->incarnation = 41;
    start_settled(sim);
    held = self_of(sim, 3).incarnation;
    assert_int_equal(held, 41);
    sim_crash(sim, 3);
    since = sim_now(sim);
    sim_member_config(sim, 3)->incarnation = 0;
    sim_start(sim, 3);
    expect_converged(sim, 5000);
    assert_true(self_of(sim, 3).incarnation > held);
    run_ms(sim, 20000);
    expect_one_restart_told(sim, 3, since, 7);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_failed(sim, 0, 0);
    scenario_end(sim);
}

/* Declared dead, forgotten or not yet, back under its old id without memory. */
static void back_from_the_dead(void **state)
{
    (void)state;
    static const uint64_t absences_ms[] = {13000, 20000, 35000, 60000};

    for (size_t i = 0; i < COUNT_OF(absences_ms); i++) {
        struct sim *sim = settled(__func__, 6);
        uint64_t id = sim_id(sim, 3);
        uint64_t since;

        sim_crash(sim, 3);
        run_ms(sim, absences_ms[i]);
        assert_false(sim_sees(sim, 0, id, SWIM_ALIVE));
        since = sim_now(sim);
        sim_start(sim, 3);
        expect_converged(sim, 5000);
        run_ms(sim, 60000);
        assert_true(sim_is_clean(sim, NULL));
        /* In between tombstones end just then, here and there. */
        if (absences_ms[i] == 13000)
            expect_one_restart_told(sim, 3, since, 5);
        if (absences_ms[i] == 60000)
            assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, id, since), 5);
        scenario_end(sim);
    }
}

static void the_same_id_at_another_address(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    uint64_t id = sim_id(sim, 3);
    struct swim_addr elsewhere = make_addr(77, 9999);
    struct swim_member member;
    uint32_t incarnation = self_of(sim, 3).incarnation;
    uint64_t since;

    sim_crash(sim, 3);
    sim_move(sim, 3, &elsewhere);
    sim_member_config(sim, 3)->incarnation = incarnation + 1;
    since = sim_now(sim);
    sim_start(sim, 3);
    expect_converged(sim, 2000);
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(swim_member_find(sim_member(sim, i), id, &member));
        assert_true(is_equal_addr(&member.addr, &elsewhere));
    }
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    expect_nobody_suspected(sim, 0, 0);
    expect_one_restart_told(sim, 3, since, 7);
    scenario_end(sim);
}

/* Everybody doubted again and again by a forger, some standing still, some cut off for a while, much
 * lost, clocks that run apart: members refute hundreds of times, and none of them restarts. */
static void storms_of_refutations_are_no_restarts(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    struct sim_net lossy = NET(SWIM_MS, 400 * SWIM_MS, 200, 50, 0);

    sim_set_net(sim, &lossy);
    for (uint32_t i = 0; i < 8; i++)
        sim_clock_rate(sim, i, (int32_t)i * 1000 - 3500);
    for (uint32_t second = 0; second < 600; second++) {
        uint32_t about = second % 8;
        uint32_t told = (second * 5 + 3) % 8;
        struct wire_entry doubt = entry_of(sim, about, sim_id(sim, about));
        struct swim_addr from = sim_addr(sim, (told + 1) % 8);
        struct forged gossip = {.header = honest_header(sim, (told + 1) % 8, WIRE_GOSSIP),
                                .entries = &doubt,
                                .count = 1};

        doubt.status = second % 3 == 0 ? SWIM_DEAD : SWIM_SUSPECT;
        doubt.heartbeat += second % 40;
        if (told != about && sim_state(sim, told) == SIM_RUNNING)
            forge(sim, &from, told, &gossip);
        if (second % 60 == 20)
            sim_pause(sim, second / 60 % 8, SECONDS(1 + second / 60 * 2));
        if (second % 60 == 40)
            sim_split(sim, second / 60 % 8, 1);
        if (second % 60 == 59)
            sim_heal(sim);
        run_ms(sim, 1000);
    }
    printf("  %llu refutations\n", (unsigned long long)SIM_COUNTER(sim, SIM_NOBODY, refutations));
    assert_true(SIM_COUNTER(sim, SIM_NOBODY, refutations) > 100);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, 0, 0), 0);
    scenario_end(sim);
}

/* A side that was cut off suspects, with ever higher estimates, what has refuted long ago on the
 * other; when they meet again, nobody restarted. */
static void a_refutation_that_arrives_late_is_no_restart(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 9);

    for (uint32_t round = 0; round < 20; round++) {
        struct wire_entry doubt = entry_of(sim, 0, sim_id(sim, 1));
        struct swim_addr from = sim_addr(sim, 2);
        struct forged gossip = {
            .header = honest_header(sim, 2, WIRE_GOSSIP), .entries = &doubt, .count = 1};

        for (uint32_t i = 3; i < 9; i++)
            sim_split(sim, i, 1);
        run_ms(sim, 50);
        doubt.status = SWIM_SUSPECT;
        doubt.heartbeat++;
        gossip.header = honest_header(sim, 2, WIRE_GOSSIP);
        forge(sim, &from, 1, &gossip);
        run_ms(sim, 1000 * (1 + round));
        sim_heal(sim);
        expect_converged(sim, 60000);
        run_ms(sim, 5000);
    }
    assert_true(SIM_COUNTER(sim, 1, refutations) >= 20);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, 0, 0), 0);
    scenario_end(sim);
}

/* Of many that come back at once, and one after the other, each is told once by each, though most
 * hear of most second-hand, and some have never heard them first-hand. */
static void a_rolling_restart_of_sixty(void **state)
{
    (void)state;
    uint32_t nodes = 60;
    struct sim *sim = settled(__func__, nodes);
    uint64_t since;

    sim_seed_node(sim, 0, 30); /* it was the first, and would wait to be found */
    run_ms(sim, 300000);
    since = sim_now(sim);
    for (uint32_t i = 0; i < nodes; i++) {
        sim_restart_same_id(sim, i);
        run_ms(sim, 2000);
    }
    expect_converged(sim, 10000);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_UPDATED, 0, since), 0);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, 0, since), 0);
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_RESTARTED, 0, since),
                     nodes * (nodes - 1));
    scenario_end(sim);
}

/* Two machines exchange their addresses, and both keep their ids. */
static void two_swap_their_addresses(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 8);
    struct swim_addr a = sim_addr(sim, 2);
    struct swim_addr b = sim_addr(sim, 5);
    struct swim_addr aside = make_addr(1, 1);
    struct swim_member member;

    for (uint32_t i = 2; i <= 5; i += 3) {
        sim_member_config(sim, i)->incarnation = self_of(sim, i).incarnation + 1;
        sim_crash(sim, i);
    }
    sim_move(sim, 2, &aside);
    sim_move(sim, 5, &a);
    sim_move(sim, 2, &b);
    sim_start(sim, 2);
    sim_start(sim, 5);
    expect_converged(sim, 30000);
    run_ms(sim, 30000);
    assert_true(sim_is_clean(sim, NULL));
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(swim_member_find(sim_member(sim, i), sim_id(sim, 2), &member));
        assert_true(is_equal_addr(&member.addr, &b));
        assert_true(swim_member_find(sim_member(sim, i), sim_id(sim, 5), &member));
        assert_true(is_equal_addr(&member.addr, &a));
    }
    scenario_end(sim);
}

/* A known implementation kept 43 to 57 ghosts. */
static void sixty_restarts_of_ten_nodes_leave_no_ghosts(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 10);

    for (uint32_t i = 0; i < 60; i++) {
        sim_restart_new_id(sim, i % 10);
        run_ms(sim, 1000 + 37 * (i % 11));
    }
    expect_converged(sim, 20000);
    expect_clean(sim, 60000);
    run_ms(sim, 180000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* The same, each down for longer than its suspicion. */
static void sixty_slow_restarts_leave_no_ghosts(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 10);

    for (uint32_t i = 0; i < 60; i++) {
        uint32_t node = (7 * i) % 10;

        sim_crash(sim, node);
        run_ms(sim, 3000 + 997 * (i % 17));
        sim_restart_new_id(sim, node);
        run_ms(sim, 500);
    }
    expect_converged(sim, 30000);
    expect_clean(sim, 60000);
    run_ms(sim, 180000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* Restarted in the middle of being restarted. */
static void a_crash_loop_harms_nobody_else(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);

    for (uint32_t i = 0; i < 100; i++) {
        sim_restart_new_id(sim, 4);
        run_ms(sim, 300);
    }
    for (uint32_t k = 0; k < 6; k++) {
        if (k != 4) {
            assert_int_equal(
                sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_SUSPECTED, sim_id(sim, k), 0), 0);
        }
    }
    expect_converged(sim, 10000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

static void two_hundred_restart_at_once(void **state)
{
    (void)state;
    uint32_t nodes = 200;
    struct sim *sim = scenario_of(__func__, nodes);

    start_settled(sim);
    for (uint32_t i = 0; i < nodes; i++)
        sim_crash(sim, i);
    run_ms(sim, 500);
    for (uint32_t i = 0; i < nodes; i++)
        sim_restart_new_id(sim, i);
    expect_converged(sim, 30000);
    run_ms(sim, 60000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* A rolling upgrade: fifty at a time, a second apart, each with a new id. */
static void two_hundred_restart_in_four_waves(void **state)
{
    (void)state;
    uint32_t nodes = 200;
    struct sim *sim = scenario_of(__func__, nodes);

    start_settled(sim);
    for (uint32_t wave = 0; wave < 4; wave++) {
        for (uint32_t i = wave; i < nodes; i += 4)
            sim_restart_new_id(sim, i);
        run_ms(sim, 1000);
    }
    expect_converged(sim, 40000);
    expect_clean(sim, 60000);
    run_ms(sim, 40000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* ---- Zombies ----------------------------------------------------------------------------- */

/* Everybody has forgotten it; a third party still tells of it, as alive, and as dead. */
static void a_forgotten_id_is_not_learnt_from_third_parties(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    uint64_t id = sim_id(sim, 3);
    struct wire_entry entry = entry_of(sim, 0, id);
    struct forged gossip = {.entries = &entry, .count = 1};
    struct swim_addr from = sim_addr(sim, 2);
    uint64_t since;

    sim_crash(sim, 3);
    expect_all_forgot(sim, id, death_bound_ms(6) + 20000);
    since = sim_now(sim);
    for (uint32_t i = 0; i < 40; i++) {
        gossip.header = honest_header(sim, 2, WIRE_GOSSIP);
        entry.status = i % 3 == 0 ? SWIM_DEAD : i % 3 == 1 ? SWIM_ALIVE : SWIM_SUSPECT;
        entry.heartbeat += 5;
        forge(sim, &from, i % 2, &gossip);
        run_ms(sim, 300);
    }
    assert_true(sim_all_forgot(sim, id));
    assert_int_equal(sim_event_count(sim, SIM_NOBODY, SWIM_EVENT_JOINED, id, since), 0);
    assert_true(SIM_COUNTER(sim, 0, zombies_refused) >= 20);
    /* A higher incarnation is news: it must have been there after all. */
    gossip.header = honest_header(sim, 2, WIRE_GOSSIP);
    entry.incarnation++;
    entry.status = SWIM_ALIVE;
    forge(sim, &from, 0, &gossip);
    run_ms(sim, 1);
    assert_true(sim_sees(sim, 0, id, SWIM_ALIVE));
    scenario_end(sim);
}

/* An unknown member is never learnt as dead: a tombstone of somebody never met says nothing. */
static void the_unknown_dead_are_not_learnt(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 3);
    struct wire_entry entries[2] = {
        {.id = 77, .incarnation = 3, .heartbeat = 9, .status = SWIM_DEAD, .addr = make_addr(7, 7)},
        {.id = 78, .incarnation = 3, .heartbeat = 9, .status = SWIM_LEFT, .addr = make_addr(8, 7)}};
    struct forged gossip = {
        .header = honest_header(sim, 1, WIRE_GOSSIP), .entries = entries, .count = 2};
    struct swim_addr from = sim_addr(sim, 1);

    forge(sim, &from, 0, &gossip);
    run_ms(sim, 1000);
    assert_true(sim_is_clean(sim, NULL));
    assert_int_equal(SIM_COUNTER(sim, 0, zombies_refused), 2);
    scenario_end(sim);
}

/* Asleep while a member died and was forgotten, it wakes and believes in it: the others don't. */
static void a_sleeper_does_not_bring_back_the_dead(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 5);
    uint64_t id = sim_id(sim, 3);
    uint64_t since;

    sim_pause(sim, 4, SECONDS(27));
    run_ms(sim, 10);
    sim_crash(sim, 3);
    since = sim_now(sim);
    run_ms(sim, 26500);
    run_ms(sim, 5000);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(sim_event_count(sim, i, SWIM_EVENT_JOINED, id, since), 0);
    expect_clean(sim, 90000);
    run_ms(sim, 60000);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_id_at_the_same_address_replaces_the_old),
        cmocka_unit_test(the_same_id_at_a_higher_incarnation),
        cmocka_unit_test(the_same_id_without_its_memory),
        cmocka_unit_test(back_from_the_dead),
        cmocka_unit_test(the_same_id_at_another_address),
        cmocka_unit_test(storms_of_refutations_are_no_restarts),
        cmocka_unit_test(a_refutation_that_arrives_late_is_no_restart),
        cmocka_unit_test(a_rolling_restart_of_sixty),
        cmocka_unit_test(two_swap_their_addresses),
        cmocka_unit_test(sixty_restarts_of_ten_nodes_leave_no_ghosts),
        cmocka_unit_test(sixty_slow_restarts_leave_no_ghosts),
        cmocka_unit_test(a_crash_loop_harms_nobody_else),
        cmocka_unit_test(two_hundred_restart_at_once),
        cmocka_unit_test(two_hundred_restart_in_four_waves),
        cmocka_unit_test(a_forgotten_id_is_not_learnt_from_third_parties),
        cmocka_unit_test(the_unknown_dead_are_not_learnt),
        cmocka_unit_test(a_sleeper_does_not_bring_back_the_dead),
    };

    return cmocka_run_group_tests_name("restart", tests, NULL, NULL);
}
