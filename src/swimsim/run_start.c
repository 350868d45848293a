/*
 * Nodes: their seeds and zones, when they start, how they stop and come back; members of ours and
 * plain version-1 nodes alike.
 */
#include "swimsim/run_private.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>

/* What is drawn beside the actions has draws of its own. */
#define DRAW_SEEDS UINT64_C(0x5365656473)
/* For so long a plain node that came back, perhaps to the address of one that was not plain, may get
 * what is meant for that one. */
#define PLAIN_TOLERANCE (60 * SIM_SECOND)
#define DRAW_PLAIN_ID UINT64_C(0x4964)

void *run_allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL) {
        (void)fprintf(stderr, "swimsim: out of memory\n");
        abort();
    }
    return memory;
}

void *run_grow(void *memory, size_t count, size_t size)
{
    void *grown = realloc(memory, count * size);

    if (grown == NULL) {
        (void)fprintf(stderr, "swimsim: out of memory\n");
        abort();
    }
    return grown;
}

/* ---- Seeds ------------------------------------------------------------------------------- */

/* Notes a seed; the node joins it when it starts, or by push_seeds. */
static void add_seed(struct run *run, uint32_t index, uint32_t seed)
{
    struct run_node *node = &run->nodes[index];

    for (uint32_t i = 0; i < node->seed_count; i++)
        if (node->seeds[i] == seed)
            return;
    if (seed != index && node->seed_count < SIM_SEEDS_MAX)
        node->seeds[node->seed_count++] = seed;
}

/* `below` nodes from `first` on: as many of them as wanted, by lot. */
static void add_random_seeds(struct run *run, uint32_t node, uint32_t first, uint32_t below)
{
    uint64_t state = hash_combine(hash_combine(run->plan->seed, DRAW_SEEDS), node);
    uint32_t wanted = run->plan->start.seed_count;

    /* Few are wanted, and some are drawn twice; in tiny clusters there may not be enough. */
    for (uint32_t tries = 0; below > 0 && tries < 100; tries++) {
        if (run->nodes[node].seed_count == wanted)
            break;
        add_seed(run, node, first + (uint32_t)(hash_combine(state, tries) % below));
    }
}

static uint32_t cluster_size(const struct plan *plan, uint32_t first)
{
    uint32_t end = first;

    while (end < plan->nodes && plan_cluster_first(plan, end) == first)
        end++;
    return end - first;
}

static void add_seeds(struct run *run, uint32_t node)
{
    const struct plan *plan = run->plan;
    uint32_t first = plan_cluster_first(plan, node);
    uint32_t size = plan->start.clusters == 1 ? plan->nodes : cluster_size(plan, first);
    bool is_joining = node >= plan->nodes;

    ASSERT(size > 0);
    switch (plan->start.seeds) {
    case PLAN_SEEDS_STAR: add_seed(run, node, first); break;
    case PLAN_SEEDS_RING:
        add_seed(run, node,
                 is_joining      ? first + node % size
                 : node != first ? node - 1
                                 : first + size - 1);
        break;
    case PLAN_SEEDS_RANDOM:
        if (plan->start.kind == PLAN_START_ONE_BY_ONE && !is_joining)
            size = node - first;
        add_random_seeds(run, node, first, size);
        break;
    }
}

/* The noted seeds as the simulation's: joined at every start, and now if it runs. */
static void push_seeds(struct run *run, uint32_t index)
{
    const struct run_node *node = &run->nodes[index];

    if (node->is_plain)
        return;
    sim_clear_seeds(run->sim, index);
    for (uint32_t i = 0; i < node->seed_count; i++)
        sim_seed_node(run->sim, index, node->seeds[i]);
}

void run_set_seeds(struct run *run, uint32_t index, const struct run_choice *seeds)
{
    struct run_node *node = &run->nodes[index];

    node->seed_count = 0;
    for (uint32_t i = 0; i < seeds->count; i++)
        add_seed(run, index, seeds->nodes[i]);
    push_seeds(run, index);
}

/* ---- Starting ---------------------------------------------------------------------------- */

static void note_started(struct run *run, uint32_t index)
{
    struct run_node *node = &run->nodes[index];

    node->has_run = true;
    node->is_away = false;
    node->lives++;
}

static uint64_t plain_id(const struct run *run, uint32_t node)
{
    uint64_t id = hash_combine(hash_combine(run->plan->seed, DRAW_PLAIN_ID), node);

    id = hash_combine(id, run->nodes[node].lives);
    return id != 0 ? id : 1;
}

/* The state before is kept until the new one is in its place: somebody might look at it. */
static void start_plain(struct run *run, uint32_t index, uint64_t id, uint32_t incarnation)
{
    struct run_node *node = &run->nodes[index];
    struct swim_addr addr = sim_addr(run->sim, index);
    swim_time now = sim_local_time(run->sim, index, sim_now(run->sim));
    struct plain *before = node->plain;

    node->plain = plain_new(id, &addr, hash_combine(id, incarnation), now);
    node->plain->incarnation = incarnation;
    for (uint32_t i = 0; i < node->seed_count; i++) {
        struct swim_addr seed = sim_addr(run->sim, node->seeds[i]);
        if (seed.family != 0) /* it moved away from an address that another has now */
            plain_join(node->plain, &seed);
    }
    sim_start_peer(run->sim, index, &plain_ops, node->plain, id);
    plain_free(before);
}

static void start_first(struct run *run, uint32_t node)
{
    if (run->nodes[node].is_plain)
        start_plain(run, node, plain_id(run, node), 0);
    else
        sim_start(run->sim, node);
    note_started(run, node);
}

static void start_plain_again(struct run *run, uint32_t node, enum plan_restart restart)
{
    const struct plain *before = run->nodes[node].plain;
    swim_time now = sim_local_time(run->sim, node, sim_now(run->sim));

    if (restart == PLAN_RESTART_NEW_ID)
        start_plain(run, node, plain_id(run, node), 0);
    else
        start_plain(run, node, before->id,
                    restart == PLAN_RESTART_SAME_ID ? before->incarnation + 1 : 0);
    run->nodes[node].plain->tolerant_until = now + PLAIN_TOLERANCE;
}

void run_start_again(struct run *run, uint32_t node, enum plan_restart restart)
{
    ASSERT(run->nodes[node].has_run && sim_state(run->sim, node) == SIM_STOPPED);
    if (run->nodes[node].is_plain) {
        start_plain_again(run, node, restart);
    } else if (restart == PLAN_RESTART_NEW_ID) {
        sim_restart_new_id(run->sim, node);
    } else if (restart == PLAN_RESTART_SAME_ID) {
        sim_restart_same_id(run->sim, node);
    } else {
        sim_member_config(run->sim, node)->incarnation = 0;
        sim_start(run->sim, node);
    }
    note_started(run, node);
}

void run_start_joining(struct run *run, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        start_first(run, run->plan->nodes + run->joined++);
}

uint64_t run_next_start(const struct run *run)
{
    if (run->next_start == run->plan->nodes)
        return SWIM_NEVER;
    return plan_start_ns(run->plan, run->start_order[run->next_start]);
}

/* All at once: members of ours learn each other before they learn their seeds, so that these need
 * not be asked. */
static void start_acquainted(struct run *run)
{
    uint32_t nodes = run->plan->nodes;

    for (uint32_t i = 0; i < nodes; i++)
        if (!run->nodes[i].is_plain)
            start_first(run, i);
    sim_acquaint(run->sim);
    for (uint32_t i = 0; i < nodes; i++)
        push_seeds(run, i);
    for (uint32_t i = 0; i < nodes; i++)
        if (run->nodes[i].is_plain)
            start_first(run, i);
    run->next_start = nodes;
}

void run_start_due(struct run *run)
{
    if (run->plan->start.kind == PLAN_START_ACQUAINTED && run->next_start == 0)
        start_acquainted(run);
    while (run_next_start(run) <= sim_now(run->sim))
        start_first(run, run->start_order[run->next_start++]);
}

/* ---- Stopping ---------------------------------------------------------------------------- */

/* One of ours stops by itself once it has told enough others; a plain one does not wait. */
void run_leave(struct run *run, uint32_t node)
{
    if (!run->nodes[node].is_plain) {
        sim_leave(run->sim, node);
    } else {
        plain_leave(run->nodes[node].plain);
        sim_poke(run->sim, node);
        sim_crash(run->sim, node);
    }
}

/* ---- Adding ------------------------------------------------------------------------------ */

static int compare_starts(const struct plan *plan, uint32_t a, uint32_t b)
{
    uint64_t one = plan_start_ns(plan, a);
    uint64_t two = plan_start_ns(plan, b);

    return one != two ? (one < two ? -1 : 1) : a < b ? -1 : a > b;
}

/* By time, then by number. Only the first nodes of clusters can come before the others, so a
 * stable partition does it. */
static void order_starts(struct run *run)
{
    const struct plan *plan = run->plan;
    uint32_t count = 0;

    run->start_order = run_allocate(plan->nodes, sizeof *run->start_order);
    for (uint32_t i = 0; i < plan->nodes; i++)
        if (plan_start_ns(plan, i) == 0)
            run->start_order[count++] = i;
    for (uint32_t i = 0; i < plan->nodes; i++)
        if (plan_start_ns(plan, i) != 0)
            run->start_order[count++] = i;
    for (uint32_t i = 1; i < plan->nodes; i++)
        ASSERT(compare_starts(plan, run->start_order[i - 1], run->start_order[i]) < 0);
}

void run_add_nodes(struct run *run)
{
    struct run_choice plain;

    run->nodes = run_allocate(run->total, sizeof *run->nodes);
    for (uint32_t i = 0; i < run->total; i++) {
        uint32_t node = sim_add(run->sim);
        ASSERT(node == i);
        plan_cluster_name(run->plan, i, sim_member_config(run->sim, i)->cluster);
        if (plan_zone_of(run->plan, i) != 0)
            sim_set_zone(run->sim, i, plan_zone_of(run->plan, i));
    }
    plain = run_choose_plain(run);
    for (uint32_t i = 0; i < plain.count; i++)
        run->nodes[plain.nodes[i]].is_plain = true;
    run_choice_free(&plain);
    for (uint32_t i = 0; i < run->total; i++)
        add_seeds(run, i);
    for (uint32_t i = 0; i < run->total; i++)
        if (run->plan->start.kind != PLAN_START_ACQUAINTED || i >= run->plan->nodes)
            push_seeds(run, i);
    order_starts(run);
}

void run_free_nodes(struct run *run)
{
    for (uint32_t i = 0; i < run->total; i++)
        plain_free(run->nodes[i].plain);
    free(run->nodes);
    free(run->start_order);
}
