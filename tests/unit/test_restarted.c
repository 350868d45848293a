/*
 * A restart told from a refutation (docs/protocol.md section 5, "Restarts"; src/core/claim.c): by the
 * member's last word; and what the host is told of it.
 */
#include "support.h"

#include "harness.h"

#include "core/instance.h"
#include "core/member.h"

/* Member 3 said heartbeat 100 just now; the ticks are of 500 ms. */
static struct swim *begin(swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct message word = {.kind = WIRE_ACK, .from = 3, .heartbeat = 100};
    struct swim *s;

    config.heartbeat_interval_ms = 500;
    s = member_among(&config, 5, ret_now);
    assert_int_equal(hear(s, *ret_now, &word), SWIM_OK);
    drain(s, *ret_now);
    drain_events(s);
    return s;
}

static void claim(struct swim *s, swim_time now, uint32_t incarnation, uint32_t heartbeat,
                  enum swim_status status)
{
    struct wire_entry entry = entry_of(3);

    entry.incarnation = incarnation;
    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
}

static void say(struct swim *s, swim_time now, uint32_t incarnation, uint32_t heartbeat)
{
    struct message word = {
        .kind = WIRE_ACK, .from = 3, .incarnation = incarnation, .heartbeat = heartbeat};

    assert_int_equal(hear(s, now, &word), SWIM_OK);
}

static void expect(struct swim *s, enum swim_event_kind kind, enum swim_status before)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    if (event.kind != kind)
        fail_msg("%s instead of %s", swim_event_name(event.kind), swim_event_name(kind));
    assert_int_equal(event.member.id, 3);
    assert_int_equal(event.before, before);
}

static void expect_none(struct swim *s)
{
    struct swim_event event;

    if (swim_next_event(s, &event))
        fail_msg("unexpected: %s", swim_event_name(event.kind));
}

static void test_a_clock_that_went_back(void **state)
{
    (void)state;
    for (unsigned is_first_hand = 0; is_first_hand < 2; is_first_hand++) {
        swim_time now;
        struct swim *s = begin(&now);

        if (is_first_hand)
            say(s, now, 1, 99);
        else
            claim(s, now, 1, 99, SWIM_ALIVE);
        expect(s, SWIM_EVENT_RESTARTED, SWIM_ALIVE);
        expect_none(s);
        /* And once more. */
        if (is_first_hand)
            say(s, now, 2, 98);
        else
            claim(s, now, 2, 98, SWIM_ALIVE);
        expect(s, SWIM_EVENT_RESTARTED, SWIM_ALIVE);
        expect_none(s);
        member_end(s);
    }
}

/* The clock has gone on, by the tick that each refutation adds at least, however late it is heard. */
static void test_a_refutation_is_none(void **state)
{
    (void)state;
    for (unsigned is_first_hand = 0; is_first_hand < 2; is_first_hand++) {
        for (uint32_t late_s = 0; late_s <= 160; late_s += 40) {
            swim_time now;
            struct swim *s = begin(&now);

            now += late_s * 1000 * SWIM_MS;
            swim_advance(s, now);
            drain(s, now);
            drain_events(s);
            if (is_first_hand)
                say(s, now, 1, 101);
            else
                claim(s, now, 1, 101, SWIM_ALIVE);
            expect(s, SWIM_EVENT_UPDATED, SWIM_ALIVE);
            expect_none(s);
            member_end(s);
        }
    }
}

/* Two runs that others heard in their first tick alone: a refutation would have added one. Plain
 * members add none. */
static void test_a_run_within_one_tick(void **state)
{
    (void)state;
    for (unsigned is_plain = 0; is_plain < 2; is_plain++) {
        struct swim_config config = quiet_config_of(1);
        struct message word = {.kind = WIRE_ACK, .from = 3, .plain = is_plain};
        struct swim *s = member_begin(&config, START);

        assert_int_equal(hear(s, START, &word), SWIM_OK);
        drain_events(s);
        word.incarnation = 1;
        assert_int_equal(hear(s, START, &word), SWIM_OK);
        expect(s, is_plain ? SWIM_EVENT_UPDATED : SWIM_EVENT_RESTARTED, SWIM_ALIVE);
        word.incarnation = 2;
        word.heartbeat = 1;
        assert_int_equal(hear(s, START, &word), SWIM_OK);
        expect(s, SWIM_EVENT_UPDATED, SWIM_ALIVE);
        expect_none(s);
        member_end(s);
    }
}

/* Nothing but its own words counts: not how long ago they were heard, by whatever clock. */
static void test_no_estimate_takes_part(void **state)
{
    (void)state;
    swim_time now;
    struct swim *s = begin(&now);

    now += 3600 * 1000 * SWIM_MS;
    swim_advance(s, now);
    drain(s, now);
    drain_events(s);
    claim(s, now, 1, 101, SWIM_ALIVE);
    expect(s, SWIM_EVENT_UPDATED, SWIM_ALIVE);
    expect_none(s);
    member_end(s);
}

/* The heartbeat of a suspicion is an accuser's estimate. Somebody cut off stamps it ever higher,
 * while the member has refuted long ago, where others heard it: that is no restart. */
static void test_an_accusers_estimate_is_no_word(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 0, 190, SWIM_SUSPECT);
    expect(s, SWIM_EVENT_SUSPECTED, SWIM_ALIVE);
    assert_int_equal(member_last_word(member_at(s, member_find(s, 3))), 100);
    claim(s, now, 1, 101, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RECOVERED, SWIM_SUSPECT);
    expect_none(s);
    /* Of the new incarnation nothing is known but an accuser's word. */
    claim(s, now, 2, 500, SWIM_SUSPECT);
    expect(s, SWIM_EVENT_SUSPECTED, SWIM_ALIVE);
    assert_int_equal(member_last_word(member_at(s, member_find(s, 3))), 0);
    claim(s, now, 3, 150, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RECOVERED, SWIM_SUSPECT);
    expect_none(s);
    member_end(s);
}

/* Though accusers' estimates came after it, what it said itself still counts. */
static void test_the_last_word_outlives_a_suspicion(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 0, 120, SWIM_SUSPECT);
    claim(s, now, 0, 140, SWIM_SUSPECT);
    claim(s, now, 0, 160, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, SWIM_ALIVE);
    claim(s, now, 1, 99, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RESTARTED, SWIM_DEAD);
    expect_none(s);
    member_end(s);
}

static void test_from_a_tombstone(void **state)
{
    static const enum swim_status ends[] = {SWIM_DEAD, SWIM_LEFT};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(ends); i++) {
        swim_time now;
        struct swim *s = begin(&now);

        claim(s, now, 0, 100, ends[i]);
        expect(s, i ? SWIM_EVENT_LEFT : SWIM_EVENT_FAILED, SWIM_ALIVE);
        say(s, now, 1, 0);
        expect(s, SWIM_EVENT_RESTARTED, ends[i]);
        expect_none(s);
        member_end(s);
    }
}

/* Died and came back, moved as well, between two questions: one event. */
static void test_a_chain_reads_as_one(void **state)
{
    struct wire_entry moved = entry_of(3);
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 0, 101, SWIM_SUSPECT);
    claim(s, now, 0, 101, SWIM_DEAD);
    moved.incarnation = 1;
    moved.addr = addr4(33);
    hear_entry(s, now, 2, moved);
    claim(s, now, 2, 3, SWIM_ALIVE); /* refuted something */
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_RESTARTED);
    assert_int_equal(event.before, SWIM_ALIVE);
    assert_int_equal(event.member.incarnation, 2);
    expect_none(s);
    member_end(s);
}

static void test_back_and_suspect_reads_as_two(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 1, 3, SWIM_SUSPECT);
    expect(s, SWIM_EVENT_RESTARTED, SWIM_ALIVE);
    expect(s, SWIM_EVENT_SUSPECTED, SWIM_ALIVE);
    expect_none(s);
    member_end(s);
}

/* A restart that ended before the host asked is told by its end, and by nothing later. */
static void test_back_and_dead_reads_as_dead(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 1, 3, SWIM_ALIVE);
    claim(s, now, 1, 3, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, SWIM_ALIVE);
    expect_none(s);
    claim(s, now, 2, 5, SWIM_ALIVE); /* a refutation */
    expect(s, SWIM_EVENT_JOINED, SWIM_DEAD);
    expect_none(s);
    member_end(s);
}

static void test_the_forgotten_and_the_unknown_join(void **state)
{
    struct message newcomer = {.kind = WIRE_GOSSIP, .from = 9, .incarnation = 5};
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    assert_int_equal(hear(s, now, &newcomer), SWIM_OK);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_JOINED);
    claim(s, now, 0, 100, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, SWIM_ALIVE);
    swim_advance(s, now + 15000 * SWIM_MS);
    expect(s, SWIM_EVENT_FORGOTTEN, SWIM_DEAD);
    say(s, now + 15000 * SWIM_MS, 1, 0);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_JOINED);
    expect_none(s);
    member_end(s);
}

/* 255 ticks and more between the last word and an accuser's: then it is forgotten, and 0. */
static void test_a_last_word_too_long_ago(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t slot = member_find(s, 3);

    (void)state;
    claim(s, now, 0, 354, SWIM_SUSPECT);
    assert_int_equal(member_last_word(member_at(s, slot)), 100);
    claim(s, now, 0, 355, SWIM_SUSPECT);
    assert_int_equal(member_last_word(member_at(s, slot)), 0);
    claim(s, now, 0, 360, SWIM_SUSPECT); /* and stays unknown */
    assert_int_equal(member_last_word(member_at(s, slot)), 0);
    drain_events(s);
    claim(s, now, 1, 1, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RECOVERED, SWIM_SUSPECT);
    claim(s, now, 1, 300, SWIM_SUSPECT);
    drain_events(s);
    claim(s, now, 2, 0, SWIM_ALIVE); /* who refutes says 1 at least */
    expect(s, SWIM_EVENT_RESTARTED, SWIM_SUSPECT);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_clock_that_went_back),
        cmocka_unit_test(test_a_refutation_is_none),
        cmocka_unit_test(test_a_run_within_one_tick),
        cmocka_unit_test(test_no_estimate_takes_part),
        cmocka_unit_test(test_an_accusers_estimate_is_no_word),
        cmocka_unit_test(test_the_last_word_outlives_a_suspicion),
        cmocka_unit_test(test_from_a_tombstone),
        cmocka_unit_test(test_a_chain_reads_as_one),
        cmocka_unit_test(test_back_and_suspect_reads_as_two),
        cmocka_unit_test(test_back_and_dead_reads_as_dead),
        cmocka_unit_test(test_the_forgotten_and_the_unknown_join),
        cmocka_unit_test(test_a_last_word_too_long_ago),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
