/*
 * The keys that an instance holds: some to open with, one of them (the primary) to seal with.
 * Lives in locked memory, as part of struct swim_seal; what is not used of it is zero.
 */
#ifndef SWIM_SEAL_KEYRING_H
#define SWIM_SEAL_KEYRING_H

#include "swim/seal.h"

#include <stdbool.h>
#include <stdint.h>

struct key {
    uint32_t id; /* swim_key_id; 0: no key */
    uint8_t bytes[SWIM_KEY_SIZE];
};

/* keys[0 .. count - 1] are held, in no order; `primary` is the place of one of them. */
struct keyring {
    struct key keys[SWIM_KEYS_MAX];
    uint32_t count;
    uint32_t primary;
};

/* As swim_seal_key_*. */
SWIM_MUST_CHECK enum swim_key_error keyring_install(struct keyring *ring,
                                                    const uint8_t key[SWIM_KEY_SIZE]);
SWIM_MUST_CHECK enum swim_key_error keyring_use(struct keyring *ring, uint32_t id);
SWIM_MUST_CHECK enum swim_key_error keyring_remove(struct keyring *ring, uint32_t id);

/* NULL when there is no key at all. Valid until the next change. */
const struct key *keyring_primary(const struct keyring *ring);
/* All keys in turn, the primary one first: number 0 .. count - 1. */
const struct key *keyring_at(const struct keyring *ring, uint32_t number);

#endif
