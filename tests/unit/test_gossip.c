/*
 * Dissemination (src/core/gossip.h): how often news is told, in which order, how much of it a
 * datagram takes, and that there is silence when there is none. docs/protocol.md section 7.
 * Everything that a member sends is drained and counted.
 */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/claim.h"
#include "core/clock.h"
#include "core/gossip.h"
#include "core/member.h"

enum { NUMBERS = 2048 };

/* Entries by number, in everything that was sent. */
static uint32_t told[NUMBERS];

static void count_told(const struct sent *sent)
{
    struct reader entries = sent->dg.entries;
    struct wire_entry entry;

    while (wire_next_entry(&entries, &entry)) {
        if (entry.status == WIRE_STATUS_CLUSTER)
            continue; /* a try of healing */
        assert_in_range(entry.id, 1, NUMBERS - 1);
        told[entry.id]++;
    }
}

static void drain_counting(struct swim *s, swim_time now)
{
    struct sent sent;

    while (next_sent(s, now, &sent))
        count_told(&sent);
}

/* Number 1 with the members 2 .. last, and no news left. */
static struct swim *with_members(const struct swim_config *config, uint32_t last,
                                 swim_time *ret_now)
{
    struct swim *s = member_begin(config, START);

    hear_members(s, START, 2, last);
    *ret_now = settle(s, START, START + 600000 * SWIM_MS);
    assert_int_equal(stats_of(s).news_queued, 0);
    memset(told, 0, sizeof told);
    return s;
}

static void news_of(struct swim *s, swim_time now, uint32_t number, uint32_t incarnation)
{
    struct wire_entry entry = entry_of(number);

    entry.incarnation = incarnation;
    hear_entry(s, now, 2, entry);
}

/* Until nothing is left to tell. */
static swim_time tell_all(struct swim *s, swim_time now)
{
    drain_counting(s, now);
    while (stats_of(s).news_queued > 0) {
        assert_true(swim_deadline(s) <= now + 3600 * 1000 * SWIM_MS);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain_counting(s, now);
    }
    return now;
}

/* lambda * ceil(log2(n + 1)). */
static uint32_t limit_of(uint32_t lambda, uint32_t n)
{
    uint32_t log = 0;

    while ((1u << log) < n + 1)
        log++;
    return lambda * log;
}

static void test_each_item_is_told_so_often_and_no_more(void **state)
{
    static const uint32_t sizes[] = {3, 4, 7, 8, 20, 63, 64, 300};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        for (uint32_t lambda = 1; lambda <= 12; lambda += 11) {
            struct swim_config config = quiet_config_of(1);
            uint32_t n = sizes[i];
            swim_time now;
            struct swim *s;

            config.retransmit_multiplier = lambda;
            s = with_members(&config, n, &now);
            news_of(s, now, 3, 1);
            now = tell_all(s, now);
            assert_int_equal(told[3], limit_of(lambda, n));
            /* Many at once: each as often. */
            memset(told, 0, sizeof told);
            for (uint32_t number = 3; number <= n; number++)
                news_of(s, now, number, 2);
            tell_all(s, now);
            for (uint32_t number = 3; number <= n; number++)
                assert_int_equal(told[number], limit_of(lambda, n));
            member_end(s);
        }
    }
}

/* What others tell counts like a transmission; that the one who leaves repeats itself does not: all
 * that it shows is that our acknowledgement was lost, or that the network doubles datagrams. */
static void test_what_others_tell_counts(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct message leave = {.kind = WIRE_LEAVE, .from = 3, .heartbeat = 5};
    struct wire_entry left = entry_of(3);
    swim_time now;
    struct swim *s = with_members(&config, 40, &now);

    (void)state;
    left.status = SWIM_LEFT;
    left.heartbeat = leave.heartbeat;
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(hear(s, now, &leave), SWIM_OK);
    hear_entry(s, now, 4, left);
    hear_entry(s, now, 5, left);
    tell_all(s, now);
    /* And a correction, to itself: its repetition came from one that we hold as left. */
    assert_int_equal(told[3], limit_of(3, 39) - 2 + 1);
    member_end(s);
}

/* After every single datagram, what a member is charged with is what was really written. */
static void test_charged_exactly_when_written(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct prng prng;
    swim_time now;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed("gossip"));
    config.adaptive_fanout = false;
    for (uint32_t fanout = 1; fanout <= 40; fanout += 13) {
        config.fanout = fanout;
        s = with_members(&config, 100, &now);
        for (uint32_t incarnation = 1; incarnation < 100; incarnation++) {
            uint32_t number = 3 + prng_below(&prng, 98);
            struct sent sent;

            news_of(s, now, number, incarnation);
            told[number] = 0;
            now += prng_below(&prng, 300) * SWIM_MS;
            swim_advance(s, now);
            while (next_sent(s, now, &sent)) {
                assert_in_range(sent.dg.entry_count, 1, fanout);
                count_told(&sent);
                for (uint32_t k = 1; k <= 100; k++) {
                    if (is_linked(news_links(s), k))
                        assert_int_equal(member_at(s, k)->news_sent,
                                         told[member_at(s, k)->record.id]);
                }
            }
        }
        member_end(s);
    }
}

static void test_fewest_told_goes_first(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s;

    (void)state;
    config.adaptive_fanout = config.adaptive_targets = false;
    config.fanout = 1;
    s = with_members(&config, 30, &now);
    news_of(s, now, 3, 1);
    for (uint32_t round = 0; round < 5; round++) {
        now += 200 * SWIM_MS;
        swim_advance(s, now);
        drain_counting(s, now);
    }
    assert_in_range(told[3], 2, 5); /* a round that drew the subject itself told nobody */
    news_of(s, now, 4, 1);
    while (told[4] < told[3]) {
        uint32_t before = told[3];

        now += 200 * SWIM_MS;
        swim_advance(s, now);
        drain_counting(s, now);
        assert_int_equal(told[3], before);
    }
    member_end(s);
}

static void test_freshest_goes_first_among_equals(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct wire_entry first;
    struct sent sent;
    swim_time now;
    struct swim *s;

    (void)state;
    config.adaptive_fanout = config.adaptive_targets = false;
    config.fanout = 1;
    s = with_members(&config, 30, &now);
    for (uint32_t number = 5; number <= 9; number++)
        news_of(s, now, number, 1);
    now += 200 * SWIM_MS;
    swim_advance(s, now);
    assert_true(next_sent_of(s, now, WIRE_GOSSIP, &sent));
    assert_int_equal(sent.dg.entry_count, 1);
    assert_true(sent_entry(&sent, 9, &first));
    member_end(s);
}

static void test_newer_news_replaces_older(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct sent sent;
    swim_time now;
    struct swim *s = with_members(&config, 30, &now);

    (void)state;
    news_of(s, now, 3, 1);
    swim_advance(s, now + 200 * SWIM_MS);
    drain_counting(s, now + 200 * SWIM_MS);
    assert_true(told[3] > 0);
    now += 250 * SWIM_MS;
    for (uint32_t incarnation = 2; incarnation <= 9; incarnation++)
        news_of(s, now, 3, incarnation);
    assert_int_equal(stats_of(s).news_queued, 1);
    told[3] = 0;
    while (stats_of(s).news_queued > 0) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        while (next_sent(s, now, &sent)) {
            struct wire_entry entry;

            count_told(&sent);
            if (sent_entry(&sent, 3, &entry))
                assert_int_equal(entry.incarnation, 9);
        }
    }
    assert_int_equal(told[3], limit_of(3, 30)); /* counted from the beginning */
    member_end(s);
}

static void test_the_queue_is_bounded_by_the_table(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct prng prng;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed("gossip bound"));
    config.members_max = 50;
    s = member_begin(&config, START);
    for (uint32_t i = 0; i < 20000; i++) {
        news_of(s, START, 3 + prng_below(&prng, 200), i);
        assert_true(stats_of(s).news_queued <= 50);
    }
    drain(s, START);
    member_end(s);
}

/* A heartbeat alone is no news. */
static void test_heartbeats_are_not_news(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct wire_entry entry = entry_of(3);
    swim_time now;
    struct swim *s = with_members(&config, 10, &now);

    (void)state;
    entry.heartbeat = 100;
    hear_entry(s, now, 2, entry);
    assert_int_equal(stats_of(s).news_queued, 0);
    assert_int_equal(stats_of(s).merges_updated, 1);
    member_end(s);
}

/* 1,400 bytes: 58 entries of 24, or 38 of 36; whatever the fan-out would be. */
static void assert_fullest(bool is_v6, uint32_t expected)
{
    struct swim_config config = quiet_config_of(1);
    uint32_t fullest = 0;
    swim_time now = START;
    struct swim *s = member_begin(&config, START);
    struct sent sent;

    hear_members(s, START, 2, 4);
    settle(s, START, START + 60000 * SWIM_MS);
    now += 60000 * SWIM_MS;
    for (uint32_t number = 5; number < 500; number++) {
        struct wire_entry entry = entry_of(number);

        entry.addr = is_v6 ? addr6(number) : addr4(number);
        hear_entry(s, now, 2, entry);
    }
    memset(told, 0, sizeof told);
    assert_true(next_sent_of(s, now, WIRE_GOSSIP, &sent) ||
                (swim_advance(s, now + 200 * SWIM_MS),
                 next_sent_of(s, now + 200 * SWIM_MS, WIRE_GOSSIP, &sent)));
    now += 200 * SWIM_MS;
    do {
        assert_true(sent.size <= SWIM_DATAGRAM_MAX);
        count_told(&sent);
        fullest = sent.dg.entry_count > fullest ? sent.dg.entry_count : fullest;
    } while (next_sent(s, now, &sent));
    assert_int_equal(fullest, expected);
    /* What did not fit was not charged: all is told as often as any news. */
    while (stats_of(s).news_queued > 0) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        drain_counting(s, now);
    }
    for (uint32_t number = 5; number < 500; number++)
        assert_int_equal(told[number], limit_of(3, 499));
    member_end(s);
}

static void test_a_datagram_holds_58_or_38(void **state)
{
    (void)state;
    assert_fullest(false, 58);
    assert_fullest(true, 38);
}

static void test_fanout_and_targets_adapt(void **state)
{
    static const struct {
        uint32_t n, factor;
    } cases[] = {{2, 1}, {3, 2}, {4, 2}, {5, 3}, {8, 3}, {9, 4}, {1000, 10}};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(cases); i++) {
        struct swim_config config = quiet_config_of(1);
        swim_time now;
        struct swim *s;

        config.fanout = 3;
        config.max_sends = 2;
        s = with_members(&config, cases[i].n, &now);
        assert_int_equal(gossip_fanout(s), 3 * cases[i].factor);
        assert_int_equal(gossip_targets(s), cases[i].n - 1 < 2 * cases[i].factor
                                                ? cases[i].n - 1
                                                : 2 * cases[i].factor);
        s->config.adaptive_fanout = s->config.adaptive_targets = false;
        assert_int_equal(gossip_fanout(s), 3);
        assert_int_equal(gossip_targets(s), cases[i].n - 1 < 2 ? 1 : 2);
        s->config.fanout = 65535;
        s->config.adaptive_fanout = true;
        assert_int_equal(gossip_fanout(s), 58);
        member_end(s);
    }
}

static void test_a_round_goes_to_distinct_peers(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim_addr seen[64];
    uint32_t count = 0;
    struct sent sent;
    swim_time now;
    struct swim *s = with_members(&config, 50, &now);

    (void)state;
    now += 1000 * SWIM_MS;
    swim_advance(s, now);
    drain(s, now);
    news_of(s, now, 3, 1);
    now = swim_deadline(s);
    swim_advance(s, now);
    while (next_sent(s, now, &sent)) {
        if (sent.dg.header.kind != WIRE_GOSSIP)
            continue;
        for (uint32_t i = 0; i < count; i++)
            assert_false(addr_equal(&seen[i], &sent.to));
        seen[count++] = sent.to;
    }
    /* log2 of 50 is 6; one of them may be the subject, who needs no telling. */
    assert_in_range(count, 5, 6);
    member_end(s);
}

static void test_ping_and_ack_take_a_few(void **state)
{
    static const uint32_t limits[] = {0, 1, 6, 58};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(limits); i++) {
        struct swim_config config = quiet_config_of(1);
        struct message ping = {.kind = WIRE_PING, .from = 2};
        struct sent sent;
        swim_time now;
        struct swim *s;

        config.piggyback_max = limits[i];
        s = with_members(&config, 100, &now);
        for (uint32_t number = 3; number <= 100; number++)
            news_of(s, now, number, 1);
        assert_int_equal(hear(s, now, &ping), SWIM_OK);
        assert_true(next_sent_of(s, now, WIRE_ACK, &sent));
        if (limits[i] < 58)
            assert_int_equal(sent.dg.entry_count, limits[i]);
        else
            assert_int_equal(sent.dg.entry_count, 57); /* the view takes the rest */
        drain(s, now);
        member_end(s);
    }
}

static void test_silence_when_there_is_no_news(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s = with_members(&config, 50, &now);
    uint64_t before = stats_of(s).gossip_sent;
    uint64_t rounds = stats_of(s).gossip_rounds;

    (void)state;
    for (swim_time end = now + 600000 * SWIM_MS; now < end; now += 100 * SWIM_MS) {
        swim_advance(s, now);
        drain(s, now);
    }
    assert_int_equal(stats_of(s).gossip_sent, before);
    assert_int_equal(stats_of(s).gossip_rounds, rounds);
    member_end(s);
}

/* Two members come to rest: no news is kept that has nobody to go to, no timer runs for it. */
static void test_two_members_come_to_rest(void **state)
{
    struct net net;
    struct swim_addr first = addr4(1);
    uint64_t sent[2], rounds[2];

    (void)state;
    net_begin(&net, START);
    for (uint32_t i = 0; i < 2; i++) {
        struct swim_config config = config_of(i + 1);

        net_add(&net, &config);
        assert_true(swim_join(net.members[i], net.now, &first));
    }
    net_run(&net, START + 5000 * SWIM_MS);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(swim_member_count(net.members[i], SWIM_ALIVE), 2);
        assert_int_equal(stats_of(net.members[i]).news_queued, 0);
        sent[i] = stats_of(net.members[i]).gossip_sent;
        rounds[i] = stats_of(net.members[i]).gossip_rounds;
    }
    net_run(&net, START + 600000 * SWIM_MS);
    for (uint32_t i = 0; i < 2; i++) {
        struct swim_stats stats = stats_of(net.members[i]);

        assert_int_equal(stats.gossip_sent, sent[i]);
        assert_int_equal(stats.gossip_rounds, rounds[i]);
        /* Ten minutes: a probe and an answer a second, and nothing else. */
        assert_in_range(stats.datagrams_sent, 2 * 595, 2 * 605);
    }
    net_end(&net);
}

/* The last peer dies while there is news: no timer spins, and the news is told later. */
static void test_news_waits_for_somebody_to_tell(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s = with_members(&config, 2, &now);

    (void)state;
    claim_declare(s, member_find(s, 2), SWIM_DEAD);
    drain(s, now);
    assert_int_equal(stats_of(s).news_queued, 1);
    assert_false(timer_is_on(s, TIMER_GOSSIP));
    assert_true(swim_deadline(s) > now); /* it tries to reach the dead one, no more */
    now += 1000 * SWIM_MS;
    swim_advance(s, now);
    drain(s, now);
    assert_int_equal(stats_of(s).news_queued, 1);
    hear_members(s, now, 3, 3);
    tell_all(s, now);
    assert_true(told[2] > 0);
    member_end(s);
}

/* The same while rounds run that tell of another one. */
static void test_rounds_end_with_the_last_peer(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s = with_members(&config, 3, &now);

    (void)state;
    claim_declare(s, member_find(s, 3), SWIM_DEAD);
    assert_true(timer_is_on(s, TIMER_GOSSIP));
    claim_declare(s, member_find(s, 2), SWIM_DEAD);
    assert_int_equal(stats_of(s).news_queued, 2);
    assert_false(timer_is_on(s, TIMER_GOSSIP));
    member_end(s);
}

/* One peer proves its address, one never does, and can't be told of the first: that does not go on
 * for ever. */
static void test_news_does_not_wait_for_proofs(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);
    swim_time limit = START + 20000 * SWIM_MS;

    (void)state;
    hear_members(s, START, 2, 2);
    hear_entry(s, START, 2, entry_of(3));
    assert_true(settle(s, START, limit) < limit);
    assert_int_equal(stats_of(s).news_queued, 0);
    member_end(s);
}

/* Whoever has not proved its address is asked to as long as there is news, but not in each round. */
static void test_introductions_are_few(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);
    swim_time now = START;
    uint32_t rounds = 100;
    uint32_t pings = 0;
    struct sent sent;

    (void)state;
    hear_members(s, now, 2, 2);
    hear_entry(s, now, 2, entry_of(3));
    for (uint32_t i = 1; i <= rounds; i++) {
        news_of(s, now, 2 + i + 1000, i); /* something to tell, always */
        now += config.gossip_interval_ms * SWIM_MS;
        swim_advance(s, now);
        while (next_sent(s, now, &sent))
            pings += sent.dg.header.kind == WIRE_PING && addr4_number(&sent.to) == 3;
    }
    assert_in_range(pings, 2, rounds * config.gossip_interval_ms / 2000 + 1);
    member_end(s);
}

/* ---- Much at once ---- */

enum { MANY = 200, CAPACITY = 58 };

/* Until neither news nor mending is left: within so many rounds. */
static swim_time come_to_rest(struct swim *s, swim_time now)
{
    for (unsigned round = 0; gossip_has_news(s); round++) {
        assert_in_range(round, 0, 1000);
        now += s->config.gossip_interval_ms * SWIM_MS;
        swim_advance(s, now);
        drain_counting(s, now);
    }
    return now;
}

/* Number 1 among many, whose views could mend what gossip leaves out. */
static struct swim *with_many(uint32_t interval_ms, swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    config.anti_entropy_interval_ms = interval_ms;
    s = with_members(&config, MANY, ret_now);
    *ret_now = come_to_rest(s, *ret_now);
    memset(told, 0, sizeof told);
    return s;
}

static void test_a_crowd_is_told_twice_and_mended(void **state)
{
    swim_time now;
    struct swim *s = with_many(10000, &now);
    struct wire_entry dead = entry_of(5);
    uint64_t syncs = stats_of(s).syncs_started;

    (void)state;
    dead.status = SWIM_DEAD;
    for (uint32_t number = 10; number <= 9 + CAPACITY + 1; number++)
        news_of(s, now, number, 1);
    hear_entry(s, now, 3, dead);
    tell_all(s, now);
    for (uint32_t number = 10; number <= 9 + CAPACITY + 1; number++)
        assert_in_range(told[number], 1, GOSSIP_CROWD_SENDS);
    /* No comparison of views finds out about the dead. */
    assert_int_equal(told[5], limit_of(s->config.retransmit_multiplier, MANY - 1));
    assert_true(stats_of(s).syncs_started > syncs);
    member_end(s);
}

/* Views are equal whether somebody is doubted or not: the end of a doubt is told as often as the doubt
 * was, whatever else is news. */
static void test_the_end_of_a_doubt_is_told_in_full_in_a_crowd(void **state)
{
    swim_time now;
    struct swim *s = with_many(10000, &now);
    struct wire_entry doubted = entry_of(5);

    (void)state;
    doubted.status = SWIM_SUSPECT;
    doubted.heartbeat = 1;
    hear_entry(s, now, 3, doubted);
    for (uint32_t number = 10; number <= 9 + CAPACITY + 1; number++)
        news_of(s, now, number, 1);
    assert_true(gossip_is_mending(s));
    doubted.status = SWIM_ALIVE;
    doubted.heartbeat = 2;
    hear_entry(s, now, 3, doubted);
    assert_int_equal(status_of(s, 5), SWIM_ALIVE);
    now = tell_all(s, now);
    assert_int_equal(told[5], limit_of(s->config.retransmit_multiplier, MANY));
    assert_in_range(told[10], 1, GOSSIP_CROWD_SENDS);
    /* Another life of it is news like others. */
    memset(told, 0, sizeof told);
    for (uint32_t number = 10; number <= 9 + CAPACITY + 1; number++)
        news_of(s, now, number, 2);
    news_of(s, now, 5, 1);
    tell_all(s, now);
    assert_in_range(told[5], 1, GOSSIP_CROWD_SENDS);
    member_end(s);
}

static void test_what_fits_a_datagram_is_no_crowd(void **state)
{
    swim_time now;
    struct swim *s = with_many(10000, &now);
    uint64_t syncs = stats_of(s).syncs_started;

    (void)state;
    for (uint32_t number = 10; number < 10 + CAPACITY; number++)
        news_of(s, now, number, 1);
    tell_all(s, now);
    for (uint32_t number = 10; number < 10 + CAPACITY; number++)
        assert_int_equal(told[number], limit_of(s->config.retransmit_multiplier, MANY));
    assert_int_equal(stats_of(s).syncs_started, syncs);
    member_end(s);
}

/* Those who can't synchronise must be told as ever: it is switched off, or there is a plain peer. */
static void test_without_mending_a_crowd_is_told_as_often_as_few(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        swim_time now;
        struct swim *s = with_many(turn ? 10000 : 0, &now);
        struct message plain = {.kind = WIRE_GOSSIP, .from = 4, .heartbeat = 5000, .plain = true};

        if (turn)
            assert_int_equal(hear(s, now, &plain), SWIM_OK);
        for (uint32_t number = 10; number <= 110; number++)
            news_of(s, now, number, 1);
        come_to_rest(s, now);
        for (uint32_t number = 10; number <= 110; number++)
            assert_int_equal(told[number], limit_of(s->config.retransmit_multiplier, MANY));
        member_end(s);
    }
}

/* It ends at the first view that is ours, and without one after a while: then there is silence. */
static void test_mending_ends(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 2; turn++) {
        swim_time now;
        struct swim *s = with_many(10000, &now);
        uint64_t syncs = stats_of(s).syncs_started;
        struct message ping = {.kind = WIRE_PING, .from = 2, .has_view = true};

        for (uint32_t number = 10; number <= 110; number++)
            news_of(s, now, number, 1);
        if (turn) {
            ping.view_digest = swim_view_digest(s);
            ping.view_count = MANY;
            assert_int_equal(hear(s, now, &ping), SWIM_OK);
            assert_true(gossip_is_mending(s)); /* not while there is as much to tell as this */
        }
        now = tell_all(s, now);
        if (turn) {
            assert_int_equal(hear(s, now, &ping), SWIM_OK);
            assert_false(gossip_is_mending(s));
        }
        come_to_rest(s, now);
        assert_in_range(stats_of(s).syncs_started - syncs, 1, 16);
        member_end(s);
    }
}

/* A newcomer that is being sent the whole table, for longer than a round, does not ask for it too. */
static void test_no_mending_while_a_push_comes(void **state)
{
    swim_time now;
    struct swim *s = with_many(10000, &now);
    struct message chunk = {.kind = WIRE_ANTI_ENTROPY, .from = 2, .chunks = 9};
    uint64_t syncs = stats_of(s).syncs_started;

    (void)state;
    for (uint32_t number = 10; number <= 110; number++)
        news_of(s, now, number, 1);
    for (unsigned turn = 0; turn < 5; turn++) {
        now += s->config.gossip_interval_ms * SWIM_MS;
        chunk.chunk = (uint16_t)turn;
        assert_int_equal(hear(s, now, &chunk), SWIM_OK);
        swim_advance(s, now);
        drain(s, now);
        assert_int_equal(stats_of(s).syncs_started, syncs);
    }
    assert_true(gossip_is_mending(s));
    now += s->config.gossip_interval_ms * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(stats_of(s).syncs_started, syncs + 1);
    member_end(s);
}

/* How many a round goes to that comes so late. */
static uint32_t told_when_late(swim_time late)
{
    struct swim_config config = quiet_config_of(1);
    struct sent sent;
    uint32_t count = 0;
    swim_time now;
    struct swim *s;

    config.max_sends = 2;
    s = with_members(&config, 100, &now);
    now = tell_all(s, now);
    news_of(s, now, 3, 1);
    drain_counting(s, now);
    now = swim_deadline(s) + late;
    swim_advance(s, now);
    while (next_sent(s, now, &sent))
        count += sent.dg.header.kind == WIRE_GOSSIP;
    member_end(s);
    return count;
}

static void test_a_late_round_goes_to_fewer(void **state)
{
    uint32_t all = told_when_late(0);

    (void)state;
    assert_int_equal(all, 14);
    assert_int_equal(told_when_late(10 * SWIM_MS), 14);
    assert_int_equal(told_when_late(200 * SWIM_MS), all / 2);
    assert_int_equal(told_when_late(600 * SWIM_MS), (all + 3) / 4);
    assert_int_equal(told_when_late(900 * SWIM_MS), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_item_is_told_so_often_and_no_more),
        cmocka_unit_test(test_what_others_tell_counts),
        cmocka_unit_test(test_charged_exactly_when_written),
        cmocka_unit_test(test_fewest_told_goes_first),
        cmocka_unit_test(test_freshest_goes_first_among_equals),
        cmocka_unit_test(test_newer_news_replaces_older),
        cmocka_unit_test(test_the_queue_is_bounded_by_the_table),
        cmocka_unit_test(test_heartbeats_are_not_news),
        cmocka_unit_test(test_a_datagram_holds_58_or_38),
        cmocka_unit_test(test_fanout_and_targets_adapt),
        cmocka_unit_test(test_a_late_round_goes_to_fewer),
        cmocka_unit_test(test_a_round_goes_to_distinct_peers),
        cmocka_unit_test(test_ping_and_ack_take_a_few),
        cmocka_unit_test(test_silence_when_there_is_no_news),
        cmocka_unit_test(test_two_members_come_to_rest),
        cmocka_unit_test(test_news_waits_for_somebody_to_tell),
        cmocka_unit_test(test_rounds_end_with_the_last_peer),
        cmocka_unit_test(test_news_does_not_wait_for_proofs),
        cmocka_unit_test(test_introductions_are_few),
        cmocka_unit_test(test_a_crowd_is_told_twice_and_mended),
        cmocka_unit_test(test_the_end_of_a_doubt_is_told_in_full_in_a_crowd),
        cmocka_unit_test(test_what_fits_a_datagram_is_no_crowd),
        cmocka_unit_test(test_without_mending_a_crowd_is_told_as_often_as_few),
        cmocka_unit_test(test_mending_ends),
        cmocka_unit_test(test_no_mending_while_a_push_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
