/* What this machine can do at best, measured in a moment: the limits that cases are held against. */
#ifndef SWIM_BENCH_CALIBRATE_H
#define SWIM_BENCH_CALIBRATE_H

#include <stddef.h>
#include <stdint.h>

/* Nanoseconds of the clock that runs on; not of CPU, so that no call of the system is timed. */
uint64_t calibrate_now_ns(void);
/* What two readings of it are apart, at least. */
double calibrate_clock_ns(void);
/* A load whose address the load before it gave, at random in so many bytes. */
double calibrate_load_ns(size_t table_bytes);
/* Copying, and adding up as 64-bit words, so many bytes that are in the first cache. */
double calibrate_copy_ns(size_t bytes);
double calibrate_sum_ns(size_t bytes);

#endif
