/*
 * Suspicion (src/core/suspicion.h): how long a suspect has, by the formulas of docs/protocol.md
 * section 5 computed here in floating point, without confirmation and with it; who dies first;
 * and who is spared.
 */
#include "accusers.h"

#include "base/prng.h"
#include "core/accusation.h"
#include "core/claim.h"
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
    assert_int_equal(stats_of(s).suspicions_false, 0); /* they had accused it, not we */
    assert_int_equal(stats_of(s).failures, 0);
    assert_int_equal(stats_of(s).detection_count, 0);
    member_end(s);
}

static uint64_t detections_within(const struct swim_stats *stats, uint64_t ms)
{
    static const uint32_t bounds_ms[] = SWIM_DETECTION_BOUNDS_MS;
    uint64_t count = 0;

    for (unsigned i = 0; i < COUNT_OF(bounds_ms) && bounds_ms[i] <= ms; i++)
        count += stats->detection_bucket[i];
    return count;
}

/* From the last word of its own to its death. */
static void test_what_detection_took(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;
    swim_time now = START + 2000 * SWIM_MS;
    struct swim_stats stats;

    (void)state;
    config.suspect_jitter_ms = 0;
    s = with_members(&config, 6); /* heard at START */
    settle(s, START, now);
    doubt(s, now, 4, SWIM_SUSPECT);
    settle(s, now, now + suspicion_timeout(s, 4));
    now += suspicion_timeout(s, 4);
    swim_advance(s, now);
    stats = stats_of(s);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    assert_int_equal(stats.detection_count, 1);
    assert_true(stats.detection_sum_ns == now - START);
    assert_in_range((now - START) / SWIM_MS, 7501, 10000);
    assert_int_equal(detections_within(&stats, 7500), 0);
    assert_int_equal(detections_within(&stats, 10000), 1);
    member_end(s);
}

/* What an accuser takes its clock for, and says, is no word of the suspect's own. */
static void test_an_accusers_estimate_is_no_word(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct wire_entry entry = entry_of(4);
    swim_time now = START + 3000 * SWIM_MS;
    struct swim *s;

    (void)state;
    s = with_members(&config, 6); /* heard at START */
    settle(s, START, now);
    entry.status = SWIM_SUSPECT;
    entry.heartbeat += 3000 / config.heartbeat_interval_ms + 1; /* its clock is a bit fast */
    hear_entry(s, now, 2, entry);
    entry.status = SWIM_DEAD;
    hear_entry(s, now, 2, entry);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    assert_int_equal(stats_of(s).detection_count, 1);
    assert_in_range(stats_of(s).detection_sum_ns / SWIM_MS, 3000, 3500);
    member_end(s);
}

static void test_detections_are_of_suspects(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = with_members(&config, 6);
    swim_time now = START;

    (void)state;
    doubt(s, now, 5, SWIM_SUSPECT);
    doubt(s, now, 5, SWIM_DEAD);
    assert_int_equal(stats_of(s).detection_count, 1);
    doubt(s, now, 6, SWIM_DEAD); /* never suspect: nothing was detected here */
    doubt(s, now, 3, SWIM_SUSPECT);
    doubt(s, now, 3, SWIM_LEFT);
    assert_int_equal(status_of(s, 6), SWIM_DEAD);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    assert_int_equal(stats_of(s).detection_count, 1);
    assert_int_equal(stats_of(s).tombstones, 3);
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

/* ---- Confirmed by independent accusers ---- */

/* Lifeguard's formula: from the longest time to the shortest, along the logarithm. */
static double stated_confirmed_ms(double longest, double shortest, uint32_t confirmations,
                                  uint32_t wanted)
{
    if (confirmations >= wanted || shortest > longest)
        return wanted && shortest < longest ? shortest : longest;
    return longest - (longest - shortest) * log(confirmations + 1) / log(wanted + 1);
}

/* The shortest time of all: it grows with the decades of a cluster's size. */
static double stated_min_ms(const struct swim_config *config, uint32_t n)
{
    return config->suspect_timeout_min_ms * fmax(1, log10((double)n));
}

static double in_ms(swim_time time)
{
    return (double)time / (double)SWIM_MS;
}

static void test_the_shortest_time_follows_its_formula(void **state)
{
    static const uint32_t sizes[] = {2, 9, 10, 11, 50, 100, 999, 1000};
    static const uint32_t shortest[] = {10, 3000, 3600000};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        struct swim_config config = quiet_config_of(1);
        struct swim *s = with_members(&config, sizes[i]);

        for (unsigned k = 0; k < COUNT_OF(shortest); k++) {
            double expected, actual;

            s->config.suspect_timeout_min_ms = shortest[k];
            expected = stated_min_ms(&s->config, sizes[i]);
            actual = in_ms(suspicion_timeout_min(s));
            assert_true(fabs(actual - expected) <=
                        expected * 4e-5 + 0.001); /* to the microsecond */
            if (sizes[i] <= 10)
                assert_true(suspicion_timeout_min(s) == shortest[k] * SWIM_MS);
        }
        member_end(s);
    }
}

static void test_each_confirmation_shortens_the_time(void **state)
{
    static const uint32_t sizes[] = {2, 3, 4, 6, 100};
    static const uint32_t shortest[] = {10, 3000, 4500, 3600000};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes) * COUNT_OF(shortest); i++) {
        for (uint32_t k = 1; k <= SWIM_CONFIRMATIONS_MAX; k++) {
            struct swim_config config = quiet_config_of(1);
            uint32_t n = sizes[i % COUNT_OF(sizes)];
            uint32_t wanted = k < n - 2 ? k : n - 2;
            swim_time now, longest, least;
            struct swim *s;

            config.suspect_timeout_min_ms = shortest[i / COUNT_OF(sizes)];
            config.confirmations = k;
            s = member_among(&config, n, &now);
            longest = suspicion_timeout(s, n);
            least = suspicion_timeout_min(s);
            claim_declare(s, member_find(s, n), SWIM_SUSPECT);
            assert_true(suspicion_deadline(s) == now + longest);
            for (uint32_t c = 0; c <= k; c++) {
                double expected = stated_confirmed_ms(in_ms(longest), in_ms(least), c, wanted);
                double actual;

                assert_true(accusation_add(s, member_find(s, n), 1000 + c));
                actual = in_ms(suspicion_deadline(s) - now);
                /* Its logarithms are good to five digits; its ends are exact. */
                assert_true(fabs(actual - expected) <= in_ms(longest) * 4e-5);
                if (c == 0 || c >= wanted)
                    assert_true(fabs(actual - expected) < 1e-5);
            }
            assert_int_equal(stats_of(s).suspicions_confirmed, k);
            assert_null(swim_check(s));
            member_end(s);
        }
    }
}

/* With the defaults of a small cluster, in plain figures: base 3 s, 6 to 7 s without confirmation. */
static void test_the_times_of_a_small_cluster(void **state)
{
    static const uint32_t expected_ms[] = {6000, 4500, 3623, 3000};
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s;

    (void)state;
    config.suspect_timeout_ms = 3000;
    config.suspect_multiplier_milli = 333;
    config.suspect_jitter_ms = 0;
    config.suspect_timeout_min_ms = 3000;
    config.confirmations = 3;
    s = member_among(&config, 8, &now);
    for (uint32_t c = 0; c <= 3; c++) {
        hear_accusation(s, now, 2, SUSPECT, 3 + c + (3 + c >= SUSPECT));
        assert_true(fabs(in_ms(suspicion_deadline(s) - now) - expected_ms[c]) <= 4);
    }
    member_end(s);
}

static void test_without_confirmations_the_time_is_the_longest(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s;

    (void)state;
    config.confirmations = 0;
    s = member_among(&config, 20, &now);
    for (uint32_t accuser = 6; accuser <= 20; accuser++) {
        hear_accusation(s, now, 2, SUSPECT, accuser);
        assert_int_equal(status_of(s, SUSPECT), SWIM_SUSPECT);
        assert_true(suspicion_deadline(s) == now + suspicion_timeout(s, SUSPECT));
    }
    assert_int_equal(accuser_count(s, SUSPECT), 0);
    assert_int_equal(stats_of(s).suspicions_confirmed, 0);
    assert_int_equal(stats_of(s).accusations_queued, 0);
    member_end(s);
}

/* Confirmed when the shorter time is over: dead at once, and that its time lies in the past is no
 * sign that we stood still. */
static void test_confirmed_too_late_is_dead_at_once(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now = START;
    struct swim *s = member_begin(&config, START);

    (void)state;
    config.suspect_jitter_ms = 0;
    hear_members(s, START, 2, 20);
    doubt(s, START, 4, SWIM_SUSPECT);
    while (now < START + 6000 * SWIM_MS) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        hear_members(s, now, 2, 2); /* we are not deaf */
    }
    assert_int_equal(status_of(s, 4), SWIM_SUSPECT);
    for (uint64_t accuser = 10; accuser < 14; accuser++)
        accusation_add(s, member_find(s, 4), accuser);
    assert_true(swim_deadline(s) == now);
    swim_advance(s, now);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    assert_int_equal(stats_of(s).pauses, 0);
    member_end(s);
}

/* A pause moves the confirmed ones too, and what confirms them afterwards counts from there. */
static void test_a_pause_moves_the_confirmed_too(void **state)
{
    const swim_time pause = UINT64_C(7200000) * SWIM_MS;
    struct swim_config config = quiet_config_of(1);
    swim_time now, began, moved, due;
    struct swim *s = member_among(&config, 20, &began);

    (void)state;
    hear_accusation(s, began, 2, SUSPECT, 6);
    hear_accusation(s, began, 2, SUSPECT, 7);
    due = suspicion_deadline(s);
    now = swim_deadline(s) + pause;
    moved = pause + config.suspect_timeout_ms * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(stats_of(s).pauses, 1);
    assert_int_equal(status_of(s, SUSPECT), SWIM_SUSPECT);
    assert_true(suspicion_deadline(s) == due + moved);
    hear_accusation(s, now, 2, SUSPECT, 8);
    hear_accusation(s, now, 2, SUSPECT, 9);
    assert_true(suspicion_deadline(s) == began + suspicion_timeout_min(s) + moved);
    /* And a suspicion that begins after it has nothing to do with it. */
    for (uint32_t accuser = 6; accuser <= 9; accuser++)
        hear_accusation(s, now, 2, 12, accuser);
    hear_entry(s, now, 2, (struct wire_entry){.id = SUSPECT, .incarnation = 1, .addr = addr4(5)});
    assert_true(suspicion_deadline(s) == now + suspicion_timeout_min(s));
    member_end(s);
}

/* Suspects of every age, of which half are confirmed sooner or later: each dies at its time. */
static void test_the_confirmed_die_in_the_order_of_their_times(void **state)
{
    enum { FIRST = 10, LAST = 200 };
    struct swim_config config = quiet_config_of(1);
    swim_time due[LAST + 1], confirmed[LAST + 1], now, least;
    struct prng prng;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    config.confirmations = 1;
    config.suspect_timeout_min_ms = 2000;
    config.dead_retention_ms = 3600000;
    s = member_among(&config, LAST, &now);
    least = suspicion_timeout_min(s);
    for (uint32_t number = FIRST; number <= LAST; number++) {
        confirmed[number] = SWIM_NEVER;
        if (prng_below(&prng, 2))
            confirmed[number] = now + prng_below(&prng, 5000) * SWIM_MS;
        due[number] = now + suspicion_timeout(s, number);
        hear_accusation(s, now, 2, number, 3);
    }
    for (swim_time end = now + 20000 * SWIM_MS, began = now; now < end; now += 10 * SWIM_MS) {
        for (uint32_t number = FIRST; number <= LAST; number++) {
            if (confirmed[number] == now) {
                hear_accusation(s, now, 2, number, 4);
                due[number] = now - began < least ? began + least : now;
            }
        }
        swim_advance(s, now);
        for (uint32_t more = 0; more < 4; more++) /* at most 64 deaths a call */
            swim_advance(s, now);
        drain(s, now);
        for (uint32_t number = FIRST; number <= LAST; number++)
            assert_int_equal(status_of(s, number) == SWIM_DEAD, due[number] <= now);
    }
    member_end(s);
}

/* ---- Deaf: when nobody is heard at all, the fault may be ours ---- */

/* Goes on by deadlines, while member 2 speaks or not, until `until` or the end of number 4's
 * suspicion. Returns the time then. */
static swim_time wait_for_4(struct swim *s, swim_time now, swim_time until, bool is_heard)
{
    while (now < until && status_of(s, 4) == SWIM_SUSPECT) {
        drain(s, now);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        now = now < until ? now : until;
        swim_advance(s, now);
        assert_null(swim_check(s));
        if (is_heard)
            hear_members(s, now, 2, 2);
    }
    return now;
}

/* Among 2 .. last, of whom 4 is a suspect from START on. */
static struct swim *doubting(uint32_t last, bool local_health, swim_time *ret_due)
{
    struct swim_config config = config_of(1);
    struct swim *s;

    config.local_health = local_health;
    config.suspect_jitter_ms = 0;
    s = member_begin(&config, START);
    hear_members(s, START, 2, last);
    doubt(s, START, 4, SWIM_SUSPECT);
    *ret_due = START + suspicion_timeout(s, 4);
    return s;
}

/* Nobody is heard from START on, then 2 again. */
static void test_the_deaf_give_no_verdict(void **state)
{
    swim_time due, now, heard;
    struct swim *s = doubting(8, true, &due);

    (void)state;
    now = wait_for_4(s, START, due + 3000 * SWIM_MS, false);
    assert_int_equal(status_of(s, 4), SWIM_SUSPECT);
    heard = now;
    hear_members(s, now, 2, 2);
    now = wait_for_4(s, now, SWIM_NEVER, true);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    /* The shortest time after that, and up to the next look. */
    assert_in_range(now - heard, suspicion_timeout_min(s),
                    suspicion_timeout_min(s) + 1000 * SWIM_MS);
    assert_int_equal(stats_of(s).pauses, 0);
    member_end(s);
}

static void test_who_hears_others_gives_his_verdict(void **state)
{
    (void)state;
    for (unsigned local_health = 0; local_health < 2; local_health++) {
        swim_time due;
        struct swim *s = doubting(60, local_health, &due);

        /* One that hears, and one that was told not to doubt itself. */
        assert_true(wait_for_4(s, START, SWIM_NEVER, local_health) == due);
        assert_int_equal(status_of(s, 4), SWIM_DEAD);
        member_end(s);
    }
}

/* Not for ever: six times its longest time, and a look. */
static void test_nobody_is_doubted_for_ever(void **state)
{
    swim_time due, now;
    struct swim *s = doubting(60, true, &due);

    (void)state;
    s->config.suspect_timeout_ms = 3600000; /* of those that our own probes will doubt */
    now = wait_for_4(s, START, SWIM_NEVER, false);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    assert_in_range(now - START, 6 * (due - START), 6 * (due - START) + 1000 * SWIM_MS);
    assert_int_equal(stats_of(s).failures, 1);
    member_end(s);
}

/* In a small cluster the shortest time is shorter than what counts as silence. */
static void test_a_word_between_silences_ends_in_no_verdict(void **state)
{
    swim_time due, now;
    struct swim *s = doubting(8, true, &due);

    (void)state;
    now = wait_for_4(s, START, due + 3000 * SWIM_MS, false);
    assert_true(suspicion_timeout_min(s) < 4000 * SWIM_MS);
    hear_members(s, now, 2, 2);
    (void)wait_for_4(s, now, now + 10000 * SWIM_MS, false);
    assert_int_equal(status_of(s, 4), SWIM_SUSPECT);
    member_end(s);
}

/* After each word a silence begins anew; but twice six times the longest time are enough. */
static void test_words_between_silences_lengthen_a_doubt_once(void **state)
{
    static const unsigned words[] = {1, 100}, expected[] = {5 + 6, 12};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(words); i++) {
        swim_time due, longest, now = START;
        struct swim *s = doubting(60, true, &due);

        longest = due - START;
        s->config.suspect_timeout_ms = 3600000; /* of those that our own probes will doubt */
        for (unsigned k = 0; k < words[i] && status_of(s, 4) == SWIM_SUSPECT; k++) {
            now = wait_for_4(s, now, now + 5 * longest, false);
            hear_members(s, now, 2, 2);
        }
        now = wait_for_4(s, now, SWIM_NEVER, false);
        assert_int_equal(status_of(s, 4), SWIM_DEAD);
        assert_in_range(now - START, expected[i] * longest, expected[i] * longest + 1000 * SWIM_MS);
        assert_int_equal(stats_of(s).pauses, 0);
        member_end(s);
    }
}

/* ---- Told again ---- */

/* Nothing more to tell of any suspect. */
static swim_time told_all(struct swim *s, swim_time now)
{
    do {
        now = settle(s, now, now + 60000 * SWIM_MS);
        now += 200 * SWIM_MS;
        swim_advance(s, now);
        drain(s, now);
    } while (stats_of(s).accusations_queued > 0);
    return now;
}

/* What was told in a silence may have reached nobody. */
static void test_after_a_silence_doubts_are_told_again(void **state)
{
    static const uint32_t suspects[] = {1, TELL_AGAIN_MAX, TELL_AGAIN_MAX + 30};
    const swim_time silence = 4 * 60000 * SWIM_MS;

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(suspects); i++) {
        struct swim_config config = patient_config();
        uint32_t most = suspects[i] < TELL_AGAIN_MAX ? suspects[i] : TELL_AGAIN_MAX;
        swim_time now;
        struct swim *s = member_among(&config, 120, &now);

        s->config.probe_interval_ms = 60000;
        for (uint32_t k = 0; k < suspects[i]; k++)
            hear_accusation(s, now, 2, 10 + k, 7);
        told_all(s, now);
        assert_true(dossier_of(s, 10)->sent[0] > 0);
        now = s->last_heard + silence; /* not longer than peers may be silent */
        hear_members(s, now, 2, 2);
        assert_int_equal(stats_of(s).news_queued + stats_of(s).accusations_queued, 0);
        now += silence + 1;
        hear_members(s, now, 3, 3);
        assert_int_equal(stats_of(s).news_queued, most);
        assert_int_equal(stats_of(s).accusations_queued, most);
        assert_int_equal(dossier_of(s, 10)->sent[0], 0);
        hear_members(s, now, 2, 2);
        now = told_all(s, now);
        assert_int_equal(stats_of(s).news_queued, 0);
        member_end(s);
    }
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
        cmocka_unit_test(test_what_detection_took),
        cmocka_unit_test(test_an_accusers_estimate_is_no_word),
        cmocka_unit_test(test_detections_are_of_suspects),
        cmocka_unit_test(test_a_death_ends_the_suspicion_too),
        cmocka_unit_test(test_a_pause_of_ours_is_not_held_against_suspects),
        cmocka_unit_test(test_the_shortest_time_follows_its_formula),
        cmocka_unit_test(test_each_confirmation_shortens_the_time),
        cmocka_unit_test(test_the_times_of_a_small_cluster),
        cmocka_unit_test(test_without_confirmations_the_time_is_the_longest),
        cmocka_unit_test(test_confirmed_too_late_is_dead_at_once),
        cmocka_unit_test(test_a_pause_moves_the_confirmed_too),
        cmocka_unit_test(test_the_confirmed_die_in_the_order_of_their_times),
        cmocka_unit_test(test_the_deaf_give_no_verdict),
        cmocka_unit_test(test_who_hears_others_gives_his_verdict),
        cmocka_unit_test(test_nobody_is_doubted_for_ever),
        cmocka_unit_test(test_a_word_between_silences_ends_in_no_verdict),
        cmocka_unit_test(test_words_between_silences_lengthen_a_doubt_once),
        cmocka_unit_test(test_after_a_silence_doubts_are_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
