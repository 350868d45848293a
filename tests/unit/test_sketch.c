/* Sketches of sets (src/core/sketch.h): what both sides have cancels out, the rest is found; and
 * whatever is made up ends, soon, and is noticed. docs/protocol.md section 8. */
#include "support.h"

#include "base/prng.h"
#include "core/sketch.h"

enum { ROUNDS = 2000 };

static void sort(uint32_t *keys, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t j = i; j > 0 && keys[j] < keys[j - 1]; j--) {
            uint32_t key = keys[j];

            keys[j] = keys[j - 1];
            keys[j - 1] = key;
        }
    }
}

/* `common` keys on both sides, and `count` on one side or the other; returns how many were found,
 * or -1 if it could not be told. */
static int reconcile(struct prng *prng, uint32_t cells, uint32_t common, uint32_t count)
{
    uint32_t keys[SKETCH_CELLS_MAX * 2];
    uint32_t found[SKETCH_CELLS_MAX];
    uint32_t found_count = 0;
    uint8_t wire[SKETCH_CELLS_MAX * SKETCH_CELL_SIZE];
    struct sketch theirs;
    struct sketch ours;
    struct writer w;
    struct reader r;

    sketch_init(&theirs, cells);
    sketch_init(&ours, cells);
    for (uint32_t i = 0; i < count; i++)
        sketch_toggle(i % 3 ? &theirs : &ours, keys[i] = (uint32_t)prng_next(prng));
    for (uint32_t i = 0; i < common; i++) {
        uint32_t key = (uint32_t)prng_next(prng);

        sketch_toggle(&theirs, key);
        sketch_toggle(&ours, key);
    }
    w = writer_of(wire, sizeof wire);
    sketch_write(&theirs, &w);
    assert_int_equal(writer_size(&w), cells * SKETCH_CELL_SIZE);
    r = reader_of(wire, writer_size(&w));
    sketch_read(&theirs, &r);
    assert_false(r.failed);
    for (uint32_t i = 0; i < cells; i++) {
        theirs.cells[i].keys ^= ours.cells[i].keys;
        theirs.cells[i].checks ^= ours.cells[i].checks;
    }
    if (!sketch_peel(&theirs, found, &found_count))
        return -1;
    assert_int_equal(found_count, count);
    sort(keys, count);
    sort(found, found_count);
    assert_memory_equal(keys, found, count * sizeof *keys);
    return (int)found_count;
}

static void test_what_differs_is_found(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    assert_int_equal(reconcile(&prng, 4, 1000, 0), 0);
    assert_int_equal(reconcile(&prng, 4, 1000, 1), 1);
    for (uint32_t count = 1; count <= 68; count++)
        (void)reconcile(&prng, (2 * count + 24 + 3) / 4 * 4, 500, count);
}

/* Two cells a key and 24 to spare: fewer than one of 100 can't be told; nor with a third more keys
 * than were thought. */
static void test_it_seldom_fails(void **state)
{
    static const uint32_t counts[] = {1, 2, 4, 8, 16, 32, 64, 68};
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (unsigned i = 0; i < COUNT_OF(counts); i++) {
        uint32_t cells = (2 * counts[i] + 24 + 3) / 4 * 4;
        uint32_t failures[2] = {0};

        for (uint32_t round = 0; round < ROUNDS; round++) {
            failures[0] += reconcile(&prng, cells, 10, counts[i]) < 0;
            failures[1] += reconcile(&prng, cells, 10, counts[i] * 4 / 3) < 0;
        }
        printf("  %2u keys, %3u cells: %u of %u fail; a third more keys: %u\n", counts[i], cells,
               failures[0], ROUNDS, failures[1]);
        assert_in_range(failures[0], 0, ROUNDS / 100);
        assert_in_range(failures[1], 0, ROUNDS / 100);
    }
}

/* What is too much for it is noticed: never a wrong answer. */
static void test_too_many_are_noticed(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t round = 0; round < ROUNDS; round++)
        assert_int_equal(reconcile(&prng, 16 + round % 16 * 4, 0, 100 + round % 200), -1);
}

static void test_a_key_twice_is_none(void **state)
{
    struct sketch sketch;
    uint32_t keys[SKETCH_CELLS_MAX];
    uint32_t count = 7;

    (void)state;
    sketch_init(&sketch, 8);
    sketch_toggle(&sketch, 0); /* a key like any other */
    assert_true(sketch_peel(&sketch, keys, &count));
    assert_int_equal(count, 1);
    assert_int_equal(keys[0], 0);
    sketch_toggle(&sketch, 5);
    sketch_toggle(&sketch, 5);
    assert_true(sketch_peel(&sketch, keys, &count));
    assert_int_equal(count, 0);
}

/* Cells of a single key each, of which each is where it belongs, so that taking one out brings
 * another in, for ever: it ends after as many keys as there are cells. */
static void test_made_up_cells_end(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed(__func__));
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint32_t cells = 4 + round % 40 * 4;
        struct sketch one, mixed;
        uint32_t keys[SKETCH_CELLS_MAX];
        uint32_t count = 0;

        sketch_init(&mixed, cells);
        for (uint32_t i = 0; i < cells; i++) {
            sketch_init(&one, cells);
            sketch_toggle(&one, (uint32_t)prng_next(&prng));
            for (uint32_t at = 0; at < cells; at++) {
                if (one.cells[at].keys && prng_below(&prng, 2))
                    mixed.cells[at] = one.cells[at];
            }
        }
        (void)sketch_peel(&mixed, keys, &count);
        assert_in_range(count, 0, cells);
    }
}

static void test_sizes(void **state)
{
    (void)state;
    assert_false(sketch_is_size(0));
    assert_false(sketch_is_size(6));
    assert_true(sketch_is_size(4));
    assert_true(sketch_is_size(SKETCH_CELLS_MAX));
    assert_false(sketch_is_size(SKETCH_CELLS_MAX + 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_differs_is_found), cmocka_unit_test(test_it_seldom_fails),
        cmocka_unit_test(test_too_many_are_noticed),  cmocka_unit_test(test_a_key_twice_is_none),
        cmocka_unit_test(test_made_up_cells_end),     cmocka_unit_test(test_sizes),
    };

    return cmocka_run_group_tests_name("sketch", tests, NULL, NULL);
}
