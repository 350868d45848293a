/*
 * Contacts (src/core/contact.h): seeds and the addresses of the dead are tried again, at bounded
 * rates, alone and in company. docs/protocol.md section 5, "healing".
 */
#include "support.h"

#include "harness.h"

#include "core/contact.h"
#include "core/member.h"

#define MINUTE (60000 * SWIM_MS)

/* Calls at each deadline until `until`. Counts the PINGs by the last byte of their address. */
static void live(struct swim *s, swim_time until, uint32_t *ret_pings)
{
    struct sent sent;

    for (;;) {
        swim_time now = swim_deadline(s) > s->now ? swim_deadline(s) : s->now;

        while (next_sent(s, s->now, &sent)) {
            assert_int_equal(sent.dg.header.kind, WIRE_PING);
            ret_pings[sent.to.ip[2] << 8 | sent.to.ip[3]]++;
        }
        if (now > until)
            break;
        swim_advance(s, now);
    }
    swim_advance(s, until);
}

static void join(struct swim *s, uint32_t number)
{
    struct swim_addr addr = addr4(number);

    assert_true(swim_join(s, s->now, &addr));
}

static void test_alone_with_a_seed(void **state)
{
    static const uint32_t tries_ms[] = {0, 100, 300, 700, 1105, 1515, 1930, 2350};
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    static uint32_t pings[65536];
    uint32_t first_minutes;

    (void)state;
    memset(pings, 0, sizeof pings);
    join(s, 50);
    for (uint32_t i = 0; i < COUNT_OF(tries_ms); i++) { /* quickly at first */
        if (i > 0)
            live(s, START + tries_ms[i] * SWIM_MS - 1, pings);
        assert_int_equal(pings[50], i);
        live(s, START + tries_ms[i] * SWIM_MS, pings);
        assert_int_equal(pings[50], i + 1);
    }
    live(s, START + MINUTE, pings);
    assert_in_range(pings[50], 96, 98);
    live(s, START + 2 * MINUTE, pings);
    first_minutes = pings[50];
    live(s, START + 10 * MINUTE, pings);
    assert_in_range(pings[50] - first_minutes, 479, 481); /* and then one a second */
    assert_int_equal(stats_of(s).contacts_tried, pings[50]);
    member_end(s);
}

static void test_alone_with_many_seeds(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    static uint32_t pings[65536];
    uint32_t total = 0;

    (void)state;
    memset(pings, 0, sizeof pings);
    for (uint32_t i = 0; i < SWIM_SEEDS_MAX; i++)
        join(s, 100 + i);
    live(s, START + 10 * MINUTE, pings);
    for (uint32_t i = 0; i < SWIM_SEEDS_MAX; i++) {
        total += pings[100 + i];
        /* In turn. */
        assert_in_range(pings[100 + i], 3 * 637 / SWIM_SEEDS_MAX - 3, 3 * 647 / SWIM_SEEDS_MAX + 3);
    }
    assert_in_range(total, 3 * 627, 3 * 647 + SWIM_SEEDS_MAX); /* 37 more than one a second */
    member_end(s);
}

static void test_seeds_are_bounded(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    struct swim_addr one_more = addr4(500);
    struct swim_addr first = addr4(100);

    (void)state;
    for (uint32_t i = 0; i < SWIM_SEEDS_MAX; i++)
        join(s, 100 + i);
    assert_false(swim_join(s, START, &one_more));
    assert_true(swim_join(s, START, &first)); /* held already */
    swim_unjoin(s, &first);
    assert_true(swim_join(s, START, &one_more));
    assert_false(swim_join(s, START, &first));
    member_end(s);
}

static void test_what_is_no_seed_is_ignored(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    struct swim_addr none = {0};
    struct swim_addr portless = {.family = 4, .ip = {10, 0, 0, 9}};
    struct swim_addr mapped = {
        .family = 6, .port = 7000, .ip = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 1}};

    (void)state;
    join(s, 1);
    assert_true(swim_join(s, START, &none));
    assert_true(swim_join(s, START, &portless));
    assert_true(swim_join(s, START, &mapped)); /* ourselves */
    assert_true(swim_deadline(s) == SWIM_NEVER);
    assert_int_equal(drain(s, START), 0);
    member_end(s);
}

static void test_unjoin_ends_it(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    static uint32_t pings[65536];
    struct swim_addr seed = addr4(50);

    (void)state;
    memset(pings, 0, sizeof pings);
    join(s, 50);
    join(s, 51);
    live(s, START + MINUTE, pings);
    swim_unjoin(s, &seed);
    pings[50] = 0;
    live(s, START + 2 * MINUTE, pings);
    assert_int_equal(pings[50], 0);
    assert_true(pings[51] > 100);
    seed = addr4(51);
    swim_unjoin(s, &seed);
    live(s, START + 3 * MINUTE, pings);
    assert_true(swim_deadline(s) == SWIM_NEVER);
    member_end(s);
}

/* ---- In company: number 2 lives and answers; the pings to others are counted ---- */

struct watch {
    uint32_t pings[65536];
    uint64_t others;
};

static void watch_pings(void *context, uint32_t from, const struct sent *sent)
{
    struct watch *watch = context;
    uint32_t number = (uint32_t)sent->to.ip[2] << 8 | sent->to.ip[3];

    if (from == 0 && sent->dg.header.kind == WIRE_PING)
        watch->pings[number]++;
    if (number > 2)
        watch->others++;
}

static void begin_pair(struct net *net, struct watch *watch)
{
    struct swim_addr peer = addr4(2);

    memset(watch, 0, sizeof *watch);
    net_begin(net, START);
    for (uint32_t number = 1; number <= 2; number++) {
        struct swim_config config = config_of(number);

        config.members_max = 4096;
        net_add(net, &config);
    }
    assert_true(swim_join(net->members[0], START, &peer));
    net_run(net, START + 5000 * SWIM_MS);
    assert_int_equal(swim_member_count(net->members[0], SWIM_ALIVE), 2);
    net->watch = watch_pings;
    net->context = watch;
}

static void test_in_company_a_seed_is_tried_rarely(void **state)
{
    static struct watch watch;
    struct net net;

    (void)state;
    begin_pair(&net, &watch);
    join(net.members[0], 50);
    net_run(&net, net.now + MINUTE);
    memset(&watch, 0, sizeof watch);
    net_run(&net, net.now + 10 * MINUTE);
    assert_in_range(watch.pings[50], 59, 61); /* one in ten seconds */
    assert_int_equal(watch.others, watch.pings[50]);
    net_end(&net);
}

/* A cluster is started, and one seed is later than the others. */
static void test_in_company_a_seed_is_tried_soon_at_first(void **state)
{
    static const uint32_t seconds[] = {1, 3, 10, 20, 30};
    static struct watch watch;
    struct swim_addr addr;
    struct net net;
    swim_time begin;

    (void)state;
    begin_pair(&net, &watch);
    for (uint32_t seed = 50; seed <= 51; seed++) { /* the second one is new in its turn */
        begin = net.now;
        addr = addr4(seed);
        assert_true(swim_join(net.members[0], begin, &addr));
        net_run(&net, begin + 500 * SWIM_MS);
        assert_int_equal(watch.pings[seed], 1); /* at once */
        for (uint32_t i = 0; i < COUNT_OF(seconds); i++) {
            net_run(&net, begin + seconds[i] * 1000 * SWIM_MS + 100 * SWIM_MS);
            assert_int_equal(watch.others, 2 + i);
        }
        swim_unjoin(net.members[0], &addr);
        watch.others = 0;
    }
    net_end(&net);
}

static void die(struct swim *s, swim_time now, uint32_t number, enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    hear_entry(s, now, 2, entry);
    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
    assert_int_equal(status_of(s, number), (int)status);
}

static void test_in_company_the_dead_are_tried_rarely(void **state)
{
    static struct watch watch;
    struct net net;
    uint32_t total = 0;

    (void)state;
    begin_pair(&net, &watch);
    for (uint32_t number = 100; number < 130; number++)
        die(net.members[0], net.now, number, SWIM_DEAD);
    net_run(&net, net.now + MINUTE); /* the tombstones are gone */
    memset(&watch, 0, sizeof watch);
    net_run(&net, net.now + 10 * MINUTE);
    for (uint32_t number = 100; number < 130; number++) {
        assert_in_range(watch.pings[number], 1, 3); /* in turn */
        total += watch.pings[number];
    }
    assert_in_range(total, 59, 61);
    net_end(&net);
}

static void test_who_left_is_not_tried(void **state)
{
    static struct watch watch;
    struct net net;

    (void)state;
    begin_pair(&net, &watch);
    die(net.members[0], net.now, 100, SWIM_LEFT);
    net_run(&net, net.now + 10 * MINUTE);
    assert_int_equal(watch.pings[100], 0);
    assert_int_equal(net.members[0]->healing.contact_count, 0);
    net_end(&net);
}

static void test_alone_the_dead_are_tried_every_second(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    struct wire_entry dead = entry_of(3);
    static uint32_t pings[65536];

    (void)state;
    memset(pings, 0, sizeof pings);
    hear_members(s, START, 2, 3);
    drain(s, START);
    dead.status = SWIM_DEAD;
    hear_entry(s, START, 2, dead);
    dead.id = 2;
    dead.addr = addr4(2);
    hear_entry(s, START, 3, dead); /* the last word of the other one */
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), 1);
    drain(s, START);
    live(s, START + 10 * MINUTE, pings);
    assert_in_range(pings[2], 313, 328); /* in turn, one a second in all, and 37 more at first */
    assert_in_range(pings[3], 313, 328);
    member_end(s);
}

static void test_whoever_lives_again_is_no_contact(void **state)
{
    static struct watch watch;
    struct net net;
    struct message back = {.kind = WIRE_GOSSIP, .from = 100, .incarnation = 1};

    (void)state;
    begin_pair(&net, &watch);
    die(net.members[0], net.now, 100, SWIM_DEAD);
    assert_int_equal(net.members[0]->healing.contact_count, 1);
    assert_int_equal(hear(net.members[0], net.now, &back), SWIM_OK);
    swim_advance(net.members[0], net.now);
    contact_try(net.members[0]);
    assert_int_equal(net.members[0]->healing.contact_count, 0);
    net_end(&net);
}

static void test_contacts_are_bounded(void **state)
{
    static struct watch watch;
    struct net net;
    struct swim *s;

    (void)state;
    begin_pair(&net, &watch);
    s = net.members[0];
    for (uint32_t number = 10; number < 10 + 3 * SWIM_CONTACTS_MAX / 2; number++) {
        die(s, net.now, number, SWIM_DEAD);
        drain(s, net.now);
    }
    assert_int_equal(s->healing.contact_count, SWIM_CONTACTS_MAX);
    /* The latest are kept, each once. */
    for (uint32_t i = 0; i < SWIM_CONTACTS_MAX; i++) {
        const struct swim_addr *addr = &contacts_of(s)[i].addr;
        uint32_t number = (uint32_t)addr->ip[2] << 8 | addr->ip[3];

        assert_in_range(number, 10 + SWIM_CONTACTS_MAX / 2, 9 + 3 * SWIM_CONTACTS_MAX / 2);
        for (uint32_t j = 0; j < i; j++)
            assert_false(addr_equal(addr, &contacts_of(s)[j].addr));
    }
    net_end(&net);
}

/* Found again each, also those that were moved to where others were dropped. */
static void test_contacts_are_found_by_their_address(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);

    (void)state;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t number = 10; number < 10 + SWIM_CONTACTS_MAX; number++) {
            struct swim_addr addr = addr4(number);

            contact_remember(s, &addr);
        }
        assert_int_equal(s->healing.contact_count, SWIM_CONTACTS_MAX);
        assert_null(swim_check(s));
        for (uint32_t number = 10 + round; number < 10 + SWIM_CONTACTS_MAX; number += 3) {
            struct swim_addr addr = addr4(number);
            uint32_t count = s->healing.contact_count;

            contact_drop(s, &addr);
            contact_drop(s, &addr);
            assert_int_equal(s->healing.contact_count, count - 1);
        }
        assert_null(swim_check(s));
    }
    member_end(s);
}

static void test_an_address_is_remembered_once(void **state)
{
    static struct watch watch;
    struct net net;

    (void)state;
    begin_pair(&net, &watch);
    for (uint32_t i = 1; i <= 5; i++) {
        struct wire_entry entry = entry_of(100);

        entry.incarnation = i;
        hear_entry(net.members[0], net.now, 2, entry);
        entry.status = SWIM_DEAD;
        hear_entry(net.members[0], net.now, 2, entry);
    }
    assert_int_equal(net.members[0]->healing.contact_count, 1);
    net_end(&net);
}

/* For a day, and no longer. */
static void test_contacts_are_given_up_after_a_day(void **state)
{
    struct swim_config config = config_of(1);
    struct swim *s = member_begin(&config, START);
    static uint32_t pings[65536];
    struct wire_entry dead = entry_of(2);

    (void)state;
    memset(pings, 0, sizeof pings);
    hear_members(s, START, 2, 2);
    dead.status = SWIM_DEAD;
    hear_entry(s, START, 9, dead); /* an accuser that we do not know: */
    dead = entry_of(9);
    dead.status = SWIM_DEAD;
    hear_entry(s, START, 2, dead);
    drain(s, START);
    live(s, START + 24 * 60 * MINUTE - MINUTE, pings);
    assert_int_equal(s->healing.contact_count, 2);
    assert_in_range(pings[2] + pings[9], 24 * 3600 - 63, 24 * 3600 + 47);
    live(s, START + 24 * 60 * MINUTE + MINUTE, pings);
    assert_int_equal(s->healing.contact_count, 0);
    assert_true(swim_deadline(s) == SWIM_NEVER);
    member_end(s);
}

/* Two members that died to each other find each other without seeds. */
static void test_a_long_partition_heals(void **state)
{
    static struct watch watch;
    struct net net;

    (void)state;
    begin_pair(&net, &watch);
    net.cut[1] = true;
    net_run(&net, net.now + 20 * MINUTE);
    assert_int_equal(status_of(net.members[0], 2), -1); /* dead, and forgotten */
    net.cut[1] = false;
    net_run(&net, net.now + 5000 * SWIM_MS);
    assert_int_equal(status_of(net.members[0], 2), SWIM_ALIVE);
    assert_int_equal(status_of(net.members[1], 1), SWIM_ALIVE);
    net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_with_a_seed),
        cmocka_unit_test(test_alone_with_many_seeds),
        cmocka_unit_test(test_seeds_are_bounded),
        cmocka_unit_test(test_what_is_no_seed_is_ignored),
        cmocka_unit_test(test_unjoin_ends_it),
        cmocka_unit_test(test_in_company_a_seed_is_tried_rarely),
        cmocka_unit_test(test_in_company_a_seed_is_tried_soon_at_first),
        cmocka_unit_test(test_in_company_the_dead_are_tried_rarely),
        cmocka_unit_test(test_who_left_is_not_tried),
        cmocka_unit_test(test_alone_the_dead_are_tried_every_second),
        cmocka_unit_test(test_whoever_lives_again_is_no_contact),
        cmocka_unit_test(test_contacts_are_bounded),
        cmocka_unit_test(test_contacts_are_found_by_their_address),
        cmocka_unit_test(test_an_address_is_remembered_once),
        cmocka_unit_test(test_contacts_are_given_up_after_a_day),
        cmocka_unit_test(test_a_long_partition_heals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
