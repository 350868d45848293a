/* The runner (swimsim/run.h): actions do what they say, when they say it, to those they say it
 * of; nobody who looks on changes a run; verdicts. Runs are read by their trace. */
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

static struct plan *new_plan(uint32_t nodes, uint64_t seconds)
{
    struct plan *plan = malloc(sizeof *plan);

    assert_non_null(plan);
    plan_default(plan);
    plan->nodes = nodes;
    plan->duration_ns = seconds * SIM_SECOND;
    return plan;
}

static struct plan_selection range(uint32_t first, uint32_t last)
{
    return (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = first, .last = last};
}

static struct plan_selection by_lot(uint32_t count)
{
    return (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = count};
}

static struct plan_action *add(struct plan *plan, enum plan_kind kind, uint64_t seconds,
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

static struct story tell(const struct plan *plan)
{
    struct story story = {.size = 0};
    struct run_options options = {.trace = open_memstream(&story.text, &story.size)};

    assert_non_null(options.trace);
    (void)run_plan(plan, &options, &story.result, &story.figures);
    assert_int_equal(fclose(options.trace), 0);
    return story;
}

static struct story tell_and_free(struct plan *plan)
{
    struct story story = tell(plan);

    free(plan);
    return story;
}

static void forget(struct story *story)
{
    figures_free(&story->figures);
    free(story->text);
}

static void must_be_ok(const struct story *story)
{
    if (!story->result.is_ok)
        fail_msg("%s\n%s", story->result.failure, story->text);
}

/* How many lines of `node` (-1: any) begin so, from `from_ms` to `to_ms`; notes them by node. */
static uint32_t count_lines(const struct story *story, int node, const char *what, uint32_t from_ms,
                            uint32_t to_ms, bool *ret_nodes)
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

static void must_happen(const struct story *story, int node, const char *what, uint32_t at_ms,
                        uint32_t times)
{
    uint32_t count = count_lines(story, node, what, at_ms, at_ms, NULL);

    if (count != times)
        fail_msg("%u times, not %u, at %u ms: n%d %s\n%s", count, times, at_ms, node, what,
                 story->text);
}

/* ---- Starting ---------------------------------------------------------------------------- */

static void one_by_one(void **state)
{
    (void)state;
    struct plan *plan = new_plan(4, 10);
    struct story story;

    plan->start.kind = PLAN_START_ONE_BY_ONE;
    plan->start.every_ns = 500 * SWIM_MS;
    plan->start.seeds = PLAN_SEEDS_RING;
    plan->expect.joined_within_ns = 2 * SIM_SECOND;
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 0; i < 4; i++)
        must_happen(&story, i, "starts", (uint32_t)i * 500, 1);
    assert_int_equal(story.figures.running, 4);
    forget(&story);
}

static void several_clusters(void **state)
{
    (void)state;
    struct plan *plan = new_plan(9, 30);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.rest_after_ns = SIM_SECOND;
    plan->start.clusters = 3;
    story = tell_and_free(plan);
    for (int i = 0; i < 9; i++)
        must_happen(&story, i, "starts", i % 3 == 0 ? 0 : 1000, 1);
    /* Each met the two others of its cluster, and nobody else. */
    assert_int_equal(count_lines(&story, -1, "meets", 0, 30000, NULL), 9 * 2);
    assert_null(strstr(story.text, "n0     meets n3"));
    assert_non_null(strstr(story.text, "n3     meets n4"));
    forget(&story);
}

/* n9 of the second cluster gets the address of n4 of the first one, which is dead. Without names the
 * first looks for n4, finds n9, and the two become one. */
static struct story reused_address(const char *names)
{
    struct plan *plan = new_plan(10, 120);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.clusters = 2;
    snprintf(plan->start.names, sizeof plan->start.names, "%s", names);
    add(plan, PLAN_KILL, 20, range(4, 4));
    add(plan, PLAN_MOVE, 30, range(9, 9))->other = range(4, 4);
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_true(story.figures.is_converged);
    return story;
}

static void clusters_of_different_names_never_merge(void **state)
{
    (void)state;
    struct story story = reused_address("A, B");

    assert_int_equal(count_lines(&story, 0, "meets", 0, 120000, NULL), 4);
    assert_int_equal(count_lines(&story, -1, "meets n9/2", 0, 120000, NULL), 4);
    assert_null(strstr(story.text, "n0     meets n9"));
    assert_null(strstr(story.text, "n5     meets n0"));
    forget(&story);

    story = reused_address("A, A");
    assert_int_equal(count_lines(&story, -1, "meets n9/2", 0, 120000, NULL), 8);
    assert_non_null(strstr(story.text, "n5     meets n0"));
    forget(&story);
}

static void acquainted(void **state)
{
    (void)state;
    struct plan *plan = new_plan(20, 20);
    struct story story;

    plan->expect.joined_within_ns = SIM_SECOND;
    plan->expect.nobody_suspected = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_int_equal(story.figures.events[SWIM_EVENT_JOINED], 0); /* it was not measured */
    forget(&story);
}

static void random_seeds(void **state)
{
    (void)state;
    struct plan *plan = new_plan(30, 30);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.seeds = PLAN_SEEDS_RANDOM;
    plan->start.seed_count = 3;
    plan->expect.joined_within_ns = 10 * SIM_SECOND;
    story = tell_and_free(plan);
    must_be_ok(&story);
    forget(&story);
}

static void further_nodes_join(void **state)
{
    (void)state;
    struct plan *plan = new_plan(3, 30);
    struct plan_action *action = plan_add(plan, PLAN_JOIN, 5 * SIM_SECOND);
    struct story story;

    action->count = 2;
    action->every_ns = 2 * SIM_SECOND;
    action->until_ns = 10 * SIM_SECOND;
    plan->expect.converged_within_ns = 5 * SIM_SECOND;
    assert_int_equal(plan_nodes_total(plan), 9);
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 3; i < 9; i++)
        must_happen(&story, i, "starts", 5000 + (uint32_t)(i - 3) / 2 * 2000, 1);
    assert_int_equal(story.figures.running, 9);
    forget(&story);
}

static void plain_nodes_among_ours(void **state)
{
    (void)state;
    struct plan *plan = new_plan(10, 90);
    struct story story;

    plan->start.kind = PLAN_START_TOGETHER;
    plan->plain = range(6, 8);
    add(plan, PLAN_KILL, 20, range(7, 7));
    add(plan, PLAN_LEAVE, 20, range(8, 8));
    add(plan, PLAN_RESTART, 50, range(7, 7));
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "starts, a program that is not ours", 0, 3);
    must_happen(&story, 7, "crashes", 20000, 1);
    assert_int_equal(story.figures.running, 9);
    forget(&story);
}

/* ---- Stopping and coming back ------------------------------------------------------------ */

static void the_dead_stay_dead_and_those_that_leave_say_so(void **state)
{
    (void)state;
    struct plan *plan = new_plan(10, 60);
    struct story story;

    add(plan, PLAN_KILL, 10, range(2, 3));
    add(plan, PLAN_LEAVE, 12, range(4, 4));
    add(plan, PLAN_KILL, 20, range(2, 3)); /* they do not run: nothing happens */
    plan->expect.is_converged = true;
    plan->expect.deaths_known_within_ns = 20 * SIM_SECOND;
    plan->expect.leaves_known_within_ns = 2 * SIM_SECOND;
    plan->expect.false_positives.is_set = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "crashes", 10000, 2);
    must_happen(&story, 4, "begins to leave", 12000, 1);
    assert_int_equal(story.figures.killed, 2);
    assert_int_equal(story.figures.left, 1);
    forget(&story);
}

static void restarts(void **state)
{
    (void)state;
    static const enum plan_restart ways[] = {PLAN_RESTART_NEW_ID, PLAN_RESTART_SAME_ID,
                                             PLAN_RESTART_NO_MEMORY};
    static const char *const said[] = {"starts", "starts again under its old id (incarnation 1)",
                                       "starts again under its old id"};

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct plan *plan = new_plan(6, 60);
        struct plan_action *action = add(plan, PLAN_RESTART, 10, range(3, 3));
        struct story story;
        action->restart = ways[i];
        action->for_ns = 2500 * SWIM_MS;
        plan->expect.converged_within_ns = 30 * SIM_SECOND;
        story = tell_and_free(plan);
        must_be_ok(&story);
        must_happen(&story, 3, "crashes", 10000, 1);
        must_happen(&story, 3, said[i], 12500, 1);
        forget(&story);
    }
}

/* Whoever is killed while it is down for a restart comes back all the same; a second restart does not
 * take it. */
static void restarts_that_overlap(void **state)
{
    (void)state;
    struct plan *plan = new_plan(6, 40);
    struct story story;

    add(plan, PLAN_RESTART, 10, range(3, 3))->for_ns = 5 * SIM_SECOND;
    add(plan, PLAN_KILL, 11, range(3, 3));
    add(plan, PLAN_RESTART, 12, range(3, 3))->for_ns = SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_int_equal(count_lines(&story, 3, "starts", 1, 40000, NULL), 1);
    must_happen(&story, 3, "starts", 15000, 1);
    forget(&story);
}

static void a_node_moves(void **state)
{
    (void)state;
    struct plan *plan = new_plan(6, 60);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_MOVE, 10, range(3, 3))->restart = PLAN_RESTART_SAME_ID;
    add(plan, PLAN_KILL, 12, range(5, 5));
    action = add(plan, PLAN_MOVE, 30, range(4, 4)); /* 5 is gone: its address is free */
    action->other = range(5, 5);
    action = add(plan, PLAN_MOVE, 31, range(2, 2)); /* 1 runs: its address is not */
    action->other = range(1, 1);
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    assert_non_null(strstr(story.text, "n3     has the address 10.128.0.1:7946"));
    assert_non_null(strstr(story.text, "n4     has the address 10.0.0.6:7946"));
    assert_int_equal(count_lines(&story, 2, "crashes", 0, 60000, NULL), 0);
    assert_int_equal(story.figures.running, 5);
    forget(&story);
}

/* ---- Faults that end --------------------------------------------------------------------- */

static void pauses_and_blocks(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 60);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_PAUSE, 10, range(1, 2))->for_ns = 2 * SIM_SECOND;
    add(plan, PLAN_PAUSE, 11, range(2, 3))->for_ns = 2 * SIM_SECOND; /* 2 is paused already */
    action = add(plan, PLAN_BLOCK, 20, range(5, 5));
    action->for_ns = 3 * SIM_SECOND;
    action->block = SIM_BLOCK_IO;
    plan->expect.converged_within_ns = 20 * SIM_SECOND;
    plan->expect.nobody_failed = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, -1, "is paused", 10000, 2);
    must_happen(&story, 3, "is paused", 11000, 1);
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 60000, NULL), 3);
    must_happen(&story, -1, "goes on after its pause", 12000, 2);
    must_happen(&story, 5, "is blocked", 20000, 1);
    must_happen(&story, 5, "is not blocked any more", 23000, 1);
    forget(&story);
}

/* Cut off, it is declared dead; mended, it is back. So for all faults that part nodes. */
static void parted_for_a_while(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_SPLIT, PLAN_CUT, PLAN_LOSSY, PLAN_LINK};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct plan *plan = new_plan(8, 240);
        struct plan_action *action = plan_add(plan, kinds[i], 10 * SIM_SECOND);
        struct story story;
        action->for_ns = 40 * SIM_SECOND;
        action->group_count = kinds[i] == PLAN_SPLIT;
        action->groups[0] = range(3, 3);
        if (kinds[i] != PLAN_SPLIT)
            action->who = range(3, 3);
        action->in_permille = 1000;
        action->out_permille = 1000;
        action->net.loss_permille = 1000;
        plan->expect.converged_within_ns = 60 * SIM_SECOND;
        story = tell_and_free(plan);
        must_be_ok(&story);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 10000, 50000, NULL), 7);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 50001, 240000, NULL), 0);
        /* Nobody was healthy and taken for dead, but by the one that heard nobody. */
        assert_true((kinds[i] == PLAN_SPLIT ? story.figures.unreachable_failed
                                            : story.figures.faulted_failed) >= 7);
        if (kinds[i] == PLAN_SPLIT)
            assert_int_equal(story.figures.false_failed, 0);
        assert_true(story.figures.converged_last_ns >= 50 * SIM_SECOND);
        forget(&story);
    }
}

/* Without an end, a fault lasts until it is healed; what would end later has nothing to mend. */
static void healed_by_hand(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 240);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_CUT, 10, range(3, 3))->is_one_way = true;
    add(plan, PLAN_LOSSY, 10, range(5, 5))->out_permille = 1000;
    add(plan, PLAN_LINK, 10, range(2, 2))->net.loss_permille = 1000;
    action = add(plan, PLAN_LOSSY, 10, range(6, 6));
    action->out_permille = 1000;
    action->for_ns = 150 * SIM_SECOND;
    (void)plan_add(plan, PLAN_HEAL, 50 * SIM_SECOND);
    add(plan, PLAN_LOSSY, 110, range(6, 6))->out_permille = 1000; /* and what began then stays */
    story = tell_and_free(plan);
    must_be_ok(&story);
    for (int i = 2; i < 7; i += i == 3 ? 2 : 1) {
        char met[32];
        (void)snprintf(met, sizeof met, "meets n%d", i);
        if (count_lines(&story, -1, met, 50000, 110000, NULL) == 0)
            fail_msg("nobody %s after it was healed\n%s", met, story.text);
    }
    assert_int_equal(count_lines(&story, -1, "marks n6 dead", 110000, 240000, NULL), 7);
    assert_int_equal(count_lines(&story, -1, "meets n6", 110000, 240000, NULL), 0);
    forget(&story);
}

/* The checkers know that one is apart, and ask agreement of the others. */
static void apart_for_good(void **state)
{
    (void)state;
    static const enum plan_kind kinds[] = {PLAN_SPLIT, PLAN_CUT, PLAN_LOSSY};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct plan *plan = new_plan(5, 3600);
        struct plan_action *action = add(plan, kinds[i], 10, range(3, 3));
        struct story story;
        action->group_count = kinds[i] == PLAN_SPLIT;
        action->groups[0] = range(3, 3);
        action->in_permille = 1000;
        action->out_permille = 1000;
        assert_true(check_demands_agreement(plan));
        story = tell_and_free(plan);
        must_be_ok(&story);
        assert_int_equal(count_lines(&story, -1, "marks n3 dead", 10000, 3600000, NULL), 4);
        assert_false(story.figures.is_converged);
        forget(&story);
    }
}

static void a_link_flaps(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 100);
    struct plan_action *action = add(plan, PLAN_LOSSY, 10, range(2, 2));
    struct story story;

    action->in_permille = 1000;
    action->out_permille = 1000;
    action->every_ns = 10 * SIM_SECOND;
    action->for_ns = 10 * SIM_SECOND; /* ends just when it begins again */
    action->until_ns = 41 * SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    /* Gone for all of 40 s: nobody hears it again in between. */
    assert_int_equal(count_lines(&story, -1, "marks n2 dead", 10000, 50000, NULL), 7);
    assert_int_equal(count_lines(&story, -1, "meets n2", 10000, 50000, NULL), 0);
    forget(&story);
}

static void zones_and_networks(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 200);
    struct plan_action *action;
    struct story story;

    plan->zone_count = 2;
    plan->zones[0] = (struct plan_zone){.name = "a", .share = 3};
    plan->zones[1] = (struct plan_zone){.name = "b", .share = 1};
    plan->zone_link_count = 1;
    plan->zone_links[0] = (struct plan_zone_link){.from = 0, .to = 1, .net = plan->net};
    plan->zone_links[0].net.delay_max_ns = 50 * SWIM_MS;
    action = plan_add(plan, PLAN_ZONE, 10 * SIM_SECOND);
    action->zone_from = 1;
    action->zone_to = 0;
    action->net.loss_permille = 1000;
    action->for_ns = 40 * SIM_SECOND;
    action = plan_add(plan, PLAN_NETWORK, 120 * SIM_SECOND);
    action->net.loss_permille = 1000; /* between zones it is that of their link */
    action->for_ns = 2 * SIM_SECOND;
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    /* The six find the two; these, which miss most, may take longer than that for all six. */
    assert_in_range(count_lines(&story, -1, "marks", 10000, 50000, NULL), 6 * 2 + 2, 2 * 6 * 2);
    assert_true(story.figures.dropped[SIM_DROP_LOSS] > 0);
    forget(&story);
}

static void other_faults_do_something(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 120);
    struct plan_action *action;
    struct story story;

    add(plan, PLAN_CLOCK_RATE, 10, range(1, 1))->ppm = -50000;
    add(plan, PLAN_CLOCK_JUMP, 10, range(2, 2))->jump_ns = 60 * SIM_SECOND;
    action = add(plan, PLAN_SERVICE, 10, range(3, 3));
    action->service_ns = 200 * SWIM_MS;
    action->buffer = 1;
    action->for_ns = 20 * SIM_SECOND;
    action = add(plan, PLAN_NAT, 10, range(4, 4));
    action->for_ns = 20 * SIM_SECOND;
    action = add(plan, PLAN_SEEDS, 10, range(5, 5));
    action->other = range(6, 7);
    plan->expect.is_converged = true;
    story = tell_and_free(plan);
    must_be_ok(&story);
    must_happen(&story, 1, "has another clock", 10000, 1);
    must_happen(&story, 2, "has another clock", 10000, 1);
    assert_true(story.figures.dropped[SIM_DROP_BUFFER] > 0);
    assert_int_equal(story.figures.events[SWIM_EVENT_PAUSED], 1);
    forget(&story);
}

/* ---- Choices ----------------------------------------------------------------------------- */

static uint32_t killed(const struct plan *plan, bool *ret_nodes)
{
    struct story story = tell(plan);
    uint32_t count;

    memset(ret_nodes, 0, NODES_MAX * sizeof *ret_nodes);
    count = count_lines(&story, -1, "crashes", 0, UINT32_MAX, ret_nodes);
    forget(&story);
    return count;
}

static uint32_t in_common(const bool *one, const bool *two)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += one[i] && two[i];
    return count;
}

/* Taking an action away, or some nodes, leaves the other choices as they are. */
static void choices_do_not_hang_together(void **state)
{
    (void)state;
    struct plan *plan = new_plan(60, 12);
    bool both[NODES_MAX];
    bool second[NODES_MAX];
    bool fewer[NODES_MAX];
    bool other_seed[NODES_MAX];

    add(plan, PLAN_KILL, 10, by_lot(10));
    add(plan, PLAN_KILL, 11, by_lot(10));
    assert_int_equal(killed(plan, both), 20); /* never one that is dead already */
    plan_remove(plan, 0);
    assert_int_equal(killed(plan, second), 10);
    assert_true(in_common(both, second) >= 8);
    plan->nodes = 50;
    assert_int_equal(killed(plan, fewer), 10);
    assert_true(in_common(second, fewer) >= 6);
    plan->nodes = 60;
    plan->seed = 2;
    assert_int_equal(killed(plan, other_seed), 10);
    assert_true(in_common(second, other_seed) <= 6);
    free(plan);
}

static void shares_and_repetitions(void **state)
{
    (void)state;
    struct plan *plan = new_plan(60, 30);
    struct plan_action *action =
        add(plan, PLAN_PAUSE, 10, (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 51});
    struct story story;
    bool nodes[NODES_MAX] = {false};
    uint32_t count = 0;

    action->for_ns = 100 * SWIM_MS;
    action->every_ns = 5 * SIM_SECOND;
    story = tell(plan);
    /* 5.1 % of 60, rounded up, four times; each time others. */
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 30000, nodes), 4 * 4);
    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += nodes[i];
    assert_true(count > 8);
    forget(&story);
    memset(nodes, 0, sizeof nodes);
    action->is_same = true;
    story = tell_and_free(plan);
    assert_int_equal(count_lines(&story, -1, "is paused", 0, 30000, nodes), 4 * 4);
    count = 0;
    for (uint32_t i = 0; i < NODES_MAX; i++)
        count += nodes[i];
    assert_int_equal(count, 4);
    forget(&story);
}

/* Groups do not share a node, and shares are of all. */
static void groups(void **state)
{
    (void)state;
    struct plan *plan = new_plan(40, 120);
    struct plan_action *action = plan_add(plan, PLAN_SPLIT, 10 * SIM_SECOND);
    struct story story;

    action->group_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        action->groups[i] = (struct plan_selection){.kind = PLAN_SELECT_SHARE, .value = 250};
    story = tell_and_free(plan);
    /* Four groups of ten: each marks the thirty others. */
    assert_int_equal(count_lines(&story, -1, "marks", 10000, 120000, NULL), 40 * 30);
    forget(&story);
}

/* ---- Looking on, and verdicts ------------------------------------------------------------ */

static struct plan *eventful_plan(void)
{
    struct plan *plan = new_plan(12, 60);

    plan->net.loss_permille = 50;
    plan->start.kind = PLAN_START_TOGETHER;
    plan->plain = range(11, 11);
    add(plan, PLAN_KILL, 10, by_lot(1));
    add(plan, PLAN_RESTART, 12, by_lot(3))->every_ns = 4 * SIM_SECOND;
    add(plan, PLAN_PAUSE, 13, by_lot(2))->for_ns = 700 * SWIM_MS;
    add(plan, PLAN_CUT, 20, by_lot(2))->for_ns = 3 * SIM_SECOND;
    return plan;
}

static void looking_on_changes_nothing(void **state)
{
    (void)state;
    struct plan *plan = eventful_plan();
    struct story story = tell(plan);
    struct run_options ways[] = {{.has_no_checks = true}, {.checks_each_event = true}, {0}};
    struct run_result result;
    struct figures figures;

    assert_true(story.result.datagrams > 1000);
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        (void)run_plan(plan, &ways[i], &result, NULL);
        assert_true(result.trace_hash == story.result.trace_hash);
        assert_int_equal(result.datagrams, story.result.datagrams);
    }
    (void)run_plan(plan, &ways[0], &result, &figures);
    assert_true(figures.trace_hash == story.result.trace_hash);
    assert_true(story.figures.trace_hash == story.result.trace_hash);
    figures_free(&figures);
    plan->seed = 2;
    (void)run_plan(plan, &ways[0], &result, NULL);
    assert_true(result.trace_hash != story.result.trace_hash);
    forget(&story);
    free(plan);
}

/* The same on every platform: the golden file serves all builds. If a run is meant to change:
 * SWIM_GOLDEN=write meson test -C DIR plan_run */
static void the_run_is_the_same_everywhere(void **state)
{
    (void)state;
    struct plan *plan = eventful_plan();
    struct run_options options = {.has_no_checks = true};
    struct run_result result;
    const char *folder = getenv("SWIM_TEST_GOLDEN");
    const char *mode = getenv("SWIM_GOLDEN");
    char path[1024];
    char told[64] = "";
    char now[64];
    FILE *file;

    assert_non_null(folder);
    (void)run_plan(plan, &options, &result, NULL);
    free(plan);
    (void)snprintf(path, sizeof path, "%s/plan_run.hash", folder);
    (void)snprintf(now, sizeof now, "%016llx, %llu datagrams\n",
                   (unsigned long long)result.trace_hash, (unsigned long long)result.datagrams);
    file = fopen(path, mode != NULL && strcmp(mode, "write") == 0 ? "w+" : "r");
    assert_non_null(file);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        (void)fputs(now, file);
        rewind(file);
    }
    assert_non_null(fgets(told, sizeof told, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(now, told);
}

static void must_be_unmet(struct plan *plan, const char *part)
{
    struct run_options options = {0};
    struct run_result result;

    assert_false(run_plan(plan, &options, &result, NULL));
    if (strstr(result.failure, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", result.failure, part);
    assert_false(result.is_ok);
    memset(&plan->expect, 0, sizeof plan->expect);
}

static void expectations_that_are_not_met(void **state)
{
    (void)state;
    struct plan *plan = new_plan(8, 60);

    add(plan, PLAN_LOSSY, 10, range(3, 3))->in_permille = 1000;
    add(plan, PLAN_KILL, 20, range(5, 5));
    add(plan, PLAN_LEAVE, 50, range(6, 6));
    plan->expect.is_converged = true;
    must_be_unmet(plan, "expect converged");
    plan->expect.nobody_failed = true;
    must_be_unmet(plan, "expect nobody_failed: running members were declared dead");
    plan->expect.nobody_suspected = true;
    must_be_unmet(plan, "expect nobody_suspected");
    plan->expect.converged_within_ns = SIM_SECOND;
    must_be_unmet(plan, "expect converged_within = 1s: not even at the end");
    plan->expect.deaths_known_within_ns = SIM_SECOND;
    must_be_unmet(plan, "expect deaths_known_within = 1s: n5 stopped at 20.0 s");
    plan->expect.leaves_known_within_ns = 1;
    must_be_unmet(plan, "expect leaves_known_within = 1ns: n6 stopped at 50.0 s");
    plan->start.kind = PLAN_START_TOGETHER;
    plan->start.rest_after_ns = 3 * SIM_SECOND;
    plan->expect.joined_within_ns = 1;
    must_be_unmet(plan, "expect joined_within = 1ns: all saw all");
    plan->net.loss_permille = 1000;
    plan->expect.joined_within_ns = SIM_SECOND;
    must_be_unmet(plan, "never did all see all");
    free(plan);
}

static void expectations_can_be_ignored(void **state)
{
    (void)state;
    struct plan *plan = new_plan(3, 20);
    struct run_options options = {.has_no_checks = true};
    struct run_result result;

    add(plan, PLAN_KILL, 19, range(0, 0));
    plan->expect.is_converged = true;
    assert_true(run_plan(plan, &options, &result, NULL));
    must_be_unmet(plan, "expect converged");
    free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_by_one),
        cmocka_unit_test(several_clusters),
        cmocka_unit_test(clusters_of_different_names_never_merge),
        cmocka_unit_test(acquainted),
        cmocka_unit_test(random_seeds),
        cmocka_unit_test(further_nodes_join),
        cmocka_unit_test(plain_nodes_among_ours),
        cmocka_unit_test(the_dead_stay_dead_and_those_that_leave_say_so),
        cmocka_unit_test(restarts),
        cmocka_unit_test(restarts_that_overlap),
        cmocka_unit_test(a_node_moves),
        cmocka_unit_test(pauses_and_blocks),
        cmocka_unit_test(parted_for_a_while),
        cmocka_unit_test(healed_by_hand),
        cmocka_unit_test(apart_for_good),
        cmocka_unit_test(a_link_flaps),
        cmocka_unit_test(zones_and_networks),
        cmocka_unit_test(other_faults_do_something),
        cmocka_unit_test(choices_do_not_hang_together),
        cmocka_unit_test(shares_and_repetitions),
        cmocka_unit_test(groups),
        cmocka_unit_test(looking_on_changes_nothing),
        cmocka_unit_test(the_run_is_the_same_everywhere),
        cmocka_unit_test(expectations_that_are_not_met),
        cmocka_unit_test(expectations_can_be_ignored),
    };

    return cmocka_run_group_tests_name("plan_run", tests, NULL, NULL);
}
