/*
 * Two rounds of getopt_long: one up to the verb, with the common options, and one behind it, with
 * the verb's as well. In both the common ones may be given.
 */
#define _GNU_SOURCE
#include "ctl/options.h"

#include "base/assert.h"
#include "base/flag.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MAX_S 86400
#define OPTIONS_MAX 24

enum common {
    COMMON_SOCKET,
    COMMON_TIMEOUT,
    COMMON_JSON,
    COMMON_HELP,
    COMMON_VERSION,
    COMMON_COUNT
};

const struct ctl_option options_common[] = {
    [COMMON_SOCKET] = {"socket", "PATH", "the daemon's control socket", "files"},
    [COMMON_TIMEOUT] = {"timeout", "SECONDS", "how long to wait for the daemon (default 10)", NULL},
    [COMMON_JSON] = {"json", NULL, "answers, and failures, as JSON", NULL},
    [COMMON_HELP] = {"help", NULL, "what there is to say, of a verb or of all; exit", NULL},
    [COMMON_VERSION] = {"version", NULL, "print the version of swimctl, exit", NULL},
    [COMMON_COUNT] = {NULL, NULL, NULL, NULL},
};

struct parser {
    struct option flags[OPTIONS_MAX + 1];
    const struct ctl_option *verb_options; /* NULL: in front of the verb */
    struct ctl *ctl;
    char *error;
    bool has_help;
    bool has_version;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parser *parser, const char *format,
                                                        ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(parser->error, CLIENT_ERROR_MAX, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Values ------------------------------------------------------------------------------ */

static bool take_timeout(struct parser *parser, const char *text)
{
    char *end = NULL;
    double seconds = strtod(text, &end);
    bool is_number = (*text >= '0' && *text <= '9') && end != text && *end == '\0' &&
                     strspn(text, "0123456789.") == strlen(text);

    if (!is_number || !(seconds >= 0.001 && seconds <= TIMEOUT_MAX_S))
        return wrong(parser, "--timeout %.100s: must be a number of seconds from 0.001 to %d", text,
                     TIMEOUT_MAX_S);
    parser->ctl->client.timeout_ms = (uint32_t)(seconds * 1000 + 0.5);
    return true;
}

static bool take_common(struct parser *parser, enum common which, const char *value)
{
    switch (which) {
    case COMMON_SOCKET: parser->ctl->client.socket = value; break;
    case COMMON_TIMEOUT: return take_timeout(parser, value);
    case COMMON_JSON: parser->ctl->is_json = true; break;
    case COMMON_HELP: parser->has_help = true; break;
    case COMMON_VERSION: parser->has_version = true; break;
    case COMMON_COUNT: break;
    }
    return true;
}

static bool note(struct parser *parser, const struct ctl_option *option, const char *value)
{
    struct ctl *ctl = parser->ctl;

    if (ctl->given_count == CTL_GIVEN_MAX)
        return wrong(parser, "more than %d options", CTL_GIVEN_MAX);
    ctl->given[ctl->given_count].name = option->name;
    ctl->given[ctl->given_count++].value = value != NULL ? value : "";
    return true;
}

const char *ctl_given(const struct ctl *ctl, const char *name)
{
    for (size_t i = ctl->given_count; i-- > 0;)
        if (strcmp(ctl->given[i].name, name) == 0)
            return ctl->given[i].value;
    return NULL;
}

/* A script's variable that was never set must not mean something else than what it says. */
static bool check_value(struct parser *parser, const struct ctl_option *option, const char *value)
{
    return value == NULL || *value != '\0' ||
           wrong(parser, "--%s \"\": the value is empty; give %s, or leave the option out",
                 option->name, option->value);
}

/* ---- Rounds ------------------------------------------------------------------------------ */

/* Common options are numbered from 0, the verb's behind them. */
static void make_flags(struct parser *parser)
{
    size_t count = 0;

    memset(parser->flags, 0, sizeof parser->flags);
    for (int round = 0; round < 2; round++) {
        const struct ctl_option *at = round == 0 ? options_common : parser->verb_options;
        for (; at != NULL && at->name != NULL; at++, count++) {
            ASSERT(count < OPTIONS_MAX);
            parser->flags[count] =
                (struct option){.name = at->name,
                                .has_arg = at->value != NULL ? required_argument : no_argument,
                                .val = (int)count + 256};
        }
    }
}

static bool refuse(struct parser *parser, const char *word)
{
    const struct verb *verb = parser->ctl->verb;
    char hint[NEAREST_HINT_SIZE];

    return wrong(parser, "%.100s is no option here%s; see swimctl help%s%s", word,
                 flag_hint(parser->flags, word, hint), verb != NULL ? " " : "",
                 verb != NULL ? verb->name : "");
}

/* getopt_long answers '?' for no such option, an ambiguous one, and one given a value that it can't
 * take; ':' for a missing value. */
static bool explain(struct parser *parser, int code, char **argv)
{
    const char *word = flag_refused(argv);

    if (code == ':')
        return wrong(parser, "%.100s needs a value", word);
    if (optopt >= 256)
        return wrong(parser, "%.100s: this option takes no value", word);
    return refuse(parser, word);
}

/* The option of that position: make_flags. */
static const struct ctl_option *find_option(const struct parser *parser, int at)
{
    ASSERT(at >= 0 && (at < COMMON_COUNT || parser->verb_options != NULL));
    return at < COMMON_COUNT ? &options_common[at] : &parser->verb_options[at - COMMON_COUNT];
}

static bool take_option(struct parser *parser, int at, const char *value)
{
    const struct ctl_option *option = find_option(parser, at);

    if (!check_value(parser, option, value))
        return false;
    return at < COMMON_COUNT ? take_common(parser, (enum common)at, value)
                             : note(parser, option, value);
}

static bool run_round(struct parser *parser, int argc, char **argv, const char *kind)
{
    make_flags(parser);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        bool ok;
        int at = -1;
        int code = getopt_long(argc, argv, kind, parser->flags, &at);
        if (code == -1)
            return true;
        if (at >= 0 && !flag_is_whole(flag_taken(argv), parser->flags[at].name))
            ok = refuse(parser, flag_taken(argv));
        else if (code == 'h')
            ok = take_common(parser, COMMON_HELP, NULL);
        else if (code == 'V')
            ok = take_common(parser, COMMON_VERSION, NULL);
        else if (code < 256)
            ok = explain(parser, code, argv);
        else
            ok = take_option(parser, code - 256, optarg);
        if (!ok)
            return false;
    }
}

static bool check_words(struct parser *parser)
{
    const struct ctl *ctl = parser->ctl;
    const struct verb *verb = ctl->verb;

    if (ctl->word_count < verb->words_min)
        return wrong(parser, "%s needs %s; see swimctl help %s", verb->name, verb->words,
                     verb->name);
    if (verb->words_max >= 0 && ctl->word_count > verb->words_max)
        return wrong(parser, "%s doesn't know what to do with the word %.100s", verb->name,
                     ctl->words[verb->words_max]);
    for (int i = 0; i < ctl->word_count; i++)
        if (*ctl->words[i] == '\0')
            return wrong(parser, "%s: word %d is empty; see swimctl help %s", verb->name, i + 1,
                         verb->name);
    return true;
}

static bool parse_verb(struct parser *parser, int argc, char **argv)
{
    struct ctl *ctl = parser->ctl;
    char hint[NEAREST_HINT_SIZE];

    ctl->verb = ctl_verb_find(argv[0]);
    if (ctl->verb == NULL)
        return wrong(parser, "there is no verb \"%.100s\"%s; see swimctl help", argv[0],
                     ctl_verb_hint(argv[0], hint));
    parser->verb_options = ctl->verb->options;
    if (!run_round(parser, argc, argv, ":hV"))
        return false;
    ctl->words = argv + optind;
    ctl->word_count = argc - optind;
    return parser->has_help || check_words(parser);
}

/* ---- The whole --------------------------------------------------------------------------- */

/* $RUNTIME_DIRECTORY is what systemd gives to the unit's own commands. */
static const char *default_socket(void)
{
    static char path[512];
    const char *given = getenv("SWIM_SOCKET");
    const char *folder = getenv("RUNTIME_DIRECTORY");

    if (given != NULL && *given != '\0')
        return given;
    if (folder == NULL || *folder == '\0')
        return OPTIONS_SOCKET_DEFAULT;
    (void)snprintf(path, sizeof path, "%.*s/control.sock", (int)strcspn(folder, ":"), folder);
    return path;
}

static enum options_result parse(struct parser *parser, int argc, char **argv)
{
    if (!run_round(parser, argc, argv, "+:hV"))
        return OPTIONS_WRONG;
    if (parser->has_version && !parser->has_help)
        return OPTIONS_VERSION;
    if (optind == argc && !parser->has_help) {
        (void)wrong(parser, "a verb is needed; see swimctl help");
        return OPTIONS_WRONG;
    }
    if (optind < argc && !parse_verb(parser, argc - optind, argv + optind))
        return OPTIONS_WRONG;
    if (parser->has_help)
        return OPTIONS_HELP;
    return parser->has_version ? OPTIONS_VERSION : OPTIONS_RUN;
}

/* Of a command line that could not be understood to its end. */
static bool asks_for_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

enum options_result options_parse(int argc, char **argv, struct ctl *ret,
                                  char ret_error[CLIENT_ERROR_MAX])
{
    struct parser parser = {.ctl = ret, .error = ret_error};
    enum options_result result;

    *ret =
        (struct ctl){.client = {.socket = default_socket(), .timeout_ms = CTL_TIMEOUT_DEFAULT_MS}};
    result = parse(&parser, argc, argv);
    if (result == OPTIONS_WRONG)
        ret->is_json = asks_for_json(argc, argv);
    return result;
}
