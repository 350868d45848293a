/*
 * A scenario out of a seed. What is drawn covers what the tool can do to a cluster: every setting,
 * every kind of network, every action; but gently enough that members can tell the living from the
 * dead at all, and with an end to everything, so that agreement can be demanded.
 *
 *     0 ............ span: the safety phase ............ all is over | bound | silence | end
 *       a rough network, for a while
 *       up to a dozen actions, some repeated, each with an end      | seeds are told anew
 */
#include "swimsim/swarm.h"

#include "base/assert.h"
#include "base/hash.h"
#include "base/prng.h"
#include "swimsim/check.h"
#include "swimsim/reduce.h"

#include <stdio.h>
#include <string.h>

struct draw {
    struct prng prng;
    struct plan *plan;
    uint64_t begin_ns;   /* no action before this */
    uint64_t span_ns;    /* nothing happens after this */
    bool is_memory_kept; /* nobody forgets whom it knew, and seeds are of no use */
};

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

/* ---- Dice -------------------------------------------------------------------------------- */

static bool chance(struct draw *draw, uint32_t percent)
{
    return prng_below(&draw->prng, 100) < percent;
}

/* In [min, max]. */
static uint32_t between(struct draw *draw, uint32_t min, uint32_t max)
{
    return max <= min ? min : min + prng_below(&draw->prng, max - min + 1);
}

/* In [min, max], a whole number of milliseconds, so that a file of it can be read. */
static uint64_t time_between(struct draw *draw, uint64_t min_ns, uint64_t max_ns)
{
    return SWIM_MS * between(draw, (uint32_t)(min_ns / SWIM_MS), (uint32_t)(max_ns / SWIM_MS));
}

/* ---- Settings ---------------------------------------------------------------------------- */

static void set(struct draw *draw, const char *section, const char *name, uint32_t value)
{
    bool is_set = plan_setting_set(draw->plan, plan_setting_find(section, name), value);

    ASSERT(is_set);
}

/* Some of the time, so that a failing scenario mostly has few settings to suspect. */
static void maybe(struct draw *draw, const char *section, const char *name, uint32_t min,
                  uint32_t max)
{
    if (chance(draw, 30))
        set(draw, section, name, between(draw, min, max));
}

static void draw_probes(struct draw *draw)
{
    static const uint32_t intervals_ms[] = {200, 500, 700, 1000, 1500, 2000};
    uint32_t interval_ms = draw->plan->member.probe_interval_ms;

    if (chance(draw, 50)) {
        interval_ms = intervals_ms[prng_below(&draw->prng, COUNT_OF(intervals_ms))];
        set(draw, "probes", "interval_ms", interval_ms);
        set(draw, "probes", "timeout_ms", interval_ms * between(draw, 20, 80) / 100);
    }
    maybe(draw, "probes", "indirect_k", 0, 5);
    maybe(draw, "probes", "suspect_timeout_ms", interval_ms, 6 * interval_ms);
    maybe(draw, "probes", "suspect_multiplier", 0, 2000);
    maybe(draw, "probes", "suspect_jitter_ms", 0, 2000);
    maybe(draw, "probes", "suspect_timeout_min_ms", interval_ms / 2, 4 * interval_ms);
    maybe(draw, "probes", "dead_retention_ms", 8000, 60000);
    maybe(draw, "lifeguard", "local_health", 0, 1);
    maybe(draw, "lifeguard", "nack", 0, 1);
    maybe(draw, "lifeguard", "buddy", 0, 1);
    maybe(draw, "lifeguard", "confirmations", 0, SWIM_CONFIRMATIONS_MAX);
}

static void draw_gossip(struct draw *draw)
{
    maybe(draw, "gossip", "interval_ms", 50, 1000);
    maybe(draw, "gossip", "heartbeat_interval_ms", 100, 1000);
    maybe(draw, "gossip", "fanout", 1, 60);
    maybe(draw, "gossip", "adaptive_fanout", 0, 1);
    maybe(draw, "gossip", "max_sends", 1, 4);
    maybe(draw, "gossip", "adaptive_targets", 0, 1);
    maybe(draw, "gossip", "piggyback_max", 0, 20);
    maybe(draw, "gossip", "retransmit_multiplier", 1, 6);
    maybe(draw, "gossip", "anti_entropy_interval_ms", 1000, 30000);
    maybe(draw, "network", "reliable_ack_timeout_ms", 100, 2000);
    maybe(draw, "network", "reliable_max_retries", 0, 6);
}

/* ---- Networks ---------------------------------------------------------------------------- */

/* The longest delay that leaves room for a round trip, there and back, within the time-out. */
static uint64_t gentle_ns(const struct draw *draw)
{
    return draw->plan->member.probe_timeout_ms * SWIM_MS / 4;
}

static struct sim_net gentle_net(struct draw *draw)
{
    uint64_t most_ns = gentle_ns(draw);
    struct sim_net net = draw->plan->net;

    if (chance(draw, 60))
        return net;
    net.delay = chance(draw, 50) ? SIM_DELAY_UNIFORM : SIM_DELAY_HEAVY;
    net.delay_min_ns = time_between(draw, SWIM_MS, most_ns / 4);
    net.delay_max_ns = net.delay_min_ns + time_between(draw, 0, most_ns / 2);
    if (net.delay_min_ns + net.delay_max_ns > most_ns)
        return draw->plan->net;
    if (chance(draw, 20))
        net.duplicate_permille = between(draw, 1, 100);
    return net;
}

static struct sim_net rough_net(struct draw *draw)
{
    struct sim_net net = draw->plan->net;

    if (chance(draw, 70))
        net.loss_permille = chance(draw, 50) ? between(draw, 1, 60) : between(draw, 60, 300);
    if (chance(draw, 40)) {
        net.delay = (enum sim_delay)between(draw, SIM_DELAY_UNIFORM, SIM_DELAY_HEAVY);
        net.delay_min_ns = time_between(draw, SWIM_MS, 200 * SWIM_MS);
        net.delay_max_ns = net.delay_min_ns + time_between(draw, 0, 800 * SWIM_MS);
    }
    if (chance(draw, 20))
        net.jitter_ns = time_between(draw, SWIM_MS, 300 * SWIM_MS);
    if (chance(draw, 30))
        net.duplicate_permille = between(draw, 1, 300);
    if (chance(draw, 25))
        net.corrupt_permille = between(draw, 1, 50);
    if (chance(draw, 25))
        net.reorder_permille = between(draw, 1, 300);
    if (chance(draw, 15)) {
        net.bandwidth = between(draw, 2000, 200000);
        net.queue_bytes = between(draw, 2000, 64000);
    }
    return net;
}

static void draw_zones(struct draw *draw)
{
    struct plan *plan = draw->plan;

    plan->zone_count = between(draw, 2, plan->nodes < 4 ? 2 : 4);
    for (uint32_t i = 0; i < plan->zone_count; i++) {
        snprintf(plan->zones[i].name, sizeof plan->zones[i].name, "%c", (char)('a' + (int)i));
        plan->zones[i].share = between(draw, 1, 3);
    }
    for (uint32_t i = 1; i < plan->zone_count; i++) {
        struct plan_zone_link *link = &plan->zone_links[plan->zone_link_count++];

        *link = (struct plan_zone_link){.from = 0, .to = i, .net = gentle_net(draw)};
        link->is_one_way = chance(draw, 20);
    }
}

/* ---- Selections -------------------------------------------------------------------------- */

static struct plan_selection some(struct draw *draw, uint32_t most)
{
    uint32_t nodes = draw->plan->nodes;

    return (struct plan_selection){.kind = PLAN_SELECT_COUNT,
                                   .value = between(draw, 1, most < nodes ? most : nodes)};
}

static struct plan_selection all_of(enum plan_select kind)
{
    return (struct plan_selection){.kind = kind};
}

/* One or a few neighbours, but never node 0: it is the one that the others find each other by. */
static struct plan_selection but_the_first(struct draw *draw)
{
    uint32_t nodes = draw->plan->nodes;
    uint32_t first = between(draw, 1, nodes - 1);
    uint32_t last = chance(draw, 70) ? first : between(draw, first, first + nodes / 4);

    return (struct plan_selection){
        .kind = PLAN_SELECT_RANGE, .first = first, .last = last < nodes ? last : nodes - 1};
}

/* A few, or one, or (seldom) all. */
static struct plan_selection anybody(struct draw *draw)
{
    if (chance(draw, 8))
        return all_of(PLAN_SELECT_ALL);
    if (chance(draw, 40))
        return some(draw, 1);
    return some(draw, 1 + draw->plan->nodes / 3);
}

/* ---- Actions ----------------------------------------------------------------------------- */

/* How often each kind is drawn, out of their sum. */
static const struct {
    enum plan_kind kind;
    uint32_t weight;
} kinds[] = {
    {PLAN_KILL, 3},       {PLAN_LEAVE, 5},      {PLAN_RESTART, 10}, {PLAN_JOIN, 4},
    {PLAN_PAUSE, 7},      {PLAN_BLOCK, 7},      {PLAN_SPLIT, 8},    {PLAN_CUT, 8},
    {PLAN_LOSSY, 6},      {PLAN_LINK, 4},       {PLAN_ZONE, 3},     {PLAN_NETWORK, 4},
    {PLAN_CLOCK_RATE, 3}, {PLAN_CLOCK_JUMP, 3}, {PLAN_SERVICE, 3},  {PLAN_NAT, 2},
    {PLAN_MOVE, 5},
};

/* Whoever starts anew knows nobody; and who was seen elsewhere is looked for in the wrong place. */
static bool loses_memory(enum plan_kind kind)
{
    return kind == PLAN_RESTART || kind == PLAN_JOIN || kind == PLAN_MOVE || kind == PLAN_NAT;
}

static enum plan_kind draw_kind(struct draw *draw)
{
    uint32_t sum = 0;
    uint32_t place;
    uint32_t i = 0;

    for (uint32_t k = 0; k < COUNT_OF(kinds); k++)
        sum += kinds[k].weight;
    do {
        place = prng_below(&draw->prng, sum);
        for (i = 0; place >= kinds[i].weight; i++)
            place -= kinds[i].weight;
    } while (draw->is_memory_kept && loses_memory(kinds[i].kind));
    return kinds[i].kind;
}

/* When, and until when: everything is over by the end of the span. */
static void draw_times(struct draw *draw, struct plan_action *action)
{
    uint64_t left_ns = draw->span_ns - action->at_ns;
    uint64_t longest_ns = left_ns < 60 * SIM_SECOND ? left_ns : 60 * SIM_SECOND;

    action->for_ns = time_between(draw, 100 * SWIM_MS, longest_ns);
    if (chance(draw, 50) && longest_ns > 8 * SIM_SECOND)
        action->for_ns = time_between(draw, 100 * SWIM_MS, 8 * SIM_SECOND);
    if (!chance(draw, 25) || left_ns < 20 * SIM_SECOND)
        return;
    /* Again and again: a flapping link, a stuttering process. */
    action->every_ns = time_between(draw, SIM_SECOND, 10 * SIM_SECOND);
    action->for_ns = time_between(draw, 100 * SWIM_MS, action->every_ns);
    action->until_ns =
        action->at_ns + time_between(draw, action->every_ns, left_ns - action->for_ns);
    action->is_same = chance(draw, 70);
}

static void draw_split(struct draw *draw, struct plan_action *action)
{
    action->group_count = chance(draw, 80) ? 1 : 2;
    for (uint32_t i = 0; i < action->group_count; i++)
        action->groups[i] = some(draw, 1 + draw->plan->nodes / 2);
}

static void draw_pair(struct draw *draw, struct plan_action *action)
{
    action->who = some(draw, 1 + draw->plan->nodes / 4);
    action->other = chance(draw, 50) ? all_of(PLAN_SELECT_OTHERS) : some(draw, 2);
    action->is_one_way = chance(draw, 50);
    action->net = rough_net(draw);
}

static void draw_lossy(struct draw *draw, struct plan_action *action)
{
    action->who = anybody(draw);
    action->in_permille = chance(draw, 60) ? between(draw, 100, 1000) : 0;
    action->out_permille =
        action->in_permille == 0 || chance(draw, 40) ? between(draw, 100, 1000) : 0;
}

static void draw_return(struct draw *draw, struct plan_action *action)
{
    action->restart = (enum plan_restart)between(draw, 0, PLAN_RESTART_NO_MEMORY);
    action->who = anybody(draw);
    if (action->kind == PLAN_RESTART && chance(draw, 25))
        action->who = all_of(PLAN_SELECT_STOPPED);
    if (chance(draw, 30))
        action->for_ns = 0; /* at once */
}

/* To a fresh address, or to that of one that dies a while before. */
static void draw_move(struct draw *draw, uint32_t index)
{
    struct plan_action *move = &draw->plan->actions[index];
    struct plan_action *kill;

    draw_return(draw, move);
    move->who = but_the_first(draw);
    if (move->at_ns < 3 * SIM_SECOND || !chance(draw, 50))
        return;
    move->other = but_the_first(draw);
    kill = plan_add(draw->plan, PLAN_KILL, time_between(draw, SIM_SECOND, move->at_ns));
    kill->who = move->other;
}

static void draw_slowness(struct draw *draw, struct plan_action *action)
{
    action->who = anybody(draw);
    action->block = chance(draw, 50) ? SIM_BLOCK_IO : SIM_BLOCK_PROCESS;
    action->ppm = (int32_t)between(draw, 0, 600000) - 300000;
    action->jump_ns = time_between(draw, 10 * SWIM_MS, 60 * SIM_SECOND);
    action->service_ns = SWIM_MS * between(draw, 1, 300);
    action->buffer = between(draw, 1, 50);
    action->is_symmetric = chance(draw, 50);
}

static void draw_zone_link(struct draw *draw, struct plan_action *action)
{
    if (draw->plan->zone_count == 0) {
        action->kind = PLAN_NETWORK;
    } else {
        action->zone_from = between(draw, 0, draw->plan->zone_count - 1);
        action->zone_to = between(draw, 0, draw->plan->zone_count - 1);
        action->is_one_way = chance(draw, 50);
    }
    action->net = rough_net(draw);
}

static void draw_action(struct draw *draw)
{
    enum plan_kind kind = draw_kind(draw);
    uint64_t at_ns = time_between(draw, draw->begin_ns, draw->span_ns - 2 * SIM_SECOND);
    struct plan_action *action = plan_add(draw->plan, kind, at_ns);

    ASSERT(action != NULL);
    draw_times(draw, action);
    switch (kind) {
    case PLAN_SPLIT: draw_split(draw, action); break;
    case PLAN_CUT:
    case PLAN_LINK: draw_pair(draw, action); break;
    case PLAN_LOSSY: draw_lossy(draw, action); break;
    case PLAN_RESTART: draw_return(draw, action); break;
    case PLAN_MOVE: draw_move(draw, draw->plan->action_count - 1); break;
    case PLAN_KILL:
    case PLAN_LEAVE: action->who = but_the_first(draw); break;
    case PLAN_ZONE:
    case PLAN_NETWORK: draw_zone_link(draw, action); break;
    case PLAN_JOIN: action->count = between(draw, 1, 3); break;
    default: draw_slowness(draw, action); break;
    }
    /* Every one of these is one more that will never be back, or one more node. */
    if (kind == PLAN_KILL || kind == PLAN_JOIN || kind == PLAN_LEAVE || kind == PLAN_MOVE) {
        action->every_ns = 0;
        action->until_ns = 0;
    }
    if (kind == PLAN_KILL || kind == PLAN_JOIN || kind == PLAN_LEAVE || kind == PLAN_CLOCK_JUMP)
        action->for_ns = 0;
}

/* Two nodes can't hear each other any more, or one can't hear the other: that harms nobody. */
static void draw_thin_cut(struct draw *draw)
{
    struct plan_action *action = plan_add(draw->plan, PLAN_CUT, draw->span_ns);
    uint32_t nodes = draw->plan->nodes;
    uint32_t one = between(draw, 0, nodes - 1);
    uint32_t other = (one + between(draw, 1, nodes - 1)) % nodes;

    action->who = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = one, .last = one};
    action->other =
        (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = other, .last = other};
    action->is_one_way = chance(draw, 50);
}

/* A minority stays away for good: the others must come to agree without it. */
static void draw_frozen(struct draw *draw)
{
    struct plan_action *action = plan_add(draw->plan, PLAN_SPLIT, draw->span_ns);

    action->group_count = 1;
    action->groups[0] = but_the_first(draw);
    if (action->groups[0].last - action->groups[0].first + 1 > (draw->plan->nodes - 1) / 2)
        action->groups[0].last = action->groups[0].first;
}

/* One that can say what it likes and hears nothing: the others must not take it for alive. */
static void draw_deaf(struct draw *draw)
{
    struct plan_action *action = plan_add(draw->plan, PLAN_LOSSY, draw->span_ns);
    uint32_t node = between(draw, 1, draw->plan->nodes - 1);

    action->who = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = node, .last = node};
    action->in_permille = 1000;
}

static void draw_end(struct draw *draw)
{
    uint32_t die = between(draw, 0, 99);

    if (draw->plan->nodes < 3)
        return;
    if (die < 15)
        draw_frozen(draw);
    else if (die < 25)
        draw_thin_cut(draw);
    else if (die < 33)
        draw_deaf(draw);
}

/* From now on the only seed is a node that is dead for good: who loses the others must find them by
 * what it remembers. */
static void draw_useless_seeds(struct draw *draw)
{
    uint32_t last = draw->plan->nodes - 1;
    uint64_t at_ns = draw->begin_ns - 5 * SIM_SECOND;
    struct plan_action *action = plan_add(draw->plan, PLAN_KILL, at_ns);

    action->who = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = last, .last = last};
    action = plan_add(draw->plan, PLAN_SEEDS, at_ns);
    action->who = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .last = last - 1};
    action->other = (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = last, .last = last};
}

/* Whoever came back without its memory knows its seeds alone, and these may be gone: at the end
 * all know of one that is there. */
static void draw_seeds(struct draw *draw)
{
    struct plan_action *action = plan_add(draw->plan, PLAN_SEEDS, draw->span_ns);

    action->who = (struct plan_selection){
        .kind = PLAN_SELECT_RANGE, .first = 1, .last = plan_nodes_total(draw->plan) - 1};
    action->other = (struct plan_selection){.kind = PLAN_SELECT_RANGE};
}

/* One cluster with a name, or two in one network, where addresses change hands. From the seed alone:
 * nothing else that is drawn depends on it. */
static void draw_names(struct draw *draw, uint64_t seed)
{
    struct plan *plan = draw->plan;
    struct plan_action *action;
    uint64_t lot = hash_combine(hash_u64(seed), 0x6e616d6573) % 8;
    uint32_t first;

    if (lot > 1 || plan->plain.kind != PLAN_SELECT_NONE)
        return;
    snprintf(plan->start.names, sizeof plan->start.names, "A");
    if (lot == 0 || draw->is_memory_kept || plan->start.kind == PLAN_START_ACQUAINTED ||
        plan->nodes < 4)
        return;
    snprintf(plan->start.names, sizeof plan->start.names, "A, B");
    plan->start.clusters = 2;
    first = plan_cluster_first(plan, plan->nodes - 1);
    action = plan_add(plan, PLAN_SEEDS, draw->span_ns);
    if (action == NULL)
        return;
    action->who =
        (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = first, .last = plan->nodes - 1};
    action->other =
        (struct plan_selection){.kind = PLAN_SELECT_RANGE, .first = first, .last = first};
}

/* Names, and tags that change, sometimes with little memory for those of others. With dice of their
 * own: nothing else that is drawn depends on them. Where nothing happens, nothing shall. */
static void draw_tags(const struct draw *all, uint64_t seed)
{
    struct draw own = *all;
    struct plan_action *action;
    uint64_t last_ns = all->span_ns - 2 * SIM_SECOND;

    prng_init(&own.prng, hash_combine(hash_u64(seed), 0x74616773));
    if (all->plan->action_count == 0 || !chance(&own, 40))
        return;
    if (chance(&own, 20))
        set(&own, "gossip", "meta_memory", between(&own, 0, 20000));
    for (uint32_t i = between(&own, 1, 2); i > 0; i--) {
        action = plan_add(all->plan, PLAN_RETAG, time_between(&own, all->begin_ns, last_ns));
        if (action == NULL)
            return;
        action->who = some(&own, all->plan->nodes);
        action->tag_bytes = chance(&own, 30) ? between(&own, 0, 4000) : 0;
        if (!chance(&own, 60))
            continue;
        action->every_ns = time_between(&own, SIM_SECOND, 10 * SIM_SECOND);
        action->until_ns = time_between(&own, action->at_ns + 1, last_ns + SIM_SECOND);
    }
}

/* ---- The whole --------------------------------------------------------------------------- */

static uint32_t draw_nodes(struct draw *draw, uint32_t nodes_max)
{
    static const uint32_t most[] = {3, 5, 8, 8, 12, 12, 20, 20, 40};
    uint32_t nodes = between(draw, 2, most[prng_below(&draw->prng, COUNT_OF(most))]);

    if (chance(draw, 1))
        nodes = between(draw, 60, 200);
    return nodes < nodes_max ? nodes : nodes_max;
}

static void draw_start(struct draw *draw)
{
    struct plan_start *start = &draw->plan->start;

    start->kind = (enum plan_start_kind)between(draw, 0, PLAN_START_ONE_BY_ONE);
    start->seeds = (enum plan_seeds)between(draw, 0, PLAN_SEEDS_RANDOM);
    start->seed_count = between(draw, 1, 3);
    start->every_ns = time_between(draw, 10 * SWIM_MS, SIM_SECOND);
    if (start->kind == PLAN_START_TOGETHER && chance(draw, 30))
        start->rest_after_ns = time_between(draw, 100 * SWIM_MS, 10 * SIM_SECOND);
}

static void draw_faults(struct draw *draw)
{
    struct plan *plan = draw->plan;
    uint32_t actions = between(draw, 0, plan->nodes > 50 ? 4 : 9);
    struct plan_action *rough;

    if (chance(draw, 50)) {
        rough = plan_add(plan, PLAN_NETWORK, draw->is_memory_kept ? draw->begin_ns : 0);
        rough->net = rough_net(draw);
        rough->for_ns = time_between(draw, 10 * SIM_SECOND, draw->span_ns - draw->begin_ns);
    }
    for (uint32_t i = 0; i < actions; i++)
        draw_action(draw);
    draw_end(draw);
    if (draw->is_memory_kept)
        draw_useless_seeds(draw);
    else if (plan->start.seeds != PLAN_SEEDS_STAR)
        draw_seeds(draw);
}

void swarm_draw(uint64_t seed, uint32_t nodes_max, struct plan *ret_plan)
{
    struct draw draw = {.plan = ret_plan};
    struct plan_error error;
    bool is_valid;

    prng_init(&draw.prng, hash_combine(hash_u64(seed), 0x737761726d));
    plan_default(ret_plan);
    ret_plan->duration_ns = PLAN_TIME_MAX_NS; /* till reduce_settle */
    snprintf(ret_plan->name, sizeof ret_plan->name, "swarm-%llu", (unsigned long long)seed);
    snprintf(ret_plan->title, sizeof ret_plan->title, "Drawn by the swarm from seed %llu.",
             (unsigned long long)seed);
    ret_plan->seed = seed;
    ret_plan->nodes = draw_nodes(&draw, nodes_max < 2 ? 2 : nodes_max);
    ret_plan->family = chance(&draw, 80) ? 4 : 6;
    draw.span_ns =
        time_between(&draw, 40 * SIM_SECOND, (ret_plan->nodes > 50 ? 60 : 150) * SIM_SECOND);
    if (chance(&draw, 60)) {
        draw_probes(&draw);
        draw_gossip(&draw);
    }
    ret_plan->net = gentle_net(&draw);
    if (chance(&draw, 20))
        draw_zones(&draw);
    draw_start(&draw);
    if (ret_plan->nodes >= 3 && chance(&draw, 10))
        ret_plan->plain = some(&draw, ret_plan->nodes / 3);
    else
        draw.is_memory_kept = ret_plan->nodes >= 4 && chance(&draw, 25);
    draw.begin_ns = SIM_SECOND;
    if (draw.is_memory_kept)
        draw.begin_ns = plan_start_ns(ret_plan, ret_plan->nodes - 1) + 15 * SIM_SECOND;
    draw.span_ns += draw.begin_ns;
    draw.span_ns -= draw.span_ns % SWIM_MS;
    draw_faults(&draw);
    draw_names(&draw, seed);
    draw_tags(&draw, seed);
    reduce_settle(ret_plan);
    is_valid = plan_check(ret_plan, &error);
    ASSERT(is_valid);
}
