/* The inbound limits: exact in what they let through, fair to members, bounded in memory. */
#include "support.h"

#include "agent/limiter.h"
#include "base/prng.h"

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(1000) * SECOND)

static const struct limiter_config defaults = {
    .members_max = 64, .strangers_rate = 500, .member_capacity = 100, .member_rate = 50};

/* A member's address made of a number; 0 is a stranger. */
static bool allows(struct limiter *limiter, uint64_t id, uint64_t now)
{
    struct swim_addr addr = {.family = 4, .port = 7000};

    memcpy(addr.ip, &id, sizeof id);
    return limiter_allows(limiter, id == 0 ? NULL : &addr, now);
}

static uint32_t burst(struct limiter *limiter, uint64_t id, uint64_t now, uint32_t count)
{
    uint32_t passed = 0;

    for (uint32_t i = 0; i < count; i++)
        passed += allows(limiter, id, now) ? 1 : 0;
    return passed;
}

static void test_strangers(void **state)
{
    (void)state;
    struct limiter limiter;

    assert_true(limiter_init(&limiter, &defaults));
    assert_int_equal(burst(&limiter, 0, START, 5000), 1000);
    assert_int_equal(limiter.limited, 4000);
    assert_int_equal(limiter.limited_members, 0);
    assert_int_equal(burst(&limiter, 0, START + SECOND / 500 - 1, 10), 0);
    assert_int_equal(burst(&limiter, 0, START + SECOND / 500, 10), 1);
    assert_int_equal(burst(&limiter, 0, START + SECOND, 5000), 499);
    assert_int_equal(burst(&limiter, 0, START + 3600 * SECOND, 5000), 1000); /* no more saved up */
    limiter_done(&limiter);
}

static void test_members_have_their_own(void **state)
{
    (void)state;
    struct limiter limiter;

    assert_true(limiter_init(&limiter, &defaults));
    assert_int_equal(burst(&limiter, 0, START, 5000), 1000);
    /* A flood of strangers takes nothing from members, nor one member from another. */
    for (uint64_t id = 1; id <= 20; id++)
        assert_int_equal(burst(&limiter, id, START, 500), 100);
    assert_int_equal(burst(&limiter, 7, START + SECOND, 49), 49);
    limiter_done(&limiter);
}

/* A table of any size that arrives at once: the rest of the burst draws on the strangers' bucket. */
static void test_member_overdraws(void **state)
{
    (void)state;
    struct limiter limiter;

    assert_true(limiter_init(&limiter, &defaults));
    assert_int_equal(burst(&limiter, 7, START, 1100), 1100);
    assert_int_equal(limiter.limited, 0);
    assert_int_equal(burst(&limiter, 7, START, 10), 0);
    assert_int_equal(limiter.limited_members, 10);
    assert_int_equal(burst(&limiter, 8, START, 100), 100);
    limiter_done(&limiter);
}

static void test_long_run_rate(void **state)
{
    (void)state;
    struct limiter limiter;
    uint32_t passed = 0;

    assert_true(limiter_init(&limiter, &defaults));
    (void)burst(&limiter, 0, START, 5000);
    /* 1,000 a second for 20 s: the capacity, and both rates. */
    for (uint64_t ms = 0; ms < 20000; ms++)
        passed += burst(&limiter, 7, START + ms * (SECOND / 1000), 1);
    assert_in_range(passed, 100 + 20 * 550 - 2, 100 + 20 * 550 + 2);
    limiter_done(&limiter);
}

/* Ever new addresses (members come and go) leave those that are in use their buckets. */
static void test_bounded_and_forgetful(void **state)
{
    (void)state;
    struct limiter limiter;
    struct prng prng;
    uint32_t passed = 0;

    assert_true(limiter_init(&limiter, &defaults));
    (void)burst(&limiter, 0, START, 5000);
    prng_init(&prng, test_seed("addresses"));
    for (int i = 0; i < 20000; i++) {
        uint64_t id = prng_next(&prng) | 1;
        assert_true(allows(&limiter, id, START)); /* a new bucket is full */
        passed += allows(&limiter, 4242, START) ? 1 : 0;
    }
    /* Evicted now and then, since all buckets are in use at one instant; but it is a limit. */
    assert_in_range(passed, 100, 15000);
    limiter_done(&limiter);
}

static void test_new_settings(void **state)
{
    (void)state;
    struct limiter limiter;
    struct limiter_config changed = defaults;

    assert_true(limiter_init(&limiter, &defaults));
    changed.strangers_rate = 1;
    changed.member_capacity = 3;
    limiter_configure(&limiter, &changed);
    (void)burst(&limiter, 0, START, 5000);
    assert_int_equal(burst(&limiter, 7, START, 100), 3);
    limiter_done(&limiter);
}

static size_t bytes_in_use(const struct limiter *limiter)
{
    return (limiter->set_mask + 1) * 4 * sizeof(struct bucket);
}

/* Room for many costs few nothing; who has drawn on a bucket goes on with it while nobody joins. */
static void test_fits(void **state)
{
    (void)state;
    struct limiter limiter;
    struct limiter_config many = defaults;

    many.members_max = 16384;
    assert_true(limiter_init(&limiter, &many));
    (void)burst(&limiter, 0, START, 5000);
    limiter_fit(&limiter, 100);
    assert_int_equal(bytes_in_use(&limiter), 4096);
    for (uint64_t id = 1; id <= 100; id++)
        assert_int_equal(burst(&limiter, id, START, 100), 100);
    assert_false(allows(&limiter, 7, START));
    limiter_fit(&limiter, 50); /* who is gone may come again */
    assert_false(allows(&limiter, 7, START));
    limiter_fit(&limiter, 16384);
    assert_int_equal(bytes_in_use(&limiter), 16384 * 2 * sizeof(struct bucket));
    for (uint64_t id = 1; id <= 10000; id++)
        assert_true(burst(&limiter, id, START + SECOND, 100) >= 50);
    limiter_fit(&limiter, 1 << 30); /* never more than was reserved */
    assert_int_equal(bytes_in_use(&limiter), 16384 * 2 * sizeof(struct bucket));
    limiter_done(&limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers),
        cmocka_unit_test(test_members_have_their_own),
        cmocka_unit_test(test_member_overdraws),
        cmocka_unit_test(test_long_run_rate),
        cmocka_unit_test(test_bounded_and_forgetful),
        cmocka_unit_test(test_new_settings),
        cmocka_unit_test(test_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
