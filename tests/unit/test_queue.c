/* Queues against a plain array as their model, and the misuse that they catch. */
#include "support.h"

#include "base/prng.h"
#include "base/queue.h"

enum { CAPACITY = 5 };

struct fixture {
    struct queue queue;
    uint32_t cells[CAPACITY];
};

static void assert_model(const struct fixture *f, const uint32_t *model, uint32_t count)
{
    assert_int_equal(f->queue.count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(queue_at(&f->queue, f->cells, CAPACITY, i), model[i]);
}

static void test_first_in_first_out(void **state)
{
    struct fixture f = {0};
    uint32_t model[CAPACITY];
    uint32_t count = 0;
    uint32_t times_full = 0;
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t step = 0; step < 20000; step++) {
        if (prng_below(&prng, 2) && count < CAPACITY) {
            queue_push(&f.queue, f.cells, CAPACITY, step);
            model[count++] = step;
        } else if (count) {
            queue_pop(&f.queue, CAPACITY);
            memmove(model, model + 1, --count * sizeof *model);
        }
        times_full += count == CAPACITY;
        assert_model(&f, model, count);
    }
    assert_true(times_full > 100);
}

/* However much goes through, the array is touched no deeper than the queue was long. */
static void test_only_the_depth_is_touched(void **state)
{
    struct fixture f = {0};

    (void)state;
    for (uint32_t round = 1; round <= 100; round++) {
        queue_push(&f.queue, f.cells, CAPACITY, round);
        queue_push(&f.queue, f.cells, CAPACITY, round);
        queue_pop(&f.queue, CAPACITY);
        queue_pop(&f.queue, CAPACITY);
    }
    for (uint32_t i = 2; i < CAPACITY; i++)
        assert_int_equal(f.cells[i], 0);
}

static void push_one(void *context)
{
    struct fixture *f = context;

    queue_push(&f->queue, f->cells, CAPACITY, 3);
}

static void pop_one(void *context)
{
    struct fixture *f = context;

    queue_pop(&f->queue, CAPACITY);
}

static void look_behind(void *context)
{
    struct fixture *f = context;

    queue_at(&f->queue, f->cells, CAPACITY, f->queue.count);
}

static void test_misuse_panics(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_true(panics(pop_one, &f));
    assert_true(panics(look_behind, &f));
    for (uint32_t i = 0; i < CAPACITY; i++)
        assert_false(panics(push_one, &f));
    assert_true(panics(look_behind, &f));
    assert_true(panics(push_one, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_only_the_depth_is_touched),
        cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
