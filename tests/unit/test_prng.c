/* The same seed gives the same run on every platform: golden values. And the dice are fair. */
#include "support.h"

#include "base/prng.h"

/* The reference vector of xoshiro256**: state 1, 2, 3, 4. */
static void test_reference_vector(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        11520,
        0,
        1509978240,
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct prng prng = {{1, 2, 3, 4}};

    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_true(prng_next(&prng) == expected[i]);
}

static void test_golden_seeds(void **state)
{
    (void)state;
    static const struct {
        uint64_t seed;
        uint64_t first[4];
    } golden[] = {
        {0,
         {UINT64_C(0x99EC5F36CB75F2B4), UINT64_C(0xBF6E1F784956452A), UINT64_C(0x1A5F849D4933E6E0),
          UINT64_C(0x6AA594F1262D2D2C)}},
        {1,
         {UINT64_C(0xB3F2AF6D0FC710C5), UINT64_C(0x853B559647364CEA), UINT64_C(0x92F89756082A4514),
          UINT64_C(0x642E1C7BC266A3A7)}},
        {UINT64_MAX,
         {UINT64_C(0x8F5520D52A7EAD08), UINT64_C(0xC476A018CAA1802D), UINT64_C(0x81DE31C0D260469E),
          UINT64_C(0xBF658D7E065F3C2F)}},
    };
    struct prng prng;

    for (size_t i = 0; i < COUNT_OF(golden); i++) {
        prng_init(&prng, golden[i].seed);
        for (size_t j = 0; j < 4; j++)
            assert_true(prng_next(&prng) == golden[i].first[j]);
    }
    prng_init(&prng, 42);
    for (int i = 0; i < 1000; i++)
        (void)prng_next(&prng);
    assert_true(prng_next(&prng) == UINT64_C(0x0F5028C28F5771B2));
}

static void test_golden_bounded(void **state)
{
    (void)state;
    static const struct {
        uint32_t bound;
        uint32_t expected;
    } golden[] = {
        {1, 0},
        {2, 0},
        {3, 2},
        {10, 9},
        {1000, 990},
        {UINT32_C(0x80000001), 224274149}, /* half of all draws are drawn again */
        {UINT32_C(0x80000001), 1162578065},
        {UINT32_MAX, UINT32_C(3143307063)},
        {6, 5},
        {6, 5},
        {6, 2},
        {6, 3},
    };
    struct prng prng;

    prng_init(&prng, 7);
    for (size_t i = 0; i < COUNT_OF(golden); i++)
        assert_true(prng_below(&prng, golden[i].bound) == golden[i].expected);
}

/* Chi-squared over bounds that do not divide 2^32; 60 is beyond any chance at 19 degrees. */
static void test_bounded_is_uniform(void **state)
{
    (void)state;
    struct prng prng;
    uint64_t seed = test_seed(__func__);

    for (uint32_t bound = 2; bound <= 20; bound++) {
        uint32_t counts[20] = {0};
        double expected = 100000.0 / bound;
        double chi2 = 0;
        prng_init(&prng, seed + bound);
        for (int i = 0; i < 100000; i++) {
            uint32_t drawn = prng_below(&prng, bound);
            assert_true(drawn < bound);
            counts[drawn]++;
        }
        for (uint32_t i = 0; i < bound; i++)
            chi2 += (counts[i] - expected) * (counts[i] - expected) / expected;
        assert_true(chi2 < 60);
    }
}

/* With modulo instead of rejection, the first third of this range would come out as often as
 * the other two together. */
static void test_no_modulo_bias(void **state)
{
    (void)state;
    const uint32_t bound = UINT32_C(0xC0000000);
    struct prng prng;
    uint32_t thirds[3] = {0};

    prng_init(&prng, test_seed(__func__));
    for (int i = 0; i < 30000; i++)
        thirds[prng_below(&prng, bound) / UINT32_C(0x40000000)]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], 9500, 10500);
}

static void below_nothing(void *context)
{
    (void)prng_below(context, 0);
}

static void test_misuse_panics(void **state)
{
    (void)state;
    struct prng prng;

    prng_init(&prng, 1);
    assert_true(panics(below_nothing, &prng));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_vector), cmocka_unit_test(test_golden_seeds),
        cmocka_unit_test(test_golden_bounded),   cmocka_unit_test(test_bounded_is_uniform),
        cmocka_unit_test(test_no_modulo_bias),   cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("prng", tests, NULL, NULL);
}
