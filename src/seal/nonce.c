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
 * So a nonce is a keyed hash of a secret (the instance's entropy), a counter, and *the datagram
 * itself*. A crash brings new entropy, and with it a new function. A clone has the same function
 * and the same counter: if it says the same, it writes the very same bytes, which anybody could
 * have copied; if it says anything else, it hashes something else and gets another nonce. The same
 * holds should the host's entropy be bad: then the function is known, not the outcome equal.
 *
 * What is left is chance: 96 bits of a hash agree for some two of N datagrams with a probability
 * of N^2 / 2^97, over all members together, since envelope 1 has one key for all: 2^-33 after 2^32
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

void nonces_init(struct nonces *nonces, const uint8_t entropy[SWIM_KEY_SIZE])
{
    subkey_labelled(entropy, "swim nonces", nonces->secret);
}

void nonce_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram, size_t size,
              uint8_t ret[ENVELOPE_NONCE_SIZE])
{
    crypto_generichash_state state;
    uint8_t number[8];
    uint8_t hash[crypto_generichash_BYTES_MIN];

    _Static_assert(sizeof hash >= ENVELOPE_NONCE_SIZE, "a nonce is its beginning");
    store_u64(number, counter);
    int error = crypto_generichash_init(&state, nonces->secret, sizeof nonces->secret, sizeof hash);
    error |= crypto_generichash_update(&state, number, sizeof number);
    error |= crypto_generichash_update(&state, datagram, size);
    error |= crypto_generichash_final(&state, hash, sizeof hash);
    ASSERT(error == 0);
    sodium_memzero(&state, sizeof state);
    memcpy(ret, hash, ENVELOPE_NONCE_SIZE);
}

uint32_t salt_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram,
                 size_t size)
{
    uint8_t nonce[ENVELOPE_NONCE_SIZE];

    nonce_of(nonces, counter, datagram, size, nonce);
    return load_u32(nonce);
}
