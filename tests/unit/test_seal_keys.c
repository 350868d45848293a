/*
 * The keyring (docs/protocol.md section 3, "Keys"): what may be installed, used and removed, a
 * rotation that loses nothing, and that no byte of a key outlives it.
 */
#include "support.h"

#include "seal/seal_private.h"
#include "seal_support.h"

#include <sodium.h>

static void test_install(void **state)
{
    (void)state;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 1);
    struct swim_seal *seal = swim_seal_new(&config);
    uint32_t ids[SWIM_KEYS_MAX];
    const uint8_t zeros[SWIM_KEY_SIZE] = {0};

    assert_int_equal(swim_seal_keys(seal, ids), 0);
    assert_int_equal(swim_seal_key_install(seal, zeros), SWIM_KEY_WEAK);
    assert_int_equal(swim_seal_keys(seal, ids), 0);
    for (uint32_t number = 1; number <= SWIM_KEYS_MAX; number++) {
        assert_int_equal(key_install(seal, number), SWIM_KEY_OK);
        assert_int_equal(key_install(seal, 1), SWIM_KEY_OK); /* again: changes nothing */
        assert_int_equal(swim_seal_keys(seal, ids), number);
        assert_int_equal(ids[0], key_id_of(1)); /* the first one is the primary one */
    }
    assert_int_equal(key_install(seal, 9), SWIM_KEY_FULL);
    assert_int_equal(key_install(seal, 8), SWIM_KEY_OK);
    swim_seal_free(seal);
}

/* Another key of the same id, which nobody could name: made by force, there being 2^32 of them. */
static void test_double_id(void **state)
{
    (void)state;
    struct swim_seal *seal = seal_begin(SWIM_ENVELOPE_2, 1);

    seal->ring.keys[0].bytes[31] ^= 1;
    assert_int_equal(key_install(seal, 1), SWIM_KEY_WEAK);
    assert_int_equal(seal->ring.count, 1);
    swim_seal_free(seal);
}

static void test_use_and_remove(void **state)
{
    (void)state;
    struct swim_seal *seal = seal_begin(SWIM_ENVELOPE_2, 1);
    uint32_t ids[SWIM_KEYS_MAX];

    assert_int_equal(key_install(seal, 2), SWIM_KEY_OK);
    assert_int_equal(key_install(seal, 3), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_use(seal, key_id_of(4)), SWIM_KEY_UNKNOWN);
    assert_int_equal(swim_seal_key_use(seal, 0), SWIM_KEY_UNKNOWN);
    assert_int_equal(swim_seal_key_remove(seal, key_id_of(4)), SWIM_KEY_UNKNOWN);
    assert_int_equal(swim_seal_key_remove(seal, key_id_of(1)), SWIM_KEY_PRIMARY);
    assert_int_equal(swim_seal_key_use(seal, key_id_of(3)), SWIM_KEY_OK);
    assert_int_equal(swim_seal_keys(seal, ids), 3);
    assert_int_equal(ids[0], key_id_of(3));
    assert_true((ids[1] == key_id_of(1) && ids[2] == key_id_of(2)) ||
                (ids[2] == key_id_of(1) && ids[1] == key_id_of(2)));
    /* The last place moves into the gap, the primary one's with it. */
    assert_int_equal(swim_seal_key_remove(seal, key_id_of(1)), SWIM_KEY_OK);
    assert_int_equal(swim_seal_keys(seal, ids), 2);
    assert_true(ids[0] == key_id_of(3) && ids[1] == key_id_of(2));
    assert_int_equal(swim_seal_key_remove(seal, key_id_of(2)), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_remove(seal, key_id_of(3)), SWIM_KEY_PRIMARY);
    assert_int_equal(swim_seal_keys(seal, ids), 1);
    swim_seal_free(seal);
}

/* Whatever is done in whatever order, against a list of numbers. */
static void test_all_orders(void **state)
{
    (void)state;
    for (uint32_t used = 1; used <= SWIM_KEYS_MAX; used++) {
        for (uint32_t removed = 1; removed <= SWIM_KEYS_MAX; removed++) {
            struct swim_seal *seal = seal_begin(SWIM_ENVELOPE_2, 1);
            uint32_t ids[SWIM_KEYS_MAX];

            for (uint32_t number = 2; number <= SWIM_KEYS_MAX; number++)
                assert_int_equal(key_install(seal, number), SWIM_KEY_OK);
            assert_int_equal(swim_seal_key_use(seal, key_id_of(used)), SWIM_KEY_OK);
            assert_int_equal(swim_seal_key_remove(seal, key_id_of(removed)),
                             used == removed ? SWIM_KEY_PRIMARY : SWIM_KEY_OK);
            uint32_t count = swim_seal_keys(seal, ids);
            assert_int_equal(count, SWIM_KEYS_MAX - (used == removed ? 0 : 1));
            assert_int_equal(ids[0], key_id_of(used));
            for (uint32_t number = 1; number <= SWIM_KEYS_MAX; number++) {
                uint32_t found = 0;
                for (uint32_t i = 0; i < count; i++)
                    found += ids[i] == key_id_of(number) ? 1 : 0;
                assert_int_equal(found, number == removed && used != removed ? 0 : 1);
            }
            swim_seal_free(seal);
        }
    }
}

/* Three members change from key 1 to key 2, one after the other in each phase, talking all the
 * while: each datagram is heard, and none after the last step under the old key. */
struct cluster {
    enum swim_envelope envelope;
    struct swim_seal *members[3];
};

static void everybody_talks(const struct cluster *cluster)
{
    for (uint64_t from = 0; from < 3; from++) {
        struct sealed sealed = say(cluster->members[from], from + 1, 0);
        for (uint64_t to = 0; to < 3; to++)
            if (to != from)
                assert_int_equal(heard(cluster->members[to], &sealed), HEARD_FRESH);
    }
}

static void rotate(enum swim_envelope envelope)
{
    struct cluster cluster = {.envelope = envelope};

    for (uint8_t i = 0; i < 3; i++)
        cluster.members[i] = seal_begin(envelope, (uint8_t)(i + 1));
    for (uint64_t from = 0; from < 3 && envelope == SWIM_ENVELOPE_2; from++) {
        struct sealed sealed = say(cluster.members[from], from + 1, 0);
        for (uint64_t to = 0; to < 3; to++)
            if (to != from)
                admit(cluster.members[to], &sealed);
    }
    everybody_talks(&cluster);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(key_install(cluster.members[i], 2), SWIM_KEY_OK);
        everybody_talks(&cluster);
    }
    struct sealed late = say(cluster.members[0], 1, 0);
    struct sealed too_late = say(cluster.members[0], 1, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(swim_seal_key_use(cluster.members[i], key_id_of(2)), SWIM_KEY_OK);
        everybody_talks(&cluster);
        everybody_talks(&cluster); /* by now with subkeys that are kept */
    }
    assert_int_equal(heard(cluster.members[1], &late), HEARD_FRESH); /* still under way */
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(swim_seal_key_remove(cluster.members[i], key_id_of(1)), SWIM_KEY_OK);
        everybody_talks(&cluster);
    }
    assert_int_equal(heard(cluster.members[1], &too_late),
                     envelope == SWIM_ENVELOPE_1 ? SWIM_SEAL_DROP_FORGED : SWIM_SEAL_DROP_KEY);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(seal_stats_of(cluster.members[i]).unproved,
                         envelope == SWIM_ENVELOPE_2 ? 2 : 0);
        swim_seal_free(cluster.members[i]);
    }
}

static void test_rotation(void **state)
{
    (void)state;
    rotate(SWIM_ENVELOPE_1);
    rotate(SWIM_ENVELOPE_2);
}

/* Envelope 2 names keys by one byte: two keys that share it are both tried. */
static void test_ids_that_end_alike(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    uint32_t twin = 2;

    while ((uint8_t)key_id_of(twin) != (uint8_t)key_id_of(1))
        twin++;
    assert_int_equal(key_install(a, twin), SWIM_KEY_OK);
    assert_int_equal(key_install(b, twin), SWIM_KEY_OK);
    struct sealed sealed = say(a, 77, 0);
    admit(b, &sealed);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t number = i % 2 == 0 ? twin : 1;
        struct swim_seal_opened opened;

        assert_int_equal(swim_seal_key_use(a, key_id_of(number)), SWIM_KEY_OK);
        sealed = say(a, 77, 0);
        assert_int_equal(hear_sealed(b, &sealed, &opened), SWIM_SEAL_OK);
        assert_int_equal(opened.key_id, key_id_of(number));
    }
    swim_seal_free(a);
    swim_seal_free(b);
}

static bool holds(const void *memory, size_t size, const uint8_t *part)
{
    const uint8_t *bytes = memory;

    for (size_t at = 0; at + 8 <= size; at++)
        if (memcmp(bytes + at, part, 8) == 0)
            return true;
    return false;
}

/* Any eight bytes in a row of a key, anywhere in the instance's memory. */
static bool is_anywhere(const struct swim_seal *seal, const uint8_t key[SWIM_KEY_SIZE])
{
    for (size_t at = 0; at + 8 <= SWIM_KEY_SIZE; at += 8)
        if (holds(seal, sizeof *seal, key + at) ||
            (seal->senders.subkeys != NULL &&
             holds(seal->senders.subkeys, seal->senders.size, key + at)))
            return true;
    return false;
}

/* The key, and what was derived from it to send and to receive, are gone when it is removed. */
static void test_wiped_when_removed(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    uint8_t key[SWIM_KEY_SIZE];
    uint8_t from_a[SWIM_KEY_SIZE];
    uint8_t from_b[SWIM_KEY_SIZE];

    key_make(1, key);
    subkey_derive(key, &a->cluster, 77, a->start, from_a);
    subkey_derive(key, &b->cluster, 78, b->start, from_b);
    struct sealed sealed = say(a, 77, 0);
    admit(b, &sealed);
    sealed = say(a, 77, 0);
    assert_int_equal(heard(b, &sealed), HEARD_FRESH);
    (void)say(b, 78, 0);
    assert_true(is_anywhere(b, key) && is_anywhere(b, from_a) && is_anywhere(b, from_b));
    assert_true(is_anywhere(a, from_a));

    assert_int_equal(key_install(b, 2), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_use(b, key_id_of(2)), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_remove(b, key_id_of(1)), SWIM_KEY_OK);
    assert_false(is_anywhere(b, key));
    assert_false(is_anywhere(b, from_a));
    assert_false(is_anywhere(b, from_b));
    key_make(2, key);
    assert_true(is_anywhere(b, key));
    for (uint32_t i = b->ring.count; i < SWIM_KEYS_MAX; i++)
        assert_true(sodium_is_zero((const uint8_t *)&b->ring.keys[i], sizeof b->ring.keys[i]));
    swim_seal_free(a);
    swim_seal_free(b);
}

/* A forged datagram's, or a stranger's, subkey stays nowhere. */
static void test_nothing_kept_of_strangers(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    uint8_t key[SWIM_KEY_SIZE];
    uint8_t subkey[SWIM_KEY_SIZE];

    key_make(1, key);
    subkey_derive(key, &a->cluster, 77, a->start, subkey);
    struct sealed sealed = say(a, 77, 0);
    assert_int_equal(heard(b, &sealed), HEARD_UNPROVED);
    assert_false(is_anywhere(b, subkey));
    sealed.bytes[sealed.size - 1] ^= 1;
    assert_int_equal(heard(b, &sealed), SWIM_SEAL_DROP_FORGED);
    assert_false(is_anywhere(b, subkey));
    /* Nor the entropy, once it has served. */
    uint8_t entropy[SWIM_KEY_SIZE];
    memset(entropy, 1, sizeof entropy);
    assert_false(is_anywhere(a, entropy));
    swim_seal_free(a);
    swim_seal_free(b);
}

static void test_ids(void **state)
{
    (void)state;
    uint8_t key[SWIM_KEY_SIZE];

    for (uint32_t number = 1; number < 2000; number++) {
        key_make(number, key);
        uint32_t id = swim_key_id(key);
        assert_true(id != 0 && id == swim_key_id(key));
        key[number % SWIM_KEY_SIZE] ^= (uint8_t)(1 << number % 8);
        assert_true(id != swim_key_id(key));
    }
}

/* The mapping that an address lies in, as the kernel tells it: does it have this flag? -1 when it
 * can't be told (not Linux, or emulated). */
static int mapping_flag(const void *address, const char *flag)
{
    FILE *f = fopen("/proc/self/smaps", "r");
    char line[512];
    unsigned long from = 0;
    unsigned long to = 0;
    int answer = -1;

    while (f != NULL && answer < 0 && fgets(line, sizeof line, f) != NULL) {
        unsigned long low;
        unsigned long high;

        if (sscanf(line, "%lx-%lx ", &low, &high) == 2) {
            from = low;
            to = high;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && from <= (unsigned long)(uintptr_t)address &&
                   (unsigned long)(uintptr_t)address < to) {
            answer = strstr(line, flag) != NULL;
        }
    }
    if (f != NULL)
        (void)fclose(f);
    return answer;
}

/* Keys and subkeys: left out of core dumps, and locked where a process may lock a page. */
static void test_memory_is_protected(void **state)
{
    (void)state;
    struct swim_seal_config config = seal_config_of(SWIM_ENVELOPE_2, 2);
    config.members_max = 16384; /* so that subkeys and windows are pages apart */
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin_of(&config);
    struct sealed sealed = say(a, 77, 0);
    uint8_t *page = sodium_malloc(4096);

    admit(b, &sealed);
    assert_non_null(page);
    bool may_lock = mapping_flag(page, " lo") == 1;
    if (mapping_flag(page, " dd") != 1) {
        sodium_free(page);
        swim_seal_free(a);
        swim_seal_free(b);
        skip(); /* an emulator, a sanitizer's mapping, or another system */
    }
    assert_int_equal(mapping_flag(b, " dd"), 1);
    assert_int_equal(mapping_flag(b->senders.subkeys, " dd"), 1);
    assert_int_equal(mapping_flag(b->senders.slots, " dd"), 1);
    if (may_lock) {
        assert_int_equal(mapping_flag(b, " lo"), 1);
        assert_int_equal(mapping_flag(b->senders.subkeys, " lo"), 1);
    }
    sodium_free(page);
    swim_seal_free(a);
    swim_seal_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_install),
        cmocka_unit_test(test_double_id),
        cmocka_unit_test(test_use_and_remove),
        cmocka_unit_test(test_all_orders),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_ids_that_end_alike),
        cmocka_unit_test(test_wiped_when_removed),
        cmocka_unit_test(test_nothing_kept_of_strangers),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_memory_is_protected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
