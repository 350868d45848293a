/* The deadline heap against a linear search, and the order of equal deadlines. */
#include "support.h"

#include "base/heap.h"
#include "base/prng.h"

#define ELEMENTS 64

struct fixture {
    struct heap heap;
    struct heap_node nodes[ELEMENTS + 1];
    uint32_t places[ELEMENTS];
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->heap.capacity = ELEMENTS;
}

static void push(struct fixture *f, uint32_t index, uint64_t key)
{
    heap_push(&f->heap, f->nodes, f->places, index, key);
    assert_true(heap_check(&f->heap, f->nodes, f->places));
}

static void drop(struct fixture *f, uint32_t index)
{
    heap_remove(&f->heap, f->nodes, f->places, index);
    assert_int_equal(f->places[index], 0);
    assert_true(heap_check(&f->heap, f->nodes, f->places));
}

static uint32_t pop(struct fixture *f)
{
    uint32_t index = heap_top(&f->heap, f->nodes)->index;
    drop(f, index);
    return index;
}

static void test_comes_out_sorted(void **state)
{
    (void)state;
    static const uint64_t keys[] = {5, UINT64_MAX, 0, 7, 1, 1000000, 6};
    static const uint32_t order[] = {2, 4, 0, 6, 3, 5, 1};
    struct fixture f;

    setup(&f);
    for (uint32_t i = 0; i < COUNT_OF(keys); i++)
        push(&f, i, keys[i]);
    for (uint32_t i = 0; i < COUNT_OF(order); i++) {
        assert_true(heap_top(&f.heap, f.nodes)->key == keys[order[i]]);
        assert_int_equal(pop(&f), order[i]);
    }
    assert_int_equal(f.heap.size, 0);
}

/* Ties come out as they went in, also while the sequence numbers wrap. */
static void test_ties_in_order_of_insertion(void **state)
{
    (void)state;
    static const uint32_t starts[] = {0, UINT32_MAX - 20, UINT32_C(0x80000000) - 20};

    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        struct fixture f;
        setup(&f);
        f.heap.sequence = starts[i];
        for (uint32_t index = 0; index < ELEMENTS; index++)
            push(&f, (index * 29) % ELEMENTS, 42);
        /* Pushed again, an element goes behind its equals. */
        drop(&f, 29);
        push(&f, 29, 42);
        assert_int_equal(pop(&f), 0);
        for (uint32_t index = 2; index < ELEMENTS; index++)
            assert_int_equal(pop(&f), (index * 29) % ELEMENTS);
        assert_int_equal(pop(&f), 29);
    }
}

static void test_remove_from_anywhere(void **state)
{
    (void)state;

    for (uint32_t victim = 0; victim < ELEMENTS; victim++) {
        struct fixture f;
        setup(&f);
        for (uint32_t index = 0; index < ELEMENTS; index++)
            push(&f, index, (index * 37) % ELEMENTS);
        drop(&f, victim);
        uint64_t last = 0;
        while (f.heap.size) {
            uint64_t key = heap_top(&f.heap, f.nodes)->key;
            assert_true(key >= last);
            last = key;
            assert_int_not_equal(pop(&f), victim);
        }
    }
}

/* The earliest pair of (key, number of its push) among those present. */
static uint32_t model_first(const uint64_t *keys, const uint64_t *pushes, const bool *present)
{
    uint32_t best = ELEMENTS;

    for (uint32_t i = 0; i < ELEMENTS; i++) {
        if (present[i] && (best == ELEMENTS || keys[i] < keys[best] ||
                           (keys[i] == keys[best] && pushes[i] < pushes[best])))
            best = i;
    }
    return best;
}

static void test_random_against_model(void **state)
{
    (void)state;
    struct fixture f;
    struct prng prng;
    uint64_t keys[ELEMENTS];
    uint64_t pushes[ELEMENTS];
    bool present[ELEMENTS] = {false};

    setup(&f);
    prng_init(&prng, test_seed(__func__));
    f.heap.sequence = (uint32_t)prng_next(&prng);
    for (uint64_t step = 0; step < 50000; step++) {
        uint32_t index = prng_below(&prng, ELEMENTS);
        if (present[index]) {
            drop(&f, index);
        } else {
            keys[index] = prng_below(&prng, 40);
            pushes[index] = step;
            push(&f, index, keys[index]);
        }
        present[index] = !present[index];
        if (f.heap.size)
            assert_int_equal(heap_top(&f.heap, f.nodes)->index, model_first(keys, pushes, present));
    }
}

static void test_check_sees_damage(void **state)
{
    (void)state;
    struct fixture f;

    setup(&f);
    for (uint32_t index = 0; index < 5; index++)
        push(&f, index, index);
    f.nodes[1].key = 99;
    assert_false(heap_check(&f.heap, f.nodes, f.places));
    f.nodes[1].key = 0;
    f.places[3]++;
    assert_false(heap_check(&f.heap, f.nodes, f.places));
    f.places[3]--;
    assert_true(heap_check(&f.heap, f.nodes, f.places));
    f.heap.capacity = 4;
    assert_false(heap_check(&f.heap, f.nodes, f.places));
}

static void push_again(void *context)
{
    struct fixture *f = context;
    heap_push(&f->heap, f->nodes, f->places, 3, 0);
}

static void push_into_full(void *context)
{
    struct fixture *f = context;
    f->heap.capacity = f->heap.size;
    heap_push(&f->heap, f->nodes, f->places, 9, 0);
}

static void remove_absent(void *context)
{
    struct fixture *f = context;
    heap_remove(&f->heap, f->nodes, f->places, 9);
}

static void top_of_empty(void *context)
{
    const struct heap empty = {.size = 0, .capacity = 1, .sequence = 0};
    const struct fixture *f = context;
    (void)heap_top(&empty, f->nodes);
}

static void test_misuse_panics(void **state)
{
    (void)state;
    struct fixture f;

    setup(&f);
    push(&f, 3, 7);
    assert_true(panics(push_again, &f));
    assert_true(panics(remove_absent, &f));
    assert_true(panics(top_of_empty, &f));
    assert_true(panics(push_into_full, &f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_out_sorted),
        cmocka_unit_test(test_ties_in_order_of_insertion),
        cmocka_unit_test(test_remove_from_anywhere),
        cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_check_sees_damage),
        cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
