/*
 * Claims of a sender about itself (src/core/claim.h), first-hand: its header, and where it is reached;
 * who has an address now. docs/protocol.md sections 4 and 5.
 */
#include "claims.h"

#include "core/member.h"

/* ---- First-hand ---- */

static void test_a_sender_is_learnt(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);
    struct message ping = {.kind = WIRE_PING, .from = 8, .incarnation = 3, .heartbeat = 4};
    struct message plain = {.kind = WIRE_GOSSIP, .from = 9, .plain = true};

    (void)state;
    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    assert_int_equal(hear(s, now, &plain), SWIM_OK);
    assert_int_equal(find(s, 8).incarnation, 3);
    assert_true(find(s, 8).is_capable);
    assert_false(find(s, 9).is_capable);
    assert_int_equal(event_of(s, 8), SWIM_EVENT_JOINED);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_senders_without_a_usable_address_are_not(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);
    struct message ping = {.kind = WIRE_PING, .from = 8, .at = {.family = 4, .ip = {10, 0, 0, 8}}};
    struct message mirror = {.kind = WIRE_PING, .from = 9, .at = addr4(1)};
    struct message nobody = {.kind = WIRE_PING, .from = 0, .at = addr4(8)};
    struct message ourselves = {.kind = WIRE_PING, .from = 1, .at = addr4(8)};

    (void)state;
    assert_int_equal(hear(s, now, &ping), SWIM_OK); /* port 0 */
    assert_int_equal(hear(s, now, &mirror), SWIM_OK);
    assert_int_equal(hear(s, now, &nobody), SWIM_DROP_SELF);
    assert_int_equal(hear(s, now, &ourselves), SWIM_DROP_SELF);
    assert_int_equal(stats_of(s).slots_used, 2);
    assert_int_equal(stats_of(s).entries_skipped, 1); /* the mirror */
    assert_int_equal(stats_of(s).drop_self, 2);
    member_end(s);
}

/* Whatever comes from nowhere, nothing is sent there. */
static void test_nothing_is_sent_to_nowhere(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct wire_entry stale = claim(3, 0, 0, SWIM_SUSPECT);
    struct message ping = {.kind = WIRE_PING,
                           .at = {.family = 4, .ip = {10, 0, 0, 8}},
                           .heartbeat = 9,
                           .entries = &stale,
                           .entry_count = 1};
    struct message leave = {.kind = WIRE_LEAVE, .at = ping.at, .request_ack = true};
    struct sent sent;

    (void)state;
    hear_entry(s, now, 2, claim(3, 1, 0, SWIM_ALIVE));
    for (uint64_t from = 2; from <= 8; from += 6) { /* a member's, a stranger's */
        ping.from = leave.from = from;
        assert_int_equal(hear(s, now, &ping), SWIM_OK);
        assert_int_equal(hear(s, now, &leave), SWIM_OK);
        while (next_sent(s, now, &sent))
            assert_true(addr_is_usable(&sent.to));
    }
    member_end(s);
}

static void assert_lives_at(const struct swim *s, uint64_t id, uint32_t house)
{
    struct swim_addr addr = addr4(house);
    struct swim_member m = find(s, id);

    assert_true(addr_equal(&m.addr, &addr));
}

static void test_address_moves_with_a_strictly_newer_clock_only(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message first = speaking(3, 1, 5, 3);
    struct message same = speaking(3, 1, 5, 60);
    struct message older = speaking(3, 1, 4, 60);
    struct message earlier_life = speaking(3, 0, 9, 60);
    struct message newer = speaking(3, 1, 6, 60);
    struct message next_life = speaking(3, 2, 0, 61);

    (void)state;
    assert_int_equal(hear(s, now, &first), SWIM_OK);
    drain_events(s);
    assert_int_equal(hear(s, now, &same), SWIM_OK);
    assert_int_equal(hear(s, now, &older), SWIM_OK);
    assert_int_equal(hear(s, now, &earlier_life), SWIM_OK);
    assert_lives_at(s, 3, 3);
    assert_int_equal(drain_events(s), 0);
    assert_int_equal(hear(s, now, &newer), SWIM_OK);
    assert_lives_at(s, 3, 60);
    assert_int_equal(event_of(s, 3), SWIM_EVENT_UPDATED);
    /* Replayed from where it used to be: nothing moves back. */
    assert_int_equal(hear(s, now, &first), SWIM_OK);
    assert_lives_at(s, 3, 60);
    assert_int_equal(hear(s, now, &next_life), SWIM_OK);
    assert_lives_at(s, 3, 61);
    assert_null(swim_check(s));
    member_end(s);
}

/* A datagram from nowhere does not move a member there. */
static void test_an_unusable_address_is_never_taken(void **state)
{
    static const struct swim_addr nowhere[] = {
        {.family = 4, .ip = {10, 0, 0, 60}},
        {.family = 4, .port = 7000},
        {.family = 4, .ip = {239, 0, 0, 1}, .port = 7000},
        {.family = 6, .port = 7000},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(nowhere); i++) {
        swim_time now;
        struct swim *s = with_members(3, &now);
        struct message later = speaking(3, 0, 50, 3);
        struct message reborn = speaking(3, 1, 0, 3);

        later.at = reborn.at = nowhere[i];
        assert_int_equal(hear(s, now, &later), SWIM_OK);
        assert_lives_at(s, 3, 3);
        assert_int_equal(hear(s, now, &reborn), SWIM_OK);
        assert_lives_at(s, 3, 3);
        assert_null(swim_check(s));
        member_end(s);
    }
}

/* A replayed datagram must not undo what the sender has shown of its capabilities either. */
static void test_capability_follows_fresh_headers_only(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message newer = speaking(3, 1, 6, 3);
    struct message older = speaking(3, 1, 5, 3);

    (void)state;
    older.plain = true;
    assert_int_equal(hear(s, now, &newer), SWIM_OK);
    assert_true(find(s, 3).is_capable);
    assert_int_equal(hear(s, now, &older), SWIM_OK);
    assert_true(find(s, 3).is_capable);
    newer.heartbeat++;
    newer.plain = true; /* restarted as an older version */
    assert_int_equal(hear(s, now, &newer), SWIM_OK);
    assert_false(find(s, 3).is_capable);
    assert_null(swim_check(s));
    member_end(s);
}

/* A member's own word tells its clock, though it changes nothing else. */
static void test_unasked_words_tell_the_time(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message word = speaking(3, 0, 500, 3);

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(member_estimate(s, member_at(s, member_find(s, 3))), 500);
    assert_int_equal(find(s, 3).heartbeat, 500);
    word.heartbeat = 400; /* overtaken on the way */
    word.unproved = true; /* as it is, without an echo */
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(member_estimate(s, member_at(s, member_find(s, 3))), 500);
    assert_int_equal(stats_of(s).news_queued, 0);
    assert_int_equal(drain_events(s), 0);
    member_end(s);
}

/* Its header is a sender's word about itself; an entry under its own id adds only an address. */
static void test_own_entries_claim_nothing(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);

    (void)state;
    hear_entry(s, now, 3, claim(3, 0, 9, SWIM_DEAD));
    hear_entry(s, now, 3, claim(3, 5, 9, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(find(s, 3).incarnation, 0);
    member_end(s);
}

/* The sender's own first entry says where it is reached; the datagram came from elsewhere. */
static void test_advertised_address(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);
    struct wire_entry own = claim(8, 3, 4, SWIM_ALIVE);
    struct wire_entry others = claim(2, 0, 0, SWIM_ALIVE);
    struct message said = {.kind = WIRE_GOSSIP,
                           .from = 8,
                           .at = addr4(90),
                           .incarnation = 3,
                           .heartbeat = 4,
                           .entries = &own,
                           .entry_count = 1};

    (void)state;
    assert_int_equal(hear(s, now, &said), SWIM_OK);
    assert_lives_at(s, 8, 8);
    /* Of another incarnation, or unusable, or about somebody else: the source counts. */
    own.incarnation = 2;
    said.incarnation = 4;
    assert_int_equal(hear(s, now, &said), SWIM_OK);
    assert_lives_at(s, 8, 90);
    own.incarnation = said.incarnation = 5;
    own.addr.port = 0;
    said.at = addr4(91);
    assert_int_equal(hear(s, now, &said), SWIM_OK);
    assert_lives_at(s, 8, 91);
    said.entries = &others;
    said.incarnation = 6;
    said.at = addr4(92);
    assert_int_equal(hear(s, now, &said), SWIM_OK);
    assert_lives_at(s, 8, 92);
    member_end(s);
}

/* ---- One address, one member ---- */

static void test_a_newer_process_supersedes_first_hand(void **state)
{
    swim_time now;
    struct swim *s = with_members(4, &now);
    struct message newcomer = speaking(77, 0, 0, 3);
    struct message mover = speaking(4, 1, 0, 3);

    (void)state;
    assert_int_equal(hear(s, now, &newcomer), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_DEAD);
    assert_int_equal(status_of(s, 77), SWIM_ALIVE);
    assert_int_equal(stats_of(s).superseded, 1);
    /* A known member that moves there does the same. */
    assert_int_equal(hear(s, now, &mover), SWIM_OK);
    assert_int_equal(status_of(s, 77), SWIM_DEAD);
    assert_lives_at(s, 4, 3);
    assert_int_equal(stats_of(s).superseded, 2);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_hearsay_does_not_supersede(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct wire_entry elsewhere = claim(77, 0, 0, SWIM_ALIVE);

    (void)state;
    elsewhere.addr = addr4(3);
    hear_entry(s, now, 2, elsewhere);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(status_of(s, 77), SWIM_ALIVE);
    assert_int_equal(stats_of(s).superseded, 0);
    assert_null(swim_check(s));
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sender_is_learnt),
        cmocka_unit_test(test_senders_without_a_usable_address_are_not),
        cmocka_unit_test(test_nothing_is_sent_to_nowhere),
        cmocka_unit_test(test_address_moves_with_a_strictly_newer_clock_only),
        cmocka_unit_test(test_an_unusable_address_is_never_taken),
        cmocka_unit_test(test_capability_follows_fresh_headers_only),
        cmocka_unit_test(test_unasked_words_tell_the_time),
        cmocka_unit_test(test_own_entries_claim_nothing),
        cmocka_unit_test(test_advertised_address),
        cmocka_unit_test(test_a_newer_process_supersedes_first_hand),
        cmocka_unit_test(test_hearsay_does_not_supersede),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
