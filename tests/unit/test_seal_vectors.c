/*
 * Envelopes written by others (docs/protocol.md section 3): the recorded ones of version 1, and
 * those of envelope 2 that a second implementation computed. Both open, and come out the same when
 * they are sealed again.
 */
#include "support.h"

#include "seal/envelope.h"
#include "seal/subkey.h"
#include "seal_support.h"

struct recorded_vector {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    uint8_t key[SWIM_KEY_SIZE];
    enum swim_seal_error error;
    /* When there is none: */
    uint8_t nonce[ENVELOPE_NONCE_SIZE];
    uint64_t sender;
    const uint8_t *inside;
    size_t inside_size;
};

struct own_vector {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    uint8_t key[SWIM_KEY_SIZE];
    uint32_t key_id;
    const char *cluster;
    uint8_t subkey[SWIM_KEY_SIZE];
    uint64_t sender;
    uint64_t start;
    uint64_t counter;
    uint32_t salt;
    const uint8_t *inside;
    size_t inside_size;
};

#include "seal_vectors.h"

static struct swim_seal *begin(enum swim_envelope envelope, const char *cluster,
                               const uint8_t key[SWIM_KEY_SIZE])
{
    struct swim_seal_config config = seal_config_of(envelope, 1);

    config.cluster = cluster;
    struct swim_seal *seal = swim_seal_new(&config);
    assert_non_null(seal);
    /* Another one first: any key that is held opens. */
    assert_int_equal(key_install(seal, 1), SWIM_KEY_OK);
    assert_int_equal(swim_seal_key_install(seal, key), SWIM_KEY_OK);
    return seal;
}

static void test_recorded_open(void **state)
{
    (void)state;
    uint8_t out[SWIM_SEALED_MAX];
    struct swim_seal_opened opened;

    for (size_t i = 0; i < COUNT_OF(recorded); i++) {
        const struct recorded_vector *v = &recorded[i];
        struct swim_seal *seal = begin(SWIM_ENVELOPE_1, NULL, v->key);

        print_message("%s\n", v->name);
        assert_int_equal(swim_seal_open(seal, v->bytes, v->size, out, sizeof out, &opened),
                         v->error);
        assert_int_equal(seal_stats_of(seal).dropped[v->error], v->error == SWIM_SEAL_OK ? 0 : 1);
        if (v->error == SWIM_SEAL_OK) {
            assert_int_equal(opened.size, v->inside_size);
            assert_memory_equal(out, v->inside, v->inside_size);
            assert_int_equal(opened.sender, v->sender);
            assert_int_equal(opened.key_id, swim_key_id(v->key));
        }
        swim_seal_free(seal);
    }
    assert_int_equal(COUNT_OF(recorded), 5);
}

static void test_recorded_seal(void **state)
{
    (void)state;
    uint8_t out[SWIM_SEALED_MAX];
    uint32_t sealed = 0;

    for (size_t i = 0; i < COUNT_OF(recorded); i++) {
        const struct recorded_vector *v = &recorded[i];

        if (v->error != SWIM_SEAL_OK)
            continue;
        envelope1_seal(v->key, v->nonce, v->inside, v->inside_size, out);
        assert_int_equal(v->size, v->inside_size + SWIM_SEAL_OVERHEAD_1);
        assert_memory_equal(out, v->bytes, v->size);
        sealed++;
    }
    assert_int_equal(sealed, 2);
}

static void test_own_open(void **state)
{
    (void)state;
    uint8_t out[SWIM_SEALED_MAX];
    struct swim_seal_opened opened;

    for (size_t i = 0; i < COUNT_OF(own); i++) {
        const struct own_vector *v = &own[i];
        struct swim_seal *seal = begin(SWIM_ENVELOPE_2, v->cluster, v->key);

        print_message("%s\n", v->name);
        assert_int_equal(swim_seal_open(seal, v->bytes, v->size, out, sizeof out, &opened),
                         SWIM_SEAL_OK);
        assert_int_equal(opened.size, v->inside_size);
        assert_memory_equal(out, v->inside, v->inside_size);
        assert_true(opened.sender == v->sender && opened.start == v->start &&
                    opened.counter == v->counter && opened.key_id == v->key_id);
        assert_false(opened.is_fresh);
        swim_seal_free(seal);
    }
    assert_int_equal(COUNT_OF(own), 6);
}

static void test_own_seal(void **state)
{
    (void)state;
    uint8_t out[SWIM_SEALED_MAX];
    uint8_t subkey[SWIM_KEY_SIZE];

    for (size_t i = 0; i < COUNT_OF(own); i++) {
        const struct own_vector *v = &own[i];
        struct cluster_name cluster = {.size = (uint8_t)strlen(v->cluster)};
        struct envelope2 clear = {.key = (uint8_t)swim_key_id(v->key),
                                  .sender = v->sender,
                                  .start = v->start,
                                  .counter = v->counter,
                                  .salt = v->salt};

        memcpy(cluster.bytes, v->cluster, cluster.size);
        subkey_derive(v->key, &cluster, v->sender, v->start, subkey);
        assert_memory_equal(subkey, v->subkey, sizeof subkey);
        envelope2_seal(subkey, &clear, v->inside, v->inside_size, out);
        assert_int_equal(v->size, v->inside_size + SWIM_SEAL_OVERHEAD_2);
        assert_memory_equal(out, v->bytes, v->size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_open),
        cmocka_unit_test(test_recorded_seal),
        cmocka_unit_test(test_own_open),
        cmocka_unit_test(test_own_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
