/*
 * Flags, applied to a plan: those that stand for a key of a scenario, and those that add an
 * action. `--kill 10@30s` is `[[at]] time = "30s", do = "kill", who = "random 10"`.
 */
#define _GNU_SOURCE
#include "swimsim/options.h"

#include "swimsim/plan_keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SETTLED_NS (10 * SIM_SECOND) /* after the last start: when things happen by default */
#define PAUSE_NS (5 * SIM_SECOND)
#define PARTITION_NS (30 * SIM_SECOND)

/* "WHO[:TIME][@TIME]", taken apart. */
struct what {
    char who[64];
    bool has_for;
    uint64_t for_ns;
    bool has_at;
    uint64_t at_ns;
};

static bool refuse(struct plan_error *ret_error, const struct options_flag *flag, const char *why)
{
    (void)snprintf(ret_error->text, sizeof ret_error->text, "--%s %.100s: %.300s", flag->name,
                   *flag->value != '\0' ? flag->value : "\"\"", why);
    ret_error->action = UINT32_MAX;
    return false;
}

/* ---- Flags that are keys ----------------------------------------------------------------- */

static const struct {
    const char *flag;
    const char *section;
    const char *key;
} key_flags[] = {
    {"nodes", "", "nodes"},
    {"for", "", "for"},
    {"start", "start", "how"},
    {"loss", "link", "loss"},
    {"delay", "link", "delay"},
    {"jitter", "link", "jitter"},
    {"duplicate", "link", "duplicate"},
    {"corrupt", "link", "corrupt"},
    {"reorder", "link", "reorder"},
    {"bandwidth", "link", "bandwidth"},
};

static bool set_key(struct plan *plan, const struct options_flag *flag, size_t index,
                    struct plan_error *ret_error)
{
    const struct plan_key *key = plan_key_find(key_flags[index].section, key_flags[index].key);
    struct plan_error why;

    return plan_key_set(plan, key, plan, flag->value, &why) || refuse(ret_error, flag, why.text);
}

static bool set_any(struct plan *plan, const struct options_flag *flag,
                    struct plan_error *ret_error)
{
    struct plan_error why;

    return plan_assign(plan, flag->value, &why) || refuse(ret_error, flag, why.text);
}

static bool set_seed(struct plan *plan, const struct options_flag *flag,
                     struct plan_error *ret_error)
{
    if (strcmp(flag->value, "random") == 0)
        return getentropy(&plan->seed, sizeof plan->seed) == 0 && (plan->seed >>= 32, true);
    return text_read_count(flag->value, 0, INT64_MAX, &plan->seed) ||
           refuse(ret_error, flag,
                  "must be a whole number from 0 to 9223372036854775807, or "
                  "\"random\"");
}

/* ---- Flags that are actions -------------------------------------------------------------- */

/* "10" and "5%" are drawn by lot; all else is a selection as in files. */
static const char *read_who(const struct plan *plan, const char *text, struct plan_selection *ret)
{
    char random[80];

    (void)snprintf(random, sizeof random, "random %s", text);
    if (plan_selection_read(plan, random, ret) == NULL)
        return NULL;
    return plan_selection_read(plan, text, ret);
}

static const char *read_what(const char *text, struct what *ret)
{
    const char *at = strchr(text, '@');
    size_t size = at != NULL ? (size_t)(at - text) : strlen(text);
    const char *colon = memchr(text, ':', size);
    char duration[64] = "";
    size_t who_size = colon != NULL ? (size_t)(colon - text) : size;

    *ret = (struct what){.has_at = at != NULL, .has_for = colon != NULL};
    if (who_size >= sizeof ret->who || size - who_size >= sizeof duration)
        return "too long";
    memcpy(ret->who, text, who_size);
    if (at != NULL && text_read_duration(at + 1, &ret->at_ns) != NULL)
        return "what follows @ must be a time, such as 30s";
    if (colon == NULL)
        return NULL;
    memcpy(duration, colon + 1, size - who_size - 1);
    return text_read_duration(duration, &ret->for_ns) == NULL
               ? NULL
               : "what follows : must be a time, such as 5s";
}

struct action_flag {
    const char *flag;
    enum plan_kind kind;
    bool can_last;
    uint64_t for_ns; /* by default */
};

static const struct action_flag action_flags[] = {
    {"kill", PLAN_KILL, false, 0},         {"leave", PLAN_LEAVE, false, 0},
    {"join", PLAN_JOIN, false, 0},         {"restart", PLAN_RESTART, true, 0},
    {"pause", PLAN_PAUSE, true, PAUSE_NS}, {"partition", PLAN_SPLIT, true, PARTITION_NS},
};

static bool set_who(const struct plan *plan, const struct what *what, struct plan_action *action,
                    const char **ret_why)
{
    uint64_t count;

    if (action->kind == PLAN_JOIN) {
        *ret_why = "must be a whole number of nodes";
        if (!text_read_count(what->who, 1, PLAN_NODES_MAX, &count))
            return false;
        action->count = (uint32_t)count;
        return true;
    }
    if (action->kind == PLAN_SPLIT) {
        action->group_count = 1;
        *ret_why = read_who(plan, what->who, &action->groups[0]);
    } else {
        *ret_why = read_who(plan, what->who, &action->who);
    }
    return *ret_why == NULL;
}

static bool add_action(struct plan *plan, const struct options_flag *flag,
                       const struct action_flag *kind, struct plan_error *ret_error)
{
    struct plan_action *action;
    struct what what;
    const char *why = read_what(flag->value, &what);

    if (why == NULL && what.has_for && !kind->can_last)
        why = "nothing can follow : here";
    if (why != NULL)
        return refuse(ret_error, flag, why);
    if (!what.has_at)
        what.at_ns = plan_start_ns(plan, plan->nodes - 1) + SETTLED_NS;
    action = plan_add(plan, kind->kind, what.at_ns);
    if (action == NULL)
        return refuse(ret_error, flag, "too many actions");
    action->for_ns = what.has_for ? what.for_ns : kind->for_ns;
    return set_who(plan, &what, action, &why) || refuse(ret_error, flag, why);
}

/* ---- All of them ------------------------------------------------------------------------- */

static bool apply_key(struct plan *plan, const struct options_flag *flag,
                      struct plan_error *ret_error)
{
    const char *why;

    for (size_t i = 0; i < sizeof key_flags / sizeof key_flags[0]; i++)
        if (strcmp(key_flags[i].flag, flag->name) == 0)
            return set_key(plan, flag, i, ret_error);
    if (strcmp(flag->name, "seed") == 0)
        return set_seed(plan, flag, ret_error);
    if (strcmp(flag->name, "plain") == 0) {
        why = read_who(plan, flag->value, &plan->plain);
        return why == NULL || refuse(ret_error, flag, why);
    }
    if (strcmp(flag->name, "set") == 0)
        return set_any(plan, flag, ret_error);
    return true;
}

static bool apply_action(struct plan *plan, const struct options_flag *flag,
                         struct plan_error *ret_error)
{
    for (size_t i = 0; i < sizeof action_flags / sizeof action_flags[0]; i++)
        if (strcmp(action_flags[i].flag, flag->name) == 0)
            return add_action(plan, flag, &action_flags[i], ret_error);
    return true;
}

/* Keys first: when actions happen by default follows from how the cluster starts. */
bool options_apply(const struct options *options, struct plan *plan, struct plan_error *ret_error)
{
    for (uint32_t i = 0; i < options->flag_count; i++)
        if (!apply_key(plan, &options->flags[i], ret_error))
            return false;
    for (uint32_t i = 0; i < options->flag_count; i++)
        if (!apply_action(plan, &options->flags[i], ret_error))
            return false;
    return true;
}
