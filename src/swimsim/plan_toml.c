/*
 * Scenario files. A file is gone through twice: first the sections that stand alone, then the
 * lists ([[zone_link]], [[at]]), whose values name zones and build on [link], wherever these
 * stand in the file. An unknown key is an error: a mistyped one must not be a silent default.
 */
#include "swimsim/plan_toml.h"

#include "base/nearest.h"
#include "swimsim/plan_keys.h"
#include "toml/toml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loader {
    struct plan *plan;
    const char *path;
    struct plan_error *error;
    bool has_failed;
    bool is_second;                   /* pass */
    uint32_t lines[PLAN_ACTIONS_MAX]; /* where each [[at]] stands */
    bool has_time[PLAN_ACTIONS_MAX];
    bool has_kind[PLAN_ACTIONS_MAX];
    /* Keys of each [[at]], by index in plan_key, for a kind that may come after them. */
    uint64_t given[PLAN_ACTIONS_MAX][2];
};

/* ---- Messages ---------------------------------------------------------------------------- */

/* "FILE:LINE:COLUMN: ", as far as they are known. */
static size_t put_place(const struct loader *loader, const struct toml_item *item, char *text,
                        size_t cap)
{
    uint32_t line = item != NULL ? item->line : 0;
    uint32_t column = item != NULL ? item->column : 0;

    if (line == 0)
        return (size_t)snprintf(text, cap, "%.200s: ", loader->path);
    if (column == 0)
        return (size_t)snprintf(text, cap, "%.200s:%u: ", loader->path, (unsigned)line);
    return (size_t)snprintf(text, cap, "%.200s:%u:%u: ", loader->path, (unsigned)line,
                            (unsigned)column);
}

__attribute__((format(printf, 3, 4))) static bool
fail(struct loader *loader, const struct toml_item *item, const char *format, ...)
{
    char *text = loader->error->text;
    size_t cap = sizeof loader->error->text;
    size_t size = put_place(loader, item, text, cap);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text + size, cap - size, format, arguments);
    va_end(arguments);
    loader->error->action = UINT32_MAX;
    loader->has_failed = true;
    return false;
}

/* "[probes] interval_ms", "[[at]] who", "nodes". */
static const char *full_name(const struct toml_item *item, char *text, size_t cap)
{
    const char *open = item->is_listed ? "[[" : "[";
    const char *close = item->is_listed ? "]]" : "]";

    if (item->section[0] == '\0')
        (void)snprintf(text, cap, "%.64s", item->key);
    else
        (void)snprintf(text, cap, "%s%.64s%s %.64s", open, item->section, close, item->key);
    return text;
}

/* The name of one of all keys and settings, or NULL: it is of another section. */
static const char *name_in(const char *section, uint32_t at)
{
    bool is_key = at < plan_keys();
    const char *name = is_key ? plan_key(at)->name : plan_setting(at - plan_keys())->name;
    const char *of = is_key ? plan_key(at)->section : plan_setting(at - plan_keys())->section;

    return strcmp(of, section) == 0 ? name : NULL;
}

static bool fail_unknown(struct loader *loader, const struct toml_item *item)
{
    struct nearest nearest = {.word = item->key};
    char hint[NEAREST_HINT_SIZE];
    char name[160];
    char known[400] = "";
    size_t size = 0;

    for (uint32_t i = 0; i < plan_keys() + plan_settings() && size < sizeof known; i++) {
        const char *key = name_in(item->section, i);
        if (key == NULL)
            continue;
        size +=
            (size_t)snprintf(known + size, sizeof known - size, "%s%s", size == 0 ? "" : ", ", key);
        (void)nearest_offer(&nearest, key);
    }
    return fail(loader, item, "%s: unknown key%s; the keys here are %s",
                full_name(item, name, sizeof name), nearest_hint(&nearest, "", hint), known);
}

static bool fail_section(struct loader *loader, const struct toml_item *item, const char *name)
{
    return fail(loader, item,
                "%.64s: unknown section; there are [start], [link], [gossip], [network], "
                "[probes], [lifeguard], [expect], and lists of [[zone]], [[zone_link]], [[at]]",
                name);
}

/* ---- Values ------------------------------------------------------------------------------ */

/* The item as text. False when its type cannot be that of a value here. */
static bool item_text(const struct toml_item *item, char *text, size_t cap)
{
    switch (item->type) {
    case TOML_TYPE_STRING:
        if (strlen(item->text) != item->text_size || item->text_size >= cap)
            return false;
        memcpy(text, item->text, item->text_size + 1);
        return true;
    case TOML_TYPE_INTEGER:
        (void)snprintf(text, cap, "%lld", (long long)item->integer);
        return true;
    case TOML_TYPE_FLOAT: (void)snprintf(text, cap, "%.3f", item->real); return true;
    case TOML_TYPE_BOOLEAN:
        (void)snprintf(text, cap, "%s", item->boolean ? "true" : "false");
        return true;
    default: return false;
    }
}

static const char *type_name(enum toml_type type)
{
    switch (type) {
    case TOML_TYPE_TABLE: return "a table";
    case TOML_TYPE_ARRAY: return "an array";
    case TOML_TYPE_STRING: return "a string";
    case TOML_TYPE_INTEGER: return "a whole number";
    case TOML_TYPE_FLOAT: return "a fraction";
    case TOML_TYPE_BOOLEAN: return "true or false";
    case TOML_TYPE_DATE: break;
    }
    return "a date";
}

/* "must be ..." from whoever refused the value, with what it is and what it was. */
static bool fail_value(struct loader *loader, const struct toml_item *item, const char *text)
{
    struct plan_error why = *loader->error;
    const char *quote = item->type == TOML_TYPE_STRING ? "\"" : "";
    char name[160];

    full_name(item, name, sizeof name);
    if (text == NULL)
        return fail(loader, item, "%s: %.280s, not %s", name, why.text, type_name(item->type));
    return fail(loader, item, "%s = %s%.64s%s: %.280s", name, quote, text, quote, why.text);
}

/* Numbers and truth values stand bare; all else is a string, but a bare 0 needs no unit. */
static bool is_type_right(const struct plan_key *key, const struct toml_item *item)
{
    if (plan_key_is_string(key))
        return item->type == TOML_TYPE_STRING ||
               (item->type == TOML_TYPE_INTEGER && key->type != PLAN_VALUE_TEXT);
    if (key->type == PLAN_VALUE_BOOLEAN || key->type == PLAN_VALUE_OPPOSITE)
        return item->type == TOML_TYPE_BOOLEAN;
    return item->type == TOML_TYPE_INTEGER;
}

static bool set_key(struct loader *loader, const struct plan_key *key, void *base,
                    const struct toml_item *item)
{
    char text[PLAN_TITLE_SIZE + 1];

    if (key->type == PLAN_VALUE_SELECTIONS && item->type == TOML_TYPE_ARRAY && !item->is_element)
        return true; /* its elements follow */
    if ((key->type == PLAN_VALUE_SELECTIONS) != item->is_element || !is_type_right(key, item) ||
        !item_text(item, text, sizeof text)) {
        /* No value is "\001": this only says what would be allowed. */
        (void)plan_key_set(loader->plan, key, base, "\001", loader->error);
        return fail_value(loader, item, NULL);
    }
    if (plan_key_set(loader->plan, key, base, text, loader->error))
        return true;
    return fail_value(loader, item, text);
}

static bool set_setting(struct loader *loader, uint32_t index, const struct toml_item *item)
{
    enum plan_setting_type type = plan_setting(index)->type;
    bool is_right = type == PLAN_SETTING_BOOLEAN ? item->type == TOML_TYPE_BOOLEAN
                    : type == PLAN_SETTING_NUMBER
                        ? item->type == TOML_TYPE_INTEGER
                        : item->type == TOML_TYPE_INTEGER || item->type == TOML_TYPE_FLOAT;
    char text[PLAN_TEXT_SIZE];

    if (!is_right || item->is_element || !item_text(item, text, sizeof text)) {
        (void)plan_setting_read(loader->plan, index, "\001", loader->error);
        return fail_value(loader, item, NULL);
    }
    if (plan_setting_read(loader->plan, index, text, loader->error))
        return true;
    return fail_value(loader, item, text);
}

/* ---- Lists ------------------------------------------------------------------------------- */

/* A further element of a list begins. */
static bool begin_element(struct loader *loader, const struct toml_item *item)
{
    struct plan *plan = loader->plan;

    if (strcmp(item->section, "zone") == 0) {
        if (plan->zone_count == PLAN_ZONES_MAX)
            return fail(loader, item, "[[zone]]: at most %u", (unsigned)PLAN_ZONES_MAX);
        plan->zones[plan->zone_count++] = (struct plan_zone){.share = 1};
        return true;
    }
    if (strcmp(item->section, "zone_link") == 0) {
        if (plan->zone_link_count == PLAN_ZONE_LINKS_MAX)
            return fail(loader, item, "[[zone_link]]: at most %u", (unsigned)PLAN_ZONE_LINKS_MAX);
        plan->zone_links[plan->zone_link_count++] =
            (struct plan_zone_link){.from = UINT32_MAX, .to = UINT32_MAX, .net = plan->net};
        return true;
    }
    if (plan->action_count == PLAN_ACTIONS_MAX)
        return fail(loader, item, "[[at]]: at most %u", (unsigned)PLAN_ACTIONS_MAX);
    loader->lines[plan->action_count] = item->line;
    plan->actions[plan->action_count] = (struct plan_action){
        .draw = plan->action_count + 1,
        .net = plan->net,
        .zone_from = UINT32_MAX,
        .zone_to = UINT32_MAX,
    };
    plan->action_count++;
    return true;
}

static uint32_t index_of(const struct plan_key *key)
{
    return (uint32_t)(key - plan_key(0));
}

static bool set_in_action(struct loader *loader, const struct plan_key *key,
                          const struct toml_item *item)
{
    uint32_t index = item->index;

    loader->given[index][index_of(key) / 64] |= UINT64_C(1) << index_of(key) % 64;
    loader->has_time[index] |= strcmp(key->name, "time") == 0;
    loader->has_kind[index] |= strcmp(key->name, "do") == 0;
    return set_key(loader, key, &loader->plan->actions[index], item);
}

static bool set_in_list(struct loader *loader, const struct plan_key *key,
                        const struct toml_item *item)
{
    struct plan *plan = loader->plan;

    if (strcmp(item->section, "zone") == 0)
        return set_key(loader, key, &plan->zones[item->index], item);
    if (strcmp(item->section, "zone_link") == 0)
        return set_key(loader, key, &plan->zone_links[item->index], item);
    return set_in_action(loader, key, item);
}

/* ---- The document ------------------------------------------------------------------------ */

/* [[zone_link]] and [[at]] wait for the second pass. */
static bool is_of_this_pass(const struct loader *loader, const struct toml_item *item)
{
    bool is_late = item->is_listed && strcmp(item->section, "zone") != 0;

    return is_late == loader->is_second;
}

/* A section's or list's own heading. */
static bool visit_heading(struct loader *loader, const struct toml_item *item)
{
    bool is_list;

    if (!plan_key_section(item->section, &is_list))
        return fail_section(loader, item, item->section);
    if (is_list != item->is_listed)
        return fail(loader, item,
                    is_list ? "[%s]: must be [[%s]], as there may be several"
                            : "[[%s]]: must be [%s], as there is one only",
                    item->section, item->section);
    return !item->is_listed || begin_element(loader, item);
}

static bool visit(void *context, const struct toml_item *item)
{
    struct loader *loader = context;
    const struct plan_key *key;
    uint32_t setting;
    bool is_list;

    if (!is_of_this_pass(loader, item))
        return true;
    if (item->section[0] != '\0' && item->key[0] == '\0')
        return visit_heading(loader, item);
    if (item->section[0] == '\0' && item->type == TOML_TYPE_ARRAY)
        return (plan_key_section(item->key, &is_list) && is_list) ||
               fail_section(loader, item, item->key);
    setting = plan_setting_find(item->section, item->key);
    if (setting != UINT32_MAX)
        return set_setting(loader, setting, item);
    key = plan_key_find(item->section, item->key);
    if (key == NULL)
        return fail_unknown(loader, item);
    return item->is_listed ? set_in_list(loader, key, item)
                           : set_key(loader, key, loader->plan, item);
}

static bool read_pass(struct loader *loader, const char *text, size_t size)
{
    struct toml_error error;
    struct toml_item place;

    if (toml_read(text, size, visit, loader, &error))
        return !loader->has_failed;
    place = (struct toml_item){.line = error.line, .column = error.column};
    return fail(loader, &place, "%s", error.text);
}

/* Keys that this kind of action has no use for. */
static bool check_given(struct loader *loader, uint32_t index)
{
    const struct plan_action *action = &loader->plan->actions[index];
    struct toml_item place = {.line = loader->lines[index]};
    const char *missing = !loader->has_time[index]   ? "time: must be given, as in \"10s\""
                          : !loader->has_kind[index] ? "do: must be given, as in \"kill\""
                                                     : NULL;

    if (missing != NULL)
        return fail(loader, &place, "[[at]] %s", missing);
    for (uint32_t i = 0; i < plan_keys(); i++)
        if ((loader->given[index][i / 64] >> i % 64 & 1) != 0 &&
            (plan_key(i)->kinds >> action->kind & 1) == 0)
            return fail(loader, &place, "[[at]] %s: has no meaning for do = \"%s\"",
                        plan_key(i)->name, plan_kind_name(action->kind));
    return true;
}

static bool check_all(struct loader *loader)
{
    struct toml_item place = {0};
    struct plan_error why;

    for (uint32_t i = 0; i < loader->plan->action_count; i++)
        if (!check_given(loader, i))
            return false;
    if (plan_check(loader->plan, &why))
        return true;
    if (why.action != UINT32_MAX)
        place.line = loader->lines[why.action];
    return fail(loader, &place, "%s", why.text);
}

/* "scenarios/kill.toml" is called "kill". */
static void set_name(struct plan *plan, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    size_t size = strlen(name);

    if (size > 5 && strcmp(name + size - 5, ".toml") == 0)
        size -= 5;
    if (size >= sizeof plan->name)
        size = sizeof plan->name - 1;
    memset(plan->name, 0, sizeof plan->name);
    memcpy(plan->name, name, size);
}

static bool parse(struct plan *plan, const char *path, const char *text, size_t size,
                  struct plan_error *ret_error)
{
    struct loader *loader = calloc(1, sizeof *loader);
    bool is_good;

    if (loader == NULL)
        abort();
    *loader = (struct loader){.plan = plan, .path = path, .error = ret_error};
    set_name(plan, path);
    is_good = read_pass(loader, text, size);
    loader->is_second = true;
    is_good = is_good && read_pass(loader, text, size) && check_all(loader);
    free(loader);
    return is_good;
}

bool plan_parse(struct plan *plan, const char *path, const char *text, struct plan_error *ret_error)
{
    return parse(plan, path, text, strlen(text), ret_error);
}

bool plan_load(struct plan *plan, const char *path, struct plan_error *ret_error)
{
    char *text = malloc(PLAN_FILE_MAX + 1);
    FILE *file = fopen(path, "rb");
    size_t size = 0;
    bool is_good = false;

    if (text == NULL)
        abort();
    *ret_error = (struct plan_error){.action = UINT32_MAX};
    if (file == NULL || (size = fread(text, 1, PLAN_FILE_MAX + 1, file), ferror(file)))
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%.300s: %s", path,
                       strerror(errno));
    else if (size > PLAN_FILE_MAX)
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%.300s: longer than %u bytes",
                       path, (unsigned)PLAN_FILE_MAX);
    else
        is_good = parse(plan, path, text, size, ret_error);
    if (file != NULL)
        (void)fclose(file);
    free(text);
    return is_good;
}
