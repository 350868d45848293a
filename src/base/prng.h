/*
 * Deterministic pseudo-random numbers (xoshiro256**, seeded through splitmix64). The same seed
 * gives the same numbers on every platform. Not for secrets. Inline: a newcomer, a probe and each
 * target of gossip costs a draw, which is shorter than a call.
 */
#ifndef SWIM_BASE_PRNG_H
#define SWIM_BASE_PRNG_H

#include "base/assert.h"
#include "base/inline.h"

#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);

static inline uint64_t prng_rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t prng_next(struct prng *prng)
{
    uint64_t *s = prng->state;
    uint64_t result = prng_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = prng_rotate(s[3], 45);
    return result;
}

/* Uniform in [0, bound), without modulo bias. Asserted: bound > 0. */
static inline uint32_t prng_below(struct prng *prng, uint32_t bound)
{
    uint64_t product;

    ASSERT(bound > 0);
    /* Lemire's method: the high half of x * bound is the number, and the few low halves that
     * would give some numbers one more chance than others are drawn again. All of them are below
     * `bound`, so that hardly a draw costs the division that tells which they are. */
    product = (prng_next(prng) >> 32) * bound;
    if (!LIKELY((uint32_t)product >= bound)) {
        uint32_t threshold = (0 - bound) % bound;
        while ((uint32_t)product < threshold)
            product = (prng_next(prng) >> 32) * bound;
    }
    return (uint32_t)(product >> 32);
}

#endif
