/*
 * Writing plans, for `swimsim show`, for what the reducer found, and for comparing two of them. A
 * value is written when it reads otherwise than the default of its section would.
 */
#include "swimsim/plan_print.h"

#include "base/hash.h"
#include "swimsim/plan_keys.h"

#include <stdio.h>
#include <string.h>

#define VALUE_SIZE (PLAN_TITLE_SIZE + PLAN_GROUPS_MAX * 40)

struct printer {
    const struct plan *plan;
    plan_sink *sink;
    void *context;
    const char *section; /* whose heading is due before the next line; NULL: none is */
    bool is_list;
    uint32_t kind; /* bit of the action's kind; 0 outside of [[at]] */
};

static void put(struct printer *printer, const char *text)
{
    printer->sink(printer->context, text, strlen(text));
}

static void put_heading(struct printer *printer)
{
    if (printer->section == NULL)
        return;
    put(printer, printer->is_list ? "\n[[" : "\n[");
    put(printer, printer->section);
    put(printer, printer->is_list ? "]]\n" : "]\n");
    printer->section = NULL;
}

/* A string of TOML: quotes and backslashes are escaped; there are no control characters. */
static void put_string(struct printer *printer, const char *text)
{
    put(printer, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            put(printer, "\\");
        printer->sink(printer->context, text, 1);
    }
    put(printer, "\"");
}

static void put_value(struct printer *printer, const struct plan_key *key, const char *value)
{
    put_heading(printer);
    put(printer, key->name);
    put(printer, " = ");
    if (key->type == PLAN_VALUE_SELECTIONS) {
        put(printer, "[");
        put(printer, value);
        put(printer, "]");
    } else if (plan_key_is_string(key)) {
        put_string(printer, value);
    } else {
        put(printer, value);
    }
    put(printer, "\n");
}

/* The keys of the section begun, as far as they differ from those of `usual` and (in [[at]])
 * are of this kind. */
static void put_keys(struct printer *printer, const char *section, const void *base,
                     const void *usual)
{
    char value[VALUE_SIZE];
    char usual_value[VALUE_SIZE];

    for (uint32_t i = 0; i < plan_keys(); i++) {
        const struct plan_key *key = plan_key(i);
        if (strcmp(key->section, section) != 0 || (printer->kind & ~key->kinds) != 0)
            continue;
        plan_key_get(printer->plan, key, base, value, sizeof value);
        plan_key_get(printer->plan, key, usual, usual_value, sizeof usual_value);
        if (key->is_always || strcmp(value, usual_value) != 0)
            put_value(printer, key, value);
    }
}

static void begin(struct printer *printer, const char *section, bool is_list)
{
    printer->section = section;
    printer->is_list = is_list;
}

static void put_settings(struct printer *printer)
{
    const char *section = NULL;
    char value[PLAN_TEXT_SIZE];

    for (uint32_t i = 0; i < plan_settings(); i++) {
        const struct plan_setting *setting = plan_setting(i);
        if ((printer->plan->settings >> i & 1) == 0)
            continue;
        if (section == NULL || strcmp(section, setting->section) != 0)
            begin(printer, setting->section, false);
        section = setting->section;
        put_heading(printer);
        plan_setting_write(printer->plan, i, value, sizeof value);
        put(printer, setting->name);
        put(printer, " = ");
        put(printer, value);
        put(printer, "\n");
    }
}

static void put_zones(struct printer *printer)
{
    const struct plan *plan = printer->plan;
    struct plan_zone zone = {.share = 1};
    struct plan_zone_link link = {.net = plan->net};

    for (uint32_t i = 0; i < plan->zone_count; i++) {
        begin(printer, "zone", true);
        put_keys(printer, "zone", &plan->zones[i], &zone);
    }
    for (uint32_t i = 0; i < plan->zone_link_count; i++) {
        begin(printer, "zone_link", true);
        put_keys(printer, "zone_link", &plan->zone_links[i], &link);
    }
}

static void put_actions(struct printer *printer)
{
    const struct plan *plan = printer->plan;

    for (uint32_t i = 0; i < plan->action_count; i++) {
        struct plan_action usual = {
            .draw = i + 1, .net = plan->net, .zone_from = UINT32_MAX, .zone_to = UINT32_MAX};
        begin(printer, "at", true);
        printer->kind = UINT32_C(1) << plan->actions[i].kind;
        put_keys(printer, "at", &plan->actions[i], &usual);
    }
    printer->kind = 0;
}

void plan_print(const struct plan *plan, plan_sink *sink, void *context)
{
    struct printer printer = {.plan = plan, .sink = sink, .context = context};
    struct plan usual;

    plan_default(&usual);
    put_keys(&printer, "", plan, &usual);
    begin(&printer, "start", false);
    put_keys(&printer, "start", plan, &usual);
    begin(&printer, "link", false);
    put_keys(&printer, "link", plan, &usual);
    put_settings(&printer);
    put_zones(&printer);
    put_actions(&printer);
    begin(&printer, "expect", false);
    put_keys(&printer, "expect", plan, &usual);
}

/* ---- Comparing --------------------------------------------------------------------------- */

static void fold(void *context, const char *text, size_t size)
{
    uint64_t *hash = context;

    for (size_t i = 0; i < size; i++)
        *hash = hash_combine(*hash, (uint8_t)text[i]);
}

/* A fingerprint of the text. */
static uint64_t hash_of(const struct plan *plan)
{
    uint64_t hash = 0;

    plan_print(plan, fold, &hash);
    return hash;
}

bool plan_equal(const struct plan *a, const struct plan *b)
{
    return hash_of(a) == hash_of(b);
}
