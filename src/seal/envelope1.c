/*
 * Envelope 1, as plain version-1 members write and read it (docs/protocol.md section 3): the
 * cluster's key itself, a nonce in clear, and the sender's id authenticated beside the datagram.
 * It can't tell a repetition from the first time: nothing in it grows.
 */
#include "seal/envelope.h"

#include "base/assert.h"
#include "base/bytes.h"

#include <sodium.h>
#include <string.h>

#define SENDER_SIZE 8

_Static_assert(ENVELOPE1_CLEAR_SIZE + ENVELOPE_TAG_SIZE == SWIM_SEAL_OVERHEAD_1, "protocol.md");
_Static_assert(ENVELOPE_NONCE_SIZE + SENDER_SIZE == ENVELOPE1_CLEAR_SIZE, "protocol.md");
_Static_assert(ENVELOPE_NONCE_SIZE == crypto_aead_chacha20poly1305_ietf_NPUBBYTES, "RFC 8439");
_Static_assert(ENVELOPE_TAG_SIZE == crypto_aead_chacha20poly1305_ietf_ABYTES, "RFC 8439");
_Static_assert(SWIM_KEY_SIZE == crypto_aead_chacha20poly1305_ietf_KEYBYTES, "RFC 8439");

void envelope1_seal(const uint8_t key[SWIM_KEY_SIZE], const uint8_t nonce[ENVELOPE_NONCE_SIZE],
                    const uint8_t *datagram, size_t size, uint8_t *out)
{
    uint8_t *sender = out + ENVELOPE_NONCE_SIZE;

    memcpy(out, nonce, ENVELOPE_NONCE_SIZE);
    memcpy(sender, datagram + ENVELOPE_INSIDE_SENDER, SENDER_SIZE);
    int error = crypto_aead_chacha20poly1305_ietf_encrypt(
        out + ENVELOPE1_CLEAR_SIZE, NULL, datagram, size, sender, SENDER_SIZE, NULL, nonce, key);
    ASSERT(error == 0);
}

bool envelope1_open(const uint8_t key[SWIM_KEY_SIZE], const uint8_t *data, size_t size,
                    uint8_t *out)
{
    ASSERT(size >= SWIM_SEAL_OVERHEAD_1 + ENVELOPE_INSIDE_MIN);
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               out, NULL, NULL, data + ENVELOPE1_CLEAR_SIZE, size - ENVELOPE1_CLEAR_SIZE,
               data + ENVELOPE_NONCE_SIZE, SENDER_SIZE, data, key) == 0;
}

uint64_t envelope1_sender(const uint8_t *data)
{
    return load_u64(data + ENVELOPE_NONCE_SIZE);
}

bool envelope_is_from(const uint8_t *datagram, uint64_t sender)
{
    uint8_t bytes[SENDER_SIZE];

    store_u64(bytes, sender);
    return sodium_memcmp(datagram + ENVELOPE_INSIDE_SENDER, bytes, SENDER_SIZE) == 0;
}
