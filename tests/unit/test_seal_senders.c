/*
 * The table of windows: exact, bounded, in the order of who was heard last, beside a model that is
 * a plain array (src/seal/senders.h).
 */
#define _DEFAULT_SOURCE
#include "support.h"

#include "base/prng.h"
#include "seal/senders.h"
#include "seal_support.h"

#include <sys/mman.h>
#include <sys/resource.h>

static const uint8_t hash_key[SENDERS_HASH_KEY_SIZE] = {1, 2, 3};

/* ids[0] was heard last. */
struct model {
    uint64_t ids[64];
    uint32_t count;
    uint32_t max;
};

static uint32_t model_find(const struct model *model, uint64_t id)
{
    uint32_t at = 0;

    while (at < model->count && model->ids[at] != id)
        at++;
    return at;
}

static void model_touch(struct model *model, uint64_t id)
{
    uint32_t at = model_find(model, id);

    if (at == model->count && model->count < model->max)
        model->count++;
    if (at == model->max)
        at--; /* the last one makes room */
    memmove(model->ids + 1, model->ids, at * sizeof model->ids[0]);
    model->ids[0] = id;
}

static void hear(struct senders *senders, struct model *model, uint64_t id)
{
    uint32_t slot = senders_find(senders, id);
    bool is_evicted = false;

    assert_int_equal(slot != 0, model_find(model, id) < model->count);
    if (slot != 0) {
        assert_int_equal(senders->slots[slot].start, id * 3);
        senders_touch(senders, slot);
    } else {
        bool is_full = model->count == model->max;
        slot = senders_add(senders, id, &is_evicted);
        assert_int_equal(is_evicted, is_full);
        assert_int_equal(senders->slots[slot].key_id, 0);
        assert_int_equal(senders->slots[slot].start, 0);
        senders->slots[slot].start = id * 3;
    }
    assert_true(slot >= 1 && slot <= model->max);
    model_touch(model, id);
}

static void compare(const struct senders *senders, const struct model *model)
{
    uint32_t slot = senders->heard.head;

    assert_int_equal(senders->heard.count, model->count);
    for (uint32_t i = 0; i < model->count; i++) {
        assert_int_equal(senders->slots[slot].id, model->ids[i]);
        assert_int_equal(senders_find(senders, model->ids[i]), slot);
        slot = senders->links[slot].next;
    }
    assert_int_equal(slot, 0);
}

static void test_against_a_list(void **state)
{
    (void)state;
    struct prng prng;
    const uint32_t limits[] = {2, 3, 7, 64};

    prng_init(&prng, test_seed("senders"));
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct senders senders;
        struct model model = {.max = limits[i]};

        assert_true(senders_init(&senders, limits[i], hash_key));
        for (uint32_t k = 0; k < 5000; k++) {
            hear(&senders, &model, prng_below(&prng, limits[i] * 2));
            compare(&senders, &model);
        }
        senders_done(&senders);
    }
}

/* As many as fit are all held, whatever their ids: nobody is turned out for sharing a place. */
static void test_all_fit(void **state)
{
    (void)state;
    struct senders senders;
    bool is_evicted = false;
    const uint32_t max = 5000;

    assert_true(senders_init(&senders, max, hash_key));
    for (uint64_t i = 0; i < max; i++) {
        (void)senders_add(&senders, i << 40, &is_evicted);
        assert_false(is_evicted);
    }
    for (uint64_t i = 0; i < max; i++)
        assert_true(senders_find(&senders, i << 40) != 0);
    (void)senders_add(&senders, 1, &is_evicted);
    assert_true(is_evicted);
    assert_int_equal(senders_find(&senders, 0), 0);
    senders_done(&senders);
}

/* Which ids share a chain is not for senders to know: it depends on a secret. */
static void test_chains_are_secret(void **state)
{
    (void)state;
    struct senders one;
    struct senders two;
    uint8_t other[SENDERS_HASH_KEY_SIZE] = {9};
    uint32_t differ = 0;
    bool is_evicted;

    assert_true(senders_init(&one, 64, hash_key));
    assert_true(senders_init(&two, 64, other));
    for (uint64_t id = 1; id <= 64; id++) {
        (void)senders_add(&one, id, &is_evicted);
        (void)senders_add(&two, id, &is_evicted);
    }
    for (uint32_t head = 0; head <= one.mask; head++)
        differ += one.heads[head] != two.heads[head] ? 1 : 0;
    assert_true(differ > 32);
    senders_done(&one);
    senders_done(&two);
}

/* An eviction takes the subkey along. */
static void test_subkeys(void **state)
{
    (void)state;
    struct senders senders;
    uint8_t subkey[SWIM_KEY_SIZE];
    const uint8_t zeros[SWIM_KEY_SIZE] = {0};
    bool is_evicted;

    assert_true(senders_init(&senders, 2, hash_key));
    key_make(5, subkey);
    uint32_t first = senders_add(&senders, 10, &is_evicted);
    uint32_t second = senders_add(&senders, 20, &is_evicted);
    senders_keep_subkey(&senders, first, 1, subkey);
    senders_keep_subkey(&senders, second, 2, subkey);
    senders_wipe_key(&senders, 2);
    assert_memory_equal(senders.subkeys[first], subkey, SWIM_KEY_SIZE);
    assert_memory_equal(senders.subkeys[second], zeros, SWIM_KEY_SIZE);
    assert_int_equal(senders.slots[second].key_id, 0);
    assert_int_equal(senders_add(&senders, 30, &is_evicted), first);
    assert_memory_equal(senders.subkeys[first], zeros, SWIM_KEY_SIZE);
    assert_int_equal(senders.slots[first].key_id, 0);
    senders_done(&senders);
    assert_null(senders.subkeys);
    senders_done(&senders);
}

/* The largest limit there is costs address space, and memory only as it is used. */
static void test_largest(void **state)
{
    (void)state;
    struct senders senders;
    bool is_evicted;

    assert_true(senders_init(&senders, SWIM_MEMBERS_MAX, hash_key));
    for (uint64_t id = 1; id <= 1000; id++)
        assert_int_equal(senders_add(&senders, id, &is_evicted), id);
    assert_true(senders.size < (size_t)SWIM_MEMBERS_MAX * 256);
    assert_true(senders.locked <= 1000 * SWIM_KEY_SIZE + 65536);
    senders_done(&senders);
}

/* No memory for the table is no instance, and nothing is left behind. */
static void test_no_memory(void **state)
{
    (void)state;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 1);
    config.members_max = SWIM_MEMBERS_MAX;
    struct swim_seal *first = swim_seal_new(&config); /* libsodium has what it needs by now */
    struct rlimit old;
    struct rlimit tight;

    assert_non_null(first);
    assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
    tight = old;
    tight.rlim_cur = 64 << 20;
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    void *probe = mmap(NULL, 128 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct swim_seal *second = swim_seal_new(&config);
    assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
    if (probe != MAP_FAILED) {
        (void)munmap(probe, 128 << 20);
        swim_seal_free(first);
        swim_seal_free(second);
        skip(); /* an emulator that knows no such limit */
    }
    assert_null(second);
    swim_seal_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),    cmocka_unit_test(test_all_fit),
        cmocka_unit_test(test_chains_are_secret), cmocka_unit_test(test_subkeys),
        cmocka_unit_test(test_largest),           cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
