/*
 * Nonces of envelope 1 and salts of envelope 2: see nonce.c for why they can be trusted.
 */
#ifndef SWIM_SEAL_NONCE_H
#define SWIM_SEAL_NONCE_H

#include "seal/envelope.h"

#include <stddef.h>
#include <stdint.h>

/* Two 64-bit words for 16 bytes of the longest datagram, and for what is left of it. */
#define NONCES_WORDS (SWIM_DATAGRAM_MAX / 8 + 2)

/* Secret. */
struct nonces {
    uint8_t key[16];
    uint64_t words[NONCES_WORDS];
};

void nonces_init(struct nonces *nonces, const uint8_t entropy[SWIM_KEY_SIZE]);
/* The nonce for this datagram, the `counter`th that this instance seals. A pure function of its
 * arguments. */
void nonce_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram, size_t size,
              uint8_t ret[ENVELOPE_NONCE_SIZE]);
/* Its first four bytes, as a number. */
uint32_t salt_of(const struct nonces *nonces, uint64_t counter, const uint8_t *datagram,
                 size_t size);

#endif
