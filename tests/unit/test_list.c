/* Lists of indices against a plain array as their model, and the misuse that they catch. */
#include "support.h"

#include "base/list.h"
#include "base/prng.h"

#define ELEMENTS 24

/* The list's elements in order, walked both ways; fails the test where the two disagree. */
static uint32_t walk(const struct list *list, const struct link *links, uint32_t *ret_order)
{
    uint32_t count = 0;
    uint32_t prev = 0;

    for (uint32_t i = list->head; i; i = links[i].next) {
        assert_true(count < ELEMENTS);
        assert_true(is_linked(links, i));
        assert_int_equal(links[i].prev, prev);
        ret_order[count++] = i;
        prev = i;
    }
    assert_int_equal(list->tail, prev);
    assert_int_equal(list->count, count);
    return count;
}

static void expect_order(const struct list *list, const struct link *links, const uint32_t *order,
                         uint32_t count)
{
    uint32_t found[ELEMENTS];
    assert_int_equal(walk(list, links, found), count);
    if (count)
        assert_memory_equal(found, order, count * sizeof *order);
}

static void test_zero_filled_is_empty(void **state)
{
    (void)state;
    struct list list = {0};
    struct link links[ELEMENTS + 1] = {0};

    expect_order(&list, links, NULL, 0);
    for (uint32_t i = 0; i <= ELEMENTS; i++)
        assert_false(is_linked(links, i));
}

static void test_head_and_tail(void **state)
{
    (void)state;
    struct list list = {0};
    struct link links[ELEMENTS + 1] = {0};

    list_push_tail(&list, links, 5);
    list_push_tail(&list, links, 6);
    list_push_head(&list, links, 4);
    list_push_tail(&list, links, 7);
    expect_order(&list, links, (const uint32_t[]){4, 5, 6, 7}, 4);
    list_remove(&list, links, 6); /* from the middle */
    expect_order(&list, links, (const uint32_t[]){4, 5, 7}, 3);
    list_remove(&list, links, 4); /* the head */
    expect_order(&list, links, (const uint32_t[]){5, 7}, 2);
    list_remove(&list, links, 7); /* the tail */
    expect_order(&list, links, (const uint32_t[]){5}, 1);
    list_remove(&list, links, 5); /* the last one */
    expect_order(&list, links, NULL, 0);
    assert_int_equal(links[5].prev, 0);
    assert_int_equal(links[5].next, 0);
}

static void test_survives_a_copy(void **state)
{
    (void)state;
    struct arena {
        struct list list;
        struct link links[ELEMENTS + 1];
    } arena = {0}, copy;

    for (uint32_t i = 1; i <= 3; i++)
        list_push_tail(&arena.list, arena.links, i);
    memcpy(&copy, &arena, sizeof copy);
    memset(&arena, 0xFF, sizeof arena);
    list_remove(&copy.list, copy.links, 2);
    expect_order(&copy.list, copy.links, (const uint32_t[]){1, 3}, 2);
}

static void test_random_against_model(void **state)
{
    (void)state;
    struct prng prng;
    struct list list = {0};
    struct link links[ELEMENTS + 1] = {0};
    uint32_t model[ELEMENTS];
    uint32_t count = 0;

    prng_init(&prng, test_seed(__func__));
    for (int step = 0; step < 20000; step++) {
        uint32_t index = 1 + prng_below(&prng, ELEMENTS);
        uint32_t at = 0;
        while (at < count && model[at] != index)
            at++;
        assert_int_equal(is_linked(links, index), at < count);
        if (at < count) {
            list_remove(&list, links, index);
            count--;
            memmove(model + at, model + at + 1, (count - at) * sizeof *model);
        } else if (prng_below(&prng, 2)) {
            list_push_head(&list, links, index);
            memmove(model + 1, model, count * sizeof *model);
            model[0] = index;
            count++;
        } else {
            list_push_tail(&list, links, index);
            model[count++] = index;
        }
        expect_order(&list, links, model, count);
    }
}

/* A run from anywhere goes to the end of the other list, to and fro; both are as their models say. */
static void test_moves_runs(void **state)
{
    (void)state;
    struct prng prng;
    struct list lists[2] = {{0}, {0}};
    struct link links[ELEMENTS + 1] = {0};
    uint32_t models[2][ELEMENTS];
    uint32_t counts[2] = {ELEMENTS, 0};

    prng_init(&prng, test_seed(__func__));
    for (uint32_t i = 0; i < ELEMENTS; i++) {
        list_push_tail(&lists[0], links, i + 1);
        models[0][i] = i + 1;
    }
    for (int step = 0; step < 20000; step++) {
        uint32_t from = prng_below(&prng, 2);
        if (counts[from] == 0)
            continue;
        uint32_t at = prng_below(&prng, counts[from]);
        uint32_t count = 1 + prng_below(&prng, counts[from] - at);
        uint32_t *first = models[from] + at;
        struct list run = {.head = first[0], .tail = first[count - 1], .count = count};

        list_move_run(&lists[from], &lists[!from], links, &run);
        memcpy(models[!from] + counts[!from], first, count * sizeof *first);
        counts[!from] += count;
        counts[from] -= count;
        memmove(first, first + count, (counts[from] - at) * sizeof *first);
        expect_order(&lists[0], links, models[0], counts[0]);
        expect_order(&lists[1], links, models[1], counts[1]);
    }
}

struct two_lists {
    struct list a;
    struct list b;
    struct link links[ELEMENTS + 1];
};

static void push_linked(void *context)
{
    struct two_lists *two = context;
    list_push_tail(&two->b, two->links, 1);
}

static void push_none(void *context)
{
    struct two_lists *two = context;
    list_push_head(&two->a, two->links, 0);
}

static void remove_unlinked(void *context)
{
    struct two_lists *two = context;
    list_remove(&two->a, two->links, 2);
}

static void remove_anothers_head(void *context)
{
    struct two_lists *two = context;
    list_remove(&two->b, two->links, 1);
}

static void remove_anothers_tail(void *context)
{
    struct two_lists *two = context;
    list_remove(&two->b, two->links, 4);
}

static void move_more_than_there_is(void *context)
{
    struct two_lists *two = context;
    list_move_run(&two->b, &two->a, two->links, &(struct list){.head = 3, .tail = 3, .count = 2});
}

static void move_anothers_run(void *context)
{
    struct two_lists *two = context;
    list_move_run(&two->b, &two->a, two->links, &(struct list){.head = 1, .tail = 1, .count = 1});
}

static void move_unlinked(void *context)
{
    struct two_lists *two = context;
    list_move_run(&two->b, &two->a, two->links, &(struct list){.head = 2, .tail = 2, .count = 1});
}

static void test_misuse_panics(void **state)
{
    (void)state;
    struct two_lists two = {0};

    list_push_tail(&two.a, two.links, 1);
    list_push_tail(&two.a, two.links, 4);
    list_push_tail(&two.b, two.links, 3);
    assert_true(panics(push_linked, &two));
    assert_true(panics(push_none, &two));
    assert_true(panics(remove_unlinked, &two));
    assert_true(panics(remove_anothers_head, &two));
    assert_true(panics(remove_anothers_tail, &two));
    assert_true(panics(move_more_than_there_is, &two));
    assert_true(panics(move_anothers_run, &two));
    assert_true(panics(move_unlinked, &two));
    expect_order(&two.a, two.links, (const uint32_t[]){1, 4}, 2);
    expect_order(&two.b, two.links, (const uint32_t[]){3}, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_filled_is_empty), cmocka_unit_test(test_head_and_tail),
        cmocka_unit_test(test_survives_a_copy),      cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_moves_runs),           cmocka_unit_test(test_misuse_panics),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
