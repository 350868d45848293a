/*
 * What the tests of src/seal share: instances made in one line, and datagrams that are nothing but
 * a sender and a filling. Included after support.h.
 */
#ifndef SWIM_TESTS_UNIT_SEAL_SUPPORT_H
#define SWIM_TESTS_UNIT_SEAL_SUPPORT_H

#include "base/bytes.h"
#include "swim/seal.h"

#define SEAL_START UINT64_C(1700000000000)
#define LEAST 24 /* bytes of the smallest datagram */

/* Key number `number`: no two have the same bytes. */
static inline void key_make(uint32_t number, uint8_t ret[SWIM_KEY_SIZE])
{
    for (uint32_t i = 0; i < SWIM_KEY_SIZE; i++)
        ret[i] = (uint8_t)(number * 37 + i * 5 + 1);
    store_u32(ret, number);
}

static inline uint32_t key_id_of(uint32_t number)
{
    uint8_t key[SWIM_KEY_SIZE];

    key_make(number, key);
    return swim_key_id(key);
}

static inline enum swim_key_error key_install(struct swim_seal *seal, uint32_t number)
{
    uint8_t key[SWIM_KEY_SIZE];

    key_make(number, key);
    return swim_seal_key_install(seal, key);
}

/* For 64 senders, of no cluster, its entropy made of `number`. */
static inline struct swim_seal_config seal_config_of(enum swim_envelope envelope, uint8_t number)
{
    struct swim_seal_config config = {
        .envelope = envelope, .start = SEAL_START + number, .members_max = 64};

    memset(config.entropy, number, sizeof config.entropy);
    return config;
}

/* With key number 1. */
static inline struct swim_seal *seal_begin_of(const struct swim_seal_config *config)
{
    struct swim_seal *seal = swim_seal_new(config);

    assert_non_null(seal);
    assert_int_equal(key_install(seal, 1), SWIM_KEY_OK);
    return seal;
}

static inline struct swim_seal *seal_begin(enum swim_envelope envelope, uint8_t number)
{
    struct swim_seal_config config = seal_config_of(envelope, number);

    return seal_begin_of(&config);
}

/* A datagram of this sender's, as far as src/seal looks into it. */
static inline void datagram_make(uint64_t sender, uint8_t filling, size_t size, uint8_t *ret)
{
    memset(ret, filling, size);
    store_u64(ret + 4, sender);
}

/* An envelope, on its way. */
struct sealed {
    size_t size;
    uint8_t bytes[SWIM_SEALED_MAX];
};

/* The smallest datagram of this sender's, sealed. */
static inline struct sealed say(struct swim_seal *seal, uint64_t sender, uint8_t filling)
{
    struct sealed sealed;
    uint8_t datagram[LEAST];

    datagram_make(sender, filling, sizeof datagram, datagram);
    sealed.size =
        swim_seal_wrap(seal, datagram, sizeof datagram, sealed.bytes, sizeof sealed.bytes);
    return sealed;
}

static inline enum swim_seal_error hear_sealed(struct swim_seal *seal, const struct sealed *sealed,
                                               struct swim_seal_opened *ret)
{
    uint8_t buf[SWIM_SEALED_MAX];

    return swim_seal_open(seal, sealed->bytes, sealed->size, buf, sizeof buf, ret);
}

/* Opened with this result, OK and fresh, or OK and not. */
#define HEARD_FRESH 100
#define HEARD_UNPROVED 101

static inline int heard(struct swim_seal *seal, const struct sealed *sealed)
{
    struct swim_seal_opened opened;
    enum swim_seal_error error = hear_sealed(seal, sealed, &opened);

    if (error != SWIM_SEAL_OK)
        return (int)error;
    return opened.is_fresh ? HEARD_FRESH : HEARD_UNPROVED;
}

/* Opens it, demands that it is not fresh, and admits it. */
static inline void admit(struct swim_seal *seal, const struct sealed *sealed)
{
    struct swim_seal_opened opened;

    assert_int_equal(hear_sealed(seal, sealed, &opened), SWIM_SEAL_OK);
    assert_false(opened.is_fresh);
    swim_seal_admit(seal, &opened);
}

static inline struct swim_seal_stats seal_stats_of(const struct swim_seal *seal)
{
    struct swim_seal_stats stats;

    swim_seal_stats(seal, &stats);
    return stats;
}

#endif
