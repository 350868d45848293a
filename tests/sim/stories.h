/*
 * What the tests of the runner share: a plan in C, and its run as a story: its trace, which is read, and
 * its result. Included first.
 */
#ifndef SWIM_TESTS_SIM_STORIES_H
#define SWIM_TESTS_SIM_STORIES_H

#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/check.h"
#include "swimsim/collect.h"
#include "swimsim/plan_keys.h"
#include "swimsim/run.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define NODES_MAX 64

static inline struct plan *new_plan(uint32_t nodes, uint64_t seconds)
{
    struct plan *plan = malloc(sizeof *plan);

    assert_non_null(plan);
    plan_default(plan);
    plan->nodes = nodes;
    plan->duration_ns = seconds * SIM_SECOND;
    return plan;
}

static inline struct plan_selection range(uint32_t first, uint32_t last)
{
    return (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = first, .last = last};
}

static inline struct plan_selection by_lot(uint32_t count)
{
    return (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = count};
}

static inline struct plan_action *add(struct plan *plan, enum plan_kind kind, uint64_t seconds,
                                      struct plan_selection who)
{
    struct plan_action *action = plan_add(plan, kind, seconds * SIM_SECOND);

    assert_non_null(action);
    action->who = who;
    return action;
}

/* ---- Stories ----------------------------------------------------------------------------- */

/* A run, told. */
struct story {
    char *text;
    size_t size;
    struct run_result result;
    struct figures figures;
};

static inline struct story tell(const struct plan *plan)
{
    struct story story = {.size = 0};
    struct run_options options = {.trace = open_memstream(&story.text, &story.size)};

    assert_non_null(options.trace);
    (void)run_plan(plan, &options, &story.result, &story.figures);
    assert_int_equal(fclose(options.trace), 0);
    return story;
}

static inline struct story tell_and_free(struct plan *plan)
{
    struct story story = tell(plan);

    free(plan);
    return story;
}

static inline void forget(struct story *story)
{
    figures_free(&story->figures);
    free(story->text);
}

static inline void must_be_ok(const struct story *story)
{
    if (!story->result.is_ok)
        fail_msg("%s\n%s", story->result.failure, story->text);
}

/* How many lines of `node` (-1: any) begin so, from `from_ms` to `to_ms`; notes them by node. */
static inline uint32_t count_lines(const struct story *story, int node, const char *what,
                                   uint32_t from_ms, uint32_t to_ms, bool *ret_nodes)
{
    uint32_t count = 0;

    for (const char *line = story->text; line != NULL && *line != '\0';) {
        const char *end = strchr(line, '\n');
        unsigned seconds;
        unsigned ms;
        unsigned who;
        int at = 0;
        if (sscanf(line, "%u.%u n%u%*[^ ]%n", &seconds, &ms, &who, &at) < 3 || at == 0)
            (void)(sscanf(line, "%u.%u n%u %n", &seconds, &ms, &who, &at) == 3 || (at = 0));
        if (at > 0) {
            const char *said = line + at + strspn(line + at, " ");
            uint32_t time_ms = seconds * 1000 + ms;
            if ((node < 0 || who == (unsigned)node) && time_ms >= from_ms && time_ms <= to_ms &&
                strncmp(said, what, strlen(what)) == 0) {
                count++;
                if (ret_nodes != NULL && who < NODES_MAX)
                    ret_nodes[who] = true;
            }
        }
        line = end != NULL ? end + 1 : NULL;
    }
    return count;
}

static inline void must_happen(const struct story *story, int node, const char *what,
                               uint32_t at_ms, uint32_t times)
{
    uint32_t count = count_lines(story, node, what, at_ms, at_ms, NULL);

    if (count != times)
        fail_msg("%u times, not %u, at %u ms: n%d %s\n%s", count, times, at_ms, node, what,
                 story->text);
}

#endif
