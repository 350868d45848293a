/* Members made to leave by an operator (src/core/reliable.c, swim_force_leave), seen and hidden. */
#include "support.h"

#include "harness.h"

#include "core/instance.h"
#include "core/member.h"

static struct swim *begin(swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);

    return member_among(&config, 5, ret_now);
}

static void become(struct swim *s, swim_time now, uint32_t number, enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
    assert_int_equal(status_of(s, number), status);
    settle(s, now, now + 100 * SWIM_MS);
    drain(s, now);
    drain_events(s);
}

static void expect(struct swim *s, enum swim_event_kind kind, uint64_t id, enum swim_status before)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, kind);
    assert_int_equal(event.member.id, id);
    assert_int_equal(event.before, before);
}

static void expect_none(struct swim *s)
{
    struct swim_event event;

    assert_false(swim_next_event(s, &event));
}

static void test_any_status_becomes_left(void **state)
{
    static const enum swim_status from[] = {SWIM_ALIVE, SWIM_SUSPECT, SWIM_DEAD};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(from); i++) {
        swim_time now;
        struct swim *s = begin(&now);

        if (from[i] != SWIM_ALIVE)
            become(s, now, 3, from[i]);
        assert_int_equal(swim_force_leave(s, now, 3, false), SWIM_ORDER_DONE);
        assert_int_equal(status_of(s, 3), SWIM_LEFT);
        assert_true(is_linked(news_links(s), member_find(s, 3)));
        expect(s, SWIM_EVENT_LEFT, 3, from[i]);
        assert_null(swim_check(s));
        /* Said again: nothing changes. */
        assert_int_equal(swim_force_leave(s, now, 3, false), SWIM_ORDER_DONE);
        expect_none(s);
        assert_int_equal(stats_of(s).failures, from[i] == SWIM_DEAD);
        member_end(s);
    }
}

/* The tombstone stands for a whole retention from then, and the address is not tried again. */
static void test_the_dead_are_buried_anew(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    become(s, now, 3, SWIM_DEAD);
    assert_int_equal(s->healing.contact_count, 1);
    now += 10000 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(swim_force_leave(s, now, 3, false), SWIM_ORDER_DONE);
    assert_int_equal(s->healing.contact_count, 0);
    swim_advance(s, now + 14999 * SWIM_MS);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    swim_advance(s, now + 15000 * SWIM_MS);
    assert_int_equal(status_of(s, 3), -1);
    member_end(s);
}

static void test_the_living_refute(void **state)
{
    struct message word = {.kind = WIRE_PING, .from = 3, .heartbeat = 2000};
    struct message refuted = {.kind = WIRE_GOSSIP, .from = 3, .incarnation = 1, .heartbeat = 2000};
    struct wire_entry entry;
    struct sent sent;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    assert_int_equal(swim_force_leave(s, now, 3, false), SWIM_ORDER_DONE);
    expect(s, SWIM_EVENT_LEFT, 3, SWIM_ALIVE);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    /* It is told what is said of it. */
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_int_equal(addr4_number(&sent.to), 3);
    assert_true(sent_entry(&sent, 3, &entry));
    assert_int_equal(entry.status, SWIM_LEFT);
    assert_int_equal(hear(s, now, &refuted), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    expect(s, SWIM_EVENT_JOINED, 3, SWIM_LEFT); /* and no restart: its clock has gone on */
    expect_none(s);
    member_end(s);
}

/* What members make of it is a join: whichever way "dead" and "left" arrive, left is what stays. */
static void test_left_outranks_dead_whatever_comes_first(void **state)
{
    struct wire_entry left = entry_of(3);
    struct wire_entry dead = entry_of(3);

    (void)state;
    left.status = SWIM_LEFT;
    dead.status = SWIM_DEAD;
    for (unsigned i = 0; i < 2; i++) {
        swim_time now;
        struct swim *s = begin(&now);

        hear_entry(s, now, 2, i ? left : dead);
        hear_entry(s, now, 2, i ? dead : left);
        assert_int_equal(status_of(s, 3), SWIM_LEFT);
        member_end(s);
    }
}

static void test_pruned(void **state)
{
    struct swim_member member;
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t listed = 0;

    (void)state;
    become(s, now, 3, SWIM_DEAD);
    assert_int_equal(swim_force_leave(s, now, 3, true), SWIM_ORDER_DONE);
    expect(s, SWIM_EVENT_FORGOTTEN, 3, SWIM_DEAD);
    expect_none(s);
    assert_int_equal(status_of(s, 3), -1);
    for (uint32_t slot = 0; slot < swim_member_slots(s); slot++)
        listed += swim_member_at(s, slot, &member);
    assert_int_equal(listed, 4);
    for (unsigned i = SWIM_DEAD; i < SWIM_STATUS_COUNT; i++)
        assert_int_equal(swim_member_count(s, (enum swim_status)i), 0);
    assert_null(swim_check(s));
    assert_int_equal(swim_force_leave(s, now, 3, true), SWIM_ORDER_UNKNOWN);
    /* To the others it is news, and a tombstone like any other. */
    assert_true(is_linked(news_links(s), member_find(s, 3)));
    assert_int_equal(members_of(s)[member_find(s, 3)].record.status, SWIM_LEFT);
    /* Old word does not bring it back, now or once its retention is over; nothing is told twice. */
    hear_entry(s, now, 2, entry_of(3));
    assert_int_equal(status_of(s, 3), -1);
    swim_advance(s, now + 15000 * SWIM_MS);
    hear_entry(s, now + 15000 * SWIM_MS, 2, entry_of(3));
    assert_int_equal(status_of(s, 3), -1);
    swim_advance(s, now + 30000 * SWIM_MS);
    assert_int_equal(member_find(s, 3), 0);
    while (swim_next_event(s, &event))
        assert_int_not_equal(event.member.id, 3);
    member_end(s);
}

/* One that has left by itself can be pruned, and a pruned one may change without being seen. */
static void test_pruned_stays_hidden_until_it_lives(void **state)
{
    struct wire_entry later = entry_of(3);
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    become(s, now, 3, SWIM_LEFT);
    assert_int_equal(swim_force_leave(s, now, 3, true), SWIM_ORDER_DONE);
    expect(s, SWIM_EVENT_FORGOTTEN, 3, SWIM_LEFT);
    later.status = SWIM_DEAD;
    later.incarnation = 1;
    hear_entry(s, now, 2, later);
    assert_int_equal(status_of(s, 3), -1);
    assert_null(swim_check(s));
    expect_none(s);
    later.status = SWIM_ALIVE;
    later.incarnation = 2;
    hear_entry(s, now, 2, later);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_null(swim_check(s));
    expect(s, SWIM_EVENT_JOINED, 3, SWIM_LEFT);
    expect_none(s);
    member_end(s);
}

static void test_plain_peers_are_told_of_a_death(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct message plain = {.kind = WIRE_GOSSIP, .from = 6, .plain = true};
    struct message ping = {.kind = WIRE_PING, .from = 6, .plain = true, .heartbeat = 1};
    struct wire_entry entry;
    struct sent sent;
    swim_time now;
    struct swim *s = member_among(&config, 5, &now);

    (void)state;
    assert_int_equal(hear(s, now, &plain), SWIM_OK);
    drain(s, now);
    assert_int_equal(swim_force_leave(s, now, 3, false), SWIM_ORDER_DONE);
    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_int_equal(addr4_number(&sent.to), 6);
    assert_true(sent_entry(&sent, 3, &entry));
    assert_int_equal(entry.status, SWIM_DEAD);
    member_end(s);
}

static void test_refusals(void **state)
{
    struct swim_stats before;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    before = stats_of(s);
    assert_int_equal(swim_force_leave(s, now, 1, false), SWIM_ORDER_SELF);
    assert_int_equal(swim_force_leave(s, now, 1, true), SWIM_ORDER_SELF);
    assert_int_equal(swim_force_leave(s, now, 99, false), SWIM_ORDER_UNKNOWN);
    assert_int_equal(swim_force_leave(s, now, 0, true), SWIM_ORDER_UNKNOWN);
    assert_int_equal(stats_of(s).members[SWIM_ALIVE], before.members[SWIM_ALIVE]);
    become(s, now, 3, SWIM_DEAD);
    swim_advance(s, now + 15000 * SWIM_MS);
    assert_int_equal(swim_force_leave(s, now + 15000 * SWIM_MS, 3, true), SWIM_ORDER_UNKNOWN);
    swim_leave(s, now + 15000 * SWIM_MS);
    assert_int_equal(swim_force_leave(s, now + 15000 * SWIM_MS, 2, false), SWIM_ORDER_LEAVING);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_status_becomes_left),
        cmocka_unit_test(test_the_dead_are_buried_anew),
        cmocka_unit_test(test_the_living_refute),
        cmocka_unit_test(test_left_outranks_dead_whatever_comes_first),
        cmocka_unit_test(test_pruned),
        cmocka_unit_test(test_pruned_stays_hidden_until_it_lives),
        cmocka_unit_test(test_plain_peers_are_told_of_a_death),
        cmocka_unit_test(test_refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
