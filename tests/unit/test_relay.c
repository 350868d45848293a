/*
 * Indirect probes made for others (src/core/relay.h): who may ask, whom we ask, and what is
 * passed on. SWIM section 3.1; docs/protocol.md section 5.
 */
#include "support.h"

#include "harness.h"

#include "core/clock.h"
#include "core/member.h"

enum {
    REQUESTER = 2,
    TARGET = 3,
    OTHER = 4,
    PLAIN_REQUESTER = 5,
    PLAIN_TARGET = 6,
    LAST = 6,
    MANY = 100
};

static struct swim *begin(swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    for (uint32_t number = 2; number <= LAST; number++) {
        struct message gossip = {
            .kind = WIRE_GOSSIP, .from = number, .plain = number >= PLAIN_REQUESTER};

        assert_int_equal(hear(s, START, &gossip), SWIM_OK);
    }
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

static struct message request_of(uint32_t requester, uint32_t target)
{
    return (struct message){.kind = WIRE_PING_REQ,
                            .from = requester,
                            .plain = requester == PLAIN_REQUESTER,
                            .has_probe = requester != PLAIN_REQUESTER,
                            .probe = 4711,
                            .target = target,
                            .target_addr = addr4(target)};
}

static bool is_to(const struct sent *sent, uint32_t number)
{
    struct swim_addr addr = addr4(number);

    return addr_equal(&sent->to, &addr);
}

/* Asks, and takes the PING that goes out. */
static uint32_t ask(struct swim *s, swim_time now, uint32_t requester, uint32_t target)
{
    struct message request = request_of(requester, target);
    struct sent sent;

    assert_int_equal(hear(s, now, &request), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_PING);
    assert_true(is_to(&sent, target));
    if (target != PLAIN_TARGET) {
        assert_true(sent.dg.has_probe);
        assert_true(sent.dg.has_on_behalf);
        assert_int_equal(sent.dg.on_behalf, requester);
    } else {
        assert_false(sent.dg.has_probe || sent.dg.has_on_behalf);
    }
    assert_int_equal(drain(s, now), 0);
    return sent.dg.probe_sequence;
}

static void ack(struct swim *s, swim_time now, uint32_t from, uint32_t sequence)
{
    struct message message = {.kind = WIRE_ACK,
                              .from = from,
                              .heartbeat = 7,
                              .plain = from == PLAIN_TARGET,
                              .has_probe = from != PLAIN_TARGET,
                              .probe = sequence};

    assert_int_equal(hear(s, now, &message), SWIM_OK);
}

static void assert_relayed(struct swim *s, swim_time now, uint32_t requester, uint32_t target)
{
    struct wire_entry entry;
    struct sent sent;

    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_ACK);
    assert_true(is_to(&sent, requester));
    assert_int_equal(sent.dg.has_probe, requester != PLAIN_REQUESTER);
    assert_int_equal(sent.dg.has_on_behalf, requester != PLAIN_REQUESTER);
    if (requester != PLAIN_REQUESTER) {
        assert_int_equal(sent.dg.probe_sequence, 4711);
        assert_int_equal(sent.dg.on_behalf, target);
    }
    /* The fresh record, which is all that a plain requester understands. */
    assert_true(sent_entry(&sent, target, &entry));
    assert_int_equal(entry.heartbeat, 7);
    assert_int_equal(entry.status, SWIM_ALIVE);
    assert_int_equal(drain(s, now), 0);
}

static void test_the_answer_is_passed_on(void **state)
{
    static const uint32_t pairs[][2] = {{REQUESTER, TARGET},
                                        {PLAIN_REQUESTER, TARGET},
                                        {REQUESTER, PLAIN_TARGET},
                                        {PLAIN_REQUESTER, PLAIN_TARGET}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(pairs); i++) {
        swim_time now;
        struct swim *s = begin(&now);
        uint32_t sequence = ask(s, now, pairs[i][0], pairs[i][1]);

        ack(s, now, pairs[i][1], sequence);
        assert_relayed(s, now, pairs[i][0], pairs[i][1]);
        assert_int_equal(stats_of(s).indirect_relayed, 1);
        /* Once. */
        ack(s, now, pairs[i][1], sequence);
        assert_int_equal(drain(s, now), 0);
        assert_int_equal(s->relay_count, 0);
        member_end(s);
    }
}

/* Several ask about one target: each gets its answer. */
static void test_each_requester_gets_its_own(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t first = ask(s, now, REQUESTER, TARGET);
    uint32_t second = ask(s, now, OTHER, TARGET);

    (void)state;
    assert_int_not_equal(first, second);
    ack(s, now, TARGET, second);
    assert_relayed(s, now, OTHER, TARGET);
    ack(s, now, TARGET, first);
    assert_relayed(s, now, REQUESTER, TARGET);
    member_end(s);
}

static void test_what_is_not_the_answer_is_not_passed_on(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t sequence = ask(s, now, REQUESTER, TARGET);

    (void)state;
    ack(s, now, TARGET, sequence + 1);
    ack(s, now, OTHER, sequence);
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(stats_of(s).indirect_relayed, 0);
    ack(s, now, TARGET, sequence);
    assert_relayed(s, now, REQUESTER, TARGET);
    member_end(s);
}

static void test_too_late_is_not_passed_on(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s;
    swim_time now = START;
    uint32_t sequence;

    (void)state;
    config.probe_timeout_ms = 999;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 3);
    now = settle(s, START, START + 60000 * SWIM_MS);
    sequence = ask(s, now, REQUESTER, TARGET);
    for (swim_time end = now + 1000 * SWIM_MS; swim_deadline(s) < end;) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain(s, now);
    }
    now = START + 120000 * SWIM_MS;
    ack(s, now, TARGET, sequence);
    assert_int_equal(stats_of(s).indirect_relayed, 0);
    member_end(s);
}

static void assert_ignored(struct swim *s, swim_time now, const struct message *request)
{
    assert_int_equal(hear(s, now, request), SWIM_OK);
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(s->relay_count, 0);
}

static void assert_declined(struct swim *s, swim_time now, const struct message *request)
{
    struct sent sent;

    assert_int_equal(hear(s, now, request), SWIM_OK);
    assert_true(next_sent_of(s, now, WIRE_NACK, &sent));
    assert_true(is_to(&sent, REQUESTER));
    assert_int_equal(sent.dg.probe_sequence, request->probe);
    assert_true(sent.dg.on_behalf == request->target);
    assert_int_equal(drain(s, now), 0);
    assert_int_equal(s->relay_count, 0);
}

/* Whoever is not there is not probed; the requester hears so at once, and of the doubt. */
static void test_only_members_are_probed(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message unknown = request_of(REQUESTER, 99);
    struct message dead = request_of(REQUESTER, OTHER);
    struct wire_entry death = entry_of(OTHER);
    struct wire_entry told;
    struct sent sent;

    (void)state;
    assert_declined(s, now, &unknown);
    death.status = SWIM_DEAD;
    hear_entry(s, now, TARGET, death);
    now = settle(s, now, now + 10000 * SWIM_MS);
    dead.has_probe = false; /* understands no NACK: the doubt only */
    assert_int_equal(hear(s, now, &dead), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_true(sent_entry(&sent, OTHER, &told) && told.status == SWIM_SUSPECT);
    assert_int_equal(drain(s, now), 0);
    dead.has_probe = true;
    assert_declined(s, now, &dead);
    s->config.nack = false;
    assert_ignored(s, now, &dead);
    member_end(s);
}

/* The PING goes to where we know the target, whatever address the request gives: nobody can be
 * made to send to an address of the requester's choice. */
static void test_the_given_address_is_not_used(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message request = request_of(REQUESTER, TARGET);
    struct sent sent;

    (void)state;
    request.target_addr = addr4(200);
    assert_int_equal(hear(s, now, &request), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_true(is_to(&sent, TARGET));
    member_end(s);
}

/* A stranger whom a full table can't take is not served. */
static void test_only_members_may_ask(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct message request = request_of(50, TARGET);
    swim_time now;
    struct swim *s;

    (void)state;
    config.members_max = 3;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 3);
    now = settle(s, START, START + 60000 * SWIM_MS);
    assert_ignored(s, now, &request);
    member_end(s);
}

static void test_asked_about_ourselves_we_answer(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message request = request_of(REQUESTER, 1);
    struct sent sent;

    (void)state;
    assert_int_equal(hear(s, now, &request), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_ACK);
    assert_true(is_to(&sent, REQUESTER));
    assert_int_equal(sent.dg.probe_sequence, 4711);
    assert_int_equal(sent.dg.on_behalf, 1);
    assert_int_equal(s->relay_count, 0);
    member_end(s);
}

/* Numbers MANY to MANY + 47 are members too. */
static void meet_many(struct swim *s, swim_time *now)
{
    hear_members(s, *now, MANY, MANY + 47);
    *now = settle(s, *now, *now + 60000 * SWIM_MS);
    drain_events(s);
}

/* One member has one probe under way; whoever asks for more at a time is refused at once. */
static void test_nobody_is_served_without_end(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message request = request_of(REQUESTER, TARGET);
    struct sent sent;

    (void)state;
    for (uint32_t i = 0; i < RELAYS_PER_PEER; i++)
        ask(s, now, REQUESTER, TARGET);
    assert_int_equal(hear(s, now, &request), SWIM_OK);
    assert_true(next_sent(s, now, &sent));
    assert_int_equal(sent.dg.header.kind, WIRE_NACK);
    assert_true(is_to(&sent, REQUESTER));
    assert_int_equal(drain(s, now), 0);
    ask(s, now, OTHER, TARGET);
    now += s->config.probe_interval_ms * SWIM_MS; /* then those are over */
    ask(s, now, REQUESTER, TARGET);
    member_end(s);
}

static void test_the_oldest_give_way(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t sequences[3 * RELAYS_MAX];

    (void)state;
    meet_many(s, &now);
    for (uint32_t i = 0; i < COUNT_OF(sequences); i++) {
        now += SWIM_MS;
        sequences[i] = ask(s, now, MANY + i % 48, TARGET);
        assert_true(s->relay_count <= RELAYS_MAX);
        assert_null(swim_check(s));
    }
    assert_int_equal(s->relay_count, RELAYS_MAX);
    for (uint32_t i = 0; i < COUNT_OF(sequences); i++) {
        uint64_t before = stats_of(s).indirect_relayed;

        ack(s, now, TARGET, sequences[i]);
        assert_int_equal(stats_of(s).indirect_relayed - before, i >= 2 * RELAYS_MAX);
    }
    assert_int_equal(s->relay_count, 0);
    member_end(s);
}

/* ---- NACKs: the target is silent, but we are there ---- */

#define NACK_AFTER (400 * SWIM_MS) /* 80 % of the default time-out */

/* Advances to each deadline up to `until`. Returns how many NACKs went out at the last moment;
 * none may go earlier. */
static uint32_t nacks_at(struct swim *s, swim_time until, struct sent *sent)
{
    uint32_t count = 0;

    while (swim_deadline(s) < until) {
        swim_time now = swim_deadline(s);

        swim_advance(s, now);
        assert_false(next_sent_of(s, now, WIRE_NACK, sent));
    }
    swim_advance(s, until);
    while (next_sent_of(s, until, WIRE_NACK, sent))
        count++;
    return count;
}

static struct swim *begin_with_timeout(uint32_t timeout_ms, bool nack, swim_time *ret_now)
{
    struct swim *s = begin(ret_now);

    s->config.probe_timeout_ms = timeout_ms;
    s->config.nack = nack;
    return s;
}

/* At four fifths of the time-out, to the requester, with its sequence and the target; once. */
static void test_silence_is_reported(void **state)
{
    static const uint32_t timeouts_ms[] = {5, 500, 2000};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(timeouts_ms); i++) {
        swim_time due = timeouts_ms[i] * SWIM_MS / 5 * 4;
        struct sent sent;
        swim_time now;
        struct swim *s = begin_with_timeout(timeouts_ms[i], true, &now);

        ask(s, now, REQUESTER, TARGET);
        assert_true(swim_deadline(s) == now + due);
        assert_int_equal(nacks_at(s, now + due - 1, &sent), 0);
        swim_advance(s, now + due);
        assert_true(next_sent(s, now + due, &sent));
        assert_int_equal(sent.dg.header.kind, WIRE_NACK);
        assert_true(is_to(&sent, REQUESTER));
        assert_true(sent.dg.has_probe && sent.dg.has_on_behalf);
        assert_int_equal(sent.dg.probe_sequence, 4711);
        assert_int_equal(sent.dg.on_behalf, TARGET);
        assert_int_equal(sent.dg.entry_count, 0);
        assert_int_equal(drain(s, now + due), 0);
        assert_int_equal(stats_of(s).nacks_sent, 1);
        assert_false(timer_is_on(s, TIMER_RELAY));
        assert_int_equal(nacks_at(s, now + 10 * due, &sent), 0);
        member_end(s);
    }
}

/* The answer may still come, and is passed on, though late. */
static void test_an_answer_after_the_nack_is_passed_on(void **state)
{
    struct sent sent;
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t sequence = ask(s, now, REQUESTER, TARGET);

    (void)state;
    assert_int_equal(nacks_at(s, now + NACK_AFTER, &sent), 1);
    ack(s, now + NACK_AFTER, TARGET, sequence);
    assert_relayed(s, now + NACK_AFTER, REQUESTER, TARGET);
    member_end(s);
}

static void test_an_answer_spares_the_nack(void **state)
{
    struct sent sent;
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t sequence = ask(s, now, REQUESTER, TARGET);

    (void)state;
    ack(s, now + NACK_AFTER - 1, TARGET, sequence);
    assert_relayed(s, now + NACK_AFTER - 1, REQUESTER, TARGET);
    assert_int_equal(nacks_at(s, now + 10 * NACK_AFTER, &sent), 0);
    assert_int_equal(stats_of(s).nacks_sent, 0);
    member_end(s);
}

/* A plain requester can't read it, and we may be told not to; the target may well be plain. */
static void test_who_gets_no_nack(void **state)
{
    static const struct {
        uint32_t requester, target;
        bool nack;
        uint32_t expected;
    } cases[] = {
        {REQUESTER, TARGET, true, 1},
        {REQUESTER, TARGET, false, 0},
        {REQUESTER, PLAIN_TARGET, true, 1},
        {PLAIN_REQUESTER, TARGET, true, 0},
        {PLAIN_REQUESTER, PLAIN_TARGET, true, 0},
    };

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        struct sent sent;
        swim_time now;
        struct swim *s = begin_with_timeout(500, cases[i].nack, &now);

        ask(s, now, cases[i].requester, cases[i].target);
        assert_int_equal(timer_is_on(s, TIMER_RELAY), cases[i].expected);
        assert_int_equal(nacks_at(s, now + NACK_AFTER, &sent), cases[i].expected);
        assert_int_equal(nacks_at(s, now + 10 * NACK_AFTER, &sent), 0);
        assert_int_equal(stats_of(s).nacks_sent, cases[i].expected);
        member_end(s);
    }
}

/* Requests at various times, some answered: each of the others gets its NACK when it is due. */
static void test_each_nack_has_its_own_time(void **state)
{
    enum { REQUESTS = 20 };
    uint32_t sequences[REQUESTS];
    swim_time began;
    struct swim *s = begin(&began);
    struct sent sent;

    (void)state;
    meet_many(s, &began);
    for (uint32_t i = 0; i < REQUESTS; i++)
        sequences[i] = ask(s, began + i * 10 * SWIM_MS, MANY + i, TARGET);
    for (uint32_t i = 0; i < REQUESTS; i += 3)
        ack(s, began + 300 * SWIM_MS, TARGET, sequences[i]);
    drain(s, began + 300 * SWIM_MS);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        swim_time due = began + i * 10 * SWIM_MS + NACK_AFTER;

        assert_int_equal(nacks_at(s, due, &sent), i % 3 != 0);
    }
    assert_int_equal(nacks_at(s, began + 60000 * SWIM_MS, &sent), 0);
    assert_false(timer_is_on(s, TIMER_RELAY));
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_answer_is_passed_on),
        cmocka_unit_test(test_each_requester_gets_its_own),
        cmocka_unit_test(test_what_is_not_the_answer_is_not_passed_on),
        cmocka_unit_test(test_too_late_is_not_passed_on),
        cmocka_unit_test(test_only_members_are_probed),
        cmocka_unit_test(test_the_given_address_is_not_used),
        cmocka_unit_test(test_only_members_may_ask),
        cmocka_unit_test(test_asked_about_ourselves_we_answer),
        cmocka_unit_test(test_nobody_is_served_without_end),
        cmocka_unit_test(test_the_oldest_give_way),
        cmocka_unit_test(test_silence_is_reported),
        cmocka_unit_test(test_an_answer_after_the_nack_is_passed_on),
        cmocka_unit_test(test_an_answer_spares_the_nack),
        cmocka_unit_test(test_who_gets_no_nack),
        cmocka_unit_test(test_each_nack_has_its_own_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
