/*
 * Envelope 2 (docs/protocol.md section 3): a subkey of its own for each sender and start, the
 * sequence number as nonce, and every byte in clear authenticated. With the number it can be told
 * what was heard before; with the start, what was said in an earlier life.
 */
#include "seal/envelope.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <sodium.h>

#define AT_KEY 1
#define AT_SENDER 2
#define AT_START 10
#define AT_COUNTER 16 /* with the salt behind it: the nonce */
#define AT_SALT 24

_Static_assert(ENVELOPE2_CLEAR_SIZE + ENVELOPE_TAG_SIZE == SWIM_SEAL_OVERHEAD_2, "protocol.md");
_Static_assert(AT_COUNTER + ENVELOPE_NONCE_SIZE == ENVELOPE2_CLEAR_SIZE, "the nonce is at the end");
_Static_assert(SWIM_SEALED_MAX <= SWIM_RECEIVE_MAX, "what we write is accepted");

static void write_clear(const struct envelope2 *clear, uint8_t *out)
{
    ASSERT(clear->start < SWIM_SEAL_START_MAX);
    out[0] = SWIM_ENVELOPE_2;
    out[AT_KEY] = clear->key;
    store_u64(out + AT_SENDER, clear->sender);
    store_u16(out + AT_START, (uint16_t)(clear->start >> 32));
    store_u32(out + AT_START + 2, (uint32_t)clear->start);
    store_u64(out + AT_COUNTER, clear->counter);
    store_u32(out + AT_SALT, clear->salt);
}

void envelope2_seal(const uint8_t subkey[SWIM_KEY_SIZE], const struct envelope2 *clear,
                    const uint8_t *datagram, size_t size, uint8_t *out)
{
    write_clear(clear, out);
    int error = crypto_aead_chacha20poly1305_ietf_encrypt(out + ENVELOPE2_CLEAR_SIZE, NULL,
                                                          datagram, size, out, ENVELOPE2_CLEAR_SIZE,
                                                          NULL, out + AT_COUNTER, subkey);
    ASSERT(error == 0);
}

bool envelope2_read(const uint8_t *data, size_t size, struct envelope2 *ret)
{
    ASSERT(size >= SWIM_SEAL_OVERHEAD_2 + ENVELOPE_INSIDE_MIN);
    if (data[0] != SWIM_ENVELOPE_2)
        return false;
    ret->key = data[AT_KEY];
    ret->sender = load_u64(data + AT_SENDER);
    ret->start = (uint64_t)load_u16(data + AT_START) << 32 | load_u32(data + AT_START + 2);
    ret->counter = load_u64(data + AT_COUNTER);
    ret->salt = load_u32(data + AT_SALT);
    return true;
}

bool envelope2_open(const uint8_t subkey[SWIM_KEY_SIZE], const uint8_t *data, size_t size,
                    uint8_t *out)
{
    ASSERT(size >= SWIM_SEAL_OVERHEAD_2 + ENVELOPE_INSIDE_MIN);
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               out, NULL, NULL, data + ENVELOPE2_CLEAR_SIZE, size - ENVELOPE2_CLEAR_SIZE, data,
               ENVELOPE2_CLEAR_SIZE, data + AT_COUNTER, subkey) == 0;
}
