/*
 * Local health (src/core/health.h): what makes a member doubt itself, what makes it trust itself
 * again, and how much more time it then gives its peers. Lifeguard section IV.A; docs/protocol.md
 * section 5. What counts as a missed NACK is in test_probe_nack.
 */
#include "support.h"

#include "harness.h"

#include "core/health.h"
#include "core/member.h"

#define TIMEOUT (500 * SWIM_MS) /* the defaults */
#define INTERVAL (1000 * SWIM_MS)

/* Number 1 among 2 .. 8, with nothing to tell. */
static struct swim *begin(const struct swim_config *config, swim_time *ret_now)
{
    struct swim *s = member_begin(config, START);

    hear_members(s, START, 2, 8);
    drain(s, START);
    *ret_now = START;
    return s;
}

static uint32_t health_of(const struct swim *s)
{
    return stats_of(s).local_health;
}

/* Goes on by deadlines until a datagram of this kind is sent; *now is then. */
static void go_to(struct swim *s, uint8_t kind, swim_time *now, struct sent *sent)
{
    while (!next_sent_of(s, *now, kind, sent)) {
        *now = swim_deadline(s) > *now ? swim_deadline(s) : *now;
        swim_advance(s, *now);
    }
}

static void answer(struct swim *s, swim_time now, const struct sent *ping)
{
    struct message ack = {.kind = WIRE_ACK,
                          .from = addr4_number(&ping->to),
                          .has_probe = true,
                          .probe = ping->dg.probe_sequence};

    assert_int_equal(hear(s, now, &ack), SWIM_OK);
}

static void test_it_stays_within_its_bounds(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now;
    struct swim *s = begin(&config, &now);

    (void)state;
    health_better(s);
    assert_int_equal(health_of(s), 0);
    for (uint32_t i = 1; i <= 20; i++) {
        health_worse(s, 1);
        assert_int_equal(health_of(s), i < SWIM_HEALTH_MAX ? i : SWIM_HEALTH_MAX);
        assert_true(health_probe_interval(s) == INTERVAL * (health_of(s) + 1));
        assert_true(health_probe_timeout(s) == TIMEOUT * (health_of(s) + 1));
        assert_null(swim_check(s));
    }
    health_better(s);
    assert_int_equal(health_of(s), SWIM_HEALTH_MAX - 1);
    health_worse(s, 1 + SWIM_INDIRECT_MAX);
    assert_int_equal(health_of(s), SWIM_HEALTH_MAX);
    member_end(s);
}

/* Time-out and round, as they are seen from outside. */
static void test_probes_take_longer(void **state)
{
    (void)state;
    for (uint32_t health = 0; health <= SWIM_HEALTH_MAX; health++) {
        struct swim_config config = config_of(1);
        swim_time now, began;
        struct swim *s = begin(&config, &now);
        struct sent sent;

        s->health = health;
        go_to(s, WIRE_PING, &now, &sent);
        began = now;
        go_to(s, WIRE_PING_REQ, &now, &sent);
        assert_true(now == began + TIMEOUT * (1 + health));
        go_to(s, WIRE_PING, &now, &sent);
        assert_true(now == began + INTERVAL * (1 + health));
        assert_int_equal(stats_of(s).pauses, 0);
        member_end(s);
    }
}

static void test_each_answer_makes_it_better(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now;
    struct swim *s = begin(&config, &now);
    struct sent sent;

    (void)state;
    s->health = SWIM_HEALTH_MAX;
    for (uint32_t i = 1; i <= SWIM_HEALTH_MAX + 2; i++) {
        swim_time began;

        go_to(s, WIRE_PING, &now, &sent);
        began = now;
        answer(s, now, &sent);
        answer(s, now, &sent); /* the same again */
        assert_int_equal(health_of(s), i < SWIM_HEALTH_MAX ? SWIM_HEALTH_MAX - i : 0);
        if (i > 1) /* each round is as long as was due when it began */
            continue;
        go_to(s, WIRE_PING, &now, &sent);
        assert_true(now == began + INTERVAL * (1 + SWIM_HEALTH_MAX));
        answer(s, now, &sent);
        i++;
    }
    member_end(s);
}

/* One that comes through an intermediary, or late, is an answer like another. */
static void test_an_answer_by_way_of_others_too(void **state)
{
    struct message relayed = {.kind = WIRE_ACK, .has_probe = true, .has_on_behalf = true};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct swim_config config = config_of(1);
        swim_time now;
        struct swim *s = begin(&config, &now);
        struct sent ping, req;

        s->health = 3;
        go_to(s, WIRE_PING, &now, &ping);
        go_to(s, WIRE_PING_REQ, &now, &req);
        relayed.from = addr4_number(&req.to);
        relayed.probe = req.dg.probe_sequence;
        relayed.on_behalf = req.dg.target_id;
        if (i == 0)
            assert_int_equal(hear(s, now, &relayed), SWIM_OK);
        else
            answer(s, now, &ping);
        assert_int_equal(health_of(s), 2);
        go_to(s, WIRE_PING, &now, &ping);
        assert_int_equal(health_of(s), 2);
        assert_int_equal(stats_of(s).nacks_missed, 0);
        member_end(s);
    }
}

/* A silent target costs one, if nobody was asked to help. */
static void test_each_silence_makes_it_worse(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now;
    struct swim *s;
    struct sent sent;

    (void)state;
    config.indirect_k = 0;
    config.suspect_timeout_ms = 3600000;
    s = begin(&config, &now);
    go_to(s, WIRE_PING, &now, &sent);
    for (uint32_t i = 1; i <= 20; i++) {
        go_to(s, WIRE_PING, &now, &sent);
        assert_int_equal(stats_of(s).probe_failures, i);
        assert_int_equal(health_of(s), i < SWIM_HEALTH_MAX ? i : SWIM_HEALTH_MAX);
    }
    member_end(s);
}

/* That the target is another life now, or dead by others' word, says nothing of us. */
static void test_a_target_that_is_gone_says_nothing(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct swim_config config = config_of(1);
        swim_time now;
        struct swim *s = begin(&config, &now);
        struct wire_entry entry;
        struct sent sent;

        go_to(s, WIRE_PING, &now, &sent);
        entry = entry_of(addr4_number(&sent.to));
        entry.incarnation = i == 0;
        entry.status = i == 0 ? SWIM_ALIVE : SWIM_DEAD;
        hear_entry(s, now, 99, entry);
        go_to(s, WIRE_PING, &now, &sent);
        assert_int_equal(health_of(s), 0);
        member_end(s);
    }
}

/* To be doubted is our fault, once a probe interval; to be taken for what we never were is not. */
static void test_each_refutation_makes_it_worse(void **state)
{
    struct swim_config config = quiet_config_of(1);
    swim_time now;
    struct swim *s = begin(&config, &now);
    struct wire_entry entry = entry_of(1);

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        entry.status = i % 2 ? SWIM_DEAD : SWIM_SUSPECT;
        entry.incarnation = i;
        hear_entry(s, now, 2, entry);
        hear_entry(s, now, 3, entry); /* the same doubt again: no more than an old story */
        assert_int_equal(stats_of(s).refutations, i + 1);
        assert_int_equal(health_of(s), i + 1);
        s->blame_allowed = now; /* as if a probe interval had gone by */
    }
    entry.status = SWIM_DEAD;
    entry.incarnation = 4;
    hear_entry(s, now, 2, entry);
    entry.incarnation = 5;
    hear_entry(s, now, 2, entry); /* in the same interval */
    assert_int_equal(stats_of(s).refutations, 6);
    assert_int_equal(health_of(s), 5);
    entry.status = SWIM_ALIVE;
    entry.incarnation = 50;
    hear_entry(s, now, 2, entry);
    entry.status = SWIM_DEAD;
    entry.incarnation = 90;
    hear_entry(s, now, 2, entry);
    assert_int_equal(stats_of(s).refutations, 8);
    assert_int_equal(health_of(s), 5);
    member_end(s);
}

static void test_a_pause_makes_it_worse(void **state)
{
    struct swim_config config = config_of(1);
    swim_time now;
    struct swim *s = begin(&config, &now);
    struct sent sent;

    (void)state;
    for (uint32_t i = 1; i <= 3; i++) {
        now += 60000 * SWIM_MS;
        swim_advance(s, now);
        assert_int_equal(stats_of(s).pauses, i);
        assert_int_equal(health_of(s), i); /* and no probe has failed */
    }
    now += 200 * SWIM_MS; /* late, but no pause */
    swim_advance(s, now);
    assert_int_equal(health_of(s), 3);
    go_to(s, WIRE_PING, &now, &sent);
    answer(s, now, &sent);
    assert_int_equal(health_of(s), 2);
    member_end(s);
}

static void test_switched_off_it_never_moves(void **state)
{
    struct swim_config config = config_of(1);
    struct wire_entry doubt = entry_of(1);
    swim_time now, began;
    struct swim *s;
    struct sent sent;

    (void)state;
    config.local_health = false;
    s = begin(&config, &now);
    for (uint32_t i = 0; i < 5; i++) {
        go_to(s, WIRE_PING, &now, &sent);
        began = now;
        go_to(s, WIRE_PING_REQ, &now, &sent);
        assert_true(now == began + TIMEOUT);
        go_to(s, WIRE_PING, &now, &sent);
        assert_true(now == began + INTERVAL);
        answer(s, now, &sent);
        assert_int_equal(health_of(s), 0);
    }
    assert_int_equal(stats_of(s).probe_failures, 5);
    assert_int_equal(stats_of(s).nacks_missed, 10); /* counted all the same */
    doubt.status = SWIM_SUSPECT;
    hear_entry(s, now, 2, doubt);
    assert_int_equal(stats_of(s).refutations, 1);
    now += 60000 * SWIM_MS;
    swim_advance(s, now);
    assert_int_equal(stats_of(s).pauses, 1);
    assert_int_equal(health_of(s), 0);
    member_end(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_stays_within_its_bounds),
        cmocka_unit_test(test_probes_take_longer),
        cmocka_unit_test(test_each_answer_makes_it_better),
        cmocka_unit_test(test_an_answer_by_way_of_others_too),
        cmocka_unit_test(test_each_silence_makes_it_worse),
        cmocka_unit_test(test_a_target_that_is_gone_says_nothing),
        cmocka_unit_test(test_each_refutation_makes_it_worse),
        cmocka_unit_test(test_a_pause_makes_it_worse),
        cmocka_unit_test(test_switched_off_it_never_moves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
