/*
 * swimctl --complete WHAT: words for the shells' completions, one a line, each with a description
 * behind a tab where there is one. Nothing when no daemon answers at once: completion must neither
 * hang nor complain.
 */
#include "ctl/options.h"

#include "ctl/text.h"

#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 500
#define WORD_MAX 1024

static void put(const char *word, const char *description)
{
    char clean[WORD_MAX];

    if (*word == '\0')
        return;
    (void)fputs(text_clean(word, clean, sizeof clean), stdout);
    if (description != NULL && *description != '\0')
        (void)printf("\t%s", text_clean(description, clean, sizeof clean));
    (void)fputc('\n', stdout);
}

static json_t *get(struct ctl *ctl, const char *path)
{
    json_t *root = NULL;

    return ctl_get(ctl, path, &root) == EXIT_CODE_OK ? root : NULL;
}

static void put_verbs(struct ctl *ctl)
{
    (void)ctl;
    for (size_t i = 0; i < ctl_verb_count; i++)
        put(ctl_verbs[i].name, ctl_verbs[i].help);
}

static void put_statuses(struct ctl *ctl)
{
    (void)ctl;
    put("alive", NULL);
    put("suspect", NULL);
    put("dead", NULL);
    put("left", NULL);
}

/* Names where there are any, else ids. */
static void put_members(struct ctl *ctl)
{
    json_t *root = get(ctl, "/members");
    json_t *members = json_object_get(root, "members");

    ctl_sort_members(members);
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);
        const char *name = ctl_text(member, "name");
        char description[128];
        (void)snprintf(description, sizeof description, "%s %s", ctl_text(member, "addr"),
                       ctl_text(member, "status"));
        put(*name != '\0' ? name : ctl_text(member, "id"), description);
    }
    json_decref(root);
}

/* KEY=VALUE of all members, each once. */
static void put_tags(struct ctl *ctl)
{
    json_t *root = get(ctl, "/members");
    json_t *members = json_object_get(root, "members");
    json_t *seen = json_object();
    char word[WORD_MAX];
    const char *key;
    json_t *value;

    for (size_t i = 0; i < json_array_size(members); i++) {
        json_object_foreach(json_object_get(json_array_get(members, i), "tags"), key, value)
        {
            const char *text = json_string_value(value);
            (void)snprintf(word, sizeof word, "%s=%s", key, text != NULL ? text : "");
            if (json_object_get(seen, word) != NULL)
                continue;
            (void)json_object_set_new(seen, word, json_true());
            put(word, NULL);
        }
    }
    json_decref(seen);
    json_decref(root);
}

static void put_own_tags(struct ctl *ctl)
{
    json_t *root = get(ctl, "/tags");
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(root, "tags"), key, value) put(key, NULL);
    json_decref(root);
}

static void put_keys(struct ctl *ctl)
{
    json_t *root = get(ctl, "/keys");
    const json_t *keys = json_object_get(root, "keys");

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        put(ctl_text(key, "id"),
            json_is_true(json_object_get(key, "primary")) ? "the primary key" : "accepted");
    }
    json_decref(root);
}

/* The options of a verb, or (no verb) those of all. */
static void put_options(const struct verb *verb)
{
    const struct ctl_option *lists[] = {verb != NULL ? verb->options : NULL, options_common};
    char word[64];

    for (size_t i = 0; i < 2; i++) {
        for (const struct ctl_option *at = lists[i]; at != NULL && at->name != NULL; at++) {
            (void)snprintf(word, sizeof word, "--%s", at->name);
            put(word, at->help);
        }
    }
}

enum exit_code ctl_complete(int argc, char **argv)
{
    static const struct {
        const char *what;
        void (*put)(struct ctl *ctl);
    } kinds[] = {{"verbs", put_verbs},       {"members", put_members}, {"tags", put_tags},
                 {"own-tags", put_own_tags}, {"keys", put_keys},       {"statuses", put_statuses}};
    char *words[] = {argv[0], argv[0], NULL};
    char error[CLIENT_ERROR_MAX];
    struct ctl ctl;

    words[1] = (char[]){"version"};
    (void)options_parse(2, words, &ctl, error); /* the socket's place */
    ctl.client.timeout_ms = PATIENCE_MS;
    if (argc > 4 && strcmp(argv[3], "--socket") == 0)
        ctl.client.socket = argv[4];
    if (strcmp(argv[2], "options") == 0)
        put_options(argc > 3 ? ctl_verb_find(argv[3]) : NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].what, argv[2]) == 0)
            kinds[i].put(&ctl);
    return EXIT_CODE_OK;
}
