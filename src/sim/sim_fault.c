/*
 * What happens to a node rather than to the network: it is paused, blocked inside a call of the
 * socket, or too slow for what it is sent. What arrives meanwhile waits, as far as there is room.
 *
 *     arrival --> waiting --> [in hand, if a block catches it] --> the program
 *     the program --> [in hand] or [held back, by a block of I/O] --> network
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED
#endif
#ifdef IS_SANITIZED
#include <stdlib.h>
#include <string.h>
#endif

static bool is_blocked_io(const struct node *node)
{
    return node->is_blocked && node->block == SIM_BLOCK_IO;
}

/* The next call of the socket is the one in which it will be stuck. */
static bool is_trapped(const struct node *node)
{
    return node->is_blocked && node->block == SIM_BLOCK_PROCESS && !node->is_stuck;
}

static bool is_processing(const struct node *node)
{
    return node->state_now == SIM_RUNNING && !is_blocked_io(node);
}

/* ---- Reading ----------------------------------------------------------------------------- */

static void hand_over(struct sim *sim, uint32_t index, const struct packet *packet)
{
    struct node *node = sim_node(sim, index);
    const uint8_t *data = packet->data;
#ifdef IS_SANITIZED
    /* In a block of its own length, at an odd address: a read past its end is seen. */
    uint8_t *copy = sim_allocate(packet->size + 1u, 1);
    memcpy(copy + 1, packet->data, packet->size);
    data = copy + 1;
#endif
    node->ops->receive(node->state, sim_local_time(sim, index, sim->now_ns), &packet->shown, data,
                       packet->size);
#ifdef IS_SANITIZED
    free(copy);
#endif
}

static void process(struct sim *sim, uint32_t index, uint32_t slot)
{
    const struct packet *packet = packet_at(sim, slot);

    net_account(sim_node(sim, index)->received, packet->data, packet->size);
    sim->ledger.delivered++;
    if (sim->watcher_count > 0) {
        sim_tell(sim, &(struct sim_happening){.at = sim->now_ns,
                                              .kind = SIM_HAPPENED_DELIVERED,
                                              .node = index,
                                              .peer = packet->from,
                                              .data = packet->data,
                                              .size = packet->size});
    }
    hand_over(sim, index, packet);
    packet_free(sim, slot);
}

static void get_stuck(struct sim *sim, uint32_t index, uint32_t slot, bool is_sending)
{
    struct node *node = sim_node(sim, index);

    node->is_stuck = true;
    node->in_hand = slot + 1;
    node->is_sending = is_sending;
    node->state_now = SIM_PAUSED;
    sim_disarm(sim, ALARM_DEADLINE, index);
    sim_disarm(sim, ALARM_SERVICE, index);
}

/* It reads a datagram: and processes it, unless it is caught with it in hand. */
static void read_datagram(struct sim *sim, uint32_t index, uint32_t slot)
{
    if (is_trapped(sim_node(sim, index))) {
        sim->ledger.waiting++;
        get_stuck(sim, index, slot, false);
        return;
    }
    process(sim, index, slot);
}

/* It goes through what waits: all of it at once, or one datagram a service time. */
static void read_waiting(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    while (node->waiting.count > 0 && is_processing(node)) {
        if (node->service_ns > 0) {
            if (!sim_is_armed(sim, ALARM_SERVICE, index)) {
                sim_arm(sim, ALARM_SERVICE, index, sim->now_ns + node->service_ns);
            }
            return;
        }
        sim->ledger.waiting--;
        read_datagram(sim, index, packet_pop(sim, &node->waiting));
    }
}

static bool has_room(const struct sim *sim, const struct node *node)
{
    if (node->service_ns == 0) {
        return node->waiting.count < sim->config.receive_buffer;
    }
    /* The first of those that wait is the one in hand. */
    return node->service_buffer == 0 ||
           node->waiting.count < node->service_buffer + is_processing(node);
}

void fault_arrive(struct sim *sim, uint32_t index, uint32_t slot)
{
    struct node *node = sim_node(sim, index);

    if (node->state_now == SIM_STOPPED) {
        net_lose(sim, slot, SIM_DROP_STOPPED);
    } else if (is_processing(node) && node->service_ns == 0) {
        read_datagram(sim, index, slot);
        sim_pump(sim, index);
    } else if (has_room(sim, node)) {
        sim->ledger.waiting++;
        packet_push(sim, &node->waiting, slot);
        read_waiting(sim, index);
    } else {
        net_lose(sim, slot, SIM_DROP_BUFFER);
    }
}

void fault_serve(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    if (!is_processing(node) || node->waiting.count == 0) {
        return;
    }
    sim->ledger.waiting--;
    read_datagram(sim, index, packet_pop(sim, &node->waiting));
    read_waiting(sim, index);
    sim_pump(sim, index);
}

void sim_service(struct sim *sim, uint32_t index, uint64_t ns_per_datagram, uint32_t buffer)
{
    struct node *node = sim_node(sim, index);

    ASSERT(ns_per_datagram <= SIM_DELAY_MAX_NS && buffer < INT32_MAX);
    node->service_ns = ns_per_datagram;
    node->service_buffer = buffer;
    sim_disarm(sim, ALARM_SERVICE, index);
    sim_tell_node(sim, SIM_HAPPENED_NETWORK, index, SIM_NOBODY);
    if (is_processing(node)) {
        read_waiting(sim, index);
        sim_pump(sim, index);
    }
}

/* ---- Pauses ------------------------------------------------------------------------------ */

/* The call in which a block has caught it returns. */
static void finish_call(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    uint32_t slot = node->in_hand - 1;
    const struct packet *packet = packet_at(sim, slot);

    node->in_hand = 0;
    if (node->is_sending) {
        net_send(sim, index, &packet->to_addr, packet->data, packet->size);
        packet_free(sim, slot);
        sim_pump(sim, index);
    } else {
        sim->ledger.waiting--;
        process(sim, index, slot);
    }
}

/* As a host does after SIGCONT: the readable socket first, then the timers. */
static void go_on(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    if (node->is_paused || node->is_stuck) {
        return;
    }
    node->state_now = SIM_RUNNING;
    if (node->in_hand != 0) {
        finish_call(sim, index);
    }
    read_waiting(sim, index);
    if (node->state_now == SIM_RUNNING) {
        node->ops->advance(node->state, sim_local_time(sim, index, sim->now_ns));
        sim_pump(sim, index);
    }
}

void sim_pause(struct sim *sim, uint32_t index, uint64_t duration_ns)
{
    struct node *node = sim_node(sim, index);
    ASSERT(node->state_now == SIM_RUNNING);
    sim_disarm(sim, ALARM_DEADLINE, index);
    sim_disarm(sim, ALARM_SERVICE, index);
    node->state_now = SIM_PAUSED;
    node->is_paused = true;
    sim_arm(sim, ALARM_RESUME, index, sim->now_ns + duration_ns);
    sim_tell_node(sim, SIM_HAPPENED_PAUSED, index, SIM_NOBODY);
}

void fault_resume(struct sim *sim, uint32_t index)
{
    sim_node(sim, index)->is_paused = false;
    sim_tell_node(sim, SIM_HAPPENED_RESUMED, index, SIM_NOBODY);
    go_on(sim, index);
}

/* ---- Blocks ------------------------------------------------------------------------------ */

void sim_block(struct sim *sim, uint32_t index, uint64_t duration_ns, enum sim_block how)
{
    struct node *node = sim_node(sim, index);
    uint64_t until_ns = sim->now_ns + duration_ns;

    ASSERT(node->state_now == SIM_RUNNING);
    if (!node->is_blocked) {
        node->is_blocked = true;
        node->block = how;
        node->block_until_ns = 0;
    }
    if (until_ns > node->block_until_ns) {
        node->block_until_ns = until_ns;
        sim_arm(sim, ALARM_UNBLOCK, index, until_ns);
    }
    sim_tell_node(sim, SIM_HAPPENED_BLOCKED, index, SIM_NOBODY);
}

bool sim_is_blocked(const struct sim *sim, uint32_t node)
{
    return sim_node(sim, node)->is_blocked;
}

bool fault_catch_send(struct sim *sim, uint32_t index, const struct swim_addr *to, const void *data,
                      size_t size)
{
    if (!is_trapped(sim_node(sim, index))) {
        return false;
    }
    uint32_t slot = packet_take(sim, data, size);
    packet_at(sim, slot)->to_addr = *to;
    get_stuck(sim, index, slot, true);
    return true;
}

bool fault_hold_back(struct sim *sim, uint32_t index, const struct swim_addr *to, const void *data,
                     size_t size)
{
    struct node *node = sim_node(sim, index);

    if (!is_blocked_io(node)) {
        return false;
    }
    uint32_t slot = packet_take(sim, data, size);
    packet_at(sim, slot)->from = index;
    packet_at(sim, slot)->to = SIM_NOBODY;
    packet_at(sim, slot)->to_addr = *to;
    packet_push(sim, &node->held_back, slot);
    sim->ledger.waiting++;
    return true;
}

static void release(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    while (node->held_back.count > 0) {
        net_forward_held(sim, packet_pop(sim, &node->held_back));
    }
}

void fault_unblock(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    node->is_blocked = false;
    sim_tell_node(sim, SIM_HAPPENED_UNBLOCKED, index, SIM_NOBODY);
    release(sim, index);
    if (node->is_stuck) {
        node->is_stuck = false;
        go_on(sim, index);
    } else if (is_processing(node)) {
        read_waiting(sim, index);
        sim_pump(sim, index);
    }
}

/* ---- The end ----------------------------------------------------------------------------- */

void fault_forget(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);

    if (node->in_hand != 0 && node->is_sending) {
        packet_free(sim, node->in_hand - 1); /* it was never sent */
    } else if (node->in_hand != 0) {
        sim->ledger.waiting--;
        net_lose(sim, node->in_hand - 1, SIM_DROP_STOPPED);
    }
    node->in_hand = 0;
    node->is_paused = node->is_blocked = node->is_stuck = false;
    while (node->waiting.count > 0) {
        sim->ledger.waiting--;
        net_lose(sim, packet_pop(sim, &node->waiting), SIM_DROP_STOPPED);
    }
    while (node->held_back.count > 0) {
        sim->ledger.waiting--;
        net_lose(sim, packet_pop(sim, &node->held_back), SIM_DROP_STOPPED);
    }
}
