/*
 * Several keys at a time, so that a cluster changes its key without losing a member
 * (docs/protocol.md section 3, "Keys"): install the new key everywhere, use it everywhere, remove
 * the old one everywhere. Keys are compared in constant time, and named by their ids alone.
 */
#include "seal/keyring.h"

#include "base/assert.h"

#include <sodium.h>
#include <string.h>

const struct key *keyring_primary(const struct keyring *ring)
{
    return ring->count > 0 ? &ring->keys[ring->primary] : NULL;
}

/* The primary key's place and that of the first key are exchanged. */
const struct key *keyring_at(const struct keyring *ring, uint32_t number)
{
    ASSERT(number < ring->count);
    if (number == 0)
        return &ring->keys[ring->primary];
    return &ring->keys[number == ring->primary ? 0 : number];
}

/* The place of the key with this id; `count` when there is none. */
static uint32_t place_of(const struct keyring *ring, uint32_t id)
{
    uint32_t place = 0;

    while (place < ring->count && ring->keys[place].id != id)
        place++;
    return place;
}

enum swim_key_error keyring_install(struct keyring *ring, const uint8_t key[SWIM_KEY_SIZE])
{
    if (sodium_is_zero(key, SWIM_KEY_SIZE))
        return SWIM_KEY_WEAK;

    uint32_t id = swim_key_id(key);
    uint32_t place = place_of(ring, id);

    if (place < ring->count)
        return sodium_memcmp(ring->keys[place].bytes, key, SWIM_KEY_SIZE) == 0 ? SWIM_KEY_OK
                                                                               : SWIM_KEY_WEAK;
    if (ring->count == SWIM_KEYS_MAX)
        return SWIM_KEY_FULL;
    ring->keys[place].id = id;
    memcpy(ring->keys[place].bytes, key, SWIM_KEY_SIZE);
    ring->count++;
    return SWIM_KEY_OK;
}

enum swim_key_error keyring_use(struct keyring *ring, uint32_t id)
{
    uint32_t place = place_of(ring, id);

    if (place == ring->count)
        return SWIM_KEY_UNKNOWN;
    ring->primary = place;
    return SWIM_KEY_OK;
}

enum swim_key_error keyring_remove(struct keyring *ring, uint32_t id)
{
    uint32_t place = place_of(ring, id);

    if (place == ring->count)
        return SWIM_KEY_UNKNOWN;
    if (place == ring->primary)
        return SWIM_KEY_PRIMARY;
    ring->count--;
    ring->keys[place] = ring->keys[ring->count]; /* the last one takes the place */
    sodium_memzero(&ring->keys[ring->count], sizeof ring->keys[0]);
    if (ring->primary == ring->count)
        ring->primary = place;
    return SWIM_KEY_OK;
}
