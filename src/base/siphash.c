/* SipHash-2-4: see siphash.h. Reads words as little-endian on every platform, as its paper says. */
#include "base/siphash.h"

#include "base/bytes.h"

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t load_le(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/* What is left of the text, and above it the size of all of it. */
static inline uint64_t load_tail(const uint8_t *at, size_t left, size_t size)
{
    uint64_t word = (uint64_t)size << 56;

    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << 8 * i;
    return word;
}

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

/* By value, as the next one: so that the four stay in registers. */
static inline struct state round_once(struct state s)
{
    s.v0 += s.v1;
    s.v2 += s.v3;
    s.v1 = rotate(s.v1, 13) ^ s.v0;
    s.v3 = rotate(s.v3, 16) ^ s.v2;
    s.v0 = rotate(s.v0, 32);
    s.v2 += s.v1;
    s.v0 += s.v3;
    s.v1 = rotate(s.v1, 17) ^ s.v2;
    s.v3 = rotate(s.v3, 21) ^ s.v0;
    s.v2 = rotate(s.v2, 32);
    return s;
}

static inline struct state absorb(struct state s, uint64_t word)
{
    s.v3 ^= word;
    s = round_once(round_once(s));
    s.v0 ^= word;
    return s;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t size)
{
    const uint8_t *at = data;
    const uint64_t k0 = load_le(key);
    const uint64_t k1 = load_le(key + 8);
    struct state s = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                      k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t left = size;

    for (; left >= 8; left -= 8, at += 8)
        s = absorb(s, load_le(at));
    s = absorb(s, load_tail(at, left, size));
    s.v2 ^= 0xff;
    s = round_once(round_once(round_once(round_once(s))));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
