/*
 * What the benchmark programs share: CPU time, of which the best of several rounds counts, since a shared
 * machine only ever adds to the truth; and their arguments.
 */
#ifndef SWIM_BENCH_BENCH_H
#define SWIM_BENCH_BENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#define BENCH_ROUNDS 5

/* An argument: a decimal number from least to most, and nothing else. */
static inline bool bench_read_number(const char *text, uint32_t least, uint32_t most, uint32_t *ret)
{
    unsigned long long value;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != '\0' || errno != 0 || value < least || value > most)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static inline uint64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

#endif
