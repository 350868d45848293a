/*
 * Names and tags as news (src/core/meta_news.c): how often they are told, what they take of a
 * datagram, contents of many parts, and to whom they are not told. docs/protocol.md section 7.
 */
#include "support.h"

#include "harness.h"

#include "core/gossip.h"
#include "core/member.h"
#include "core/meta_news.h"

/* What was sent, by number of the member that it is of and of the part. */
static uint32_t told[2048][16];
static uint32_t told_to[2048]; /* and to whom */

static void count_told(struct swim *s, swim_time now)
{
    struct wire_meta_part part;
    struct reader left;
    struct sent sent;

    while (next_sent(s, now, &sent)) {
        assert_true(sent.size <= s->config.datagram_max);
        if (!sent.dg.metas)
            continue;
        left = reader_of(sent.dg.metas, sent.dg.metas_size);
        while (wire_next_meta(&left, &part)) {
            assert_in_range(part.id, 1, 2047);
            assert_in_range(part.number, 0, 15);
            told[part.id][part.number]++;
            told_to[addr4_number(&sent.to)]++;
            assert_true(part.id != addr4_number(&sent.to));
        }
    }
}

/* Number 1 with the members 2 .. last, and nothing to tell. */
static struct swim *with_members(struct swim_config *config, uint32_t last, swim_time *ret_now)
{
    struct swim *s = member_among(config, last, ret_now);

    memset(told, 0, sizeof told);
    memset(told_to, 0, sizeof told_to);
    return s;
}

/* Until nothing is left to tell. */
static swim_time tell_all(struct swim *s, swim_time now)
{
    count_told(s, now);
    for (unsigned turns = 0; stats_of(s).meta_queued + stats_of(s).news_queued > 0; turns++) {
        assert_true(turns < 5000);
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        count_told(s, now);
    }
    return now;
}

static struct swim_meta meta_of_size(uint32_t size)
{
    static char value[SWIM_TAGS_MAX];
    struct swim_meta meta = meta_of("", NULL, NULL);

    /* name 0 k 0 value 0 */
    memset(value, 'v', sizeof value);
    value[size - 4] = 0;
    assert_int_equal(swim_meta_set(&meta, "k", value), SWIM_META_OK);
    return meta;
}

static uint32_t log_of(uint32_t n)
{
    uint32_t log = 0;

    while ((1u << log) < n + 1)
        log++;
    return log;
}

static void test_each_is_told_so_often_and_no_more(void **state)
{
    static const uint32_t sizes[] = {3, 4, 8, 20, 63, 64, 300};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        for (uint32_t lambda = 1; lambda <= 12; lambda += 11) {
            struct swim_config config = quiet_config_of(1);
            const struct swim_meta meta = meta_of("x", "k", "v");
            uint32_t n = sizes[i];
            swim_time now;
            struct swim *s;

            config.retransmit_multiplier = lambda;
            s = with_members(&config, n, &now);
            swim_set_meta(s, now, &meta);
            for (uint32_t id = 3; id <= n; id++)
                hear_meta(s, now, 2, &(struct said_meta){id, 0, 1, &meta});
            now = tell_all(s, now);
            assert_int_equal(told[1][0], lambda * log_of(n));
            for (uint32_t id = 3; id <= n; id++)
                assert_int_equal(told[id][0], lambda * log_of(n));
            assert_int_equal(told[2][0], 0);
            /* Then there is silence, until it changes. */
            memset(told, 0, sizeof told);
            hear_meta(s, now, 2, &(struct said_meta){3, 0, 2, &meta});
            tell_all(s, now);
            assert_int_equal(told[3][0], lambda * log_of(n));
            member_end(s);
        }
    }
}

/* What others tell counts like a transmission, if it is the very same. */
static void test_what_is_overheard_counts(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta meta = meta_of("x", "k", "v"), older = meta_of("y", "k", "v");
    swim_time now;
    struct swim *s = with_members(&config, 40, &now);

    (void)state;
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 2, &meta});
    for (uint32_t i = 0; i < 5; i++) {
        hear_meta(s, now, 4 + i, &(struct said_meta){3, 0, 2, &meta});
        hear_meta(s, now, 4 + i, &(struct said_meta){3, 0, 1, &older}); /* counts for nothing */
    }
    tell_all(s, now);
    assert_int_equal(told[3][0], 3 * log_of(40) - 5);
    member_end(s);
}

/* All parts each time, one after the other to the same peer; few times, though others tell it. */
static void test_large_content(void **state)
{
    static const uint32_t sizes[] = {513, 1024, 1025, 2000, 4097};

    (void)state;
    for (unsigned i = 0; i < COUNT_OF(sizes); i++) {
        for (uint32_t room = 1200; room <= SWIM_DATAGRAM_MAX; room += SWIM_DATAGRAM_MAX - 1200) {
            struct swim_config config = quiet_config_of(1);
            const struct swim_meta meta = meta_of_size(sizes[i]);
            uint32_t parts = wire_meta_parts(sizes[i]);
            uint32_t limit = 3 * log_of(40) / parts;
            swim_time now;
            struct swim *s;

            config.datagram_max = room;
            s = with_members(&config, 40, &now);
            hear_meta(s, now, 2, &(struct said_meta){3, 0, 1, &meta});
            hear_meta(s, now, 2, &(struct said_meta){3, 0, 1, &meta});
            tell_all(s, now);
            if (limit < log_of(40))
                limit = log_of(40);
            for (uint32_t part = 0; part < parts; part++)
                assert_int_equal(told[3][part], limit);
            assert_int_equal(told[3][parts], 0);
            for (uint32_t number = 0; number < COUNT_OF(told_to); number++)
                assert_int_equal(told_to[number] % parts, 0); /* whole, to each */
            member_end(s);
        }
    }
}

/* Entries leave a quarter of the datagram: names do not wait for the end of a storm of news. */
static void test_news_of_members_does_not_shut_it_out(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta small = meta_of("x", "k", "v"), medium = meta_of_size(500);
    swim_time now;
    struct swim *s = with_members(&config, 300, &now);

    (void)state;
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 1, &small});
    hear_meta(s, now, 2, &(struct said_meta){4, 0, 1, &medium});
    for (uint32_t round = 1; round < 12; round++) {
        for (uint32_t id = 5; id <= 300; id++) {
            struct wire_entry entry = entry_of(id);

            entry.incarnation = round;
            hear_entry(s, now, 2, entry);
        }
        now += 200 * SWIM_MS;
        swim_advance(s, now);
        count_told(s, now);
    }
    assert_true(stats_of(s).news_queued > 250); /* the storm goes on */
    assert_int_equal(told[3][0], 3 * log_of(300));
    assert_int_equal(told[4][0], 3 * log_of(300)); /* in datagrams of its own */
    member_end(s);
}

static void test_not_to_plain_nor_unproved_peers(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta meta = meta_of("x", "k", "v");
    struct message plain = {.kind = WIRE_ACK, .plain = true};
    swim_time now = START;
    struct swim *s = member_begin(&config, now);

    (void)state;
    memset(told, 0, sizeof told);
    memset(told_to, 0, sizeof told_to);
    hear_members(s, now, 2, 4);
    for (plain.from = 10; plain.from < 15; plain.from++)
        hear(s, now, &plain);
    for (uint32_t id = 20; id < 25; id++)
        hear_entry(s, now, 2, entry_of(id)); /* known from others' words */
    swim_set_meta(s, now, &meta);
    tell_all(s, now);
    assert_true(told[1][0] > 0);
    for (uint32_t number = 0; number < COUNT_OF(told_to); number++)
        assert_true(!told_to[number] || (number >= 2 && number <= 4));
    member_end(s);
}

/* Nobody who could understand: no round is made for it, and it is told to whoever comes. */
static void test_alone_among_plain_peers(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta meta = meta_of("x", "k", "v");
    struct message plain = {.kind = WIRE_ACK, .plain = true, .from = 10};
    swim_time now = START;
    struct swim *s = member_begin(&config, now);

    (void)state;
    hear(s, now, &plain);
    swim_set_meta(s, now, &meta);
    for (unsigned i = 0; i < 50; i++) {
        now += 200 * SWIM_MS;
        swim_advance(s, now);
        drain(s, now);
    }
    assert_false(meta_news_is_due(s));
    assert_false(gossip_has_news(s));
    assert_int_equal(stats_of(s).meta_queued, 1);
    assert_null(swim_check(s));
    memset(told, 0, sizeof told);
    hear_members(s, now, 2, 3);
    tell_all(s, now);
    assert_true(told[1][0] > 0);
    member_end(s);
}

/* The only other member's own is no news to it: that ends too. */
static void test_nobody_else_to_tell(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta meta = meta_of("x", "k", "v");
    swim_time now;
    struct swim *s = with_members(&config, 2, &now);

    (void)state;
    hear_meta(s, now, 2, &(struct said_meta){2, 0, 1, &meta});
    tell_all(s, now);
    assert_int_equal(told[2][0], 0);
    assert_int_equal(stats_of(s).meta_queued, 0);
    member_end(s);
}

/* The rest of a content is on its way while the member is forgotten, or has another one. */
static void test_what_changes_between_two_datagrams(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta large = meta_of_size(4000), small = meta_of("x", NULL, NULL);
    struct wire_entry dead = entry_of(3);
    swim_time now;
    struct swim *s = with_members(&config, 10, &now);
    struct sent sent;

    (void)state;
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 1, &large});
    now += 200 * SWIM_MS;
    swim_advance(s, now);
    assert_true(next_sent(s, now, &sent));
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 2, &small});
    drain(s, now);
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 3, &large});
    now += 200 * SWIM_MS;
    swim_advance(s, now);
    assert_true(next_sent(s, now, &sent));
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 2, dead);
    swim_advance(s, now + 16000 * SWIM_MS);
    drain(s, now + 16000 * SWIM_MS);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_is_told_so_often_and_no_more),
        cmocka_unit_test(test_what_is_overheard_counts),
        cmocka_unit_test(test_large_content),
        cmocka_unit_test(test_news_of_members_does_not_shut_it_out),
        cmocka_unit_test(test_not_to_plain_nor_unproved_peers),
        cmocka_unit_test(test_alone_among_plain_peers),
        cmocka_unit_test(test_nobody_else_to_tell),
        cmocka_unit_test(test_what_changes_between_two_datagrams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
