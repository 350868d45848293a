/*
 * Mixing functions, fixed for ever: digests and bucket numbers made of them go over the wire
 * (docs/protocol.md section 8).
 */
#ifndef SWIM_BASE_HASH_H
#define SWIM_BASE_HASH_H

#include <stdint.h>

/* A bijection of 64 bits with full avalanche (the finalizer of splitmix64). */
uint64_t hash_u64(uint64_t x);
/* Order-dependent combination of a state and a further word: hash_u64(state ^ hash_u64(x + k)),
 * k = 0x9E3779B97F4A7C15. */
uint64_t hash_combine(uint64_t state, uint64_t x);

#endif
