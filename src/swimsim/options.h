/*
 * options.h - the command line of swimsim: parsed, applied to a plan, and written out again as the
 * command that repeats a run. docs/simulator.md and swimsim(1) explain it to its users.
 */
#ifndef SWIM_SWIMSIM_OPTIONS_H
#define SWIM_SWIMSIM_OPTIONS_H

#include "swimsim/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTIONS_FLAGS_MAX 256

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILURE = 1, /* a checker complained, an expectation was not met, or output failed */
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_SCENARIO = 3,
};

enum options_command {
    OPTIONS_RUN,
    OPTIONS_SHOW,
    OPTIONS_LIST,
    OPTIONS_SWARM,
    OPTIONS_HELP,
    OPTIONS_VERSION,
    OPTIONS_WRONG, /* *ret_error says what */
};

/* A flag that changes the plan, as it was given. */
struct options_flag {
    const char *name; /* without dashes */
    const char *value;
};

struct options {
    enum options_command command;
    const char *scenario; /* NULL: none */
    uint32_t flag_count;
    struct options_flag flags[OPTIONS_FLAGS_MAX]; /* in order */
    const char *plot;                             /* a file; NULL: none */
    const char *trace;                            /* a file, "-" for standard output, NULL: none */
    bool has_datagrams;                           /* in the trace */
    bool is_json;
    bool is_quiet;
    bool shows_progress;
    bool has_no_checks;
    bool checks_each_event;
    uint32_t checks_off;

    /* swarm: 0 where not given */
    uint64_t seed;
    uint64_t seeds;
    uint64_t virtual_ns;
    uint64_t wall_ns;
    uint32_t nodes_max;
    uint64_t every;
    bool is_unreduced;
};

/* Strings in *ret are argv's, which getopt_long reorders. */
enum options_command options_parse(int argc, char **argv, struct options *ret,
                                   struct plan_error *ret_error);

/* The flags, over the plan. False: *ret_error names flag, value and way out. */
bool options_apply(const struct options *options, struct plan *plan, struct plan_error *ret_error);

/* The command that repeats this very run: `program`, what was given that changes the run, and the
 * seed. Words are quoted for a shell where they must be. */
void options_repeat(const struct options *options, const char *program, uint64_t seed, char *text,
                    size_t cap);

const char *options_help(void);

#endif
