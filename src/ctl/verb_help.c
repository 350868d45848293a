/* swimctl help */
#include "ctl/verb.h"

#include "ctl/json_out.h"

static void put_verb(struct json *json, const struct verb *verb)
{
    json_object_begin(json);
    json_key(json, "verb");
    json_text(json, verb->name);
    json_key(json, "words");
    json_text(json, verb->words);
    json_key(json, "help");
    json_text(json, verb->help);
    json_key(json, "options");
    json_array_begin(json);
    for (const struct ctl_option *at = verb->options; at != NULL && at->name != NULL; at++)
        json_text(json, at->name);
    json_array_end(json);
    json_object_end(json);
}

static void put_all(const struct verb *only)
{
    struct json json;

    json_out_init(&json, stdout);
    json_object_begin(&json);
    json_key(&json, "verbs");
    json_array_begin(&json);
    for (size_t i = 0; i < ctl_verb_count; i++)
        if (only == NULL || only == &ctl_verbs[i])
            put_verb(&json, &ctl_verbs[i]);
    json_array_end(&json);
    json_object_end(&json);
    (void)fputc('\n', stdout);
}

enum exit_code verb_help(struct ctl *ctl)
{
    const struct verb *verb = NULL;
    char hint[NEAREST_HINT_SIZE];

    if (ctl->word_count > 0) {
        verb = ctl_verb_find(ctl->words[0]);
        if (verb == NULL)
            return ctl_fail(ctl, EXIT_CODE_USAGE, "there is no verb \"%.100s\"%s; see swimctl help",
                            ctl->words[0], ctl_verb_hint(ctl->words[0], hint));
    }
    if (ctl->is_json)
        put_all(verb);
    else if (verb != NULL)
        ctl_print_verb(verb);
    else
        ctl_print_help();
    return EXIT_CODE_OK;
}
