/*
 * Numbers in decimal, without printf, for hosts that write thousands of them. What is
 * written has no zero byte at its end; all return where it ends.
 */
#ifndef SWIM_BASE_DECIMAL_H
#define SWIM_BASE_DECIMAL_H

#include <stdint.h>
#include <string.h>

#define DECIMAL_MAX 20 /* digits of the largest number */

/* Exactly so many digits, those of the value's end. */
static inline char *decimal_put_fixed(char *at, uint64_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, value /= 10)
        at[i - 1] = (char)('0' + value % 10);
    return at + digits;
}

/* As many as it takes, DECIMAL_MAX at most. */
static inline char *decimal_put(char *at, uint64_t value)
{
    char digits[DECIMAL_MAX];
    unsigned first = DECIMAL_MAX;

    do
        digits[--first] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    memcpy(at, digits + first, DECIMAL_MAX - first);
    return at + (DECIMAL_MAX - first);
}

#endif
