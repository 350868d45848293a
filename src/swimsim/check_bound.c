/*
 * By when: bounds that follow from a plan, its settings, and docs/protocol.md sections 5, 7 and 8.
 * check.h says how they are put together.
 */
#include "swimsim/check_private.h"

/* Members that are alone try once a second, those in company (protocol.md, healing) ... */
#define HEAL_NS (10 * SIM_SECOND)
/* Probing is round-robin within a member, and members are independent: that none of n meets one of
 * m targets in k rounds has a probability below exp(-k n / m). This is exp(-30). */
#define PASSES 30
/* Rounds that a member at local health 8 spends on the way back to 0, in intervals of its probes:
 * 9 + 8 + ... + 2. */
#define RECOVERY_ROUNDS 44
/* A deaf member puts its verdicts off, to so many times the time without confirmation. */
#define DEAF_TIMES 4
/* Settling times of the longest back-off between two synchronisations, and the one before. */
#define SYNC_BACKOFF 33

static uint64_t ms(uint64_t milliseconds)
{
    return milliseconds * SWIM_MS;
}

static uint32_t log2_up(uint64_t n)
{
    uint32_t log = 0;

    while ((UINT64_C(1) << log) < n)
        log++;
    return log;
}

/* ---- Networks ---------------------------------------------------------------------------- */

/* The longest one-way delay of a gentle network. */
static uint64_t gentle_delay(const struct plan *plan)
{
    return ms(plan->member.probe_timeout_ms) / 4;
}

static uint64_t longest_delay(const struct sim_net *net)
{
    uint64_t delay_ns = net->delay_max_ns + net->jitter_ns;

    if (net->delay == SIM_DELAY_CONSTANT)
        delay_ns = net->delay_min_ns + net->jitter_ns;
    if (net->delay == SIM_DELAY_NORMAL)
        delay_ns += net->delay_max_ns; /* it has a tail */
    if (net->reorder_permille != 0)
        delay_ns += 4 * net->delay_max_ns;
    return delay_ns;
}

static bool is_gentle(const struct plan *plan, const struct sim_net *net)
{
    return net->loss_permille == 0 && net->corrupt_permille == 0 && net->bandwidth == 0 &&
           longest_delay(net) <= gentle_delay(plan);
}

static bool sets_net(const struct plan_action *action)
{
    return action->kind == PLAN_NETWORK || action->kind == PLAN_LINK || action->kind == PLAN_ZONE;
}

bool bound_is_damaging(const struct plan *plan)
{
    bool is_damaging = plan->net.corrupt_permille != 0;

    for (uint32_t i = 0; i < plan->zone_link_count; i++)
        is_damaging |= plan->zone_links[i].net.corrupt_permille != 0;
    for (uint32_t i = 0; i < plan->action_count; i++)
        is_damaging |= sets_net(&plan->actions[i]) && plan->actions[i].net.corrupt_permille != 0;
    return is_damaging;
}

static bool is_healed_after(const struct plan *plan, uint64_t at_ns)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        if (plan->actions[i].kind == PLAN_HEAL && plan->actions[i].at_ns >= at_ns)
            return true;
    }
    return false;
}

/* The links that have nothing of their own, after the last action. */
static const struct sim_net *last_net(const struct plan *plan)
{
    const struct sim_net *net = &plan->net;
    uint64_t at_ns = 0;

    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        if (action->kind != PLAN_NETWORK || action->for_ns != 0 || action->at_ns < at_ns)
            continue;
        at_ns = action->at_ns;
        net = &action->net;
    }
    return net;
}

uint64_t bound_gentle_since(const struct plan *plan)
{
    bool is_always = is_gentle(plan, &plan->net);

    for (uint32_t i = 0; i < plan->zone_link_count; i++) {
        if (!is_gentle(plan, &plan->zone_links[i].net))
            return SWIM_NEVER;
    }
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        if (!sets_net(action) || is_gentle(plan, &action->net))
            continue;
        is_always = false;
        if (action->kind != PLAN_NETWORK && action->for_ns == 0 &&
            !is_healed_after(plan, action->at_ns))
            return SWIM_NEVER;
    }
    if (!is_gentle(plan, last_net(plan)))
        return SWIM_NEVER;
    return is_always ? 0 : plan_faults_end_ns(plan);
}

static bool is_single(const struct plan_selection *selection)
{
    return (selection->kind == PLAN_SELECT_RANGE && selection->first == selection->last) ||
           (selection->kind == PLAN_SELECT_COUNT && selection->value == 1);
}

/* A fault that stays, unless it is healed. */
static bool is_for_good(const struct plan_action *action)
{
    switch (action->kind) {
    case PLAN_SPLIT:
    case PLAN_CUT:
    case PLAN_LOSSY:
    case PLAN_LINK:
    case PLAN_ZONE:
    case PLAN_CLOCK_RATE:
    case PLAN_SERVICE:
    case PLAN_NAT: return action->for_ns == 0;
    default: return false;
    }
}

/* Four times the longest way (asked, probed, answered, told) is shorter than what is left of a round
 * when the direct probe's time is over. */
static bool is_time_to_relay(const struct plan *plan)
{
    uint64_t left_ns = ms(plan->member.probe_interval_ms - plan->member.probe_timeout_ms);
    uint64_t longest_ns = longest_delay(last_net(plan));

    for (uint32_t i = 0; i < plan->zone_link_count; i++) {
        uint64_t delay_ns = longest_delay(&plan->zone_links[i].net);

        longest_ns = delay_ns > longest_ns ? delay_ns : longest_ns;
    }
    return 4 * longest_ns < left_ns;
}

uint64_t bound_thin_since(const struct plan *plan)
{
    uint64_t end_ns = plan_faults_end_ns(plan);
    uint64_t thin_ns = SWIM_NEVER;

    if (plan->member.indirect_k == 0 || plan->plain.kind != PLAN_SELECT_NONE ||
        !is_time_to_relay(plan))
        return SWIM_NEVER;
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        if (!is_for_good(action))
            continue;
        /* Two of them may leave a third without a way. */
        if (action->kind != PLAN_CUT || action->every_ns != 0 || !is_single(&action->who) ||
            !is_single(&action->other) || action->at_ns != end_ns || thin_ns != SWIM_NEVER)
            return SWIM_NEVER;
        thin_ns = end_ns;
    }
    return thin_ns;
}

bool bound_is_deaf_end(const struct plan *plan)
{
    uint32_t deaf = 0;

    /* Plain nodes repeat its newest heartbeat, which clears it (protocol.md, evidence). */
    if (plan->plain.kind != PLAN_SELECT_NONE)
        return false;
    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        if (!is_for_good(action))
            continue;
        if (action->kind != PLAN_LOSSY || action->in_permille != 1000 || !is_single(&action->who))
            return false;
        deaf++;
    }
    return deaf == 1;
}

bool bound_has_io_blocks(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->action_count; i++) {
        if (plan->actions[i].kind == PLAN_BLOCK && plan->actions[i].block == SIM_BLOCK_IO)
            return true;
    }
    return false;
}

/* ---- Sizes ------------------------------------------------------------------------------- */

/* How many nodes a selection may take at most. */
static uint64_t selected(const struct plan *plan, const struct plan_selection *selection)
{
    uint64_t total = plan_nodes_total(plan);

    if (selection->kind == PLAN_SELECT_COUNT && selection->value < total)
        return selection->value;
    if (selection->kind == PLAN_SELECT_SHARE)
        return (total * selection->value + 999) / 1000;
    if (selection->kind == PLAN_SELECT_RANGE)
        return selection->last - selection->first + 1;
    return total;
}

/* The same of an action, over all its repetitions. */
static uint64_t concerned(const struct plan *plan, const struct plan_action *action)
{
    return selected(plan, &action->who) * plan_repeats(plan, action);
}

/* Ids that a member may hold at a time: nodes, and those that they had before. */
static uint64_t count_ids(const struct plan *plan)
{
    uint64_t ids = plan_nodes_total(plan);

    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];

        if ((action->kind == PLAN_RESTART || action->kind == PLAN_MOVE) &&
            action->restart == PLAN_RESTART_NEW_ID)
            ids += concerned(plan, action);
    }
    return ids;
}

/* Addresses that may be tried for healing, and where nobody will answer. */
static uint64_t count_dead_ends(const struct plan *plan)
{
    uint64_t total = plan_nodes_total(plan);
    uint64_t stopped = 0;
    uint64_t moved = 0;

    for (uint32_t i = 0; i < plan->action_count; i++) {
        const struct plan_action *action = &plan->actions[i];
        bool is_for_good = action->for_ns == 0;

        if (action->kind == PLAN_KILL || action->kind == PLAN_LEAVE ||
            (is_for_good && (action->kind == PLAN_CUT || action->kind == PLAN_LOSSY)))
            stopped += concerned(plan, action);
        else if (action->kind == PLAN_MOVE || action->kind == PLAN_NAT)
            moved += concerned(plan, action);
        for (uint32_t k = 0; k < action->group_count && is_for_good; k++)
            stopped += selected(plan, &action->groups[k]);
    }
    return (stopped < total ? stopped : total - 1) + moved;
}

/* ---- Bounds ------------------------------------------------------------------------------ */

/* The longest, as long as the observer is not deaf. */
static uint64_t suspicion_ns(const struct swim_config *member, uint64_t n)
{
    uint64_t factor = 1000 + (uint64_t)member->suspect_multiplier_milli * log2_up(n);

    return member->suspect_timeout_ms * factor * (SWIM_MS / 1000) + ms(member->suspect_jitter_ms);
}

static uint64_t probing_ns(const struct swim_config *member, uint64_t n, uint64_t live)
{
    uint64_t rounds = PASSES * n / live + 1;

    if (rounds > 2 * n - 1)
        rounds = 2 * n - 1;
    if (member->local_health)
        rounds += RECOVERY_ROUNDS;
    return rounds * ms(member->probe_interval_ms);
}

uint64_t bound_gossip_ns(const struct plan *plan)
{
    const struct swim_config *member = &plan->member;
    uint64_t rounds = UINT64_C(1) * member->retransmit_multiplier * log2_up(count_ids(plan) + 1);

    return (rounds + 2) * ms(member->gossip_interval_ms);
}

static uint64_t spreading_ns(const struct plan *plan, uint64_t n)
{
    const struct swim_config *member = &plan->member;
    uint64_t settling = ms(member->gossip_interval_ms) * (log2_up(n + 1) / 2 + 2);

    return SYNC_BACKOFF * settling + bound_gossip_ns(plan) + 2 * ms(member->probe_interval_ms);
}

/* Tries take turns: among seeds, and among the addresses of those that are held dead. A turn may
 * go by with removing eight that live again. */
static uint64_t healing_ns(const struct plan *plan, uint64_t dead_ends)
{
    uint64_t seeds = plan->start.seeds == PLAN_SEEDS_RANDOM ? plan->start.seed_count : 1;
    uint64_t tries = (dead_ends > seeds ? dead_ends : seeds) + plan_nodes_total(plan) / 8 + 2;

    return HEAL_NS * tries;
}

uint64_t bound_pause_ns(const struct plan *plan)
{
    uint64_t health = plan->member.local_health ? SWIM_HEALTH_MAX : 0;

    return (2 + health) * ms(plan->member.probe_interval_ms) + SIM_SECOND;
}

uint64_t bound_calm_ns(const struct plan *plan)
{
    uint64_t health = plan->member.local_health ? 1 + SWIM_HEALTH_MAX : 1;

    return 2 * health * ms(plan->member.probe_interval_ms) + 5 * SIM_SECOND;
}

uint64_t bound_shadow_ns(const struct plan *plan)
{
    uint64_t n = count_ids(plan);

    return bound_calm_ns(plan) + suspicion_ns(&plan->member, n) + spreading_ns(plan, n);
}

uint64_t check_bound_ns(const struct plan *plan)
{
    const struct swim_config *member = &plan->member;
    uint64_t n = count_ids(plan);
    uint64_t dead_ends = count_dead_ends(plan);
    uint64_t total = plan_nodes_total(plan);
    uint64_t live = total > dead_ends ? total - dead_ends : 1;
    uint64_t suspicion = suspicion_ns(member, n) * (member->local_health ? DEAF_TIMES : 1);
    uint64_t round = probing_ns(member, n, live) + suspicion + spreading_ns(plan, n);

    return healing_ns(plan, dead_ends) + 2 * round;
}

uint64_t check_silence_ns(const struct plan *plan)
{
    const struct swim_config *member = &plan->member;

    return ms(member->dead_retention_ms) + spreading_ns(plan, count_ids(plan));
}

bool check_demands_agreement(const struct plan *plan)
{
    return plan->member.anti_entropy_interval_ms != 0 && bound_gentle_since(plan) != SWIM_NEVER &&
           plan_faults_end_ns(plan) + check_bound_ns(plan) < plan->duration_ns;
}
