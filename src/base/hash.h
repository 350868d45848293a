/*
 * Mixing functions, fixed for ever: digests and bucket numbers made of them go over the wire
 * (docs/protocol.md section 8). Inline: each entry of a datagram is hashed several times.
 */
#ifndef SWIM_BASE_HASH_H
#define SWIM_BASE_HASH_H

#include <stdint.h>

/* 2^64 divided by the golden ratio, made odd: splitmix64's increment. */
#define HASH_GOLDEN UINT64_C(0x9E3779B97F4A7C15)

/* A bijection of 64 bits with full avalanche (the finalizer of splitmix64). */
static inline uint64_t hash_u64(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* Order-dependent combination of a state and a further word. */
static inline uint64_t hash_combine(uint64_t state, uint64_t x)
{
    return hash_u64(state ^ hash_u64(x + HASH_GOLDEN));
}

#endif
