/* The mixing functions go over the wire inside digests: their values are fixed for ever. */
#include "support.h"

#include "base/hash.h"

static void test_golden_values(void **state)
{
    (void)state;
    assert_true(hash_u64(0) == 0);
    assert_true(hash_u64(1) == UINT64_C(0x5692161D100B05E5));
    assert_true(hash_u64(2) == UINT64_C(0xDBD238973A2B148A));
    assert_true(hash_u64(UINT64_MAX) == UINT64_C(0xB4D055FCF2CBBD7B));
    assert_true(hash_u64(UINT64_C(0x0123456789ABCDEF)) == UINT64_C(0xB2C058E4EBB5112C));

    assert_true(hash_combine(0, 0) == UINT64_C(0x48218226FF3CD4BF));
    assert_true(hash_combine(0, 1) == UINT64_C(0xDCE423FC82C0D5B8));
    assert_true(hash_combine(1, 0) == UINT64_C(0x9E0160293A33AAF7));
    assert_true(hash_combine(UINT64_MAX, UINT64_MAX) == UINT64_C(0x4650BC0EB3312E23));
    assert_true(hash_combine(UINT64_C(0x0123456789ABCDEF), UINT64_C(0xFEDCBA9876543210)) ==
                UINT64_C(0x729FAB7EA7D788C6));
}

/* Published outputs of splitmix64 for the seed 1234567. */
static void test_is_splitmix64s_finalizer(void **state)
{
    (void)state;
    static const uint64_t expected[] = {UINT64_C(6457827717110365317),
                                        UINT64_C(3203168211198807973),
                                        UINT64_C(9817491932198370423)};
    uint64_t seed = 1234567;

    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15);
        assert_true(hash_u64(seed) == expected[i]);
    }
}

static int bits_set(uint64_t x)
{
    int count = 0;
    for (; x; x &= x - 1)
        count++;
    return count;
}

/* Any one bit of the input turns over half of the output, give or take. */
static void test_avalanche(void **state)
{
    (void)state;
    for (int bit = 0; bit < 64; bit++) {
        int turned = 0;
        int combined = 0;
        for (uint64_t i = 1; i <= 256; i++) {
            uint64_t x = hash_u64(i * UINT64_C(0xA24BAED4963EE407));
            turned += bits_set(hash_u64(x) ^ hash_u64(x ^ (UINT64_C(1) << bit)));
            combined += bits_set(hash_combine(i, x) ^ hash_combine(i, x ^ (UINT64_C(1) << bit)));
        }
        assert_in_range(turned, 256 * 30, 256 * 34);
        assert_in_range(combined, 256 * 30, 256 * 34);
    }
}

static void test_order_matters(void **state)
{
    (void)state;
    uint64_t ab = hash_combine(hash_combine(0, 1), 2);
    uint64_t ba = hash_combine(hash_combine(0, 2), 1);
    assert_true(ab != ba);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_values),
        cmocka_unit_test(test_is_splitmix64s_finalizer),
        cmocka_unit_test(test_avalanche),
        cmocka_unit_test(test_order_matters),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
