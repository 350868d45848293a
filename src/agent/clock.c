/*
 * One place reads the monotonic clock, so that every part of the daemon agrees on which one it
 * is. Hosts of the core choose CLOCK_BOOTTIME: include/swim/swim.h says why.
 */
#define _GNU_SOURCE
#include "agent/clock.h"

#include "base/assert.h"

#include <time.h>

uint64_t clock_now_ns(void)
{
    struct timespec now;
    int failed = clock_gettime(CLOCK_BOOTTIME, &now);
    ASSERT(failed == 0); /* Linux has it since 2.6.39; without a clock nothing can go on */
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
