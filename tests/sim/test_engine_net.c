/* What a link does to datagrams: measured with a program that only beeps. */
#include "beeper.h"

#define MS(n) ((uint64_t)(n)*SWIM_MS)

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The delays of all that arrived, in order of length. Returns how many. */
static size_t sorted_delays(const struct duo *duo, uint64_t *ret)
{
    for (uint32_t i = 0; i < duo->receiver->arrival_count; i++)
        ret[i] = duo_delay(duo, i);
    qsort(ret, duo->receiver->arrival_count, sizeof *ret, compare_u64);
    return duo->receiver->arrival_count;
}

/* Sends `count` datagrams a millisecond apart over such a link and returns their delays. */
static size_t measure(const char *name, const struct sim_net *net, uint32_t count, uint64_t *ret)
{
    struct duo duo = duo_new(name, net, count, MS(1));
    size_t arrived;

    assert_null(sim_net_check(net));
    duo_start(&duo);
    run_ms(duo.sim, count + 60000);
    arrived = sorted_delays(&duo, ret);
    duo_end(&duo);
    return arrived;
}

static uint64_t mean_of(const uint64_t *values, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return sum / count;
}

static uint64_t delays[ARRIVALS_MAX];

static void a_constant_delay_is_constant(void **state)
{
    (void)state;
    struct sim_net net = {
        .delay_min_ns = MS(3), .delay_max_ns = MS(9), .delay = SIM_DELAY_CONSTANT};

    assert_int_equal(measure(__func__, &net, 100, delays), 100);
    assert_int_equal(delays[0], MS(3));
    assert_int_equal(delays[99], MS(3));
}

static void a_uniform_delay_fills_its_range(void **state)
{
    (void)state;
    struct sim_net net = {.delay_min_ns = MS(10), .delay_max_ns = MS(30)};

    assert_int_equal(measure(__func__, &net, 4000, delays), 4000);
    assert_in_range(delays[0], MS(10), MS(10) + MS(1) / 5);
    assert_in_range(delays[3999], MS(30) - MS(1) / 5, MS(30));
    assert_in_range(delays[1000], MS(14), MS(16));
    assert_in_range(mean_of(delays, 4000), MS(19), MS(21));
}

static void a_normal_delay_has_its_mean_and_deviation(void **state)
{
    (void)state;
    /* mean 50 ms, deviation 10 ms */
    struct sim_net net = {
        .delay_min_ns = MS(30), .delay_max_ns = MS(70), .delay = SIM_DELAY_NORMAL};

    assert_int_equal(measure(__func__, &net, 10000, delays), 10000);
    assert_in_range(mean_of(delays, 10000), MS(49), MS(51));
    assert_in_range(delays[5000], MS(49), MS(51));
    /* 15.87 % are more than one deviation below, 2.28 % more than two above. */
    assert_in_range(delays[1587], MS(39), MS(41));
    assert_in_range(delays[9772], MS(69), MS(71));
    assert_true(delays[0] < MS(20) && delays[9999] > MS(80)); /* it is not cut at min and max */
}

static void a_normal_delay_is_never_negative(void **state)
{
    (void)state;
    struct sim_net net = {.delay_min_ns = 0, .delay_max_ns = MS(40), .delay = SIM_DELAY_NORMAL};

    assert_int_equal(measure(__func__, &net, 4000, delays), 4000);
    assert_int_equal(delays[0], 0);
    assert_true(delays[3999] < MS(100));
    assert_in_range(delays[2000], MS(19), MS(21));
}

/* Pareto: a share u is above min / u^(2/3). */
static void a_heavy_tail_is_heavy(void **state)
{
    (void)state;
    struct sim_net net = {
        .delay_min_ns = MS(10), .delay_max_ns = MS(2000), .delay = SIM_DELAY_HEAVY};

    assert_int_equal(measure(__func__, &net, 10000, delays), 10000);
    assert_in_range(delays[0], MS(10), MS(10) + MS(1) / 100);
    assert_in_range(delays[5000], MS(153) / 10, MS(165) / 10); /* 15.87 ms */
    assert_in_range(delays[9000], MS(43), MS(50));             /* 46.4 ms */
    assert_in_range(delays[9900], MS(180), MS(260));           /* 215 ms */
    assert_true(delays[9999] > MS(800) && delays[9999] <= MS(2000));
    net.delay_max_ns = MS(20);
    assert_int_equal(measure(__func__, &net, 1000, delays), 1000);
    assert_int_equal(delays[999], MS(20));
    assert_int_equal(delays[900], MS(20)); /* 35 % are cut */
    assert_true(delays[600] < MS(20));
}

static void jitter_is_added(void **state)
{
    (void)state;
    struct sim_net net = {.delay_min_ns = MS(10),
                          .delay_max_ns = MS(10),
                          .delay = SIM_DELAY_CONSTANT,
                          .jitter_ns = MS(8)};

    assert_int_equal(measure(__func__, &net, 2000, delays), 2000);
    assert_in_range(delays[0], MS(10), MS(10) + MS(1) / 10);
    assert_in_range(delays[1999], MS(18) - MS(1) / 10, MS(18));
    assert_in_range(delays[1000], MS(13), MS(15));
}

static uint32_t inversions(const struct duo *duo)
{
    uint32_t count = 0;

    for (uint32_t i = 1; i < duo->receiver->arrival_count; i++)
        count += duo->receiver->arrivals[i].number < duo->receiver->arrivals[i - 1].number;
    return count;
}

static void reordering_holds_some_back(void **state)
{
    (void)state;
    struct sim_net net = {
        .delay_min_ns = MS(10), .delay_max_ns = MS(10), .delay = SIM_DELAY_CONSTANT};

    for (uint32_t permille = 0; permille <= 200; permille += 100) {
        struct duo duo;
        uint32_t late = 0;

        net.reorder_permille = permille;
        duo = duo_new(__func__, &net, 2000, MS(1));
        duo_start(&duo);
        run_ms(duo.sim, 3000);
        assert_int_equal(duo.receiver->arrival_count, 2000);
        for (uint32_t i = 0; i < 2000; i++) {
            assert_in_range(duo_delay(&duo, i), MS(10), MS(50));
            late += duo_delay(&duo, i) > MS(10);
        }
        assert_in_range(late, 2 * permille * 8 / 10, 2 * permille * 12 / 10);
        assert_true(permille == 0 ? inversions(&duo) == 0 : inversions(&duo) > permille);
        duo_end(&duo);
    }
}

static void loss_comes_at_its_rate(void **state)
{
    (void)state;
    static const uint32_t rates[] = {0, 10, 250, 900, 1000};

    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct sim_net net = {.delay_max_ns = MS(1), .loss_permille = rates[i]};
        struct duo duo = duo_new(__func__, &net, 10000, MS(1) / 10);
        uint64_t lost;

        duo_start(&duo);
        run_ms(duo.sim, 2000);
        lost = ledger_dropped(duo.sim, SIM_DROP_LOSS);
        assert_int_equal(duo.receiver->arrival_count + lost, 10000);
        assert_in_range(lost + 30, rates[i] * 9, rates[i] * 11 + 60);
        expect_dropped_only(duo.sim, SIM_DROP_LOSS);
        duo_end(&duo);
    }
}

static void duplicates_come_at_their_rate(void **state)
{
    (void)state;
    struct sim_net net = {.delay_max_ns = MS(5), .duplicate_permille = 200};
    struct duo duo = duo_new(__func__, &net, 5000, MS(1) / 10);

    duo_start(&duo);
    run_ms(duo.sim, 2000);
    assert_in_range(sim_ledger(duo.sim).duplicated, 900, 1100);
    assert_int_equal(duo.receiver->arrival_count, 5000 + sim_ledger(duo.sim).duplicated);
    assert_int_equal(sim_ledger(duo.sim).sent, 5000);
    duo_end(&duo);
}

static void damage_comes_at_its_rate(void **state)
{
    (void)state;
    struct sim_net net = {.delay_max_ns = MS(5), .corrupt_permille = 300};
    struct duo duo = duo_new(__func__, &net, 5000, MS(1) / 10);
    uint32_t damaged = 0;

    duo_start(&duo);
    run_ms(duo.sim, 2000);
    assert_int_equal(duo.receiver->arrival_count, 5000);
    for (uint32_t i = 0; i < 5000; i++) {
        assert_int_equal(duo.receiver->arrivals[i].size, 100);
        damaged += !duo.receiver->arrivals[i].is_intact;
    }
    /* Four of 100 bytes are the number, and are not looked at. */
    assert_in_range(damaged, 1500 * 85 / 100, 1500 * 110 / 100);
    duo_end(&duo);
}

/* ---- Bandwidth --------------------------------------------------------------------------- */

/* 10,000 bytes a second are a hundred datagrams of 100: one every 10 ms. */
static void bandwidth_spreads_a_burst(void **state)
{
    (void)state;
    struct sim_net net = {.delay_min_ns = MS(5),
                          .delay_max_ns = MS(5),
                          .delay = SIM_DELAY_CONSTANT,
                          .bandwidth = 10000};
    struct duo duo = duo_new(__func__, &net, 300, 0);

    duo_start(&duo);
    run_ms(duo.sim, 1000);
    assert_int_equal(duo.receiver->arrival_count, 99); /* the last one of the second is 5 ms late */
    assert_int_equal(sim_ledger(duo.sim).in_flight, 201);
    run_ms(duo.sim, 2100);
    assert_int_equal(duo.receiver->arrival_count, 300);
    for (uint32_t i = 0; i < 300; i++) {
        assert_int_equal(duo.receiver->arrivals[i].number, i);
        assert_int_equal(duo_delay(&duo, i), MS(10) * (i + 1) + MS(5));
    }
    duo_end(&duo);
}

static void a_full_queue_drops(void **state)
{
    (void)state;
    struct sim_net net = {.delay_max_ns = MS(1), .bandwidth = 10000, .queue_bytes = 1000};
    struct duo duo = duo_new(__func__, &net, 50, 0);

    duo_start(&duo);
    run_ms(duo.sim, 2000);
    /* One on its way and nine behind it are the thousand bytes. */
    assert_int_equal(duo.receiver->arrival_count, 10);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_QUEUE), 40);
    expect_dropped_only(duo.sim, SIM_DROP_QUEUE);
    duo_end(&duo);
}

/* Twice as much as fits is sent for a minute: half of it arrives, and the wait stays bounded. */
static void an_overloaded_link_passes_its_bandwidth(void **state)
{
    (void)state;
    struct sim_net net = {.delay_max_ns = MS(1), .bandwidth = 10000, .queue_bytes = 2000};
    struct duo duo = duo_new(__func__, &net, 2000, MS(5));

    duo_start(&duo);
    run_ms(duo.sim, 11000);
    assert_in_range(duo.receiver->arrival_count, 1000, 1025);
    assert_int_equal(duo.receiver->arrival_count + ledger_dropped(duo.sim, SIM_DROP_QUEUE), 2000);
    for (uint32_t i = 0; i < duo.receiver->arrival_count; i++)
        assert_true(duo_delay(&duo, i) <= MS(201));
    duo_end(&duo);
}

static void an_idle_link_passes_what_is_larger_than_its_queue(void **state)
{
    (void)state;
    struct sim_net net = {.delay_max_ns = MS(1), .bandwidth = 10000, .queue_bytes = 10};
    struct duo duo = duo_new(__func__, &net, 20, MS(20));

    duo_start(&duo);
    run_ms(duo.sim, 1000);
    assert_int_equal(duo.receiver->arrival_count, 20);
    duo_end(&duo);
}

/* ---- Which link -------------------------------------------------------------------------- */

static struct sim_net constant(uint64_t delay_ns)
{
    return (struct sim_net){
        .delay_min_ns = delay_ns, .delay_max_ns = delay_ns, .delay = SIM_DELAY_CONSTANT};
}

static void send_one(struct duo *duo)
{
    duo->sender->count++;
    sim_poke(duo->sim, 0);
    run_ms(duo->sim, 1000);
}

static uint64_t delay_of_one(struct duo *duo)
{
    uint64_t before = sim_now(duo->sim);
    const struct arrival *last;

    send_one(duo);
    last = &duo->receiver->arrivals[duo->receiver->arrival_count - 1];
    return last->at - sim_local_time(duo->sim, 1, before);
}

static void a_link_goes_before_a_zone_and_a_zone_before_the_rest(void **state)
{
    (void)state;
    struct sim_net zone = constant(MS(20)), link = constant(MS(30)), back = constant(MS(40));
    struct duo duo = duo_new(__func__, NULL, 0, 0);

    duo_start(&duo);
    assert_int_equal(delay_of_one(&duo), MS(1));
    sim_set_zone(duo.sim, 1, 7);
    assert_int_equal(delay_of_one(&duo), MS(1));
    sim_set_zone_link(duo.sim, 7, 0, &back); /* the other direction */
    assert_int_equal(delay_of_one(&duo), MS(1));
    sim_set_zone_link(duo.sim, 0, 7, &zone);
    assert_int_equal(delay_of_one(&duo), MS(20));
    sim_set_link(duo.sim, 1, 0, &back);
    assert_int_equal(delay_of_one(&duo), MS(20));
    sim_set_link(duo.sim, 0, 1, &link);
    assert_int_equal(delay_of_one(&duo), MS(30));
    sim_set_link(duo.sim, 0, 1, NULL);
    assert_int_equal(delay_of_one(&duo), MS(20));
    sim_set_zone(duo.sim, 1, 0);
    assert_int_equal(delay_of_one(&duo), MS(1));
    sim_set_zone_link(duo.sim, 0, 0, &link);
    assert_int_equal(delay_of_one(&duo), MS(30));
    sim_heal(duo.sim); /* links are no fault */
    assert_int_equal(delay_of_one(&duo), MS(30));
    sim_clear_links(duo.sim);
    assert_int_equal(delay_of_one(&duo), MS(1));
    duo_end(&duo);
}

/* Two senders in one zone, two receivers in another. */
static void the_line_between_two_zones_is_shared(void **state)
{
    (void)state;
    for (uint32_t zone = 0; zone < 2; zone++) {
        struct duo duo = duo_new(__func__, NULL, 100, 0);
        struct sim_net line = {.delay_max_ns = MS(1), .bandwidth = 10000};
        uint32_t from = sim_add(duo.sim);
        uint32_t to = sim_add(duo.sim);
        struct swim_addr addr = sim_addr(duo.sim, to);
        struct beeper *sender = beeper_new(&addr, 100, 0);
        struct beeper *receiver = beeper_new(&addr, 0, 0);

        sim_set_zone(duo.sim, 1, zone);
        sim_set_zone(duo.sim, to, zone);
        sim_set_zone_link(duo.sim, 0, zone, &line);
        beeper_start(duo.sim, to, receiver);
        duo_start(&duo);
        beeper_start(duo.sim, from, sender);
        run_ms(duo.sim, 1005);
        /* Within one zone, every pair has the bandwidth for itself. */
        assert_int_equal(duo.receiver->arrival_count + receiver->arrival_count,
                         zone == 0 ? 200 : 100);
        duo_end(&duo);
        free(sender);
        free(receiver);
    }
}

/* ---- Cuts -------------------------------------------------------------------------------- */

static uint32_t arrived(const struct duo *duo)
{
    return duo->receiver->arrival_count;
}

static void a_cut_is_of_one_direction(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 0, 0);

    duo.receiver->is_echo = true;
    duo_start(&duo);
    sim_link_loss(duo.sim, 1, 0, 1000);
    send_one(&duo);
    assert_int_equal(arrived(&duo), 1);
    assert_int_equal(duo.sender->arrival_count, 0);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_CUT), 1);
    sim_link_loss(duo.sim, 1, 0, 0);
    send_one(&duo);
    assert_int_equal(duo.sender->arrival_count, 1);
    sim_link_loss(duo.sim, 0, 1, 1000);
    send_one(&duo);
    assert_int_equal(arrived(&duo), 2);
    sim_heal(duo.sim);
    send_one(&duo);
    assert_int_equal(arrived(&duo), 3);
    expect_dropped_only(duo.sim, SIM_DROP_CUT);
    duo_end(&duo);
}

static void a_node_may_lose_what_it_sends_or_what_it_is_sent(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 0, 0);

    duo_start(&duo);
    sim_node_loss(duo.sim, 0, 1000, 0);
    send_one(&duo);
    assert_int_equal(arrived(&duo), 1);
    sim_node_loss(duo.sim, 0, 0, 1000);
    send_one(&duo);
    sim_node_loss(duo.sim, 0, 0, 0);
    sim_node_loss(duo.sim, 1, 1000, 0);
    send_one(&duo);
    assert_int_equal(arrived(&duo), 1);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_CUT), 2);
    duo_end(&duo);
}

static bool lose_all(void *context, const struct sim_datagram *datagram)
{
    ++*(uint32_t *)context;
    return datagram->size != 100;
}

static void every_loss_has_its_name(void **state)
{
    (void)state;
    struct swim_addr nowhere = make_addr(9, 9);
    struct duo duo = duo_new(__func__, NULL, 0, 0);
    struct swim_addr there = duo.sender->to;
    uint32_t seen = 0;

    duo_start(&duo);
    sim_split(duo.sim, 1, 1);
    send_one(&duo);
    sim_heal(duo.sim);
    sim_filter(duo.sim, lose_all, &seen);
    send_one(&duo);
    sim_filter(duo.sim, NULL, NULL);
    duo.sender->to = nowhere;
    send_one(&duo);
    duo.sender->to = there;
    sim_crash(duo.sim, 1);
    send_one(&duo);
    assert_int_equal(seen, 1);
    assert_int_equal(arrived(&duo), 0);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_PARTITION), 1);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_FILTER), 1);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_NOBODY), 1);
    assert_int_equal(ledger_dropped(duo.sim, SIM_DROP_STOPPED), 1);
    assert_int_equal(sim_ledger(duo.sim).sent, 4);
    duo_end(&duo);
}

/* A link that comes and goes every 50 ms, under a steady stream. */
static void a_flapping_link_passes_half(void **state)
{
    (void)state;
    struct duo duo = duo_new(__func__, NULL, 1000, MS(1));

    duo_start(&duo);
    for (uint32_t i = 0; i < 20; i++) {
        sim_link_loss(duo.sim, 0, 1, i % 2 == 0 ? 0 : 1000);
        run_ms(duo.sim, 50);
    }
    run_ms(duo.sim, 100);
    assert_in_range(arrived(&duo), 490, 510);
    assert_int_equal(arrived(&duo) + ledger_dropped(duo.sim, SIM_DROP_CUT), 1000);
    for (uint32_t i = 0; i < arrived(&duo); i++)
        assert_true(duo.receiver->arrivals[i].number % 100 <= 50);
    duo_end(&duo);
}

static void nonsense_is_named(void **state)
{
    (void)state;
    static const struct {
        struct sim_net net;
        const char *word;
    } cases[] = {
        {{.delay_min_ns = 2, .delay_max_ns = 1}, "delay_min"},
        {{.delay_max_ns = SIM_DELAY_MAX_NS + 1}, "hour"},
        {{.jitter_ns = SIM_DELAY_MAX_NS + 1}, "jitter"},
        {{.loss_permille = 1001}, "loss"},
        {{.reorder_permille = 1001}, "reorder"},
        {{.bandwidth = SIM_BANDWIDTH_MAX + 1}, "bandwidth"},
        {{.delay = (enum sim_delay)9}, "distribution"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *problem = sim_net_check(&cases[i].net);

        assert_non_null(problem);
        assert_non_null(strstr(problem, cases[i].word));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_constant_delay_is_constant),
        cmocka_unit_test(a_uniform_delay_fills_its_range),
        cmocka_unit_test(a_normal_delay_has_its_mean_and_deviation),
        cmocka_unit_test(a_normal_delay_is_never_negative),
        cmocka_unit_test(a_heavy_tail_is_heavy),
        cmocka_unit_test(jitter_is_added),
        cmocka_unit_test(reordering_holds_some_back),
        cmocka_unit_test(loss_comes_at_its_rate),
        cmocka_unit_test(duplicates_come_at_their_rate),
        cmocka_unit_test(damage_comes_at_its_rate),
        cmocka_unit_test(bandwidth_spreads_a_burst),
        cmocka_unit_test(a_full_queue_drops),
        cmocka_unit_test(an_overloaded_link_passes_its_bandwidth),
        cmocka_unit_test(an_idle_link_passes_what_is_larger_than_its_queue),
        cmocka_unit_test(a_link_goes_before_a_zone_and_a_zone_before_the_rest),
        cmocka_unit_test(the_line_between_two_zones_is_shared),
        cmocka_unit_test(a_cut_is_of_one_direction),
        cmocka_unit_test(a_node_may_lose_what_it_sends_or_what_it_is_sent),
        cmocka_unit_test(every_loss_has_its_name),
        cmocka_unit_test(a_flapping_link_passes_half),
        cmocka_unit_test(nonsense_is_named),
    };

    return cmocka_run_group_tests_name("engine_net", tests, NULL, NULL);
}
