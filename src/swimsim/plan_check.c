/*
 * The rules that every plan keeps, whether it was read from a file, put together from flags, drawn
 * by the swarm or cut down by the reducer. Messages name keys as in files.
 */
#include "swimsim/plan_keys.h"

#include "plain/plain_v1.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPEAT_MIN_NS SWIM_MS

struct checked {
    const struct plan *plan;
    struct plan_error *error;
    uint32_t action; /* UINT32_MAX: the plan as a whole */
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct checked *checked,
                                                        const char *format, ...)
{
    char *text = checked->error->text;
    size_t cap = sizeof checked->error->text;
    const struct plan_action *action = &checked->plan->actions[checked->action % PLAN_ACTIONS_MAX];
    char time[PLAN_TEXT_SIZE];
    size_t size = 0;
    va_list arguments;

    if (checked->action != UINT32_MAX) {
        text_write_duration(action->at_ns, time, sizeof time);
        size = (size_t)snprintf(text, cap,
                                "[[at]] number %u (%s at %s): ", (unsigned)checked->action + 1,
                                plan_kind_name(action->kind), time);
    }
    va_start(arguments, format);
    (void)vsnprintf(text + size, cap - size, format, arguments);
    va_end(arguments);
    checked->error->action = checked->action;
    return false;
}

/* ---- Parts ------------------------------------------------------------------------------- */

static bool check_net(const struct checked *checked, const struct sim_net *net, const char *where)
{
    const char *broken = sim_net_check(net);

    return broken == NULL || wrong(checked, "%s: %s", where, broken);
}

static bool check_selection(const struct checked *checked, const char *key,
                            const struct plan_selection *selection)
{
    uint32_t total = plan_nodes_total(checked->plan);

    if (selection->kind == PLAN_SELECT_RANGE &&
        (selection->first > selection->last || selection->last >= total))
        return wrong(checked, "%s: node %u is not among the %u nodes, which count from 0", key,
                     (unsigned)selection->last, (unsigned)total);
    if (selection->kind == PLAN_SELECT_COUNT && (selection->value == 0 || selection->value > total))
        return wrong(checked, "%s: must be from 1 to %u nodes", key, (unsigned)total);
    if (selection->kind == PLAN_SELECT_SHARE && selection->value > 1000)
        return wrong(checked, "%s: must be at most 100%%", key);
    if (selection->kind == PLAN_SELECT_ZONE && selection->value >= checked->plan->zone_count)
        return wrong(checked, "%s: no such zone", key);
    if (selection->kind == PLAN_SELECT_OTHERS && strcmp(key, "other") != 0)
        return wrong(checked, "%s: \"others\" can only be in other, and means all but who", key);
    return true;
}

static bool check_member(const struct checked *checked)
{
    struct swim_config config = checked->plan->member;
    const char *field;

    config.id = 1;
    config.incarnation = 0;
    config.addr = (struct swim_addr){.ip = {10, 0, 0, 1}, .port = 1, .family = 4};
    field = swim_config_check(&config);
    if (field == NULL)
        return true;
    if (strcmp(field, "probe_timeout_ms") == 0)
        return wrong(checked,
                     "[probes] timeout_ms = %u: must be from 1 to %u, that is, less than "
                     "interval_ms = %u",
                     (unsigned)config.probe_timeout_ms, (unsigned)config.probe_interval_ms - 1,
                     (unsigned)config.probe_interval_ms);
    return wrong(checked, "settings of the members: %s is out of its range", field);
}

static bool check_zones(const struct checked *checked)
{
    const struct plan *plan = checked->plan;

    if (plan->zone_count > PLAN_ZONES_MAX || plan->zone_link_count > PLAN_ZONE_LINKS_MAX)
        return wrong(checked, "[[zone]]: at most %u zones and %u links between them",
                     (unsigned)PLAN_ZONES_MAX, (unsigned)PLAN_ZONE_LINKS_MAX);
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        if (plan->zones[i].name[0] == '\0')
            return wrong(checked, "[[zone]] number %u: name: must be given", (unsigned)i + 1);
        if (plan->zones[i].share == 0)
            return wrong(checked, "[[zone]] %s: share: must be at least 1", plan->zones[i].name);
        for (uint32_t k = 0; k < i; k++)
            if (strcmp(plan->zones[i].name, plan->zones[k].name) == 0)
                return wrong(checked, "[[zone]] %s: there are two of this name",
                             plan->zones[i].name);
    }
    for (uint32_t i = 0; i < plan->zone_link_count; i++) {
        const struct plan_zone_link *link = &plan->zone_links[i];
        if (link->from >= plan->zone_count || link->to >= plan->zone_count)
            return wrong(checked, "[[zone_link]] number %u: from and to must name zones",
                         (unsigned)i + 1);
        if (!check_net(checked, &link->net, "[[zone_link]]"))
            return false;
    }
    return true;
}

static bool check_start(const struct checked *checked)
{
    const struct plan *plan = checked->plan;
    const struct plan_start *start = &plan->start;

    if (start->clusters == 0 || start->clusters > plan->nodes)
        return wrong(checked, "[start] clusters = %u: must be from 1 to the number of nodes, %u",
                     (unsigned)start->clusters, (unsigned)plan->nodes);
    if (start->kind == PLAN_START_ACQUAINTED && start->clusters != 1)
        return wrong(checked,
                     "[start] clusters = %u: several clusters cannot start acquainted; "
                     "how must be \"together\" or \"one by one\"",
                     (unsigned)start->clusters);
    if (!plan_names_fit(plan))
        return wrong(checked,
                     "[start] names = \"%s\": must be %u of 1 to %u bytes, as there are clusters, "
                     "with commas between them",
                     start->names, (unsigned)start->clusters, (unsigned)SWIM_CLUSTER_MAX);
    if (start->names[0] != '\0' && plan->plain.kind != PLAN_SELECT_NONE)
        return wrong(checked, "[start] names: plain nodes can't say the name of their cluster, and "
                              "belong to none that has one");
    if (start->seeds == PLAN_SEEDS_RANDOM &&
        (start->seed_count == 0 || start->seed_count > SIM_SEEDS_MAX))
        return wrong(checked, "[start] seeds: must be \"random 1\" to \"random %u\"",
                     (unsigned)SIM_SEEDS_MAX);
    return true;
}

static bool check_plain(const struct checked *checked)
{
    const struct plan *plan = checked->plan;

    switch (plan->plain.kind) {
    case PLAN_SELECT_NONE: return true;
    case PLAN_SELECT_OTHERS:
    case PLAN_SELECT_STOPPED:
    case PLAN_SELECT_PLAIN:
        return wrong(checked, "plain: must be \"all\", \"3\", \"3-9\", \"random 3\", "
                              "\"random 5%%\" or \"zone NAME\"");
    default: break;
    }
    if (plan_nodes_total(plan) > PLAIN_MEMBERS_MAX)
        return wrong(checked, "plain: plain nodes know at most %u members",
                     (unsigned)PLAIN_MEMBERS_MAX);
    return check_selection(checked, "plain", &plan->plain);
}

/* ---- Actions ----------------------------------------------------------------------------- */

static bool needs_who(enum plan_kind kind)
{
    return (plan_key_find("at", "who")->kinds >> kind & 1) != 0;
}

static bool check_times(const struct checked *checked, const struct plan_action *action)
{
    bool is_repeated = action->every_ns != 0;

    if (action->at_ns > PLAN_TIME_MAX_NS || action->for_ns > PLAN_TIME_MAX_NS ||
        action->every_ns > PLAN_TIME_MAX_NS || action->until_ns > PLAN_TIME_MAX_NS)
        return wrong(checked, "times must be at most 1000h");
    if (is_repeated && action->every_ns < REPEAT_MIN_NS)
        return wrong(checked, "every: must be at least 1ms");
    if (action->until_ns != 0 && !is_repeated)
        return wrong(checked, "until: goes with every");
    if (action->until_ns != 0 && action->until_ns <= action->at_ns)
        return wrong(checked, "until: must be later than time");
    if ((action->kind == PLAN_PAUSE || action->kind == PLAN_BLOCK) && action->for_ns == 0)
        return wrong(checked, "for: must say how long");
    return true;
}

static bool check_who(const struct checked *checked, const struct plan_action *action)
{
    if (needs_who(action->kind) && action->who.kind == PLAN_SELECT_NONE)
        return wrong(checked, "who: must say which nodes");
    if (action->kind == PLAN_SEEDS && action->other.kind == PLAN_SELECT_NONE)
        return wrong(checked, "other: must say which nodes are the seeds");
    if (action->kind == PLAN_SPLIT && action->group_count == 0)
        return wrong(checked, "groups: must name at least one, as in [\"0-4\", \"random 20%%\"]");
    if (action->group_count > PLAN_GROUPS_MAX)
        return wrong(checked, "groups: must be at most %u", (unsigned)PLAN_GROUPS_MAX);
    for (uint32_t i = 0; i < action->group_count; i++)
        if (!check_selection(checked, "groups", &action->groups[i]))
            return false;
    return check_selection(checked, "who", &action->who) &&
           check_selection(checked, "other", &action->other);
}

static bool check_numbers(const struct checked *checked, const struct plan_action *action)
{
    if (action->kind == PLAN_JOIN && action->count == 0)
        return wrong(checked, "count: must say how many");
    if (action->kind == PLAN_LOSSY && action->in_permille + action->out_permille == 0)
        return wrong(checked, "in or out: must be above 0%%; heal ends losses, and so does for");
    if (action->in_permille > 1000 || action->out_permille > 1000)
        return wrong(checked, "in, out: must be at most 100%%");
    if (action->kind == PLAN_CLOCK_JUMP &&
        (action->jump_ns == 0 || action->jump_ns > PLAN_TIME_MAX_NS))
        return wrong(checked, "by: must say how far, up to 1000h");
    if (action->ppm < -900000 || action->ppm > 9000000)
        return wrong(checked, "rate: must be from -90%% to +900%%");
    if (action->service_ns > PLAN_TIME_MAX_NS)
        return wrong(checked, "takes: must be at most 1000h");
    return true;
}

static bool check_action(const struct checked *checked, const struct plan_action *action)
{
    bool has_net =
        action->kind == PLAN_LINK || action->kind == PLAN_ZONE || action->kind == PLAN_NETWORK;

    if (action->kind == PLAN_ZONE && (action->zone_from >= checked->plan->zone_count ||
                                      action->zone_to >= checked->plan->zone_count))
        return wrong(checked, "from and to must name zones; there are %u",
                     (unsigned)checked->plan->zone_count);
    return check_times(checked, action) && check_who(checked, action) &&
           check_numbers(checked, action) && (!has_net || check_net(checked, &action->net, "link"));
}

/* Before the numbers of nodes are added up, lest they overflow. */
static bool check_size(const struct checked *checked)
{
    const struct plan *plan = checked->plan;
    uint64_t total = plan->nodes;

    if (plan->nodes == 0 || plan->nodes > PLAN_NODES_MAX)
        return wrong(checked, "nodes = %u: must be from 1 to %u", (unsigned)plan->nodes,
                     (unsigned)PLAN_NODES_MAX);
    if (plan->duration_ns == 0 || plan->duration_ns > PLAN_TIME_MAX_NS)
        return wrong(checked, "for: must be above 0, and at most 1000h");
    if (plan->action_count > PLAN_ACTIONS_MAX)
        return wrong(checked, "[[at]]: at most %u actions", (unsigned)PLAN_ACTIONS_MAX);
    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].kind == PLAN_JOIN)
            total += plan->actions[i].count * plan_repeats(plan, &plan->actions[i]);
    if (total > PLAN_NODES_MAX)
        return wrong(checked, "join: %llu nodes in all, but there can be %u",
                     (unsigned long long)total, (unsigned)PLAN_NODES_MAX);
    return true;
}

bool plan_check(const struct plan *plan, struct plan_error *ret_error)
{
    struct checked checked = {.plan = plan, .error = ret_error, .action = UINT32_MAX};

    if (!check_size(&checked))
        return false;
    if (plan->family != 4 && plan->family != 6)
        return wrong(&checked, "family = %u: must be 4 or 6", (unsigned)plan->family);
    if (!check_member(&checked) || !check_net(&checked, &plan->net, "[link]") ||
        !check_zones(&checked) || !check_start(&checked) || !check_plain(&checked))
        return false;
    for (uint32_t i = 0; i < plan->action_count; i++) {
        checked.action = i;
        if (!check_action(&checked, &plan->actions[i]))
            return false;
    }
    return true;
}
