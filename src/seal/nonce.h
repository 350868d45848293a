/*
 * Nonces of envelope 1 and salts of envelope 2: see nonce.c for why they can be trusted.
 */
#ifndef SWIM_SEAL_NONCE_H
#define SWIM_SEAL_NONCE_H

#include "seal/envelope.h"

#include <stddef.h>
#include <stdint.h>

struct nonces {
    uint8_t secret[SWIM_KEY_SIZE];
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
