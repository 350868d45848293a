/*
 * Nonces that do not repeat (docs/protocol.md section 3, "Nonces"). A nonce used twice under one
 * key for two different datagrams tells an eavesdropper the difference of the two, and lets him
 * forge more of them. So it must not happen, whatever happens to the process:
 *
 * - A counter alone repeats after a crash, unless each value is on disk before it is used; and a
 *   copied disk, a restored snapshot or a cloned virtual machine repeats it anyway. In envelope 1
 *   all members share one key, so two members' counters would meet too.
 * - Random bytes drawn once at the start repeat in every clone of the running machine. Random
 *   bytes drawn for each datagram are right as long as the system's generator is: it may hand the
 *   same to two clones until it has noticed.
 *
 * So a nonce is a pseudo-random function (SipHash, 128 bits), under a secret from the instance's
 * entropy, of a counter and of *the datagram itself*. A crash brings new entropy, and with it a new
 * function. A clone has the same function and the same counter: if it says the same, it writes the
 * very same bytes, which anybody could have copied; if it says anything else, it gets another
 * nonce. The same holds should the host's entropy be bad: then the function is known, not the
 * outcome equal.
 *
 * The datagram goes in as its NH hash (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC", CRYPTO
 * 1999), with words of 64 bits: under a secret key, two different datagrams of one length agree with
 * a probability of at most 2^-64, and nobody sees the hash. It costs a multiplication for 16 bytes;
 * BLAKE2b over all of it costs as much as sealing it.
 *
 * What is left is chance: 96 bits agree for some two of N datagrams with a probability of N^2 /
 * 2^97, over all members together, since envelope 1 has one key for all: 2^-33 after 2^32
 * datagrams, 2^-17 after 2^40. Change the key long before that.
 *
 * In envelope 2 sender, start and counter already make each nonce unique, and the 32 bits that are
 * left of it hold the start of the same hash: a hedge, not a proof, for what must not happen but
 * does, that two clones of a running machine go on under one id and start. For each counter that
 * both use, they then collide with a probability of 2^-32 instead of surely.
 */
#include "seal/nonce.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "seal/subkey.h"

#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(((struct nonces *)0)->key) == crypto_shorthash_siphashx24_KEYBYTES, "");

void nonces_init(struct nonces *nonces, const uint8_t entropy[SWIM_KEY_SIZE])
{
    static const uint8_t first[crypto_stream_chacha20_NONCEBYTES];
    uint8_t secret[SWIM_KEY_SIZE];

    subkey_labelled(entropy, "swim nonces", secret);
    memcpy(nonces->key, secret, sizeof nonces->key);
    subkey_labelled(entropy, "swim nonces, NH", secret);
    int error =
        crypto_stream_chacha20((uint8_t *)nonces->words, sizeof nonces->words, first, secret);
    ASSERT(error == 0);
    sodium_memzero(secret, sizeof secret);
}

/* ---- NH, of pairs of 64-bit words -------------------------------------------------------- */

struct sum {
    uint64_t low, high;
};

static void add_product(struct sum *sum, uint64_t a, uint64_t b)
{
#if defined __SIZEOF_INT128__ && !defined SWIM_NO_INT128
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    uint64_t low = (uint64_t)product;
    uint64_t high = (uint64_t)(product >> 64);
#else
    uint64_t cross = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t left = (a >> 32) * (b & UINT32_MAX) + (cross >> 32);
    uint64_t right = (a & UINT32_MAX) * (b >> 32) + (left & UINT32_MAX);
    uint64_t low = right << 32 | (cross & UINT32_MAX);
    uint64_t high = (a >> 32) * (b >> 32) + (left >> 32) + (right >> 32);
#endif
    sum->low += low;
    sum->high += high + (sum->low < low);
}

static void add_pair(struct sum *sum, const uint8_t *data, const uint64_t *key)
{
    uint64_t words[2];

    memcpy(words, data, sizeof words); /* in this machine's order: nobody else computes it */
    add_product(sum, words[0] + key[0], words[1] + key[1]);
}

static struct sum hash_datagram(const struct nonces *nonces, const uint8_t *data, size_t size)
{
    const uint64_t *key = nonces->words;
    uint8_t last[2 * sizeof(uint64_t)] = {0};
    struct sum even = {0};
    struct sum odd = {0};

    ASSERT(size <= SWIM_DATAGRAM_MAX);
    for (; size >= 2 * sizeof last; data += 2 * sizeof last, size -= 2 * sizeof last, key += 4) {
        add_pair(&even, data, key);
        add_pair(&odd, data + sizeof last, key + 2);
    }
    if (size >= sizeof last) {
        add_pair(&even, data, key);
        data += sizeof last;
        size -= sizeof last;
        key += 2;
    }
    memcpy(last, data, size);
    add_pair(&odd, last, key);
    even.low += odd.low;
    even.high += odd.high + (even.low < odd.low);
    return even;
}

void nonce_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram, size_t size,
              uint8_t ret[ENVELOPE_NONCE_SIZE])
{
    uint8_t text[8 + 8 + 8 + 2];
    uint8_t hash[crypto_shorthash_siphashx24_BYTES];
    struct sum sum = hash_datagram(nonces, datagram, size);

    _Static_assert(sizeof hash >= ENVELOPE_NONCE_SIZE, "a nonce is its beginning");
    store_u64(text, counter);
    store_u64(text + 8, sum.low);
    store_u64(text + 16, sum.high);
    store_u16(text + 24, (uint16_t)size);
    int error = crypto_shorthash_siphashx24(hash, text, sizeof text, nonces->key);
    ASSERT(error == 0);
    memcpy(ret, hash, ENVELOPE_NONCE_SIZE);
}

uint32_t salt_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram,
                 size_t size)
{
    uint8_t nonce[ENVELOPE_NONCE_SIZE];

    nonce_of(nonces, counter, datagram, size, nonce);
    return load_u32(nonce);
}
