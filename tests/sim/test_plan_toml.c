/* Plans through files: whatever the swarm can draw is read back as it was written. What a person may
 * write wrongly is tested with the tool itself (tests/e2e/test_swimsim.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/plan_print.h"
#include "swimsim/plan_toml.h"
#include "swimsim/swarm.h"

#define SEEDS 2000

struct text {
    char data[PLAN_FILE_MAX + 1];
    size_t size;
};

static void keep(void *context, const char *data, size_t size)
{
    struct text *text = context;

    assert_true(size < sizeof text->data - text->size);
    memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

static void must_come_back(const struct plan *plan, struct text *text)
{
    struct plan *read = malloc(sizeof *read);
    struct plan_error error;

    assert_non_null(read);
    text->size = 0;
    plan_print(plan, keep, text);
    plan_default(read);
    if (!plan_parse(read, "drawn.toml", text->data, &error))
        fail_msg("%s\n%s", error.text, text->data);
    if (!plan_equal(plan, read))
        fail_msg("it reads otherwise:\n%s", text->data);
    assert_string_equal(read->name, "drawn");
    free(read);
}

static void what_the_swarm_draws(void **state)
{
    (void)state;
    struct plan *plan = malloc(sizeof *plan);
    struct text *text = malloc(sizeof *text);

    assert_true(plan != NULL && text != NULL);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        swarm_draw(seed, 200, plan);
        must_come_back(plan, text);
    }
    free(plan);
    free(text);
}

/* As many actions as there can be, each as long as it can be. */
static void the_longest_plan(void **state)
{
    (void)state;
    struct plan *plan = malloc(sizeof *plan);
    struct text *text = malloc(sizeof *text);

    assert_true(plan != NULL && text != NULL);
    plan_default(plan);
    plan->nodes = 1000;
    while (plan->action_count < PLAN_ACTIONS_MAX) {
        struct plan_action *action = plan_add(plan, PLAN_CUT, plan->action_count * 123456789);
        action->who = (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = 123};
        action->other = (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 123};
        action->is_one_way = true;
        action->is_same = true;
        action->for_ns = 1234567891;
        action->every_ns = 1234567891;
        action->until_ns = 40 * SIM_SECOND;
        action->draw += 1000;
    }
    must_come_back(plan, text);
    free(plan);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_swarm_draws),
        cmocka_unit_test(the_longest_plan),
    };

    return cmocka_run_group_tests_name("plan_toml", tests, NULL, NULL);
}
