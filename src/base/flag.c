#define _GNU_SOURCE
#include "base/flag.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

bool flag_is_whole(const char *word, const char *name)
{
    size_t size = strlen(name);

    return strncmp(word, "--", 2) == 0 && strncmp(word + 2, name, size) == 0 &&
           (word[2 + size] == '\0' || word[2 + size] == '=');
}

const char *flag_taken(char *const *argv)
{
    return argv[optarg != NULL && argv[optind - 1] == optarg ? optind - 2 : optind - 1];
}

/* A word of short flags is left behind with its last one. */
const char *flag_refused(char *const *argv)
{
    const char *word = argv[optind - 1];
    size_t size = strlen(word);
    bool is_short = optopt > 0 && optopt < 256;
    bool is_left_behind = word[0] == '-' && size > 1 && word[size - 1] == optopt;

    return is_short && !is_left_behind && argv[optind] != NULL ? argv[optind] : word;
}

const char *flag_hint(const struct option *flags, const char *word, char text[NEAREST_HINT_SIZE])
{
    char name[2 * NEAREST_NAME_MAX];
    struct nearest nearest = {.word = name};

    word += strspn(word, "-");
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    for (; flags->name != NULL; flags++)
        (void)nearest_offer(&nearest, flags->name);
    return nearest_hint(&nearest, "--", text);
}
