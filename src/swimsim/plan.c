/*
 * Plans: defaults, what can be asked of one, and the rules that every plan must keep, whoever made
 * it. There is no protocol in here.
 */
#include "swimsim/plan.h"

#include "base/assert.h"

#include <string.h>

static const char *const kind_names[] = {
#define PLAN_KIND_TEXT(name, text) text,
    PLAN_KINDS(PLAN_KIND_TEXT)
#undef PLAN_KIND_TEXT
};

const char *plan_kind_name(enum plan_kind kind)
{
    ASSERT((unsigned)kind < PLAN_KIND_COUNT);
    return kind_names[kind];
}

void plan_default(struct plan *plan)
{
    struct sim_config sim;

    sim_config_default(&sim, 1, 1);
    memset(plan, 0, sizeof *plan);
    memcpy(plan->name, "plan", sizeof "plan");
    plan->seed = 1;
    plan->nodes = 3;
    plan->family = 4;
    plan->duration_ns = 60 * SIM_SECOND;
    plan->start.seed_count = 1;
    plan->start.clusters = 1;
    plan->start.every_ns = SIM_SECOND;
    swim_config_default(&plan->member);
    plan->net = sim.net;
    plan->receive_buffer = sim.receive_buffer;
}

/* ---- Questions --------------------------------------------------------------------------- */

uint64_t plan_repeats(const struct plan *plan, const struct plan_action *action)
{
    uint64_t end_ns = plan->duration_ns;

    if (action->at_ns >= end_ns)
        return 0;
    if (action->every_ns == 0)
        return 1;
    if (action->until_ns != 0 && action->until_ns < end_ns)
        end_ns = action->until_ns;
    return end_ns <= action->at_ns ? 0 : 1 + (end_ns - 1 - action->at_ns) / action->every_ns;
}

static uint64_t count_joining(const struct plan *plan)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].kind == PLAN_JOIN)
            count += plan->actions[i].count * plan_repeats(plan, &plan->actions[i]);
    return count;
}

uint32_t plan_nodes_total(const struct plan *plan)
{
    return (uint32_t)(plan->nodes + count_joining(plan));
}

uint64_t plan_start_ns(const struct plan *plan, uint32_t node)
{
    const struct plan_start *start = &plan->start;

    switch (start->kind) {
    case PLAN_START_ACQUAINTED: return 0;
    case PLAN_START_ONE_BY_ONE: return node * start->every_ns;
    case PLAN_START_TOGETHER: break;
    }
    return plan_cluster_first(plan, node) == node ? 0 : start->rest_after_ns;
}

uint64_t plan_faults_end_ns(const struct plan *plan)
{
    uint64_t end_ns = plan_start_ns(plan, plan->nodes - 1);

    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];
        uint64_t repeats = plan_repeats(plan, action);
        uint64_t over_ns;

        if (repeats == 0)
            continue;
        over_ns = action->at_ns + (repeats - 1) * action->every_ns + action->for_ns;
        end_ns = over_ns > end_ns ? over_ns : end_ns;
    }
    return end_ns;
}

uint32_t plan_zone_of(const struct plan *plan, uint32_t node)
{
    uint64_t shares = 0;
    uint64_t before = 0;

    if (plan->zone_count == 0)
        return 0;
    if (node >= plan->nodes) /* one that joined: round and round */
        return (node - plan->nodes) % plan->zone_count;
    for (uint32_t i = 0; i < plan->zone_count; i++)
        shares += plan->zones[i].share;
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        before += plan->zones[i].share;
        if (node < plan->nodes * before / shares)
            return i;
    }
    return plan->zone_count - 1;
}

/* ---- Changes ----------------------------------------------------------------------------- */

static uint32_t free_draw(const struct plan *plan)
{
    uint32_t draw = plan->action_count + 1;

    for (uint32_t i = 0; i < plan->action_count; i++)
        if (plan->actions[i].draw >= draw)
            draw = plan->actions[i].draw + 1;
    return draw;
}

struct plan_action *plan_add(struct plan *plan, enum plan_kind kind, uint64_t at_ns)
{
    struct plan_action *action;

    if (plan->action_count == PLAN_ACTIONS_MAX)
        return NULL;
    action = &plan->actions[plan->action_count];
    memset(action, 0, sizeof *action);
    action->kind = kind;
    action->at_ns = at_ns;
    action->draw = free_draw(plan);
    action->net = plan->net;
    plan->action_count++;
    return action;
}

void plan_remove(struct plan *plan, uint32_t index)
{
    ASSERT(index < plan->action_count);
    plan->action_count--;
    for (uint32_t i = index; i < plan->action_count; i++)
        plan->actions[i] = plan->actions[i + 1];
    memset(&plan->actions[plan->action_count], 0, sizeof plan->actions[0]);
}
