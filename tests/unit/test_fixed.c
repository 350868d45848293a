/* Logarithms in fixed point (src/base/fixed.h), against the library's in floating point. */
#include "support.h"

#include "base/fixed.h"
#include "base/prng.h"

#include <math.h>

/* Cut off, never rounded up, and by no more than the last place. */
static void check(uint32_t n)
{
    double exact = log2((double)n) * 65536;
    double ours = log2_q16(n);

    assert_true(ours <= exact + 1e-6);
    assert_true(ours > exact - 1.001);
}

static void test_powers_of_two_are_exact(void **state)
{
    (void)state;
    for (uint32_t k = 0; k < 32; k++)
        assert_int_equal(log2_q16(UINT32_C(1) << k), k << 16);
}

static void test_10_is_known(void **state)
{
    (void)state;
    assert_int_equal(LOG2_Q16_OF_10, log2_q16(10));
}

static void test_agrees_with_floating_point(void **state)
{
    struct prng prng;

    (void)state;
    for (uint32_t n = 1; n < 1 << 17; n++)
        check(n);
    prng_init(&prng, test_seed(__func__));
    for (uint32_t i = 0; i < 200000; i++)
        check(1 + prng_below(&prng, UINT32_MAX));
    check(UINT32_MAX);
}

static void test_never_falls(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 1 << 17; n++) {
        assert_true(log2_q16(n + 1) >= log2_q16(n));
        assert_true(log2_q16(UINT32_MAX - n + 1) >= log2_q16(UINT32_MAX - n));
    }
}

static void log_of_0(void *context)
{
    (void)context;
    (void)log2_q16(0);
}

static void test_0_has_none(void **state)
{
    (void)state;
    assert_true(panics(log_of_0, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_powers_of_two_are_exact),
        cmocka_unit_test(test_10_is_known),
        cmocka_unit_test(test_agrees_with_floating_point),
        cmocka_unit_test(test_never_falls),
        cmocka_unit_test(test_0_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
