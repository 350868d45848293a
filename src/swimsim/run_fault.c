/*
 * Which faults are in force, for checkers and for the collector: what the simulation itself does not
 * know, since to it a lossy link is a link like any other.
 */
#include "swimsim/run_private.h"

static bool is_faulted_for_good(const struct run_node *node)
{
    return node->faults != 0 || node->cuts != 0;
}

/* Tells the collector where a node stands now; of groups it keeps accounts of its own. */
static void tell(struct run *run, uint32_t index)
{
    const struct run_node *node = &run->nodes[index];

    if (run->collect == NULL)
        return;
    collect_note_well(run->collect, index);
    if (node->cuts != 0 || (node->faults & ~RUN_FAULT_GROUP) != 0)
        collect_note_fault(run->collect, index, FIGURES_NEVER);
}

/* The collector sees pauses and blocks for itself. */
void run_note_stall(struct run *run, uint32_t node, uint64_t until_ns)
{
    if (run->nodes[node].stalled_until_ns < until_ns)
        run->nodes[node].stalled_until_ns = until_ns;
}

void run_note_fault(struct run *run, uint32_t node, enum run_fault fault, bool is_on)
{
    uint8_t before = run->nodes[node].faults;
    uint8_t bit = (uint8_t)fault;

    run->nodes[node].faults = (uint8_t)(is_on ? before | bit : before & ~bit);
    if (before != run->nodes[node].faults)
        tell(run, node);
}

void run_note_cut(struct run *run, uint32_t node, bool is_on)
{
    uint32_t *cuts = &run->nodes[node].cuts;

    *cuts = is_on ? *cuts + 1 : *cuts > 0 ? *cuts - 1 : 0;
    if (*cuts <= 1)
        tell(run, node);
}

/* The largest group, and of equal ones the one with the lowest number: its nodes count as those
 * that are not apart. */
static uint32_t largest_group(const struct run *run)
{
    uint32_t sizes[PLAN_GROUPS_MAX + 1] = {0};
    uint32_t largest = 0;

    for (uint32_t i = 0; i < run->total; i++)
        sizes[run->nodes[i].group]++;
    for (uint32_t i = 1; i <= PLAN_GROUPS_MAX; i++)
        largest = sizes[i] > sizes[largest] ? i : largest;
    return largest;
}

void run_note_groups(struct run *run, const uint32_t *groups)
{
    uint32_t largest;

    if (groups == NULL && run->collect != NULL)
        collect_note_heal(run->collect);
    for (uint32_t i = 0; i < run->total; i++) {
        run->nodes[i].group = groups != NULL ? groups[i] : 0;
        if (groups != NULL && run->collect != NULL)
            collect_note_group(run->collect, i, groups[i]);
    }
    largest = largest_group(run);
    for (uint32_t i = 0; i < run->total; i++) {
        uint8_t others = (uint8_t)(run->nodes[i].faults & ~RUN_FAULT_GROUP);
        bool is_apart = groups != NULL && run->nodes[i].group != largest;
        run->nodes[i].faults = (uint8_t)(others | (is_apart ? RUN_FAULT_GROUP : 0));
    }
}

void run_note_healed(struct run *run)
{
    run_note_groups(run, NULL);
    for (uint32_t i = 0; i < run->total; i++) {
        run->nodes[i].cuts = 0;
        run_note_fault(run, i, RUN_FAULT_LOSSY, false);
        tell(run, i);
    }
}

/* ---- Questions from outside -------------------------------------------------------------- */

bool run_is_faulted(const struct run *run, uint32_t node)
{
    return is_faulted_for_good(&run->nodes[node]) ||
           run->nodes[node].stalled_until_ns > sim_now(run->sim);
}
