/*
 * Reliable delivery, and the leave that is made of it (src/core/reliable.h), from both sides.
 * docs/protocol.md section 9.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"

static struct swim *with_members(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = config_of(1);
    struct swim *s;

    config.probe_interval_ms = 3600000;
    s = member_begin(&config, START);
    if (last > 1)
        hear_members(s, START, 2, last);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

/* All LEAVEs sent now, by number; nothing else may be sent. */
static uint32_t take_leaves(struct swim *s, swim_time now, uint32_t *ret_times)
{
    struct sent sent;
    uint32_t count = 0;

    while (next_sent(s, now, &sent)) {
        assert_int_equal(sent.dg.header.kind, WIRE_LEAVE);
        assert_true(sent.dg.header.flags & WIRE_FLAG_REQUEST_ACK);
        assert_false(sent.dg.header.flags & WIRE_FLAG_EXTENDED);
        ret_times[sent.to.ip[3]]++;
        count++;
    }
    return count;
}

static void ack(struct swim *s, swim_time now, uint32_t number)
{
    struct message message = {.kind = WIRE_ACK, .from = number};

    assert_int_equal(hear(s, now, &message), SWIM_OK);
}

/* 2k + ceil(log2 n) members are told, or all when there are fewer. */
static void test_how_many_are_told(void **state)
{
    static const struct {
        uint32_t n, told;
    } cases[] = {{1, 0}, {2, 1}, {3, 2}, {5, 4}, {8, 7}, {9, 8}, {50, 10}, {200, 12}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        uint32_t times[256] = {0};
        swim_time now;
        struct swim *s = with_members(cases[i].n, &now);

        swim_leave(s, now);
        assert_int_equal(take_leaves(s, now, times), cases[i].told);
        for (uint32_t number = 2; number < 256; number++)
            assert_true(times[number] <= 1);
        assert_int_equal(swim_has_left(s), cases[i].n == 1);
        assert_null(swim_check(s));
        member_end(s);
    }
}

static void test_acknowledged_by_all_it_has_left(void **state)
{
    uint32_t times[256] = {0};
    struct swim_event event;
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    swim_leave(s, now);
    assert_int_equal(take_leaves(s, now, times), 3);
    for (uint32_t number = 2; number <= 4; number++) {
        assert_false(swim_has_left(s));
        ack(s, now, number);
        ack(s, now, number); /* twice is once */
    }
    assert_true(swim_has_left(s));
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_LEAVE_DONE);
    assert_false(swim_next_event(s, &event));
    assert_int_equal(stats_of(s).reliable_retries, 0);
    assert_int_equal(stats_of(s).reliable_exhausted, 0);
    assert_true(swim_deadline(s) == SWIM_NEVER);
    member_end(s);
}

static void test_retried_and_given_up(void **state)
{
    uint32_t times[256] = {0};
    swim_time now;
    struct swim *s = with_members(4, &now);
    swim_time began = now;

    (void)state;
    swim_leave(s, now);
    for (uint32_t round = 1; round <= 4; round++) {
        assert_int_equal(take_leaves(s, now, times), 3);
        assert_true(swim_deadline(s) == began + round * 500 * SWIM_MS);
        swim_advance(s, swim_deadline(s) - 1);
        assert_int_equal(take_leaves(s, swim_deadline(s) - 1, times), 0);
        assert_false(swim_has_left(s));
        now = swim_deadline(s);
        swim_advance(s, now);
    }
    assert_true(swim_has_left(s));
    assert_true(now == began + 2000 * SWIM_MS); /* timeout * (retries + 1) */
    assert_int_equal(drain(s, now), 0);
    for (uint32_t number = 2; number <= 4; number++)
        assert_int_equal(times[number], 4);
    assert_int_equal(stats_of(s).reliable_retries, 9);
    assert_int_equal(stats_of(s).reliable_exhausted, 3);
    member_end(s);
}

static void test_only_the_silent_are_retried(void **state)
{
    uint32_t times[256] = {0};
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    swim_leave(s, now);
    take_leaves(s, now, times);
    ack(s, now, 3);
    ack(s, now, 99); /* nobody asked */
    now += 500 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(take_leaves(s, now, times), 2);
    assert_int_equal(times[3], 1);
    ack(s, now, 2);
    ack(s, now, 4);
    assert_true(swim_has_left(s));
    member_end(s);
}

static void test_no_retries_at_all(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    (void)state;
    config.reliable_max_retries = 0;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 3);
    swim_leave(s, START);
    drain(s, START);
    swim_advance(s, START + 500 * SWIM_MS);
    assert_true(swim_has_left(s));
    assert_int_equal(stats_of(s).reliable_exhausted, 2);
    member_end(s);
}

/* The ACK of a probe acknowledges the probe. */
static void test_a_probes_ack_is_another_matter(void **state)
{
    struct message probed = {.kind = WIRE_ACK, .from = 2, .has_probe = true, .probe = 1};
    swim_time now;
    struct swim *s = with_members(2, &now);

    (void)state;
    swim_leave(s, now);
    assert_int_equal(hear(s, now, &probed), SWIM_OK);
    assert_false(swim_has_left(s));
    ack(s, now, 2);
    assert_true(swim_has_left(s));
    member_end(s);
}

static void test_after_leaving_only_acks_are_heard(void **state)
{
    static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING, WIRE_LEAVE, WIRE_ANTI_ENTROPY,
                                    WIRE_PING_REQ};
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct swim_addr seed = addr4(44);
    uint64_t digest;

    (void)state;
    swim_leave(s, now);
    drain(s, now);
    digest = swim_view_digest(s);
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        struct wire_entry entry = entry_of(9);
        struct message message = {.kind = kinds[i],
                                  .from = 2,
                                  .heartbeat = 99,
                                  .chunks = 1,
                                  .request_ack = true,
                                  .target = 3,
                                  .target_addr = addr4(3)};

        if (kinds[i] != WIRE_LEAVE && kinds[i] != WIRE_PING_REQ) {
            message.entries = &entry;
            message.entry_count = 1;
        }
        assert_int_equal(hear(s, now, &message), SWIM_DROP_LEFT);
    }
    assert_int_equal(stats_of(s).drop_left, COUNT_OF(kinds));
    assert_true(swim_join(s, now, &seed)); /* too late to join anything */
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(status_of(s, 9), -1);
    assert_true(swim_view_digest(s) == digest);
    assert_int_equal(status_of(s, 1), SWIM_LEFT);
    for (uint32_t i = 0; i < 100; i++) { /* and nothing is sent but LEAVEs */
        uint32_t times[256] = {0};

        now += 100 * SWIM_MS;
        swim_advance(s, now);
        take_leaves(s, now, times);
    }
    assert_true(swim_has_left(s));
    member_end(s);
}

static void test_leaving_twice_is_leaving_once(void **state)
{
    uint32_t times[256] = {0};
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    swim_leave(s, now);
    swim_leave(s, now);
    assert_int_equal(take_leaves(s, now, times), 3);
    swim_leave(s, now + SWIM_MS);
    assert_int_equal(take_leaves(s, now + SWIM_MS, times), 0);
    member_end(s);
}

/* ---- Hearing that somebody leaves ---- */

static struct message leave_of(uint32_t number, uint32_t incarnation, uint32_t heartbeat)
{
    return (struct message){.kind = WIRE_LEAVE,
                            .from = number,
                            .incarnation = incarnation,
                            .heartbeat = heartbeat,
                            .request_ack = true};
}

static void test_a_leave_is_acknowledged_and_believed(void **state)
{
    struct message leave = leave_of(3, 0, 5);
    struct swim_event event;
    struct sent sent;
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    assert_int_equal(swim_member_count(s, SWIM_DEAD), 0);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_LEFT);
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_int_equal(sent.to.ip[3], 3);
    assert_int_equal(stats_of(s).news_queued, 1);
    assert_int_equal(stats_of(s).failures, 0);
    /* Sent again, because our ACK was lost: acknowledged again, and no second event. */
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_false(swim_next_event(s, &event));
    member_end(s);
}

static void test_without_request_there_is_no_ack(void **state)
{
    struct message leave = leave_of(3, 0, 5);
    struct sent sent;
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    leave.request_ack = false;
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    assert_false(next_sent_of(s, now, WIRE_ACK, &sent));
    member_end(s);
}

static void test_a_stale_leave_is_not_believed(void **state)
{
    struct message word = {.kind = WIRE_GOSSIP, .from = 3, .incarnation = 1, .heartbeat = 10};
    struct message older = leave_of(3, 1, 9);
    struct message earlier = leave_of(3, 0, 99);
    struct message same = leave_of(3, 1, 10);
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(hear(s, now, &older), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(hear(s, now, &earlier), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(hear(s, now, &same), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    member_end(s);
}

/* A suspect's heartbeat is its accuser's estimate: its own LEAVE may lie below it. */
static void test_a_suspect_may_leave(void **state)
{
    struct wire_entry doubt = entry_of(3);
    struct message leave = leave_of(3, 0, 10);
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    doubt.status = SWIM_SUSPECT;
    doubt.heartbeat = 12;
    hear_entry(s, now, 2, doubt);
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_a_strangers_leave_is_acknowledged_but_not_learnt(void **state)
{
    struct message leave = leave_of(77, 0, 10);
    struct sent sent;
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_int_equal(sent.to.ip[3], 77);
    assert_int_equal(status_of(s, 77), -1);
    assert_int_equal(stats_of(s).slots_used, 4);
    assert_int_equal(drain_events(s), 0);
    member_end(s);
}

static void test_a_restart_takes_the_leave_back(void **state)
{
    struct message leave = leave_of(3, 0, 10);
    struct message same_life = {.kind = WIRE_PING, .from = 3, .incarnation = 0, .heartbeat = 11};
    struct message next_life = {.kind = WIRE_PING, .from = 3, .incarnation = 1};
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    assert_int_equal(hear(s, now, &same_life), SWIM_OK); /* terminal at one incarnation */
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    assert_int_equal(hear(s, now, &next_life), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

/* Plain peers know no fourth status: they are told that it is dead. */
static void test_plain_peers_hear_of_a_death(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);
    struct message plain = {.kind = WIRE_GOSSIP, .from = 2, .plain = true};
    struct message leave = leave_of(4, 0, 5);
    uint32_t told_plain = 0;
    uint32_t told_capable = 0;
    swim_time now;

    (void)state;
    assert_int_equal(hear(s, START, &plain), SWIM_OK);
    hear_members(s, START, 3, 4);
    now = settle(s, START, START + 60000 * SWIM_MS);
    assert_int_equal(hear(s, now, &leave), SWIM_OK);
    while (stats_of(s).news_queued > 0) {
        struct wire_entry entry;
        struct sent sent;

        while (next_sent(s, now, &sent)) {
            if (!sent_entry(&sent, 4, &entry))
                continue;
            told_plain += sent.to.ip[3] == 2;
            told_capable += sent.to.ip[3] == 3;
            if (sent.to.ip[3] == 2) {
                assert_int_equal(entry.status, SWIM_DEAD);
                assert_false(sent.dg.header.flags & WIRE_FLAG_EXTENDED);
            } else if (sent.to.ip[3] == 3) {
                assert_int_equal(entry.status, SWIM_LEFT);
            }
        }
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
    assert_true(told_plain > 0 && told_capable > 0);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_many_are_told),
        cmocka_unit_test(test_acknowledged_by_all_it_has_left),
        cmocka_unit_test(test_retried_and_given_up),
        cmocka_unit_test(test_only_the_silent_are_retried),
        cmocka_unit_test(test_no_retries_at_all),
        cmocka_unit_test(test_a_probes_ack_is_another_matter),
        cmocka_unit_test(test_after_leaving_only_acks_are_heard),
        cmocka_unit_test(test_leaving_twice_is_leaving_once),
        cmocka_unit_test(test_a_leave_is_acknowledged_and_believed),
        cmocka_unit_test(test_without_request_there_is_no_ack),
        cmocka_unit_test(test_a_stale_leave_is_not_believed),
        cmocka_unit_test(test_a_suspect_may_leave),
        cmocka_unit_test(test_a_strangers_leave_is_acknowledged_but_not_learnt),
        cmocka_unit_test(test_a_restart_takes_the_leave_back),
        cmocka_unit_test(test_plain_peers_hear_of_a_death),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
