/*
 * Corrections (src/core/outbox.h): whoever says what is stale and misleads is told better, but not too
 * often. docs/protocol.md section 7.
 */
#include "claims.h"

#include "core/member.h"

static void test_a_misled_teller_is_corrected(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct wire_entry told;

    (void)state;
    hear_entry(s, now, 2, claim(3, 2, 7, SWIM_ALIVE));
    now = settle(s, now, now + 60000 * SWIM_MS);
    /* An earlier life: corrected. */
    hear_entry(s, now, 2, claim(3, 1, 7, SWIM_ALIVE));
    assert_true(corrected(s, now, 2, 3, &told));
    assert_int_equal(told.incarnation, 2);
    assert_int_equal(told.heartbeat, 7);
    assert_int_equal(told.status, SWIM_ALIVE);
    /* At most once a gossip interval for each member. */
    hear_entry(s, now, 2, claim(3, 1, 7, SWIM_ALIVE));
    assert_int_equal(drain(s, now), 0);
    now += 200 * SWIM_MS;
    hear_entry(s, now, 2, claim(3, 1, 7, SWIM_ALIVE));
    assert_true(corrected(s, now, 2, 3, &told));
    /* A doubt that was dispelled. */
    now += 200 * SWIM_MS;
    hear_entry(s, now, 2, claim(3, 2, 6, SWIM_SUSPECT));
    assert_true(corrected(s, now, 2, 3, &told));
    /* Only a heartbeat behind: nobody is misled. */
    now += 200 * SWIM_MS;
    hear_entry(s, now, 2, claim(3, 2, 6, SWIM_ALIVE));
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(stats_of(s).corrections_sent, 3);
    member_end(s);
}

static void test_stale_sender_is_told(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message behind = speaking(3, 1, 50, 3);
    struct wire_entry told;

    (void)state;
    hear_entry(s, now, 2, claim(3, 2, 0, SWIM_ALIVE));
    now = settle(s, now, now + 60000 * SWIM_MS);
    assert_int_equal(hear(s, now, &behind), SWIM_OK);
    assert_true(corrected(s, now, 3, 3, &told));
    assert_int_equal(told.incarnation, 2);
    member_end(s);
}

static void test_dead_sender_is_told_of_its_death(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message alive = speaking(3, 1, 50, 3);
    struct message refuting = speaking(3, 2, 51, 3);
    struct wire_entry told;

    (void)state;
    hear_entry(s, now, 2, claim(3, 1, 0, SWIM_DEAD));
    now = settle(s, now, now + 5000 * SWIM_MS);
    assert_int_equal(hear(s, now, &alive), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_DEAD);
    assert_true(corrected(s, now, 3, 3, &told));
    assert_int_equal(told.status, SWIM_DEAD);
    assert_int_equal(told.incarnation, 1);
    assert_int_equal(hear(s, now, &refuting), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

static void test_suspect_sender_is_told_of_the_doubt(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message behind = speaking(3, 0, 20, 3);
    struct message ahead = speaking(3, 0, 31, 3);
    struct wire_entry told;

    (void)state;
    hear_entry(s, now, 2, claim(3, 0, 30, SWIM_SUSPECT));
    now = settle(s, now, now + 1500 * SWIM_MS);
    assert_int_equal(hear(s, now, &behind), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_SUSPECT);
    assert_true(corrected(s, now, 3, 3, &told));
    assert_int_equal(told.status, SWIM_SUSPECT);
    /* That it speaks, unasked, does not show that it hears us: told again, no more. */
    now += 200 * SWIM_MS;
    assert_int_equal(hear(s, now, &ahead), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_SUSPECT);
    assert_true(corrected(s, now, 3, 3, &told));
    ahead.kind = WIRE_ACK;
    assert_int_equal(hear(s, now, &ahead), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

/* In a table of more than CORRECTIONS_MAX, several members share the time of their last correction: each
 * holds up the others for an interval, and no longer. Nobody is told of one of them more often than of
 * any member, and the first time waits for nobody. */
static void test_members_that_share_a_time(void **state)
{
    enum { TELLER = 2, ONE = 5, OTHER = ONE + CORRECTIONS_MAX, ALONE = 6 };
    static const struct {
        uint32_t at_ms, about;
        bool is_told;
    } claims[] = {
        {0, ONE, true},      {0, OTHER, true},   {0, ALONE, true},    {199, ONE, false},
        {199, OTHER, false}, {200, ONE, true},   {200, OTHER, false}, {200, ALONE, true},
        {399, OTHER, false}, {400, OTHER, true}, {400, ALONE, true},  {599, ONE, false},
        {600, ONE, true},
    };
    struct swim_config config = quiet_config_of(1);
    struct wire_entry told;
    swim_time start;
    struct swim *s;

    (void)state;
    config.members_max = 2 * CORRECTIONS_MAX;
    s = member_among(&config, OTHER, &start);
    assert_int_equal(member_find(s, OTHER), member_find(s, ONE) + CORRECTIONS_MAX);
    for (uint32_t number = ONE; number <= OTHER; number++)
        hear_entry(s, start, TELLER, claim(number, 1, 0, SWIM_ALIVE));
    start = settle(s, start, start + 60000 * SWIM_MS);
    assert_int_equal(stats_of(s).corrections_sent, 0);
    for (unsigned i = 0; i < COUNT_OF(claims); i++) {
        swim_time now = start + claims[i].at_ms * SWIM_MS;

        hear_entry(s, now, TELLER, claim(claims[i].about, 0, 0, SWIM_ALIVE));
        if (corrected(s, now, TELLER, claims[i].about, &told) != claims[i].is_told)
            fail_msg("number %u after %u ms", claims[i].about, claims[i].at_ms);
    }
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_misled_teller_is_corrected),
        cmocka_unit_test(test_stale_sender_is_told),
        cmocka_unit_test(test_dead_sender_is_told_of_its_death),
        cmocka_unit_test(test_suspect_sender_is_told_of_the_doubt),
        cmocka_unit_test(test_members_that_share_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
