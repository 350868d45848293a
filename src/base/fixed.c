/* Logarithms in fixed point: see fixed.h. */
#include "base/fixed.h"

#include "base/assert.h"

/* The integer part by position, then each bit of the fraction by squaring, without a branch: which they
 * are is as good as chance. */
uint32_t log2_q16(uint32_t n)
{
    uint32_t log;
    uint64_t mantissa; /* in [1, 2), 31 bits after the point */

    ASSERT(n > 0);
    log = 31 - (uint32_t)__builtin_clz(n);
    mantissa = ((uint64_t)n << 31) >> log;
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit;

        mantissa = mantissa * mantissa >> 31;
        bit = (uint32_t)(mantissa >> 32);
        mantissa >>= bit;
        log = log << 1 | bit;
    }
    return log;
}
