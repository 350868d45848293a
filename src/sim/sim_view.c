/*
 * Looking at a simulation: who sees whom, what was said, what was sent. Changes nothing.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <string.h>

uint32_t sim_nodes(const struct sim *sim)
{
    return sim->node_count;
}

enum sim_state sim_state(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->state_now;
}

bool sim_is_foreign(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->is_foreign;
}

struct swim *sim_member(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->is_foreign ? NULL : sim_node(sim, node)->state;
}

uint64_t sim_id(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->config.id;
}

struct swim_addr sim_addr(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->addr;
}

bool sim_status(const struct sim *sim, uint32_t observer, uint64_t id, enum swim_status *ret)
{
    const struct node *node = sim_node(sim, observer);
    return node->state_now != SIM_STOPPED && node->ops->find(node->state, id, ret);
}

bool sim_sees(const struct sim *sim, uint32_t observer, uint64_t id, enum swim_status status)
{
    enum swim_status seen;
    return sim_status(sim, observer, id, &seen) && seen == status;
}

bool sim_all_see(const struct sim *sim, uint64_t id, enum swim_status status)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        const struct node *node = &sim->nodes[i];
        if (node->state_now != SIM_STOPPED && node->config.id != id &&
            !sim_sees(sim, i, id, status)) {
            return false;
        }
    }
    return true;
}

bool sim_all_forgot(const struct sim *sim, uint64_t id)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        enum swim_status seen;
        if (sim_status(sim, i, id, &seen)) {
            return false;
        }
    }
    return true;
}

uint32_t sim_count(const struct sim *sim, uint32_t index, enum swim_status status)
{
    const struct node *node = sim_node(sim, index);
    return node->state_now == SIM_STOPPED ? 0 : node->ops->count(node->state, status);
}

uint32_t sim_running(const struct sim *sim)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        count += sim->nodes[i].state_now != SIM_STOPPED;
    }
    return count;
}

static bool runs_beside(const struct node *node, const struct node *other)
{
    return node->state_now != SIM_STOPPED &&
           strcmp(node->config.cluster, other->config.cluster) == 0;
}

/* Those that run in the cluster of node number `index`; *ret_first is the first of them. */
static uint32_t count_beside(const struct sim *sim, uint32_t index, uint32_t *ret_first)
{
    uint32_t count = 0;
    for (uint32_t i = sim->node_count; i-- > 0;) {
        if (runs_beside(&sim->nodes[i], &sim->nodes[index])) {
            *ret_first = i;
            count++;
        }
    }
    return count;
}

/* Foreign nodes are asked for ids one by one instead: they have no digest to compare. */
static bool is_foreign_converged(const struct sim *sim, uint32_t observer)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (runs_beside(&sim->nodes[i], &sim->nodes[observer]) && i != observer &&
            !sim_sees(sim, observer, sim->nodes[i].config.id, SWIM_ALIVE)) {
            return false;
        }
    }
    return true;
}

/* The cluster of node number `index`, the first of `running` members. Counts and digests alone
 * could agree on a wrong set: one node is asked for every id. */
static bool is_cluster_converged(const struct sim *sim, uint32_t index, uint32_t running)
{
    uint32_t first = SIM_NOBODY;
    for (uint32_t i = index; i < sim->node_count; i++) {
        const struct node *node = &sim->nodes[i];
        if (!runs_beside(node, &sim->nodes[index])) {
            continue;
        }
        if (sim_count(sim, i, SWIM_ALIVE) != running || sim_count(sim, i, SWIM_SUSPECT) != 0) {
            return false;
        }
        if (node->is_foreign) {
            if (!is_foreign_converged(sim, i)) {
                return false;
            }
        } else if (first == SIM_NOBODY) {
            first = i;
        } else if (swim_view_digest(node->state) != swim_view_digest(sim->nodes[first].state)) {
            return false;
        }
    }
    return first == SIM_NOBODY || is_foreign_converged(sim, first);
}

bool sim_converged(const struct sim *sim, const void *context)
{
    (void)context;
    uint32_t left = sim_running(sim);
    for (uint32_t i = 0; i < sim->node_count && left > 0; i++) {
        uint32_t first = i;
        uint32_t running =
            sim->nodes[i].state_now == SIM_STOPPED ? 0 : count_beside(sim, i, &first);
        if (running == 0 || first != i) {
            continue; /* of a cluster that was looked at */
        }
        if (!is_cluster_converged(sim, i, running)) {
            return false;
        }
        left -= running;
    }
    return true;
}

bool sim_is_clean(const struct sim *sim, const void *context)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (sim_count(sim, i, SWIM_DEAD) != 0 || sim_count(sim, i, SWIM_LEFT) != 0) {
            return false;
        }
    }
    return sim_converged(sim, context);
}

static void add_accounts(struct sim_traffic *sum, const struct account *accounts)
{
    for (size_t k = 0; k < SIM_KINDS; k++) {
        sum->datagrams[k] += accounts[k].datagrams;
        sum->bytes[k] += accounts[k].bytes;
        sum->datagrams_total += accounts[k].datagrams;
        sum->bytes_total += accounts[k].bytes;
    }
}

struct sim_traffic sim_sent(const struct sim *sim, uint32_t node)
{
    struct sim_traffic sum = {0};
    if (node != SIM_NOBODY) {
        add_accounts(&sum, sim_node(sim, node)->sent);
        return sum;
    }
    for (uint32_t i = 0; i < sim->node_count; i++) {
        add_accounts(&sum, sim->nodes[i].sent);
    }
    return sum;
}

struct sim_traffic sim_received(const struct sim *sim, uint32_t node)
{
    struct sim_traffic sum = {0};
    add_accounts(&sum, sim_node(sim, node)->received);
    return sum;
}

struct sim_traffic sim_traffic_since(const struct sim_traffic *now,
                                     const struct sim_traffic *before)
{
    struct sim_traffic difference = *now;
    for (size_t k = 0; k < SIM_KINDS; k++) {
        difference.datagrams[k] -= before->datagrams[k];
        difference.bytes[k] -= before->bytes[k];
    }
    difference.datagrams_total -= before->datagrams_total;
    difference.bytes_total -= before->bytes_total;
    return difference;
}

static uint64_t counter_of(const struct node *node, size_t field_offset)
{
    if (node->is_foreign || node->state == NULL) {
        return 0;
    }
    struct swim_stats stats;
    swim_stats(node->state, &stats);
    uint64_t value;
    memcpy(&value, (const char *)&stats + field_offset, sizeof value);
    return value;
}

uint64_t sim_counter(const struct sim *sim, uint32_t node, size_t field_offset)
{
    if (node != SIM_NOBODY) {
        return counter_of(sim_node(sim, node), field_offset);
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (sim->nodes[i].state_now != SIM_STOPPED) {
            sum += counter_of(&sim->nodes[i], field_offset);
        }
    }
    return sum;
}
