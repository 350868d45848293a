/*
 * Deterministic pseudo-random numbers (xoshiro256**, seeded through splitmix64). The same seed
 * gives the same numbers on every platform. Not for secrets.
 */
#ifndef SWIM_BASE_PRNG_H
#define SWIM_BASE_PRNG_H

#include <stdint.h>

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
/* Uniform in [0, bound), without modulo bias. Asserted: bound > 0. */
uint32_t prng_below(struct prng *prng, uint32_t bound);

#endif
