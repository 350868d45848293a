/*
 * What unit tests share: cmocka with the headers that it wants, the seed of random tests, and
 * assert_panics(), which needs a swim_panic of its own - as any program may have one.
 * Included once in each test program, first.
 */
#ifndef SWIM_TESTS_UNIT_SUPPORT_H
#define SWIM_TESTS_UNIT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/assert.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static jmp_buf panic_return;
static bool is_panic_expected;

void swim_panic(const char *expression, const char *file, int line)
{
    if (is_panic_expected) {
        is_panic_expected = false;
        longjmp(panic_return, 1);
    }
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}

/* True when an assertion fails in action(context). */
static inline bool panics(void (*action)(void *), void *context)
{
    is_panic_expected = true;
    if (setjmp(panic_return) != 0)
        return true;
    action(context);
    is_panic_expected = false;
    return false;
}

/* SWIM_TEST_SEED, or the one that every run without it has. Printed, to repeat a failure. */
static inline uint64_t test_seed(const char *test)
{
    const char *text = getenv("SWIM_TEST_SEED");
    uint64_t seed = text && *text ? strtoull(text, NULL, 0) : 1;

    printf("%s: SWIM_TEST_SEED=%llu\n", test, (unsigned long long)seed);
    return seed;
}

#endif
