/* swimctl rtt: what the last probes have measured; nothing is sent for it. Without words: of all
 * live members, the nearest first. */
#include "ctl/verb.h"

#include "ctl/duration.h"
#include "ctl/json_out.h"
#include "ctl/table.h"
#include "ctl/targets.h"

#include <stdlib.h>
#include <string.h>

static enum exit_code ask(struct ctl *ctl, const char *id, json_t **ret)
{
    char path[40];

    (void)snprintf(path, sizeof path, "/rtt?id=%s", id);
    return ctl_get(ctl, path, ret);
}

static void show(struct ctl *ctl, const char *word, const json_t *answer)
{
    char text[32];

    (void)ctl;
    duration_of(ctl_real(answer, "rtt_seconds"), text, sizeof text);
    (void)printf("%s: %s\n", word, *text != '\0' ? text : "not measured yet");
}

/* ---- All --------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double left = ctl_real(*(json_t *const *)a, "rtt_seconds");
    double right = ctl_real(*(json_t *const *)b, "rtt_seconds");

    return (left > right) - (left < right);
}

/* Of those that were measured. Returns how many; they belong to `members`. */
static size_t sort(const json_t *members, json_t **ret)
{
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(members); i++) {
        json_t *member = json_array_get(members, i);
        if (json_object_get(member, "rtt_seconds") != NULL)
            ret[count++] = member;
    }
    qsort(ret, count, sizeof(json_t *), compare);
    return count;
}

static void put_json(json_t *const *members, size_t count)
{
    static const char *const keys[] = {"id", "name", "addr", "rtt_seconds"};
    struct json json;

    json_out_init(&json, stdout);
    json_object_begin(&json);
    json_key(&json, "results");
    json_array_begin(&json);
    for (size_t i = 0; i < count; i++) {
        json_object_begin(&json);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            const json_t *value = json_object_get(members[i], keys[k]);
            if (value == NULL)
                continue;
            json_key(&json, keys[k]);
            json_out_value(&json, value);
        }
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    (void)fputc('\n', stdout);
}

static bool put_table(json_t *const *members, size_t count)
{
    static const struct table_column columns[] = {{"RTT", true, false, 0},
                                                  {"NAME", false, true, 0},
                                                  {"ADDRESS", false, false, 0},
                                                  {"ID", false, false, 1}};
    struct table *table = table_new(columns, 4);
    char text[32];

    for (size_t i = 0; table != NULL && i < count; i++) {
        duration_of(ctl_real(members[i], "rtt_seconds"), text, sizeof text);
        table_cell(table, text, STYLE_PLAIN);
        table_cell(table, ctl_text(members[i], "name"), STYLE_PLAIN);
        table_cell(table, ctl_text(members[i], "addr"), STYLE_PLAIN);
        table_cell(table, ctl_text(members[i], "id"), STYLE_FAINT);
    }
    bool ok = table != NULL && table_print(table, stdout, style_columns(stdout));
    table_free(table);
    return ok;
}

static enum exit_code show_all(struct ctl *ctl)
{
    json_t *root = NULL;
    enum exit_code code = ctl_get(ctl, "/members?status=alive,suspect", &root);

    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    const json_t *members = json_object_get(root, "members");
    json_t **sorted = calloc(json_array_size(members) + 1, sizeof(json_t *));
    size_t count = sorted != NULL ? sort(members, sorted) : 0;
    bool ok = sorted != NULL;
    if (ok && ctl->is_json)
        put_json(sorted, count);
    else if (ok)
        ok = put_table(sorted, count);
    free((void *)sorted);
    json_decref(root);
    return ok ? EXIT_CODE_OK : ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
}

enum exit_code verb_rtt(struct ctl *ctl)
{
    if (ctl->word_count == 0)
        return show_all(ctl);
    return ctl_for_targets(ctl, &(struct ctl_target){.ask = ask, .show = show});
}
