/*
 * swimctl --complete, for the shells: completions/ hold what is left of it there.
 *
 *   swimctl --complete line WORD...     what may stand for the last of these words, typed in part;
 *                                       the words before it are those behind "swimctl"
 *   swimctl --complete KIND             all there are of one kind: verbs, members, tags, keys ...
 *
 * One candidate a line, with a description behind a tab where there is one; ":files" means files.
 * Nothing, when no daemon answers at once: completion must neither hang nor complain.
 */
#define _GNU_SOURCE
#include "ctl/options.h"

#include "ctl/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 500
#define WORD_MAX 1024

struct completion {
    struct ctl ctl;
    const char *lead;   /* in front of each candidate: "--status=" */
    const char *prefix; /* what has been typed of it behind the lead */
    const struct verb *verb;
    const struct ctl_option *pending; /* whose value comes next */
    int word_count;                   /* behind the verb, in front of the one in question */
    const char *first;                /* of these */
};

/* What is no clean text can't be typed either: it is left out. */
static void put(const struct completion *completion, const char *word, const char *description)
{
    char clean[WORD_MAX];

    if (*word == '\0' || strncmp(word, completion->prefix, strlen(completion->prefix)) != 0 ||
        strlen(word) >= sizeof clean || strcmp(text_clean(word, clean, sizeof clean), word) != 0)
        return;
    (void)printf("%s%s", completion->lead, word);
    if (description != NULL && *description != '\0')
        (void)printf("\t%s", text_clean(description, clean, sizeof clean));
    (void)fputc('\n', stdout);
}

static json_t *get(struct completion *completion, const char *path)
{
    json_t *root = NULL;

    return ctl_get(&completion->ctl, path, &root) == EXIT_CODE_OK ? root : NULL;
}

/* ---- Kinds ------------------------------------------------------------------------------- */

static void put_verbs(struct completion *completion)
{
    for (size_t i = 0; i < ctl_verb_count; i++)
        put(completion, ctl_verbs[i].name, ctl_verbs[i].help);
}

static void put_statuses(struct completion *completion)
{
    put(completion, "alive", NULL);
    put(completion, "suspect", NULL);
    put(completion, "dead", NULL);
    put(completion, "left", NULL);
}

/* Names where there are any, else ids. */
static void put_members(struct completion *completion)
{
    json_t *root = get(completion, "/members");
    json_t *members = json_object_get(root, "members");

    ctl_sort_members(members);
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *member = json_array_get(members, i);
        const char *name = ctl_text(member, "name");
        char description[128];
        (void)snprintf(description, sizeof description, "%s %s", ctl_text(member, "addr"),
                       ctl_text(member, "status"));
        put(completion, *name != '\0' ? name : ctl_text(member, "id"), description);
    }
    json_decref(root);
}

/* KEY=VALUE of all members, each once. */
static void put_tags(struct completion *completion)
{
    json_t *root = get(completion, "/members");
    const json_t *members = json_object_get(root, "members");
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
            put(completion, word, NULL);
        }
    }
    json_decref(seen);
    json_decref(root);
}

static void put_key_ids(struct completion *completion)
{
    json_t *root = get(completion, "/keys");
    const json_t *keys = json_object_get(root, "keys");

    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        put(completion, ctl_text(key, "id"),
            json_is_true(json_object_get(key, "primary")) ? "the primary key" : "accepted");
    }
    json_decref(root);
}

/* Words of `swimctl keys`: what to do, then which key. */
static void put_key_words(struct completion *completion)
{
    if (completion->word_count == 0) {
        put(completion, "list", "the keys held");
        put(completion, "install", "accept a key, from a file or standard input");
        put(completion, "use", "seal with a key");
        put(completion, "remove", "no longer accept a key");
    } else if (completion->word_count == 1 && (strcmp(completion->first, "use") == 0 ||
                                               strcmp(completion->first, "remove") == 0)) {
        put_key_ids(completion);
    }
}

/* Words of `swimctl tags`: what to do, then which tags; "KEY=" for those that get a new value. */
static void put_tag_words(struct completion *completion)
{
    bool is_set = completion->word_count > 0 && strcmp(completion->first, "set") == 0;
    bool is_delete = completion->word_count > 0 && strcmp(completion->first, "delete") == 0;
    char word[WORD_MAX];
    const char *key;
    json_t *value;

    if (completion->word_count == 0) {
        put(completion, "list", "the tags of this member");
        put(completion, "set", "KEY=VALUE...");
        put(completion, "delete", "KEY...");
    }
    if (!is_set && !is_delete)
        return;
    json_t *root = get(completion, "/tags");
    json_object_foreach(json_object_get(root, "tags"), key, value)
    {
        (void)snprintf(word, sizeof word, "%s%s", key, is_set ? "=" : "");
        put(completion, word, json_string_value(value));
    }
    json_decref(root);
}

static void put_files(struct completion *completion)
{
    (void)completion;
    (void)puts(":files");
}

static void put_kind(struct completion *completion, const char *kind)
{
    static const struct {
        const char *kind;
        void (*put)(struct completion *completion);
    } kinds[] = {{"verbs", put_verbs},         {"members", put_members},
                 {"tags", put_tags},           {"keys", put_key_ids},
                 {"key-words", put_key_words}, {"tag-words", put_tag_words},
                 {"statuses", put_statuses},   {"files", put_files}};

    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            kinds[i].put(completion);
}

/* ---- Lines ------------------------------------------------------------------------------- */

static const struct ctl_option *find_option(const struct verb *verb, const char *name, size_t size)
{
    const struct ctl_option *lists[] = {verb != NULL ? verb->options : NULL, options_common};

    for (size_t i = 0; i < 2; i++)
        for (const struct ctl_option *at = lists[i]; at != NULL && at->name != NULL; at++)
            if (strlen(at->name) == size && strncmp(at->name, name, size) == 0)
                return at;
    return NULL;
}

/* The options of the verb, where there is one, and those of all. */
static void put_options(struct completion *completion)
{
    const struct verb *verb = completion->verb;
    const struct ctl_option *lists[] = {verb != NULL ? verb->options : NULL, options_common};
    char word[64];

    for (size_t i = 0; i < 2; i++) {
        for (const struct ctl_option *at = lists[i]; at != NULL && at->name != NULL; at++) {
            (void)snprintf(word, sizeof word, "--%s", at->name);
            put(completion, word, at->help);
        }
    }
}

/* A word in front of the one in question. */
static void take_word(struct completion *completion, const char *word)
{
    if (completion->pending != NULL) {
        if (strcmp(completion->pending->name, "socket") == 0)
            completion->ctl.client.socket = word;
        completion->pending = NULL;
    } else if (strncmp(word, "--", 2) == 0 && word[2] != '\0') {
        size_t size = strcspn(word + 2, "=");
        const struct ctl_option *option = find_option(completion->verb, word + 2, size);
        bool has_value = word[2 + size] == '=';
        if (option != NULL && option->value != NULL && !has_value)
            completion->pending = option;
        else if (option != NULL && has_value && strcmp(option->name, "socket") == 0)
            completion->ctl.client.socket = word + 2 + size + 1;
    } else if (completion->verb == NULL) {
        completion->verb = ctl_verb_find(word);
    } else if (completion->word_count++ == 0) {
        completion->first = word;
    }
}

/* "--status=al": the value, behind what stays. */
static void complete_value(struct completion *completion, const char *word)
{
    size_t size = strcspn(word, "=");
    const struct ctl_option *option = find_option(completion->verb, word + 2, size - 2);
    char *lead = strndup(word, size + 1);

    if (option != NULL && lead != NULL) {
        completion->lead = lead;
        completion->prefix = word + size + 1;
        put_kind(completion, option->complete);
    }
    free(lead);
}

static void complete_line(struct completion *completion, char **words, int count)
{
    const char *last = count > 0 ? words[count - 1] : "";

    for (int i = 0; i + 1 < count; i++)
        take_word(completion, words[i]);
    completion->prefix = last;
    if (completion->pending != NULL)
        put_kind(completion, completion->pending->complete);
    else if (strncmp(last, "--", 2) == 0 && strchr(last, '=') != NULL)
        complete_value(completion, last);
    else if (*last == '-')
        put_options(completion);
    else if (completion->verb == NULL)
        put_verbs(completion);
    else
        put_kind(completion, completion->verb->complete);
}

enum exit_code ctl_complete(int argc, char **argv)
{
    struct completion completion = {.lead = "", .prefix = "", .first = ""};
    char error[CLIENT_ERROR_MAX];
    char *nothing[] = {argv[0], NULL};

    (void)options_parse(1, nothing, &completion.ctl, error); /* for the socket's place */
    completion.ctl.client.timeout_ms = PATIENCE_MS;
    if (strcmp(argv[2], "line") == 0)
        complete_line(&completion, argv + 3, argc - 3);
    else
        put_kind(&completion, argv[2]);
    return EXIT_CODE_OK;
}
