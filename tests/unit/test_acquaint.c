/*
 * A warm start (src/core/acquaint.c): members that begin with the table of another one know
 * what it knows, have nothing to tell, and then live like any other.
 */
#include "support.h"

#include "harness.h"

#include "core/member.h"

#include <stdlib.h>

enum { LAST = 200 };

/* Number 1, which knows 2 .. LAST and has told it all. */
static struct swim *informed(void)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, LAST);
    settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

static struct swim *begin_like(const struct swim *like, uint32_t number, swim_time now)
{
    struct swim_config config = quiet_config_of(number);
    size_t size = swim_footprint(&config);
    void *arena = calloc(1, size);
    struct swim *s;

    assert_non_null(arena);
    s = swim_init_acquainted(arena, size, &config, like, now);
    if (!s)
        free(arena);
    return s;
}

static void test_it_knows_what_the_other_knows(void **state)
{
    struct swim *like = informed();
    struct swim *s = begin_like(like, 77, START + 1);
    struct swim_member member;

    (void)state;
    assert_non_null(s);
    assert_null(swim_check(s));
    assert_int_equal(swim_member_count(s, SWIM_ALIVE), LAST);
    assert_true(swim_view_digest(s) == swim_view_digest(like));
    for (uint32_t number = 1; number <= LAST; number++) {
        struct swim_addr addr = addr4(number);

        assert_true(swim_member_find(s, number, &member));
        assert_int_equal(member.is_self, number == 77);
        assert_memory_equal(&member.addr, &addr, sizeof addr);
        assert_int_equal(member.heartbeat, 0);
        assert_true(swim_member_find_addr(s, &addr, &member));
        assert_int_equal(member.id, number);
    }
    member_end(s);
    member_end(like);
}

/* Names and tags too, its own included, small and large; and it finds all by their names. */
static void test_it_knows_names_and_tags(void **state)
{
    struct swim *like = informed();
    struct swim_meta meta, held;
    struct swim_member member;
    struct swim *s;
    static char value[4000];
    const swim_time later = START + 70000 * SWIM_MS;

    (void)state;
    memset(value, 'v', sizeof value - 1);
    for (uint32_t number = 1; number <= LAST; number += 2) {
        char name[16];

        snprintf(name, sizeof name, "node-%u", number);
        meta = meta_of(name, number % 5 ? NULL : "k", value);
        if (number == 1)
            swim_set_meta(like, later, &meta);
        else
            hear_meta(like, later, 2, &(struct said_meta){number, 0, number, &meta});
    }
    settle(like, later, later + 60000 * SWIM_MS);
    drain_events(like);
    s = begin_like(like, 77, START + 1);
    assert_non_null(s);
    assert_null(swim_check(s));
    assert_true(swim_view_digest(s) == swim_view_digest(like));
    for (uint32_t number = 1; number <= LAST; number++) {
        assert_int_equal(swim_member_meta(like, number, &meta), number % 2);
        assert_int_equal(swim_member_meta(s, number, &held), number % 2);
        if (number % 2 == 0)
            continue;
        assert_memory_equal(&held, &meta, sizeof meta);
        assert_true(swim_member_find_name(s, meta.name, &member));
        assert_int_equal(member.id, number);
    }
    assert_true(swim_member_meta(s, 77, &held));
    swim_set_meta(s, START + 1, &held); /* what it has already: no other version */
    assert_true(swim_view_digest(s) == swim_view_digest(like));
    assert_int_equal(drain_events(s), 0);
    member_end(s);
    member_end(like);
}

static void test_it_has_nothing_to_tell(void **state)
{
    struct swim *like = informed();
    struct swim *s = begin_like(like, 77, START + 1);

    (void)state;
    assert_int_equal(stats_of(s).news_queued, 0);
    assert_int_equal(drain_events(s), 0);
    assert_int_equal(drain(s, START + 1), 0);
    assert_true(swim_deadline(s) != SWIM_NEVER); /* it will probe */
    member_end(s);
    member_end(like);
}

/* Every other one is probed within a pass, by its own name and at its own address. */
static void test_it_probes_them_all(void **state)
{
    struct swim *like = informed();
    struct swim *s = begin_like(like, 77, START + 1);
    bool seen[LAST + 1] = {false};
    struct sent sent;
    swim_time now = START + 1;
    uint32_t count = 0;

    (void)state;
    while (count < LAST - 1) {
        now = swim_deadline(s) > now ? swim_deadline(s) : now;
        swim_advance(s, now);
        while (next_sent_of(s, now, WIRE_PING, &sent)) {
            uint32_t number = sent.to.ip[3];
            struct message ack = {.kind = WIRE_ACK, .from = number, .heartbeat = 1};

            assert_in_range(number, 1, LAST);
            assert_true(number != 77 && !seen[number]);
            seen[number] = true;
            count++;
            ack.has_probe = sent.dg.has_probe;
            ack.probe = sent.dg.probe_sequence;
            hear(s, now, &ack);
        }
    }
    assert_int_equal(stats_of(s).probe_failures, 0);
    assert_null(swim_check(s));
    member_end(s);
    member_end(like);
}

static void test_a_death_reads_as_a_death(void **state)
{
    struct swim *like = informed();
    struct swim *s = begin_like(like, 77, START + 1);
    struct wire_entry entry = entry_of(1);
    struct swim_event event;

    (void)state;
    entry.status = SWIM_DEAD;
    hear_entry(s, START + 2, 5, entry);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_FAILED);
    assert_int_equal(event.member.id, 1);
    assert_null(swim_check(s));
    member_end(s);
    member_end(like);
}

static void test_who_cannot_begin_so(void **state)
{
    struct swim *like = informed();
    struct wire_entry entry = entry_of(9);
    struct swim_config config = quiet_config_of(77);
    size_t size = swim_footprint(&config);
    void *arena = calloc(1, size);

    (void)state;
    assert_null(begin_like(like, LAST + 1, START)); /* not known there */
    assert_null(begin_like(like, 1, START));        /* the very same */
    config.addr = addr4(78);
    assert_null(swim_init_acquainted(arena, size, &config, like, START));
    config = quiet_config_of(77);
    config.incarnation = 1;
    assert_null(swim_init_acquainted(arena, size, &config, like, START));
    entry.status = SWIM_SUSPECT;
    hear_entry(like, START + 61000 * SWIM_MS, 5, entry);
    assert_null(begin_like(like, 77, START)); /* the other one is not settled */
    for (size_t i = 0; i < size; i++)
        assert_int_equal(((uint8_t *)arena)[i], 0);
    free(arena);
    member_end(like);
}

/* The other one has no room for what this one says of itself; here there is always some. */
static void test_its_own_name_comes_from_the_host(void **state)
{
    const struct swim_meta meta = meta_of("two", "k", "v");
    struct swim_config config = quiet_config_of(1);
    struct swim_meta held;
    swim_time now;
    struct swim *like;
    struct swim *s;
    size_t size;

    (void)state;
    config.meta_memory = 0;
    like = member_among(&config, 10, &now);
    hear_meta(like, now, 3, &(struct said_meta){2, 0, 1, &meta});
    hear_meta(like, now, 3, &(struct said_meta){4, 0, 1, &meta});
    now = settle(like, now, now + 60000 * SWIM_MS);
    config.id = 2;
    config.addr = addr4(2);
    size = swim_footprint(&config);
    s = swim_init_acquainted(calloc(1, size), size, &config, like, now);
    assert_non_null(s);
    assert_null(swim_check(s));
    assert_false(swim_member_meta(s, 2, &held));
    swim_set_meta(s, now, &meta);
    assert_true(swim_member_meta(s, 2, &held));
    assert_true(swim_meta_equal(&held, &meta));
    assert_true(swim_view_digest(s) == swim_view_digest(like));
    member_end(s);
    member_end(like);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_knows_what_the_other_knows),
        cmocka_unit_test(test_it_knows_names_and_tags),
        cmocka_unit_test(test_it_has_nothing_to_tell),
        cmocka_unit_test(test_it_probes_them_all),
        cmocka_unit_test(test_a_death_reads_as_a_death),
        cmocka_unit_test(test_who_cannot_begin_so),
        cmocka_unit_test(test_its_own_name_comes_from_the_host),
    };

    return cmocka_run_group_tests_name("acquaint", tests, NULL, NULL);
}
