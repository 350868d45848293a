/*
 * What the targets over envelopes share: a dozen keys, of which the script says which are held, the
 * primary one first, and what must become of each change (include/swim/seal.h, "Keys"), kept as a
 * plain list beside the instance under test.
 */
#ifndef SWIM_TESTS_FUZZ_SEAL_WORLD_H
#define SWIM_TESTS_FUZZ_SEAL_WORLD_H

#include "base/assert.h"
#include "base/bytes.h"
#include "seal/envelope.h"
#include "seal/seal_private.h"
#include "swim/seal.h"

#include <string.h>

enum {
    WORLD_KEYS = 10,
    WORLD_WEAK = WORLD_KEYS, /* the key of zeros */
    WORLD_SEALS = 8,         /* by how many senders there is room for */
};

struct world_keys {
    bool is_held[WORLD_KEYS];
    unsigned primary; /* while one is held */
    unsigned count;
};

/* An instance as new. Making one takes memory from the system, between pages that are guarded, which
 * costs more than all that a script does with it: one is made of each kind, and made new again. */
static inline struct swim_seal *world_seal(const struct swim_seal_config *config)
{
    static struct {
        struct swim_seal *seal;
        struct swim_seal fresh;
    } all[WORLD_SEALS];
    unsigned i = config->members_max;

    ASSERT(i < WORLD_SEALS);
    if (all[i].seal == NULL) {
        all[i].seal = swim_seal_new(config);
        ASSERT(all[i].seal != NULL);
        all[i].fresh = *all[i].seal;
    }
    *all[i].seal = all[i].fresh;
    if (config->envelope == SWIM_ENVELOPE_2)
        memset(all[i].seal->senders.subkeys, 0, all[i].seal->senders.size);
    return all[i].seal;
}

/* Two of them, 8 and 9, differ in their last byte only. */
static inline void world_key(unsigned number, uint8_t ret[SWIM_KEY_SIZE])
{
    memset(ret, number == WORLD_WEAK ? 0 : 0x40 + (int)(number % 9), SWIM_KEY_SIZE);
    if (number == 9)
        ret[SWIM_KEY_SIZE - 1]++;
}

static inline uint32_t world_key_id(unsigned number)
{
    static uint32_t ids[WORLD_KEYS];
    uint8_t key[SWIM_KEY_SIZE];

    if (ids[number] == 0) {
        world_key(number, key);
        ids[number] = swim_key_id(key);
    }
    return ids[number];
}

static inline void world_install(struct swim_seal *seal, struct world_keys *keys, unsigned number)
{
    enum swim_key_error expected = SWIM_KEY_OK;
    uint8_t key[SWIM_KEY_SIZE];

    if (number >= WORLD_WEAK) {
        number = WORLD_WEAK;
        expected = SWIM_KEY_WEAK;
    } else if (!keys->is_held[number] && keys->count == SWIM_KEYS_MAX) {
        expected = SWIM_KEY_FULL;
    }
    world_key(number, key);
    ASSERT(swim_seal_key_install(seal, key) == expected);
    if (expected != SWIM_KEY_OK || keys->is_held[number])
        return;
    if (keys->count++ == 0)
        keys->primary = number;
    keys->is_held[number] = true;
}

static inline void world_use(struct swim_seal *seal, struct world_keys *keys, unsigned number)
{
    enum swim_key_error error = swim_seal_key_use(seal, world_key_id(number));

    ASSERT(error == (keys->is_held[number] ? SWIM_KEY_OK : SWIM_KEY_UNKNOWN));
    if (error == SWIM_KEY_OK)
        keys->primary = number;
}

static inline void world_remove(struct swim_seal *seal, struct world_keys *keys, unsigned number)
{
    enum swim_key_error error = swim_seal_key_remove(seal, world_key_id(number));

    if (!keys->is_held[number]) {
        ASSERT(error == SWIM_KEY_UNKNOWN);
    } else if (keys->primary == number) {
        ASSERT(error == SWIM_KEY_PRIMARY);
    } else {
        ASSERT(error == SWIM_KEY_OK);
        keys->is_held[number] = false;
        keys->count--;
    }
}

static inline void world_check_keys(const struct swim_seal *seal, const struct world_keys *keys)
{
    uint32_t ids[SWIM_KEYS_MAX];
    uint32_t count = swim_seal_keys(seal, ids);

    ASSERT(count == keys->count);
    ASSERT(count == 0 || ids[0] == world_key_id(keys->primary));
}

/* A datagram as far as src/seal looks into it. */
static inline void world_datagram(uint64_t sender, uint8_t filling, size_t size, uint8_t *ret)
{
    memset(ret, filling, size);
    store_u64(ret + ENVELOPE_INSIDE_SENDER, sender);
}

#endif
