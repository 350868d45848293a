/*
 * What is not authentic changes nothing (docs/protocol.md section 3, "On receipt"): every bit of
 * both envelopes, every length, noise, datagrams that open but lie about their sender, and a whole
 * recording, played again.
 */
#include "support.h"

#include "base/prng.h"
#include "seal/seal_private.h"
#include "seal_support.h"

#include <sodium.h>

/* Everything that may not change, in one number. The counters are not part of it. */
static uint64_t digest_of(const struct swim_seal *seal)
{
    struct swim_seal copy;
    uint64_t sum = 0;

    memcpy(&copy, seal, sizeof copy);
    memset(&copy.stats, 0, sizeof copy.stats);
    for (size_t at = 0; at < sizeof copy; at++)
        sum = (sum ^ ((const uint8_t *)&copy)[at]) * UINT64_C(0x100000001B3);
    for (size_t at = 0; at < seal->senders.size; at++)
        sum = (sum ^ ((const uint8_t *)seal->senders.subkeys)[at]) * UINT64_C(0x100000001B3);
    return sum;
}

static uint64_t dropped_of(const struct swim_seal *seal)
{
    struct swim_seal_stats stats = seal_stats_of(seal);
    uint64_t sum = 0;

    for (int i = 0; i < SWIM_SEAL_ERROR_COUNT; i++)
        sum += stats.dropped[i];
    return sum;
}

/* Opening it fails with `error`, counts that, and changes nothing else. */
static void refuse(struct swim_seal *seal, const struct sealed *sealed, int error)
{
    uint64_t before = digest_of(seal);
    struct swim_seal_stats stats = seal_stats_of(seal);

    assert_int_equal(heard(seal, sealed), error);
    assert_true(digest_of(seal) == before);
    stats.dropped[error]++;
    struct swim_seal_stats now = seal_stats_of(seal);
    assert_memory_equal(&now, &stats, sizeof now);
}

static void test_every_bit_of_envelope_1(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_1, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_1, 2);
    struct sealed sealed = say(a, 77, 9);

    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        sealed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        refuse(b, &sealed, SWIM_SEAL_DROP_FORGED);
        sealed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(heard(b, &sealed), HEARD_FRESH);
    swim_seal_free(a);
    swim_seal_free(b);
}

/* What this envelope, one bit of which is wrong, looks like to a receiver. `newest`: the number that
 * it heard last of the sender, of which it heard no other in a window's reach; 0: it holds none. */
static int expected_of(const struct sealed *sealed, uint64_t start, uint64_t newest)
{
    struct envelope2 clear;

    if (!envelope2_read(sealed->bytes, sealed->size, &clear))
        return SWIM_SEAL_DROP_VERSION;
    if (clear.key != (uint8_t)key_id_of(1))
        return SWIM_SEAL_DROP_KEY;
    if (newest == 0 || clear.sender != 77 || clear.start > start)
        return SWIM_SEAL_DROP_FORGED;
    bool is_old = clear.counter == newest ||
                  (clear.counter < newest && newest - clear.counter > SWIM_SEAL_WINDOW);
    return clear.start < start || is_old ? SWIM_SEAL_DROP_REPLAY : SWIM_SEAL_DROP_FORGED;
}

static void flip_every_bit(struct swim_seal *b, struct sealed *sealed, uint64_t newest)
{
    uint32_t replays = 0;

    for (size_t bit = 0; bit < sealed->size * 8; bit++) {
        uint8_t was = sealed->bytes[bit / 8];

        sealed->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        int error = expected_of(sealed, SEAL_START + 1, newest);
        replays += error == SWIM_SEAL_DROP_REPLAY ? 1 : 0;
        refuse(b, sealed, error);
        sealed->bytes[bit / 8] = was;
    }
    assert_int_equal(replays > 20, newest != 0);
}

static void test_every_bit_of_envelope_2(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);

    a->next_counter = UINT64_C(0xFEDCBA9876543210);
    struct sealed sealed = say(a, 77, 9);
    flip_every_bit(b, &sealed, 0);
    admit(b, &sealed);
    a->next_counter += 3000;
    uint64_t newest = a->next_counter;
    sealed = say(a, 77, 9);
    struct sealed next = say(a, 77, 9);
    assert_int_equal(heard(b, &sealed), HEARD_FRESH); /* a subkey is kept */
    flip_every_bit(b, &next, newest);
    assert_int_equal(heard(b, &next), HEARD_FRESH);
    swim_seal_free(a);
    swim_seal_free(b);
}

static void test_every_length(void **state)
{
    (void)state;
    for (int envelope = SWIM_ENVELOPE_1; envelope <= SWIM_ENVELOPE_2; envelope++) {
        struct swim_seal *a = seal_begin((enum swim_envelope)envelope, 1);
        struct swim_seal *b = seal_begin((enum swim_envelope)envelope, 2);
        uint8_t datagram[SWIM_DATAGRAM_MAX];
        uint8_t bytes[2000] = {0};
        uint8_t buf[2000];
        struct swim_seal_opened opened;
        size_t overhead = envelope == SWIM_ENVELOPE_1 ? SWIM_SEAL_OVERHEAD_1 : SWIM_SEAL_OVERHEAD_2;

        datagram_make(77, 1, sizeof datagram, datagram);
        size_t whole = swim_seal_wrap(a, datagram, sizeof datagram, bytes, sizeof bytes);
        for (size_t size = 0; size <= sizeof bytes; size++) {
            enum swim_seal_error error =
                swim_seal_open(b, size > 0 ? bytes : NULL, size, buf, sizeof buf, &opened);
            bool is_legal = size >= overhead + LEAST && size <= SWIM_RECEIVE_MAX;
            assert_int_equal(error, size == whole ? SWIM_SEAL_OK
                                    : is_legal    ? SWIM_SEAL_DROP_FORGED
                                                  : SWIM_SEAL_DROP_SIZE);
        }
        assert_int_equal(seal_stats_of(b).opened, 1);
        assert_int_equal(dropped_of(b), sizeof bytes);
        swim_seal_free(a);
        swim_seal_free(b);
    }
}

/* Exactly what fits is read and written: the sanitizers watch both ends. */
static void test_noise(void **state)
{
    (void)state;
    struct prng prng;

    prng_init(&prng, test_seed("noise"));
    for (uint32_t i = 0; i < 4000; i++) {
        struct swim_seal *seal = NULL;
        size_t size = prng_below(&prng, SWIM_RECEIVE_MAX + 10);
        uint8_t *data = malloc(size > 0 ? size : 1);
        uint8_t *buf = malloc(size > 0 ? size : 1);
        struct swim_seal_opened opened;

        assert_true(data != NULL && buf != NULL);
        seal = seal_begin(i % 2 == 0 ? SWIM_ENVELOPE_1 : SWIM_ENVELOPE_2, 1);
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)prng_next(&prng);
        if (size > 2 && i % 4 == 1) {
            data[0] = 2;
            data[1] = (uint8_t)key_id_of(1);
        }
        assert_true(swim_seal_open(seal, data, size, buf, size, &opened) != SWIM_SEAL_OK);
        assert_int_equal(dropped_of(seal), 1);
        free(data);
        free(buf);
        swim_seal_free(seal);
    }
}

/* Sealed by a holder of the key, for somebody else: it opens, and is refused. */
static void test_other_sender_inside(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_1, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 2);
    struct swim_seal *talker = seal_begin(SWIM_ENVELOPE_2, 1);
    struct swim_seal *liar = seal_begin(SWIM_ENVELOPE_2, 1);
    struct sealed sealed = say(talker, 77, 0);
    uint8_t key[SWIM_KEY_SIZE];
    uint8_t subkey[SWIM_KEY_SIZE];
    uint8_t nonce[ENVELOPE_NONCE_SIZE] = {0};
    uint8_t clear_sender[8];

    admit(b, &sealed);
    key_make(1, key);
    subkey_derive(key, &liar->cluster, 77, liar->start, subkey);
    struct envelope2 clear = {
        .key = (uint8_t)key_id_of(1), .sender = 77, .start = liar->start, .counter = 5};
    uint8_t datagram[LEAST];
    datagram_make(78, 0, sizeof datagram, datagram);
    envelope2_seal(subkey, &clear, datagram, sizeof datagram, sealed.bytes);
    refuse(b, &sealed, SWIM_SEAL_DROP_SENDER);

    /* The number was not used up by it. */
    datagram_make(77, 0, sizeof datagram, datagram);
    envelope2_seal(subkey, &clear, datagram, sizeof datagram, sealed.bytes);
    assert_int_equal(heard(b, &sealed), HEARD_FRESH);

    /* Envelope 1, where our own writer takes the clear id from inside. */
    store_u64(clear_sender, 78);
    memcpy(sealed.bytes, nonce, sizeof nonce);
    memcpy(sealed.bytes + sizeof nonce, clear_sender, sizeof clear_sender);
    assert_int_equal(crypto_aead_chacha20poly1305_ietf_encrypt(
                         sealed.bytes + ENVELOPE1_CLEAR_SIZE, NULL, datagram, sizeof datagram,
                         clear_sender, sizeof clear_sender, NULL, nonce, key),
                     0);
    sealed.size = LEAST + SWIM_SEAL_OVERHEAD_1;
    refuse(a, &sealed, SWIM_SEAL_DROP_SENDER);
    swim_seal_free(a);
    swim_seal_free(b);
    swim_seal_free(talker);
    swim_seal_free(liar);
}

/* All that was ever said, again, in order and in reverse: state and windows stay as they are. */
static void test_a_whole_recording(void **state)
{
    (void)state;
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_2, 100);
    static struct sealed tape[8 * 400];
    size_t count = 0;

    for (uint8_t sender = 1; sender <= 8; sender++) {
        struct swim_seal *a = seal_begin(SWIM_ENVELOPE_2, sender);
        for (uint32_t i = 0; i < 400; i++) {
            tape[count] = say(a, sender, (uint8_t)i);
            if (i == 0)
                admit(b, &tape[count]);
            else
                assert_int_equal(heard(b, &tape[count]), HEARD_FRESH);
            count++;
        }
        swim_seal_free(a);
    }
    uint64_t before = digest_of(b);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(heard(b, &tape[i]), SWIM_SEAL_DROP_REPLAY);
    for (size_t i = count; i > 0; i--)
        assert_int_equal(heard(b, &tape[i - 1]), SWIM_SEAL_DROP_REPLAY);
    assert_true(digest_of(b) == before);
    assert_int_equal(seal_stats_of(b).dropped[SWIM_SEAL_DROP_REPLAY], 2 * count);

    /* A receiver that has just started hears none of it as fresh, and holds nothing of it. */
    struct swim_seal *restarted = seal_begin(SWIM_ENVELOPE_2, 101);
    before = digest_of(restarted);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(heard(restarted, &tape[i]), HEARD_UNPROVED);
    assert_true(digest_of(restarted) == before);
    assert_int_equal(seal_stats_of(restarted).windows, 0);
    swim_seal_free(restarted);
    swim_seal_free(b);
}

/* In envelope 1 a repetition can't be told: what the documents say it does not promise. */
static void test_envelope_1_repeats(void **state)
{
    (void)state;
    struct swim_seal *a = seal_begin(SWIM_ENVELOPE_1, 1);
    struct swim_seal *b = seal_begin(SWIM_ENVELOPE_1, 2);
    struct sealed sealed = say(a, 77, 0);

    assert_int_equal(heard(b, &sealed), HEARD_FRESH);
    assert_int_equal(heard(b, &sealed), HEARD_FRESH);
    assert_int_equal(seal_stats_of(b).windows, 0);
    swim_seal_free(a);
    swim_seal_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit_of_envelope_1),
        cmocka_unit_test(test_every_bit_of_envelope_2),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_other_sender_inside),
        cmocka_unit_test(test_a_whole_recording),
        cmocka_unit_test(test_envelope_1_repeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
