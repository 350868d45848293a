/* Plans as data (swimsim/plan.h, plan_keys.h, plan_print.h): questions, rules, keys, settings. What a
 * file says is tested with the tool itself (tests/e2e/test_swimsim.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/plan_keys.h"
#include "swimsim/plan_print.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Plans are large for a stack. */
static struct plan *new_plan(void)
{
    struct plan *plan = malloc(sizeof *plan);

    assert_non_null(plan);
    plan_default(plan);
    return plan;
}

static void must_refuse(const struct plan *plan, const char *part)
{
    struct plan_error error = {0};

    assert_false(plan_check(plan, &error));
    if (strstr(error.text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error.text, part);
}

static void must_pass(const struct plan *plan)
{
    struct plan_error error = {0};

    if (!plan_check(plan, &error))
        fail_msg("%s", error.text);
}

struct text {
    char data[8192];
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

/* ---- Questions --------------------------------------------------------------------------- */

static void the_default_can_be_run(void **state)
{
    (void)state;
    struct plan *plan = new_plan();

    must_pass(plan);
    assert_int_equal(plan_nodes_total(plan), 3);
    assert_int_equal(plan_faults_end_ns(plan), 0);
    free(plan);
}

static void repetitions(void **state)
{
    (void)state;
    struct plan *plan = new_plan(); /* lasts 60 s */
    struct plan_action *action = plan_add(plan, PLAN_JOIN, 10 * SIM_SECOND);

    action->count = 2;
    assert_int_equal(plan_repeats(plan, action), 1);
    assert_int_equal(plan_faults_end_ns(plan), 10 * SIM_SECOND);
    action->every_ns = 10 * SIM_SECOND;
    assert_int_equal(plan_repeats(plan, action), 5); /* not at 60 s, which is the end */
    action->until_ns = 30 * SIM_SECOND;
    assert_int_equal(plan_repeats(plan, action), 2);
    action->until_ns = 30 * SIM_SECOND + 1;
    assert_int_equal(plan_repeats(plan, action), 3);
    action->for_ns = 7 * SIM_SECOND;
    assert_int_equal(plan_faults_end_ns(plan), 37 * SIM_SECOND);
    assert_int_equal(plan_nodes_total(plan), 3 + 3 * 2);
    action->at_ns = 60 * SIM_SECOND;
    assert_int_equal(plan_repeats(plan, action), 0);
    assert_int_equal(plan_nodes_total(plan), 3);
    free(plan);
}

/* Clusters are kept apart by their names. */
static void names_of_clusters(void **state)
{
    (void)state;
    static const struct {
        const char *names;
        const char *of[3]; /* NULL: refused */
        uint32_t numbers[3];
    } cases[] = {
        {"", {"", "", ""}, {0, 0, 0}},
        {"a,b,c", {"a", "b", "c"}, {0, 1, 2}},
        {" north sea , b,north sea", {"north sea", "b", "north sea"}, {0, 1, 0}},
        {"a", {NULL, NULL, NULL}, {0}},
        {"a,b", {NULL, NULL, NULL}, {0}},
        {"a,b,c,d", {NULL, NULL, NULL}, {0}},
        {"a,,c", {NULL, NULL, NULL}, {0}},
        {"a,b, ", {NULL, NULL, NULL}, {0}},
        {"a,b,0123456789012345678901234567890123456789012345678901234567890123",
         {"a", "b", "0123456789012345678901234567890123456789012345678901234567890123"},
         {0, 1, 2}},
        {"a,b,01234567890123456789012345678901234567890123456789012345678901234",
         {NULL, NULL, NULL},
         {0}},
    };
    struct plan *plan = new_plan();
    char name[SWIM_CLUSTER_MAX + 1];

    plan->nodes = 6;
    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.clusters = 3;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        snprintf(plan->start.names, sizeof plan->start.names, "%s", cases[i].names);
        if (cases[i].of[0] == NULL) {
            must_refuse(plan, "names = ");
            continue;
        }
        must_pass(plan);
        for (uint32_t node = 0; node < 9; node++) {
            uint32_t cluster = node < 6 ? node / 2 : node - 6;
            plan_cluster_name(plan, node, name);
            assert_string_equal(name, cases[i].of[cluster]);
            assert_int_equal(plan_cluster_number(plan, node), cases[i].numbers[cluster]);
        }
    }
    snprintf(plan->start.names, sizeof plan->start.names, "a,b,c");
    plan->plain.kind = PLAN_SELECT_ALL;
    must_refuse(plan, "plain nodes can't say");
    free(plan);
}

static void starts(void **state)
{
    (void)state;
    struct plan *plan = new_plan();

    plan->nodes = 10;
    plan->start.kind = PLAN_START_ONE_BY_ONE;
    assert_int_equal(plan_start_ns(plan, 9), 9 * SIM_SECOND);
    assert_int_equal(plan_faults_end_ns(plan), 9 * SIM_SECOND);
    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.rest_after_ns = SIM_SECOND;
    plan->start.clusters = 3; /* 0-2, 3-5, 6-9 */
    for (uint32_t i = 0; i < 10; i++) {
        uint32_t first = i < 3 ? 0 : i < 6 ? 3 : 6;
        assert_int_equal(plan_cluster_first(plan, i), first);
        assert_int_equal(plan_start_ns(plan, i), i == first ? 0 : SIM_SECOND);
    }
    assert_int_equal(plan_cluster_first(plan, 10), 0); /* those that join: in turn */
    assert_int_equal(plan_cluster_first(plan, 11), 3);
    must_pass(plan);
    plan->start.kind = PLAN_START_ACQUAINTED;
    must_refuse(plan, "together");
    free(plan);
}

static void zones(void **state)
{
    (void)state;
    struct plan *plan = new_plan();

    plan->nodes = 10;
    assert_int_equal(plan_zone_of(plan, 7), 0);
    plan->zone_count = 2;
    plan->zones[0] = (struct plan_zone){.name = "a", .share = 3};
    plan->zones[1] = (struct plan_zone){.name = "b", .share = 2};
    for (uint32_t i = 0; i < 10; i++)
        assert_int_equal(plan_zone_of(plan, i), i >= 6);
    assert_int_equal(plan_zone_of(plan, 10), 0);
    assert_int_equal(plan_zone_of(plan, 11), 1);
    must_pass(plan);
    memcpy(plan->zones[1].name, "a", 2);
    must_refuse(plan, "two of this name");
    free(plan);
}

static void actions_come_and_go(void **state)
{
    (void)state;
    struct plan *plan = new_plan();

    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(plan_add(plan, PLAN_HEAL, i)->draw, i + 1);
    plan_remove(plan, 1);
    assert_int_equal(plan->action_count, 2);
    assert_int_equal(plan->actions[1].draw, 3); /* its choice stays what it was */
    assert_int_equal(plan_add(plan, PLAN_HEAL, 9)->draw, 4);
    while (plan->action_count < PLAN_ACTIONS_MAX)
        assert_non_null(plan_add(plan, PLAN_HEAL, 0));
    assert_null(plan_add(plan, PLAN_HEAL, 0));
    must_pass(plan);
    free(plan);
}

/* ---- Rules ------------------------------------------------------------------------------- */

static void plans_that_cannot_be_run(void **state)
{
    (void)state;
    static const struct {
        const char *assignment;
        const char *part;
    } wholes[] = {
        {"probes.timeout_ms=1000", "less than interval_ms = 1000"},
        {"start.clusters=4", "number of nodes, 3"},
        {"plain=3", "not among the 3 nodes"},
        {"plain=stopped", "plain: must be"},
        {"family=5", "4 or 6"},
        {"for=0", "above 0"},
    };

    for (size_t i = 0; i < COUNT_OF(wholes); i++) {
        struct plan *plan = new_plan();
        struct plan_error error;
        assert_true(plan_assign(plan, wholes[i].assignment, &error));
        must_refuse(plan, wholes[i].part);
        free(plan);
    }
}

static void must_refuse_action(enum plan_kind kind, void change(struct plan_action *action),
                               const char *part)
{
    struct plan *plan = new_plan();
    struct plan_action *action = plan_add(plan, kind, 10 * SIM_SECOND);
    struct plan_error error;

    action->who = (struct plan_selection){.kind = PLAN_SELECT_ALL};
    change(action);
    must_refuse(plan, part);
    (void)plan_check(plan, &error);
    assert_int_equal(error.action, 0);
    assert_non_null(strstr(error.text, "at 10s"));
    free(plan);
}

static void nothing(struct plan_action *action)
{
    (void)action;
}

static void of_nobody(struct plan_action *action)
{
    action->who.kind = PLAN_SELECT_NONE;
}

static void of_a_fourth(struct plan_action *action)
{
    action->who = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = 2, .last = 3};
}

static void of_four(struct plan_action *action)
{
    action->who = (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = 4};
}

static void of_others(struct plan_action *action)
{
    action->who.kind = PLAN_SELECT_OTHERS;
}

static void of_no_zone(struct plan_action *action)
{
    action->who.kind = PLAN_SELECT_ZONE;
}

static void until_before(struct plan_action *action)
{
    action->every_ns = SIM_SECOND;
    action->until_ns = 10 * SIM_SECOND;
}

static void until_alone(struct plan_action *action)
{
    action->until_ns = 20 * SIM_SECOND;
}

static void too_often(struct plan_action *action)
{
    action->every_ns = SWIM_MS - 1;
}

static void too_many(struct plan_action *action)
{
    action->every_ns = SWIM_MS;
    action->count = 200000;
}

static void too_fast(struct plan_action *action)
{
    action->ppm = -900001;
}

static void too_slow_a_link(struct plan_action *action)
{
    action->net.delay_max_ns = SIM_DELAY_MAX_NS + 1;
}

static void actions_that_cannot_be_done(void **state)
{
    (void)state;
    must_refuse_action(PLAN_KILL, of_nobody, "which nodes");
    must_refuse_action(PLAN_KILL, of_a_fourth, "node 3 is not among the 3 nodes");
    must_refuse_action(PLAN_KILL, of_four, "from 1 to 3");
    must_refuse_action(PLAN_KILL, of_others, "others");
    must_refuse_action(PLAN_KILL, of_no_zone, "zone");
    must_refuse_action(PLAN_KILL, until_before, "later than time");
    must_refuse_action(PLAN_KILL, until_alone, "every");
    must_refuse_action(PLAN_KILL, too_often, "1ms");
    must_refuse_action(PLAN_PAUSE, nothing, "for: must say how long");
    must_refuse_action(PLAN_BLOCK, nothing, "for: must say how long");
    must_refuse_action(PLAN_SPLIT, nothing, "groups");
    must_refuse_action(PLAN_JOIN, nothing, "count");
    must_refuse_action(PLAN_LOSSY, nothing, "above 0%");
    must_refuse_action(PLAN_CLOCK_JUMP, nothing, "how far");
    must_refuse_action(PLAN_CLOCK_RATE, too_fast, "-90%");
    must_refuse_action(PLAN_SEEDS, nothing, "seeds");
    must_refuse_action(PLAN_ZONE, nothing, "name zones");
    must_refuse_action(PLAN_NETWORK, too_slow_a_link, "link");
}

/* More than can be counted in 32 bits. */
static void too_many_nodes(void **state)
{
    (void)state;
    struct plan *plan = new_plan();
    struct plan_action *action = plan_add(plan, PLAN_JOIN, 10 * SIM_SECOND);

    too_many(action);
    must_refuse(plan, "nodes in all");
    free(plan);
}

/* ---- Keys and settings ------------------------------------------------------------------- */

static void assignments(void **state)
{
    (void)state;
    struct plan *plan = new_plan();
    struct plan_error error;
    static const char *const good[] = {
        "seed=7",
        "nodes=20",
        "for=2m",
        "link.loss=5%",
        "link.delay=normal:1ms..20ms",
        "start.how=one by one",
        "start.seeds=random 3",
        "probes.interval_ms=500",
        "probes.timeout_ms=250",
        "probes.suspect_multiplier=1.25",
        "lifeguard.nack=false",
        "gossip.anti_entropy_interval_ms=0",
        "expect.false_positives=2",
        "plain=20%",
    };
    static const struct {
        const char *text;
        const char *part;
    } bad[] = {
        {"nodes", "KEY=VALUE"},
        {"=1", "KEY=VALUE"},
        {"nodes=0", "from 1 to 200000"},
        {"nodes=1.5", "whole number"},
        {"bogus=1", "no such key"},
        {"link.bogus=1", "no such key"},
        {"at.time=1s", "no such key"},
        {"probes.interval_ms=9", "from 10 to 3600000"},
        {"probes.suspect_multiplier=1.2345", "number from 0 to 100"},
        {"gossip.anti_entropy_interval_ms=9", "0 (off) or"},
        {"lifeguard.nack=yes", "true or false"},
        {"link.loss=5", "0.1%"},
        {"start.how=slowly", "\"together\" or \"one by one\""},
        {"start.seeds=random 9", "from 1 to 8"},
        {"for=60", "with its unit"},
    };

    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!plan_assign(plan, good[i], &error))
            fail_msg("%s: %s", good[i], error.text);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(plan_assign(plan, bad[i].text, &error));
        if (strstr(error.text, bad[i].part) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", error.text, bad[i].part);
    }
    assert_int_equal(plan->seed, 7);
    assert_int_equal(plan->nodes, 20);
    assert_int_equal(plan->net.loss_permille, 50);
    assert_int_equal(plan->start.seed_count, 3);
    assert_int_equal(plan->member.probe_interval_ms, 500);
    assert_int_equal(plan->member.suspect_multiplier_milli, 1250);
    assert_false(plan->member.nack);
    assert_int_equal(plan->member.anti_entropy_interval_ms, 0);
    assert_true(plan->expect.false_positives.is_set);
    assert_int_equal(plan->plain.value, 200);
    must_pass(plan);
    free(plan);
}

/* Each can be set to what it is, at its bounds, and not beyond. */
static void every_setting(void **state)
{
    (void)state;
    struct plan *plan = new_plan();
    struct plan_error error;
    char text[PLAN_TEXT_SIZE];

    for (uint32_t i = 0; i < plan_settings(); i++) {
        const struct plan_setting *setting = plan_setting(i);
        uint32_t unit = setting->type == PLAN_SETTING_MILLI ? 1000 : 1;
        uint32_t before = plan_setting_get(plan, i);
        assert_int_equal(plan_setting_find(setting->section, setting->name), i);
        plan_setting_write(plan, i, text, sizeof text);
        assert_true(plan_setting_read(plan, i, text, &error));
        assert_int_equal(plan_setting_get(plan, i), before);
        assert_true(plan_setting_set(plan, i, setting->min * unit));
        assert_true(plan_setting_set(plan, i, setting->max * unit));
        assert_false(plan_setting_set(plan, i, setting->max * unit + 1));
        assert_int_equal(plan_setting_get(plan, i), setting->max * unit);
        assert_true(plan_setting_set(plan, i, before));
    }
    assert_true(plan->settings == (UINT64_C(2) << (plan_settings() - 1)) - 1);
    assert_int_equal(plan_setting_find("probes", "bogus"), UINT32_MAX);
    must_pass(plan);
    free(plan);
}

/* ---- Printing ---------------------------------------------------------------------------- */

static void the_default_is_printed_in_short(void **state)
{
    (void)state;
    struct plan *plan = new_plan();
    struct text text = {.size = 0};

    plan_print(plan, keep, &text);
    assert_string_equal(text.data, "seed = 1\nnodes = 3\nfor = \"60s\"\n\n"
                                   "[start]\nhow = \"acquainted\"\n");
    free(plan);
}

static void what_differs_is_printed(void **state)
{
    (void)state;
    struct plan *plan = new_plan();
    struct text text = {.size = 0};
    struct plan_action *action;

    memcpy(plan->title, "Says \"no\\\".", sizeof "Says \"no\\\".");
    plan->net.loss_permille = 5;
    action = plan_add(plan, PLAN_NETWORK, SIM_SECOND);
    action->net.loss_permille = 250;
    action = plan_add(plan, PLAN_SPLIT, 2 * SIM_SECOND);
    action->group_count = 2;
    action->groups[0] = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = 1, .last = 2};
    action->groups[1] = (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 15};
    action->draw = 9;
    action->is_same = true;
    plan->expect.false_positives.is_set = true;
    plan_print(plan, keep, &text);
    assert_string_equal(text.data, "title = \"Says \\\"no\\\\\\\".\"\n"
                                   "seed = 1\nnodes = 3\nfor = \"60s\"\n\n"
                                   "[start]\nhow = \"acquainted\"\n\n"
                                   "[link]\nloss = \"0.5%\"\n\n"
                                   "[[at]]\ntime = \"1s\"\ndo = \"network\"\nloss = \"25%\"\n\n"
                                   "[[at]]\ntime = \"2s\"\ndo = \"split\"\n"
                                   "groups = [\"1-2\", \"random 1.5%\"]\n"
                                   "redraw = false\ndraw = 9\n\n"
                                   "[expect]\nfalse_positives = 0\n");
    free(plan);
}

static void plans_are_compared(void **state)
{
    (void)state;
    struct plan *one = new_plan();
    struct plan *two = new_plan();

    assert_true(plan_equal(one, two));
    memcpy(two->name, "other", sizeof "other");
    assert_true(plan_equal(one, two)); /* a name changes no run */
    two->member.probe_interval_ms = 999;
    assert_true(plan_equal(one, two)); /* not noted as set */
    assert_true(plan_setting_set(two, plan_setting_find("probes", "interval_ms"), 999));
    assert_false(plan_equal(one, two));
    *two = *one;
    assert_true(plan_equal(one, two));
    (void)plan_add(two, PLAN_HEAL, 1);
    assert_false(plan_equal(one, two));
    free(one);
    free(two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_can_be_run),
        cmocka_unit_test(repetitions),
        cmocka_unit_test(starts),
        cmocka_unit_test(names_of_clusters),
        cmocka_unit_test(zones),
        cmocka_unit_test(actions_come_and_go),
        cmocka_unit_test(plans_that_cannot_be_run),
        cmocka_unit_test(actions_that_cannot_be_done),
        cmocka_unit_test(too_many_nodes),
        cmocka_unit_test(assignments),
        cmocka_unit_test(every_setting),
        cmocka_unit_test(the_default_is_printed_in_short),
        cmocka_unit_test(what_differs_is_printed),
        cmocka_unit_test(plans_are_compared),
    };

    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
