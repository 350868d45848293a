/*
 * Random choices of the protocol, reproducible from one seed: xoshiro256** 1.0 (Blackman and
 * Vigna), its state filled by splitmix64 as its authors advise.
 */
#include "base/prng.h"

#include "base/assert.h"
#include "base/hash.h"

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15);
        prng->state[i] = hash_u64(seed);
    }
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint32_t prng_below(struct prng *prng, uint32_t bound)
{
    ASSERT(bound > 0);
    /* Lemire's method: the high half of x * bound is the number, and the few low halves that
     * would give some numbers one more chance than others are drawn again. All of them are below
     * `bound`, so that hardly a draw costs the division that tells which they are. */
    uint64_t product = (prng_next(prng) >> 32) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = (0 - bound) % bound;
        while ((uint32_t)product < threshold)
            product = (prng_next(prng) >> 32) * bound;
    }
    return (uint32_t)(product >> 32);
}
