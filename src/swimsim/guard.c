/* Assertions that fail in a run: see guard.h. Defines swim_panic for programs that link this. */
#include "swimsim/guard.h"

#include "base/assert.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static jmp_buf way_out;
static bool is_guarded;
static char last_words[256];

void swim_panic(const char *expression, const char *file, int line)
{
    const char *name = strrchr(file, '/');

    snprintf(last_words, sizeof last_words, "assertion: %s (%s:%d)", expression,
             name != NULL ? name + 1 : file, line);
    if (is_guarded)
        longjmp(way_out, 1);
    fprintf(stderr, "swim: %s\n", last_words);
    abort();
}

bool guard_run(const struct plan *plan, const struct run_options *options, struct run_result *ret)
{
    if (setjmp(way_out) == 0) {
        is_guarded = true;
        run_plan(plan, options, ret, NULL);
    } else {
        memset(ret, 0, sizeof *ret);
        snprintf(ret->failure, sizeof ret->failure, "%s", last_words);
    }
    is_guarded = false;
    return ret->is_ok;
}
