/*
 * Mixing functions. Part of the wire format: view digests (docs/protocol.md section 8) are made
 * of them, so they can never change.
 */
#include "base/hash.h"

/* 2^64 divided by the golden ratio, made odd: splitmix64's increment. */
#define GOLDEN UINT64_C(0x9E3779B97F4A7C15)

uint64_t hash_u64(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

uint64_t hash_combine(uint64_t state, uint64_t x)
{
    return hash_u64(state ^ hash_u64(x + GOLDEN));
}
