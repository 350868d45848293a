/*
 * This member about itself (src/core/self.h): whatever is said of it, it is alive, and above it.
 * docs/protocol.md section 4.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"

/* Number 1 in incarnation `incarnation`, which knows number 2. */
static struct swim *begin(uint32_t incarnation, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    config.incarnation = incarnation;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 2);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

static struct swim_member self(const struct swim *s)
{
    struct swim_member m = {0};

    assert_true(swim_member_at(s, 0, &m));
    assert_true(m.is_self);
    return m;
}

static void hear_of_self(struct swim *s, swim_time now, uint32_t incarnation, uint32_t heartbeat,
                         enum swim_status status)
{
    struct wire_entry entry = entry_of(1);

    entry.incarnation = incarnation;
    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
    assert_null(swim_check(s));
}

/* What the accuser is told at once. */
static bool answered(struct swim *s, swim_time now, struct wire_entry *ret)
{
    struct swim_addr accuser = addr4(2);
    struct sent sent;

    while (next_sent(s, now, &sent)) {
        if (addr_equal(&sent.to, &accuser) && sent_entry(&sent, self(s).id, ret))
            return true;
    }
    return false;
}

static void assert_refuted(enum swim_status status)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry told;
    struct swim_event event;
    uint32_t heartbeat_before = self(s).heartbeat;

    hear_of_self(s, now, 3, 0, status);
    assert_int_equal(self(s).incarnation, 4);
    assert_int_equal(self(s).heartbeat, heartbeat_before + 1); /* what no new run would say */
    assert_int_equal(self(s).status, SWIM_ALIVE);
    assert_int_equal(stats_of(s).refutations, 1);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_REFUTED);
    assert_int_equal(event.member.incarnation, 4);
    assert_true(answered(s, now, &told));
    assert_int_equal(told.incarnation, 4);
    assert_int_equal(told.heartbeat, heartbeat_before + 1);
    assert_int_equal(told.status, SWIM_ALIVE);
    assert_int_equal(stats_of(s).news_queued, 1); /* and everybody else */
    /* The same doubt again is answered, not refuted a second time. */
    hear_of_self(s, now, 3, 0, status);
    assert_int_equal(self(s).incarnation, 4);
    member_end(s);
}

static void test_doubts_are_refuted(void **state)
{
    (void)state;
    assert_refuted(SWIM_SUSPECT);
    assert_refuted(SWIM_DEAD);
    assert_refuted(SWIM_LEFT);
}

static void test_a_doubt_with_any_heartbeat_is_refuted(void **state)
{
    swim_time now;
    struct swim *s = begin(0, &now);

    (void)state;
    hear_of_self(s, now, 0, UINT32_MAX, SWIM_SUSPECT);
    assert_int_equal(self(s).incarnation, 1);
    hear_of_self(s, now, 1, 0, SWIM_DEAD);
    assert_int_equal(self(s).incarnation, 2);
    member_end(s);
}

static void test_an_older_doubt_is_corrected(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry told;

    (void)state;
    hear_of_self(s, now, 2, 99, SWIM_DEAD);
    assert_int_equal(self(s).incarnation, 3);
    assert_int_equal(stats_of(s).refutations, 0);
    assert_true(answered(s, now, &told));
    assert_int_equal(told.incarnation, 3);
    assert_int_equal(drain_events(s), 0);
    member_end(s);
}

/* Alive at a higher incarnation: we were here before, and have forgotten. */
static void test_a_higher_incarnation_is_overtaken(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);

    (void)state;
    hear_of_self(s, now, 7, 0, SWIM_ALIVE);
    assert_int_equal(self(s).incarnation, 8);
    assert_int_equal(stats_of(s).refutations, 1);
    member_end(s);
}

/* Alive at our incarnation, with a heartbeat that we have not reached: the same. */
static void test_a_later_heartbeat_is_overtaken(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    uint32_t heartbeat = self(s).heartbeat;

    (void)state;
    hear_of_self(s, now, 3, heartbeat, SWIM_ALIVE);
    assert_int_equal(self(s).incarnation, 3);
    hear_of_self(s, now, 3, heartbeat + 1, SWIM_ALIVE);
    assert_int_equal(self(s).incarnation, 4);
    member_end(s);
}

static void test_what_agrees_changes_nothing(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);

    (void)state;
    hear_of_self(s, now, 3, 0, SWIM_ALIVE);
    assert_int_equal(self(s).incarnation, 3);
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(drain_events(s), 0);
    member_end(s);
}

static void test_one_forged_incarnation_costs_one_answer(void **state)
{
    swim_time now;
    struct swim *s = begin(0, &now);
    struct wire_entry told;

    (void)state;
    hear_of_self(s, now, 1000000, 0, SWIM_DEAD);
    assert_int_equal(self(s).incarnation, 1000001);
    assert_true(answered(s, now, &told));
    assert_int_equal(told.incarnation, 1000001);
    member_end(s);
}

static void test_refutation_is_never_held_back(void **state)
{
    swim_time now;
    struct swim *s = begin(0, &now);
    struct wire_entry told;

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        hear_of_self(s, now, i, 0, SWIM_SUSPECT);
        assert_true(answered(s, now, &told));
        assert_int_equal(told.incarnation, i + 1);
    }
    member_end(s);
}

static void test_the_last_incarnation_is_followed_by_a_new_id(void **state)
{
    swim_time now;
    struct swim *s = begin(0, &now);
    struct swim_event event;
    uint32_t changes = 0;
    uint64_t id;

    (void)state;
    hear_of_self(s, now, UINT32_MAX - 1, 0, SWIM_SUSPECT);
    assert_int_equal(self(s).incarnation, UINT32_MAX);
    assert_int_equal(self(s).id, 1);
    hear_of_self(s, now, UINT32_MAX, 0, SWIM_SUSPECT);
    id = self(s).id;
    assert_true(id != 1 && id != 0);
    assert_int_equal(self(s).incarnation, 0);
    assert_int_equal(self(s).status, SWIM_ALIVE);
    assert_int_equal(status_of(s, 1), -1);
    assert_int_equal(status_of(s, id), SWIM_ALIVE);
    while (swim_next_event(s, &event)) {
        if (event.kind != SWIM_EVENT_ID_CHANGED)
            continue;
        changes++;
        assert_true(event.member.id == id);
        assert_true(event.member.is_self);
    }
    assert_int_equal(changes, 1);
    /* The old id is a stranger now, and at our address: not stored. */
    hear_of_self(s, now, UINT32_MAX, 5, SWIM_ALIVE);
    assert_int_equal(status_of(s, 1), -1);
    member_end(s);
}

/* At its peers, the new id takes the old one's place. */
static void test_peers_follow_to_the_new_id(void **state)
{
    struct net net;
    struct swim_config configs[3];
    struct wire_entry forged = entry_of(1);
    uint64_t id;

    (void)state;
    net_begin(&net, START);
    for (uint32_t i = 0; i < 3; i++) {
        struct swim_addr first = addr4(1);

        configs[i] = config_of(i + 1);
        net_add(&net, &configs[i]);
        assert_true(swim_join(net.members[i], net.now, &first));
    }
    net_run(&net, START + 5000 * SWIM_MS);
    assert_int_equal(swim_member_count(net.members[2], SWIM_ALIVE), 3);
    forged.incarnation = UINT32_MAX;
    forged.status = SWIM_DEAD;
    hear_entry(net.members[0], net.now, 2, forged);
    id = self(net.members[0]).id;
    assert_true(id != 1);
    net_run(&net, net.now + 5000 * SWIM_MS);
    for (uint32_t i = 1; i < 3; i++) {
        assert_int_equal(status_of(net.members[i], id), SWIM_ALIVE);
        assert_true(status_of(net.members[i], 1) != SWIM_ALIVE);
        assert_int_equal(swim_member_count(net.members[i], SWIM_ALIVE), 3);
    }
    net_end(&net);
}

static void test_the_heartbeat_is_a_clock(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    assert_int_equal(self(s).heartbeat, 0);
    swim_advance(s, START + 499 * SWIM_MS);
    assert_int_equal(self(s).heartbeat, 0);
    swim_advance(s, START + 500 * SWIM_MS);
    assert_int_equal(self(s).heartbeat, 1);
    swim_advance(s, START + 500000 * SWIM_MS);
    assert_int_equal(self(s).heartbeat, 1000);
    member_end(s);
}

/* A heartbeat that would overflow raises the incarnation and starts again. */
static void test_the_heartbeat_does_not_wrap(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time full = UINT64_C(10) * UINT32_MAX * SWIM_MS; /* 497 days of 10 ms */
    struct swim *s;

    (void)state;
    config.heartbeat_interval_ms = 10;
    config.incarnation = 5;
    s = member_begin(&config, START);
    swim_advance(s, START + full - 1);
    assert_int_equal(self(s).heartbeat, UINT32_MAX - 1);
    assert_int_equal(self(s).incarnation, 5);
    swim_advance(s, START + full);
    assert_int_equal(self(s).heartbeat, 0);
    assert_int_equal(self(s).incarnation, 6);
    swim_advance(s, START + full + 10 * SWIM_MS);
    assert_int_equal(self(s).heartbeat, 1);
    /* However far time jumps. */
    swim_advance(s, START + 20 * full);
    assert_true(self(s).incarnation > 6);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_both_counters_used_up(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    (void)state;
    config.heartbeat_interval_ms = 10;
    config.incarnation = UINT32_MAX;
    s = member_begin(&config, START);
    swim_advance(s, START + UINT64_C(11) * UINT32_MAX * SWIM_MS);
    assert_true(self(s).id != 1);
    assert_int_equal(self(s).incarnation, 0);
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), 1);
    member_end(s);
}

static void test_once_it_leaves_it_is_not_called_back(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry doubt = entry_of(1);
    struct message ack = {.kind = WIRE_ACK, .from = 2, .entries = &doubt, .entry_count = 1};

    (void)state;
    swim_leave(s, now);
    doubt.incarnation = 3;
    doubt.status = SWIM_DEAD;
    assert_int_equal(hear(s, now, &ack), SWIM_OK);
    assert_int_equal(self(s).incarnation, 3);
    assert_int_equal(self(s).status, SWIM_LEFT);
    assert_int_equal(stats_of(s).refutations, 0);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubts_are_refuted),
        cmocka_unit_test(test_a_doubt_with_any_heartbeat_is_refuted),
        cmocka_unit_test(test_an_older_doubt_is_corrected),
        cmocka_unit_test(test_a_higher_incarnation_is_overtaken),
        cmocka_unit_test(test_a_later_heartbeat_is_overtaken),
        cmocka_unit_test(test_what_agrees_changes_nothing),
        cmocka_unit_test(test_one_forged_incarnation_costs_one_answer),
        cmocka_unit_test(test_refutation_is_never_held_back),
        cmocka_unit_test(test_the_last_incarnation_is_followed_by_a_new_id),
        cmocka_unit_test(test_peers_follow_to_the_new_id),
        cmocka_unit_test(test_the_heartbeat_is_a_clock),
        cmocka_unit_test(test_the_heartbeat_does_not_wrap),
        cmocka_unit_test(test_both_counters_used_up),
        cmocka_unit_test(test_once_it_leaves_it_is_not_called_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
