/*
 * Time (src/core/clock.h): timers, deadlines, and pauses of our own that are not held against
 * the peers. docs/protocol.md section 5.
 */
#include "support.h"

#include "harness.h"

#include "core/clock.h"
#include "core/member.h"

#define ROUND (1000 * SWIM_MS)

/* Number 1 and a probe of number 2 under way, since *ret_now. */
static struct swim *probing(swim_time *ret_now)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    struct sent sent;
    swim_time now = START;

    hear_members(s, START, 2, 5);
    drain(s, now);
    while (!next_sent_of(s, now, WIRE_PING, &sent) || s->probe.phase != PROBE_DIRECT) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
    drain_events(s);
    *ret_now = now;
    return s;
}

static void doubt(struct swim *s, swim_time now, uint32_t number)
{
    struct wire_entry entry = entry_of(number);

    entry.status = SWIM_SUSPECT;
    entry.heartbeat = 1000;
    hear_entry(s, now, 2, entry);
}

static bool next_pause(struct swim *s, swim_time *ret_length)
{
    struct swim_event event;

    while (swim_next_event(s, &event)) {
        if (event.kind == SWIM_EVENT_PAUSED) {
            *ret_length = event.paused_for;
            return true;
        }
    }
    return false;
}

/* One round late is lateness; more is a pause. */
static void test_lateness_and_pauses(void **state)
{
    swim_time now, length;
    struct swim *s = probing(&now);
    swim_time due = swim_deadline(s);

    (void)state;
    assert_true(due <= now + 500 * SWIM_MS);
    swim_advance(s, due + ROUND);
    assert_false(next_pause(s, &length));
    assert_int_equal(stats_of(s).pauses, 0);
    drain(s, due + ROUND);
    due = swim_deadline(s);
    swim_advance(s, due + ROUND + 1);
    assert_true(next_pause(s, &length));
    assert_true(length == ROUND + 1);
    assert_int_equal(stats_of(s).pauses, 1);
    member_end(s);
}

/* After a pause nobody is suspected for what we did not hear meanwhile, nobody dies, and nothing
 * fires at once. */
static void test_nobody_suffers_from_our_pause(void **state)
{
    static const swim_time gaps[] = {2000 * SWIM_MS, 20000 * SWIM_MS, 86400000 * SWIM_MS};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(gaps); i++) {
        swim_time now, length;
        struct swim *s = probing(&now);

        doubt(s, now, 5);
        drain(s, now);
        now += gaps[i];
        swim_advance(s, now);
        assert_true(next_pause(s, &length));
        assert_int_equal(s->probe.phase, PROBE_IDLE);
        assert_int_equal(swim_member_count(s, SWIM_ALIVE), 4);
        assert_int_equal(status_of(s, 5), SWIM_SUSPECT);
        assert_true(swim_deadline(s) > now);
        assert_int_equal(stats_of(s).probe_direct_timeouts, 0);
        for (swim_time end = now + 999 * SWIM_MS; swim_deadline(s) <= end;) {
            now = swim_deadline(s) > now ? swim_deadline(s) : now;
            swim_advance(s, now);
            drain(s, now);
        }
        assert_int_equal(stats_of(s).suspicions_raised, 0);
        assert_int_equal(stats_of(s).failures, 0);
        assert_null(swim_check(s));
        member_end(s);
    }
}

/* A datagram that comes in first, after the pause, is no different. */
static void test_a_pause_is_noticed_by_any_call(void **state)
{
    struct message gossip = {.kind = WIRE_GOSSIP, .from = 3, .heartbeat = 60};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    swim_time now;
    struct swim *s = probing(&now);

    (void)state;
    now += 30000 * SWIM_MS;
    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
    assert_int_equal(stats_of(s).pauses, 1);
    now += 30000 * SWIM_MS;
    (void)swim_transmit(s, now, &to, buf, sizeof buf);
    assert_int_equal(stats_of(s).pauses, 2);
    swim_advance(s, now);
    assert_int_equal(stats_of(s).failures, 0);
    member_end(s);
}

static void test_pauses_add_up(void **state)
{
    swim_time now;
    struct swim *s = probing(&now);

    (void)state;
    doubt(s, now, 5);
    for (uint32_t i = 0; i < 1000; i++) {
        drain(s, now);
        now += UINT64_C(10000000) * SWIM_MS; /* a suspended machine, for hours, again and again */
        swim_advance(s, now);
        assert_int_equal(status_of(s, 5), SWIM_SUSPECT);
        assert_true(swim_deadline(s) > now && swim_deadline(s) <= now + 60000 * SWIM_MS);
    }
    assert_int_equal(stats_of(s).pauses, 1000);
    assert_null(swim_check(s));
    member_end(s);
}

/* An idle member without peers has no deadline, so time may jump as it likes. */
static void test_no_deadline_no_pause(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    swim_advance(s, START + UINT64_C(86400000) * 365 * SWIM_MS);
    assert_int_equal(stats_of(s).pauses, 0);
    member_end(s);
}

static void test_calls_too_early_change_nothing(void **state)
{
    struct swim_stats before;
    struct swim_stats after;
    swim_time now;
    struct swim *s = probing(&now);
    swim_time due;

    (void)state;
    drain(s, now);
    due = swim_deadline(s);
    before = stats_of(s);
    for (swim_time at = now; at < due; at += (due - now) / 50 + 1) {
        swim_advance(s, at);
        assert_int_equal(drain(s, at), 0);
        assert_true(swim_deadline(s) == due);
    }
    after = stats_of(s);
    assert_memory_equal(&before, &after, sizeof before);
    member_end(s);
}

static void test_the_deadline_is_the_earliest(void **state)
{
    swim_time now;
    struct swim *s = probing(&now);
    swim_time earliest = SWIM_NEVER;

    (void)state;
    doubt(s, now, 5);
    drain(s, now);
    for (unsigned i = 0; i < TIMER_COUNT; i++) {
        swim_time due = timer_to_host(s, s->timers[i]);

        earliest = due < earliest ? due : earliest;
    }
    assert_true(swim_deadline(s) == earliest);
    for (unsigned i = 0; i < TIMER_COUNT; i++)
        timer_stop(s, (enum timer)i);
    assert_true(swim_deadline(s) > earliest); /* the suspicion's */
    assert_true(swim_deadline(s) < now + 60000 * SWIM_MS);
    free(s);
}

static void test_timers(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    assert_false(timer_is_on(s, TIMER_HEAL));
    assert_false(timer_is_due(s, TIMER_HEAL));
    timer_start(s, TIMER_HEAL, 5);
    assert_true(timer_is_on(s, TIMER_HEAL));
    assert_false(timer_is_due(s, TIMER_HEAL));
    assert_true(clock_deadline(s) == START + 5);
    clock_enter(s, START + 5);
    assert_true(timer_is_due(s, TIMER_HEAL));
    timer_stop(s, TIMER_HEAL);
    assert_false(timer_is_due(s, TIMER_HEAL));
    assert_true(clock_deadline(s) == SWIM_NEVER);
    member_end(s);
}

static void go_back(void *context)
{
    swim_advance(context, START - 1);
}

static void receive_back(void *context)
{
    struct swim_addr from = addr4(2);

    (void)swim_receive(context, START - 1, &from, NULL, 0);
}

static void transmit_to_less(void *context)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;

    (void)swim_transmit(context, START, &to, buf, SWIM_DATAGRAM_MAX - 1);
}

static void test_broken_arguments_are_asserted(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    assert_true(panics(go_back, s));
    assert_true(panics(receive_back, s));
    assert_true(panics(transmit_to_less, s));
    swim_advance(s, START); /* the same instant is fine */
    member_end(s);
}

static void test_time_may_start_at_0(void **state)
{
    struct net net;
    struct swim_addr first = addr4(1);

    (void)state;
    net_begin(&net, 0);
    for (uint32_t number = 1; number <= 3; number++) {
        struct swim_config config = config_of(number);
        uint32_t place = net_add(&net, &config);

        assert_true(swim_join(net.members[place], 0, &first));
    }
    net_run(&net, 10000 * SWIM_MS);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(swim_member_count(net.members[i], SWIM_ALIVE), 3);
    net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lateness_and_pauses),
        cmocka_unit_test(test_nobody_suffers_from_our_pause),
        cmocka_unit_test(test_a_pause_is_noticed_by_any_call),
        cmocka_unit_test(test_pauses_add_up),
        cmocka_unit_test(test_no_deadline_no_pause),
        cmocka_unit_test(test_calls_too_early_change_nothing),
        cmocka_unit_test(test_the_deadline_is_the_earliest),
        cmocka_unit_test(test_timers),
        cmocka_unit_test(test_broken_arguments_are_asserted),
        cmocka_unit_test(test_time_may_start_at_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
