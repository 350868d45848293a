/*
 * Claims (src/core/claim.h): what a datagram says of a member, and every answer to it: learnt,
 * merged, refused, skipped, corrected, superseded. docs/protocol.md sections 4 and 5.
 */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/claim.h"
#include "core/member.h"
#include "core/suspicion.h"

/* Number 1, which knows the members 2 .. last, and has nothing more to say. */
static struct swim *with_members(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, last);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    assert_int_equal(stats_of(s).news_queued, 0);
    drain_events(s);
    return s;
}

static struct swim_member find(const struct swim *s, uint64_t id)
{
    struct swim_member m = {0};

    assert_true(swim_member_find(s, id, &m));
    return m;
}

static struct wire_entry claim(uint32_t number, uint32_t incarnation, uint32_t heartbeat,
                               enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.incarnation = incarnation;
    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    return entry;
}

/* The first event, which must be about `id`. */
static enum swim_event_kind event_of(struct swim *s, uint64_t id)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.member.id, id);
    return event.kind;
}

/* What number `to` is told about `id`, by a correction that waits. */
static bool corrected(struct swim *s, swim_time now, uint32_t to, uint64_t id,
                      struct wire_entry *ret)
{
    struct swim_addr addr = addr4(to);
    struct sent sent;

    while (next_sent_of(s, now, WIRE_GOSSIP, &sent)) {
        if (addr_equal(&sent.to, &addr) && sent_entry(&sent, id, ret))
            return true;
    }
    return false;
}

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

static struct message speaking(uint32_t number, uint32_t incarnation, uint32_t heartbeat,
                               uint32_t house)
{
    return (struct message){.kind = WIRE_GOSSIP,
                            .from = number,
                            .at = addr4(house),
                            .incarnation = incarnation,
                            .heartbeat = heartbeat};
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
        cmocka_unit_test(test_a_misled_teller_is_corrected),
        cmocka_unit_test(test_second_hand_clock_moves_the_estimate_only_forward),
        cmocka_unit_test(test_declared_suspect_at_the_estimated_clock),
        cmocka_unit_test(test_forgotten_is_no_zombie),
        cmocka_unit_test(test_forgotten_returns_by_a_new_incarnation),
        cmocka_unit_test(test_forgotten_returns_when_it_answers),
        cmocka_unit_test(test_forgotten_returns_unasked_in_a_new_life),
        cmocka_unit_test(test_a_sender_is_learnt),
        cmocka_unit_test(test_senders_without_a_usable_address_are_not),
        cmocka_unit_test(test_nothing_is_sent_to_nowhere),
        cmocka_unit_test(test_address_moves_with_a_strictly_newer_clock_only),
        cmocka_unit_test(test_an_unusable_address_is_never_taken),
        cmocka_unit_test(test_capability_follows_fresh_headers_only),
        cmocka_unit_test(test_stale_sender_is_told),
        cmocka_unit_test(test_dead_sender_is_told_of_its_death),
        cmocka_unit_test(test_suspect_sender_is_told_of_the_doubt),
        cmocka_unit_test(test_unasked_words_tell_the_time),
        cmocka_unit_test(test_own_entries_claim_nothing),
        cmocka_unit_test(test_advertised_address),
        cmocka_unit_test(test_a_newer_process_supersedes_first_hand),
        cmocka_unit_test(test_hearsay_does_not_supersede),
        cmocka_unit_test(test_first_synchronisation_is_a_rumour),
        cmocka_unit_test(test_invariants_hold_whatever_is_claimed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
