/*
 * The command line, by getopt_long. What changes the plan is only noted when parsed, and applied
 * after the scenario was read: flags win over files.
 */
#define _GNU_SOURCE
#include "swimsim/options.h"

#include "base/flag.h"
#include "swimsim/check.h"
#include "swimsim/plan_keys.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum flag {
    FLAG_PLAN = 256, /* changes the plan: noted */
    FLAG_PLOT,
    FLAG_TRACE,
    FLAG_DATAGRAMS,
    FLAG_JSON,
    FLAG_QUIET,
    FLAG_PROGRESS,
    FLAG_NO_CHECKS,
    FLAG_EACH_EVENT,
    FLAG_WITHOUT,
    FLAG_HOURS,
    FLAG_SEEDS,
    FLAG_UNREDUCED,
    FLAG_EVERY,
    FLAG_MAX_NODES,
};

static const struct option flags[] = {
    {"nodes", required_argument, NULL, FLAG_PLAN},
    {"for", required_argument, NULL, FLAG_PLAN},
    {"seed", required_argument, NULL, FLAG_PLAN},
    {"start", required_argument, NULL, FLAG_PLAN},
    {"plain", required_argument, NULL, FLAG_PLAN},
    {"loss", required_argument, NULL, FLAG_PLAN},
    {"delay", required_argument, NULL, FLAG_PLAN},
    {"jitter", required_argument, NULL, FLAG_PLAN},
    {"duplicate", required_argument, NULL, FLAG_PLAN},
    {"corrupt", required_argument, NULL, FLAG_PLAN},
    {"reorder", required_argument, NULL, FLAG_PLAN},
    {"bandwidth", required_argument, NULL, FLAG_PLAN},
    {"kill", required_argument, NULL, FLAG_PLAN},
    {"leave", required_argument, NULL, FLAG_PLAN},
    {"restart", required_argument, NULL, FLAG_PLAN},
    {"pause", required_argument, NULL, FLAG_PLAN},
    {"partition", required_argument, NULL, FLAG_PLAN},
    {"join", required_argument, NULL, FLAG_PLAN},
    {"set", required_argument, NULL, FLAG_PLAN},
    {"plot", required_argument, NULL, FLAG_PLOT},
    {"trace", optional_argument, NULL, FLAG_TRACE},
    {"datagrams", no_argument, NULL, FLAG_DATAGRAMS},
    {"json", no_argument, NULL, FLAG_JSON},
    {"quiet", no_argument, NULL, FLAG_QUIET},
    {"progress", no_argument, NULL, FLAG_PROGRESS},
    {"no-checks", no_argument, NULL, FLAG_NO_CHECKS},
    {"each-event", no_argument, NULL, FLAG_EACH_EVENT},
    {"without", required_argument, NULL, FLAG_WITHOUT},
    {"hours", required_argument, NULL, FLAG_HOURS},
    {"seeds", required_argument, NULL, FLAG_SEEDS},
    {"unreduced", no_argument, NULL, FLAG_UNREDUCED},
    {"every", required_argument, NULL, FLAG_EVERY},
    {"max-nodes", required_argument, NULL, FLAG_MAX_NODES},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: swimsim run [SCENARIO] [FLAG]...    run a scenario, or what the flags say\n"
    "       swimsim show [SCENARIO] [FLAG]...   print it as a file, with the flags applied\n"
    "       swimsim list                        the library of scenarios\n"
    "       swimsim swarm [FLAG]...             random scenarios under all checkers\n"
    "Whole clusters of the real library in virtual time. The same command gives the same run.\n"
    "SCENARIO is a file, or a name from the list. Try:\n"
    "\n"
    "  swimsim run --nodes 1000 --loss 5% --kill 10 --for 120s --plot out.svg\n"
    "\n"
    "The cluster (flags win over the scenario):\n"
    "  --nodes N               members at the start (default 3)\n"
    "  --for TIME              how long, in virtual time: 90s, 10m, 2h (default 60s)\n"
    "  --seed N                of all that is random (default 1); \"random\" draws one\n"
    "  --start HOW             acquainted: all run and know each other (default); together;\n"
    "                          \"one by one\": a second apart\n"
    "  --plain WHO             plain version-1 nodes: a share (20%) or a number\n"
    "  --set KEY=VALUE         any key of the scenario or of swimd's file, as in\n"
    "                          --set probes.interval_ms=500 --set start.seeds=ring\n"
    "The network:\n"
    "  --loss P%               lost, --duplicate P%, --corrupt P%, --reorder P%\n"
    "  --delay D               5ms, 1ms..20ms, normal:1ms..20ms, heavy:1ms..2s; --jitter TIME\n"
    "  --bandwidth RATE        of each link: 64kbit, 10Mbit\n"
    "What happens, WHO being a number or a share, as in 10 or 5%; 10 s after the last start\n"
    "unless @TIME says when, as in --kill 10@30s:\n"
    "  --kill WHO, --leave WHO, --join N\n"
    "  --restart WHO[:DOWN]    back under a new id after so long (default 0)\n"
    "  --pause WHO[:TIME]      stopped by a signal for so long (default 5s)\n"
    "  --partition WHO[:TIME]  split off from the others for so long (default 30s)\n"
    "What is shown:\n"
    "  --json                  figures for programs, instead of the summary\n"
    "  --plot FILE             an SVG sheet: members, dissemination, traffic, detection times\n"
    "  --trace[=FILE]          the story, one line an event; --datagrams: each datagram too\n"
    "  --quiet                 nothing but what is wrong; --progress: also without a terminal\n"
    "Checkers (docs/simulator.md names them):\n"
    "  --without NAME          all but this one; --no-checks: none, nor the scenario's [expect]\n"
    "  --each-event            every member's invariants after each event that touches it\n"
    "swimsim swarm:\n"
    "  --hours H               of virtual time, --for TIME of real time, --seeds N scenarios\n"
    "  --seed N                the first (default 1); --max-nodes N in each (default 200)\n"
    "  --unreduced             do not make a failing scenario small; --every N: progress\n"
    "\n"
    "Exit codes: 0 ok, 1 a check failed or an expectation was not met, 2 usage, 3 bad scenario.\n";

const char *options_help(void)
{
    return help;
}

__attribute__((format(printf, 2, 3))) static enum options_command
wrong(struct plan_error *ret_error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error->text, sizeof ret_error->text, format, arguments);
    va_end(arguments);
    ret_error->action = UINT32_MAX;
    return OPTIONS_WRONG;
}

/* ---- Parsing ----------------------------------------------------------------------------- */

static enum options_command no_such_flag(const char *word, struct plan_error *ret_error)
{
    char hint[NEAREST_HINT_SIZE];

    if (*flag_hint(flags, word, hint) == '\0')
        return wrong(ret_error, "no such flag: %.200s (swimsim --help lists them)", word);
    return wrong(ret_error, "no such flag: %.200s%s", word, hint);
}

/* getopt_long answers '?' for no such flag, an ambiguous one, and one given a value it can't
 * take; ':' for a missing value. */
static enum options_command explain(int answer, char **argv, struct plan_error *ret_error)
{
    const char *word = flag_refused(argv);

    if (answer == ':')
        return wrong(ret_error, "a value must follow the flag %.200s", word);
    if (optopt >= 256 || optopt == 'V' || (optopt == 'h' && strchr(word, '=') != NULL))
        return wrong(ret_error, "no value can follow the flag %.200s", word);
    return no_such_flag(word, ret_error);
}

static bool note_flag(struct options *options, const char *name, struct plan_error *ret_error)
{
    if (options->flag_count == OPTIONS_FLAGS_MAX)
        return wrong(ret_error, "more than %u flags", (unsigned)OPTIONS_FLAGS_MAX) != OPTIONS_WRONG;
    options->flags[options->flag_count++] = (struct options_flag){name, optarg};
    return true;
}

static bool note_file(const char **ret, const char *name, struct plan_error *ret_error)
{
    if (*optarg == '\0')
        return wrong(ret_error, "--%s: the name of the file is empty", name) != OPTIONS_WRONG;
    *ret = optarg;
    return true;
}

static bool note_without(struct options *options, struct plan_error *ret_error)
{
    enum check_id check = check_find(optarg);
    char names[300] = "";
    size_t size = 0;

    if (check != CHECK_COUNT) {
        options->checks_off |= UINT32_C(1) << check;
        return true;
    }
    for (int i = 0; i < CHECK_COUNT; i++)
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", i == 0 ? "" : ", ",
                                 check_name((enum check_id)i));
    return wrong(ret_error, "--without %.64s: no such checker; there are %s", optarg, names) !=
           OPTIONS_WRONG;
}

/* "0.5" hours, as a duration. */
static bool note_hours(struct options *options, struct plan_error *ret_error)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%.60sh", optarg);
    if (text_read_duration(text, &options->virtual_ns) == NULL && options->virtual_ns > 0)
        return true;
    return wrong(ret_error, "--hours %.64s: must be a number of hours above 0, such as 0.5 or 200",
                 optarg) != OPTIONS_WRONG;
}

static bool note_count(const char *name, uint64_t *ret, struct plan_error *ret_error)
{
    if (text_read_count(optarg, 1, INT64_MAX, ret))
        return true;
    return wrong(ret_error, "--%s %.64s: must be a whole number above 0", name, optarg) !=
           OPTIONS_WRONG;
}

static bool note_max_nodes(struct options *options, struct plan_error *ret_error)
{
    uint64_t number;

    if (!text_read_count(optarg, 2, PLAN_NODES_MAX, &number))
        return wrong(ret_error, "--max-nodes %.64s: must be a whole number from 2 to %u", optarg,
                     (unsigned)PLAN_NODES_MAX) != OPTIONS_WRONG;
    options->nodes_max = (uint32_t)number;
    return true;
}

static bool note(struct options *options, int flag, const char *name, struct plan_error *ret_error)
{
    switch (flag) {
    case FLAG_PLAN: return note_flag(options, name, ret_error);
    case FLAG_PLOT: return note_file(&options->plot, name, ret_error);
    case FLAG_TRACE:
        options->trace = "-";
        return optarg == NULL || note_file(&options->trace, name, ret_error);
    case FLAG_DATAGRAMS: options->has_datagrams = true; break;
    case FLAG_JSON: options->is_json = true; break;
    case FLAG_QUIET: options->is_quiet = true; break;
    case FLAG_PROGRESS: options->shows_progress = true; break;
    case FLAG_NO_CHECKS: options->has_no_checks = true; break;
    case FLAG_EACH_EVENT: options->checks_each_event = true; break;
    case FLAG_WITHOUT: return note_without(options, ret_error);
    case FLAG_HOURS: return note_hours(options, ret_error);
    case FLAG_SEEDS: return note_count(name, &options->seeds, ret_error);
    case FLAG_EVERY: return note_count(name, &options->every, ret_error);
    case FLAG_MAX_NODES: return note_max_nodes(options, ret_error);
    default: options->is_unreduced = true; break; /* FLAG_UNREDUCED */
    }
    return true;
}

static enum options_command parse_flags(int argc, char **argv, struct options *ret,
                                        struct plan_error *ret_error)
{
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    for (;;) {
        int index = -1;
        int flag = getopt_long(argc, argv, ":hV", flags, &index);
        if (flag == -1)
            return OPTIONS_RUN;
        if (index >= 0 && !flag_is_whole(flag_taken(argv), flags[index].name))
            return no_such_flag(flag_taken(argv), ret_error);
        if (flag == 'h')
            return OPTIONS_HELP;
        if (flag == 'V')
            return OPTIONS_VERSION;
        if (flag == '?' || flag == ':')
            return explain(flag, argv, ret_error);
        if (!note(ret, flag, flags[index].name, ret_error))
            return OPTIONS_WRONG;
    }
}

/* ---- What goes with what ----------------------------------------------------------------- */

static bool read_word(struct options *options, const char *word, bool is_first,
                      struct plan_error *ret_error)
{
    static const char *const commands[] = {"run", "show", "list", "swarm"};

    for (size_t i = 0; is_first && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i], word) == 0) {
            options->command = (enum options_command)i;
            return true;
        }
    }
    if (*word == '\0')
        return wrong(ret_error, "the scenario's name is empty; swimsim list shows them") !=
               OPTIONS_WRONG;
    if (options->scenario != NULL || options->command > OPTIONS_SHOW)
        return wrong(ret_error, "one word too many: %.200s (swimsim --help)", word) !=
               OPTIONS_WRONG;
    options->scenario = word;
    return true;
}

/* The swarm has two of the flags that change a plan elsewhere. */
static bool take_swarm_flags(struct options *options, struct plan_error *ret_error)
{
    for (uint32_t i = 0; i < options->flag_count; i++) {
        const char *name = options->flags[i].name;
        optarg = (char *)(uintptr_t)options->flags[i].value;
        if (strcmp(name, "seed") == 0) {
            if (!note_count(name, &options->seed, ret_error))
                return false;
        } else if (strcmp(name, "for") == 0) {
            if (text_read_duration(optarg, &options->wall_ns) != NULL || options->wall_ns == 0)
                return wrong(ret_error, "--for %.64s: must be a time, such as 60s", optarg) !=
                       OPTIONS_WRONG;
        } else {
            return wrong(ret_error, "swarm draws its scenarios itself: --%s has no meaning",
                         name) != OPTIONS_WRONG;
        }
    }
    return true;
}

static bool is_for_swarm(const struct options *options)
{
    return options->virtual_ns != 0 || options->seeds != 0 || options->every != 0 ||
           options->nodes_max != 0 || options->is_unreduced;
}

static bool is_for_run(const struct options *options)
{
    return options->plot != NULL || options->trace != NULL || options->has_datagrams ||
           options->is_json || options->is_quiet || options->shows_progress ||
           options->has_no_checks || options->checks_each_event || options->checks_off != 0;
}

static bool check_together(struct options *options, struct plan_error *ret_error)
{
    const char *text = NULL;

    if (options->command == OPTIONS_SWARM && !take_swarm_flags(options, ret_error))
        return false;
    if (options->command == OPTIONS_LIST && options->flag_count > 0)
        text = "list takes no flags";
    else if (options->command != OPTIONS_SWARM && is_for_swarm(options))
        text = "--hours, --seeds, --max-nodes, --every and --unreduced are swimsim swarm's";
    else if (options->command != OPTIONS_RUN && is_for_run(options))
        text = "flags about what is shown and checked are swimsim run's";
    else if (options->is_json && options->trace != NULL && strcmp(options->trace, "-") == 0)
        text = "--trace and --json would both write to standard output; --trace=FILE, perhaps?";
    else if (options->is_json && options->is_quiet)
        text = "--json and --quiet contradict each other";
    else if (options->has_datagrams && options->trace == NULL)
        text = "--datagrams goes with --trace";
    return text == NULL || wrong(ret_error, "%s", text) != OPTIONS_WRONG;
}

enum options_command options_parse(int argc, char **argv, struct options *ret,
                                   struct plan_error *ret_error)
{
    enum options_command command;

    *ret = (struct options){0};
    if (argc < 2)
        return wrong(ret_error, "nothing to do; swimsim --help tells what there is");
    command = parse_flags(argc, argv, ret, ret_error);
    if (command != OPTIONS_RUN)
        return command;
    for (int i = optind; i < argc; i++)
        if (!read_word(ret, argv[i], i == optind, ret_error))
            return OPTIONS_WRONG;
    if (!check_together(ret, ret_error))
        return OPTIONS_WRONG;
    return ret->command;
}

/* ---- Repeating --------------------------------------------------------------------------- */

static size_t append(char *text, size_t cap, size_t size, const char *more)
{
    while (*more != '\0' && size + 1 < cap)
        text[size++] = *more++;
    text[size] = '\0';
    return size;
}

/* A word, between single quotes if a shell would otherwise see more in it than a word. */
static size_t append_word(char *text, size_t cap, size_t size, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+=.,:/@%^";
    bool is_plain = *word != '\0' && word[strspn(word, plain)] == '\0';
    char one[2] = "";

    if (size > 0)
        size = append(text, cap, size, " ");
    if (is_plain)
        return append(text, cap, size, word);
    size = append(text, cap, size, "'");
    for (; *word != '\0'; word++) {
        one[0] = *word;
        size = append(text, cap, size, *word == '\'' ? "'\\''" : one);
    }
    return append(text, cap, size, "'");
}

void options_repeat(const struct options *options, const char *program, uint64_t seed, char *text,
                    size_t cap)
{
    size_t size = append_word(text, cap, 0, program);
    char number[32];
    char flag[40];

    size = append_word(text, cap, size, "run");
    if (options->scenario != NULL)
        size = append_word(text, cap, size, options->scenario);
    for (uint32_t i = 0; i < options->flag_count; i++) {
        if (strcmp(options->flags[i].name, "seed") == 0)
            continue;
        (void)snprintf(flag, sizeof flag, "--%s", options->flags[i].name);
        size = append_word(text, cap, size, flag);
        size = append_word(text, cap, size, options->flags[i].value);
    }
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)seed);
    size = append_word(text, cap, size, "--seed");
    (void)append_word(text, cap, size, number);
}
