/*
 * Names and tags of simulated members: what a host would read from its configuration, kept with the
 * node, so that a restart begins with it.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <stdlib.h>

void node_apply_meta(struct sim *sim, uint32_t index)
{
    const struct node *node = sim_node(sim, index);

    if (node->meta != NULL) {
        swim_set_meta(node->state, sim_local_time(sim, index, sim->now_ns), node->meta);
    }
}

void sim_set_meta(struct sim *sim, uint32_t index, const struct swim_meta *meta)
{
    struct node *node = sim_node(sim, index);

    ASSERT(!node->is_foreign);
    if (meta == NULL) {
        free(node->meta);
        node->meta = NULL;
        return;
    }
    if (node->meta == NULL) {
        node->meta = sim_allocate(1, sizeof *node->meta);
    }
    *node->meta = *meta;
    if (node->state_now == SIM_RUNNING) {
        node_apply_meta(sim, index);
        sim_pump(sim, index);
    }
}

static bool is_ours(const struct node *node)
{
    return node->state_now != SIM_STOPPED && !node->is_foreign;
}

/* What node `a` holds of the member at node `b` is what that one holds of itself. */
static bool is_same(const struct node *a, const struct node *b)
{
    struct swim_meta held, own;
    bool is_held = swim_member_meta(a->state, b->config.id, &held);

    if (swim_member_meta(b->state, b->config.id, &own) != is_held) {
        return false;
    }
    return !is_held || (held.incarnation == own.incarnation && held.version == own.version &&
                        swim_meta_equal(&held, &own));
}

bool sim_metas_agree(const struct sim *sim, const void *context)
{
    (void)context;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        for (uint32_t j = 0; is_ours(&sim->nodes[i]) && j < sim->node_count; j++) {
            if (is_ours(&sim->nodes[j]) && !is_same(&sim->nodes[i], &sim->nodes[j])) {
                return false;
            }
        }
    }
    return true;
}
