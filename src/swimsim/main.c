/*
 * swimsim's entrance: command line in, verdict out. Whatever influences a run is in the plan by
 * then; all that is here is about what is shown.
 */
#define _GNU_SOURCE
#include "swimsim/collect.h"
#include "swimsim/library.h"
#include "swimsim/options.h"
#include "swimsim/plan_print.h"
#include "swimsim/plot.h"
#include "swimsim/report.h"
#include "swimsim/run.h"
#include "swimsim/swarm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_SIZE 4096

static int complain(enum exit_code code, const char *text)
{
    (void)fprintf(stderr, "swimsim: %s\n", text);
    return (int)code;
}

/* The scenario and the flags over it. */
static int prepare(const struct options *options, struct plan *plan)
{
    struct plan_error error;

    plan_default(plan);
    (void)snprintf(plan->name, sizeof plan->name, "command line");
    if (options->scenario != NULL && !library_load(plan, options->scenario, &error))
        return complain(EXIT_CODE_SCENARIO, error.text);
    if (!options_apply(options, plan, &error) || !plan_check(plan, &error))
        return complain(EXIT_CODE_USAGE, error.text);
    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan_repeats(plan, &plan->actions[i]) == 0)
            (void)fprintf(stderr, "swimsim: note: [[at]] number %u (%s) comes after the end\n",
                          (unsigned)i + 1, plan_kind_name(plan->actions[i].kind));
    return EXIT_CODE_OK;
}

/* ---- Running ----------------------------------------------------------------------------- */

static FILE *open_trace(const struct options *options)
{
    FILE *file;

    if (options->trace == NULL || strcmp(options->trace, "-") == 0)
        return options->trace == NULL ? NULL : stdout;
    file = fopen(options->trace, "w");
    if (file == NULL)
        (void)fprintf(stderr, "swimsim: %s: %s\n", options->trace, strerror(errno));
    return file;
}

static bool close_output(FILE *file, const char *name)
{
    bool is_good = fflush(file) == 0 && ferror(file) == 0;

    if (file != stdout)
        is_good = fclose(file) == 0 && is_good;
    if (!is_good)
        (void)fprintf(stderr, "swimsim: %s: cannot be written: %s\n", name, strerror(errno));
    return is_good;
}

static bool show(const struct options *options, const struct report *report)
{
    char error[256];

    if (options->is_json)
        report_json(stdout, report);
    else if (!options->is_quiet)
        report_text(stdout, report);
    else if (report->failure != NULL)
        (void)fprintf(stderr, "swimsim: %s\nswimsim: repeat with: %s\n", report->failure,
                      report->command);
    if (!close_output(stdout, "standard output"))
        return false;
    if (options->plot == NULL || plot_write(options->plot, report, error, sizeof error))
        return true;
    (void)fprintf(stderr, "swimsim: %s\n", error);
    return false;
}

static int run(const struct options *options, const char *program)
{
    static struct plan plan;
    struct figures figures;
    struct run_result result;
    char command[COMMAND_SIZE];
    int code = prepare(options, &plan);
    struct run_options run_options = {
        .has_no_checks = options->has_no_checks,
        .checks_each_event = options->checks_each_event,
        .checks_off = options->checks_off,
        .progress = options->shows_progress                            ? RUN_PROGRESS_AT_ONCE
                    : isatty(STDERR_FILENO) == 1 && !options->is_quiet ? RUN_PROGRESS_LATER
                                                                       : RUN_PROGRESS_NONE,
        .traces_datagrams = options->has_datagrams,
    };

    if (code != EXIT_CODE_OK)
        return code;
    run_options.trace = open_trace(options);
    if (options->trace != NULL && run_options.trace == NULL)
        return EXIT_CODE_USAGE;
    options_repeat(options, program, plan.seed, command, sizeof command);
    code = run_plan(&plan, &run_options, &result, &figures) ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
    if (run_options.trace != NULL && !close_output(run_options.trace, options->trace))
        code = EXIT_CODE_FAILURE;
    struct report report = {
        .scenario = plan.name,
        .about = plan.title,
        .command = command,
        .failure = result.is_ok ? NULL : result.failure,
        .seed = plan.seed,
        .figures = &figures,
    };
    if (!show(options, &report))
        code = EXIT_CODE_FAILURE;
    figures_free(&figures);
    return code;
}

/* ---- The other commands ------------------------------------------------------------------ */

static void put(void *context, const char *text, size_t size)
{
    (void)fwrite(text, 1, size, context);
}

static int print(const struct options *options)
{
    static struct plan plan;
    int code = prepare(options, &plan);

    if (code != EXIT_CODE_OK)
        return code;
    plan_print(&plan, put, stdout);
    return close_output(stdout, "standard output") ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

static int list(void)
{
    struct plan_error error;

    if (!library_list(stdout, &error))
        return complain(EXIT_CODE_SCENARIO, error.text);
    return close_output(stdout, "standard output") ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

/* Without any limit, for a minute. */
static int swarm(const struct options *options)
{
    struct swarm_options swarm_options;
    struct swarm_totals totals;
    bool is_good;

    swarm_options_default(&swarm_options);
    if (options->seed != 0)
        swarm_options.seed = options->seed;
    if (options->nodes_max != 0)
        swarm_options.nodes_max = options->nodes_max;
    if (options->every != 0)
        swarm_options.every = options->every;
    if (options->seeds != 0 || options->virtual_ns != 0 || options->wall_ns != 0) {
        swarm_options.seeds = options->seeds;
        swarm_options.virtual_ns = options->virtual_ns;
        swarm_options.wall_ns = options->wall_ns;
    }
    swarm_options.is_unreduced = options->is_unreduced;
    is_good = swarm_run(&swarm_options, stdout, &totals);
    return close_output(stdout, "standard output") && is_good ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

static int text(const char *words)
{
    (void)fputs(words, stdout);
    return close_output(stdout, "standard output") ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

int main(int argc, char **argv)
{
    struct options options;
    struct plan_error error;
    char version[64];

    switch (options_parse(argc, argv, &options, &error)) {
    case OPTIONS_RUN: return run(&options, argv[0]);
    case OPTIONS_SHOW: return print(&options);
    case OPTIONS_LIST: return list();
    case OPTIONS_SWARM: return swarm(&options);
    case OPTIONS_HELP: return text(options_help());
    case OPTIONS_WRONG: return complain(EXIT_CODE_USAGE, error.text);
    case OPTIONS_VERSION: break;
    }
    (void)snprintf(version, sizeof version, "swimsim %d.%d.%d\n", SWIM_VERSION_MAJOR,
                   SWIM_VERSION_MINOR, SWIM_VERSION_PATCH);
    return text(version);
}
