/*
 * Events (src/core/event.h): each kind, what coalesces into what, and that a host that never
 * asks costs nothing. See swim_next_event in swim.h.
 */
#include "support.h"

#include "harness.h"

#include "base/prng.h"
#include "core/instance.h"

static struct swim *begin(swim_time *ret_now)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s = member_begin(&config, START);

    hear_members(s, START, 2, 4);
    *ret_now = settle(s, START, START + 60000 * SWIM_MS);
    drain_events(s);
    return s;
}

static void claim(struct swim *s, swim_time now, uint32_t number, uint32_t incarnation,
                  uint32_t heartbeat, enum swim_status status)
{
    struct wire_entry entry = entry_of(number);

    entry.incarnation = incarnation;
    entry.heartbeat = heartbeat;
    entry.status = (uint8_t)status;
    hear_entry(s, now, 2, entry);
}

static void expect(struct swim *s, enum swim_event_kind kind, uint64_t id, enum swim_status before,
                   enum swim_status status)
{
    struct swim_event event;

    assert_true(swim_next_event(s, &event));
    if (event.kind != kind)
        fail_msg("%s instead of %s", swim_event_name(event.kind), swim_event_name(kind));
    assert_int_equal(event.member.id, id);
    assert_int_equal(event.member.status, status);
    if (kind != SWIM_EVENT_JOINED)
        assert_int_equal(event.before, before);
}

static void expect_none(struct swim *s)
{
    struct swim_event event;

    if (swim_next_event(s, &event))
        fail_msg("unexpected: %s of %u", swim_event_name(event.kind), (unsigned)event.member.id);
}

static void test_each_change_of_a_member(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 9, 0, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_JOINED, 9, 0, SWIM_ALIVE);
    claim(s, now, 9, 0, 1, SWIM_SUSPECT);
    expect(s, SWIM_EVENT_SUSPECTED, 9, SWIM_ALIVE, SWIM_SUSPECT);
    claim(s, now, 9, 0, 2, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RECOVERED, 9, SWIM_SUSPECT, SWIM_ALIVE);
    claim(s, now, 9, 1, 2, SWIM_ALIVE);
    expect(s, SWIM_EVENT_UPDATED, 9, SWIM_ALIVE, SWIM_ALIVE);
    claim(s, now, 9, 1, 3, SWIM_ALIVE); /* a heartbeat is no event */
    expect_none(s);
    claim(s, now, 9, 1, 3, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, 9, SWIM_ALIVE, SWIM_DEAD);
    claim(s, now, 9, 2, 3, SWIM_ALIVE);
    expect(s, SWIM_EVENT_JOINED, 9, SWIM_DEAD, SWIM_ALIVE);
    claim(s, now, 9, 3, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RESTARTED, 9, SWIM_ALIVE, SWIM_ALIVE);
    claim(s, now, 9, 3, 0, SWIM_LEFT);
    expect(s, SWIM_EVENT_LEFT, 9, SWIM_ALIVE, SWIM_LEFT);
    swim_advance(s, now + 15000 * SWIM_MS);
    expect(s, SWIM_EVENT_FORGOTTEN, 9, SWIM_LEFT, SWIM_LEFT);
    expect_none(s);
    member_end(s);
}

static void test_a_new_address_is_an_update(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct message moved = {.kind = WIRE_GOSSIP, .from = 3, .at = addr4(33), .heartbeat = 9};

    (void)state;
    assert_int_equal(hear(s, now, &moved), SWIM_OK);
    expect(s, SWIM_EVENT_UPDATED, 3, SWIM_ALIVE, SWIM_ALIVE);
    expect_none(s);
    member_end(s);
}

static void test_what_passes_unseen_is_not_told(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    /* Doubted and cleared. */
    claim(s, now, 3, 0, 1, SWIM_SUSPECT);
    claim(s, now, 3, 0, 2, SWIM_ALIVE);
    expect_none(s);
    /* Came and died. */
    claim(s, now, 9, 0, 0, SWIM_ALIVE);
    claim(s, now, 9, 0, 0, SWIM_DEAD);
    expect_none(s);
    swim_advance(s, now + 15000 * SWIM_MS);
    expect_none(s);
    member_end(s);
}

static void test_a_chain_of_changes_reads_as_one(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 3, 0, 1, SWIM_SUSPECT);
    claim(s, now, 3, 0, 1, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, 3, SWIM_ALIVE, SWIM_DEAD);
    expect_none(s);
    member_end(s);
}

/* A death is told once, though its record may still grow: another address, a later heartbeat; or
 * the member lived, and died again, between two questions. */
static void test_a_death_is_told_once(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);
    struct wire_entry moved = entry_of(3);

    (void)state;
    claim(s, now, 3, 0, 1, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, 3, SWIM_ALIVE, SWIM_DEAD);
    moved.status = SWIM_DEAD;
    moved.heartbeat = 5;
    moved.addr = addr4(99);
    hear_entry(s, now, 2, moved);
    expect_none(s);
    claim(s, now, 3, 1, 0, SWIM_ALIVE);
    claim(s, now, 3, 1, 0, SWIM_DEAD);
    expect_none(s);
    claim(s, now, 3, 1, 1, SWIM_LEFT);
    expect(s, SWIM_EVENT_LEFT, 3, SWIM_DEAD, SWIM_LEFT);
    expect_none(s);
    member_end(s);
}

/* Died and came back between two questions: alive as before, but in another life. */
static void test_a_restart_is_never_invisible(void **state)
{
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 4, 0, 1, SWIM_DEAD);
    claim(s, now, 4, 1, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RESTARTED, 4, SWIM_ALIVE, SWIM_ALIVE);
    expect_none(s);
    claim(s, now, 4, 2, 0, SWIM_SUSPECT);
    claim(s, now, 4, 2, 1, SWIM_ALIVE);
    expect(s, SWIM_EVENT_RESTARTED, 4, SWIM_ALIVE, SWIM_ALIVE);
    expect_none(s);
    member_end(s);
}

/* From nothing to suspect, and from a tombstone to suspect: two events. */
static void test_joined_and_suspect_reads_as_two(void **state)
{
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    claim(s, now, 9, 0, 0, SWIM_SUSPECT);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_JOINED);
    expect(s, SWIM_EVENT_SUSPECTED, 9, SWIM_ALIVE, SWIM_SUSPECT);
    expect_none(s);
    claim(s, now, 9, 0, 0, SWIM_DEAD);
    expect(s, SWIM_EVENT_FAILED, 9, SWIM_SUSPECT, SWIM_DEAD);
    claim(s, now, 9, 1, 0, SWIM_SUSPECT);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_JOINED);
    expect(s, SWIM_EVENT_SUSPECTED, 9, SWIM_ALIVE, SWIM_SUSPECT);
    expect_none(s);
    member_end(s);
}

static void test_events_come_in_order(void **state)
{
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    for (uint32_t number = 20; number < 30; number++) {
        now += 10 * SWIM_MS;
        claim(s, now, number, 0, 0, SWIM_ALIVE);
    }
    for (uint32_t number = 20; number < 30; number++) {
        assert_true(swim_next_event(s, &event));
        assert_int_equal(event.member.id, number);
        assert_true(event.at == now - (29 - number) * 10 * SWIM_MS);
    }
    expect_none(s);
    member_end(s);
}

/* No time is kept of what leaves the status as it was: it is told as of now, not as of back then. */
static void test_when_a_member_restarted(void **state)
{
    struct swim_event event;
    swim_time now;
    struct swim *s = begin(&now);

    (void)state;
    now += 100 * SWIM_MS;
    claim(s, now, 3, 1, 2, SWIM_ALIVE);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_UPDATED);
    assert_true(event.at == now);
    now += 100 * SWIM_MS;
    claim(s, now, 3, 2, 0, SWIM_ALIVE);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_RESTARTED);
    assert_true(event.at == now);
    assert_true(event.member.changed == START);
    expect_none(s);
    member_end(s);
}

static void test_each_event_about_ourselves(void **state)
{
    struct swim_config config = config_of(1);
    struct swim_event event;
    struct swim *s;
    swim_time now = START;

    (void)state;
    config.members_max = 3;
    s = member_begin(&config, now);
    hear_members(s, now, 2, 3);
    drain_events(s);
    claim(s, now, 1, 0, 0, SWIM_SUSPECT);
    expect(s, SWIM_EVENT_REFUTED, 1, SWIM_ALIVE, SWIM_ALIVE);
    claim(s, now, 7, 0, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_TABLE_FULL, 1, SWIM_ALIVE, SWIM_ALIVE);
    drain(s, now);
    now += 60000 * SWIM_MS;
    swim_advance(s, now);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_PAUSED);
    assert_in_range(event.paused_for / SWIM_MS, 59000, 60000);
    claim(s, now, 1, UINT32_MAX, 0, SWIM_SUSPECT);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_ID_CHANGED);
    assert_true(event.member.id != 1);
    assert_int_equal(event.paused_for, 0);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_REFUTED);
    expect_none(s);
    swim_leave(s, now);
    drain(s, now);
    while (!swim_has_left(s)) {
        now = swim_deadline(s);
        swim_advance(s, now);
        drain(s, now);
    }
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_LEAVE_DONE);
    expect_none(s);
    member_end(s);
}

static void test_full_is_said_again_after_there_was_room(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim *s;

    (void)state;
    config.members_max = 3;
    s = member_begin(&config, START);
    hear_members(s, START, 2, 3);
    drain_events(s);
    claim(s, START, 7, 0, 0, SWIM_ALIVE);
    claim(s, START, 8, 0, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_TABLE_FULL, 1, SWIM_ALIVE, SWIM_ALIVE);
    expect_none(s);
    claim(s, START, 3, 0, 0, SWIM_LEFT);
    claim(s, START, 7, 0, 0, SWIM_ALIVE);
    assert_int_equal(status_of(s, 7), -1); /* not before the host has heard of the leave */
    drain_events(s);
    claim(s, START, 7, 0, 0, SWIM_ALIVE); /* takes the tombstone's place */
    assert_int_equal(status_of(s, 7), SWIM_ALIVE);
    drain_events(s);
    claim(s, START, 8, 0, 0, SWIM_ALIVE);
    expect(s, SWIM_EVENT_TABLE_FULL, 1, SWIM_ALIVE, SWIM_ALIVE);
    member_end(s);
}

/* Nobody asks: one event a member waits, no more. */
static void test_bounded_when_nobody_asks(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now = START;
    struct prng prng;
    struct swim *s;

    (void)state;
    prng_init(&prng, test_seed("event"));
    config.members_max = 40;
    config.dead_retention_ms = 100;
    s = member_begin(&config, now);
    for (uint32_t i = 0; i < 20000; i++) {
        now += prng_below(&prng, 10) * SWIM_MS;
        claim(s, now, 3 + prng_below(&prng, 100), prng_below(&prng, 4), prng_below(&prng, 4),
              (enum swim_status)prng_below(&prng, 4));
        swim_advance(s, now);
        drain(s, now);
        assert_true(s->events.count <= 40);
        if (i % 100 == 0)
            assert_null(swim_check(s));
    }
    assert_in_range(drain_events(s), 1, 2 * 40 + 5);
    member_end(s);
}

/* A slot that is freed unheard of keeps its place among the events: of nobody, and then of the next who
 * takes it. */
static void test_freed_before_anybody_asked(void **state)
{
    struct swim_config config = quiet_config_of(1);
    struct swim_event event;
    swim_time now = START;
    struct swim *s;

    (void)state;
    config.members_max = 3;
    config.dead_retention_ms = 100;
    s = member_begin(&config, now);
    hear_members(s, now, 2, 2);
    drain_events(s);
    claim(s, now, 3, 1, 0, SWIM_ALIVE);
    claim(s, now, 3, 1, 0, SWIM_DEAD);
    swim_advance(s, now += 100 * SWIM_MS); /* forgotten */
    swim_advance(s, now += 100 * SWIM_MS);
    assert_int_equal(s->slots_used, 2);
    assert_int_equal(s->events.count, 1);
    assert_null(swim_check(s));
    claim(s, now, 4, 1, 0, SWIM_ALIVE);
    assert_int_equal(s->events.count, 1);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_JOINED);
    assert_int_equal(event.member.id, 4);
    expect_none(s);
    claim(s, now, 4, 1, 0, SWIM_DEAD);
    assert_true(swim_next_event(s, &event));
    assert_int_equal(event.kind, SWIM_EVENT_FAILED);
    claim(s, now, 4, 2, 0, SWIM_DEAD); /* nothing new to the host, but a place in the queue */
    swim_advance(s, now += 100 * SWIM_MS);
    swim_advance(s, now += 100 * SWIM_MS);
    assert_int_equal(s->slots_used, 2);
    expect_none(s);
    member_end(s);
}

/* What a host has been told, put together again: -1, or the status last told. */
enum { LAST = 60 };

static void follow(struct swim *s, int *known)
{
    struct swim_event event;

    while (swim_next_event(s, &event)) {
        if (event.member.is_self || event.kind == SWIM_EVENT_PONG)
            continue;
        if (event.kind == SWIM_EVENT_JOINED || event.kind == SWIM_EVENT_RESTARTED)
            known[event.member.id] = SWIM_ALIVE; /* suspect is told next */
        else if (event.kind == SWIM_EVENT_FORGOTTEN)
            known[event.member.id] = -1;
        else
            known[event.member.id] = (int)event.member.status;
    }
    for (uint32_t number = 2; number <= LAST; number++) {
        int status = status_of(s, number);

        if (status == SWIM_ALIVE || status == SWIM_SUSPECT)
            assert_int_equal(known[number], status);
        else
            assert_true(known[number] != SWIM_ALIVE && known[number] != SWIM_SUSPECT);
    }
}

/* An operator's orders, for whomever; half of them refused. */
static void order(struct swim *s, swim_time now, struct prng *prng)
{
    uint64_t id = 2 + prng_below(prng, LAST);

    if (prng_below(prng, 2))
        (void)swim_force_leave(s, now, id, prng_below(prng, 2));
    else
        (void)swim_ping(s, now, id);
}

/* A host that asks often enough, now and then, knows who lives. */
static void assert_host_can_follow(uint32_t members_max)
{
    struct swim_config config = quiet_config_of(1);
    int known[LAST + 1];
    swim_time now = START;
    struct prng prng;
    struct swim *s;

    prng_init(&prng, test_seed("event follow"));
    config.members_max = members_max;
    config.dead_retention_ms = 300;
    for (uint32_t i = 0; i <= LAST; i++)
        known[i] = -1;
    s = member_begin(&config, now);
    for (uint32_t i = 0; i < 20000; i++) {
        now += prng_below(&prng, 20) * SWIM_MS;
        claim(s, now, 3 + prng_below(&prng, LAST - 2), prng_below(&prng, 6), prng_below(&prng, 4),
              (enum swim_status)prng_below(&prng, 4));
        if (prng_below(&prng, 4) == 0)
            order(s, now, &prng);
        swim_advance(s, now);
        drain(s, now);
        if (prng_below(&prng, 3) == 0)
            follow(s, known);
        if (i % 100 == 0)
            assert_null(swim_check(s));
    }
    member_end(s);
}

static void test_the_host_can_follow(void **state)
{
    (void)state;
    assert_host_can_follow(LAST + 10);
}

/* Even when a newcomer needs the place of one whose death the host has not been told yet. */
static void test_the_host_can_follow_a_full_table(void **state)
{
    (void)state;
    assert_host_can_follow(20);
}

static void test_names(void **state)
{
    (void)state;
    for (int kind = SWIM_EVENT_JOINED; kind < SWIM_EVENT_KINDS; kind++) {
        assert_string_not_equal(swim_event_name((enum swim_event_kind)kind), "unknown");
        for (int other = SWIM_EVENT_JOINED; other < kind; other++)
            assert_string_not_equal(swim_event_name((enum swim_event_kind)kind),
                                    swim_event_name((enum swim_event_kind)other));
    }
    assert_string_equal(swim_event_name(SWIM_EVENT_TABLE_FULL), "table_full");
    assert_string_equal(swim_event_name((enum swim_event_kind)99), "unknown");
    assert_string_equal(swim_status_name(SWIM_LEFT), "left");
    assert_string_equal(swim_status_name((enum swim_status)9), "unknown");
    assert_string_equal(swim_error_name(SWIM_DROP_CHECKSUM), "checksum");
    assert_string_equal(swim_error_name((enum swim_error)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_change_of_a_member),
        cmocka_unit_test(test_a_new_address_is_an_update),
        cmocka_unit_test(test_what_passes_unseen_is_not_told),
        cmocka_unit_test(test_a_chain_of_changes_reads_as_one),
        cmocka_unit_test(test_a_death_is_told_once),
        cmocka_unit_test(test_a_restart_is_never_invisible),
        cmocka_unit_test(test_joined_and_suspect_reads_as_two),
        cmocka_unit_test(test_events_come_in_order),
        cmocka_unit_test(test_when_a_member_restarted),
        cmocka_unit_test(test_each_event_about_ourselves),
        cmocka_unit_test(test_full_is_said_again_after_there_was_room),
        cmocka_unit_test(test_bounded_when_nobody_asks),
        cmocka_unit_test(test_freed_before_anybody_asked),
        cmocka_unit_test(test_the_host_can_follow),
        cmocka_unit_test(test_the_host_can_follow_a_full_table),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
