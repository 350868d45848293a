/*
 * The value of one key: from text into its field, and back. The only place that knows how each
 * type of plan_keys.h lies in memory.
 */
#include "swimsim/plan_keys.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(enum plan_kind) == sizeof(int) && sizeof(enum sim_block) == sizeof(int),
               "a choice is kept as an int");

__attribute__((format(printf, 2, 3))) static bool refuse(struct plan_error *ret_error,
                                                         const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error->text, sizeof ret_error->text, format, arguments);
    va_end(arguments);
    ret_error->action = UINT32_MAX;
    return false;
}

static bool refuse_static(struct plan_error *ret_error, const char *allowed)
{
    return allowed == NULL || refuse(ret_error, "must be %s", allowed);
}

/* ---- Selections -------------------------------------------------------------------------- */

#define SELECTION_ALLOWED                                                                          \
    "nodes: \"all\", \"3\", \"3-9\", \"random 3\", \"5%\", \"others\", \"stopped\", "              \
    "\"plain\" or \"zone NAME\""

static bool read_zone(const struct plan *plan, const char *name, uint32_t *ret)
{
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        if (strcmp(plan->zones[i].name, name) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static const char *zone_name(const struct plan *plan, uint32_t zone)
{
    return zone < plan->zone_count ? plan->zones[zone].name : "?";
}

static bool read_random(const char *text, struct plan_selection *ret)
{
    uint64_t count;

    if (text_read_count(text, 1, PLAN_NODES_MAX, &count)) {
        *ret = (struct plan_selection){.kind = PLAN_SELECT_COUNT, .value = (uint32_t)count};
        return true;
    }
    *ret = (struct plan_selection){.kind = PLAN_SELECT_SHARE};
    return strchr(text, '%') != NULL && text_read_share(text, &ret->value) == NULL;
}

static bool read_nodes(const char *text, struct plan_selection *ret)
{
    const char *dash = strchr(text, '-');
    size_t size = dash != NULL ? (size_t)(dash - text) : strlen(text);
    char first_text[16];
    uint64_t first;
    uint64_t last;

    if (size >= sizeof first_text)
        return false;
    memcpy(first_text, text, size);
    first_text[size] = '\0';
    if (!text_read_count(first_text, 0, PLAN_NODES_MAX - 1, &first))
        return false;
    last = first;
    if (dash != NULL && !text_read_count(dash + 1, first, PLAN_NODES_MAX - 1, &last))
        return false;
    *ret = (struct plan_selection){
        .kind = PLAN_SELECT_RANGE, .first = (uint32_t)first, .last = (uint32_t)last};
    return true;
}

static bool read_word(const char *text, struct plan_selection *ret)
{
    static const struct {
        const char *name;
        enum plan_select kind;
    } words[] = {{"all", PLAN_SELECT_ALL},
                 {"others", PLAN_SELECT_OTHERS},
                 {"stopped", PLAN_SELECT_STOPPED},
                 {"plain", PLAN_SELECT_PLAIN}};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].name, text) == 0) {
            *ret = (struct plan_selection){.kind = words[i].kind};
            return true;
        }
    }
    return false;
}

const char *plan_selection_read(const struct plan *plan, const char *text,
                                struct plan_selection *ret)
{
    struct plan_selection selection = {.kind = PLAN_SELECT_ZONE};
    bool is_good;

    if (strncmp(text, "random ", 7) == 0)
        is_good = read_random(text + 7, &selection);
    else if (strchr(text, '%') != NULL)
        is_good = read_random(text, &selection);
    else if (strncmp(text, "zone ", 5) == 0)
        is_good = read_zone(plan, text + 5, &selection.value);
    else
        is_good = read_word(text, &selection) || read_nodes(text, &selection);
    if (!is_good)
        return SELECTION_ALLOWED;
    *ret = selection;
    return NULL;
}

static void write_selection(const struct plan *plan, const struct plan_selection *selection,
                            char *text, size_t cap)
{
    char share[16];

    switch (selection->kind) {
    case PLAN_SELECT_NONE: (void)snprintf(text, cap, "%s", ""); break;
    case PLAN_SELECT_ALL: (void)snprintf(text, cap, "all"); break;
    case PLAN_SELECT_OTHERS: (void)snprintf(text, cap, "others"); break;
    case PLAN_SELECT_STOPPED: (void)snprintf(text, cap, "stopped"); break;
    case PLAN_SELECT_PLAIN: (void)snprintf(text, cap, "plain"); break;
    case PLAN_SELECT_COUNT: (void)snprintf(text, cap, "random %u", selection->value); break;
    case PLAN_SELECT_SHARE:
        text_write_share(selection->value, share, sizeof share);
        (void)snprintf(text, cap, "random %s", share);
        break;
    case PLAN_SELECT_ZONE:
        (void)snprintf(text, cap, "zone %s", zone_name(plan, selection->value));
        break;
    case PLAN_SELECT_RANGE:
        if (selection->first == selection->last)
            (void)snprintf(text, cap, "%u", selection->first);
        else
            (void)snprintf(text, cap, "%u-%u", selection->first, selection->last);
        break;
    }
}

/* ---- Other values ------------------------------------------------------------------------ */

static bool set_text(const struct plan_key *key, char *place, const char *text,
                     struct plan_error *ret_error)
{
    size_t size = strlen(text);
    bool is_good = size < key->max;

    for (size_t i = 0; i < size; i++)
        is_good = is_good && (unsigned char)text[i] >= ' ';
    if (!is_good)
        return refuse(ret_error, "must be a string of one line and at most %u bytes",
                      (unsigned)key->max - 1);
    memset(place, 0, (size_t)key->max);
    memcpy(place, text, size + 1);
    return true;
}

static bool set_count(const struct plan_key *key, char *place, const char *text,
                      struct plan_error *ret_error)
{
    uint64_t value = 0;
    uint32_t number;
    uint8_t byte;

    if (!text_read_count(text, key->min, key->max, &value))
        return refuse(ret_error, "must be a whole number from %llu to %llu",
                      (unsigned long long)key->min, (unsigned long long)key->max);
    number = (uint32_t)value;
    byte = (uint8_t)value;
    if (key->type == PLAN_VALUE_U64)
        memcpy(place, &value, sizeof value);
    else if (key->type == PLAN_VALUE_BYTE)
        memcpy(place, &byte, sizeof byte);
    else
        memcpy(place, &number, sizeof number);
    return true;
}

static bool set_limit(const struct plan_key *key, struct plan_limit *limit, const char *text,
                      struct plan_error *ret_error)
{
    if (!set_count(key, (char *)&limit->max, text, ret_error))
        return false;
    limit->is_set = true;
    return true;
}

static bool read_boolean(const char *text, bool *ret)
{
    *ret = strcmp(text, "true") == 0;
    return *ret || strcmp(text, "false") == 0;
}

static bool set_boolean(const struct plan_key *key, char *place, const char *text,
                        struct plan_error *ret_error)
{
    bool value;

    if (!read_boolean(text, &value))
        return refuse(ret_error, "must be true or false");
    if (key->type == PLAN_VALUE_OPPOSITE)
        value = !value;
    memcpy(place, &value, sizeof value);
    return true;
}

static bool set_choice(const struct plan_key *key, char *place, const char *text,
                       struct plan_error *ret_error)
{
    char list[400] = "";
    size_t size = 0;

    for (int i = 0; key->names[i] != NULL; i++) {
        if (strcmp(key->names[i], text) == 0) {
            memcpy(place, &i, sizeof i);
            return true;
        }
        size += (size_t)snprintf(list + size, sizeof list - size, "%s\"%s\"",
                                 i == 0                      ? ""
                                 : key->names[i + 1] == NULL ? " or "
                                                             : ", ",
                                 key->names[i]);
    }
    return refuse(ret_error, "must be %s", list);
}

static bool set_seeds(struct plan_start *start, const char *text, struct plan_error *ret_error)
{
    uint64_t count;

    if (strcmp(text, "star") == 0) {
        start->seeds = PLAN_SEEDS_STAR;
    } else if (strcmp(text, "ring") == 0) {
        start->seeds = PLAN_SEEDS_RING;
    } else if (strncmp(text, "random ", 7) == 0 &&
               text_read_count(text + 7, 1, SIM_SEEDS_MAX, &count)) {
        start->seeds = PLAN_SEEDS_RANDOM;
        start->seed_count = (uint32_t)count;
    } else {
        return refuse(ret_error, "must be \"star\", \"ring\" or \"random N\", N from 1 to %u",
                      (unsigned)SIM_SEEDS_MAX);
    }
    return true;
}

static bool set_zone(const struct plan *plan, char *place, const char *text,
                     struct plan_error *ret_error)
{
    uint32_t zone;

    if (!read_zone(plan, text, &zone))
        return refuse(ret_error, "must be the name of a [[zone]]");
    memcpy(place, &zone, sizeof zone);
    return true;
}

/* A further element of a key of type SELECTIONS. */
static bool append(const struct plan *plan, struct plan_action *action, const char *text,
                   struct plan_error *ret_error)
{
    struct plan_selection selection;
    const char *allowed = plan_selection_read(plan, text, &selection);

    if (allowed != NULL)
        return refuse_static(ret_error, allowed);
    if (action->group_count == PLAN_GROUPS_MAX)
        return refuse(ret_error, "must have at most %u groups", (unsigned)PLAN_GROUPS_MAX);
    action->groups[action->group_count++] = selection;
    return true;
}

/* ---- All of them ------------------------------------------------------------------------- */

bool plan_key_set(const struct plan *plan, const struct plan_key *key, void *base, const char *text,
                  struct plan_error *ret_error)
{
    char *place = (char *)base + key->offset;

    switch (key->type) {
    case PLAN_VALUE_TEXT: return set_text(key, place, text, ret_error);
    case PLAN_VALUE_U64:
    case PLAN_VALUE_COUNT:
    case PLAN_VALUE_BYTE: return set_count(key, place, text, ret_error);
    case PLAN_VALUE_BOOLEAN:
    case PLAN_VALUE_OPPOSITE: return set_boolean(key, place, text, ret_error);
    case PLAN_VALUE_DURATION:
        return refuse_static(ret_error, text_read_duration(text, (uint64_t *)(void *)place));
    case PLAN_VALUE_SHARE:
        return refuse_static(ret_error, text_read_share(text, (uint32_t *)(void *)place));
    case PLAN_VALUE_RATE:
        return refuse_static(ret_error, text_read_rate(text, (uint64_t *)(void *)place));
    case PLAN_VALUE_SIZE:
        return refuse_static(ret_error, text_read_size(text, (uint32_t *)(void *)place));
    case PLAN_VALUE_DELAY:
        return refuse_static(ret_error, text_read_delay(text, (struct sim_net *)(void *)place));
    case PLAN_VALUE_PPM:
        return refuse_static(ret_error, text_read_ppm(text, (int32_t *)(void *)place));
    case PLAN_VALUE_CHOICE: return set_choice(key, place, text, ret_error);
    case PLAN_VALUE_SEEDS: return set_seeds((struct plan_start *)(void *)place, text, ret_error);
    case PLAN_VALUE_ZONE: return set_zone(plan, place, text, ret_error);
    case PLAN_VALUE_SELECTION:
        return refuse_static(ret_error, plan_selection_read(plan, text, (void *)place));
    case PLAN_VALUE_SELECTIONS: return append(plan, base, text, ret_error);
    case PLAN_VALUE_LIMIT: break;
    }
    return set_limit(key, (struct plan_limit *)(void *)place, text, ret_error);
}

static void get_seeds(const struct plan_start *start, char *text, size_t cap)
{
    if (start->seeds == PLAN_SEEDS_RANDOM)
        (void)snprintf(text, cap, "random %u", start->seed_count);
    else
        (void)snprintf(text, cap, "%s", start->seeds == PLAN_SEEDS_STAR ? "star" : "ring");
}

static void get_selections(const struct plan *plan, const struct plan_action *action, char *text,
                           size_t cap)
{
    char one[PLAN_TEXT_SIZE];
    size_t size = 0;

    text[0] = '\0';
    for (uint32_t i = 0; i < action->group_count && size < cap; i++) {
        write_selection(plan, &action->groups[i], one, sizeof one);
        size += (size_t)snprintf(text + size, cap - size, "%s\"%s\"", i == 0 ? "" : ", ", one);
    }
}

static uint64_t number_at(const struct plan_key *key, const char *place)
{
    uint64_t number;
    uint32_t word;

    if (key->type == PLAN_VALUE_BYTE)
        return *(const uint8_t *)place;
    if (key->type == PLAN_VALUE_U64 || key->type == PLAN_VALUE_DURATION ||
        key->type == PLAN_VALUE_RATE) {
        memcpy(&number, place, sizeof number);
        return number;
    }
    memcpy(&word, place, sizeof word);
    return word;
}

static void get_number(const struct plan_key *key, const char *place, char *text, size_t cap)
{
    uint64_t number = number_at(key, place);

    switch (key->type) {
    case PLAN_VALUE_DURATION: text_write_duration(number, text, cap); break;
    case PLAN_VALUE_RATE: text_write_rate(number, text, cap); break;
    case PLAN_VALUE_SHARE: text_write_share((uint32_t)number, text, cap); break;
    case PLAN_VALUE_SIZE: text_write_size((uint32_t)number, text, cap); break;
    case PLAN_VALUE_PPM: text_write_ppm((int32_t)(uint32_t)number, text, cap); break;
    case PLAN_VALUE_CHOICE: (void)snprintf(text, cap, "%s", key->names[number]); break;
    default: (void)snprintf(text, cap, "%llu", (unsigned long long)number); break;
    }
}

void plan_key_get(const struct plan *plan, const struct plan_key *key, const void *base, char *text,
                  size_t cap)
{
    const char *place = (const char *)base + key->offset;
    const struct plan_limit *limit = (const void *)place;

    switch (key->type) {
    case PLAN_VALUE_TEXT: (void)snprintf(text, cap, "%s", place); break;
    case PLAN_VALUE_BOOLEAN:
    case PLAN_VALUE_OPPOSITE:
        (void)snprintf(text, cap, "%s",
                       *(const bool *)place == (key->type == PLAN_VALUE_BOOLEAN) ? "true"
                                                                                 : "false");
        break;
    case PLAN_VALUE_DELAY: text_write_delay((const void *)place, text, cap); break;
    case PLAN_VALUE_SEEDS: get_seeds((const void *)place, text, cap); break;
    case PLAN_VALUE_SELECTION: write_selection(plan, (const void *)place, text, cap); break;
    case PLAN_VALUE_SELECTIONS: get_selections(plan, base, text, cap); break;
    case PLAN_VALUE_ZONE:
        (void)snprintf(text, cap, "%s", zone_name(plan, *(const uint32_t *)(const void *)place));
        break;
    case PLAN_VALUE_LIMIT:
        text[0] = '\0';
        if (limit->is_set)
            (void)snprintf(text, cap, "%u", limit->max);
        break;
    default: get_number(key, place, text, cap); break;
    }
}

/* ---- Settings of the members ------------------------------------------------------------- */

static void refuse_setting(const struct plan_setting *setting, struct plan_error *ret_error)
{
    const char *off = setting->zero_is_off ? "0 (off) or " : "";

    if (setting->type == PLAN_SETTING_BOOLEAN)
        (void)refuse(ret_error, "must be true or false");
    else
        (void)refuse(ret_error, "must be %sa%s number from %u to %u", off,
                     setting->type == PLAN_SETTING_NUMBER ? " whole" : "", (unsigned)setting->min,
                     (unsigned)setting->max);
}

/* "1.25" as 1250. */
static bool read_milli(const char *text, uint64_t *ret)
{
    char whole[16];
    char digits[] = "000";
    size_t size = strcspn(text, ".");
    uint64_t fraction;

    if (size >= sizeof whole)
        return false;
    memcpy(whole, text, size);
    whole[size] = '\0';
    if (text[size] == '.') {
        if (strlen(text + size + 1) == 0 || strlen(text + size + 1) > 3)
            return false;
        memcpy(digits, text + size + 1, strlen(text + size + 1));
    }
    if (!text_read_count(whole, 0, 1000000, ret) || !text_read_count(digits, 0, 999, &fraction))
        return false;
    *ret = *ret * 1000 + fraction;
    return true;
}

bool plan_setting_read(struct plan *plan, uint32_t index, const char *text,
                       struct plan_error *ret_error)
{
    const struct plan_setting *setting = plan_setting(index);
    uint64_t value = 0;
    bool flag = false;
    bool is_read;

    switch (setting->type) {
    case PLAN_SETTING_NUMBER: is_read = text_read_count(text, 0, UINT32_MAX, &value); break;
    case PLAN_SETTING_MILLI: is_read = read_milli(text, &value); break;
    default:
        is_read = read_boolean(text, &flag);
        value = flag;
        break;
    }
    if (is_read && plan_setting_set(plan, index, (uint32_t)value))
        return true;
    refuse_setting(setting, ret_error);
    return false;
}

void plan_setting_write(const struct plan *plan, uint32_t index, char *text, size_t cap)
{
    uint32_t value = plan_setting_get(plan, index);

    switch (plan_setting(index)->type) {
    case PLAN_SETTING_NUMBER: (void)snprintf(text, cap, "%u", (unsigned)value); break;
    case PLAN_SETTING_MILLI:
        (void)snprintf(text, cap, "%u.%03u", (unsigned)value / 1000, (unsigned)value % 1000);
        break;
    case PLAN_SETTING_BOOLEAN: (void)snprintf(text, cap, "%s", value ? "true" : "false"); break;
    }
}

/* ---- Assignments ------------------------------------------------------------------------- */

bool plan_assign(struct plan *plan, const char *assignment, struct plan_error *ret_error)
{
    const char *equals = strchr(assignment, '=');
    size_t size = equals != NULL ? (size_t)(equals - assignment) : 0;
    char section[64] = "";
    char full[64];
    char *name = full;
    char *dot;
    const struct plan_key *key;
    uint32_t setting;
    bool is_list;

    if (equals == NULL || size == 0 || size >= sizeof full)
        return refuse(ret_error, "must be KEY=VALUE, such as probes.interval_ms=500");
    memcpy(full, assignment, size);
    full[size] = '\0';
    dot = strchr(full, '.');
    if (dot != NULL) {
        memcpy(section, full, (size_t)(dot - full));
        section[dot - full] = '\0';
        name = dot + 1;
    }
    setting = plan_setting_find(section, name);
    if (setting != UINT32_MAX)
        return plan_setting_read(plan, setting, equals + 1, ret_error);
    key = plan_key_find(section, name);
    if (key == NULL || (plan_key_section(section, &is_list) && is_list))
        return refuse(ret_error, "no such key; the manual, swimsim(1), lists them");
    return plan_key_set(plan, key, plan, equals + 1, ret_error);
}
