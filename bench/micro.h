/*
 * The harness of `make bench`: what a benchmark is, and the lists of them. A benchmark is a case
 * that is opened once for each size, then prepared (untimed) and run (timed) again and again; what
 * counts is the quickest run, since a shared machine only ever adds to the truth.
 */
#ifndef SWIM_BENCH_MICRO_H
#define SWIM_BENCH_MICRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The least that an operation must touch, whoever programs it: its bytes read and written once, at
 * the pace of the same machine in the same run (calibrate.h), and so many places of a table of
 * `table_bytes`, one after the other. 0s: nothing is said. */
struct micro_limit {
    size_t read_bytes;  /* summed up */
    size_t write_bytes; /* copied */
    uint32_t loads;
    size_t table_bytes;
    char peer[96]; /* title of another case instead, which does the bare minimum; "": none */
};

struct micro_case {
    const char *name;
    const uint32_t *sizes; /* n, 0-terminated; NULL: one run, with n = 0 */
    /* Returns what the others are given. May fill in *ret, which is zero. */
    void *(*open)(const struct micro_case *self, uint32_t n, struct micro_limit *ret);
    void (*prepare)(void *context); /* before each batch; NULL: nothing */
    void (*run)(void *context);     /* one operation */
    void (*close)(void *context);
    uint32_t repeats; /* operations of a batch */
    int argument;     /* the case's own affair */
    /* The other implementation's nanoseconds (docs/performance.md), at n = published_n; 0: none. */
    double published_ns;
    uint32_t published_n;
    double wanted; /* how many times faster than it we want to be */
    /* Figures of a third one, to be seen beside ours: one for each of `sizes`, 0: none. NULL: none. */
    const double *others_ns;
};

/* Each list ends with a case without a name. */
extern const struct micro_case micro_wire_cases[];
extern const struct micro_case micro_table_cases[];
extern const struct micro_case micro_sync_cases[];
extern const struct micro_case micro_timer_cases[];
extern const struct micro_case micro_scale_cases[];
#ifdef HAS_SEAL
extern const struct micro_case micro_seal_cases[];
#endif
#ifdef HAS_AGENT
extern const struct micro_case micro_render_cases[];
#endif

/* Prints what `members` known members take, as one of the program's lines. */
void micro_memory(const char *title, uint32_t members);

/* Ends the program with a word when `condition` does not hold. */
#define MICRO_CHECK(condition) ((condition) ? (void)0 : micro_fail(#condition, __FILE__, __LINE__))
_Noreturn void micro_fail(const char *condition, const char *file, int line);

/* What is computed for nothing is given here, so that compilers must compute it. */
extern volatile uint64_t micro_sink;

#endif
