/*
 * Names in one member (src/core/names.c): members found by them, and those that share one.
 * docs/protocol.md section 7, "names".
 */
#include "metas.h"

static void test_two_of_one_name(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta same = meta_of("same", NULL, NULL), other = meta_of("other", NULL, NULL);
    struct swim_event event;

    (void)state;
    hear_meta(s, now, 9, &(struct said_meta){2, 0, 1, &same});
    expect_event(s, SWIM_EVENT_RETAGGED, 2);
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 1, &same});
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    event = expect_event(s, SWIM_EVENT_NAME_CONFLICT, 3);
    assert_int_equal(event.other, 2);
    expect_no_event(s); /* once */
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 2, &other});
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    expect_no_event(s);

    /* Ours: of each of those that share it, about the other one. */
    swim_set_meta(s, now, &same);
    event = expect_event(s, SWIM_EVENT_NAME_CONFLICT, 2);
    assert_int_equal(event.other, 1);
    hear_meta(s, now, 9, &(struct said_meta){4, 0, 1, &same});
    expect_event(s, SWIM_EVENT_RETAGGED, 4);
    event = expect_event(s, SWIM_EVENT_NAME_CONFLICT, 4);
    assert_int_equal(event.other, 1);
    expect_no_event(s);
    assert_int_equal(stats_of(s).name_conflicts, 3);
    member_end(s);
}

/* Another tag, or another version, of somebody who keeps its name is no other pair of that name. */
static void test_a_conflict_is_told_once(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta same = meta_of("same", NULL, NULL), tagged = meta_of("same", "k", "v");
    const struct swim_meta longer = meta_of("same2", NULL, NULL);

    (void)state;
    hear_meta(s, now, 9, &(struct said_meta){2, 0, 1, &same});
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 1, &same});
    drain_events(s);
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 2, &tagged});
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    expect_no_event(s);
    hear_meta(s, now, 9, &(struct said_meta){3, 1, 1, &tagged});
    expect_no_event(s);
    swim_set_meta(s, now, &same);
    drain_events(s);
    swim_set_meta(s, now, &tagged);
    expect_event(s, SWIM_EVENT_RETAGGED, 1);
    expect_no_event(s);
    assert_int_equal(stats_of(s).name_conflicts, 3);
    /* Until it is renamed, and back. */
    hear_meta(s, now, 9, &(struct said_meta){3, 1, 2, &longer});
    hear_meta(s, now, 9, &(struct said_meta){3, 1, 3, &tagged});
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    assert_int_equal(expect_event(s, SWIM_EVENT_NAME_CONFLICT, 3).other, 1);
    expect_no_event(s);
    member_end(s);
}

/* It is over before the host asks: nothing is said. A name is not shared by those without one. */
static void test_conflicts_that_are_none(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    const struct swim_meta same = meta_of("same", NULL, NULL), other = meta_of("other", NULL, NULL);
    const struct swim_meta none = meta_of("", "k", "v");
    struct wire_entry dead = entry_of(2);

    (void)state;
    hear_meta(s, now, 9, &(struct said_meta){2, 0, 1, &same});
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 1, &same});
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 2, &other});
    hear_meta(s, now, 9, &(struct said_meta){4, 0, 1, &none});
    hear_meta(s, now, 9, &(struct said_meta){5, 0, 1, &none});
    expect_event(s, SWIM_EVENT_RETAGGED, 2);
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    expect_event(s, SWIM_EVENT_RETAGGED, 4);
    expect_event(s, SWIM_EVENT_RETAGGED, 5);
    expect_no_event(s);
    dead.status = SWIM_DEAD;
    hear_entry(s, now, 9, dead);
    drain_events(s);
    hear_meta(s, now, 9, &(struct said_meta){3, 0, 3, &same}); /* that of a dead one is free */
    expect_event(s, SWIM_EVENT_RETAGGED, 3);
    expect_no_event(s);
    /* It comes back: there are two again. */
    dead.status = SWIM_ALIVE;
    dead.incarnation = 1;
    hear_entry(s, now, 9, dead);
    expect_event(s, SWIM_EVENT_RESTARTED, 2);
    assert_int_equal(expect_event(s, SWIM_EVENT_NAME_CONFLICT, 2).other, 3);
    expect_no_event(s);
    member_end(s);
}

/* More of one name than a chain takes. */
static void test_everybody_of_one_name(void **state)
{
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta same = meta_of("same", NULL, NULL), other = meta_of("other", NULL, NULL);
    struct swim_member member;
    swim_time now;
    struct swim *s = member_among(&config, 200, &now);

    (void)state;
    for (uint32_t id = 2; id <= 200; id++)
        hear_meta(s, now, 2, &(struct said_meta){id, 0, 1, &same});
    assert_int_equal(stats_of(s).name_conflicts, 198);
    assert_null(swim_check(s));
    for (uint32_t id = 2; id <= 200; id++)
        hear_meta(s, now, 2, &(struct said_meta){id, 0, 2, &other});
    assert_false(swim_member_find_name(s, "same", &member));
    assert_true(swim_member_find_name(s, "other", &member));
    member_end(s);
}

/* They are in nobody's way, and found for as long as there is one. */
static void test_many_of_one_name_among_others(void **state)
{
    enum { SAME = 300, LAST = 600 };
    struct swim_config config = quiet_config_of(1);
    const struct swim_meta same = meta_of("same", NULL, NULL), other = meta_of("other", NULL, NULL);
    struct swim_member member;
    swim_time now;
    struct swim *s = member_among(&config, LAST, &now);
    char name[16];

    (void)state;
    for (uint32_t id = 2; id <= LAST; id++) {
        (void)snprintf(name, sizeof name, "host-%u", id);
        const struct swim_meta meta = id <= SAME ? same : meta_of(name, NULL, NULL);
        hear_meta(s, now, 2, &(struct said_meta){id, 0, 1, &meta});
    }
    assert_int_equal(stats_of(s).name_conflicts, SAME - 2);
    for (uint32_t id = SAME + 1; id <= LAST; id++) {
        (void)snprintf(name, sizeof name, "host-%u", id);
        assert_true(swim_member_find_name(s, name, &member));
        assert_int_equal(member.id, id);
    }
    for (uint32_t id = 2; id < SAME; id++) {
        hear_meta(s, now, 2, &(struct said_meta){id, 0, 2, &other});
        assert_true(swim_member_find_name(s, "same", &member));
    }
    assert_int_equal(member.id, SAME);
    drain_events(s);
    swim_set_meta(s, now, &other); /* ours now: of everybody */
    assert_int_equal(drain_events(s), SAME - 2);
    swim_set_meta(s, now, &same);
    assert_int_equal(drain_events(s), 2);
    assert_null(swim_check(s));
    member_end(s);
}

static void test_finding_by_name(void **state)
{
    struct swim_config config;
    swim_time now;
    struct swim *s = begin(&config, &now);
    struct swim_meta meta = meta_of("me", NULL, NULL);
    struct swim_member member;
    char longer[SWIM_NAME_MAX + 2];

    (void)state;
    swim_set_meta(s, now, &meta);
    for (uint32_t id = 2; id <= OTHERS; id++) {
        char name[16];

        snprintf(name, sizeof name, "node-%u", id);
        meta = meta_of(name, NULL, NULL);
        hear_meta(s, now, 2, &(struct said_meta){id, 0, 1, &meta});
    }
    assert_true(swim_member_find_name(s, "me", &member));
    assert_true(member.is_self);
    assert_true(swim_member_find_name(s, "node-7", &member));
    assert_int_equal(member.id, 7);
    assert_false(swim_member_find_name(s, "node-", &member));
    assert_false(swim_member_find_name(s, "", &member));
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_false(swim_member_find_name(s, longer, &member));
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_of_one_name),
        cmocka_unit_test(test_a_conflict_is_told_once),
        cmocka_unit_test(test_conflicts_that_are_none),
        cmocka_unit_test(test_everybody_of_one_name),
        cmocka_unit_test(test_many_of_one_name_among_others),
        cmocka_unit_test(test_finding_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
