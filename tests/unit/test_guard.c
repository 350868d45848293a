/* Two members with a guard each, and the bytes between them: what is sealed, what is heard, and what
 * a change of keys or mode does. The core is the real one; time stands still. */
#include "support.h"

#include "agent/guard.h"

#include <stdlib.h>

#define NOW (1000 * SWIM_MS)

struct side {
    struct swim_addr addr;
    struct swim *swim;
    struct guard *guard;
};

static struct keyset *keys;

static int set_up(void **state)
{
    (void)state;
    log_configure(LOG_ERROR, LOG_AS_TEXT);
    keys = keyset_new();
    return keys != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    keyset_free(keys);
    keyset_forget_all(); /* for the leak checker, which looks into this process */
    return 0;
}

/* A set of keys by their first bytes: "ab" is two, the first the primary one. */
static const struct keyset *set_of(const char *names)
{
    memset(keys, 0, sizeof *keys);
    for (; *names != '\0'; names++) {
        uint8_t key[SWIM_KEY_SIZE] = {(uint8_t)*names};
        assert_null(keyset_add(keys, key));
    }
    return keys;
}

static struct side make(uint8_t number, uint32_t envelope, enum plaintext_mode mode,
                        const char *names)
{
    struct side side = {.addr = {.family = 4, .ip = {10, 0, 0, number}, .port = 7000}};
    struct agent_config config;
    const struct keyset *given = set_of(names);

    config_default(&config);
    config.envelope = envelope;
    config.plaintext = mode;
    config.swim.members_max = 16;
    config.swim.id = number;
    config.swim.seed = number;
    config.swim.addr = side.addr;
    size_t size = swim_footprint(&config.swim);
    side.swim = swim_init(calloc(1, size), size, &config.swim, NOW);
    side.guard = guard_new(&config, side.swim, 0, given->count > 0 ? given : NULL);
    assert_non_null(side.guard);
    return side;
}

static void done(struct side *side)
{
    guard_free(side->guard);
    free(side->swim);
}

/* What `from` sends to `to` next: its size, 0 when there is nothing. */
static size_t next(struct side *from, uint8_t *data)
{
    struct swim_addr to;

    return guard_transmit(from->guard, NOW, &to, data, SWIM_SEALED_MAX);
}

static void give(struct side *from, struct side *to, const uint8_t *data, size_t size)
{
    guard_receive(to->guard, NOW, &from->addr, data, size);
}

/* Lets both talk until they have nothing to say. Returns the datagrams that went over. */
static unsigned talk(struct side *a, struct side *b)
{
    uint8_t data[SWIM_SEALED_MAX];
    size_t size;
    unsigned count = 0;
    unsigned before;

    do {
        before = count;
        for (; (size = next(a, data)) > 0 && count < 100; count++)
            give(a, b, data, size);
        for (; (size = next(b, data)) > 0 && count < 100; count++)
            give(b, a, data, size);
    } while (count != before && count < 100);
    return count;
}

static bool know_each_other(const struct side *a, const struct side *b)
{
    struct swim_member member;
    bool ab = swim_member_find_addr(a->swim, &b->addr, &member);
    bool ba = swim_member_find_addr(b->swim, &a->addr, &member);

    assert_int_equal(ab, ba);
    return ab;
}

struct meeting {
    uint32_t envelope[2];
    enum plaintext_mode mode[2];
    const char *keys[2];
    bool do_they_meet;
};

static void meet(const struct meeting *meeting)
{
    struct side a = make(1, meeting->envelope[0], meeting->mode[0], meeting->keys[0]);
    struct side b = make(2, meeting->envelope[1], meeting->mode[1], meeting->keys[1]);

    assert_true(swim_join(a.swim, NOW, &b.addr));
    assert_true(talk(&a, &b) > 0);
    if (know_each_other(&a, &b) != meeting->do_they_meet)
        fail_msg("envelopes %u %u, modes %d %d, keys '%s' '%s'", (unsigned)meeting->envelope[0],
                 (unsigned)meeting->envelope[1], meeting->mode[0], meeting->mode[1],
                 meeting->keys[0], meeting->keys[1]);
    done(&a);
    done(&b);
}

#define REFUSE PLAINTEXT_REFUSE
#define ACCEPT PLAINTEXT_ACCEPT
#define SEND PLAINTEXT_SEND

/* Who meets whom. */
static void test_meetings(void **state)
{
    (void)state;
    static const struct meeting meetings[] = {
        {{2, 2}, {REFUSE, REFUSE}, {"", ""}, true},
        {{1, 2}, {REFUSE, REFUSE}, {"", ""}, true},
        {{2, 2}, {REFUSE, REFUSE}, {"a", "a"}, true},
        {{1, 1}, {REFUSE, REFUSE}, {"a", "a"}, true},
        {{2, 2}, {REFUSE, REFUSE}, {"a", "b"}, false},
        {{1, 1}, {REFUSE, REFUSE}, {"a", "b"}, false},
        {{1, 2}, {REFUSE, REFUSE}, {"a", "a"}, false},
        {{2, 1}, {ACCEPT, ACCEPT}, {"a", "a"}, false},
        {{2, 2}, {REFUSE, REFUSE}, {"a", ""}, false},
        {{1, 1}, {REFUSE, REFUSE}, {"", "a"}, false},
        /* Rotation. */
        {{2, 2}, {REFUSE, REFUSE}, {"ab", "a"}, true},
        {{2, 2}, {REFUSE, REFUSE}, {"ab", "ba"}, true},
        {{1, 1}, {REFUSE, REFUSE}, {"ab", "ba"}, true},
        {{2, 2}, {REFUSE, REFUSE}, {"ba", "a"}, false},
        /* From plaintext to sealed. */
        {{2, 2}, {SEND, REFUSE}, {"a", ""}, true},
        {{2, 2}, {SEND, ACCEPT}, {"a", "a"}, true},
        {{2, 2}, {ACCEPT, REFUSE}, {"a", "a"}, true},
        {{2, 2}, {ACCEPT, REFUSE}, {"a", ""}, false},
        {{2, 2}, {SEND, REFUSE}, {"a", "a"}, false},
        {{1, 1}, {SEND, ACCEPT}, {"a", "a"}, true},
        {{1, 1}, {ACCEPT, REFUSE}, {"a", "a"}, true},
        {{1, 1}, {SEND, REFUSE}, {"a", "a"}, false},
    };

    for (size_t i = 0; i < COUNT_OF(meetings); i++)
        meet(&meetings[i]);
}

/* What counts as what. */
static void test_counters(void **state)
{
    (void)state;
    struct side a = make(1, 2, REFUSE, "");
    struct side b = make(2, 2, REFUSE, "a");
    uint8_t data[SWIM_SEALED_MAX];
    struct guard_stats stats;

    assert_true(swim_join(a.swim, NOW, &b.addr));
    size_t size = next(&a, data);
    assert_int_equal(data[0], 1);
    give(&a, &b, data, size);
    stats = guard_stats(b.guard);
    assert_int_equal(stats.keys, 1);
    assert_int_equal(stats.plaintext_refused, 1);
    assert_int_equal(stats.seal.dropped[SWIM_SEAL_DROP_SIZE], 0);
    guard_set_plaintext(b.guard, ACCEPT);
    give(&a, &b, data, size);
    assert_int_equal(guard_stats(b.guard).plaintext_received, 1);
    /* A stranger who spoke in plaintext is answered so, with no more than he sent. */
    assert_in_range(next(&b, data), 24, size);
    assert_int_equal(data[0], 1);
    guard_set_plaintext(b.guard, REFUSE);
    assert_true(swim_join(b.swim, NOW, &a.addr));
    size = next(&b, data);
    assert_int_equal(data[0], 2);
    give(&b, &a, data, size); /* a has no key, and counts it as another version */
    data[size - 1] ^= 1;
    data[1] = (uint8_t)swim_key_id(guard_keys(b.guard)->key[0]);
    give(&a, &b, data, size);
    assert_int_equal(guard_stats(b.guard).seal.dropped[SWIM_SEAL_DROP_FORGED], 1);
    for (size_t i = 0; i < sizeof data; i++)
        give(&a, &b, data, i);
    uint8_t large[2048] = {2};
    give(&a, &b, large, sizeof large);
    done(&a);
    done(&b);
}

/* The second time it is heard, whatever the mode, it changes nothing. */
static void test_repetition(void **state)
{
    (void)state;
    struct side a = make(1, 2, REFUSE, "a");
    struct side b = make(2, 2, REFUSE, "a");
    uint8_t data[SWIM_SEALED_MAX];

    assert_true(swim_join(a.swim, NOW, &b.addr));
    (void)talk(&a, &b);
    assert_true(know_each_other(&a, &b));
    swim_leave(a.swim, NOW);
    size_t size = next(&a, data);
    assert_true(size > 0);
    give(&a, &b, data, size);
    uint64_t opened = guard_stats(b.guard).seal.opened;
    give(&a, &b, data, size);
    assert_int_equal(guard_stats(b.guard).seal.dropped[SWIM_SEAL_DROP_REPLAY], 1);
    assert_int_equal(guard_stats(b.guard).seal.opened, opened);
    done(&a);
    done(&b);
}

static void assert_keys(const struct guard *guard, const char *names)
{
    const struct keyset *held = guard_keys(guard);

    assert_int_equal(held != NULL ? held->count : 0, strlen(names));
    for (size_t i = 0; names[i] != '\0'; i++)
        assert_int_equal(held->key[i][0], names[i]);
    assert_int_equal(guard_stats(guard).keys, strlen(names));
}

/* Any set after any other; and the seal itself holds the same. */
static void test_sets_of_keys(void **state)
{
    (void)state;
    static const char *const sets[] = {"",         "a",        "ab",       "ba",  "b",
                                       "abcdefgh", "ijklmnop", "hijklmno", "oha", "a"};
    struct side side = make(1, 2, REFUSE, "");

    for (size_t i = 0; i < COUNT_OF(sets); i++)
        for (size_t j = 0; j < COUNT_OF(sets); j++) {
            assert_null(guard_set_keys(side.guard, set_of(sets[i])));
            assert_keys(side.guard, sets[i]);
            assert_null(guard_set_keys(side.guard, set_of(sets[j])));
            assert_keys(side.guard, sets[j]);
        }
    done(&side);

    /* What it seals with the last of them is opened by the holder of the primary one alone. */
    struct side a = make(1, 2, REFUSE, "abcdefgh");
    struct side b = make(2, 2, REFUSE, "x");
    assert_null(guard_set_keys(a.guard, set_of("xabcdefg")));
    assert_true(swim_join(a.swim, NOW, &b.addr));
    (void)talk(&a, &b);
    assert_true(know_each_other(&a, &b));
    done(&a);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_meetings),
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_repetition),
        cmocka_unit_test(test_sets_of_keys),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
