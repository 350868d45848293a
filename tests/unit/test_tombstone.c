/*
 * Tombstones (src/core/tombstone.h): how long the dead are kept, when they are no longer spoken
 * of, how long the forgetting is remembered, and who gives way in a full table.
 * docs/protocol.md section 5, "no zombies".
 */
#include "support.h"

#include "harness.h"

#include "base/hash.h"
#include "core/index.h"
#include "core/member.h"
#include "core/tombstone.h"

#define RETENTION (15000 * SWIM_MS)

static struct swim *with_members(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, last);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

static void die(struct swim *s, swim_time now, uint32_t number, enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
    assert_int_equal(status_of(s, number), (int)status);
}

static void test_kept_for_the_retention(void **state)
{
    static const enum swim_status statuses[] = {SWIM_DEAD, SWIM_LEFT};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(statuses); i++) {
        swim_time now;
        struct swim *s = with_members(4, &now);

        die(s, now, 3, statuses[i]);
        assert_true(tombstone_deadline(s) == now + RETENTION);
        swim_advance(s, now + RETENTION - 1);
        assert_int_equal(status_of(s, 3), (int)statuses[i]);
        assert_int_equal(swim_member_count(s, statuses[i]), 1);
        swim_advance(s, now + RETENTION);
        assert_int_equal(status_of(s, 3), -1);
        assert_int_equal(swim_member_count(s, statuses[i]), 0);
        /* Forgotten, but the forgetting is remembered as long again. */
        assert_int_equal(stats_of(s).slots_used, 4);
        drain(s, now + RETENTION);
        swim_advance(s, now + 2 * RETENTION - 1);
        assert_int_equal(stats_of(s).slots_used, 4);
        swim_advance(s, now + 2 * RETENTION);
        assert_int_equal(stats_of(s).slots_used, 3);
        assert_true(tombstone_deadline(s) == SWIM_NEVER);
        member_end(s);
    }
}

/* Hearing of the same death again does not make the tombstone younger. */
static void test_repetition_does_not_prolong(void **state)
{
    swim_time now;
    struct swim *s = with_members(4, &now);
    struct wire_entry later = entry_of(3);

    (void)state;
    die(s, now, 3, SWIM_DEAD);
    die(s, now + 5000 * SWIM_MS, 3, SWIM_DEAD);
    later.status = SWIM_DEAD;
    later.heartbeat = 50; /* greater in the order, but no other death */
    hear_entry(s, now + 10000 * SWIM_MS, 2, later);
    drain(s, now + 10000 * SWIM_MS);
    swim_advance(s, now + RETENTION);
    assert_int_equal(status_of(s, 3), -1);
    member_end(s);
}

static void test_returning_ends_it(void **state)
{
    swim_time now;
    struct swim *s = with_members(4, &now);
    struct wire_entry back = entry_of(3);

    (void)state;
    die(s, now, 3, SWIM_DEAD);
    back.incarnation = 1;
    hear_entry(s, now + SWIM_MS, 2, back);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_true(tombstone_deadline(s) == SWIM_NEVER);
    swim_advance(s, now + 3 * RETENTION);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(stats_of(s).slots_used, 4);
    member_end(s);
}

static bool tells_of(struct swim *s, swim_time now, uint64_t id)
{
    struct wire_entry entry;
    struct sent sent;
    bool told = false;

    while (next_sent(s, now, &sent))
        told |= sent_entry(&sent, id, &entry);
    return told;
}

/* In the second half of its retention a tombstone is no news any more, wherever it waits. */
static void test_it_fades(void **state)
{
    struct message ping = {.kind = WIRE_PING, .from = 2};
    swim_time now;
    struct swim *s = with_members(10, &now);
    uint32_t slot = member_find(s, 3);

    (void)state;
    s->config.gossip_interval_ms = 3600000; /* it waits */
    die(s, now, 3, SWIM_DEAD);
    assert_false(tombstone_is_fading(s, slot));
    ping.heartbeat = 100;
    assert_int_equal(hear(s, now + RETENTION / 2 - 1, &ping), SWIM_OK);
    assert_true(tells_of(s, now + RETENTION / 2 - 1, 3));
    swim_advance(s, now + RETENTION / 2);
    assert_true(tombstone_is_fading(s, slot));
    ping.heartbeat = 101;
    assert_int_equal(hear(s, now + RETENTION / 2, &ping), SWIM_OK);
    assert_false(tells_of(s, now + RETENTION / 2, 3));
    assert_int_equal(stats_of(s).news_queued, 0);
    assert_false(tombstone_is_fading(s, member_find(s, 4)));
    assert_false(tombstone_is_fading(s, SELF));
    member_end(s);
}

/* A full push holds the living only. */
static void test_the_dead_are_not_synchronised(void **state)
{
    struct message newcomer = {.kind = WIRE_PING, .from = 50};
    struct wire_entry entry;
    struct sent sent;
    uint32_t entries = 0;
    swim_time now;
    struct swim *s = with_members(10, &now);

    (void)state;
    die(s, now, 3, SWIM_DEAD);
    now = settle(s, now, now + RETENTION / 2);
    assert_int_equal(hear(s, now, &newcomer), SWIM_OK);
    while (next_sent(s, now, &sent)) {
        if (sent.dg.header.kind != WIRE_ANTI_ENTROPY)
            continue;
        entries += sent.dg.entry_count;
        assert_false(sent_entry(&sent, 3, &entry));
    }
    assert_int_equal(entries, 10); /* 1 to 10 and the newcomer, without 3 */
    member_end(s);
}

static void test_many_expire_in_several_calls(void **state)
{
    swim_time now;
    struct swim *s = with_members(200, &now);
    uint32_t calls = 0;

    (void)state;
    for (uint32_t number = 3; number <= 200; number++)
        die(s, now, number, SWIM_DEAD);
    settle(s, now, now + RETENTION - 1);
    drain(s, now + RETENTION);
    for (swim_time due = now + RETENTION; swim_deadline(s) <= due; calls++) {
        uint32_t before = swim_member_count(s, SWIM_DEAD);

        swim_advance(s, due);
        assert_true(before - swim_member_count(s, SWIM_DEAD) <= EXPIRIES_PER_CALL);
        assert_null(swim_check(s));
        drain(s, due);
    }
    assert_int_equal(swim_member_count(s, SWIM_DEAD), 0);
    assert_int_equal(calls, (198 + EXPIRIES_PER_CALL - 1) / EXPIRIES_PER_CALL);
    member_end(s);
}

/* A newcomer to a full table takes the place of the longest forgotten, then of the longest dead,
 * and of nobody who lives. */
static void test_eviction_when_full(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now = START;
    struct swim *s;

    (void)state;
    config.members_max = 6;
    s = member_begin(&config, now);
    hear_members(s, now, 2, 6);
    drain_events(s);
    die(s, now, 5, SWIM_DEAD);
    drain_events(s);
    now += RETENTION;
    swim_advance(s, now); /* 5 is forgotten */
    drain_events(s);
    die(s, now, 4, SWIM_DEAD);
    die(s, now + SWIM_MS, 3, SWIM_LEFT);
    drain_events(s);
    now += 2 * SWIM_MS;
    hear_members(s, now, 7, 7);
    assert_int_equal(member_find(s, 5), 0);
    assert_int_equal(status_of(s, 4), SWIM_DEAD);
    hear_members(s, now, 8, 8);
    assert_int_equal(status_of(s, 4), -1);
    assert_int_equal(status_of(s, 3), SWIM_LEFT);
    hear_members(s, now, 9, 9);
    assert_int_equal(status_of(s, 3), -1);
    hear_members(s, now, 10, 10);
    assert_int_equal(status_of(s, 10), -1);
    assert_int_equal(stats_of(s).newcomers_refused, 1);
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), 6);
    member_end(s);
}

/* The next number whose id is in one chain of the index with that of 2. */
static uint32_t next_in_chain(uint32_t number)
{
    do
        number++;
    while ((hash_u64(number) ^ hash_u64(2)) & 0xFF);
    return number;
}

/* Whoever gave way leaves room in the chain, too, where the newcomer was looked for before. */
static void test_eviction_from_a_full_chain(void **state)
{
    struct swim_config config = quiet_config_of(1);
    uint32_t number = 2;
    struct swim *s;

    (void)state;
    config.members_max = INDEX_CHAIN_MAX + 1;
    s = member_begin(&config, START);
    for (uint32_t i = 0; i < INDEX_CHAIN_MAX; i++, number = next_in_chain(number))
        hear_members(s, START, number, number);
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), INDEX_CHAIN_MAX + 1);
    drain_events(s);
    die(s, START, next_in_chain(2), SWIM_DEAD);
    drain_events(s);
    hear_members(s, START, number, number);
    assert_int_equal(status_of(s, number), SWIM_ALIVE);
    assert_int_equal(status_of(s, next_in_chain(2)), -1);
    assert_int_equal(stats_of(s).newcomers_refused, 0);
    member_end(s);
}

/* Every restart under a new id leaves a tombstone, and none for good. */
static void test_no_ghosts_after_many_restarts(void **state)
{
    swim_time now;
    struct swim *s = with_members(4, &now);

    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        struct message ping = {.kind = WIRE_PING, .from = 1000 + i, .at = addr4(44)};

        assert_int_equal(hear(s, now, &ping), SWIM_OK);
        drain(s, now);
        assert_int_equal(swim_member_count(s, SWIM_ALIVE), 5);
        now += 1000 * SWIM_MS;
        swim_advance(s, now);
    }
    assert_int_equal(stats_of(s).superseded, 59);
    drain(s, now);
    swim_advance(s, now + RETENTION);
    drain(s, now + RETENTION);
    swim_advance(s, now + 2 * RETENTION);
    assert_int_equal(swim_member_count(s, SWIM_DEAD), 0);
    assert_int_equal(stats_of(s).slots_used, 5);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_for_the_retention),
        cmocka_unit_test(test_repetition_does_not_prolong),
        cmocka_unit_test(test_returning_ends_it),
        cmocka_unit_test(test_it_fades),
        cmocka_unit_test(test_the_dead_are_not_synchronised),
        cmocka_unit_test(test_many_expire_in_several_calls),
        cmocka_unit_test(test_eviction_when_full),
        cmocka_unit_test(test_eviction_from_a_full_chain),
        cmocka_unit_test(test_no_ghosts_after_many_restarts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
