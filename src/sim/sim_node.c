/*
 * The life of a node: added, started, stopped, started again. A node is an address and a
 * seat; the member that sits on it may be replaced, as processes on a machine are.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#define FIRST_PORT 7946

static struct swim_addr default_addr(const struct sim *sim, uint32_t node)
{
    struct swim_addr addr = {.port = FIRST_PORT, .family = sim->config.family};
    uint32_t host = node + 1;
    size_t last = addr.family == 4 ? 3 : 15;
    addr.ip[0] = addr.family == 4 ? 10 : 0xfd;
    addr.ip[last] = (uint8_t)host;
    addr.ip[last - 1] = (uint8_t)(host >> 8);
    addr.ip[last - 2] = (uint8_t)(host >> 16);
    return addr;
}

static uint64_t random_id(struct sim *sim)
{
    uint64_t id = prng_next(&sim->prng);
    return id != 0 ? id : 1;
}

uint32_t sim_add(struct sim *sim)
{
    ASSERT(sim->node_count < sim->config.nodes_max);
    uint32_t index = sim->node_count++;
    struct node *node = &sim->nodes[index];
    node->config = sim->config.member;
    node->config.id = random_id(sim);
    node->addr = default_addr(sim, index);
    node->config.addr = node->addr;
    /* Up to 13 days: the machines booted at different times. */
    node->clock.local_ns = prng_next(&sim->prng) >> 14;
    addr_bind(sim, index);
    return index;
}

struct swim_config *sim_member_config(struct sim *sim, uint32_t node)
{
    return &sim_node(sim, node)->config;
}

void sim_seed(struct sim *sim, uint32_t index, const struct swim_addr *addr)
{
    struct node *node = sim_node(sim, index);
    ASSERT(node->seed_count < SIM_SEEDS_MAX);
    node->seeds[node->seed_count++] = *addr;
    if (node->state_now == SIM_RUNNING && !node->is_foreign) {
        swim_join(node->state, sim_local_time(sim, index, sim->now_ns), addr);
        sim_pump(sim, index);
    }
}

void sim_seed_node(struct sim *sim, uint32_t node, uint32_t seed_node)
{
    struct swim_addr addr = sim_addr(sim, seed_node);
    sim_seed(sim, node, &addr);
}

void sim_clear_seeds(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    for (uint32_t i = 0; i < node->seed_count; i++) {
        if (node->state_now != SIM_STOPPED && !node->is_foreign) {
            swim_unjoin(node->state, &node->seeds[i]);
        }
    }
    node->seed_count = 0;
}

static void start(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    node->state_now = SIM_RUNNING;
    node->is_leaving = false;
    node->stalls = 0;
    sim_tell_node(sim, SIM_HAPPENED_STARTED, index, SIM_NOBODY);
    sim_pump(sim, index);
}

void sim_start(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    ASSERT(node->state_now == SIM_STOPPED && node->has_addr);
    node->config.seed = prng_next(&sim->prng);
    ASSERT(swim_config_check(&node->config) == NULL);
    sim_unmap_arena(node->arena, node->arena_size);
    size_t size = swim_footprint(&node->config);
    node->arena = sim_map_arena(size);
    node->arena_size = size;
    swim_time local_now = sim_local_time(sim, index, sim->now_ns);
    node->state = swim_init(node->arena, size, &node->config, local_now);
    node->ops = &sim_core_ops;
    node->is_foreign = false;
    node_apply_meta(sim, index);
    for (uint32_t i = 0; i < node->seed_count; i++) {
        swim_join(node->state, local_now, &node->seeds[i]);
    }
    start(sim, index);
}

void sim_start_peer(struct sim *sim, uint32_t index, const struct sim_peer_ops *ops, void *state,
                    uint64_t id)
{
    struct node *node = sim_node(sim, index);
    ASSERT(node->state_now == SIM_STOPPED && node->has_addr);
    sim_unmap_arena(node->arena, node->arena_size);
    node->arena = NULL;
    node->state = state;
    node->ops = ops;
    node->is_foreign = true;
    node->config.id = id != 0 ? id : node->config.id;
    start(sim, index);
}

void sim_poke(struct sim *sim, uint32_t index)
{
    ASSERT(sim_node(sim, index)->state_now == SIM_RUNNING);
    sim_pump(sim, index);
}

static void stop(struct sim *sim, uint32_t node, enum sim_happening_kind kind)
{
    sim_node(sim, node)->state_now = SIM_STOPPED;
    sim_disarm_all(sim, node);
    sim_tell_node(sim, kind, node, SIM_NOBODY);
    fault_forget(sim, node);
}

void sim_crash(struct sim *sim, uint32_t index)
{
    ASSERT(sim_node(sim, index)->state_now != SIM_STOPPED);
    stop(sim, index, SIM_HAPPENED_CRASHED);
}

void sim_restart_new_id(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    if (node->state_now != SIM_STOPPED) {
        sim_crash(sim, index);
    }
    node->config.id = random_id(sim);
    node->config.incarnation = 0;
    sim_start(sim, index);
}

void sim_restart_same_id(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    struct swim_member self;
    ASSERT(!node->is_foreign && node->state != NULL);
    ASSERT(swim_member_at(node->state, 0, &self));
    if (node->state_now != SIM_STOPPED) {
        sim_crash(sim, index);
    }
    node->config.incarnation = self.incarnation + 1;
    sim_start(sim, index);
}

void sim_leave(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    ASSERT(node->state_now == SIM_RUNNING && !node->is_foreign);
    node->is_leaving = true;
    sim_tell_node(sim, SIM_HAPPENED_LEAVING, index, SIM_NOBODY);
    swim_leave(node->state, sim_local_time(sim, index, sim->now_ns));
    sim_pump(sim, index);
}

void node_read_events(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    struct swim_event event;
    uint32_t count = 0;
    while (swim_next_event(node->state, &event)) {
        log_event(sim, index, &event);
        if (event.kind == SWIM_EVENT_ID_CHANGED) {
            node->config.id = event.member.id;
        }
        if (++count > 16 * node->config.members_max + 64) {
            sim_fail(sim, index, "its events never end");
            return;
        }
    }
    if (node->is_leaving && swim_has_left(node->state)) {
        node->is_leaving = false;
        stop(sim, index, SIM_HAPPENED_LEFT);
    }
}
