/*
 * Who has which address, and what NATs make of it. Every node has one address of its own; one
 * behind a NAT has a second outside of it. Both lead to the node by the same table.
 */
#include "sim/sim_private.h"

#include "base/assert.h"
#include "base/hash.h"

#include <string.h>

/* What the table holds: 2 * node + 1, and one more for an outside address; 0 is free. */
static uint32_t entry_of(uint32_t node, bool is_outside)
{
    return 2 * node + 1 + is_outside;
}

static uint32_t node_of(uint32_t entry)
{
    return (entry - 1) / 2;
}

static bool is_outside(uint32_t entry)
{
    return (entry - 1) % 2 == 1;
}

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

bool addr_is_same(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

static const struct swim_addr *addr_of(const struct sim *sim, uint32_t entry)
{
    const struct node *node = &sim->nodes[node_of(entry)];
    return is_outside(entry) ? &node->nat.outside : &node->addr;
}

/* Where the address is in the table, or the free place where it would go. */
static uint32_t place_of(const struct sim *sim, const struct swim_addr *addr)
{
    uint32_t place = (uint32_t)addr_hash(addr) & sim->addr_mask;

    while (sim->addr_table[place] != 0 &&
           !addr_is_same(addr_of(sim, sim->addr_table[place]), addr)) {
        place = (place + 1) & sim->addr_mask;
    }
    return place;
}

static void insert(struct sim *sim, uint32_t entry)
{
    uint32_t place = place_of(sim, addr_of(sim, entry));

    ASSERT(sim->addr_table[place] == 0);
    sim->addr_table[place] = entry;
}

/* What follows without a gap is put in again: it may have been pushed out of its place. */
static void erase(struct sim *sim, const struct swim_addr *addr)
{
    uint32_t place = place_of(sim, addr);

    ASSERT(sim->addr_table[place] != 0);
    sim->addr_table[place] = 0;
    for (place = (place + 1) & sim->addr_mask; sim->addr_table[place] != 0;
         place = (place + 1) & sim->addr_mask) {
        uint32_t entry = sim->addr_table[place];
        sim->addr_table[place] = 0;
        insert(sim, entry);
    }
}

void addr_bind(struct sim *sim, uint32_t node)
{
    insert(sim, entry_of(node, false));
    sim_node(sim, node)->has_addr = true;
}

static void unbind(struct sim *sim, uint32_t node)
{
    if (sim_node(sim, node)->has_addr) {
        erase(sim, &sim_node(sim, node)->addr);
    }
    sim_node(sim, node)->has_addr = false;
}

uint32_t addr_find(const struct sim *sim, const struct swim_addr *addr)
{
    return sim->addr_table[place_of(sim, addr)];
}

uint32_t addr_node(uint32_t found)
{
    return found != 0 ? node_of(found) : SIM_NOBODY;
}

uint32_t sim_node_at(const struct sim *sim, const struct swim_addr *addr)
{
    return addr_node(addr_find(sim, addr));
}

/* ---- Moves ------------------------------------------------------------------------------- */

static void give_up_addr(struct sim *sim, uint32_t node)
{
    unbind(sim, node);
    memset(&sim_node(sim, node)->addr, 0, sizeof(struct swim_addr));
}

void sim_move(struct sim *sim, uint32_t index, const struct swim_addr *addr)
{
    uint32_t owner = sim_node_at(sim, addr);

    ASSERT(sim_node(sim, index)->state_now == SIM_STOPPED);
    if (owner == index) {
        return;
    }
    give_up_addr(sim, index);
    if (owner != SIM_NOBODY) {
        ASSERT(sim_node(sim, owner)->state_now == SIM_STOPPED);
        ASSERT(addr_is_same(&sim_node(sim, owner)->addr, addr));
        give_up_addr(sim, owner);
        sim_tell_node(sim, SIM_HAPPENED_MOVED, owner, SIM_NOBODY);
    }
    sim_node(sim, index)->addr = *addr;
    sim_node(sim, index)->config.addr = *addr;
    addr_bind(sim, index);
    sim->addr_epoch++;
    sim_tell_node(sim, SIM_HAPPENED_MOVED, index, SIM_NOBODY);
}

/* ---- NAT --------------------------------------------------------------------------------- */

void sim_nat(struct sim *sim, uint32_t index, const struct swim_addr *outside, bool is_symmetric)
{
    struct node_nat *nat = &sim_node(sim, index)->nat;

    if (nat->is_on) {
        erase(sim, &nat->outside);
    }
    nat->is_on = outside != NULL;
    nat->is_symmetric = is_symmetric;
    nat->generation++;
    sim->addr_epoch++;
    if (outside != NULL) {
        nat->outside = *outside;
        insert(sim, entry_of(index, true));
    }
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, index, SIM_NOBODY);
}

/* A hole in the NAT of a node, for one address outside. (64 bits of hash: no two are the same.) */
static uint64_t hole_key(const struct sim *sim, uint32_t index, const struct swim_addr *addr)
{
    uint32_t generation = sim->nodes[index].nat.generation;
    uint64_t key = hash_combine(addr_hash(addr), ((uint64_t)generation << 32) | index);
    return key != 0 ? key : 1;
}

static bool is_same_nat(const struct node_nat *a, const struct node_nat *b)
{
    return a->is_on && b->is_on && a->outside.family == b->outside.family &&
           memcmp(a->outside.ip, b->outside.ip, 16) == 0;
}

enum sim_drop addr_route(struct sim *sim, uint32_t from, const struct swim_addr *to, uint32_t found,
                         struct swim_addr *ret_shown)
{
    const struct node *sender = sim_node(sim, from);
    *ret_shown = sender->nat.is_on ? sender->nat.outside : sender->addr;
    if (sender->nat.is_on && sender->nat.is_symmetric) {
        *map_put(&sim->nat_holes, hole_key(sim, from, to)) = 1;
    }
    if (found == 0) {
        return SIM_DROP_NOBODY;
    }
    uint32_t receiver = node_of(found);
    const struct node_nat *nat = &sim->nodes[receiver].nat;
    if (!is_outside(found)) {
        if (!nat->is_on) {
            return SIM_DROPS;
        }
        *ret_shown = sender->addr;
        return from == receiver || is_same_nat(&sender->nat, nat) ? SIM_DROPS : SIM_DROP_NAT;
    }
    if (nat->is_symmetric &&
        map_find(&sim->nat_holes, hole_key(sim, receiver, ret_shown)) == NULL) {
        return SIM_DROP_NAT;
    }
    return SIM_DROPS;
}
