/* Logarithms in fixed point: see fixed.h. */
#include "base/fixed.h"

#include "base/assert.h"

/* The integer part by position, then each bit of the fraction by squaring. */
uint32_t log2_q16(uint32_t n)
{
    uint32_t whole = 31;
    uint64_t mantissa;
    uint32_t fraction = 0;

    ASSERT(n > 0);
    while (!(n >> whole))
        whole--;
    mantissa = ((uint64_t)n << 31) >> whole; /* in [1, 2), 31 bits after the point */
    for (uint32_t bit = 1u << 15; bit; bit >>= 1) {
        mantissa = mantissa * mantissa >> 31;
        if (mantissa >> 32) {
            mantissa >>= 1;
            fraction |= bit;
        }
    }
    return whole << 16 | fraction;
}
