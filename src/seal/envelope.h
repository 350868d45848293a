/*
 * The bytes of both envelopes, and nothing else: no state, no choice of keys or nonces.
 * docs/protocol.md section 3.
 *
 *     1   nonce 12                                                        | sender 8 | sealed | tag 16
 *     2   version 1 | key 1 | sender 8 | start 6 | counter 8 | salt 4                | sealed | tag 16
 *         '---------------- in clear, authenticated ------------------'
 */
#ifndef SWIM_SEAL_ENVELOPE_H
#define SWIM_SEAL_ENVELOPE_H

#include "swim/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENVELOPE_NONCE_SIZE 12
#define ENVELOPE_TAG_SIZE 16
#define ENVELOPE1_CLEAR_SIZE 20
#define ENVELOPE2_CLEAR_SIZE 28
/* The least that can be inside: a header without a payload (section 1). */
#define ENVELOPE_INSIDE_MIN 24
/* Where a datagram says who wrote it. */
#define ENVELOPE_INSIDE_SENDER 4

/* `out` gets size + SWIM_SEAL_OVERHEAD_1 bytes. */
void envelope1_seal(const uint8_t key[SWIM_KEY_SIZE], const uint8_t nonce[ENVELOPE_NONCE_SIZE],
                    const uint8_t *datagram, size_t size, uint8_t *out);
/* Writes size - SWIM_SEAL_OVERHEAD_1 bytes to `out`, false when they are not authentic under this
 * key. Asserted: it holds a datagram's least size. */
SWIM_MUST_CHECK bool envelope1_open(const uint8_t key[SWIM_KEY_SIZE], const uint8_t *data,
                                    size_t size, uint8_t *out);
/* The sender that it names in clear. */
uint64_t envelope1_sender(const uint8_t *data);

/* What envelope 2 says in clear, after its version. */
struct envelope2 {
    uint8_t key; /* the lowest byte of the key's id */
    uint64_t sender;
    uint64_t start; /* below SWIM_SEAL_START_MAX */
    uint64_t counter;
    uint32_t salt;
};

/* `out` gets size + SWIM_SEAL_OVERHEAD_2 bytes. */
void envelope2_seal(const uint8_t subkey[SWIM_KEY_SIZE], const struct envelope2 *clear,
                    const uint8_t *datagram, size_t size, uint8_t *out);
/* False when the version is another. Asserted: it holds a datagram's least size. */
SWIM_MUST_CHECK bool envelope2_read(const uint8_t *data, size_t size, struct envelope2 *ret);
/* As envelope1_open. */
SWIM_MUST_CHECK bool envelope2_open(const uint8_t subkey[SWIM_KEY_SIZE], const uint8_t *data,
                                    size_t size, uint8_t *out);

/* True when the datagram inside was written by `sender`. In constant time, though neither is
 * secret. */
SWIM_MUST_CHECK bool envelope_is_from(const uint8_t *datagram, uint64_t sender);

#endif
