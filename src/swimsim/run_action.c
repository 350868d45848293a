/*
 * What actions do when their time has come, and how their faults are mended when it is over. What
 * ends at a time ends before what begins then; otherwise the order of the plan decides.
 */
#include "swimsim/plan_keys.h"
#include "swimsim/run_private.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOST 1000 /* thousandths */

/* The nodes that one repetition of an action is about. */
struct deed {
    struct run *run;
    const struct plan_action *action;
    uint64_t turn;
    struct run_choice who;
    struct run_choice other;
};

/* ---- Telling ----------------------------------------------------------------------------- */

static size_t append(char *text, size_t cap, size_t size, const char *more)
{
    size_t room = cap - size - 1;
    size_t length = strlen(more);

    length = length < room ? length : room;
    memcpy(text + size, more, length);
    text[size + length] = '\0';
    return size + length;
}

/* The action as in its file, without its time: "cut who=0-4 one_way=true for=60s". */
static void describe(const struct deed *deed, char *text, size_t cap)
{
    struct plan_action usual = {.draw = deed->action->draw, .net = deed->run->plan->net};
    size_t size = append(text, cap, 0, "scenario: ");

    size = append(text, cap, size, plan_kind_name(deed->action->kind));
    for (uint32_t i = 0; i < plan_keys(); i++) {
        const struct plan_key *key = plan_key(i);
        char value[PLAN_GROUPS_MAX * 40];
        char usual_value[PLAN_GROUPS_MAX * 40];
        if (strcmp(key->section, "at") != 0 || key->is_always ||
            (key->kinds >> deed->action->kind & 1) == 0)
            continue;
        plan_key_get(deed->run->plan, key, deed->action, value, sizeof value);
        plan_key_get(deed->run->plan, key, &usual, usual_value, sizeof usual_value);
        if (strcmp(value, usual_value) == 0)
            continue;
        size = append(text, cap, size, " ");
        size = append(text, cap, size, key->name);
        size = append(text, cap, size, "=");
        size = append(text, cap, size, value);
    }
}

static void tell(const struct deed *deed)
{
    char text[600];

    if (deed->run->trace == NULL)
        return;
    describe(deed, text, sizeof text);
    trace_note(deed->run->trace, text);
}

/* ---- Endings ----------------------------------------------------------------------------- */

static void add_ending(const struct deed *deed)
{
    struct run *run = deed->run;
    struct run_ending *ending;
    uint32_t count = deed->who.count;

    if (run->ending_count == run->ending_capacity) {
        run->ending_capacity = run->ending_capacity == 0 ? 16 : 2 * run->ending_capacity;
        run->endings = run_grow(run->endings, run->ending_capacity, sizeof *run->endings);
    }
    ending = &run->endings[run->ending_count++];
    *ending = (struct run_ending){
        .at_ns = sim_now(run->sim) + deed->action->for_ns,
        .order = run->next_order++,
        .action = deed->action,
        .count = count,
        .other_count = deed->other.count,
        .nodes = run_allocate(count + deed->other.count, sizeof *ending->nodes),
    };
    for (uint32_t i = 0; i < count; i++)
        ending->nodes[i] = deed->who.nodes[i];
    for (uint32_t i = 0; i < deed->other.count; i++)
        ending->nodes[count + i] = deed->other.nodes[i];
}

static void remove_ending(struct run *run, uint32_t index)
{
    free(run->endings[index].nodes);
    run->endings[index] = run->endings[--run->ending_count];
}

/* Endings of these kinds have nothing left to mend. */
static void drop_endings(struct run *run, uint32_t kinds)
{
    for (uint32_t i = run->ending_count; i-- > 0;)
        if ((kinds >> run->endings[i].action->kind & 1) != 0)
            remove_ending(run, i);
}

/* The earliest, and of equal ones the one that began first; UINT32_MAX when there is none. */
static uint32_t first_ending(const struct run *run)
{
    const struct run_ending *all = run->endings;
    uint32_t first = UINT32_MAX;

    for (uint32_t i = 0; i < run->ending_count; i++)
        if (first == UINT32_MAX || all[i].at_ns < all[first].at_ns ||
            (all[i].at_ns == all[first].at_ns && all[i].order < all[first].order))
            first = i;
    return first;
}

uint64_t run_next_ending(const struct run *run)
{
    uint32_t first = first_ending(run);

    return first != UINT32_MAX ? run->endings[first].at_ns : SWIM_NEVER;
}

void run_free_endings(struct run *run)
{
    while (run->ending_count > 0)
        remove_ending(run, run->ending_count - 1);
    free(run->endings);
}

/* ---- Links ------------------------------------------------------------------------------- */

/* Whether `other` was named, and not all the rest of the cluster: then a cut concerns both sides
 * alike. */
static bool has_two_sides(const struct plan_action *action)
{
    return action->other.kind != PLAN_SELECT_NONE && action->other.kind != PLAN_SELECT_OTHERS &&
           action->other.kind != PLAN_SELECT_ALL;
}

static void note_links(const struct deed *deed, bool is_on)
{
    for (uint32_t i = 0; i < deed->who.count; i++)
        run_note_cut(deed->run, deed->who.nodes[i], is_on);
    for (uint32_t i = 0; has_two_sides(deed->action) && i < deed->other.count; i++)
        run_note_cut(deed->run, deed->other.nodes[i], is_on);
}

static void set_one_link(const struct deed *deed, uint32_t from, uint32_t to, bool is_on)
{
    if (deed->action->kind == PLAN_CUT)
        sim_link_loss(deed->run->sim, from, to, is_on ? LOST : 0);
    else
        sim_set_link(deed->run->sim, from, to, is_on ? &deed->action->net : NULL);
}

/* A cut, or a link of its own: between each of `who` and each of `other`. */
static void set_links(const struct deed *deed, bool is_on)
{
    for (uint32_t i = 0; i < deed->who.count; i++) {
        for (uint32_t k = 0; k < deed->other.count; k++) {
            set_one_link(deed, deed->who.nodes[i], deed->other.nodes[k], is_on);
            if (!deed->action->is_one_way)
                set_one_link(deed, deed->other.nodes[k], deed->who.nodes[i], is_on);
        }
    }
    note_links(deed, is_on);
}

/* What the plan says of two zones, NULL if nothing. */
static const struct sim_net *plan_zone_net(const struct plan *plan, uint32_t from, uint32_t to)
{
    const struct sim_net *net = NULL;

    for (uint32_t i = 0; i < plan->zone_link_count; i++) {
        const struct plan_zone_link *link = &plan->zone_links[i];
        if ((link->from == from && link->to == to) ||
            (!link->is_one_way && link->from == to && link->to == from))
            net = &link->net;
    }
    return net;
}

static void set_zone_link(const struct deed *deed, bool is_on)
{
    const struct plan *plan = deed->run->plan;
    const struct plan_action *action = deed->action;
    uint32_t from = action->zone_from;
    uint32_t to = action->zone_to;

    sim_set_zone_link(deed->run->sim, from, to,
                      is_on ? &action->net : plan_zone_net(plan, from, to));
    if (!action->is_one_way)
        sim_set_zone_link(deed->run->sim, to, from,
                          is_on ? &action->net : plan_zone_net(plan, to, from));
    for (uint32_t i = 0; i < deed->run->total; i++) {
        uint32_t zone = plan_zone_of(plan, i);
        if (zone == from || zone == to)
            run_note_cut(deed->run, i, is_on);
    }
}

void run_set_zone_links(struct run *run)
{
    const struct plan *plan = run->plan;

    for (uint32_t from = 0; from < plan->zone_count; from++)
        for (uint32_t to = 0; to < plan->zone_count; to++)
            if (plan_zone_net(plan, from, to) != NULL)
                sim_set_zone_link(run->sim, from, to, plan_zone_net(plan, from, to));
}

static void split(const struct deed *deed)
{
    struct run *run = deed->run;
    uint32_t *groups = run_allocate(run->total, sizeof *groups);

    drop_endings(run, UINT32_C(1) << PLAN_SPLIT);
    run_choose_groups(run, deed->action, deed->turn, groups);
    for (uint32_t i = 0; i < run->total; i++)
        sim_split(run->sim, i, groups[i]);
    run_note_groups(run, groups);
    free(groups);
}

static void unsplit(struct run *run)
{
    for (uint32_t i = 0; i < run->total; i++)
        sim_split(run->sim, i, 0);
    run_note_groups(run, NULL);
}

static void heal(struct run *run)
{
    drop_endings(run, UINT32_C(1) << PLAN_SPLIT | UINT32_C(1) << PLAN_CUT |
                          UINT32_C(1) << PLAN_LOSSY | UINT32_C(1) << PLAN_LINK |
                          UINT32_C(1) << PLAN_ZONE);
    sim_heal(run->sim);
    sim_clear_links(run->sim);
    run_set_zone_links(run);
    run_note_healed(run);
}

/* ---- Nodes ------------------------------------------------------------------------------- */

/* An address that nobody had: beyond those of the nodes, which are 10.0.0.1 and up. */
static struct swim_addr fresh_addr(struct run *run)
{
    struct swim_addr addr = sim_addr(run->sim, 0);
    size_t last = run->plan->family == 4 ? 3 : 15;
    uint32_t number = ++run->fresh_addrs;

    memset(&addr, 0, sizeof addr);
    addr.family = run->plan->family;
    addr.port = 7946;
    addr.ip[0] = addr.family == 4 ? 10 : 0xfd;
    addr.ip[last - 2] = (uint8_t)(128 | number >> 16);
    addr.ip[last - 1] = (uint8_t)(number >> 8);
    addr.ip[last] = (uint8_t)number;
    return addr;
}

/* A NAT of its own for each node: 100.64.0.1 and up. */
static struct swim_addr outside_addr(const struct run *run, uint32_t node)
{
    struct swim_addr addr = {.port = 7946, .family = run->plan->family};
    size_t last = addr.family == 4 ? 3 : 15;

    addr.ip[0] = addr.family == 4 ? 100 : 0xfc;
    addr.ip[last - 2] = (uint8_t)(64 | (node + 1) >> 16);
    addr.ip[last - 1] = (uint8_t)((node + 1) >> 8);
    addr.ip[last] = (uint8_t)(node + 1);
    return addr;
}

static void come_back(struct run *run, uint32_t node, const struct plan_action *action)
{
    /* Killed or moved away in the meantime by others: then it is not this action's any more. */
    if (run->nodes[node].is_away && sim_state(run->sim, node) == SIM_STOPPED &&
        sim_addr(run->sim, node).family != 0)
        run_start_again(run, node, action->restart);
}

static void go_away(const struct deed *deed, uint32_t node)
{
    struct run *run = deed->run;

    if (sim_state(run->sim, node) != SIM_STOPPED)
        sim_crash(run->sim, node);
    run->nodes[node].is_away = true;
}

/* Moves it, unless the address that it is to have is in use. */
static bool move(const struct deed *deed, uint32_t index)
{
    struct run *run = deed->run;
    struct swim_addr addr;
    uint32_t other;

    if (deed->action->other.kind == PLAN_SELECT_NONE) {
        addr = fresh_addr(run);
    } else {
        if (index >= deed->other.count)
            return false;
        other = deed->other.nodes[index];
        if (sim_state(run->sim, other) != SIM_STOPPED)
            return false;
        addr = sim_addr(run->sim, other);
    }
    if (sim_state(run->sim, deed->who.nodes[index]) != SIM_STOPPED)
        sim_crash(run->sim, deed->who.nodes[index]);
    sim_move(run->sim, deed->who.nodes[index], &addr);
    return true;
}

static void restart_all(const struct deed *deed)
{
    for (uint32_t i = 0; i < deed->who.count; i++) {
        uint32_t node = deed->who.nodes[i];
        if (deed->action->kind == PLAN_MOVE && !move(deed, i))
            continue;
        go_away(deed, node);
        if (deed->action->for_ns == 0)
            come_back(deed->run, node, deed->action);
    }
}

/* ---- One node at a time ------------------------------------------------------------------ */

static void set_loss(const struct deed *deed, uint32_t node, bool is_on)
{
    sim_node_loss(deed->run->sim, node, is_on ? deed->action->in_permille : 0,
                  is_on ? deed->action->out_permille : 0);
    run_note_fault(deed->run, node, RUN_FAULT_LOSSY, is_on);
}

static void set_clock(const struct deed *deed, uint32_t node, bool is_on)
{
    int32_t ppm = is_on ? deed->action->ppm : 0;

    sim_clock_rate(deed->run->sim, node, ppm);
    run_note_fault(deed->run, node, RUN_FAULT_CLOCK, ppm != 0);
}

static void set_service(const struct deed *deed, uint32_t node, bool is_on)
{
    uint64_t takes_ns = is_on ? deed->action->service_ns : 0;

    sim_service(deed->run->sim, node, takes_ns, deed->action->buffer);
    run_note_fault(deed->run, node, RUN_FAULT_SERVICE, takes_ns != 0);
}

static void set_nat(const struct deed *deed, uint32_t node, bool is_on)
{
    struct swim_addr outside = outside_addr(deed->run, node);

    sim_nat(deed->run->sim, node, is_on ? &outside : NULL, deed->action->is_symmetric);
    run_note_fault(deed->run, node, RUN_FAULT_NAT, is_on);
}

/* Each time another value; the rest is padding. Plain nodes have neither name nor tags. */
static void retag(const struct deed *deed, uint32_t node)
{
    char text[SWIM_TAGS_MAX];
    struct swim_meta meta;

    if (deed->run->nodes[node].is_plain)
        return;
    (void)snprintf(text, sizeof text, "n%u", (unsigned)node);
    ASSERT(swim_meta_init(&meta, text) == SWIM_META_OK);
    (void)snprintf(text, sizeof text, "%0*llu", (int)deed->action->tag_bytes,
                   (unsigned long long)deed->turn);
    ASSERT(swim_meta_set(&meta, "turn", text) == SWIM_META_OK);
    sim_set_meta(deed->run->sim, node, &meta);
}

static void stall(const struct deed *deed, uint32_t node)
{
    struct run *run = deed->run;
    uint64_t for_ns = deed->action->for_ns;

    if (deed->action->kind == PLAN_PAUSE)
        sim_pause(run->sim, node, for_ns);
    else
        sim_block(run->sim, node, for_ns, deed->action->block);
    run_note_stall(run, node, sim_now(run->sim) + for_ns);
}

static void do_to(const struct deed *deed, uint32_t node)
{
    struct run *run = deed->run;

    switch (deed->action->kind) {
    case PLAN_KILL: sim_crash(run->sim, node); break;
    case PLAN_LEAVE: run_leave(run, node); break;
    case PLAN_PAUSE:
    case PLAN_BLOCK: stall(deed, node); break;
    case PLAN_LOSSY: set_loss(deed, node, true); break;
    case PLAN_CLOCK_RATE: set_clock(deed, node, true); break;
    case PLAN_CLOCK_JUMP: sim_clock_jump(run->sim, node, deed->action->jump_ns); break;
    case PLAN_SERVICE: set_service(deed, node, true); break;
    case PLAN_NAT: set_nat(deed, node, true); break;
    case PLAN_RETAG: retag(deed, node); break;
    default: run_set_seeds(run, node, &deed->other); break; /* PLAN_SEEDS */
    }
}

static void undo_to(const struct deed *deed, uint32_t node)
{
    switch (deed->action->kind) {
    case PLAN_LOSSY: set_loss(deed, node, false); break;
    case PLAN_CLOCK_RATE: set_clock(deed, node, false); break;
    case PLAN_SERVICE: set_service(deed, node, false); break;
    case PLAN_NAT: set_nat(deed, node, false); break;
    default: break; /* pauses and blocks end by themselves */
    }
}

/* ---- Actions ----------------------------------------------------------------------------- */

static void begin(const struct deed *deed)
{
    struct run *run = deed->run;

    switch (deed->action->kind) {
    case PLAN_JOIN: run_start_joining(run, deed->action->count); break;
    case PLAN_RESTART:
    case PLAN_MOVE: restart_all(deed); break;
    case PLAN_SPLIT: split(deed); break;
    case PLAN_CUT:
    case PLAN_LINK: set_links(deed, true); break;
    case PLAN_ZONE: set_zone_link(deed, true); break;
    case PLAN_NETWORK: sim_set_net(run->sim, &deed->action->net); break;
    case PLAN_HEAL: heal(run); break;
    default:
        for (uint32_t i = 0; i < deed->who.count; i++)
            do_to(deed, deed->who.nodes[i]);
        break;
    }
}

static void end(const struct deed *deed)
{
    struct run *run = deed->run;

    switch (deed->action->kind) {
    case PLAN_RESTART:
    case PLAN_MOVE:
        for (uint32_t i = 0; i < deed->who.count; i++)
            come_back(run, deed->who.nodes[i], deed->action);
        break;
    case PLAN_SPLIT: unsplit(run); break;
    case PLAN_CUT:
    case PLAN_LINK: set_links(deed, false); break;
    case PLAN_ZONE: set_zone_link(deed, false); break;
    case PLAN_NETWORK: sim_set_net(run->sim, &run->plan->net); break;
    default:
        for (uint32_t i = 0; i < deed->who.count; i++)
            undo_to(deed, deed->who.nodes[i]);
        break;
    }
}

static void do_action(struct run *run, const struct plan_action *action, uint64_t turn)
{
    struct deed deed = {.run = run, .action = action, .turn = turn};

    deed.who = run_choose_who(run, action, turn);
    if (action->kind == PLAN_CUT || action->kind == PLAN_LINK || action->kind == PLAN_MOVE ||
        action->kind == PLAN_SEEDS)
        deed.other = run_choose_other(run, action, turn, &deed.who);
    tell(&deed);
    begin(&deed);
    if (action->for_ns != 0)
        add_ending(&deed);
    run_choice_free(&deed.who);
    run_choice_free(&deed.other);
}

static void do_ending(struct run *run, uint32_t index)
{
    struct run_ending ending = run->endings[index];
    struct deed deed = {.run = run, .action = ending.action};

    run->endings[index] = run->endings[--run->ending_count];
    deed.who = (struct run_choice){ending.count, ending.nodes};
    deed.other = (struct run_choice){ending.other_count, ending.nodes + ending.count};
    end(&deed);
    free(ending.nodes);
}

static uint64_t next_turn_ns(const struct run *run, uint32_t index)
{
    const struct plan_action *action = &run->plan->actions[index];

    if (run->done[index] == plan_repeats(run->plan, action))
        return SWIM_NEVER;
    return action->at_ns + run->done[index] * action->every_ns;
}

uint64_t run_next_action(const struct run *run)
{
    uint64_t next_ns = SWIM_NEVER;

    for (uint32_t i = 0; i < run->plan->action_count; i++)
        if (next_turn_ns(run, i) < next_ns)
            next_ns = next_turn_ns(run, i);
    return next_ns;
}

void run_do_due(struct run *run)
{
    uint64_t now_ns = sim_now(run->sim);

    while (run_next_ending(run) <= now_ns)
        do_ending(run, first_ending(run));
    for (uint32_t i = 0; i < run->plan->action_count; i++) {
        if (next_turn_ns(run, i) > now_ns)
            continue;
        ASSERT(next_turn_ns(run, i) == now_ns);
        do_action(run, &run->plan->actions[i], run->done[i]++);
    }
}
