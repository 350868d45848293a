/*
 * Logarithms in fixed point, so that no floating point makes platforms differ.
 */
#ifndef SWIM_BASE_FIXED_H
#define SWIM_BASE_FIXED_H

#include <stdint.h>

/* log2(n) in 16.16, cut off: 65536 for 2. Asserted: n > 0. */
uint32_t log2_q16(uint32_t n);
#define LOG2_Q16_OF_10 UINT32_C(217705) /* log2_q16(10) */

#endif
