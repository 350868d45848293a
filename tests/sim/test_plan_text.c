/* Values with units (swimsim/plan_text.h): what is written is read back, and what is no value is
 * refused with a word on what would be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "swimsim/plan.h"
#include "swimsim/plan_text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } good[] = {
        {"0", 0},
        {"0s", 0},
        {"7ns", 7},
        {"50us", 50000},
        {"200ms", 200000000},
        {"1.5s", 1500000000},
        {"60s", 60 * SIM_SECOND},
        {"10m", 600 * SIM_SECOND},
        {"2h", 7200 * SIM_SECOND},
        {"1h30m", 5400 * SIM_SECOND},
        {"1m0.5s", 60500000000},
        {"0.000000001s", 1},
        {"1000h", PLAN_TIME_MAX_NS},
    };
    static const char *const bad[] = {"",
                                      "60",
                                      "s",
                                      "1 s",
                                      "1.s",
                                      ".5s",
                                      "-1s",
                                      "1x",
                                      "1s ",
                                      "1000h1ns",
                                      "1.5ns",
                                      "1e3s",
                                      "99999999999999999999s",
                                      "0.0000000001s",
                                      "1msec"};
    uint64_t ns;

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_null(text_read_duration(good[i].text, &ns));
        assert_int_equal(ns, good[i].ns);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        ns = 42;
        assert_non_null(strstr(text_read_duration(bad[i], &ns), "200ms"));
        assert_int_equal(ns, 42);
    }
}

static void shares(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "5", "%", "0.05%", "100.1%", "101%", "5 %", "-1%", "5%%"};
    uint32_t permille = 42;

    assert_null(text_read_share("12.5%", &permille));
    assert_int_equal(permille, 125);
    assert_null(text_read_share("100%", &permille));
    assert_int_equal(permille, 1000);
    assert_null(text_read_share("0", &permille));
    assert_int_equal(permille, 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(text_read_share(bad[i], &permille));
    assert_int_equal(permille, 0);
}

static void rates_and_sizes(void **state)
{
    (void)state;
    static const char *const bad_rates[] = {"10", "10Mbps", "1bit", "9999999Gbit", "", "10 Mbit"};
    static const char *const bad_sizes[] = {"10", "2GB", "1.0001kB", "", "kB", "10 kB"};
    uint64_t rate = 42;
    uint32_t size = 42;

    for (size_t i = 0; i < COUNT_OF(bad_rates); i++)
        assert_non_null(text_read_rate(bad_rates[i], &rate));
    for (size_t i = 0; i < COUNT_OF(bad_sizes); i++)
        assert_non_null(text_read_size(bad_sizes[i], &size));
    assert_int_equal(rate, 42);
    assert_int_equal(size, 42);
    assert_null(text_read_rate("10Mbit", &rate));
    assert_int_equal(rate, 1250000);
    assert_null(text_read_rate("0.5MB", &rate));
    assert_int_equal(rate, 500000);
    assert_null(text_read_size("64KiB", &size));
    assert_int_equal(size, 65536);
    assert_null(text_read_size("1.5kB", &size));
    assert_int_equal(size, 1500);
}

static void delays(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "5",         "5ms..",
                                      "..5ms",      "5ms..1ms",  "pareto:1ms..2ms",
                                      "normal:5ms", "1ms...2ms", "1ms-2ms"};
    struct sim_net net = {.loss_permille = 7};

    assert_null(text_read_delay("5ms", &net));
    assert_int_equal(net.delay, SIM_DELAY_CONSTANT);
    assert_int_equal(net.delay_max_ns, 5 * SWIM_MS);
    assert_null(text_read_delay("0.5ms..1.5ms", &net));
    assert_int_equal(net.delay, SIM_DELAY_UNIFORM);
    assert_int_equal(net.delay_min_ns, SWIM_MS / 2);
    assert_int_equal(net.delay_max_ns, 3 * SWIM_MS / 2);
    assert_null(text_read_delay("normal:1ms..20ms", &net));
    assert_int_equal(net.delay, SIM_DELAY_NORMAL);
    assert_null(text_read_delay("heavy:1ms..2s", &net));
    assert_int_equal(net.delay, SIM_DELAY_HEAVY);
    assert_int_equal(net.delay_max_ns, 2 * SIM_SECOND);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(text_read_delay(bad[i], &net));
    assert_int_equal(net.delay_max_ns, 2 * SIM_SECOND);
    assert_int_equal(net.loss_permille, 7);
}

static void clock_rates(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "5", "-91%", "901%", "1.5ppm", "--1%", "%"};
    int32_t ppm = 42;

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_non_null(text_read_ppm(bad[i], &ppm));
    assert_int_equal(ppm, 42);
    assert_null(text_read_ppm("-5%", &ppm));
    assert_int_equal(ppm, -50000);
    assert_null(text_read_ppm("+200ppm", &ppm));
    assert_int_equal(ppm, 200);
    assert_null(text_read_ppm("900%", &ppm));
    assert_int_equal(ppm, 9000000);
}

static void counts(void **state)
{
    (void)state;
    uint64_t count = 42;

    assert_false(text_read_count("", 0, 9, &count));
    assert_false(text_read_count("-1", 0, 9, &count));
    assert_false(text_read_count("10", 0, 9, &count));
    assert_false(text_read_count("0", 1, 9, &count));
    assert_false(text_read_count("3x", 0, 9, &count));
    assert_false(text_read_count("18446744073709551616", 0, UINT64_MAX, &count));
    assert_int_equal(count, 42);
    assert_true(text_read_count("18446744073709551615", 0, UINT64_MAX, &count));
    assert_true(count == UINT64_MAX);
}

/* A number of any size: its bits, then its length, drawn. */
static uint64_t any_number(struct prng *prng, uint64_t max)
{
    return (prng_next(prng) >> prng_below(prng, 64)) % (max + 1);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    struct prng prng;
    char text[PLAN_TEXT_SIZE];

    prng_init(&prng, 1);
    for (int i = 0; i < 20000; i++) {
        uint64_t ns = any_number(&prng, PLAN_TIME_MAX_NS);
        uint64_t rate = any_number(&prng, 1000000000);
        uint32_t size = (uint32_t)any_number(&prng, 1000000000);
        uint32_t share = (uint32_t)any_number(&prng, 1000);
        int32_t ppm = (int32_t)any_number(&prng, 9900000) - 900000;
        struct sim_net net = {.delay = (enum sim_delay)prng_below(&prng, 4)};
        struct sim_net net_read = {.delay_min_ns = 1};
        uint64_t number;
        uint32_t word;
        int32_t ppm_read;

        net.delay_min_ns = ns / 2;
        net.delay_max_ns = net.delay == SIM_DELAY_CONSTANT ? ns / 2 : ns;
        text_write_duration(ns, text, sizeof text);
        assert_null(text_read_duration(text, &number));
        assert_true(number == ns);
        text_write_rate(rate, text, sizeof text);
        assert_null(text_read_rate(text, &number));
        assert_true(number == rate);
        text_write_size(size, text, sizeof text);
        assert_null(text_read_size(text, &word));
        assert_int_equal(word, size);
        text_write_share(share, text, sizeof text);
        assert_null(text_read_share(text, &word));
        assert_int_equal(word, share);
        text_write_ppm(ppm, text, sizeof text);
        assert_null(text_read_ppm(text, &ppm_read));
        assert_int_equal(ppm_read, ppm);
        text_write_delay(&net, text, sizeof text);
        assert_null(text_read_delay(text, &net_read));
        assert_int_equal(net_read.delay, net.delay);
        assert_true(net_read.delay_min_ns == net.delay_min_ns);
        assert_true(net_read.delay_max_ns == net.delay_max_ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(shares),
        cmocka_unit_test(rates_and_sizes),
        cmocka_unit_test(delays),
        cmocka_unit_test(clock_rates),
        cmocka_unit_test(counts),
        cmocka_unit_test(what_is_written_is_read),
    };

    return cmocka_run_group_tests_name("plan_text", tests, NULL, NULL);
}
