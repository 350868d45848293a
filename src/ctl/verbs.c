/* The verbs, and what `swimctl help` says of them. Completions, the manual page and the tests are
 * compared with this table. */
#include "ctl/ctl.h"

#include "ctl/options.h"
#include "ctl/verb.h"

#include <stdio.h>
#include <string.h>

#define NO_OPTIONS NULL
#define END                                                                                        \
    {                                                                                              \
        NULL, NULL, NULL, NULL                                                                     \
    }

static const struct ctl_option members_options[] = {
    {"status", "STATUS", "only members that are alive, suspect, dead or left; several by commas",
     "statuses"},
    {"tag", "KEY[=VALUE]", "only members with this tag; may be repeated: all must hold", "tags"},
    END};

static const struct ctl_option monitor_options[] = {
    {"status", "STATUS", "only members that are in one of these, after the event", "statuses"},
    {"tag", "KEY[=VALUE]", "only members with this tag; may be repeated: all must hold", "tags"},
    {"since", "ID", "go on after this event; 0 begins with the oldest that is held", NULL},
    {"count", "N", "end after so many", NULL},
    END};

static const struct ctl_option join_options[] = {
    {"no-wait", NULL, "don't wait until somebody has answered there", NULL}, END};

static const struct ctl_option force_leave_options[] = {
    {"prune", NULL, "also take them off the list at once", NULL}, END};

static const struct ctl_option keys_options[] = {
    {"key-file", "FILE", "the file whose key is installed; standard input without it", "files"},
    END};

const struct verb ctl_verbs[] = {
    {"members", verb_members, "list the members of the cluster", "", 0, 0, NULL, members_options},
    {"info", verb_info, "what the daemon says of itself", "", 0, 0, NULL, NO_OPTIONS},
    {"join", verb_join, "join the cluster of these members, and wait until they are met",
     "HOST:PORT...", 1, 64, NULL, join_options},
    {"leave", verb_leave, "make the daemon leave its cluster, and end", "", 0, 0, NULL, NO_OPTIONS},
    {"force-leave", verb_force_leave, "declare, for everybody, that members have left", "MEMBER...",
     1, -1, "members", force_leave_options},
    {"monitor", verb_monitor, "events as they happen, over restarts of the daemon", "", 0, 0, NULL,
     monitor_options},
    {"ping", verb_ping, "ping members at once", "MEMBER...", 1, -1, "members", NO_OPTIONS},
    {"rtt", verb_rtt, "round trips of the last probes that members answered", "[MEMBER]...", 0, -1,
     "members", NO_OPTIONS},
    {"tags", verb_tags, "list, set or delete tags of the daemon's member",
     "[list | set KEY=VALUE... | delete KEY...]", 0, -1, "tag-words", NO_OPTIONS},
    {"keys", verb_keys, "list, install, use or remove keys of the daemon's keyring",
     "list | install | use KEY-ID | remove KEY-ID", 1, 2, "key-words", keys_options},
    {"keygen", verb_keygen, "draw a fresh key, and print it", "", 0, 0, NULL, NO_OPTIONS},
    {"top", verb_top, "a live view of members, traffic and events, in the terminal", "", 0, 0, NULL,
     NO_OPTIONS},
    {"metrics", verb_metrics, "the daemon's metrics, as Prometheus reads them", "", 0, 0, NULL,
     NO_OPTIONS},
    {"debug", verb_debug, "write a support bundle: settings, members, metrics, log; no keys",
     "[FILE]", 0, 1, "files", NO_OPTIONS},
    {"version", verb_version, "the versions of swimctl and of the daemon", "", 0, 0, NULL,
     NO_OPTIONS},
    {"help", verb_help, "this list, or all there is to say of one verb", "[VERB]", 0, 1, "verbs",
     NO_OPTIONS},
};
const size_t ctl_verb_count = sizeof ctl_verbs / sizeof ctl_verbs[0];

const struct verb *ctl_verb_find(const char *name)
{
    for (size_t i = 0; i < ctl_verb_count; i++)
        if (strcmp(ctl_verbs[i].name, name) == 0)
            return &ctl_verbs[i];
    return NULL;
}

const char *ctl_verb_hint(const char *name, char text[NEAREST_HINT_SIZE])
{
    struct nearest nearest = {.word = name};

    for (size_t i = 0; i < ctl_verb_count; i++)
        (void)nearest_offer(&nearest, ctl_verbs[i].name);
    return nearest_hint(&nearest, "", text);
}

static void print_options(const struct ctl_option *options)
{
    char left[64];

    for (; options != NULL && options->name != NULL; options++) {
        (void)snprintf(left, sizeof left, "--%s%s%s", options->name,
                       options->value != NULL ? " " : "",
                       options->value != NULL ? options->value : "");
        (void)printf("  %-22s %s\n", left, options->help);
    }
}

static const char tail[] = "\nThe socket is --socket, or the environment's SWIM_SOCKET, or "
                           "$RUNTIME_DIRECTORY/control.sock,\n"
                           "or " OPTIONS_SOCKET_DEFAULT
                           ". NO_COLOR turns colours off. A member is named by its id, or by\n"
                           "its name where only one has it.\n\n"
                           "Exit codes: 0 done, 1 failure, 2 usage, 3 a bad file, 5 no daemon, 6 "
                           "done in part, 7 too late.\n";

void ctl_print_help(void)
{
    (void)puts("usage: swimctl [OPTION]... VERB [WORD]...\n\n"
               "Looks into a running swimd, and tells it what to do, by its control socket.\n");
    for (size_t i = 0; i < ctl_verb_count; i++)
        (void)printf("  %-12s %s\n", ctl_verbs[i].name, ctl_verbs[i].help);
    (void)puts("\nOptions, in front of the verb or behind it:\n");
    print_options(options_common);
    (void)fputs(tail, stdout);
}

void ctl_print_verb(const struct verb *verb)
{
    (void)printf("usage: swimctl [OPTION]... %s%s%s\n\n%s\n\n", verb->name,
                 *verb->words != '\0' ? " " : "", verb->words, verb->help);
    print_options(verb->options);
    print_options(options_common);
}
