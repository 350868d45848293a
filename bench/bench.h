/*
 * Timing for benchmarks: CPU nanoseconds an operation, the best of several rounds, since a shared
 * machine only ever adds to the truth.
 */
#ifndef SWIM_BENCH_BENCH_H
#define SWIM_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <time.h>

#define BENCH_ROUNDS 5

static inline uint64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Runs `operation(context)` `count` times a round and prints a line. */
static inline void bench_run(const char *name, uint32_t count, void (*operation)(void *),
                             void *context)
{
    double best = 0;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t start = bench_now_ns();
        for (uint32_t i = 0; i < count; i++) {
            operation(context);
        }
        double each = (double)(bench_now_ns() - start) / count;
        best = round == 0 || each < best ? each : best;
    }
    printf("%-44s %10.1f ns\n", name, best);
    fflush(stdout);
}

#endif
