/*
 * Proof of address (src/core/proof.h): who is heard, and what tokens are good for.
 * docs/protocol.md section 10.
 */
#include "support.h"

#include "harness.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/proof.h"
#include "core/stranger.h"

#define EPOCH (30000 * SWIM_MS)

/* Number 1, quietly, and the members 2 .. last, first-hand and proved. */
static struct swim *begin(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);

    return member_among(&config, last, ret_now);
}

static struct message gossip_of(uint32_t number)
{
    return (struct message){.kind = WIRE_GOSSIP, .from = number, .unproved = true};
}

/* ---- Tokens ---- */

static void test_a_token_is_for_one_address_id_and_secret(void **state)
{
    struct swim_config config = config_of(1);
    struct swim_addr addr = addr4(7);
    struct swim_addr port = addr;
    struct swim_addr other = addr4(8);
    struct swim_addr six = addr6(7);
    struct swim *s = member_begin(&config, START);
    uint64_t token = proof_token(s, &addr, 7);

    (void)state;
    port.port++;
    assert_true(token != 0);
    assert_true(token == proof_token(s, &addr, 7));
    assert_true(token != proof_token(s, &addr, 8));
    assert_true(token != proof_token(s, &port, 7));
    assert_true(token != proof_token(s, &other, 7));
    assert_true(token != proof_token(s, &six, 7));
    member_end(s);
    config.secret[15] = 1;
    s = member_begin(&config, START);
    assert_true(token != proof_token(s, &addr, 7));
    member_end(s);
}

/* Without a secret, simulations get one from their seed: the same for the same seed only. */
static void test_the_secret_comes_from_the_seed_if_need_be(void **state)
{
    struct swim_config config = config_of(1);
    struct swim_addr addr = addr4(7);
    uint64_t tokens[2];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct swim *s = member_begin(&config, START);

        tokens[i] = proof_token(s, &addr, 7);
        member_end(s);
        config.seed++;
    }
    assert_true(tokens[0] != tokens[1]);
}

static void test_a_token_lives_for_its_epoch_and_the_next(void **state)
{
    static const struct {
        swim_time later;
        bool is_good;
    } cases[] = {{0, true}, {EPOCH, true}, {2 * EPOCH, false}, {100 * EPOCH, false}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        swim_time now;
        struct swim *s = begin(3, &now);
        struct message word = gossip_of(9);
        struct swim_addr addr = addr4(9);

        now = (now / EPOCH + 1) * EPOCH;
        word.echo = token_for(s, now, &addr, 9);
        assert_int_equal(hear(s, now + cases[i].later, &word),
                         cases[i].is_good ? SWIM_OK : SWIM_DROP_UNPROVED);
        assert_int_equal(status_of(s, 9), cases[i].is_good ? SWIM_ALIVE : -1);
        member_end(s);
    }
}

/* ---- Who is heard ---- */

static void test_the_unknown_are_not_heard_without_an_echo(void **state)
{
    static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING,         WIRE_ACK, WIRE_PING_REQ,
                                    WIRE_LEAVE,  WIRE_ANTI_ENTROPY, WIRE_NACK};
    swim_time now;
    struct swim *s = begin(3, &now);
    uint64_t digest = swim_view_digest(s);

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(kinds); i++) {
        struct wire_entry about[2] = {entry_of(2), entry_of(10)};
        struct message word = {.kind = kinds[i],
                               .from = 9,
                               .unproved = true,
                               .target = 2,
                               .target_addr = addr4(2),
                               .entries = about,
                               .entry_count = 2};

        about[0].status = SWIM_DEAD;
        if (word.kind == WIRE_PING_REQ || word.kind == WIRE_LEAVE)
            word.entry_count = 0;
        assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
        word.echo = 1; /* a guess */
        assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    }
    assert_int_equal(status_of(s, 9), -1);
    assert_int_equal(status_of(s, 10), -1);
    assert_int_equal(status_of(s, 2), SWIM_ALIVE);
    assert_true(swim_view_digest(s) == digest);
    assert_int_equal(stats_of(s).drop_unproved, 2 * COUNT_OF(kinds));
    member_end(s);
}

static void test_an_echo_opens_the_door_for_one_id_at_one_address(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct swim_addr nine = addr4(9);
    struct message word = gossip_of(9);

    (void)state;
    word.echo = token_for(s, now, &nine, 10);
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    word.at = addr4(10);
    word.echo = token_for(s, now, &nine, 9);
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    word.at = nine;
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_int_equal(status_of(s, 9), SWIM_ALIVE);
    word.echo = 0; /* from here on it is known there */
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    member_end(s);
}

static struct swim_member find(const struct swim *s, uint64_t id)
{
    struct swim_member member = {0};

    assert_true(swim_member_find(s, id, &member));
    return member;
}

static bool is_at(const struct swim *s, uint64_t id, const struct swim_addr *addr)
{
    struct swim_member member = find(s, id);

    return addr_equal(&member.addr, addr);
}

/* Who uses a member's id from elsewhere is a stranger, however new it makes itself. */
static void test_a_member_does_not_move_without_an_echo(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message word = {.kind = WIRE_PING,
                           .from = 3,
                           .at = addr4(30),
                           .incarnation = 5,
                           .heartbeat = 1000,
                           .unproved = true};
    struct swim_addr home = addr4(3);

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    assert_true(is_at(s, 3, &home));
    assert_int_equal(find(s, 3).incarnation, 0);
    word.echo = token_for(s, now, &word.at, 3);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_true(is_at(s, 3, &word.at));
    assert_true(find(s, 3).is_proved);
    member_end(s);
}

/* A member learnt from others is heard where it is said to be, but has proved nothing. */
static void test_the_told_of_are_known_but_not_proved(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message word = gossip_of(9);
    struct swim_addr addr = addr4(9);

    (void)state;
    hear_entry(s, now, 2, entry_of(9));
    assert_false(find(s, 9).is_proved);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_false(find(s, 9).is_proved);
    word.echo = token_for(s, now, &addr, 9);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_true(find(s, 9).is_proved);
    assert_int_equal(stats_of(s).addresses_proved, 3); /* and those of 2 and 3 */
    member_end(s);
}

/* Told of at another address, nothing is proved any more. */
static void test_a_new_address_is_not_proved(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry moved = entry_of(3);

    (void)state;
    assert_true(find(s, 3).is_proved);
    moved.incarnation = 1;
    moved.addr = addr4(30);
    hear_entry(s, now, 2, moved);
    assert_true(is_at(s, 3, &moved.addr));
    assert_false(find(s, 3).is_proved);
    member_end(s);
}

/* Behind NAT its datagrams come from elsewhere than it is reached: both are proved, each by the
 * token that was sent there. */
static void test_a_member_may_speak_from_a_second_address(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry self = entry_of(9);
    struct message word = {.kind = WIRE_PING,
                           .from = 9,
                           .at = addr4(90),
                           .unproved = true,
                           .entries = &self,
                           .entry_count = 1};
    struct swim_addr outside = addr4(9);

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    word.echo = token_for(s, now, &word.at, 9);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_true(is_at(s, 9, &outside));
    assert_false(find(s, 9).is_proved);
    word.echo = 0;
    assert_int_equal(hear(s, now, &word), SWIM_OK); /* that it speaks from there is known now */
    word.at = addr4(91);
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    word.at = addr4(90);
    word.echo = token_for(s, now, &outside, 9);
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_true(find(s, 9).is_proved);
    member_end(s);
}

/* Whoever says hello with a later life than is held has started again, and knows nobody. */
static void test_an_introduction_of_a_later_life_is_a_strangers(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry tags[2] = {{.status = WIRE_STATUS_CLUSTER, .addr = {.family = 4}},
                                 {.status = WIRE_STATUS_CLUSTER, .addr = {.family = 4}}};
    struct message hello = {
        .kind = WIRE_PING, .from = 3, .unproved = true, .entries = tags, .entry_count = 2};
    struct sent sent;

    (void)state;
    assert_int_equal(hear(s, now, &hello), SWIM_OK); /* the life that is held */
    drain(s, now);
    hello.incarnation = 1;
    assert_int_equal(hear(s, now, &hello), SWIM_DROP_UNPROVED);
    assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
    assert_true(sent.dg.challenge != 0);
    member_end(s);
}

/* Somebody on the way repeats an answer from elsewhere: the token was not sent there. */
static void test_an_echo_from_elsewhere_moves_nobody(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct swim_addr home = addr4(9);
    struct message ack = {
        .kind = WIRE_ACK, .from = 9, .at = addr4(90), .heartbeat = 7, .unproved = true};

    (void)state;
    hear_entry(s, now, 2, entry_of(9));
    ack.echo = token_for(s, now, &home, 9);
    assert_int_equal(hear(s, now, &ack), SWIM_OK);
    assert_true(is_at(s, 9, &home));
    member_end(s);
}

/* What was written long ago, by the sender's own clock, or in an earlier life, says nothing of
 * others: it is somebody's recording. */
static void test_what_is_late_tells_nothing(void **state)
{
    static const struct {
        uint32_t behind, incarnation;
        bool is_heard;
    } cases[] = {{0, 1, true}, {10, 1, true}, {11, 1, false}, {1000, 1, false}, {0, 0, false}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        swim_time now;
        struct swim *s = begin(4, &now);
        struct wire_entry lie = entry_of(2);
        struct wire_suspicion accusation = {4, 0, 3};
        struct message life = {.kind = WIRE_GOSSIP, .from = 3, .incarnation = 1, .heartbeat = 2000};
        struct message word = {.kind = WIRE_GOSSIP,
                               .from = 3,
                               .incarnation = cases[i].incarnation,
                               .unproved = true,
                               .suspicions = &accusation,
                               .suspicion_count = 1,
                               .entries = &lie,
                               .entry_count = 1};

        assert_int_equal(hear(s, now, &life), SWIM_OK);
        now += 60000 * SWIM_MS;
        swim_advance(s, now);
        word.heartbeat = member_estimate(s, member_at(s, member_find(s, 3))) - cases[i].behind;
        lie.status = SWIM_SUSPECT;
        lie.heartbeat = 100000;
        assert_int_equal(hear(s, now, &word), SWIM_OK);
        assert_int_equal(status_of(s, 2), cases[i].is_heard ? SWIM_SUSPECT : SWIM_ALIVE);
        assert_int_equal(status_of(s, 4), cases[i].is_heard ? SWIM_SUSPECT : SWIM_ALIVE);
        member_end(s);
    }
}

/* ---- Plain peers ---- */

/* Whoever is at an address and could repeat a token is not replaced by a mere answer from there. */
static void test_a_plain_answer_replaces_nobody_capable(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct swim_addr home = addr4(3);
    struct message ack = {
        .kind = WIRE_ACK, .from = 77, .at = home, .plain = true, .unproved = true};

    (void)state;
    stranger_expect(s, &home);
    assert_int_equal(hear(s, now, &ack), SWIM_DROP_UNPROVED);
    assert_int_equal(status_of(s, 77), -1);
    assert_int_equal(status_of(s, 3), SWIM_ALIVE);
    member_end(s);
}

static void test_a_plain_peer_is_heard_when_it_was_asked(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message word = {.kind = WIRE_ACK, .plain = true, .from = 9, .unproved = true};
    struct wire_entry self = entry_of(9);
    struct sent sent;

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED); /* nobody asked */
    assert_int_equal(drain(s, now), 0);
    word.kind = WIRE_PING;
    word.entries = &self;
    word.entry_count = 1;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    assert_true(next_sent_of(s, now, WIRE_PING, &sent));
    assert_int_equal(sent.size, WIRE_HEADER_SIZE);
    word.kind = WIRE_ACK;
    assert_int_equal(hear(s, now + 3000 * SWIM_MS, &word), SWIM_DROP_UNPROVED); /* long ago */
    word.kind = WIRE_PING;
    assert_int_equal(hear(s, now + 3000 * SWIM_MS, &word), SWIM_DROP_UNPROVED);
    drain(s, now + 3000 * SWIM_MS);
    word.kind = WIRE_ACK;
    assert_int_equal(hear(s, now + 3100 * SWIM_MS, &word), SWIM_OK);
    assert_int_equal(status_of(s, 9), SWIM_ALIVE);
    assert_true(find(s, 9).is_proved);
    /* And is sent the table at once. */
    assert_true(next_sent_of(s, now + 3100 * SWIM_MS, WIRE_ANTI_ENTROPY, &sent));
    member_end(s);
}

/* An answer without an echo is enough for somebody new, not for a member's name: not for a capable
 * one's, nor for a plain one's that is there. */
static void test_an_answer_alone_takes_no_members_name(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message word = {.kind = WIRE_PING,
                           .plain = true,
                           .from = 3,
                           .at = addr4(30),
                           .incarnation = 1,
                           .heartbeat = 1000,
                           .unproved = true};
    struct wire_entry self = entry_of(3);
    struct message plain = {.kind = WIRE_ACK, .plain = true, .from = 9};
    struct swim_addr home = addr4(9);

    (void)state;
    assert_int_equal(hear(s, now, &plain), SWIM_OK);
    self.addr = word.at;
    word.entries = &self;
    word.entry_count = 1;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED); /* and is sent a PING */
    word.kind = WIRE_ACK;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    word.from = 9;
    self.id = 9;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_UNPROVED);
    assert_true(is_at(s, 9, &home));
    /* Silent there, it may have moved. */
    self.status = SWIM_SUSPECT;
    self.addr = home;
    self.heartbeat = 900;
    hear_entry(s, now, 2, self);
    assert_int_equal(status_of(s, 9), SWIM_SUSPECT);
    self.addr = word.at;
    self.status = SWIM_ALIVE;
    self.incarnation = 1;
    assert_int_equal(hear(s, now, &word), SWIM_OK);
    assert_true(is_at(s, 9, &word.at));
    member_end(s);
}

/* ---- What may be a repetition ---- */

static enum swim_error hear_unproved(struct swim *s, swim_time now, const struct message *m)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr from = addr4((uint32_t)m->from);
    size_t size = message_write(m, buf);

    return swim_receive_unproved(s, now, &from, buf, size);
}

static void test_a_possible_repetition_is_heard_only_as_an_answer(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry lie = entry_of(2);
    struct message word = {
        .kind = WIRE_GOSSIP, .from = 3, .heartbeat = 9, .entries = &lie, .entry_count = 1};
    struct swim_addr home = addr4(3);

    (void)state;
    lie.status = SWIM_DEAD;
    assert_int_equal(hear_unproved(s, now, &word), SWIM_DROP_UNPROVED);
    assert_int_equal(status_of(s, 2), SWIM_ALIVE);
    word.echo = token_for(s, now, &home, 3);
    word.entry_count = 0;
    assert_int_equal(hear_unproved(s, now, &word), SWIM_OK);
    member_end(s);
}

/* A plain answer could have been recorded: nothing in it is of now. */
static void test_a_plain_answer_may_be_a_repetition(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message word = {.kind = WIRE_ACK, .plain = true, .from = 9, .unproved = true};
    struct swim_addr addr = addr4(9);

    (void)state;
    stranger_expect(s, &addr);
    assert_int_equal(hear_unproved(s, now, &word), SWIM_DROP_UNPROVED);
    assert_int_equal(hear(s, now, &word), SWIM_OK); /* where nothing is sealed, it has to do */
    member_end(s);
}

static void test_the_answer_to_a_probe_is_no_repetition(void **state)
{
    swim_time now;
    struct swim *s = begin(2, &now);
    struct message ack = {.kind = WIRE_ACK, .from = 2, .heartbeat = 9, .has_probe = true};
    struct sent sent;

    (void)state;
    timer_start(s, TIMER_ROUND, 0);
    swim_advance(s, now);
    assert_true(next_sent_of(s, now, WIRE_PING, &sent));
    assert_true(sent.dg.has_probe);
    ack.probe = sent.dg.probe_sequence - 1; /* of an earlier one */
    assert_int_equal(hear_unproved(s, now, &ack), SWIM_DROP_UNPROVED);
    ack.probe = sent.dg.probe_sequence;
    assert_int_equal(hear_unproved(s, now, &ack), SWIM_OK);
    assert_int_equal(stats_of(s).rtt_count, 1);
    assert_int_equal(hear_unproved(s, now, &ack), SWIM_DROP_UNPROVED); /* it is answered */
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_token_is_for_one_address_id_and_secret),
        cmocka_unit_test(test_the_secret_comes_from_the_seed_if_need_be),
        cmocka_unit_test(test_a_token_lives_for_its_epoch_and_the_next),
        cmocka_unit_test(test_the_unknown_are_not_heard_without_an_echo),
        cmocka_unit_test(test_an_echo_opens_the_door_for_one_id_at_one_address),
        cmocka_unit_test(test_a_member_does_not_move_without_an_echo),
        cmocka_unit_test(test_the_told_of_are_known_but_not_proved),
        cmocka_unit_test(test_a_new_address_is_not_proved),
        cmocka_unit_test(test_a_member_may_speak_from_a_second_address),
        cmocka_unit_test(test_an_introduction_of_a_later_life_is_a_strangers),
        cmocka_unit_test(test_an_echo_from_elsewhere_moves_nobody),
        cmocka_unit_test(test_what_is_late_tells_nothing),
        cmocka_unit_test(test_a_plain_answer_replaces_nobody_capable),
        cmocka_unit_test(test_a_plain_peer_is_heard_when_it_was_asked),
        cmocka_unit_test(test_an_answer_alone_takes_no_members_name),
        cmocka_unit_test(test_a_possible_repetition_is_heard_only_as_an_answer),
        cmocka_unit_test(test_a_plain_answer_may_be_a_repetition),
        cmocka_unit_test(test_the_answer_to_a_probe_is_no_repetition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
