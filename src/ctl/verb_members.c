/* swimctl members: the table that people look at first. */
#include "ctl/verb.h"

#include "ctl/duration.h"
#include "ctl/filter.h"
#include "ctl/json_out.h"
#include "ctl/table.h"

#include <string.h>

#define TAGS_MAX 1024

static const struct table_column columns[] = {
    {"NAME", false, true, 0}, {"ADDRESS", false, false, 0}, {"STATUS", false, false, 0},
    {"RTT", true, false, 1},  {"INC", true, false, 4},      {"TAGS", false, true, 2},
    {"ID", false, false, 3},
};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

/* ---- The table --------------------------------------------------------------------------- */

static void put_tags(struct table *table, const json_t *member)
{
    const json_t *tags = json_object_get(member, "tags");
    char text[TAGS_MAX];
    size_t size = 0;
    const char *key;
    json_t *value;

    text[0] = '\0';
    json_object_foreach((json_t *)(uintptr_t)tags, key, value)
    {
        const char *shown = json_string_value(value);
        int more = snprintf(text + size, sizeof text - size, "%s%s=%s", size > 0 ? " " : "", key,
                            shown != NULL ? shown : "");
        size += more > 0 ? (size_t)more : 0;
        if (size >= sizeof text)
            break;
    }
    table_cell(table, text, STYLE_PLAIN);
}

static void put_row(struct table *table, const json_t *member)
{
    const char *status = ctl_text(member, "status");
    bool is_self = json_is_true(json_object_get(member, "self"));
    char text[64];

    table_cell(table, ctl_text(member, "name"), is_self ? STYLE_HEAD : STYLE_PLAIN);
    table_cell(table, ctl_text(member, "addr"), STYLE_PLAIN);
    table_cell(table, status, style_of_status(status));
    duration_of(ctl_real(member, "rtt_seconds"), text, sizeof text);
    table_cell(table, is_self ? "self" : text, STYLE_PLAIN);
    (void)snprintf(text, sizeof text, "%llu",
                   (unsigned long long)ctl_number(member, "incarnation"));
    table_cell(table, text, STYLE_PLAIN);
    put_tags(table, member);
    table_cell(table, ctl_text(member, "id"), STYLE_FAINT);
}

static void put_summary(const json_t *members)
{
    static const char *const names[] = {"alive", "suspect", "dead", "left"};
    size_t count = json_array_size(members);

    (void)printf("%zu member%s", count, count == 1 ? "" : "s");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t of_these = 0;
        for (size_t at = 0; at < count; at++)
            if (strcmp(ctl_text(json_array_get(members, at), "status"), names[i]) == 0)
                of_these++;
        if (of_these > 0 || i == 0)
            (void)printf("%s %zu %s", i == 0 ? ":" : ",", of_these, names[i]);
    }
    (void)fputc('\n', stdout);
}

static enum exit_code show(struct ctl *ctl, const json_t *members)
{
    struct table *table = table_new(columns, COLUMN_COUNT);
    bool ok;

    if (table == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    for (size_t i = 0; i < json_array_size(members); i++)
        put_row(table, json_array_get(members, i));
    ok = table_print(table, stdout, style_columns(stdout));
    table_free(table);
    if (!ok)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    put_summary(members);
    return EXIT_CODE_OK;
}

enum exit_code verb_members(struct ctl *ctl)
{
    char path[CTL_PATH_MAX] = "/members";
    enum exit_code code = ctl_filter(ctl, path);
    json_t *root;

    if (code == EXIT_CODE_OK)
        code = ctl_get(ctl, path, &root);
    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    ctl_sort_members(json_object_get(root, "members"));
    if (ctl->is_json)
        json_out_line(stdout, root);
    else
        code = show(ctl, json_object_get(root, "members"));
    json_decref(root);
    return code;
}
