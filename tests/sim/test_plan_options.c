/* The command line of swimsim (swimsim/options.h): what is understood, what is refused and how, what
 * it makes of a plan, and the command that repeats it. */
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
#include "swimsim/options.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 32

/* A command line, cut at its spaces; '~' stands for one inside of a word. */
struct line {
    char text[512];
    int argc;
    char *argv[WORDS_MAX + 1];
};

static void cut(struct line *line, const char *text)
{
    assert_true(strlen(text) < sizeof line->text);
    *line = (struct line){.argc = 0};
    memcpy(line->text, text, strlen(text) + 1);
    for (char *at = line->text; *at != '\0';) {
        assert_true(line->argc < WORDS_MAX);
        line->argv[line->argc++] = at;
        for (; *at != '\0' && *at != ' '; at++)
            *at = *at == '~' ? ' ' : *at;
        if (*at == ' ')
            *at++ = '\0';
    }
}

static enum options_command parse(struct line *line, const char *text, struct options *options,
                                  struct plan_error *error)
{
    cut(line, text);
    memset(error, 0, sizeof *error);
    return options_parse(line->argc, line->argv, options, error);
}

static struct options *must_parse(struct line *line, const char *text, enum options_command command)
{
    static struct options options;
    struct plan_error error;

    if (parse(line, text, &options, &error) != command)
        fail_msg("%s: %s", text, error.text);
    return &options;
}

/* ---- Parsing ----------------------------------------------------------------------------- */

static void commands(void **state)
{
    (void)state;
    struct line line;
    const struct options *options;

    options = must_parse(&line, "swimsim run", OPTIONS_RUN);
    assert_null(options->scenario);
    options = must_parse(&line, "swimsim run zombies", OPTIONS_RUN);
    assert_string_equal(options->scenario, "zombies");
    options = must_parse(&line, "swimsim zombies --nodes 9", OPTIONS_RUN);
    assert_string_equal(options->scenario, "zombies");
    options = must_parse(&line, "swimsim --nodes=9 zombies", OPTIONS_RUN);
    assert_string_equal(options->scenario, "zombies");
    assert_string_equal(options->flags[0].name, "nodes");
    assert_string_equal(options->flags[0].value, "9");
    options = must_parse(&line, "swimsim run run", OPTIONS_RUN); /* a file of this name */
    assert_string_equal(options->scenario, "run");
    (void)must_parse(&line, "swimsim show zombies --seed 2", OPTIONS_SHOW);
    (void)must_parse(&line, "swimsim list", OPTIONS_LIST);
    (void)must_parse(&line, "swimsim --help", OPTIONS_HELP);
    (void)must_parse(&line, "swimsim run --nodes 3 -h", OPTIONS_HELP);
    (void)must_parse(&line, "swimsim -V", OPTIONS_VERSION);
}

static void what_is_shown_and_checked(void **state)
{
    (void)state;
    struct line line;
    const struct options *options = must_parse(
        &line,
        "swimsim run --trace=t.txt --datagrams --json --plot p.svg --progress --each-event "
        "--without silence --without agreement",
        OPTIONS_RUN);

    assert_string_equal(options->trace, "t.txt");
    assert_string_equal(options->plot, "p.svg");
    assert_true(options->has_datagrams && options->is_json && options->shows_progress);
    assert_true(options->checks_each_event && !options->has_no_checks);
    assert_int_equal(options->checks_off, 1u << CHECK_SILENCE | 1u << CHECK_AGREEMENT);
    options = must_parse(&line, "swimsim run --trace --quiet --no-checks", OPTIONS_RUN);
    assert_string_equal(options->trace, "-");
    assert_true(options->is_quiet && options->has_no_checks);
}

static void swarms(void **state)
{
    (void)state;
    struct line line;
    const struct options *options =
        must_parse(&line,
                   "swimsim swarm --hours 0.5 --for 60s --seeds 20 --seed 7 --max-nodes 40 "
                   "--every 5 --unreduced",
                   OPTIONS_SWARM);

    assert_int_equal(options->virtual_ns, 1800 * SIM_SECOND);
    assert_int_equal(options->wall_ns, 60 * SIM_SECOND);
    assert_int_equal(options->seeds, 20);
    assert_int_equal(options->seed, 7);
    assert_int_equal(options->nodes_max, 40);
    assert_int_equal(options->every, 5);
    assert_true(options->is_unreduced);
}

static void misuse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } bad[] = {
        {"swimsim", "--help"},
        {"swimsim run a b", "one word too many: b"},
        {"swimsim list a", "one word too many: a"},
        {"swimsim swarm a", "one word too many: a"},
        {"swimsim run --bogus", "no such flag: --bogus"},
        {"swimsim run --node 3", "no such flag: --node"},
        {"swimsim run --node=3", "no such flag: --node=3"},
        {"swimsim run -x", "no such flag: -x"},
        {"swimsim run --nodes", "a value must follow the flag --nodes"},
        {"swimsim run --plot=", "--plot: the name of the file is empty"},
        {"swimsim run --trace=", "--trace: the name of the file is empty"},
        {"swimsim run --json=1", "no value can follow the flag --json=1"},
        {"swimsim run --without nobody", "no such checker; there are invariants, order"},
        {"swimsim run --hours 1", "swarm's"},
        {"swimsim run --json --trace", "--trace=FILE"},
        {"swimsim run --json --quiet", "contradict"},
        {"swimsim run --datagrams", "goes with --trace"},
        {"swimsim show --json", "swimsim run's"},
        {"swimsim list --nodes 3", "no flags"},
        {"swimsim swarm --plot x", "swimsim run's"},
        {"swimsim swarm --kill 3", "--kill has no meaning"},
        {"swimsim swarm --hours 0", "--hours 0: must be a number of hours above 0"},
        {"swimsim swarm --hours x", "such as 0.5"},
        {"swimsim swarm --seeds 0", "--seeds 0: must be a whole number above 0"},
        {"swimsim swarm --max-nodes 1", "from 2 to"},
        {"swimsim swarm --nodes 9", "--nodes has no meaning"},
        {"swimsim swarm --for 60", "such as 60s"},
    };
    struct line line;
    struct options options;
    struct plan_error error;

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(parse(&line, bad[i].text, &options, &error), OPTIONS_WRONG);
        if (strstr(error.text, bad[i].part) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, error.text, bad[i].part);
    }
}

/* ---- Applying ---------------------------------------------------------------------------- */

static struct plan *must_apply(const char *text)
{
    struct line line;
    struct plan_error error;
    struct plan *plan = malloc(sizeof *plan);
    const struct options *options = must_parse(&line, text, OPTIONS_RUN);

    assert_non_null(plan);
    plan_default(plan);
    if (!options_apply(options, plan, &error) || !plan_check(plan, &error))
        fail_msg("%s: %s", text, error.text);
    return plan;
}

static void flags_that_are_keys(void **state)
{
    (void)state;
    struct plan *plan = must_apply("swimsim run --nodes 40 --for 2m --seed 9 --start one~by~one "
                                   "--plain 20% --loss 5% --delay normal:1ms..20ms --jitter 3ms "
                                   "--duplicate 1% --corrupt 2% --reorder 3% --bandwidth 1Mbit "
                                   "--set probes.interval_ms=2000 --set expect.converged=true");

    assert_int_equal(plan->nodes, 40);
    assert_int_equal(plan->duration_ns, 120 * SIM_SECOND);
    assert_int_equal(plan->seed, 9);
    assert_int_equal(plan->start.kind, PLAN_START_ONE_BY_ONE);
    assert_int_equal(plan->plain.kind, PLAN_SELECT_SHARE);
    assert_int_equal(plan->net.loss_permille, 50);
    assert_int_equal(plan->net.delay, SIM_DELAY_NORMAL);
    assert_int_equal(plan->net.jitter_ns, 3 * SWIM_MS);
    assert_int_equal(plan->net.duplicate_permille, 10);
    assert_int_equal(plan->net.corrupt_permille, 20);
    assert_int_equal(plan->net.reorder_permille, 30);
    assert_int_equal(plan->net.bandwidth, 125000);
    assert_int_equal(plan->member.probe_interval_ms, 2000);
    assert_true(plan->expect.is_converged);
    free(plan);
}

static void flags_that_are_actions(void **state)
{
    (void)state;
    struct plan *plan = must_apply("swimsim run --kill 10% --pause 2 --pause 5%:2500ms@30s "
                                   "--partition 30% --join 7@1m --restart 3-4:2s --leave all@50s "
                                   "--nodes 20 --start one~by~one");
    const struct plan_action *actions = plan->actions;
    uint64_t settled = (19 + 10) * SIM_SECOND; /* though --nodes and --start come later */

    assert_int_equal(plan->action_count, 7);
    assert_int_equal(actions[0].kind, PLAN_KILL);
    assert_int_equal(actions[0].at_ns, settled);
    assert_int_equal(actions[0].who.kind, PLAN_SELECT_SHARE);
    assert_int_equal(actions[0].who.value, 100);
    assert_int_equal(actions[1].who.kind, PLAN_SELECT_COUNT);
    assert_int_equal(actions[1].for_ns, 5 * SIM_SECOND);
    assert_int_equal(actions[2].at_ns, 30 * SIM_SECOND);
    assert_int_equal(actions[2].for_ns, 2500 * SWIM_MS);
    assert_int_equal(actions[3].kind, PLAN_SPLIT);
    assert_int_equal(actions[3].group_count, 1);
    assert_int_equal(actions[3].groups[0].value, 300);
    assert_int_equal(actions[3].for_ns, 30 * SIM_SECOND);
    assert_int_equal(actions[4].kind, PLAN_JOIN);
    assert_int_equal(actions[4].count, 7);
    assert_int_equal(actions[4].at_ns, 60 * SIM_SECOND);
    assert_int_equal(actions[5].who.kind, PLAN_SELECT_RANGE);
    assert_int_equal(actions[5].for_ns, 2 * SIM_SECOND);
    assert_int_equal(actions[6].who.kind, PLAN_SELECT_ALL);
    assert_int_equal(actions[6].for_ns, 0);
    free(plan);
}

static void flags_that_cannot_be_applied(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *part;
    } bad[] = {
        {"swimsim run --nodes many", "--nodes many: must be a whole number from 1 to 200000"},
        {"swimsim run --nodes=", "--nodes \"\": must be a whole number"},
        {"swimsim run --loss 5", "--loss 5: must be a share"},
        {"swimsim run --for 60", "with its unit"},
        {"swimsim run --seed -1", "--seed -1: must be a whole number"},
        {"swimsim run --start slowly", "\"acquainted\", \"together\""},
        {"swimsim run --plain some", "--plain some: nodes"},
        {"swimsim run --set nodes", "--set nodes: must be KEY=VALUE"},
        {"swimsim run --set=", "--set \"\": must be KEY=VALUE"},
        {"swimsim run --set at.time=5s", "--set at.time=5s: no such key"},
        {"swimsim run --set nodes=none", "--set nodes=none: must be a whole number"},
        {"swimsim run --kill some", "--kill some: nodes"},
        {"swimsim run --kill 1@soon", "what follows @"},
        {"swimsim run --kill 1:5s", "nothing can follow :"},
        {"swimsim run --pause 1:long", "what follows :"},
        {"swimsim run --join 5%", "--join 5%: must be a whole number"},
    };
    struct line line;
    struct plan *plan = malloc(sizeof *plan);
    struct plan_error error;

    assert_non_null(plan);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct options *options = must_parse(&line, bad[i].text, OPTIONS_RUN);
        plan_default(plan);
        assert_false(options_apply(options, plan, &error));
        if (strstr(error.text, bad[i].part) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, error.text, bad[i].part);
    }
    free(plan);
}

/* ---- Repeating --------------------------------------------------------------------------- */

static void the_command_that_repeats(void **state)
{
    (void)state;
    struct line line;
    char text[400];
    const struct options *options;

    options = must_parse(&line,
                         "swimsim my~own.toml --json --seed 3 --start one~by~one "
                         "--plot x.svg --kill 5%@30s --set a=it's",
                         OPTIONS_RUN);
    options_repeat(options, "build/swimsim", 42, text, sizeof text);
    assert_string_equal(text, "build/swimsim run 'my own.toml' --start 'one by one' --kill 5%@30s "
                              "--set 'a=it'\\''s' --seed 42");
    options_repeat(options, "x", 1, text, 20); /* cut short, but never beyond its end */
    assert_int_equal(strlen(text), 19);
}

static void help_names_every_flag(void **state)
{
    (void)state;
    static const char *const words[] = {"--nodes",     "--for",  "--seed",    "--start",
                                        "--plain",     "--set",  "--loss",    "--delay",
                                        "--jitter",    "--kill", "--pause",   "--partition",
                                        "--bandwidth", "--join", "--without", "--hours"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_non_null(strstr(options_help(), words[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),
        cmocka_unit_test(what_is_shown_and_checked),
        cmocka_unit_test(swarms),
        cmocka_unit_test(misuse),
        cmocka_unit_test(flags_that_are_keys),
        cmocka_unit_test(flags_that_are_actions),
        cmocka_unit_test(flags_that_cannot_be_applied),
        cmocka_unit_test(the_command_that_repeats),
        cmocka_unit_test(help_names_every_flag),
    };

    return cmocka_run_group_tests_name("plan_options", tests, NULL, NULL);
}
