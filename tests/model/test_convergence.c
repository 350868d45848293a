/*
 * Whole histories through whole members: several members that know another one hear the same
 * claims about it, each in an order of its own, with repetitions, cut into datagrams anywhere,
 * all at one instant. All end with the record that is the greatest in the merge order, and with
 * one view. About itself a member ends alive, above whatever doubted it. docs/protocol.md
 * section 4.
 */
#include "../unit/harness.h"
#include "../unit/support.h"

#include "base/prng.h"
#include "core/merge.h"

enum {
    HISTORIES = 20000,
    OBSERVERS = 3, /* numbers 1..3 */
    SUBJECTS = 3,  /* numbers 4..6 */
    TELLER = 9,    /* who tells it all, and is told of by nobody */
    CLAIMS_MAX = 12,
    HEARD_MAX = 3 * CLAIMS_MAX,
};

/* A member that knows all the others as they started; copied for each history. */
struct observer {
    void *fresh;
    void *arena;
    size_t size;
};

static struct observer observers[OBSERVERS];
static struct prng prng;

/* Every other number is at an IPv6 address. */
static struct swim_addr home_of(uint32_t number)
{
    return number % 2 ? addr4(number) : addr6(number);
}

static struct swim *observer_at(uint32_t place)
{
    return observers[place].arena;
}

static int begin(void **state)
{
    struct wire_entry all[OBSERVERS + SUBJECTS];

    (void)state;
    prng_init(&prng, test_seed("convergence"));
    for (uint32_t i = 0; i < COUNT_OF(all); i++)
        all[i] = (struct wire_entry){.id = i + 1, .addr = home_of(i + 1)};
    for (uint32_t i = 0; i < OBSERVERS; i++) {
        struct message welcome = {
            .kind = WIRE_GOSSIP, .from = TELLER, .entries = all, .entry_count = COUNT_OF(all)};
        struct swim_config config = config_of(i + 1);

        config.addr = home_of(i + 1);
        config.members_max = 16;
        config.meta_memory = 0; /* nobody has names: it would be 4 MiB to copy for each history */
        observers[i].size = swim_footprint(&config);
        observers[i].fresh = member_begin(&config, START);
        observers[i].arena = malloc(observers[i].size);
        assert_non_null(observers[i].arena);
        assert_int_equal(hear(observers[i].fresh, START, &welcome), SWIM_OK);
        drain(observers[i].fresh, START);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < OBSERVERS; i++) {
        free(observers[i].fresh);
        free(observers[i].arena);
    }
    return 0;
}

static void start_again(void)
{
    for (uint32_t i = 0; i < OBSERVERS; i++)
        memcpy(observers[i].arena, observers[i].fresh, observers[i].size);
}

/* Mostly small, so that ties are common; sometimes at the ends of the range. */
static uint32_t draw_counter(uint32_t max)
{
    switch (prng_below(&prng, 8)) {
    case 0: return max;
    case 1: return 0x80000000u - prng_below(&prng, 2);
    default: return prng_below(&prng, 4);
    }
}

static struct wire_entry draw_claim(uint32_t id, uint32_t incarnation_max)
{
    uint32_t house = 100 + prng_below(&prng, 3);

    return (struct wire_entry){
        .id = id,
        .incarnation = draw_counter(incarnation_max),
        .heartbeat = draw_counter(UINT32_MAX),
        .status = (uint8_t)prng_below(&prng, SWIM_STATUS_COUNT),
        .addr = prng_below(&prng, 2) ? addr4(house) : addr6(house),
    };
}

/* Some of the claims a second time, then all in a random order. Returns their number. */
static uint32_t shuffle(const struct wire_entry *claims, uint32_t count, struct wire_entry *ret)
{
    uint32_t heard = 0;

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t times = 1 + prng_below(&prng, 3); times > 0; times--)
            ret[heard++] = claims[i];
    }
    for (uint32_t i = heard; i > 1; i--) {
        uint32_t j = prng_below(&prng, i);
        struct wire_entry swap = ret[i - 1];

        ret[i - 1] = ret[j];
        ret[j] = swap;
    }
    return heard;
}

/* Tells an observer all claims, in an order and in batches of its own. */
static void tell(struct swim *s, const struct wire_entry *claims, uint32_t count)
{
    struct wire_entry heard[HEARD_MAX];
    uint32_t left = shuffle(claims, count, heard);
    const struct wire_entry *at = heard;

    while (left > 0) {
        uint32_t batch = 1 + prng_below(&prng, left);
        struct message gossip = {.kind = prng_below(&prng, 4) ? WIRE_GOSSIP : WIRE_PING,
                                 .from = TELLER,
                                 .entries = at,
                                 .entry_count = batch};

        assert_int_equal(hear(s, START, &gossip), SWIM_OK);
        if (prng_below(&prng, 2))
            drain(s, START);
        at += batch;
        left -= batch;
    }
}

static void assert_greatest(const struct swim *s, uint64_t id, const struct wire_entry *claims,
                            uint32_t count)
{
    struct record greatest = {.id = id, .addr = home_of((uint32_t)id)};
    struct swim_member held;

    for (uint32_t i = 0; i < count; i++) {
        struct record claim = {.id = claims[i].id,
                               .incarnation = claims[i].incarnation,
                               .heartbeat = claims[i].heartbeat,
                               .status = claims[i].status,
                               .addr = claims[i].addr};

        if (claim.id == id && merge_compare(&claim, &greatest) > 0)
            greatest = claim;
    }
    assert_true(swim_member_find(s, id, &held));
    assert_int_equal(held.incarnation, greatest.incarnation);
    assert_int_equal(held.heartbeat, greatest.heartbeat);
    assert_int_equal(held.status, greatest.status);
    assert_true(addr_equal(&held.addr, &greatest.addr));
}

static void test_all_end_with_the_greatest_record(void **state)
{
    struct wire_entry claims[CLAIMS_MAX];

    (void)state;
    for (uint32_t history = 0; history < HISTORIES; history++) {
        uint32_t count = 1 + prng_below(&prng, CLAIMS_MAX);
        uint32_t subjects = 1 + prng_below(&prng, SUBJECTS);

        for (uint32_t i = 0; i < count; i++)
            claims[i] = draw_claim(OBSERVERS + 1 + prng_below(&prng, subjects), UINT32_MAX);
        start_again();
        for (uint32_t place = 0; place < OBSERVERS; place++) {
            struct swim *s = observer_at(place);

            tell(s, claims, count);
            for (uint32_t i = 0; i < SUBJECTS; i++)
                assert_greatest(s, OBSERVERS + 1 + i, claims, count);
            if (swim_view_digest(s) != swim_view_digest(observer_at(0)))
                fail_msg("history %u: two views of the same claims", history);
            if (history % 16 == 0)
                assert_null(swim_check(s));
        }
    }
}

static void test_self_is_never_overruled(void **state)
{
    struct wire_entry claims[CLAIMS_MAX];

    (void)state;
    for (uint32_t history = 0; history < HISTORIES; history++) {
        uint32_t place = prng_below(&prng, OBSERVERS);
        uint32_t count = 1 + prng_below(&prng, CLAIMS_MAX);
        struct swim *s = observer_at(place);
        struct swim_member self;

        for (uint32_t i = 0; i < count; i++) {
            claims[i] = draw_claim(place + 1, UINT32_MAX - 1);
            if (prng_below(&prng, 2))
                claims[i].addr = home_of(place + 1);
        }
        memcpy(observers[place].arena, observers[place].fresh, observers[place].size);
        tell(s, claims, count);
        assert_true(swim_member_find(s, place + 1, &self));
        assert_int_equal(self.status, SWIM_ALIVE);
        assert_true(self.is_self);
        for (uint32_t i = 0; i < count; i++) {
            if (claims[i].status != SWIM_ALIVE)
                assert_true(self.incarnation > claims[i].incarnation);
            else
                assert_true(self.incarnation >= claims[i].incarnation);
        }
        if (history % 16 == 0)
            assert_null(swim_check(s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_end_with_the_greatest_record),
        cmocka_unit_test(test_self_is_never_overruled),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
