/*
 * The network: what happens to a datagram between two nodes. Everything is decided when it is
 * sent, in one fixed order of random draws, so that a run depends on nothing but its seed:
 *
 *     accounts -> legal? -> filter -> groups, cuts -> loss -> [copy] -> delay, damage -> heap
 */
#include "sim/sim_private.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdio.h>
#include <string.h>

/* ---- Addresses --------------------------------------------------------------------------- */

static uint64_t addr_hash(const struct swim_addr *addr)
{
    uint64_t high = 0;
    uint64_t low = 0;
    for (size_t i = 0; i < 8; i++) {
        high = (high << 8) | addr->ip[i];
        low = (low << 8) | addr->ip[8 + i];
    }
    uint64_t hash = hash_combine(high, low);
    return hash_combine(hash, ((uint64_t)addr->family << 16) | addr->port);
}

static bool is_same_addr(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

void net_bind(struct sim *sim, uint32_t node)
{
    const struct swim_addr *addr = &sim_node(sim, node)->config.addr;
    ASSERT(sim_node_at(sim, addr) == SIM_NOBODY);
    uint32_t place = (uint32_t)addr_hash(addr) & sim->addr_mask;
    while (sim->addr_table[place] != 0) {
        place = (place + 1) & sim->addr_mask;
    }
    sim->addr_table[place] = node + 1;
}

void net_unbind_all(struct sim *sim)
{
    memset(sim->addr_table, 0, ((size_t)sim->addr_mask + 1) * sizeof *sim->addr_table);
}

uint32_t sim_node_at(const struct sim *sim, const struct swim_addr *addr)
{
    uint32_t place = (uint32_t)addr_hash(addr) & sim->addr_mask;
    while (sim->addr_table[place] != 0) {
        uint32_t node = sim->addr_table[place] - 1;
        if (is_same_addr(&sim->nodes[node].config.addr, addr)) {
            return node;
        }
        place = (place + 1) & sim->addr_mask;
    }
    return SIM_NOBODY;
}

/* ---- Faults ------------------------------------------------------------------------------ */

void sim_set_net(struct sim *sim, const struct sim_net *net)
{
    ASSERT(net->delay_min_ns <= net->delay_max_ns);
    sim->config.net = *net;
}

void sim_split(struct sim *sim, uint32_t node, uint32_t group)
{
    sim_node(sim, node)->group = group;
}

void sim_heal(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        sim->nodes[i].group = 0;
        sim->nodes[i].in_permille = 0;
        sim->nodes[i].out_permille = 0;
    }
    if (sim->link_loss != NULL) {
        size_t nodes_max = sim->config.nodes_max;
        memset(sim->link_loss, 0, nodes_max * nodes_max * sizeof *sim->link_loss);
    }
}

void sim_link_loss(struct sim *sim, uint32_t from, uint32_t to, uint32_t permille)
{
    ASSERT(from < sim->node_count && to < sim->node_count && permille <= 1000);
    size_t nodes_max = sim->config.nodes_max;
    if (sim->link_loss == NULL) {
        sim->link_loss = sim_allocate(nodes_max * nodes_max, sizeof *sim->link_loss);
    }
    sim->link_loss[from * nodes_max + to] = (uint16_t)permille;
}

void sim_node_loss(struct sim *sim, uint32_t node, uint32_t in_permille, uint32_t out_permille)
{
    sim_node(sim, node)->in_permille = in_permille;
    sim_node(sim, node)->out_permille = out_permille;
}

void sim_filter(struct sim *sim, sim_filter_fn *filter, void *context)
{
    sim->filter = filter;
    sim->filter_context = context;
}

/* ---- Sending ----------------------------------------------------------------------------- */

void net_account(struct sim_traffic *traffic, const void *data, size_t size)
{
    uint8_t kind = size > 1 ? ((const uint8_t *)data)[1] : 0;
    size_t index = kind < SIM_KINDS ? kind : SIM_KINDS - 1;
    traffic->datagrams[index]++;
    traffic->bytes[index] += size;
    traffic->datagrams_total++;
    traffic->bytes_total += size;
}

static bool is_chance(struct sim *sim, uint32_t permille)
{
    return permille > 0 && prng_below(&sim->prng, 1000) < permille;
}

static bool is_lost(struct sim *sim, uint32_t from, uint32_t to)
{
    const struct node *sender = sim_node(sim, from);
    const struct node *receiver = sim_node(sim, to);
    if (sender->group != receiver->group) {
        return true;
    }
    size_t nodes_max = sim->config.nodes_max;
    uint32_t link = sim->link_loss != NULL ? sim->link_loss[from * nodes_max + to] : 0;
    return is_chance(sim, link) || is_chance(sim, sim->config.net.loss_permille) ||
           is_chance(sim, sender->out_permille) || is_chance(sim, receiver->in_permille);
}

/* What no member may ever send, whatever it was told. */
static void check_datagram(struct sim *sim, uint32_t from, const struct swim_addr *to, size_t size)
{
    static const uint8_t wildcard[16];
    if (size > SWIM_DATAGRAM_MAX) {
        sim_fail(sim, from, "a datagram is too long");
    }
    if ((to->family != 4 && to->family != 6) || to->port == 0 ||
        memcmp(to->ip, wildcard, sizeof wildcard) == 0) {
        sim_fail(sim, from, "a datagram is for no address");
    }
    if (!sim_node(sim, from)->is_foreign && is_same_addr(to, &sim_node(sim, from)->config.addr)) {
        sim_fail(sim, from, "a datagram is for the sender itself");
    }
}

/* A burst: one to three bytes side by side. (The checksum overlooks one in 65,536 of those; of
 * changes in far places, one in a few hundred.) */
static void damage(struct sim *sim, struct packet *packet)
{
    uint32_t count = 1 + prng_below(&sim->prng, 3);
    uint32_t place = prng_below(&sim->prng, (uint32_t)packet->size);

    for (uint32_t i = place; i < place + count && i < packet->size; i++)
        packet->data[i] = (uint8_t)(packet->data[i] ^ (1 + prng_below(&sim->prng, 255)));
}

static uint64_t draw_delay(struct sim *sim)
{
    uint64_t range = sim->config.net.delay_max_ns - sim->config.net.delay_min_ns;
    /* Multiply-shift instead of modulo: the bias of 2^-64 * range is of no interest here. */
    uint64_t draw = prng_next(&sim->prng) >> 32;
    uint64_t scaled = (range >> 32) * draw + (((range & UINT32_MAX) * draw) >> 32);
    return sim->config.net.delay_min_ns + scaled;
}

static void launch(struct sim *sim, uint32_t from, uint32_t to, const void *data, size_t size)
{
    uint32_t slot = sim_packet_take(sim);
    struct packet *packet = sim->packets[slot];
    packet->from = from;
    packet->from_addr = sim_node(sim, from)->config.addr;
    packet->to = to;
    packet->size = size;
    memcpy(packet->data, data, size);
    uint64_t delay_ns = draw_delay(sim);
    if (is_chance(sim, sim->config.net.corrupt_permille)) {
        damage(sim, packet);
    }
    sim_packet_arm(sim, slot, sim->now_ns + delay_ns);
}

void net_send(struct sim *sim, uint32_t from, const struct swim_addr *to_addr, const void *data,
              size_t size)
{
    net_account(&sim_node(sim, from)->sent, data, size);
    check_datagram(sim, from, to_addr, size);
    if (sim_failure(sim) != NULL) {
        return;
    }
    uint32_t to = sim_node_at(sim, to_addr);
    struct sim_datagram datagram = {
        .at = sim->now_ns, .from = from, .to = to, .to_addr = *to_addr, .data = data, .size = size};
    if (sim->filter != NULL && !sim->filter(sim->filter_context, &datagram)) {
        return;
    }
    if (to == SIM_NOBODY || is_lost(sim, from, to)) {
        return;
    }
    launch(sim, from, to, data, size);
    if (is_chance(sim, sim->config.net.duplicate_permille)) {
        launch(sim, from, to, data, size);
    }
}

void sim_inject(struct sim *sim, const struct swim_addr *from, uint32_t node, const void *data,
                size_t size)
{
    ASSERT(node < sim->node_count && size <= SWIM_RECEIVE_MAX);
    uint32_t slot = sim_packet_take(sim);
    struct packet *packet = sim->packets[slot];
    packet->from = SIM_NOBODY;
    packet->from_addr = *from;
    packet->to = node;
    packet->size = size;
    memcpy(packet->data, data, size);
    sim_packet_arm(sim, slot, sim->now_ns);
}
