/* Networks that fall apart and come together again: nobody is lost for good. */
#include "scenario.h"

/* Nodes from `first` on are cut off from those before. */
static void split_at(struct sim *sim, uint32_t first)
{
    for (uint32_t i = first; i < sim_nodes(sim); i++)
        sim_split(sim, i, 1);
}

/* Every node of [first, end) holds exactly `alive` members as alive. */
static void expect_side(struct sim *sim, uint32_t first, uint32_t end, uint32_t alive)
{
    for (uint32_t i = first; i < end; i++) {
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), alive);
        assert_int_equal(sim_count(sim, i, SWIM_SUSPECT), 0);
    }
}

/* Since the heal nobody of [first, end) has declared another of them dead. */
static void expect_no_deaths_within(struct sim *sim, uint32_t first, uint32_t end, uint64_t since)
{
    for (uint32_t i = first; i < end; i++) {
        for (uint32_t about = first; about < end; about++)
            assert_int_equal(sim_event_count(sim, i, SWIM_EVENT_FAILED, sim_id(sim, about), since),
                             0);
    }
}

static void a_short_partition_kills_nobody(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);

    split_at(sim, 3);
    run_ms(sim, 3000);
    sim_heal(sim);
    expect_converged(sim, 5000);
    run_ms(sim, 20000);
    expect_nobody_failed(sim, 0, 0);
    assert_true(sim_is_clean(sim, NULL));
    scenario_end(sim);
}

/* Both sides have buried the other, and know each other only as tombstones. They don't make each
 * other bury their own. */
static void healed_while_tombstones_stand(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);
    uint64_t healed;

    split_at(sim, 3);
    run_ms(sim, 22000);
    expect_side(sim, 0, 3, 3);
    expect_side(sim, 3, 6, 3);
    assert_true(sim_count(sim, 0, SWIM_DEAD) > 0);
    sim_heal(sim);
    healed = sim_now(sim);
    expect_converged(sim, 30000);
    expect_clean(sim, 30000);
    expect_no_deaths_within(sim, 0, 3, healed);
    expect_no_deaths_within(sim, 3, 6, healed);
    scenario_end(sim);
}

/* A known implementation never heals this. */
static void longer_than_suspicion_and_two_retentions(void **state)
{
    (void)state;
    static const uint64_t lengths_s[] = {30, 45, 60, 120, 600};

    for (size_t i = 0; i < COUNT_OF(lengths_s); i++) {
        struct sim *sim = settled(__func__, 6);

        split_at(sim, 3);
        run_ms(sim, lengths_s[i] * 1000);
        expect_side(sim, 0, 3, 3);
        expect_side(sim, 3, 6, 3);
        sim_heal(sim);
        expect_converged(sim, 60000);
        run_ms(sim, 60000);
        assert_true(sim_is_clean(sim, NULL));
        scenario_end(sim);
    }
}

/* Without seeds: the addresses of the dead are all that is left. */
static void split_brain_of_two_halves_without_seeds(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 20);

    for (uint32_t i = 0; i < 20; i++)
        sim_clear_seeds(sim, i);
    split_at(sim, 10);
    run_ms(sim, 300000);
    expect_side(sim, 0, 10, 10);
    expect_side(sim, 10, 20, 10);
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

static void three_parts(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 12);

    for (uint32_t i = 0; i < 12; i++)
        sim_split(sim, i, i % 3);
    run_ms(sim, 120000);
    expect_side(sim, 0, 12, 4);
    /* Two of the parts meet first. */
    for (uint32_t i = 0; i < 12; i++)
        sim_split(sim, i, i % 3 == 2);
    run_ms(sim, 60000);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), i % 3 == 2 ? 4 : 8);
    sim_heal(sim);
    expect_converged(sim, 60000);
    scenario_end(sim);
}

/* Another node is cut off every twelve seconds: at the end of each of those the others, the one
 * before included, see each other, whatever the returned one believed of them. */
static void rolling_partitions(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 9);

    for (uint32_t i = 0; i < 18; i++) {
        uint32_t victim = i % 9;

        sim_split(sim, victim, 1);
        run_ms(sim, 12000);
        for (uint32_t k = 0; k < 9; k++) {
            for (uint32_t m = 0; m < 9; m++) {
                if (k != m && k != victim && m != victim)
                    assert_true(sim_sees(sim, k, sim_id(sim, m), SWIM_ALIVE));
            }
        }
        sim_split(sim, victim, 0);
    }
    expect_converged(sim, 60000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

/* The first half hears nothing of the second, which hears everything. */
static void a_one_way_partition_heals(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 10);

    for (uint32_t from = 5; from < 10; from++) {
        for (uint32_t to = 0; to < 5; to++)
            sim_link_loss(sim, from, to, 1000);
    }
    run_ms(sim, 120000);
    /* Within a half nobody is declared dead. */
    for (uint32_t i = 0; i < 10; i++) {
        for (uint32_t k = 0; k < 10; k++) {
            if (i != k && (i < 5) == (k < 5))
                assert_true(sim_sees(sim, i, sim_id(sim, k), SWIM_ALIVE) ||
                            sim_sees(sim, i, sim_id(sim, k), SWIM_SUSPECT));
        }
    }
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_clean(sim, 60000);
    scenario_end(sim);
}

/* One direction of one link: the relayed answer comes round the other way. */
static void a_link_that_works_one_way(void **state)
{
    (void)state;
    struct sim *sim = settled(__func__, 6);

    sim_link_loss(sim, 1, 4, 1000);
    run_ms(sim, 300000);
    expect_nobody_suspected(sim, 0, 0);
    scenario_end(sim);
}

static void joins_during_a_partition(void **state)
{
    (void)state;
    struct sim_config config = scenario_config(__func__, 12);
    struct sim *sim = scenario_new(&config);

    for (uint32_t i = 0; i < 8; i++)
        sim_add(sim);
    start_settled(sim);
    split_at(sim, 4);
    run_ms(sim, 40000);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t newcomer = sim_add(sim);

        sim_split(sim, newcomer, i % 2);
        sim_seed_node(sim, newcomer, i % 2 == 0 ? 1 : 5);
        sim_start(sim, newcomer);
    }
    run_ms(sim, 5000);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(sim_count(sim, i, SWIM_ALIVE), 6);
    sim_heal(sim);
    expect_converged(sim, 60000);
    scenario_end(sim);
}

/* Dead on one side of the partition, in the middle of it; the other learns it after the healing
 * or has buried it long before: no ghost either way. */
static void a_death_during_a_partition(void **state)
{
    (void)state;
    for (uint64_t length_ms = 5000; length_ms <= 60000; length_ms += 11000) {
        struct sim *sim = settled(__func__, 8);

        split_at(sim, 4);
        sim_crash(sim, 6);
        run_ms(sim, length_ms);
        sim_heal(sim);
        expect_converged(sim, 60000);
        expect_clean(sim, 60000);
        scenario_end(sim);
    }
}

/* ---- The isolated node ------------------------------------------------------------------- */

static void isolation(const char *name, uint64_t length_ms, bool has_seeds)
{
    struct sim *sim = settled(name, 6);
    struct sim_traffic traffic;

    for (uint32_t i = 0; i < 6; i++) {
        /* With seeds, only the isolated one has any: nobody else looks for it by name. */
        sim_clear_seeds(sim, i);
    }
    if (has_seeds)
        sim_seed_node(sim, 5, 2);
    sim_split(sim, 5, 1);
    run_ms(sim, length_ms / 2);
    /* It still tries, at a low rate. */
    traffic = traffic_of(sim, 5, length_ms / 2);
    assert_in_range(traffic.datagrams_total, length_ms / 2 / 60000, length_ms / 2 / 1000 * 2);
    assert_int_equal(sim_count(sim, 5, SWIM_ALIVE), 1);
    assert_int_equal(sim_count(sim, 0, SWIM_ALIVE), 5);
    sim_heal(sim);
    expect_converged(sim, 60000);
    expect_clean(sim, 30000);
    scenario_end(sim);
}

static void isolated_for_ten_minutes_with_a_seed(void **state)
{
    (void)state;
    isolation(__func__, 600000, true);
}

static void isolated_for_ten_minutes_without_seeds(void **state)
{
    (void)state;
    isolation(__func__, 600000, false);
}

static void isolated_for_ten_hours_without_seeds(void **state)
{
    (void)state;
    isolation(__func__, 36000000, false);
}

/* One that was alone has taken all others for dead; on its return none of them is, to anybody
 * else: from just after the first death that it declares to long after all is forgotten. */
static void one_that_was_alone_poisons_nobody(void **state)
{
    (void)state;
    for (uint64_t alone_s = 8; alone_s <= 64; alone_s += 8) {
        struct sim *sim = settled(__func__, 8);

        sim_split(sim, 5, 1);
        run_ms(sim, alone_s * 1000);
        sim_heal(sim);
        expect_converged(sim, 30000);
        run_ms(sim, 30000);
        assert_true(sim_converged(sim, NULL));
        expect_no_deaths_within(sim, 0, 5, 0);
        expect_no_deaths_within(sim, 6, 8, 0);
        scenario_end(sim);
    }
}

/* Two of ten, which reach nobody but each other and hear all: what they take for eight deaths is
 * told to nobody, then or when they are heard again. */
static void a_minority_that_is_not_heard_poisons_nobody(void **state)
{
    (void)state;
    for (uint64_t mute_s = 10; mute_s <= 40; mute_s += 10) {
        struct sim *sim = settled(__func__, 10);

        for (uint32_t i = 0; i < 8; i++) {
            sim_link_loss(sim, 8, i, 1000);
            sim_link_loss(sim, 9, i, 1000);
        }
        run_ms(sim, mute_s * 1000);
        sim_heal(sim);
        expect_converged(sim, 60000);
        expect_no_deaths_within(sim, 0, 8, 0);
        scenario_end(sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_short_partition_kills_nobody),
        cmocka_unit_test(healed_while_tombstones_stand),
        cmocka_unit_test(longer_than_suspicion_and_two_retentions),
        cmocka_unit_test(split_brain_of_two_halves_without_seeds),
        cmocka_unit_test(three_parts),
        cmocka_unit_test(rolling_partitions),
        cmocka_unit_test(a_one_way_partition_heals),
        cmocka_unit_test(a_link_that_works_one_way),
        cmocka_unit_test(joins_during_a_partition),
        cmocka_unit_test(a_death_during_a_partition),
        cmocka_unit_test(isolated_for_ten_minutes_with_a_seed),
        cmocka_unit_test(isolated_for_ten_minutes_without_seeds),
        cmocka_unit_test(isolated_for_ten_hours_without_seeds),
        cmocka_unit_test(one_that_was_alone_poisons_nobody),
        cmocka_unit_test(a_minority_that_is_not_heard_poisons_nobody),
    };

    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
