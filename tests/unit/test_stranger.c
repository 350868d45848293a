/*
 * Strangers (src/core/stranger.h): they are answered with no more than they sent, once; what goes
 * to addresses that are not proved; clusters by name. docs/protocol.md section 10.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"
#include "core/proof.h"
#include "core/stranger.h"

static struct swim *begin(uint32_t last, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);

    return member_among(&config, last, ret_now);
}

/* Number 1 alone, in a cluster of this name. */
static struct swim *alone(const char *cluster)
{
    struct swim_config config = config_of(1);

    strcpy(config.cluster, cluster);
    return member_begin(&config, START);
}

/* Tag of a cluster's name, as a member of it says it. */
static uint64_t tag_of(const char *cluster)
{
    struct swim *s = alone(cluster);
    uint64_t tag = s->cluster_tag;

    member_end(s);
    return tag;
}

/* ---- Answers ---- */

/* Every kind and size, plain and capable, from a stranger and from one whose address is not
 * proved: no more than one datagram's worth comes back. */
static void test_answers_are_never_larger_than_questions(void **state)
{
    static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING,         WIRE_ACK, WIRE_PING_REQ,
                                    WIRE_LEAVE,  WIRE_ANTI_ENTROPY, WIRE_NACK};
    struct swim_config config = quiet_config_of(1);
    struct wire_entry entries[50];
    struct wire_entry dead = entry_of(9);
    struct swim *s;
    swim_time now;

    (void)state;
    config.dead_retention_ms = 86400000;
    s = member_among(&config, 9, &now);
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 2, dead);
    for (uint32_t i = 0; i < COUNT_OF(entries); i++) {
        entries[i] = entry_of(2 + i % 8); /* all of it old: each entry would be corrected */
        entries[i].status = SWIM_SUSPECT;
    }
    hear_entry(s, now, 2, entry_of(200)); /* told of, not proved */
    drain(s, now);
    for (unsigned i = 0; i < COUNT_OF(kinds) * 2 * 2 * 51; i++) {
        struct message word = {.kind = kinds[i % COUNT_OF(kinds)],
                               .plain = i / COUNT_OF(kinds) % 2,
                               .from = i / COUNT_OF(kinds) / 2 % 2 ? 200 : 300,
                               .unproved = true,
                               .request_ack = true,
                               .has_probe = i / COUNT_OF(kinds) % 2 == 0,
                               .target = 9, /* declined, and corrected */
                               .target_addr = addr4(9),
                               .entries = entries,
                               .entry_count = i / COUNT_OF(kinds) / 4};
        struct swim_addr back = addr4((uint32_t)word.from);
        uint8_t buf[SWIM_DATAGRAM_MAX];
        size_t size;
        size_t answered = 0;
        struct sent sent;

        if (word.plain && word.kind == WIRE_NACK)
            continue;
        if (word.kind == WIRE_PING_REQ || word.kind == WIRE_LEAVE)
            word.entry_count = 0;
        now += 5000 * SWIM_MS;
        size = message_write(&word, buf);
        (void)swim_receive(s, now, &back, buf, size);
        while (next_sent(s, now, &sent)) {
            if (addr_equal(&sent.to, &back))
                answered += sent.size;
        }
        if (answered > size)
            fail_msg("kind %u from %u: %zu bytes for %zu", word.kind, (unsigned)word.from, answered,
                     size);
    }
    assert_int_equal(status_of(s, 300), -1);
    member_end(s);
}

static struct message hello_of(uint32_t number, const struct wire_entry tags[2])
{
    return (struct message){
        .kind = WIRE_PING, .from = number, .unproved = true, .entries = tags, .entry_count = 2};
}

static void set_tags(struct wire_entry tags[2], uint64_t tag)
{
    for (unsigned i = 0; i < 2; i++)
        tags[i] =
            (struct wire_entry){.id = tag, .status = WIRE_STATUS_CLUSTER, .addr = {.family = 4}};
}

/* The whole handshake by hand, from the other side. */
static void test_a_stranger_becomes_a_member(void **state)
{
    swim_time now;
    struct swim *s = begin(9, &now);
    struct wire_entry tags[2];
    struct message hello = hello_of(50, tags);
    struct sent sent;

    (void)state;
    set_tags(tags, 0);
    assert_int_equal(hear(s, now, &hello), SWIM_DROP_UNPROVED);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_ACK);
    assert_true(sent.dg.challenge != 0 && sent.dg.echo == 0);
    assert_false(sent.dg.has_view);  /* a stranger is not told what we know */
    assert_int_equal(sent.size, 72); /* and has as much room for the rest as it gave */
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(s->slots_used, 9); /* nothing was kept */

    hello.entry_count = 0;
    hello.echo = sent.dg.challenge;
    hello.challenge = 4711;
    hello.has_view = true;
    hello.view_count = 1;
    assert_int_equal(hear(s, now, &hello), SWIM_OK);
    assert_int_equal(status_of(s, 50), SWIM_ALIVE);
    while (next_sent(s, now, &sent) && sent.dg.header.kind != WIRE_ACK) {
    }
    assert_true(sent.dg.challenge == 0 && sent.dg.echo == 4711);
    assert_true(next_sent_of(s, now, WIRE_ANTI_ENTROPY, &sent));
    assert_true(sent.dg.echo == 4711 && sent.dg.entry_count == 10);
    member_end(s);
}

/* Where there is no room for a challenge that is said, and the probe is answered all the same. */
static void test_a_probe_leaves_no_room(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message probe = {.kind = WIRE_PING,
                            .from = 50,
                            .unproved = true,
                            .has_probe = true,
                            .probe = 9,
                            .has_view = true};
    struct sent sent;

    (void)state;
    assert_int_equal(hear(s, now, &probe), SWIM_DROP_UNPROVED);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_ACK);
    assert_true(sent.dg.has_probe && sent.dg.probe_sequence == 9);
    assert_true(sent.dg.has_token && !sent.dg.challenge && !sent.dg.echo);
    member_end(s);
}

/* And whoever gets that answer makes room, once an interval. */
static void test_an_empty_token_is_answered_with_room(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message ack = {.kind = WIRE_ACK, .from = 2, .heartbeat = 9};
    struct swim_addr two = addr4(2);
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;
    struct sent sent;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct wire_header header = {
            .kind = WIRE_ACK, .capabilities = WIRE_CAPABLE, .sender_id = ack.from, .heartbeat = 9};

        wire_begin(&b, buf, sizeof buf, &header);
        assert_true(wire_put_record(&b, WIRE_EXT_TOKEN, NULL, 0));
        assert_int_equal(swim_receive(s, now, &two, buf, wire_finish(&b)), SWIM_OK);
    }
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_true(sent.size >= 26 + 15 + 48);
    assert_int_equal(drain(s, now), 0);
    member_end(s);
}

/* Answers to answers end, whatever a peer makes of them. */
static void test_nobody_can_keep_us_answering(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct swim_addr seed = addr4(50);
    struct message ack = {.kind = WIRE_ACK, .from = 50, .unproved = true, .challenge = 1};
    uint32_t answers = 0;

    (void)state;
    assert_int_equal(hear(s, now, &ack), SWIM_DROP_UNPROVED);
    assert_int_equal(drain(s, now), 0); /* nobody has asked it */
    assert_true(swim_join(s, now, &seed));
    assert_int_equal(drain(s, now), 1);
    for (unsigned i = 0; i < 100; i++) {
        ack.challenge++;
        assert_int_equal(hear(s, now, &ack), SWIM_DROP_UNPROVED);
        answers += drain(s, now);
    }
    assert_int_equal(answers, 2);
    member_end(s);
}

/* A member that does not know us where we are now says so in answer to whatever it is sent, not only
 * to PINGs: it is met, so that it hears us, but not without end. One that knows us waits for the
 * next probe. */
static void test_a_challenge_in_answer_to_news_is_met(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct message ack = {.kind = WIRE_ACK, .from = 2, .challenge = 4711};
    struct sent sent;
    uint32_t answers = 0;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        ack.has_view = true;
        ack.view_digest = s->digest;
        ack.view_count = 3;
        assert_int_equal(hear(s, now, &ack), SWIM_OK);
        assert_int_equal(drain(s, now), 0);
    }
    ack.has_view = false;
    assert_int_equal(hear(s, now, &ack), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_int_equal(addr4_number(&sent.to), 2);
    assert_true(sent.dg.echo == 4711);
    for (unsigned i = 0; i < 1000; i++) {
        now += 10 * SWIM_MS;
        ack.challenge++;
        assert_int_equal(hear(s, now, &ack), SWIM_OK);
        while (next_sent(s, now, &sent)) {
            assert_true(sent.dg.echo == ack.challenge);
            answers++;
        }
    }
    assert_in_range(answers, 1, 2 * 6); /* two in two seconds */
    member_end(s);
}

/* A seed's challenge is worth keeping: the next try begins with it. */
static void test_the_next_try_begins_where_the_last_one_ended(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    struct swim_addr seed = addr4(50);
    struct message ack = {.kind = WIRE_ACK, .from = 50, .unproved = true, .challenge = 4711};
    struct sent sent;

    (void)state;
    assert_true(swim_join(s, START, &seed));
    assert_true(next_sent(s, START, &sent));
    assert_false(sent.dg.has_token);
    assert_int_equal(hear(s, START, &ack), SWIM_DROP_UNPROVED);
    assert_true(next_sent(s, START, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_true(sent.dg.echo == 4711 && sent.dg.challenge != 0);
    swim_advance(s, START + 100 * SWIM_MS); /* that was lost */
    assert_true(next_sent(s, START + 100 * SWIM_MS, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_true(sent.dg.echo == 4711);
    assert_true(sent.dg.challenge == token_for(s, START + 100 * SWIM_MS, &seed, 50));
    member_end(s);
}

/* More questions than datagrams can wait: the rest is not answered, and counted. */
static void test_the_outbox_is_bounded(void **state)
{
    swim_time now;
    struct swim *s = begin(3, &now);
    struct wire_entry tags[2];

    (void)state;
    set_tags(tags, 0);
    for (uint32_t number = 1000; number < 1000 + OUTBOX_MAX + 100; number++) {
        struct message hello = hello_of(number, tags);

        assert_int_equal(hear(s, now, &hello), SWIM_DROP_UNPROVED);
        assert_null(swim_check(s));
    }
    assert_int_equal(stats_of(s).outbox_full, 100);
    assert_int_equal(drain(s, now), OUTBOX_MAX);
    member_end(s);
}

/* Who leaves between its echo and the answer to that may be a member where it knows nobody. */
static void test_a_leave_is_told_to_those_who_may_know_us(void **state)
{
    static const struct {
        swim_time later;
        uint64_t challenge;
        bool is_told;
    } cases[] = {{0, 4711, true}, {0, 0, false}, {3000 * SWIM_MS, 4711, false}};
    struct swim_config config = config_of(1);
    struct swim_addr seed = addr4(50);

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct message ack = {
            .kind = WIRE_ACK, .from = 50, .unproved = true, .challenge = cases[i].challenge};
        struct swim *s = member_begin(&config, START);
        struct sent sent;

        assert_true(swim_join(s, START, &seed));
        assert_int_equal(hear(s, START, &ack), SWIM_DROP_UNPROVED);
        drain(s, START);
        swim_leave(s, START + cases[i].later);
        assert_true(swim_has_left(s));
        assert_true(next_sent(s, START + cases[i].later, &sent) == cases[i].is_told);
        if (cases[i].is_told) {
            assert_int_equal(sent.dg.header.kind, WIRE_LEAVE);
            assert_true(addr_equal(&sent.to, &seed));
            assert_false(sent.dg.header.flags & WIRE_FLAG_REQUEST_ACK);
        }
        member_end(s);
    }
}

/* ---- What goes to addresses that are not proved ---- */

static bool tells_of_anybody(const struct sent *sent)
{
    struct reader entries = sent->dg.entries;
    struct wire_entry entry;

    while (wire_next_entry(&entries, &entry)) {
        if (entry.status != WIRE_STATUS_CLUSTER)
            return true;
    }
    return false;
}

static void test_no_synchronisation_without_proof(void **state)
{
    (void)state;
    for (unsigned is_proved = 0; is_proved < 2; is_proved++) {
        swim_time now;
        struct swim *s = begin(3, &now);
        struct message ping = {.kind = WIRE_PING,
                               .from = 9,
                               .has_view = true,
                               .view_digest = 1,
                               .view_count = 1000,
                               .unproved = !is_proved};
        struct sent sent;

        hear_entry(s, now, 2, entry_of(9));
        drain(s, now);
        s->config.anti_entropy_interval_ms = 1000;
        now += 60000 * SWIM_MS;
        assert_int_equal(hear(s, now, &ping), SWIM_OK);
        assert_int_equal(next_sent_of(s, now, WIRE_SYNC, &sent), is_proved);
        member_end(s);
    }
}

/* Whoever is only told of gets no table, whatever is said in its name. */
static void test_no_table_without_proof(void **state)
{
    swim_time now;
    struct swim *s = begin(9, &now);
    struct message ping = {
        .kind = WIRE_PING, .from = 200, .incarnation = 5, .has_probe = true, .unproved = true};
    struct swim_addr victim = addr4(200);
    uint32_t bytes = 0;
    struct sent sent;

    (void)state;
    hear_entry(s, now, 2, entry_of(200));
    drain(s, now);
    assert_int_equal(hear(s, now, &ping), SWIM_OK);
    while (next_sent(s, now, &sent)) {
        if (addr_equal(&sent.to, &victim))
            bytes += (uint32_t)sent.size;
    }
    assert_in_range(bytes, 1, 33);
    member_end(s);
}

static void test_only_probes_go_where_nothing_is_proved(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    swim_time now = START;
    struct sent sent;
    uint32_t pings = 0;

    (void)state;
    hear_members(s, START, 2, 2);
    for (uint32_t i = 100; i < 140; i++) /* ghosts, at addresses of somebody's choice */
        hear_entry(s, START, 2, entry_of(i));
    while (now < START + 4000 * SWIM_MS) {
        while (next_sent(s, now, &sent)) {
            if (addr4_number(&sent.to) < 100)
                continue;
            assert_true(sent.dg.header.kind == WIRE_PING || sent.dg.header.kind == WIRE_PING_REQ);
            assert_true(sent.size <= 200);
            assert_false(tells_of_anybody(&sent));
            pings += sent.dg.header.kind == WIRE_PING;
        }
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
    }
    assert_in_range(pings, 3, 200);
    member_end(s);
}

/* ---- Clusters ---- */

static void test_a_name_keeps_strangers_out(void **state)
{
    static const struct {
        const char *ours, *theirs;
        bool meet;
    } cases[] = {{"", "", true},
                 {"blue", "blue", true},
                 {"blue", "red", false},
                 {"blue", "", false},
                 {"", "red", false}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        swim_time now = START;
        struct swim *s = alone(cases[i].ours);
        uint64_t tag = tag_of(cases[i].theirs);
        struct swim_addr addr = addr4(50);
        struct wire_entry tags[2];
        struct message hello = hello_of(50, tags);
        struct sent sent;

        set_tags(tags, tag);
        assert_int_equal(hear(s, now, &hello),
                         cases[i].meet ? SWIM_DROP_UNPROVED : SWIM_DROP_CLUSTER);
        assert_true(next_sent(s, now, &sent)); /* both sides are to know */
        assert_int_equal(sent.dg.header.kind, WIRE_ACK);
        assert_true((sent.dg.challenge != 0) == cases[i].meet);
        assert_true(sent.dg.has_cluster == (cases[i].ours[0] != 0));
        assert_true(sent.dg.cluster == tag_of(cases[i].ours));

        hello.entry_count = 0;
        hello.echo = token_for(s, now, &addr, 50);
        hello.cluster = tag;
        assert_int_equal(hear(s, now, &hello), cases[i].meet ? SWIM_OK : SWIM_DROP_CLUSTER);
        assert_int_equal(status_of(s, 50), cases[i].meet ? SWIM_ALIVE : -1);
        assert_int_equal(stats_of(s).drop_cluster, cases[i].meet ? 0 : 2);
        member_end(s);
    }
}

/* The table may be the first that a newcomer hears: it is not to take it for another cluster's. */
static void test_a_table_says_its_cluster(void **state)
{
    struct swim *s = alone("blue");
    struct message hello = {.kind = WIRE_PING, .from = 50, .unproved = true, .challenge = 4711};
    struct swim_addr addr = addr4(50);
    struct sent sent;

    (void)state;
    hello.cluster = tag_of("blue");
    hello.echo = token_for(s, START, &addr, 50);
    assert_int_equal(hear(s, START, &hello), SWIM_OK);
    assert_true(next_sent_of(s, START, WIRE_ANTI_ENTROPY, &sent));
    assert_true(sent.dg.echo == 4711 && sent.dg.cluster == hello.cluster);
    member_end(s);
}

static void test_plain_peers_have_no_name(void **state)
{
    swim_time now = START;
    struct swim *s = alone("blue");
    struct message word = {.kind = WIRE_PING, .plain = true, .from = 50, .unproved = true};

    (void)state;
    assert_int_equal(hear(s, now, &word), SWIM_DROP_CLUSTER);
    assert_int_equal(drain(s, now), 0);
    member_end(s);
}

/* What a member of another cluster answers to our tries is dropped, and said to the host. */
static void test_a_seed_of_another_cluster_is_not_met(void **state)
{
    struct swim_addr seed = addr4(50);
    struct message ack = {.kind = WIRE_ACK, .from = 50, .unproved = true};
    struct swim *s = alone("blue");
    struct sent sent;

    (void)state;
    assert_true(swim_join(s, START, &seed));
    assert_true(next_sent(s, START, &sent));
    ack.cluster = tag_of("red");
    assert_int_equal(hear(s, START, &ack), SWIM_DROP_CLUSTER);
    assert_int_equal(drain(s, START), 0);
    member_end(s);
}

/* Names are compared by a digest of 64 bits; it is the same for everybody. */
static void test_tags_are_fixed(void **state)
{
    (void)state;
    assert_true(tag_of("") == 0);
    assert_true(tag_of("blue") == UINT64_C(0x34c9fe92f34b76ed));
    assert_true(tag_of("blue") != tag_of("bluf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_are_never_larger_than_questions),
        cmocka_unit_test(test_a_stranger_becomes_a_member),
        cmocka_unit_test(test_a_probe_leaves_no_room),
        cmocka_unit_test(test_an_empty_token_is_answered_with_room),
        cmocka_unit_test(test_nobody_can_keep_us_answering),
        cmocka_unit_test(test_a_challenge_in_answer_to_news_is_met),
        cmocka_unit_test(test_the_next_try_begins_where_the_last_one_ended),
        cmocka_unit_test(test_the_outbox_is_bounded),
        cmocka_unit_test(test_a_leave_is_told_to_those_who_may_know_us),
        cmocka_unit_test(test_no_synchronisation_without_proof),
        cmocka_unit_test(test_no_table_without_proof),
        cmocka_unit_test(test_a_table_says_its_cluster),
        cmocka_unit_test(test_only_probes_go_where_nothing_is_proved),
        cmocka_unit_test(test_a_name_keeps_strangers_out),
        cmocka_unit_test(test_plain_peers_have_no_name),
        cmocka_unit_test(test_a_seed_of_another_cluster_is_not_met),
        cmocka_unit_test(test_tags_are_fixed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
