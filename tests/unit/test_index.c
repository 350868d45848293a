/* The linear hashing index (src/core/index.h) against a naive model: an array of hashes. */
#include "support.h"

#include "base/hash.h"
#include "base/prng.h"
#include "core/index.h"

enum { SLOTS = 2000, UNTOUCHED = 0x0BCD1234 };

struct table {
    struct index index;
    uint32_t heads[SLOTS];
    uint32_t next[SLOTS + 1];
    uint64_t hashes[SLOTS + 1]; /* by slot */
    bool held[SLOTS + 1];
};

static struct table table;
static uint32_t load; /* all is tested with one slot a bucket, and with as many as there can be */

static const struct index_view view = {&table.index, table.heads, table.next};

static void start(uint32_t buckets_max)
{
    memset(&table, 0, sizeof table);
    /* A bucket's head is written when the bucket comes into being, and not before. */
    for (uint32_t i = INDEX_BUCKETS_MIN; i < SLOTS; i++)
        table.heads[i] = UNTOUCHED;
    index_init(&table.index, buckets_max, load);
}

static void insert(uint32_t slot, uint64_t hash)
{
    table.hashes[slot] = hash;
    table.held[slot] = true;
    if (index_insert(&view, hash, slot)) {
        struct index_split split = index_grow(&view);

        while (split.slot)
            index_place(&view, &split, table.hashes[split.slot]);
    }
}

static void take_out(uint32_t slot)
{
    table.held[slot] = false;
    index_remove(&view, table.hashes[slot], slot);
}

static uint32_t held_count(void)
{
    uint32_t count = 0;

    for (uint32_t slot = 1; slot <= SLOTS; slot++)
        count += table.held[slot];
    return count;
}

/* Every held slot is in the one chain where its hash belongs, and nothing else is anywhere. */
static void assert_whole(void)
{
    uint32_t found = 0;
    static bool seen[SLOTS + 1];

    memset(seen, 0, sizeof seen);
    assert_in_range(table.index.buckets, INDEX_BUCKETS_MIN, table.index.buckets_max);
    for (uint32_t bucket = 0; bucket < table.index.buckets; bucket++) {
        for (uint32_t slot = table.heads[bucket]; slot; slot = table.next[slot]) {
            assert_in_range(slot, 1, SLOTS);
            assert_true(table.held[slot]);
            assert_false(seen[slot]);
            seen[slot] = true;
            assert_int_equal(index_bucket(&table.index, table.hashes[slot]), bucket);
            found++;
        }
    }
    assert_int_equal(found, held_count());
    assert_int_equal(table.index.count, found);
}

/* All slots whose hash ends in `low`, found by walking only the buckets that end in it. */
static void assert_walk_by_low_bits(unsigned bits, uint32_t low)
{
    uint32_t mask = (1u << bits) - 1;
    uint32_t expected = 0;
    uint32_t found = 0;

    for (uint32_t slot = 1; slot <= SLOTS; slot++)
        expected += table.held[slot] && ((uint32_t)table.hashes[slot] & mask) == low;
    for (uint32_t bucket = low; bucket < table.index.buckets; bucket += mask + 1) {
        for (uint32_t slot = table.heads[bucket]; slot; slot = table.next[slot]) {
            assert_int_equal((uint32_t)table.hashes[slot] & mask, low);
            found++;
        }
    }
    assert_int_equal(found, expected);
}

static void test_grows_one_bucket_at_a_time(void **state)
{
    uint32_t highest = INDEX_BUCKETS_MIN;

    (void)state;
    start(SLOTS);
    for (uint32_t slot = 1; slot <= SLOTS; slot++) {
        uint32_t before = table.index.buckets;

        insert(slot, hash_u64(slot));
        assert_in_range(table.index.buckets, before, before + 1);
        assert_true(table.index.count <= load * table.index.buckets);
        highest = table.index.buckets;
        if (highest < SLOTS / load)
            assert_int_equal(table.heads[highest], UNTOUCHED);
        if (slot % 97 == 0)
            assert_whole();
    }
    assert_int_equal(highest, SLOTS / load);
    assert_whole();
}

static void test_shrinks_one_bucket_at_a_time(void **state)
{
    (void)state;
    start(SLOTS);
    for (uint32_t slot = 1; slot <= SLOTS; slot++)
        insert(slot, hash_u64(slot));
    for (uint32_t slot = SLOTS; slot >= 1; slot--) {
        uint32_t before = table.index.buckets;

        take_out(slot);
        assert_in_range(table.index.buckets, before - 1, before);
        if (slot % 97 == 0)
            assert_whole();
    }
    assert_in_range(table.index.buckets, INDEX_BUCKETS_MIN, SLOTS / load / 2);
    assert_whole();
    /* Use goes on, and it goes on shrinking. */
    for (uint32_t i = 0; i < SLOTS; i++) {
        insert(1, hash_u64(i));
        take_out(1);
    }
    assert_int_equal(table.index.buckets, INDEX_BUCKETS_MIN);
    assert_whole();
}

static void test_random_use(void **state)
{
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed("index"));
    start(SLOTS);
    for (uint32_t step = 0; step < 60000; step++) {
        uint32_t slot = 1 + prng_below(&prng, SLOTS);
        uint32_t before = table.index.buckets;
        /* Long periods of growing and of shrinking. */
        bool wants_more = step / 8000 % 2 == 0;

        if (table.held[slot] && (!wants_more || prng_below(&prng, 4) == 0))
            take_out(slot);
        else if (!table.held[slot] && (wants_more || prng_below(&prng, 4) == 0))
            insert(slot, prng_next(&prng));
        assert_in_range(table.index.buckets, before - 1, before + 1);
        if (step % 500 == 0) {
            assert_whole();
            assert_walk_by_low_bits(4, prng_below(&prng, 16));
        }
    }
}

static void test_stays_within_its_maximum(void **state)
{
    (void)state;
    start(INDEX_BUCKETS_MIN + 1);
    for (uint32_t slot = 1; slot <= 100; slot++)
        insert(slot, hash_u64(slot));
    assert_int_equal(table.index.buckets, INDEX_BUCKETS_MIN + 1);
    assert_int_equal(table.heads[INDEX_BUCKETS_MIN + 1], UNTOUCHED);
    assert_whole();
}

static void test_a_chain_has_a_limit(void **state)
{
    (void)state;
    start(SLOTS);
    for (uint32_t slot = 1; slot <= INDEX_CHAIN_MAX; slot++) {
        assert_true(index_has_room(&view, 5));
        insert(slot, 5);
    }
    assert_false(index_has_room(&view, 5));
    assert_true(index_has_room(&view, 6));
    assert_whole();
    take_out(INDEX_CHAIN_MAX / 2);
    assert_true(index_has_room(&view, 5));
    assert_whole();
}

static void remove_absent(void *context)
{
    (void)context;
    index_remove(&view, 5, 2);
}

static void insert_none(void *context)
{
    (void)context;
    index_insert(&view, 5, 0);
}

static void test_misuse_is_asserted(void **state)
{
    (void)state;
    start(SLOTS);
    insert(1, 5);
    assert_true(panics(remove_absent, NULL));
    assert_true(panics(insert_none, NULL));
    assert_whole();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_one_bucket_at_a_time),
        cmocka_unit_test(test_shrinks_one_bucket_at_a_time),
        cmocka_unit_test(test_random_use),
        cmocka_unit_test(test_stays_within_its_maximum),
        cmocka_unit_test(test_a_chain_has_a_limit),
        cmocka_unit_test(test_misuse_is_asserted),
    };
    int failed = 0;

    for (load = 1; load <= INDEX_LOAD_MAX; load *= INDEX_LOAD_MAX)
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    return failed;
}
