/*
 * Claims (src/core/claim.h) of third parties: what an entry says of a member, and every answer to it:
 * learnt, merged, refused, skipped. First-hand claims are in test_claim_own.c, and what the teller
 * of a stale one is told in test_correction.c. docs/protocol.md sections 4 and 5.
 */
#include "claims.h"

#include "base/prng.h"
#include "core/claim.h"
#include "core/member.h"
#include "core/suspicion.h"

/* ---- Second-hand ---- */

static void test_unknown_alive_is_learnt(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);

    (void)state;
    hear_entry(s, now, 2, claim(3, 4, 5, SWIM_ALIVE));
    assert_int_equal(find(s, 3).incarnation, 4);
    assert_int_equal(find(s, 3).heartbeat, 5);
    assert_false(find(s, 3).is_capable);
    assert_int_equal(stats_of(s).merges_new, 2);
    assert_int_equal(event_of(s, 3), SWIM_EVENT_JOINED);
    member_end(s);
}

static void test_unknown_suspect_is_learnt_with_its_timer(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);

    (void)state;
    hear_entry(s, now, 2, claim(3, 0, 0, SWIM_SUSPECT));
    assert_int_equal(status_of(s, 3), SWIM_SUSPECT);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_unknown_dead_is_refused(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);

    (void)state;
    hear_entry(s, now, 2, claim(3, 9, 9, SWIM_DEAD));
    hear_entry(s, now, 2, claim(4, 9, 9, SWIM_LEFT));
    assert_int_equal(status_of(s, 3), -1);
    assert_int_equal(status_of(s, 4), -1);
    assert_int_equal(stats_of(s).zombies_refused, 2);
    assert_int_equal(stats_of(s).slots_used, 2);
    member_end(s);
}

static void test_what_has_no_place_is_skipped(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);
    struct wire_entry odd = claim(3, 0, 0, SWIM_ALIVE);
    struct wire_entry nobody = claim(0, 0, 0, SWIM_ALIVE);
    struct wire_entry portless = claim(3, 0, 0, SWIM_ALIVE);
    struct wire_entry wildcard = claim(3, 0, 0, SWIM_ALIVE);
    struct wire_entry multicast = claim(3, 0, 0, SWIM_ALIVE);

    (void)state;
    odd.status = 4;
    portless.addr.port = 0;
    memset(wildcard.addr.ip, 0, 16);
    multicast.addr.ip[0] = 239;
    hear_entry(s, now, 2, odd);
    hear_entry(s, now, 2, nobody);
    hear_entry(s, now, 2, portless);
    hear_entry(s, now, 2, wildcard);
    hear_entry(s, now, 2, multicast);
    assert_int_equal(stats_of(s).entries_skipped, 5);
    assert_int_equal(stats_of(s).slots_used, 2);
    assert_int_equal(status_of(s, 3), -1);
    member_end(s);
}

/* An unknown status above the four is skipped for a known member too, and for ourselves. */
static void test_unknown_status_changes_nobody(void **state)
{
    swim_time now;
    struct swim *s = with_members(2, &now);
    struct wire_entry odd = claim(2, 9, 9, SWIM_ALIVE);
    struct wire_entry odd_self = claim(1, 9, 9, SWIM_ALIVE);

    (void)state;
    odd.status = odd_self.status = 255;
    hear_entry(s, now, 2, odd);
    hear_entry(s, now, 2, odd_self);
    assert_int_equal(find(s, 2).incarnation, 0);
    assert_int_equal(find(s, 1).incarnation, 0);
    member_end(s);
}

static void test_own_address_under_another_id_is_not_stored(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct wire_entry ghost = claim(77, 5, 5, SWIM_ALIVE);
    struct wire_entry moved = claim(3, 5, 5, SWIM_ALIVE);

    (void)state;
    ghost.addr = moved.addr = addr4(1);
    hear_entry(s, now, 2, ghost);
    hear_entry(s, now, 2, moved);
    assert_int_equal(status_of(s, 77), -1);
    assert_int_equal(find(s, 3).incarnation, 0);
    assert_int_equal(stats_of(s).entries_skipped, 2);
    member_end(s);
}

/* A death may be told with our address in it; nobody comes back to life there. */
static void test_a_tombstone_at_our_address_stays_one(void **state)
{
    static const uint8_t kinds[] = {WIRE_PING_REQ, WIRE_ANTI_ENTROPY, WIRE_GOSSIP, WIRE_ACK};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        swim_time now;
        struct swim *s = with_members(3, &now);
        struct wire_entry death = claim(3, 0, 5, SWIM_DEAD);
        struct message back = {.kind = kinds[i],
                               .from = 3,
                               .incarnation = 1,
                               .chunks = 1,
                               .target = 2,
                               .target_addr = addr4(2)};

        death.addr = addr4(1);
        hear_entry(s, now, 2, death);
        assert_int_equal(status_of(s, 3), SWIM_DEAD);
        assert_int_equal(hear(s, now, &back), SWIM_OK);
        assert_null(swim_check(s));
        member_end(s);
    }
}

static void test_greater_is_applied_and_lesser_is_stale(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct swim_stats before = stats_of(s);

    (void)state;
    hear_entry(s, now, 2, claim(3, 1, 5, SWIM_ALIVE));
    hear_entry(s, now, 2, claim(3, 1, 6, SWIM_SUSPECT));
    hear_entry(s, now, 2, claim(3, 1, 6, SWIM_SUSPECT)); /* again */
    hear_entry(s, now, 2, claim(3, 1, 6, SWIM_ALIVE));   /* less severe */
    hear_entry(s, now, 2, claim(3, 1, 5, SWIM_SUSPECT)); /* older */
    hear_entry(s, now, 2, claim(3, 0, 9, SWIM_DEAD));    /* an earlier life */
    assert_int_equal(status_of(s, 3), SWIM_SUSPECT);
    hear_entry(s, now, 2, claim(3, 1, 7, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    hear_entry(s, now, 2, claim(3, 1, 0, SWIM_DEAD));
    hear_entry(s, now, 2, claim(3, 1, 9, SWIM_ALIVE)); /* dead is terminal */
    assert_int_equal(status_of(s, 3), SWIM_DEAD);
    hear_entry(s, now, 2, claim(3, 2, 0, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(stats_of(s).merges_updated - before.merges_updated, 5);
    assert_int_equal(stats_of(s).merges_stale - before.merges_stale, 5);
    assert_int_equal(stats_of(s).suspicions_refuted, 1);
    assert_int_equal(stats_of(s).failures, 1);
    member_end(s);
}

static void test_a_new_life_has_a_new_suspicion(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    swim_time due;

    (void)state;
    hear_entry(s, now, 2, claim(3, 1, 0, SWIM_SUSPECT));
    drain(s, now);
    due = suspicion_deadline(s);
    hear_entry(s, now + 500 * SWIM_MS, 2, claim(3, 1, 9, SWIM_SUSPECT));
    assert_true(suspicion_deadline(s) == due); /* the same doubt goes on */
    hear_entry(s, now + 1000 * SWIM_MS, 2, claim(3, 2, 0, SWIM_SUSPECT));
    assert_true(suspicion_deadline(s) == due + 1000 * SWIM_MS);
    member_end(s);
}

static void test_second_hand_clock_moves_the_estimate_only_forward(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    uint32_t slot = member_find(s, 3);

    (void)state;
    hear_entry(s, now, 2, claim(3, 0, 100, SWIM_ALIVE)); /* far ahead of the estimate */
    assert_int_equal(member_estimate(s, member_at(s, slot)), 100);
    now += 5000 * SWIM_MS;                               /* ten heartbeats */
    hear_entry(s, now, 2, claim(3, 0, 104, SWIM_ALIVE)); /* travelled for a while */
    assert_int_equal(find(s, 3).heartbeat, 104);
    assert_int_equal(member_estimate(s, member_at(s, slot)), 110);
    hear_entry(s, now, 2, claim(3, 1, 3, SWIM_ALIVE)); /* a new life: a new clock */
    assert_int_equal(member_estimate(s, member_at(s, slot)), 3);
    member_end(s);
}

/* A suspicion is stamped with where the member's clock should be by now. */
static void test_declared_suspect_at_the_estimated_clock(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    uint32_t slot = member_find(s, 3);

    (void)state;
    hear_entry(s, now, 2, claim(3, 1, 10, SWIM_ALIVE));
    now += 5250 * SWIM_MS;
    (void)drain(s, now);
    claim_declare(s, slot, SWIM_SUSPECT);
    assert_int_equal(find(s, 3).status, SWIM_SUSPECT);
    assert_int_equal(find(s, 3).heartbeat, 10 + 10); /* rounded down */
    /* Evidence of the same tick loses, of the next clears. */
    hear_entry(s, now, 2, claim(3, 1, 20, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_SUSPECT);
    hear_entry(s, now, 2, claim(3, 1, 21, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

/* ---- Forgotten ---- */

static swim_time forget(struct swim *s, swim_time now, uint32_t number, uint32_t incarnation)
{
    hear_entry(s, now, 2, claim(number, incarnation, 0, SWIM_DEAD));
    now += 15000 * SWIM_MS;
    swim_advance(s, now);
    drain(s, now);
    drain_events(s);
    assert_int_equal(status_of(s, number), -1);
    assert_true(member_find(s, number) != 0);
    return now;
}

static void test_forgotten_is_no_zombie(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct wire_entry told;

    (void)state;
    now = forget(s, now, 3, 1);
    hear_entry(s, now, 2, claim(3, 1, 99, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), -1);
    assert_int_equal(stats_of(s).zombies_refused, 1);
    /* Whoever believes in it is told of a doubt that the member itself can dispel. */
    assert_true(corrected(s, now, 2, 3, &told));
    assert_int_equal(told.status, SWIM_SUSPECT);
    assert_int_equal(told.incarnation, 1);
    hear_entry(s, now, 2, claim(3, 0, 99, SWIM_ALIVE));
    hear_entry(s, now, 2, claim(3, 2, 0, SWIM_DEAD)); /* its later death is nothing to us */
    assert_int_equal(status_of(s, 3), -1);
    assert_int_equal(stats_of(s).zombies_refused, 3);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_forgotten_returns_by_a_new_incarnation(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);

    (void)state;
    now = forget(s, now, 3, 1);
    hear_entry(s, now, 2, claim(3, 2, 0, SWIM_ALIVE));
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(event_of(s, 3), SWIM_EVENT_JOINED);
    member_end(s);
}

/* Its own word brings it back as it was once it repeats what we sent it; before, it is asked to. */
static void test_forgotten_returns_when_it_answers(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message word = {.kind = WIRE_PING, .from = 3, .incarnation = 1, .heartbeat = 4};
    struct wire_entry about = entry_of(2);
    struct swim_addr home = addr4(3);
    struct sent sent;

    (void)state;
    now = forget(s, now, 3, 1);
    word.unproved = true;
    word.entries = &about; /* room for a question */
    word.entry_count = 1;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    assert_int_equal(status_of(s, 3), -1);
    while (next_sent(s, now, &sent)) {
        if (sent.dg.header.kind == WIRE_ACK && addr_equal(&sent.to, &home))
            word.echo = sent.dg.challenge;
    }
    assert_true(word.echo != 0);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    assert_int_equal(find(s, 3).incarnation, 1);
    assert_int_equal(event_of(s, 3), SWIM_EVENT_JOINED);
    member_end(s);
}

static void test_forgotten_returns_unasked_in_a_new_life(void **state)
{
    swim_time now;
    struct swim *s = with_members(3, &now);
    struct message word = {.kind = WIRE_PING, .from = 3, .incarnation = 2};

    (void)state;
    now = forget(s, now, 3, 1);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

/* ---- A newcomer's first synchronisation is hardly news ---- */

/* Entries about `id` in all that is sent until there is no more news. */
static uint32_t count_told(struct swim *s, swim_time now, uint64_t id)
{
    struct wire_entry entry;
    struct sent sent;
    uint32_t told = 0;

    for (;;) {
        while (next_sent(s, now, &sent))
            told += sent_entry(&sent, id, &entry);
        if (stats_of(s).news_queued == 0)
            return told;
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
}

static void test_first_synchronisation_is_a_rumour(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);
    struct wire_entry known[3] = {entry_of(3), entry_of(4), entry_of(5)};
    struct message chunk = {
        .kind = WIRE_ANTI_ENTROPY, .from = 2, .chunks = 1, .entries = known, .entry_count = 3};
    swim_time now;

    (void)state;
    hear_members(s, START, 2, 2);
    now = settle(s, START, START + 2000 * SWIM_MS);
    assert_int_equal(hear(s, now, &chunk), SWIM_OK);
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), 5);
    assert_in_range(count_told(s, now, 4), 1, 4);
    /* Later, the same is news: as often as any. */
    now = START + 60000 * SWIM_MS;
    known[0] = entry_of(6);
    assert_int_equal(hear(s, now, &chunk), SWIM_OK);
    assert_int_equal(count_told(s, now, 6), 3 * 3);
    member_end(s);
}

/* ---- Any claims at all ---- */

static void test_invariants_hold_whatever_is_claimed(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now = START;
    struct prng prng;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed("claim"));
    config.members_max = 12;
    config.dead_retention_ms = 2000;
    s = member_begin(&config, now);
    for (uint32_t i = 0; i < 20000; i++) {
        struct wire_entry entries[4];
        struct message message = {
            .kind = prng_below(&prng, 2) ? WIRE_GOSSIP : WIRE_PING,
            .from = 2 + prng_below(&prng, 20),
            .at = addr4(1 + prng_below(&prng, 24)),
            .incarnation = prng_below(&prng, 3),
            .heartbeat = prng_below(&prng, 5),
            .plain = prng_below(&prng, 3) == 0,
            .entries = entries,
            .entry_count = prng_below(&prng, 5),
        };

        for (uint32_t k = 0; k < message.entry_count; k++) {
            entries[k] = claim(1 + prng_below(&prng, 20), prng_below(&prng, 4),
                               prng_below(&prng, 4), prng_below(&prng, 4));
            entries[k].addr = addr4(1 + prng_below(&prng, 24));
        }
        /* A plain sender can't always show that it is somewhere else than it was. */
        if (hear(s, now, &message) != SWIM_OK)
            assert_true(message.plain);
        if (prng_below(&prng, 4) == 0)
            now += prng_below(&prng, 800) * SWIM_MS;
        swim_advance(s, now);
        if (prng_below(&prng, 2))
            drain(s, now);
        if (prng_below(&prng, 8) == 0)
            drain_events(s);
        if (swim_check(s))
            fail_msg("step %u: not so: %s", i, swim_check(s));
    }
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown_alive_is_learnt),
        cmocka_unit_test(test_unknown_suspect_is_learnt_with_its_timer),
        cmocka_unit_test(test_unknown_dead_is_refused),
        cmocka_unit_test(test_what_has_no_place_is_skipped),
        cmocka_unit_test(test_unknown_status_changes_nobody),
        cmocka_unit_test(test_own_address_under_another_id_is_not_stored),
        cmocka_unit_test(test_a_tombstone_at_our_address_stays_one),
        cmocka_unit_test(test_greater_is_applied_and_lesser_is_stale),
        cmocka_unit_test(test_a_new_life_has_a_new_suspicion),
        cmocka_unit_test(test_second_hand_clock_moves_the_estimate_only_forward),
        cmocka_unit_test(test_declared_suspect_at_the_estimated_clock),
        cmocka_unit_test(test_forgotten_is_no_zombie),
        cmocka_unit_test(test_forgotten_returns_by_a_new_incarnation),
        cmocka_unit_test(test_forgotten_returns_when_it_answers),
        cmocka_unit_test(test_forgotten_returns_unasked_in_a_new_life),
        cmocka_unit_test(test_first_synchronisation_is_a_rumour),
        cmocka_unit_test(test_invariants_hold_whatever_is_claimed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
