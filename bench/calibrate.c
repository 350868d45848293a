/*
 * Small loops that do nothing but what the hardware must do for a benchmark: dependent loads,
 * copies, additions. The quickest of many rounds, as for the benchmarks themselves.
 */
#define _POSIX_C_SOURCE 200809L
#include "calibrate.h"

#include "base/prng.h"
#include "micro.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE = 64, ROUNDS = 60, LOADS = 20000, BYTES_MAX = 1 << 21 };

uint64_t calibrate_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

double calibrate_clock_ns(void)
{
    double best = 1e9;

    for (int i = 0; i < 1000; i++) {
        uint64_t start = calibrate_now_ns();
        double took = (double)(calibrate_now_ns() - start);

        best = took < best ? took : best;
    }
    return best;
}

/* One random cycle through all lines (Sattolo's shuffle): no prefetcher knows what comes next. */
static uint32_t *new_cycle(uint32_t lines)
{
    uint32_t *places = calloc(lines, LINE);
    uint32_t *order = malloc(lines * sizeof *order);
    struct prng prng;

    MICRO_CHECK(places && order);
    prng_init(&prng, 1);
    for (uint32_t i = 0; i < lines; i++)
        order[i] = i;
    for (uint32_t i = lines - 1; i > 0; i--) {
        uint32_t other = prng_below(&prng, i);
        uint32_t swapped = order[i];

        order[i] = order[other];
        order[other] = swapped;
    }
    for (uint32_t i = 0; i < lines; i++)
        places[order[i] * (LINE / 4)] = order[(i + 1) % lines];
    free(order);
    return places;
}

double calibrate_load_ns(size_t table_bytes)
{
    uint32_t lines = table_bytes > 4 * LINE ? (uint32_t)(table_bytes / LINE) : 4;
    uint32_t *places = new_cycle(lines);
    double best = 1e9;
    uint32_t at = 0;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = calibrate_now_ns();

        for (int i = 0; i < LOADS; i++)
            at = places[at * (LINE / 4)];
        double each = (double)(calibrate_now_ns() - start) / LOADS;
        best = each < best ? each : best;
    }
    micro_sink += at;
    free(places);
    return best;
}

static uint8_t source[BYTES_MAX];
static uint8_t target[BYTES_MAX];

static void copy(size_t bytes)
{
    memcpy(target, source, bytes);
    micro_sink += target[bytes - 1];
}

static uint64_t word_at(size_t place)
{
    uint64_t word;

    memcpy(&word, source + place, sizeof word);
    return word;
}

/* Four sums, none of which waits for another one: the pace is that of loads, not of additions. */
static void sum(size_t bytes)
{
    uint64_t a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;

    for (; i + 32 <= bytes; i += 32) {
        a += word_at(i);
        b += word_at(i + 8);
        c += word_at(i + 16);
        d += word_at(i + 24);
    }
    for (; i + 8 <= bytes; i += 8)
        a += word_at(i);
    micro_sink += a + b + c + d;
}

static double best_of(void (*operation)(size_t), size_t bytes)
{
    enum { TIMES = 200 };
    double best = 1e12;

    bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX;
    for (int round = 0; bytes > 0 && round < ROUNDS; round++) {
        uint64_t start = calibrate_now_ns();

        for (int i = 0; i < TIMES; i++)
            operation(bytes);
        double each = (double)(calibrate_now_ns() - start) / TIMES;
        best = each < best ? each : best;
    }
    return bytes > 0 ? best : 0;
}

double calibrate_copy_ns(size_t bytes)
{
    return best_of(copy, bytes);
}

double calibrate_sum_ns(size_t bytes)
{
    return best_of(sum, bytes);
}
