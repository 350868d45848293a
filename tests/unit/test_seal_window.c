/*
 * The window against repetitions, beside a model that remembers every number that it was told
 * (docs/protocol.md section 3, "Windows").
 */
#include "support.h"

#include "base/prng.h"
#include "seal/window.h"

#define W ((uint64_t)SWIM_SEAL_WINDOW)
/* Numbers that a walk can reach from its base. */
#define SPAN 100000

struct model {
    uint64_t base;
    uint64_t newest;
    bool heard[SPAN];
};

static struct model model;

static void model_begin(uint64_t base, uint64_t number)
{
    memset(&model, 0, sizeof model);
    model.base = base;
    model.newest = number;
    for (uint64_t n = base; n <= number; n++)
        model.heard[n - base] = true;
}

static bool model_allows(uint64_t number)
{
    if (number <= model.newest && model.newest - number > W)
        return false;
    return !model.heard[number - model.base];
}

static void model_mark(uint64_t number)
{
    model.heard[number - model.base] = true;
    model.newest = number > model.newest ? number : model.newest;
}

/* Every number that the model knows of around the newest. */
static void compare(const struct window *w)
{
    for (uint64_t n = model.base; n - model.base < SPAN && n <= model.newest + 200; n++) {
        assert_int_equal(window_allows(w, n), model_allows(n));
        if (n == UINT64_MAX)
            break;
    }
}

static void hear(struct window *w, uint64_t number)
{
    assert_int_equal(window_allows(w, number), model_allows(number));
    if (!window_allows(w, number))
        return;
    window_mark(w, number);
    model_mark(number);
    assert_false(window_allows(w, number));
}

/* A step forwards or backwards: mostly small, sometimes around or beyond the whole window. */
static uint64_t step(struct prng *prng)
{
    switch (prng_below(prng, 8)) {
    case 0: return W - 70 + prng_below(prng, 140);
    case 1: return W + 64 + prng_below(prng, 3 * (uint32_t)W);
    case 2: return 64 * (uint64_t)prng_below(prng, 20);
    default: return prng_below(prng, 40);
    }
}

static void walk(struct prng *prng, uint64_t base, uint64_t from)
{
    struct window w;

    window_begin(&w, from);
    model_begin(base, from);
    compare(&w);
    for (uint32_t i = 0; i < 400; i++) {
        uint64_t by = step(prng);
        bool is_back = prng_below(prng, 2) == 0;
        uint64_t room = is_back ? model.newest - base : base + (SPAN - 1) - model.newest;
        uint64_t number = is_back ? model.newest - (by <= room ? by : room)
                                  : model.newest + (by <= room ? by : room);

        hear(&w, number);
        if (i % 50 == 0)
            compare(&w);
    }
    compare(&w);
}

static void test_walks(void **state)
{
    (void)state;
    struct prng prng;
    const uint64_t bases[] = {0, 1000000, UINT64_C(1) << 32, UINT64_MAX - (SPAN - 1)};

    prng_init(&prng, test_seed("walks"));
    for (size_t i = 0; i < COUNT_OF(bases); i++) {
        for (uint32_t k = 0; k < 12; k++)
            walk(&prng, bases[i], bases[i] + prng_below(&prng, 3000));
    }
}

/* Each beginning within a word, each jump up to more than the whole ring: all numbers behind are
 * right afterwards. */
static void test_every_jump(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < 64; offset += 7) {
        for (uint64_t jump = 1; jump <= W + 200; jump += jump < 140 ? 1 : 13) {
            struct window w;
            uint64_t from = 5000 * 64 + offset;

            window_begin(&w, from);
            window_mark(&w, from + jump);
            for (uint64_t n = from + jump; n > from + jump - W - 200; n--) {
                bool is_heard = n == from + jump || n <= from;
                assert_int_equal(window_allows(&w, n), !is_heard && from + jump - n <= W);
            }
        }
    }
}

/* The whole ring, many times round: each number is heard once, in order and in reverse. */
static void test_wraps(void **state)
{
    (void)state;
    struct window w;

    window_begin(&w, 0);
    for (uint64_t n = W; n < 40 * W; n += W) {
        for (uint64_t k = 0; k < W; k++) {
            assert_true(window_allows(&w, n - k));
            window_mark(&w, n - k);
        }
        for (uint64_t k = 0; k <= n; k++)
            assert_false(window_allows(&w, k));
        assert_true(window_allows(&w, n + 1));
    }
}

static void test_edges(void **state)
{
    (void)state;
    struct window w;

    window_begin(&w, 0);
    assert_false(window_allows(&w, 0));
    assert_true(window_allows(&w, 1));
    assert_true(window_allows(&w, UINT64_MAX));
    window_mark(&w, W + 1);
    assert_true(window_allows(&w, 1)); /* SWIM_SEAL_WINDOW behind the newest: told apart */
    window_mark(&w, W + 2);
    assert_false(window_allows(&w, 1)); /* one more: too old */
    assert_true(window_allows(&w, 2));
    window_mark(&w, UINT64_MAX);
    assert_false(window_allows(&w, UINT64_MAX));
    assert_true(window_allows(&w, UINT64_MAX - W));
    assert_false(window_allows(&w, UINT64_MAX - W - 1));
    assert_false(window_allows(&w, W + 3));
    window_begin(&w, UINT64_MAX);
    for (uint64_t k = 0; k < 2 * W; k++)
        assert_false(window_allows(&w, UINT64_MAX - k));
    assert_true(SWIM_SEAL_WINDOW >= 1024);
}

static void mark_twice(void *context)
{
    window_mark(context, 7);
}

static void test_asserted(void **state)
{
    (void)state;
    struct window w;

    window_begin(&w, 7);
    assert_true(panics(mark_twice, &w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),    cmocka_unit_test(test_every_jump),
        cmocka_unit_test(test_wraps),    cmocka_unit_test(test_edges),
        cmocka_unit_test(test_asserted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
