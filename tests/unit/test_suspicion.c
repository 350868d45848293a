/*
 * Suspicion (src/core/suspicion.h): how long a suspect has, by the formula of docs/protocol.md
 * section 5 computed here in floating point; who dies first; and who is spared.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"
#include "core/suspicion.h"

#include <math.h>

static struct swim *with_members(const struct swim_config *config, uint32_t last)
{
    struct swim *s = member_begin(config, START);

    hear_members(s, START, 2, last);
    drain(s, START);
    drain_events(s);
    return s;
}

/* Seconds by the formula, without jitter. */
static double stated_timeout_ms(const struct swim_config *config, uint32_t n)
{
    return config->suspect_timeout_ms *
           (1 + config->suspect_multiplier_milli / 1000.0 * log2((double)n));
}

static void test_timeout_follows_the_formula(void **state)
{
    static const uint32_t sizes[] = {2, 3, 4, 5, 7, 8, 9, 50, 64, 100, 1000, 1023, 1024};
    static const uint32_t multipliers[] = {0, 1, 500, 1000, 3333, 100000};
    static const uint32_t timeouts[] = {10, 3000, 3600000};
    struct swim_config config = quiet_config_of(1);

    (void)state;
    config.suspect_jitter_ms = 0;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct swim *s = with_members(&config, sizes[i]);

        for (unsigned k = 0; k < COUNT_OF(multipliers) * COUNT_OF(timeouts); k++) {
            double expected, actual;

            s->config.suspect_multiplier_milli = multipliers[k % COUNT_OF(multipliers)];
            s->config.suspect_timeout_ms = timeouts[k / COUNT_OF(multipliers)];
            expected = stated_timeout_ms(&s->config, sizes[i]);
            actual = (double)suspicion_timeout(s, 2) / (double)SWIM_MS;
            /* Thousandths are rounded down, and the logarithm is good to five digits. */
            assert_true(actual <= expected * (1 + 1e-9));
            assert_true(actual >= expected * (1 - 1e-4) - s->config.suspect_timeout_ms / 1000.0);
        }
        member_end(s);
    }
}

static void test_alone_has_the_base_timeout(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    (void)state;
    config.suspect_jitter_ms = 0;
    s = member_begin(&config, START);
    assert_true(suspicion_timeout(s, 2) == 3000 * SWIM_MS);
    member_end(s);
}

static void test_jitter_is_within_range_and_spread(void **state)
{
    enum { SUSPECTS = 4000 };
    struct swim_config config = quiet_config_of(1);
    uint32_t quarter[4] = {0};
    swim_time base;
    struct swim *s;

    (void)state;
    config.suspect_jitter_ms = 0;
    s = with_members(&config, 10);
    base = suspicion_timeout(s, 2);
    s->config.suspect_jitter_ms = 1000;
    for (uint64_t id = 1; id <= SUSPECTS; id++) {
        swim_time jitter = suspicion_timeout(s, id) - base;

        assert_true(jitter < 1000 * SWIM_MS);
        quarter[jitter / (250 * SWIM_MS)]++;
    }
    for (unsigned i = 0; i < 4; i++) /* 1,000 each, with a deviation of 27 */
        assert_in_range(quarter[i], 1000 - 5 * 27, 1000 + 5 * 27);
    member_end(s);
}

static void test_jitter_belongs_to_observer_and_suspect(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *a = with_members(&config, 10);
    struct swim *same;
    struct swim *other;
    uint32_t differences = 0;

    (void)state;
    config.seed = 999; /* chance has no part in it */
    same = with_members(&config, 10);
    config.id = 11;
    config.addr = addr4(11);
    other = with_members(&config, 10);
    for (uint64_t id = 20; id < 40; id++) {
        assert_true(suspicion_timeout(a, id) == suspicion_timeout(same, id));
        differences += suspicion_timeout(a, id) != suspicion_timeout(other, id);
        differences += suspicion_timeout(a, id) != suspicion_timeout(a, id + 1);
    }
    assert_in_range(differences, 39, 40);
    member_end(a);
    member_end(same);
    member_end(other);
}

static void doubt(struct swim *s, swim_time now, uint32_t number, enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.status = (uint8_t)status;
    entry.heartbeat = status == SWIM_ALIVE ? 1000 : 0;
    hear_entry(s, now, 2, entry);
}

static void test_a_suspect_dies_at_its_time_and_not_before(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = with_members(&config, 6);
    swim_time due = START + suspicion_timeout(s, 4);

    (void)state;
    doubt(s, START, 4, SWIM_SUSPECT);
    settle(s, START, due - 1);
    swim_advance(s, due - 1);
    assert_int_equal(status_of(s, 4), SWIM_SUSPECT);
    drain(s, due - 1);
    assert_true(swim_deadline(s) == due);
    swim_advance(s, due);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    assert_int_equal(stats_of(s).failures, 1);
    assert_int_equal(stats_of(s).suspicions_raised, 0); /* somebody else's */
    member_end(s);
}

static void test_they_die_in_the_order_of_their_times(void **state)
{
    enum { LAST = 60 };
    struct swim_config config = quiet_config_of(1);
    struct swim *s = with_members(&config, LAST);
    swim_time due[LAST + 1];
    swim_time now = START;

    (void)state;
    for (uint32_t number = 3; number <= LAST; number++) {
        now += 7 * SWIM_MS;
        due[number] = now + suspicion_timeout(s, number);
        doubt(s, now, number, SWIM_SUSPECT);
    }
    while (swim_member_count(s, SWIM_SUSPECT) > 0) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain(s, now);
        for (uint32_t number = 3; number <= LAST; number++)
            assert_int_equal(status_of(s, number) == SWIM_DEAD, due[number] <= now);
    }
    assert_int_equal(swim_member_count(s, SWIM_DEAD), LAST - 2);
    member_end(s);
}

static void test_many_at_once_take_several_calls(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time due;
    struct swim *s;

    (void)state;
    config.suspect_jitter_ms = 0;
    s = with_members(&config, 300);
    due = START + suspicion_timeout(s, 3);
    for (uint32_t number = 3; number <= 300; number++)
        doubt(s, START, number, SWIM_SUSPECT);
    settle(s, START, due - 1);
    drain(s, due);
    for (uint32_t dead = 0; dead < 298;) {
        uint32_t before = dead;

        assert_true(swim_deadline(s) <= due);
        swim_advance(s, due);
        dead = swim_member_count(s, SWIM_DEAD);
        assert_in_range(dead, before + 1, before + EXPIRIES_PER_CALL);
        assert_null(swim_check(s));
    }
    member_end(s);
}

static void test_a_refuted_suspicion_ends(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = with_members(&config, 6);
    swim_time now = START;

    (void)state;
    doubt(s, now, 4, SWIM_SUSPECT);
    assert_true(suspicion_deadline(s) != SWIM_NEVER);
    doubt(s, now, 4, SWIM_ALIVE);
    assert_true(suspicion_deadline(s) == SWIM_NEVER);
    now = settle(s, now, now + 20000 * SWIM_MS);
    swim_advance(s, START + 60000 * SWIM_MS);
    assert_int_equal(status_of(s, 4), SWIM_ALIVE);
    assert_int_equal(stats_of(s).suspicions_refuted, 1);
    assert_int_equal(stats_of(s).failures, 0);
    member_end(s);
}

/* Dead by hearsay, or left: there is nothing more to wait for. */
static void test_a_death_ends_the_suspicion_too(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = with_members(&config, 6);

    (void)state;
    doubt(s, START, 4, SWIM_SUSPECT);
    doubt(s, START, 5, SWIM_SUSPECT);
    doubt(s, START, 4, SWIM_DEAD);
    doubt(s, START, 5, SWIM_LEFT);
    assert_true(suspicion_deadline(s) == SWIM_NEVER);
    assert_null(swim_check(s));
    member_end(s);
}

/* Time that we stood still is not the suspects' time: after a pause each has the base time-out
 * again, at least. */
static void test_a_pause_of_ours_is_not_held_against_suspects(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = with_members(&config, 6);
    swim_time due = START + suspicion_timeout(s, 4);
    swim_time now = START;
    swim_time woken;

    (void)state;
    doubt(s, START, 4, SWIM_SUSPECT);
    drain(s, START);
    /* Until a moment before it would be dead. */
    while (swim_deadline(s) < due - 100 * SWIM_MS) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain(s, now);
    }
    assert_int_equal(status_of(s, 4), SWIM_SUSPECT);
    now = woken = START + 600000 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(stats_of(s).pauses, 1);
    while (status_of(s, 4) == SWIM_SUSPECT) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
    assert_true(now - woken >= 3000 * SWIM_MS);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timeout_follows_the_formula),
        cmocka_unit_test(test_alone_has_the_base_timeout),
        cmocka_unit_test(test_jitter_is_within_range_and_spread),
        cmocka_unit_test(test_jitter_belongs_to_observer_and_suspect),
        cmocka_unit_test(test_a_suspect_dies_at_its_time_and_not_before),
        cmocka_unit_test(test_they_die_in_the_order_of_their_times),
        cmocka_unit_test(test_many_at_once_take_several_calls),
        cmocka_unit_test(test_a_refuted_suspicion_ends),
        cmocka_unit_test(test_a_death_ends_the_suspicion_too),
        cmocka_unit_test(test_a_pause_of_ours_is_not_held_against_suspects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
