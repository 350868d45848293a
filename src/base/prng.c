/*
 * Random choices of the protocol, reproducible from one seed: xoshiro256** 1.0 (Blackman and
 * Vigna), its state filled by splitmix64 as its authors advise.
 */
#include "base/prng.h"

#include "base/hash.h"

void prng_init(struct prng *prng, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += UINT64_C(0x9E3779B97F4A7C15);
        prng->state[i] = hash_u64(seed);
    }
}
