/* swimctl tags: those of the daemon's own member, at run time. */
#define _GNU_SOURCE
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 5000

static enum exit_code show(struct ctl *ctl, const json_t *root)
{
    const char *key;
    json_t *value;

    if (ctl->is_json) {
        json_out_line(stdout, root);
        return EXIT_CODE_OK;
    }
    json_object_foreach(json_object_get(root, "tags"), key, value)
    {
        char clean[TEXT_MAX];
        const char *text = json_string_value(value);
        (void)printf("%s=", text_clean(key, clean, sizeof clean));
        (void)puts(text_clean(text != NULL ? text : "", clean, sizeof clean));
    }
    return EXIT_CODE_OK;
}

static void put_set(struct json *json, char **words, int count)
{
    json_key(json, "set");
    json_object_begin(json);
    for (int i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        *equals = '\0';
        json_key(json, words[i]);
        json_text(json, equals + 1);
        *equals = '=';
    }
    json_object_end(json);
}

static void put_delete(struct json *json, char **words, int count)
{
    json_key(json, "delete");
    json_array_begin(json);
    for (int i = 0; i < count; i++)
        json_text(json, words[i]);
    json_array_end(json);
}

static enum exit_code check_set(struct ctl *ctl)
{
    for (int i = 1; i < ctl->word_count; i++) {
        const char *equals = strchr(ctl->words[i], '=');
        if (equals == NULL || equals == ctl->words[i])
            return ctl_note(ctl, EXIT_CODE_USAGE, "tags set takes KEY=VALUE, not %.100s",
                            ctl->words[i]);
    }
    return EXIT_CODE_OK;
}

static enum exit_code change(struct ctl *ctl, bool is_set, json_t **ret)
{
    struct json_body body;
    enum exit_code code = is_set ? check_set(ctl) : EXIT_CODE_OK;

    if (code != EXIT_CODE_OK)
        return code;
    if (!json_body_begin(&body))
        return ctl_note(ctl, EXIT_CODE_FAILURE, "no memory");
    json_object_begin(&body.json);
    (is_set ? put_set : put_delete)(&body.json, ctl->words + 1, ctl->word_count - 1);
    json_object_end(&body.json);
    char *text = json_body_end(&body);
    if (text == NULL)
        return ctl_note(ctl, EXIT_CODE_FAILURE, "no memory");
    code = ctl_post(ctl, "/tags", text, ret);
    free(text);
    return code;
}

enum exit_code verb_tags(struct ctl *ctl)
{
    const char *what = ctl->word_count > 0 ? ctl->words[0] : "list";
    bool is_set = strcmp(what, "set") == 0;
    bool is_list = strcmp(what, "list") == 0;
    json_t *root = NULL;
    enum exit_code code;

    if (!is_set && !is_list && strcmp(what, "delete") != 0)
        return ctl_fail(ctl, EXIT_CODE_USAGE, "tags: list, set or delete, not %.100s", what);
    if (is_list ? ctl->word_count > 1 : ctl->word_count < 2)
        return ctl_fail(ctl, EXIT_CODE_USAGE, "tags %s takes %s", what,
                        is_list  ? "no more words"
                        : is_set ? "KEY=VALUE..."
                                 : "KEY...");
    code = is_list ? ctl_get(ctl, "/tags", &root) : change(ctl, is_set, &root);
    if (code == EXIT_CODE_OK)
        code = show(ctl, root);
    json_decref(root);
    return ctl_say(ctl, code);
}
