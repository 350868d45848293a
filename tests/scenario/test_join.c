/*
 * One more joins a large cluster (docs/protocol.md section 8, full push and pacing): it knows all
 * within seconds, and the default receive buffer of Linux holds whatever it is sent meanwhile.
 * SWIM_JOIN_MEMBERS=10000 makes it the size that docs/performance.md speaks of; that takes 14 GiB.
 */
#include "scenario.h"

/* Linux's default net.core.rmem_default is 208 KiB, and a datagram of 1,200 bytes is charged as 2,304:
 * 92 of them. All are taken for as large. The reader takes 50 us for each, which is slow. */
enum { BUFFER = 208 * 1024 / 2304, READER_US = 50 };

static uint32_t members(void)
{
    const char *wanted = getenv("SWIM_JOIN_MEMBERS");

    return wanted ? (uint32_t)strtoul(wanted, NULL, 10) : scenario_size(2000, 300);
}

/* All of `n` know each other; half a second later one more begins, with room for `buffer` datagrams. */
static struct sim *with_newcomer(const char *name, uint32_t n, uint32_t buffer)
{
    struct sim_config config = scenario_config(name, n + 1);
    struct sim *sim;

    config.member.members_max = n + 1 + n / 100;
    sim = scenario_acquainted(config, n, 500);
    sim_seed_node(sim, n, n / 2);
    sim_start(sim, n);
    sim_service(sim, n, READER_US * (SIM_SECOND / 1000000), buffer);
    return sim;
}

static void the_newcomer_knows_all_within_3_s_and_its_buffer_holds(void **state)
{
    (void)state;
    uint32_t n = members();
    struct sim *sim = with_newcomer(__func__, n, BUFFER);
    struct sim_traffic heard;
    uint64_t took_ms = expect_converged(sim, 3000);

    run_ms(sim, 3000 - took_ms);
    heard = sim_received(sim, n);
    printf("  it joined %u in %llu ms; in 3 s it was sent %llu datagrams, of them %llu of a push "
           "and %llu of "
           "synchronisations, and none was lost\n",
           n, (unsigned long long)took_ms, (unsigned long long)heard.datagrams_total,
           (unsigned long long)heard.datagrams[WIRE_ANTI_ENTROPY],
           (unsigned long long)heard.datagrams[WIRE_SYNC]);
    assert_int_equal(sim_ledger(sim).dropped[SIM_DROP_BUFFER], 0);
    sim_free(sim);
}

/* The measure measures: bursts do not fit into any buffer. */
static void a_thirtieth_of_the_buffer_would_not_hold(void **state)
{
    (void)state;
    struct sim *sim = with_newcomer(__func__, 1000, BUFFER / 30);

    run_ms(sim, 1000);
    assert_true(sim_ledger(sim).dropped[SIM_DROP_BUFFER] > 0);
    sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newcomer_knows_all_within_3_s_and_its_buffer_holds),
        cmocka_unit_test(a_thirtieth_of_the_buffer_would_not_hold),
    };

    return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
