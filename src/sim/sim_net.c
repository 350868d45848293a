/*
 * The network: what happens to a datagram between two nodes. Everything is decided when it is
 * sent, in one fixed order of random draws, so that a run depends on nothing but its seed:
 *
 *     accounts -> legal? -> filter -> [held back by a block] -> address, NAT -> group, cuts, loss
 *              -> bandwidth -> [copy] -> delay, damage -> heap
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#include <string.h>

/* ---- Faults of the whole network, and of one node's line --------------------------------- */

void sim_split(struct sim *sim, uint32_t node, uint32_t group)
{
    sim_node(sim, node)->group = group;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, node, SIM_NOBODY);
}

void sim_heal(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        sim->nodes[i].group = 0;
        sim->nodes[i].in_permille = 0;
        sim->nodes[i].out_permille = 0;
    }
    links_heal(sim);
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, SIM_NOBODY, SIM_NOBODY);
}

void sim_node_loss(struct sim *sim, uint32_t node, uint32_t in_permille, uint32_t out_permille)
{
    ASSERT(in_permille <= 1000 && out_permille <= 1000);
    sim_node(sim, node)->in_permille = in_permille;
    sim_node(sim, node)->out_permille = out_permille;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, node, SIM_NOBODY);
}

void sim_filter(struct sim *sim, sim_filter_fn *filter, void *context)
{
    sim->filter = filter;
    sim->filter_context = context;
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, SIM_NOBODY, SIM_NOBODY);
}

/* ---- Losing ------------------------------------------------------------------------------ */

/* A datagram on the sender's side of the network. */
struct sending {
    uint32_t from;
    uint32_t to; /* SIM_NOBODY while, or when, nobody has the address */
    const struct swim_addr *to_addr;
    const void *data;
    size_t size;
};

static void tell(struct sim *sim, enum sim_happening_kind kind, const struct sending *sending,
                 enum sim_drop drop)
{
    if (sim->watcher_count > 0) {
        sim_tell(sim, &(struct sim_happening){.at = sim->now_ns,
                                              .kind = kind,
                                              .node = sending->from,
                                              .peer = sending->to,
                                              .data = sending->data,
                                              .size = sending->size,
                                              .drop = drop});
    }
}

static void lose(struct sim *sim, const struct sending *sending, enum sim_drop drop)
{
    sim->ledger.dropped[drop]++;
    tell(sim, SIM_HAPPENED_DROPPED, sending, drop);
}

void net_lose(struct sim *sim, uint32_t slot, enum sim_drop drop)
{
    const struct packet *packet = packet_at(sim, slot);
    const struct sending sending = {packet->from, packet->to, &packet->to_addr, packet->data,
                                    packet->size};

    lose(sim, &sending, drop);
    packet_free(sim, slot);
}

static bool is_chance(struct sim *sim, uint32_t permille)
{
    return permille > 0 && prng_below(&sim->prng, 1000) < permille;
}

/* Why it is lost on its link, or SIM_DROPS. */
static enum sim_drop draw_loss(struct sim *sim, uint32_t from, uint32_t to,
                               const struct sim_net *net)
{
    const struct node *sender = sim_node(sim, from);
    const struct node *receiver = sim_node(sim, to);

    if (sender->group != receiver->group) {
        return SIM_DROP_PARTITION;
    }
    if (is_chance(sim, link_loss(sim, from, to))) {
        return SIM_DROP_CUT;
    }
    if (is_chance(sim, net->loss_permille)) {
        return SIM_DROP_LOSS;
    }
    bool is_cut = is_chance(sim, sender->out_permille) || is_chance(sim, receiver->in_permille);
    return is_cut ? SIM_DROP_CUT : SIM_DROPS;
}

/* ---- Sending ----------------------------------------------------------------------------- */

void net_account(struct account *accounts, const void *data, size_t size)
{
    uint8_t kind = size > 1 ? ((const uint8_t *)data)[1] : 0;
    struct account *account = &accounts[kind < SIM_KINDS ? kind : SIM_KINDS - 1];
    account->datagrams++;
    account->bytes += size;
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
    if (!sim_node(sim, from)->is_foreign && addr_is_same(to, &sim_node(sim, from)->config.addr)) {
        sim_fail(sim, from, "a datagram is for the sender itself");
    }
}

/* A burst: one to three bytes side by side. (The checksum overlooks one in 65,536 of those; of
 * changes in far places, one in a few hundred.) */
static void damage(struct sim *sim, struct packet *packet)
{
    uint32_t count = 1 + prng_below(&sim->prng, 3);
    uint32_t place = prng_below(&sim->prng, packet->size);

    for (uint32_t i = place; i < place + count && i < packet->size; i++)
        packet->data[i] = (uint8_t)(packet->data[i] ^ (1 + prng_below(&sim->prng, 255)));
}

static void launch(struct sim *sim, const struct sending *sending, const struct swim_addr *shown,
                   const struct sim_net *net, uint64_t left_ns)
{
    uint32_t slot = packet_take(sim, sending->data, sending->size);
    struct packet *packet = packet_at(sim, slot);
    packet->from = sending->from;
    packet->shown = *shown;
    packet->to = sending->to;
    packet->to_addr = *sending->to_addr;
    packet->addr_epoch = sim->addr_epoch;
    uint64_t delay_ns = delay_draw(&sim->prng, net);
    if (is_chance(sim, net->corrupt_permille)) {
        damage(sim, packet);
    }
    sim_launch(sim, slot, left_ns + delay_ns);
}

static void forward(struct sim *sim, const struct sending *sending, uint32_t found)
{
    struct swim_addr shown;
    uint64_t left_ns;
    enum sim_drop drop = addr_route(sim, sending->from, sending->to_addr, found, &shown);
    if (drop != SIM_DROPS) {
        lose(sim, sending, drop);
        return;
    }
    const struct sim_net *net = link_net(sim, sending->from, sending->to);
    drop = draw_loss(sim, sending->from, sending->to, net);
    if (drop == SIM_DROPS &&
        !link_pass(sim, net, sending->from, sending->to, sending->size, &left_ns)) {
        drop = SIM_DROP_QUEUE;
    }
    if (drop != SIM_DROPS) {
        lose(sim, sending, drop);
        return;
    }
    launch(sim, sending, &shown, net, left_ns);
    if (is_chance(sim, net->duplicate_permille)) {
        sim->ledger.duplicated++;
        launch(sim, sending, &shown, net, left_ns);
    }
}

void net_forward_held(struct sim *sim, uint32_t slot)
{
    const struct packet *packet = packet_at(sim, slot);
    uint32_t found = addr_find(sim, &packet->to_addr);
    const struct sending sending = {packet->from, addr_node(found), &packet->to_addr, packet->data,
                                    packet->size};
    sim->ledger.waiting--;
    forward(sim, &sending, found);
    packet_free(sim, slot);
}

void net_send(struct sim *sim, uint32_t from, const struct swim_addr *to_addr, const void *data,
              size_t size)
{
    net_account(sim_node(sim, from)->sent, data, size);
    check_datagram(sim, from, to_addr, size);
    if (sim_failure(sim) != NULL) {
        return;
    }
    uint32_t found = addr_find(sim, to_addr);
    const struct sending sending = {from, addr_node(found), to_addr, data, size};
    sim->ledger.sent++;
    tell(sim, SIM_HAPPENED_SENT, &sending, SIM_DROPS);
    struct sim_datagram datagram = {.at = sim->now_ns,
                                    .from = from,
                                    .to = sending.to,
                                    .to_addr = *to_addr,
                                    .data = data,
                                    .size = size};
    if (sim->filter != NULL && !sim->filter(sim->filter_context, &datagram)) {
        lose(sim, &sending, SIM_DROP_FILTER);
    } else if (!fault_hold_back(sim, from, to_addr, data, size)) {
        forward(sim, &sending, found);
    }
}

void sim_inject(struct sim *sim, const struct swim_addr *from, uint32_t node, const void *data,
                size_t size)
{
    ASSERT(node < sim->node_count && size <= SWIM_RECEIVE_MAX);
    uint32_t slot = packet_take(sim, data, size);
    struct packet *packet = packet_at(sim, slot);
    packet->from = SIM_NOBODY;
    packet->shown = *from;
    packet->to = node;
    sim->ledger.injected++;
    sim_launch(sim, slot, sim->now_ns);
}
