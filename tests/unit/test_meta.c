/*
 * Names and tags in one member (src/core/meta.c, meta_store.c): its own, those of others, which version
 * is kept, who may change what, memory, and events. Who shares a name is in test_names.c.
 * docs/protocol.md sections 6 to 8.
 */
#include "metas.h"

#include "core/member.h"
#include "core/meta.h"
#include "core/meta_store.h"

static void test_ones_own(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    struct swim_meta meta = meta_of("one", "role", "db");
    uint64_t digest = swim_view_digest(s);

    (void)state;
    expect_none(s, 1);
    swim_set_meta(s, now, &meta);
    expect_meta(s, 1, &meta);
    expect_key(s, 1, 0, 1);
    assert_true(swim_view_digest(s) != digest);
    expect_no_event(s); /* what it starts with is no change */

    digest = swim_view_digest(s);
    swim_set_meta(s, now, &meta); /* the same: nothing */
    expect_key(s, 1, 0, 1);
    assert_true(swim_view_digest(s) == digest);
    expect_no_event(s);

    meta = meta_of("one", "role", "web");
    swim_set_meta(s, now, &meta);
    expect_meta(s, 1, &meta);
    expect_key(s, 1, 0, 2);
    assert_true(expect_event(s, SWIM_EVENT_RETAGGED, 1).member.is_self);

    swim_leave(s, now);
    meta = meta_of("late", NULL, NULL);
    swim_set_meta(s, now, &meta); /* too late */
    expect_key(s, 1, 0, 2);
    member_end(s);
}

static void test_a_restarted_member_begins_at_its_incarnation(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim_meta meta = meta_of("one", NULL, NULL);
    struct swim *s;

    (void)state;
    config.incarnation = 7;
    s = member_begin(&config, START);
    swim_set_meta(s, START, &meta);
    expect_key(s, 1, 7, 1);
    member_end(s);
}

static void test_the_greater_version_is_kept(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta a = meta_of("two", "v", "a"), b = meta_of("two", "v", "b");
    uint64_t empty = swim_view_digest(s);
    uint64_t with_a;

    (void)state;
    hear_meta(s, now, 3, &(struct said_meta){2, 1, 1, &a});
    expect_meta(s, 2, &a);
    with_a = swim_view_digest(s);
    assert_true(with_a != empty);
    expect_event(s, SWIM_EVENT_RETAGGED, 2);
    hear_meta(s, now, 4, &(struct said_meta){2, 0, 9, &b}); /* of an earlier life */
    hear_meta(s, now, 4, &(struct said_meta){2, 1, 0, &b});
    hear_meta(s, now, 4, &(struct said_meta){2, 1, 1, &a});
    expect_meta(s, 2, &a);
    assert_true(swim_view_digest(s) == with_a);
    expect_no_event(s);
    hear_meta(s, now, 4, &(struct said_meta){2, 1, 2, &b});
    expect_meta(s, 2, &b);
    hear_meta(s, now, 4, &(struct said_meta){2, 2, 1, &a}); /* of a later life */
    expect_meta(s, 2, &a);
    expect_key(s, 2, 2, 1);
    expect_event(s, SWIM_EVENT_RETAGGED, 2); /* coalesced */
    expect_no_event(s);
    hear_meta(s, now, 4, &(struct said_meta){2, 2, 5, &a}); /* the same content: no event */
    expect_key(s, 2, 2, 5);
    expect_no_event(s);
    assert_int_equal(stats_of(s).meta_stale, 3);
    assert_int_equal(stats_of(s).meta_updated, 4);
    member_end(s);
}

/* Of one version with two contents both sides keep the same one, whatever comes first. */
static void test_a_version_told_in_two_ways(void **state)
{
    const struct swim_meta a = meta_of("two", "v", "a"), b = meta_of("two", "v", "b");
    uint64_t digests[2];

    (void)state;
    for (unsigned first = 0; first < 2; first++) {
        struct swim_config config;
        swim_time now;
        struct swim *s = begin(&config, &now);

        hear_meta(s, now, 3, &(struct said_meta){2, 0, 1, first ? &a : &b});
        hear_meta(s, now, 4, &(struct said_meta){2, 0, 1, first ? &b : &a});
        digests[first] = swim_view_digest(s);
        member_end(s);
    }
    assert_true(digests[0] == digests[1]);
}

static void test_who_claims_something_about_us_is_overruled(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta own = meta_of("one", "role", "db"), lie = meta_of("two", "x", "y");

    (void)state;
    swim_set_meta(s, now, &own);
    hear_meta(s, now, 3, &(struct said_meta){1, 0, 8, &lie});
    expect_meta(s, 1, &own);
    expect_key(s, 1, 0, 9);
    hear_meta(s, now, 3, &(struct said_meta){1, 0, 9, &lie}); /* ours, with other content */
    expect_key(s, 1, 0, 10);
    hear_meta(s, now, 3, &(struct said_meta){1, 5, 1, &lie}); /* of a life that we never had */
    expect_key(s, 1, 5, 2);
    assert_int_equal(stats_of(s).meta_overruled, 3);
    hear_meta(s, now, 3, &(struct said_meta){1, 5, 1, &lie}); /* older than ours: nothing */
    assert_int_equal(stats_of(s).meta_overruled, 3);
    assert_int_equal(stats_of(s).refutations, 0);
    expect_meta(s, 1, &own);
    member_end(s);
}

/* Who has come back without a name says so, if others hold one of it. */
static void test_a_member_without_any_says_so(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta old = meta_of("one", "role", "db"), none = meta_of("", NULL, NULL);

    (void)state;
    hear_meta(s, now, 3, &(struct said_meta){1, 0, 4, &old});
    expect_meta(s, 1, &none);
    expect_key(s, 1, 0, 5);
    member_end(s);
}

static void test_versions_never_wrap(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta own = meta_of("one", NULL, NULL), lie = meta_of("lie", NULL, NULL);
    struct swim_member self;

    (void)state;
    swim_set_meta(s, now, &own);
    hear_meta(s, now, 3, &(struct said_meta){1, 3, UINT32_MAX, &lie});
    expect_meta(s, 1, &own);
    expect_key(s, 1, 4, 1);
    assert_true(swim_member_at(s, 0, &self));
    assert_int_equal(self.incarnation, 4);
    hear_meta(s, now, 3, &(struct said_meta){1, UINT32_MAX, UINT32_MAX, &lie});
    assert_true(swim_member_at(s, 0, &self)); /* the last one of all: a new id */
    assert_int_not_equal(self.id, 1);
    expect_meta(s, self.id, &own);
    expect_key(s, self.id, 0, 1);
    member_end(s);
}

static void test_about_whom_nothing_is_believed(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta meta = meta_of("x", NULL, NULL);
    struct message plain = {.kind = WIRE_ACK, .from = 20, .plain = true};
    struct wire_entry dead = entry_of(4);
    uint64_t digest;

    (void)state;
    hear(s, now, &plain);
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 2, dead);
    digest = swim_view_digest(s);
    hear_meta(s, now, 3, &(struct said_meta){77, 0, 1, &meta}); /* unknown */
    hear_meta(s, now, 3, &(struct said_meta){20, 0, 1, &meta}); /* plain */
    hear_meta(s, now, 3, &(struct said_meta){4, 0, 1, &meta});  /* dead */
    hear_meta(s, now, 3, &(struct said_meta){0, 0, 1, &meta});  /* nobody */
    expect_none(s, 77);
    expect_none(s, 20);
    expect_none(s, 4);
    assert_int_equal(stats_of(s).meta_refused, 4);
    assert_true(swim_view_digest(s) == digest);
    member_end(s);
}

/* It turns out plain: its name is nobody's any more. */
static void test_a_plain_member_has_none(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta meta = meta_of("three", NULL, NULL);
    struct message plain = {.kind = WIRE_ACK, .from = 3, .incarnation = 1, .plain = true};
    struct swim_member member;

    (void)state;
    hear_meta(s, now, 2, &(struct said_meta){3, 0, 1, &meta});
    assert_true(swim_member_find_name(s, "three", &member));
    hear(s, now, &plain);
    expect_none(s, 3);
    assert_false(swim_member_find_name(s, "three", &member));
    member_end(s);
}

static void test_content_that_is_none_is_refused(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta meta = meta_of("two", "k", "v");
    const struct said_meta said = {2, 0, 1, &meta};
    uint8_t content[WIRE_META_MAX];
    struct wire_meta_part part = part_of(&said, 0, content);
    struct message gossip = {.kind = WIRE_GOSSIP, .from = 3, .metas = &part, .meta_count = 1};

    (void)state;
    content[0] = 'T'; /* not what the digest is of */
    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
    expect_none(s, 2);
    content[0] = '\n'; /* no name, though the digest is right */
    part.key.digest = meta_value_digest(content, part.size);
    assert_int_equal(hear(s, now, &gossip), SWIM_OK);
    expect_none(s, 2);
    assert_int_equal(stats_of(s).meta_refused, 2);
    member_end(s);
}

static void test_the_dead_keep_theirs_until_they_are_forgotten(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta meta = meta_of("two", NULL, NULL);
    struct wire_entry dead = entry_of(2);
    struct swim_member member;

    (void)state;
    hear_meta(s, now, 3, &(struct said_meta){2, 0, 1, &meta});
    assert_int_equal(stats_of(s).meta_blocks_used, 1);
    assert_true(swim_member_find_name(s, "two", &member));
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 3, dead);
    expect_meta(s, 2, &meta);
    assert_false(swim_member_find_name(s, "two", &member));
    assert_int_equal(stats_of(s).meta_queued, 0); /* and are no news */
    now += 16000 * SWIM_MS;
    swim_advance(s, now);
    expect_none(s, 2);
    assert_int_equal(stats_of(s).meta_blocks_used, 0);
    member_end(s);
}

/* ---- Parts ---- */

static struct swim_meta large_meta(void)
{
    struct swim_meta meta = meta_of("large", NULL, NULL);
    char value[1000];

    for (char key[2] = "a"; key[0] < 'e'; key[0]++) {
        memset(value, key[0] == 'd' ? 'x' : key[0], sizeof value);
        value[sizeof value - 1] = 0;
        assert_int_equal(swim_meta_set(&meta, key, value), SWIM_META_OK);
    }
    return meta;
}

static void test_parts_in_any_order(void **state)
{
    const struct swim_meta meta = large_meta();
    const struct said_meta said = {2, 0, 1, &meta};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed("meta parts"));
    for (unsigned run = 0; run < 50; run++) {
        struct swim_config config;
        swim_time now;
        struct swim *s = begin(&config, &now);
        uint8_t content[WIRE_META_MAX];
        uint32_t parts = wire_meta_parts(part_of(&said, 0, content).size);
        uint32_t seen = 0;

        assert_int_equal(parts, 8);
        while (seen != (1u << parts) - 1) {
            uint8_t number = (uint8_t)prng_below(&prng, parts);
            struct wire_meta_part part = part_of(&said, number, content);
            struct message gossip = {.kind = WIRE_GOSSIP,
                                     .from = 2 + prng_below(&prng, OTHERS - 1),
                                     .metas = &part,
                                     .meta_count = 1};

            expect_none(s, 2);
            assert_int_equal(hear(s, now, &gossip), SWIM_OK);
            seen |= 1u << number;
        }
        expect_meta(s, 2, &meta);
        member_end(s);
    }
}

/* Half of one version and half of another make neither. */
static void test_parts_of_two_versions_do_not_mix(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta old = large_meta();
    struct swim_meta new = large_meta();
    uint8_t content[WIRE_META_MAX];
    struct wire_meta_part part;
    struct message gossip = {.kind = WIRE_GOSSIP, .from = 3, .metas = &part, .meta_count = 1};

    (void)state;
    assert_int_equal(swim_meta_set(&new, "a", "1"), SWIM_META_OK);
    for (uint8_t number = 0; number < 8; number++) {
        part = part_of(&(struct said_meta){2, 0, 1, &old}, number, content);
        if (number != 2)
            hear(s, now, &gossip);
    }
    for (uint8_t number = 0; number < 4; number++) {
        part = part_of(&(struct said_meta){2, 0, 2, &new}, number, content);
        hear(s, now, &gossip);
    }
    expect_none(s, 2);
    assert_int_equal(stats_of(s).meta_given_up, 1);
    part = part_of(&(struct said_meta){2, 0, 1, &old}, 2, content); /* the last one: too late */
    hear(s, now, &gossip);
    expect_none(s, 2);
    hear_meta(s, now, 3, &(struct said_meta){2, 0, 2, &new});
    expect_meta(s, 2, &new);
    member_end(s);
}

/* One who starts what he never ends does not keep the honest out for long. */
static void test_what_never_ends_is_given_up(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s = member_among(&config, 100, &now);
    const struct swim_meta meta = large_meta();
    uint8_t content[WIRE_META_MAX];
    struct wire_meta_part part;
    struct message gossip = {.kind = WIRE_GOSSIP, .from = 3, .metas = &part, .meta_count = 1};

    (void)state;
    for (uint32_t id = 2; id <= 100; id++) {
        part = part_of(&(struct said_meta){id, 9, 9, &meta}, 0, content);
        hear(s, now, &gossip);
    }
    assert_int_equal(stats_of(s).meta_given_up, 99 - ASSEMBLIES_MAX);
    hear_meta(s, now, 3, &(struct said_meta){2, 0, 1, &meta}); /* its place was given up */
    expect_meta(s, 2, &meta);
    hear_meta(s, now, 3, &(struct said_meta){100, 0, 1, &meta});
    expect_none(s, 100); /* the greater version is under way */
    now += 5001 * SWIM_MS;
    swim_advance(s, now);
    hear_meta(s, now, 3, &(struct said_meta){100, 0, 1, &meta});
    expect_meta(s, 100, &meta);
    member_end(s);
}

/* ---- Memory ---- */

static void test_what_there_is_no_room_for(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta own = large_meta(), small = meta_of("small", NULL, NULL);
    struct swim_meta held = {0};
    struct wire_entry dead = entry_of(2);
    swim_time now;
    struct swim *s;
    uint64_t digest;

    (void)state;
    config.meta_memory = 3 * META_BLOCK_SIZE;
    s = member_among(&config, OTHERS, &now);
    swim_set_meta(s, now, &own); /* one's own always fits */
    for (uint32_t id = 2; id <= 6; id++)
        hear_meta(s, now, 9, &(struct said_meta){id, 0, 1, &small});
    assert_int_equal(stats_of(s).meta_blocks_used, 3);
    assert_int_equal(stats_of(s).meta_no_room, 2);
    assert_true(swim_member_meta(s, 4, &held));
    assert_false(swim_member_meta(s, 5, &held));
    assert_null(swim_check(s));
    /* Its version is known all the same: views agree, and it is not asked for again and again. */
    digest = swim_view_digest(s);
    hear_meta(s, now, 9, &(struct said_meta){5, 0, 1, &small});
    assert_true(swim_view_digest(s) == digest);
    assert_int_equal(stats_of(s).meta_no_room, 2);
    /* There is room again: unknown, so that it is asked for. */
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 3, dead);
    now += 16000 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(stats_of(s).meta_blocks_used, 2);
    assert_null(swim_check(s));
    hear_meta(s, now, 9, &(struct said_meta){5, 0, 1, &small});
    assert_true(swim_member_meta(s, 5, &held));
    assert_int_equal(stats_of(s).meta_blocks_used, 3);
    member_end(s);
}

static void test_no_memory_at_all(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta meta = meta_of("x", NULL, NULL);
    swim_time now;
    struct swim *s;

    (void)state;
    config.meta_memory = 0;
    s = member_among(&config, OTHERS, &now);
    swim_set_meta(s, now, &meta);
    hear_meta(s, now, 3, &(struct said_meta){2, 0, 1, &meta});
    expect_meta(s, 1, &meta);
    expect_none(s, 2);
    assert_int_equal(stats_of(s).name_conflicts, 0);
    member_end(s);
}

/* A version that its owner has forgotten, held by those alone that had no room for what it was: the
 * owner is told of it all the same, or views would never agree. Large ones too; and of an owner that
 * says nothing of itself any more. */
static void test_the_owner_learns_of_what_has_no_room(void **state)
{
    const struct swim_meta metas[] = {meta_of("two", "k", "v"), large_meta()};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct said_meta said = {2, 0, 9, &metas[i % 2]};
        struct swim_config config = config_of(1), other = config_of(2);
        struct swim_addr addr = addr4(1);
        struct net net;

        config.meta_memory = 0;
        net_begin(&net, START);
        net_add(&net, &config);
        net_add(&net, &other);
        if (i < 2)
            swim_set_meta(net.members[1], START, &metas[i]);
        swim_join(net.members[1], START, &addr);
        net_run(&net, START + 10000 * SWIM_MS);
        hear_meta(net.members[0], net.now, 9, &said);
        net_run(&net, START + 120000 * SWIM_MS);
        assert_int_equal(stats_of(net.members[1]).meta_overruled, 1);
        assert_true(swim_view_digest(net.members[0]) == swim_view_digest(net.members[1]));
        net_end(&net);
    }
}

/* Sizes around the blocks' and the parts', again and again in one instance. */
static void test_all_sizes(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    static char value[SWIM_TAGS_MAX];
    uint32_t version = 0;

    (void)state;
    for (uint32_t size = 0; size < SWIM_TAGS_MAX - 3; size += size < 600 || size > 4000 ? 1 : 31) {
        struct swim_meta meta;

        memset(value, 'a' + (int)(size % 26), size);
        value[size] = 0;
        meta = meta_of("n", "k", value);
        hear_meta(s, now, 3, &(struct said_meta){2, 0, ++version, &meta});
        expect_meta(s, 2, &meta);
        swim_set_meta(s, now, &meta);
        expect_meta(s, 1, &meta);
    }
    assert_null(swim_check(s));
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ones_own),
        cmocka_unit_test(test_a_restarted_member_begins_at_its_incarnation),
        cmocka_unit_test(test_the_greater_version_is_kept),
        cmocka_unit_test(test_a_version_told_in_two_ways),
        cmocka_unit_test(test_who_claims_something_about_us_is_overruled),
        cmocka_unit_test(test_a_member_without_any_says_so),
        cmocka_unit_test(test_versions_never_wrap),
        cmocka_unit_test(test_about_whom_nothing_is_believed),
        cmocka_unit_test(test_a_plain_member_has_none),
        cmocka_unit_test(test_content_that_is_none_is_refused),
        cmocka_unit_test(test_the_dead_keep_theirs_until_they_are_forgotten),
        cmocka_unit_test(test_parts_in_any_order),
        cmocka_unit_test(test_parts_of_two_versions_do_not_mix),
        cmocka_unit_test(test_what_never_ends_is_given_up),
        cmocka_unit_test(test_what_there_is_no_room_for),
        cmocka_unit_test(test_no_memory_at_all),
        cmocka_unit_test(test_the_owner_learns_of_what_has_no_room),
        cmocka_unit_test(test_all_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
