/*
 * Indirect probes made for others (src/core/relay.h): who may ask, whom we ask, and what is
 * passed on. SWIM section 3.1; docs/protocol.md section 5.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"

enum { REQUESTER = 2, TARGET = 3, OTHER = 4, PLAIN_REQUESTER = 5, PLAIN_TARGET = 6, LAST = 6 };

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

static void test_only_members_are_probed(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message unknown = request_of(REQUESTER, 99);
    struct message dead = request_of(REQUESTER, OTHER);
    struct wire_entry death = entry_of(OTHER);

    (void)state;
    assert_ignored(s, now, &unknown);
    death.status = SWIM_DEAD;
    hear_entry(s, now, TARGET, death);
    now = settle(s, now, now + 10000 * SWIM_MS);
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

static void test_the_oldest_give_way(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    uint32_t sequences[3 * RELAYS_MAX];

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(sequences); i++) {
        now += SWIM_MS;
        sequences[i] = ask(s, now, REQUESTER, TARGET);
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
        cmocka_unit_test(test_the_oldest_give_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
