/*
 * Pings that the host asks for (src/core/ping.h): what is sent, what ends them, and that they change
 * nothing else. docs/protocol.md section 5, "Pings".
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"

static struct swim *begin(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);

    config.probe_timeout_ms = 500;
    return member_among(&config, last, ret_now);
}

static uint32_t pinged(struct swim *s, swim_time now, uint64_t id)
{
    struct sent sent;

    assert_int_equal(swim_ping(s, now, id), SWIM_ORDER_DONE);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_int_equal(addr4_number(&sent.to), id);
    assert_true(sent.dg.has_probe);
    assert_false(next_sent(s, now, &sent));
    return sent.dg.probe_sequence;
}

static void ack(struct swim *s, swim_time now, uint32_t number, uint32_t sequence)
{
    struct message answer = {
        .kind = WIRE_ACK, .from = number, .heartbeat = 2000, .has_probe = true, .probe = sequence};

    assert_int_equal(hear(s, now, &answer), SWIM_OK);
}

static void expect_pong(struct swim *s, uint64_t id, swim_time at, swim_time rtt)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_PONG);
    assert_int_equal(event.member.id, id);
    assert_true(event.at == at);
    assert_true(event.rtt_ns == rtt);
}

static void expect_none(struct swim *s)
{
    struct swim_event event;

    assert_false(swim_next_event(s, &event));
}

static swim_time rtt_of(const struct swim *s, uint64_t id)
{
    struct swim_member member;

    assert_true(swim_member_find(s, id, &member));
    return member.rtt_ns;
}

static void test_answered(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t sequence = pinged(s, now, 3);
    struct swim_stats before = stats_of(s);

    (void)state;
    expect_none(s);
    assert_true(rtt_of(s, 3) == 0);
    now += 1234567;
    ack(s, now, 3, sequence);
    expect_pong(s, 3, now, 1234567);
    expect_none(s);
    assert_true(rtt_of(s, 3) == 1234000); /* whole microseconds */
    assert_true(rtt_of(s, 2) == 0);
    assert_int_equal(stats_of(s).rtt_count, before.rtt_count); /* no probe of the protocol */
    assert_true(swim_deadline(s) > now + 1000 * SWIM_MS);
    ack(s, now, 3, sequence); /* again: nothing waits for it */
    expect_none(s);
    member_end(s);
}

static void test_not_answered(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t health = stats_of(s).local_health;

    (void)state;
    pinged(s, now, 3);
    swim_advance(s, now + 500 * SWIM_MS - 1);
    expect_none(s);
    assert_true(swim_deadline(s) == now + 500 * SWIM_MS);
    now += 500 * SWIM_MS;
    swim_advance(s, now);
    expect_pong(s, 3, now, 0);
    /* No evidence of anything. */
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(stats_of(s).local_health, health);
    assert_int_equal(stats_of(s).ping_reqs_sent, 0);
    assert_int_equal(stats_of(s).probe_failures, 0);
    assert_int_equal(drain(s, now), 0);
    assert_true(rtt_of(s, 3) == 0);
    expect_none(s);
    member_end(s);
}

static void test_only_its_own_answer_counts(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t sequence = pinged(s, now, 3);
    struct message relayed = {.kind = WIRE_ACK,
                              .from = 3,
                              .heartbeat = 2000,
                              .has_probe = true,
                              .probe = sequence,
                              .has_on_behalf = true,
                              .on_behalf = 3};
    struct message unnumbered = {.kind = WIRE_ACK, .from = 3, .heartbeat = 2000};

    (void)state;
    ack(s, now, 3, sequence + 1); /* another number */
    ack(s, now, 4, sequence);     /* another member */
    assert_int_equal(hear(s, now, &relayed), SWIM_OK);
    assert_int_equal(hear(s, now, &unnumbered), SWIM_OK);
    expect_none(s);
    ack(s, now + 1, 3, sequence);
    expect_pong(s, 3, now + 1, 1);
    assert_true(rtt_of(s, 3) == 1000); /* under a microsecond is not none */
    member_end(s);
}

static void test_at_once_is_not_never(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);

    (void)state;
    ack(s, now, 3, pinged(s, now, 3));
    expect_pong(s, 3, now, 1);
    member_end(s);
}

static void test_a_plain_peer_answers_with_its_next_ack(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct message word = {.kind = WIRE_GOSSIP, .from = 2, .plain = true};
    struct message answer = {.kind = WIRE_ACK, .from = 2, .plain = true, .heartbeat = 2};
    swim_time now = START;
    struct sent sent;
    struct swim *s;

    (void)state;
    config.probe_timeout_ms = 500;
    s = member_begin(&config, now);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    drain(s, now);
    drain_events(s);
    assert_int_equal(swim_ping(s, now, 2), SWIM_ORDER_DONE);
    now += SWIM_MS;
    assert_int_equal(swim_ping(s, now, 2), SWIM_ORDER_DONE);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(next_sent_of(s, now, WIRE_PING, &sent));
        assert_false(sent.dg.has_probe);
        assert_int_equal(sent.dg.header.flags, 0); /* no extension */
    }
    now += SWIM_MS;
    assert_int_equal(hear(s, now, &answer), SWIM_OK);
    expect_pong(s, 2, now, 2 * SWIM_MS); /* the older one */
    expect_none(s);
    assert_int_equal(hear(s, now, &answer), SWIM_OK);
    expect_pong(s, 2, now, SWIM_MS);
    expect_none(s);
    member_end(s);
}

/* A dead one may be pinged: that is when an operator asks. Its answer is heard like any other. */
static void test_the_dead_can_be_pinged(void **state)
{
    struct wire_entry death = entry_of(3);
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t sequence;

    (void)state;
    death.status = SWIM_DEAD;
    hear_entry(s, now, 2, death);
    drain(s, now);
    drain_events(s);
    sequence = pinged(s, now, 3);
    ack(s, now + SWIM_MS, 3, sequence);
    expect_pong(s, 3, now + SWIM_MS, SWIM_MS);
    assert_int_equal(status_of(s, 3), SWIM_DEAD); /* until it refutes */
    member_end(s);
}

static void test_who_is_forgotten_meanwhile_is_still_named(void **state)
{
    struct wire_entry death = entry_of(3);
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(4, &now);

    (void)state;
    death.status = SWIM_DEAD;
    hear_entry(s, now, 2, death);
    swim_advance(s, now + 15000 * SWIM_MS - 100);
    now += 15000 * SWIM_MS - 100;
    drain(s, now);
    drain_events(s);
    pinged(s, now, 3);
    swim_advance(s, now + 500 * SWIM_MS);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_PONG);
    assert_int_equal(event.member.id, 3);
    assert_int_equal(addr4_number(&event.member.addr), 3);
    assert_int_equal(event.member.status, SWIM_DEAD);
    assert_int_equal(swim_ping(s, now + 500 * SWIM_MS, 3), SWIM_ORDER_UNKNOWN);
    member_end(s);
}

static void test_bounded_until_the_host_has_heard(void **state)
{
    swim_time now;
    struct swim *s = begin(30, &now);
    uint64_t first = 2;

    (void)state;
    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++)
        pinged(s, now, first + i);
    assert_int_equal(swim_ping(s, now, 25), SWIM_ORDER_BUSY);
    assert_int_equal(drain(s, now), 0);
    now += 500 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(swim_ping(s, now, 25), SWIM_ORDER_BUSY); /* nobody has asked how it went */
    for (unsigned i = 0; i < SWIM_PINGS_MAX; i++)
        expect_pong(s, first + i, now, 0);
    expect_none(s);
    pinged(s, now, 25);
    member_end(s);
}

static void test_told_in_the_order_of_their_ends(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t two = pinged(s, now, 2);
    uint32_t three = pinged(s, now, 3);

    (void)state;
    assert_int_not_equal(two, three);
    ack(s, now + 1 * SWIM_MS, 3, three);
    ack(s, now + 2 * SWIM_MS, 2, two);
    expect_pong(s, 3, now + 1 * SWIM_MS, 1 * SWIM_MS);
    expect_pong(s, 2, now + 2 * SWIM_MS, 2 * SWIM_MS);
    member_end(s);
}

static void test_refusals(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);

    (void)state;
    assert_int_equal(swim_ping(s, now, 1), SWIM_ORDER_SELF);
    assert_int_equal(swim_ping(s, now, 99), SWIM_ORDER_UNKNOWN);
    assert_int_equal(swim_ping(s, now, 0), SWIM_ORDER_UNKNOWN);
    assert_int_equal(drain(s, now), 0);
    swim_leave(s, now);
    assert_int_equal(swim_ping(s, now, 2), SWIM_ORDER_LEAVING);
    drain_events(s);
    expect_none(s);
    member_end(s);
}

/* A leave throws away what waits to be sent; who asked is told all the same. */
static void test_a_leave_does_not_swallow_the_end(void **state)
{
    struct swim_event event;
    uint32_t pongs = 0;
    swim_time now;
    struct swim *s = begin(4, &now);

    (void)state;
    pinged(s, now, 2);
    swim_leave(s, now);
    now += 500 * SWIM_MS;
    swim_advance(s, now);
    while (swim_next_event(s, &event))
        pongs += event.kind == SWIM_EVENT_PONG;
    assert_int_equal(pongs, 1);
    member_end(s);
}

/* ---- Round trips of the protocol's own probes ---- */

static void test_a_probe_measures_too(void **state)
{
    struct swim_config config = config_of(1);
    struct message moved = {.kind = WIRE_GOSSIP, .from = 2, .at = addr4(22), .heartbeat = 99};
    swim_time now = START;
    struct sent sent;
    struct swim *s = member_begin(&config, now);

    (void)state;
    hear_members(s, now, 2, 2);
    while (!next_sent_of(s, now, WIRE_PING, &sent) || !sent.dg.has_probe) {
        now = swim_deadline(s);
        swim_advance(s, now);
    }
    now += 7 * SWIM_MS;
    ack(s, now, 2, sent.dg.probe_sequence);
    assert_true(rtt_of(s, 2) == 7 * SWIM_MS);
    /* Measured to another address: it says nothing of this one. */
    moved.heartbeat = 3000;
    assert_int_equal(hear(s, now, &moved), SWIM_OK);
    assert_true(rtt_of(s, 2) == 0);
    member_end(s);
}

static void test_the_longest_round_trip(void **state)
{
    swim_time now;
    struct swim *s = begin(4, &now);
    uint32_t slot = member_find(s, 3);

    (void)state;
    member_set_rtt(s, slot, 16777215 * (SWIM_MS / 1000));
    assert_true(rtt_of(s, 3) == 16777215 * (SWIM_MS / 1000));
    member_set_rtt(s, slot, 16777216 * (SWIM_MS / 1000));
    assert_true(rtt_of(s, 3) == 16777215 * (SWIM_MS / 1000));
    member_end(s);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(swim_order_name(SWIM_ORDER_DONE), "done");
    assert_string_equal(swim_order_name(SWIM_ORDER_LEAVING), "leaving");
    assert_string_equal(swim_order_name((enum swim_order)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answered),
        cmocka_unit_test(test_not_answered),
        cmocka_unit_test(test_only_its_own_answer_counts),
        cmocka_unit_test(test_at_once_is_not_never),
        cmocka_unit_test(test_a_plain_peer_answers_with_its_next_ack),
        cmocka_unit_test(test_the_dead_can_be_pinged),
        cmocka_unit_test(test_who_is_forgotten_meanwhile_is_still_named),
        cmocka_unit_test(test_bounded_until_the_host_has_heard),
        cmocka_unit_test(test_told_in_the_order_of_their_ends),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_leave_does_not_swallow_the_end),
        cmocka_unit_test(test_a_probe_measures_too),
        cmocka_unit_test(test_the_longest_round_trip),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
