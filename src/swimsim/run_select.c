/*
 * Which nodes an action takes. A random choice is the nodes with the lowest hashes: it draws
 * nothing from a generator, so that no action's choice depends on that of another.
 */
#include "swimsim/run_private.h"

#include "base/hash.h"

#include <stdlib.h>

/* Where plain nodes and groups draw from, apart from every action's `draw`. */
#define DRAW_PLAIN UINT64_C(0x506c61696e)

struct ticket {
    uint64_t hash;
    uint32_t node;
};

/* From whom to choose, and how. */
struct pool {
    const struct run *run;
    const bool *is_barred; /* NULL: nobody is */
    uint64_t draw;
    bool (*can_take)(const struct run *run, uint32_t node);
};

/* ---- Who can be taken -------------------------------------------------------------------- */

static bool has_address(const struct run *run, uint32_t node)
{
    return sim_addr(run->sim, node).family != 0;
}

static bool can_take_running(const struct run *run, uint32_t node)
{
    return sim_state(run->sim, node) != SIM_STOPPED;
}

/* Stopped by a signal, or blocked in a call, it can do nothing else. */
static bool can_take_awake(const struct run *run, uint32_t node)
{
    return sim_state(run->sim, node) == SIM_RUNNING;
}

static bool can_take_again(const struct run *run, uint32_t node)
{
    return run->nodes[node].has_run && !run->nodes[node].is_away && has_address(run, node);
}

/* For a move, which gives it an address. */
static bool can_take_moving(const struct run *run, uint32_t node)
{
    return run->nodes[node].has_run && !run->nodes[node].is_away;
}

static bool can_take_known(const struct run *run, uint32_t node)
{
    return node < run->plan->nodes || run->nodes[node].has_run;
}

static bool can_take_any(const struct run *run, uint32_t node)
{
    (void)run;
    (void)node;
    return true;
}

static struct pool pool_of(const struct run *run, const struct plan_action *action, uint64_t turn)
{
    struct pool pool = {.run = run, .can_take = can_take_known};

    pool.draw = hash_combine(action->draw, action->is_same ? 0 : turn);
    if (action->kind == PLAN_KILL)
        pool.can_take = can_take_running;
    else if (action->kind == PLAN_LEAVE || action->kind == PLAN_PAUSE || action->kind == PLAN_BLOCK)
        pool.can_take = can_take_awake;
    else if (action->kind == PLAN_RESTART)
        pool.can_take = can_take_again;
    else if (action->kind == PLAN_MOVE)
        pool.can_take = can_take_moving;
    return pool;
}

/* ---- Choosing ---------------------------------------------------------------------------- */

static bool is_in(const struct pool *pool, const struct plan_selection *selection, uint32_t node)
{
    const struct run *run = pool->run;

    if ((pool->is_barred != NULL && pool->is_barred[node]) || !pool->can_take(run, node))
        return false;
    switch (selection->kind) {
    case PLAN_SELECT_NONE: return false;
    case PLAN_SELECT_RANGE: return node >= selection->first && node <= selection->last;
    case PLAN_SELECT_STOPPED: return sim_state(run->sim, node) == SIM_STOPPED;
    case PLAN_SELECT_PLAIN: return run->nodes[node].is_plain;
    case PLAN_SELECT_ZONE: return plan_zone_of(run->plan, node) == selection->value;
    case PLAN_SELECT_ALL:
    case PLAN_SELECT_OTHERS:
    case PLAN_SELECT_COUNT:
    case PLAN_SELECT_SHARE: break;
    }
    return true;
}

static int compare_tickets(const void *a, const void *b)
{
    const struct ticket *one = a;
    const struct ticket *two = b;

    if (one->hash != two->hash)
        return one->hash < two->hash ? -1 : 1;
    return one->node < two->node ? -1 : one->node > two->node;
}

static int compare_nodes(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a;
    uint32_t two = *(const uint32_t *)b;

    return one < two ? -1 : one > two;
}

/* Keeps `count` of the nodes, by lot. */
static void draw(const struct pool *pool, struct run_choice *choice, uint32_t count)
{
    struct ticket *tickets;
    uint64_t seed = hash_combine(pool->run->plan->seed, pool->draw);

    if (count >= choice->count)
        return;
    tickets = run_allocate(choice->count, sizeof *tickets);
    for (uint32_t i = 0; i < choice->count; i++)
        tickets[i] = (struct ticket){hash_combine(seed, choice->nodes[i]), choice->nodes[i]};
    qsort(tickets, choice->count, sizeof *tickets, compare_tickets);
    for (uint32_t i = 0; i < count; i++)
        choice->nodes[i] = tickets[i].node;
    choice->count = count;
    qsort(choice->nodes, count, sizeof *choice->nodes, compare_nodes);
    free(tickets);
}

static struct run_choice choose(const struct pool *pool, const struct plan_selection *selection)
{
    struct run_choice choice = {.nodes = run_allocate(pool->run->total, sizeof *choice.nodes)};

    for (uint32_t i = 0; i < pool->run->total; i++)
        if (is_in(pool, selection, i))
            choice.nodes[choice.count++] = i;
    if (selection->kind == PLAN_SELECT_COUNT)
        draw(pool, &choice, selection->value);
    if (selection->kind == PLAN_SELECT_SHARE)
        draw(pool, &choice, (uint32_t)(((uint64_t)choice.count * selection->value + 999) / 1000));
    return choice;
}

void run_choice_free(struct run_choice *choice)
{
    free(choice->nodes);
    *choice = (struct run_choice){0};
}

static void bar(const struct run_choice *choice, bool *is_barred)
{
    for (uint32_t i = 0; i < choice->count; i++)
        is_barred[choice->nodes[i]] = true;
}

/* ---- For actions ------------------------------------------------------------------------- */

struct run_choice run_choose_who(const struct run *run, const struct plan_action *action,
                                 uint64_t turn)
{
    struct pool pool = pool_of(run, action, turn);

    return choose(&pool, &action->who);
}

struct run_choice run_choose_other(const struct run *run, const struct plan_action *action,
                                   uint64_t turn, const struct run_choice *who)
{
    struct plan_selection other = action->other;
    struct pool pool = pool_of(run, action, turn);
    bool *is_barred = run_allocate(run->total, sizeof *is_barred);
    struct run_choice choice;

    bar(who, is_barred);
    pool.is_barred = is_barred;
    pool.draw = hash_combine(pool.draw, 1);
    pool.can_take = action->kind == PLAN_MOVE ? can_take_again : can_take_known;
    if (other.kind == PLAN_SELECT_NONE && action->kind != PLAN_MOVE)
        other.kind = PLAN_SELECT_OTHERS;
    choice = choose(&pool, &other);
    free(is_barred);
    return choice;
}

void run_choose_groups(const struct run *run, const struct plan_action *action, uint64_t turn,
                       uint32_t *groups)
{
    struct pool pool = pool_of(run, action, turn);
    bool *is_barred = run_allocate(run->total, sizeof *is_barred);
    uint64_t base = pool.draw;

    pool.is_barred = is_barred;
    for (uint32_t i = 0; i < run->total; i++)
        groups[i] = 0;
    for (uint32_t group = 0; group < action->group_count; group++) {
        struct plan_selection selection = action->groups[group];
        struct run_choice choice;

        /* A share is one of all, not of those that the groups before have left over. */
        if (selection.kind == PLAN_SELECT_SHARE)
            selection = (struct plan_selection){
                .kind = PLAN_SELECT_COUNT,
                .value = (uint32_t)(((uint64_t)run->plan->nodes * selection.value + 999) / 1000)};
        pool.draw = hash_combine(base, group);
        choice = choose(&pool, &selection);
        for (uint32_t i = 0; i < choice.count; i++)
            groups[choice.nodes[i]] = group + 1;
        bar(&choice, is_barred);
        run_choice_free(&choice);
    }
    free(is_barred);
}

struct run_choice run_choose_plain(const struct run *run)
{
    struct pool pool = {.run = run, .draw = DRAW_PLAIN, .can_take = can_take_any};
    struct run_choice all = choose(&pool, &run->plan->plain);
    uint32_t count = 0;

    for (uint32_t i = 0; i < all.count; i++)
        if (all.nodes[i] < run->plan->nodes)
            all.nodes[count++] = all.nodes[i];
    all.count = count;
    return all;
}
