/*
 * The graph of links: which of them differ from the usual, and what waits for their bandwidth.
 * Of the pairs of nodes, of which there are many, only those that have something are held.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define BUSY_MIN 256
/* In the table of queues, next to pairs of nodes: a pair of zones. */
#define ZONE_LINE UINT64_C(0x8000000000000000)

/* ---- Links of their own ------------------------------------------------------------------ */

static const struct link_state *find(const struct links *links, const struct sim_map *map,
                                     uint32_t from, uint32_t to)
{
    const uint32_t *index = map_find(map, map_pair(from, to));
    return index != NULL ? &links->states[*index] : NULL;
}

static struct link_state *obtain(struct links *links, struct sim_map *map, uint32_t from,
                                 uint32_t to)
{
    uint32_t count_before = map->count;
    uint32_t *index = map_put(map, map_pair(from, to));

    if (map->count != count_before) {
        if (links->count == links->capacity) {
            links->capacity = links->capacity == 0 ? 16 : 2 * links->capacity;
            links->states = sim_grow(links->states, links->capacity, sizeof *links->states);
        }
        *index = links->count++;
        memset(&links->states[*index], 0, sizeof *links->states);
    }
    return &links->states[*index];
}

static void set_net(struct link_state *state, const struct sim_net *net)
{
    ASSERT(net == NULL || sim_net_check(net) == NULL);
    state->has_net = net != NULL;
    if (net != NULL) {
        state->net = *net;
    }
}

void sim_set_net(struct sim *sim, const struct sim_net *net)
{
    ASSERT(sim_net_check(net) == NULL);
    sim->config.net = *net;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, SIM_NOBODY, SIM_NOBODY);
}

void sim_set_link(struct sim *sim, uint32_t from, uint32_t to, const struct sim_net *net)
{
    ASSERT(from < sim->node_count && to < sim->node_count);
    set_net(obtain(&sim->links, &sim->links.by_pair, from, to), net);
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, from, to);
}

void sim_set_zone(struct sim *sim, uint32_t node, uint32_t zone)
{
    ASSERT(zone < INT32_MAX);
    sim_node(sim, node)->zone = zone;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, node, SIM_NOBODY);
}

void sim_set_zone_link(struct sim *sim, uint32_t from_zone, uint32_t to_zone,
                       const struct sim_net *net)
{
    ASSERT(from_zone < INT32_MAX && to_zone < INT32_MAX);
    set_net(obtain(&sim->links, &sim->links.by_zone, from_zone, to_zone), net);
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, SIM_NOBODY, SIM_NOBODY);
}

void sim_link_loss(struct sim *sim, uint32_t from, uint32_t to, uint32_t permille)
{
    ASSERT(from < sim->node_count && to < sim->node_count && permille <= 1000);
    obtain(&sim->links, &sim->links.by_pair, from, to)->loss_permille = permille;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, from, to);
}

void sim_clear_links(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->links.count; i++) {
        sim->links.states[i].has_net = false;
    }
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, SIM_NOBODY, SIM_NOBODY);
}

void links_heal(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->links.count; i++) {
        sim->links.states[i].loss_permille = 0;
    }
}

static const struct sim_net *zone_net(const struct sim *sim, uint32_t from, uint32_t to)
{
    const struct link_state *state =
        find(&sim->links, &sim->links.by_zone, sim->nodes[from].zone, sim->nodes[to].zone);
    return state != NULL && state->has_net ? &state->net : NULL;
}

const struct sim_net *link_net(const struct sim *sim, uint32_t from, uint32_t to)
{
    const struct link_state *state = find(&sim->links, &sim->links.by_pair, from, to);
    if (state != NULL && state->has_net) {
        return &state->net;
    }
    const struct sim_net *net = zone_net(sim, from, to);
    return net != NULL ? net : &sim->config.net;
}

uint32_t link_loss(const struct sim *sim, uint32_t from, uint32_t to)
{
    const struct link_state *state = find(&sim->links, &sim->links.by_pair, from, to);
    return state != NULL ? state->loss_permille : 0;
}

/* ---- Bandwidth --------------------------------------------------------------------------- */

/* Queues that have run empty are forgotten, and then the table grows if it must. */
static void make_room(struct sim *sim)
{
    struct links *links = &sim->links;
    struct sim_map old = links->busy;
    uint32_t kept = 0;

    memset(&links->busy, 0, sizeof links->busy);
    for (uint32_t i = 0; i < old.count; i++) {
        if (links->busy_until_ns[i] > sim->now_ns) {
            links->busy_until_ns[kept] = links->busy_until_ns[i];
            links->busy_keys[kept] = links->busy_keys[i];
            *map_put(&links->busy, links->busy_keys[kept]) = kept;
            kept++;
        }
    }
    map_clear(&old);
    if (2 * kept >= links->busy_capacity) {
        uint32_t capacity = links->busy_capacity == 0 ? BUSY_MIN : 2 * links->busy_capacity;
        links->busy_until_ns = sim_grow(links->busy_until_ns, capacity, sizeof(uint64_t));
        links->busy_keys = sim_grow(links->busy_keys, capacity, sizeof(uint64_t));
        links->busy_capacity = capacity;
    }
}

/* When the queue of that key will be empty; 0 in a new one. */
static uint64_t *busy_until(struct sim *sim, uint64_t key)
{
    struct links *links = &sim->links;
    uint32_t *index = map_find(&links->busy, key);

    if (index == NULL) {
        if (links->busy.count == links->busy_capacity) {
            make_room(sim);
        }
        uint32_t count_before = links->busy.count;
        index = map_put(&links->busy, key);
        *index = count_before;
        links->busy_keys[*index] = key;
        links->busy_until_ns[*index] = 0;
    }
    return &links->busy_until_ns[*index];
}

static uint64_t queue_key(const struct sim *sim, const struct sim_net *net, uint32_t from,
                          uint32_t to)
{
    uint32_t from_zone = sim->nodes[from].zone;
    uint32_t to_zone = sim->nodes[to].zone;
    bool is_line = from_zone != to_zone && net == zone_net(sim, from, to);
    return is_line ? ZONE_LINE | map_pair(from_zone, to_zone) : map_pair(from, to);
}

/* Bytes that pass in so long a time, rounded up. */
static uint64_t bytes_in(uint64_t bandwidth, uint64_t duration_ns)
{
    uint64_t rest = duration_ns % SIM_SECOND * bandwidth;
    return duration_ns / SIM_SECOND * bandwidth + (rest + SIM_SECOND - 1) / SIM_SECOND;
}

bool link_pass(struct sim *sim, const struct sim_net *net, uint32_t from, uint32_t to, size_t size,
               uint64_t *ret_left_ns)
{
    uint64_t left_ns = sim->now_ns;

    if (net->bandwidth != 0) {
        uint64_t *until_ns = busy_until(sim, queue_key(sim, net, from, to));
        uint64_t wait_ns = *until_ns > sim->now_ns ? *until_ns - sim->now_ns : 0;
        if (net->queue_bytes != 0 && wait_ns > 0 &&
            bytes_in(net->bandwidth, wait_ns) + size > net->queue_bytes) {
            return false;
        }
        left_ns += wait_ns + (size * SIM_SECOND + net->bandwidth - 1) / net->bandwidth;
        *until_ns = left_ns;
    }
    *ret_left_ns = left_ns;
    return true;
}

void links_free(struct links *links)
{
    map_clear(&links->by_pair);
    map_clear(&links->by_zone);
    map_clear(&links->busy);
    free(links->states);
    free(links->busy_until_ns);
    free(links->busy_keys);
}
