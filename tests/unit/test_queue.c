/* Queues of indices against a plain array as their model, and the misuse that they catch. */
#include "support.h"

#include "base/prng.h"
#include "base/queue.h"

enum { ELEMENTS = 24 };

static void test_first_in_first_out(void **state)
{
    uint32_t next[ELEMENTS + 1] = {0};
    uint32_t model[ELEMENTS];
    struct queue queue = {0};
    uint32_t count = 0;
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t index = 1 + prng_below(&prng, ELEMENTS);

        if (prng_below(&prng, 2) && !is_in_queue(next, index)) {
            queue_push(&queue, next, index);
            model[count++] = index;
        } else if (count) {
            assert_int_equal(queue.head, model[0]);
            queue_pop(&queue, next);
            assert_false(is_in_queue(next, model[0]));
            memmove(model, model + 1, --count * sizeof *model);
        }
        assert_int_equal(queue.count, count);
        assert_int_equal(queue.head, count ? model[0] : 0);
        assert_true(queue_check(&queue, next));
    }
}

static void test_check_sees_damage(void **state)
{
    uint32_t next[ELEMENTS + 1] = {0};
    struct queue queue = {0};

    (void)state;
    for (uint32_t index = 1; index <= 3; index++)
        queue_push(&queue, next, index);
    queue.count = 2;
    assert_false(queue_check(&queue, next));
    queue.count = 3;
    next[2] = 0;
    assert_false(queue_check(&queue, next));
    next[2] = QUEUE_END;
    assert_false(queue_check(&queue, next));
    next[2] = 3;
    next[3] = 1; /* a ring */
    assert_false(queue_check(&queue, next));
    next[3] = QUEUE_END;
    assert_true(queue_check(&queue, next));
}

struct fixture {
    struct queue queue;
    uint32_t next[ELEMENTS + 1];
};

static void push_again(void *context)
{
    struct fixture *f = context;

    queue_push(&f->queue, f->next, 3);
}

static void push_none(void *context)
{
    struct fixture *f = context;

    queue_push(&f->queue, f->next, 0);
}

static void pop_empty(void *context)
{
    struct fixture *f = context;

    queue_pop(&f->queue, f->next);
}

static void test_misuse_panics(void **state)
{
    struct fixture f = {0};

    (void)state;
    assert_true(panics(pop_empty, &f));
    assert_true(panics(push_none, &f));
    queue_push(&f.queue, f.next, 3);
    assert_true(panics(push_again, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_in_first_out),
        cmocka_unit_test(test_check_sees_damage),
        cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
