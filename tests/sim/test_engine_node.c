/* What happens to a node: pauses, blocks, clocks, slow receivers, moves and NATs, measured with a
 * program that only beeps. What members make of it is in test_engine_cluster.c. */
#include "beeper.h"

#define MS(n) ((uint64_t)(n)*SWIM_MS)

static uint32_t arrived(const struct duo *duo)
{
    return duo->receiver->arrival_count;
}

/* True time at which the receiver processed it. */
static uint64_t processed_at(const struct duo *duo, uint32_t arrival)
{
    return duo->receiver->arrivals[arrival].at - sim_local_time(duo->sim, 1, 0);
}

static uint64_t waiting(const struct duo *duo)
{
    assert_true(sim_check(duo->sim));
    return sim_ledger(duo->sim).waiting;
}

static void send_one(struct duo *duo)
{
    duo->sender->count++;
    sim_poke(duo->sim, 0);
}

/* ---- Pauses and blocks ------------------------------------------------------------------- */

static void what_arrives_in_a_pause_waits(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 300, MS(1));

    duo_start(&duo);
    run_ms(duo.sim, 50);
    assert_int_equal(arrived(&duo), 50);
    sim_pause(duo.sim, 1, MS(400));
    assert_int_equal(sim_state(duo.sim, 1), SIM_PAUSED);
    run_ms(duo.sim, 390);
    assert_int_equal(arrived(&duo), 50);
    assert_int_equal(waiting(&duo), 166);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_BUFFER), 300 - 50 - 166);
    run_ms(duo.sim, 20);
    assert_int_equal(arrived(&duo), 216);
    assert_int_equal(waiting(&duo), 0);
    assert_int_equal(processed_at(&duo, 50), MS(450));
    assert_int_equal(duo.receiver->arrivals[215].number, 215);
    expect_dropped_only(duo.sim, SIM_DROP_BUFFER);
    duo_end(&duo);
}

static void a_crash_loses_what_waits(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 20, MS(1));

    duo_start(&duo);
    sim_pause(duo.sim, 1, SIM_SECOND);
    run_ms(duo.sim, 500);
    assert_int_equal(waiting(&duo), 20);
    sim_crash(duo.sim, 1);
    assert_int_equal(waiting(&duo), 0);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_STOPPED), 20);
    duo_end(&duo);
}

static void blocked_io_holds_back_what_is_received(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 10, MS(10));

    duo.receiver->is_echo = true;
    duo_start(&duo);
    run_ms(duo.sim, 15);
    sim_block(duo.sim, 1, MS(500), SIM_BLOCK_IO);
    assert_true(sim_is_blocked(duo.sim, 1));
    assert_int_equal(sim_state(duo.sim, 1), SIM_RUNNING);
    run_ms(duo.sim, 499);
    assert_int_equal(arrived(&duo), 2);
    assert_int_equal(waiting(&duo), 8);
    run_ms(duo.sim, 10);
    assert_false(sim_is_blocked(duo.sim, 1));
    assert_int_equal(arrived(&duo), 10);
    assert_int_equal(processed_at(&duo, 2), MS(515));
    assert_int_equal(duo.sender->arrival_count, 10);
    duo_end(&duo);
}

static void blocked_io_holds_back_what_is_sent(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 10, MS(10));

    duo_start(&duo);
    run_ms(duo.sim, 15);
    sim_block(duo.sim, 0, MS(500), SIM_BLOCK_IO);
    run_ms(duo.sim, 400);
    assert_int_equal(duo.sender->sent, 10); /* its timers went on */
    assert_int_equal(duo.sender->last_advance, sim_local_time(duo.sim, 0, MS(90)));
    assert_int_equal(sim_sent(duo.sim, 0).datagrams_total, 10);
    assert_int_equal(sim_ledger(duo.sim).sent, 10);
    assert_int_equal(waiting(&duo), 8);
    assert_int_equal(arrived(&duo), 2);
    run_ms(duo.sim, 110);
    assert_int_equal(arrived(&duo), 10);
    for (uint32_t i = 2; i < 10; i++)
        assert_int_equal(processed_at(&duo, i), MS(516));
    duo_end(&duo);
}

static void a_longer_block_prevails(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(10));

    duo_start(&duo);
    sim_block(duo.sim, 1, MS(100), SIM_BLOCK_IO);
    sim_block(duo.sim, 1, MS(300), SIM_BLOCK_IO);
    sim_block(duo.sim, 1, MS(50), SIM_BLOCK_IO);
    run_ms(duo.sim, 299);
    assert_int_equal(arrived(&duo), 0);
    run_ms(duo.sim, 2);
    assert_int_equal(arrived(&duo), 31);
    duo_end(&duo);
}

static void a_process_blocks_before_it_sends(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(10));
    uint64_t advanced;

    duo_start(&duo);
    run_ms(duo.sim, 15);
    sim_block(duo.sim, 0, MS(500), SIM_BLOCK_PROCESS);
    assert_int_equal(sim_state(duo.sim, 0), SIM_RUNNING);
    run_ms(duo.sim, 10); /* at 20 ms it wanted to send the third */
    assert_int_equal(sim_state(duo.sim, 0), SIM_PAUSED);
    advanced = duo.sender->last_advance;
    run_ms(duo.sim, 480);
    assert_int_equal(duo.sender->last_advance, advanced); /* nothing goes on */
    assert_int_equal(arrived(&duo), 2);
    assert_int_equal(sim_ledger(duo.sim).sent, 2);
    assert_int_equal(waiting(&duo), 0); /* not sent yet */
    run_ms(duo.sim, 20);
    assert_int_equal(sim_state(duo.sim, 0), SIM_RUNNING);
    assert_int_equal(processed_at(&duo, 2), MS(516));
    assert_int_equal(duo.receiver->arrivals[2].number, 2);
    run_ms(duo.sim, 2000);
    assert_int_equal(arrived(&duo), 100);
    duo_end(&duo);
}

static void a_process_blocks_after_it_received(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(10));

    duo.receiver->is_echo = true;
    duo_start(&duo);
    run_ms(duo.sim, 15);
    sim_block(duo.sim, 1, MS(300), SIM_BLOCK_PROCESS);
    run_ms(duo.sim, 299);
    assert_int_equal(arrived(&duo), 2);
    assert_int_equal(sim_state(duo.sim, 1), SIM_PAUSED);
    assert_int_equal(waiting(&duo), 30); /* one in hand, the rest behind it */
    run_ms(duo.sim, 2);
    assert_int_equal(arrived(&duo), 32);
    assert_int_equal(waiting(&duo), 0);
    for (uint32_t i = 0; i < 32; i++)
        assert_int_equal(duo.receiver->arrivals[i].number, i);
    assert_int_equal(processed_at(&duo, 2), MS(315));
    duo_end(&duo);
}

static void a_process_without_io_is_not_blocked(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 0, MS(10));

    duo_start(&duo);
    sim_block(duo.sim, 1, MS(300), SIM_BLOCK_PROCESS);
    run_ms(duo.sim, 301);
    assert_false(sim_is_blocked(duo.sim, 1));
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(processed_at(&duo, 0), MS(302));
    duo_end(&duo);
}

/* Whatever it held, and in whatever way, dies with it. */
static void a_crash_ends_every_block(void **state)
{
    (void)state;
    static const uint32_t victims[] = {0, 1};

    for (unsigned how = SIM_BLOCK_IO; how <= SIM_BLOCK_PROCESS; how++) {
        for (size_t i = 0; i < COUNT_OF(victims); i++) {
            struct duo duo = duo_new(__func__, NULL, 40, MS(10));

            duo_start(&duo);
            run_ms(duo.sim, 15);
            sim_block(duo.sim, victims[i], MS(300), (enum sim_block)how);
            run_ms(duo.sim, 100);
            sim_crash(duo.sim, victims[i]);
            assert_int_equal(waiting(&duo), 0);
            run_ms(duo.sim, 100);
            beeper_start(duo.sim, victims[i], victims[i] == 0 ? duo.sender : duo.receiver);
            assert_false(sim_is_blocked(duo.sim, victims[i]));
            run_ms(duo.sim, 400);
            assert_true(arrived(&duo) >= 15);
            expect_dropped_only(duo.sim, SIM_DROP_STOPPED);
            duo_end(&duo);
        }
    }
}

static void a_pause_inside_a_block(void **state)
{
    (void)state;
    for (unsigned how = SIM_BLOCK_IO; how <= SIM_BLOCK_PROCESS; how++) {
        struct duo duo = duo_new(__func__, NULL, 50, MS(10));

        duo_start(&duo);
        run_ms(duo.sim, 15);
        sim_block(duo.sim, 1, MS(100), (enum sim_block)how);
        sim_pause(duo.sim, 1, MS(300));
        run_ms(duo.sim, 299);
        assert_int_equal(arrived(&duo), 2);
        run_ms(duo.sim, 10);
        assert_int_equal(arrived(&duo), 33);
        duo_end(&duo);
    }
}

/* ---- Clocks ------------------------------------------------------------------------------ */

static void a_slow_clock_is_late_and_a_fast_one_early(void **state)
{
    (void)state;
    static const struct {
        int32_t ppm;
        uint64_t interval_ms; /* true, for 100 ms of its own */
    } cases[] = {{0, 100}, {-500000, 200}, {1000000, 50}, {-900000, 1000}, {9000000, 10}};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct duo duo = duo_new(__func__, NULL, 11, MS(100));
        uint64_t local;

        duo_start(&duo);
        sim_clock_rate(duo.sim, 0, cases[i].ppm);
        local = sim_local_time(duo.sim, 0, sim_now(duo.sim));
        run_ms(duo.sim, 10 * cases[i].interval_ms + 1);
        assert_int_equal(arrived(&duo), 11);
        for (uint32_t k = 0; k < 11; k++)
            assert_int_equal(processed_at(&duo, k), MS(k * cases[i].interval_ms + 1));
        assert_int_equal(sim_local_time(duo.sim, 0, MS(10 * cases[i].interval_ms)) - local,
                         MS(1000));
        duo_end(&duo);
    }
}

/* Rates that divide nothing evenly: never early by the local clock, never backwards. */
static void a_drifting_clock_never_goes_back(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 5000, MS(3));
    uint64_t before = 0;

    duo_start(&duo);
    for (int32_t i = 0; i < 400; i++) {
        uint64_t local;

        sim_clock_rate(duo.sim, 0, (i * 7919) % 200001 - 100000);
        run_ms(duo.sim, 7);
        local = sim_local_time(duo.sim, 0, sim_now(duo.sim));
        assert_true(local > before);
        before = local;
        assert_true(duo.sender->last_advance <= local);
        assert_true(duo.sender->next > local || duo.sender->sent == 5000);
    }
    assert_in_range(arrived(&duo), 400 * 7 / 3 - 20, 400 * 7 / 3 + 20);
    duo_end(&duo);
}

static void a_clock_jumps_forwards(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(100));
    uint64_t local;

    duo_start(&duo);
    run_ms(duo.sim, 50);
    local = sim_local_time(duo.sim, 0, sim_now(duo.sim));
    sim_clock_jump(duo.sim, 0, MS(1000));
    assert_int_equal(sim_local_time(duo.sim, 0, sim_now(duo.sim)), local + MS(1000));
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 11); /* ten of them at once */
    assert_int_equal(processed_at(&duo, 10), MS(51));
    duo_end(&duo);
}

/* ---- A slow receiver --------------------------------------------------------------------- */

static void service_takes_its_time(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 10, 0);

    duo_start(&duo);
    sim_service(duo.sim, 1, MS(5), 0);
    run_ms(duo.sim, 26);
    assert_int_equal(arrived(&duo), 5);
    assert_int_equal(waiting(&duo), 5);
    run_ms(duo.sim, 100);
    assert_int_equal(arrived(&duo), 10);
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(processed_at(&duo, i), MS(1 + 5 * (i + 1)));
    duo_end(&duo);
}

static void what_the_buffer_cannot_hold_is_lost(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(1));

    duo_start(&duo);
    sim_service(duo.sim, 1, MS(4), 3);
    run_ms(duo.sim, 99);
    assert_int_equal(waiting(&duo), 4);
    run_ms(duo.sim, 100);
    /* 25 in the time in which 100 came, and those that waited. */
    assert_in_range(arrived(&duo), 27, 30);
    assert_int_equal(arrived(&duo) + ledger_dropped(duo.sim, SIM_DROP_BUFFER), 100);
    expect_dropped_only(duo.sim, SIM_DROP_BUFFER);
    duo_end(&duo);
}

static void a_receiver_recovers(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 200, MS(1));

    duo_start(&duo);
    sim_service(duo.sim, 1, MS(10), 0);
    run_ms(duo.sim, 102);
    assert_int_equal(arrived(&duo), 10);
    assert_int_equal(waiting(&duo), 92);
    sim_service(duo.sim, 1, 0, 0);
    assert_int_equal(arrived(&duo), 102);
    run_ms(duo.sim, 1000);
    assert_int_equal(arrived(&duo), 200);
    duo_end(&duo);
}

static void an_overloaded_receiver_is_paused_and_blocked(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 100, MS(1));

    duo_start(&duo);
    sim_service(duo.sim, 1, MS(2), 20);
    run_ms(duo.sim, 20);
    sim_pause(duo.sim, 1, MS(100));
    run_ms(duo.sim, 100);
    assert_int_equal(waiting(&duo), 20);
    sim_block(duo.sim, 1, MS(100), SIM_BLOCK_IO);
    run_ms(duo.sim, 100);
    assert_int_equal(waiting(&duo), 20);
    sim_block(duo.sim, 1, MS(100), SIM_BLOCK_PROCESS);
    run_ms(duo.sim, 1000);
    assert_int_equal(waiting(&duo), 0);
    assert_int_equal(arrived(&duo) + ledger_dropped(duo.sim, SIM_DROP_BUFFER), 100);
    duo_end(&duo);
}

/* ---- Addresses --------------------------------------------------------------------------- */

static void an_address_is_used_again(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 0, 0);
    struct swim_addr addr = sim_addr(duo.sim, 1);
    uint32_t heir = sim_add(duo.sim);
    struct swim_addr old = sim_addr(duo.sim, heir);
    struct beeper *inherited = beeper_new(&addr, 0, 0);

    duo_start(&duo);
    sim_crash(duo.sim, 1);
    send_one(&duo); /* on its way for a millisecond, in which the address changes hands */
    sim_move(duo.sim, heir, &addr);
    beeper_start(duo.sim, heir, inherited);
    run_ms(duo.sim, 10);
    assert_int_equal(inherited->arrival_count, 1);
    assert_int_equal(sim_node_at(duo.sim, &addr), heir);
    assert_int_equal(sim_node_at(duo.sim, &old), SIM_NOBODY);
    assert_int_equal(sim_addr(duo.sim, 1).family, 0);
    sim_move(duo.sim, 1, &old);
    beeper_start(duo.sim, 1, duo.receiver);
    duo.sender->to = old;
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 1);
    duo_end(&duo);
    free(inherited);
}

static void what_is_sent_to_a_former_address_is_lost(void **state)
{
    (void)state;
    struct swim_addr elsewhere = make_addr(7, 7);
    struct duo duo = duo_new(__func__, NULL, 0, 0);

    duo_start(&duo);
    sim_crash(duo.sim, 1);
    send_one(&duo);
    sim_move(duo.sim, 1, &elsewhere);
    beeper_start(duo.sim, 1, duo.receiver);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 0);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_NOBODY), 1);
    duo_end(&duo);
}

/* Moves of many, there and back, against a table of sixteen places. */
static void the_table_of_addresses_survives_moves(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 4);
    struct sim *sim = scenario_new(&config);

    for (uint32_t i = 0; i < 4; i++)
        sim_add(sim);
    for (uint32_t i = 0; i < 2000; i++) {
        struct swim_addr addr = make_addr((uint8_t)(1 + i % 5), (uint16_t)(1 + i * i % 3));

        sim_move(sim, i % 4, &addr);
        for (uint32_t k = 0; k < 4; k++) {
            struct swim_addr own = sim_addr(sim, k);
            if (own.family != 0)
                assert_int_equal(sim_node_at(sim, &own), k);
        }
    }
    scenario_end(sim);
}

/* ---- NAT --------------------------------------------------------------------------------- */

static void a_nat_shows_the_outside_address(void **state)
{
    (void)state;
    struct swim_addr outside = make_addr(1, 4000);
    struct duo duo = duo_new(__func__, NULL, 0, 0);

    duo.receiver->is_echo = true;
    duo_start(&duo);
    sim_nat(duo.sim, 0, &outside, false);
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_true(is_equal_addr(&duo.receiver->arrivals[0].from, &outside));
    assert_int_equal(duo.sender->arrival_count, 1); /* the echo, to the outside address */
    assert_int_equal(sim_node_at(duo.sim, &outside), 0);
    sim_nat(duo.sim, 0, NULL, false);
    send_one(&duo);
    run_ms(duo.sim, 10);
    outside = sim_addr(duo.sim, 0);
    assert_true(is_equal_addr(&duo.receiver->arrivals[1].from, &outside));
    duo_end(&duo);
}

static void an_inside_address_is_not_reached_from_outside(void **state)
{
    (void)state;
    struct swim_addr outside = make_addr(1, 4000);
    struct duo duo = duo_new(__func__, NULL, 1, 0);

    sim_nat(duo.sim, 1, &outside, false);
    duo_start(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 0);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_NAT), 1);
    duo.sender->to = outside;
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 1); /* full cone: from anybody */
    expect_dropped_only(duo.sim, SIM_DROP_NAT);
    duo_end(&duo);
}

static void a_symmetric_nat_lets_in_who_was_called(void **state)
{
    (void)state;
    struct swim_addr outside = make_addr(1, 4000);
    struct duo duo = duo_new(__func__, NULL, 0, 0);
    uint32_t third = sim_add(duo.sim);
    struct beeper *stranger = beeper_new(&outside, 1, 0);

    sim_nat(duo.sim, 1, &outside, true);
    duo.receiver->to = sim_addr(duo.sim, 0);
    duo.sender->to = outside;
    duo_start(&duo);
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 0);
    duo.receiver->count = 1; /* it calls node 0 */
    sim_poke(duo.sim, 1);
    run_ms(duo.sim, 10);
    assert_true(is_equal_addr(&duo.sender->arrivals[0].from, &outside));
    send_one(&duo);
    beeper_start(duo.sim, third, stranger);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 1);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_NAT), 2);
    sim_nat(duo.sim, 1, &outside, true); /* a new NAT remembers nothing */
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 1);
    duo_end(&duo);
    free(stranger);
}

/* Behind one NAT: by the inside address directly, by the outside one through it. */
static void neighbours_behind_one_nat(void **state)
{
    (void)state;
    struct swim_addr outside[] = {make_addr(1, 4000), make_addr(1, 4001)};
    struct duo duo = duo_new(__func__, NULL, 1, 0);
    struct swim_addr inside = sim_addr(duo.sim, 0);

    sim_nat(duo.sim, 0, &outside[0], false);
    sim_nat(duo.sim, 1, &outside[1], false);
    duo_start(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 1);
    assert_true(is_equal_addr(&duo.receiver->arrivals[0].from, &inside));
    duo.sender->to = outside[1];
    send_one(&duo);
    run_ms(duo.sim, 10);
    assert_int_equal(arrived(&duo), 2);
    assert_true(is_equal_addr(&duo.receiver->arrivals[1].from, &outside[0]));
    duo_end(&duo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_in_a_pause_waits),
        cmocka_unit_test(a_crash_loses_what_waits),
        cmocka_unit_test(blocked_io_holds_back_what_is_received),
        cmocka_unit_test(blocked_io_holds_back_what_is_sent),
        cmocka_unit_test(a_longer_block_prevails),
        cmocka_unit_test(a_process_blocks_before_it_sends),
        cmocka_unit_test(a_process_blocks_after_it_received),
        cmocka_unit_test(a_process_without_io_is_not_blocked),
        cmocka_unit_test(a_crash_ends_every_block),
        cmocka_unit_test(a_pause_inside_a_block),
        cmocka_unit_test(a_slow_clock_is_late_and_a_fast_one_early),
        cmocka_unit_test(a_drifting_clock_never_goes_back),
        cmocka_unit_test(a_clock_jumps_forwards),
        cmocka_unit_test(service_takes_its_time),
        cmocka_unit_test(what_the_buffer_cannot_hold_is_lost),
        cmocka_unit_test(a_receiver_recovers),
        cmocka_unit_test(an_overloaded_receiver_is_paused_and_blocked),
        cmocka_unit_test(an_address_is_used_again),
        cmocka_unit_test(what_is_sent_to_a_former_address_is_lost),
        cmocka_unit_test(the_table_of_addresses_survives_moves),
        cmocka_unit_test(a_nat_shows_the_outside_address),
        cmocka_unit_test(an_inside_address_is_not_reached_from_outside),
        cmocka_unit_test(a_symmetric_nat_lets_in_who_was_called),
        cmocka_unit_test(neighbours_behind_one_nat),
    };

    return cmocka_run_group_tests_name("engine_node", tests, NULL, NULL);
}
