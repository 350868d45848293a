/*
 * What a member sends, by the size of its cluster: when nothing happens the same in a cluster of any
 * size, and for a change as many more datagrams as lg n grows (docs/protocol.md section 7).
 * `tools/evidence scale` measures more sizes, and draws them.
 */
#include "scenario.h"

enum { SIZES = 3 };

/* All know each other, and have nothing to tell. */
static struct sim *quiet(const char *name, uint32_t nodes)
{
    return scenario_acquainted(scenario_config(name, nodes + 1), nodes, 5000);
}

static const uint32_t sizes[SIZES] = {10, 100, 1000};

/* Two datagrams a second, a PING and an ACK, of the same bytes. */
static void idle_members_send_the_same_in_a_cluster_of_any_size(void **state)
{
    (void)state;
    double first = 0;

    for (unsigned i = 0; i < SIZES; i++) {
        uint32_t n = sizes[i];
        struct sim *sim = quiet(__func__, n);
        struct sim_traffic sent = traffic_of(sim, SIM_NOBODY, 20000);
        double bytes = (double)sent.bytes_total / 20 / n;

        printf("  %u members: %.3f datagrams, %.1f bytes a member and second\n", n,
               (double)sent.datagrams_total / 20 / n, bytes);
        first = i ? first : bytes;
        assert_true(bytes > 0.98 * first && bytes < 1.02 * first);
        sim_free(sim);
    }
}

/* What a member sends beside the probes, for one that joins or dies, at most so often lg n. */
static void expect_logarithmic(const char *name, bool is_join, double datagrams_a_step)
{
    for (unsigned i = 0; i < SIZES; i++) {
        uint32_t n = sizes[i];
        struct sim *sim = quiet(name, n);
        struct sim_traffic sent;
        double datagrams;

        if (is_join) {
            sim_seed_node(sim, n, 0);
            sim_start(sim, n);
        } else {
            sim_crash(sim, n - 1);
        }
        sent = traffic_of(sim, SIM_NOBODY, 25000);
        datagrams = (double)(sent.datagrams[WIRE_GOSSIP] + sent.datagrams[WIRE_SYNC] +
                             sent.datagrams[WIRE_ANTI_ENTROPY]) /
                    n;
        printf("  %u members: %.1f datagrams a member, %.2f times lg n\n", n, datagrams,
               datagrams / log2_up(n));
        assert_true(datagrams < datagrams_a_step * log2_up(n));
        sim_free(sim);
    }
}

static void a_join_costs_the_logarithm(void **state)
{
    (void)state;
    expect_logarithmic(__func__, true, 3);
}

static void a_death_costs_the_logarithm(void **state)
{
    (void)state;
    expect_logarithmic(__func__, false, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idle_members_send_the_same_in_a_cluster_of_any_size),
        cmocka_unit_test(a_join_costs_the_logarithm),
        cmocka_unit_test(a_death_costs_the_logarithm),
    };

    return cmocka_run_group_tests_name("bandwidth", tests, NULL, NULL);
}
