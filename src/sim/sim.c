/*
 * The engine: virtual time and the heap of events that drives all nodes. Nothing of the protocol
 * is known here; members are driven through the contract of swim.h (docs/protocol.md has no
 * section about hosts), foreign programs through struct sim_peer_ops.
 *
 * A node has at most one event for its deadline. It is not moved when the deadline moves back:
 * it fires too early then, finds that out, and is armed anew, which is cheaper than moving it
 * after each datagram.
 */
#include "sim/sim_private.h"

#include "base/assert.h"
#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A deadline that stays in the past for so many calls of swim_advance in a row will stay there
 * for ever: an honest member fires some timers a call, and has at most a few for each member. */
#define STALLS_MAX 10000
/* Datagrams that one input may cause: a full sync of the largest table takes far fewer at once. */
#define TRANSMITS_MAX 100000
/* As many as have addresses of their own, see default_addr in sim_node.c. */
#define NODES_MAX 16777215

#define CACHE_LINE 64
#define PREFETCH_BYTES 512
#if defined(__GNUC__)
#define PREFETCH(address) __builtin_prefetch(address)
#else
#define PREFETCH(address) ((void)(address))
#endif

void sim_config_default(struct sim_config *config, uint64_t seed, uint32_t nodes_max)
{
    memset(config, 0, sizeof *config);
    config->seed = seed;
    config->nodes_max = nodes_max;
    config->family = 4;
    config->net.delay_min_ns = SWIM_MS / 5;
    config->net.delay_max_ns = SWIM_MS;
    config->receive_buffer = 166;
    config->check_period_ns = SIM_SECOND;
    config->poll_ns = 10 * SWIM_MS;
    config->keep_events = true;
    swim_config_default(&config->member);
}

static uint32_t alarms_of(const struct sim *sim)
{
    return ALARMS * sim->config.nodes_max;
}

void sim_grow_heap(struct sim *sim)
{
    uint32_t capacity = alarms_of(sim) + sim->packets.capacity;
    uint32_t before = sim->heap.capacity;
    sim->heap_nodes = sim_grow(sim->heap_nodes, (size_t)capacity + 1, sizeof *sim->heap_nodes);
    sim->heap_places = sim_grow(sim->heap_places, (size_t)capacity + 1, sizeof *sim->heap_places);
    memset(sim->heap_places + before, 0, (capacity - before + 1) * sizeof *sim->heap_places);
    sim->heap.capacity = capacity;
}

struct sim *sim_new(const struct sim_config *config)
{
    ASSERT(config->nodes_max > 0 && config->nodes_max <= NODES_MAX);
    ASSERT(sim_net_check(&config->net) == NULL);
    struct sim *sim = sim_allocate(1, sizeof *sim);
    sim->config = *config;
    prng_init(&sim->prng, config->seed);
    sim->nodes = sim_allocate(config->nodes_max, sizeof *sim->nodes);
    uint32_t table = 16;
    while (table < 4 * config->nodes_max) {
        table *= 2;
    }
    sim->addr_mask = table - 1;
    sim->addr_table = sim_allocate(table, sizeof *sim->addr_table);
    sim->next_check_ns = config->check_period_ns;
    sim_grow_heap(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL) {
        return;
    }
    for (uint32_t i = 0; i < sim->node_count; i++) {
        sim_unmap_arena(sim->nodes[i].arena, sim->nodes[i].arena_size);
    }
    packet_pool_free(&sim->packets);
    links_free(&sim->links);
    log_free(&sim->log);
    map_clear(&sim->nat_holes);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        free(sim->nodes[i].meta);
    }
    free(sim->nodes);
    free(sim->heap_nodes);
    free(sim->heap_places);
    free(sim->addr_table);
    free(sim);
}

void sim_fail(struct sim *sim, uint32_t node, const char *text)
{
    if (sim->failure[0] != '\0') {
        return;
    }
    snprintf(sim->failure, sizeof sim->failure, "node %ld at %llu.%03llu s: %s",
             node == SIM_NOBODY ? -1L : (long)node, (unsigned long long)(sim->now_ns / SIM_SECOND),
             (unsigned long long)(sim->now_ns % SIM_SECOND / SWIM_MS), text);
}

const char *sim_failure(const struct sim *sim)
{
    return sim->failure[0] != '\0' ? sim->failure : NULL;
}

struct node *sim_node(const struct sim *sim, uint32_t node)
{
    ASSERT(node < sim->node_count);
    return &sim->nodes[node];
}

/* ---- The heap of events ------------------------------------------------------------------ */

static void heap_arm(struct sim *sim, uint32_t index, uint64_t at_ns)
{
    heap_push(&sim->heap, sim->heap_nodes, sim->heap_places, index, at_ns);
}

static void heap_disarm(struct sim *sim, uint32_t index)
{
    if (sim->heap_places[index] != 0) {
        heap_remove(&sim->heap, sim->heap_nodes, sim->heap_places, index);
    }
}

static uint32_t heap_index(const struct sim *sim, enum alarm alarm, uint32_t node)
{
    return (uint32_t)alarm * sim->config.nodes_max + node;
}

bool sim_is_armed(const struct sim *sim, enum alarm alarm, uint32_t node)
{
    return sim->heap_places[heap_index(sim, alarm, node)] != 0;
}

void sim_arm(struct sim *sim, enum alarm alarm, uint32_t node, uint64_t at_ns)
{
    sim_disarm(sim, alarm, node);
    heap_arm(sim, heap_index(sim, alarm, node), at_ns);
}

void sim_disarm(struct sim *sim, enum alarm alarm, uint32_t node)
{
    heap_disarm(sim, heap_index(sim, alarm, node));
}

void sim_disarm_all(struct sim *sim, uint32_t node)
{
    for (unsigned alarm = 0; alarm < ALARMS; alarm++) {
        sim_disarm(sim, (enum alarm)alarm, node);
    }
}

void sim_launch(struct sim *sim, uint32_t slot, uint64_t arrives_ns)
{
    sim->ledger.in_flight++;
    heap_arm(sim, alarms_of(sim) + slot, arrives_ns);
}

/* ---- Driving one node -------------------------------------------------------------------- */

void sim_arm_deadline(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    swim_time deadline = node->ops->deadline(node->state);
    if (deadline == SWIM_NEVER) {
        return;
    }
    uint64_t local_now = sim_local_time(sim, index, sim->now_ns);
    uint64_t at_ns = deadline <= local_now ? sim->now_ns : clock_when(&node->clock, deadline);
    uint32_t place = sim->heap_places[heap_index(sim, ALARM_DEADLINE, index)];
    if (place == 0 || sim->heap_nodes[place].key > at_ns) {
        sim_arm(sim, ALARM_DEADLINE, index, at_ns);
    }
}

void sim_pump(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    swim_time local_now = sim_local_time(sim, index, sim->now_ns);
    uint32_t count = 0;
    if (node->state_now != SIM_RUNNING) {
        return;
    }
    for (;;) {
        memset(&to, 0, sizeof to);
        size_t size = node->ops->transmit(node->state, local_now, &to, buf, sizeof buf);
        if (size == 0) {
            break;
        }
        if (fault_catch_send(sim, index, &to, buf, size)) {
            return;
        }
        net_send(sim, index, &to, buf, size);
        if (++count > TRANSMITS_MAX) {
            sim_fail(sim, index, "it never stops sending");
            return;
        }
    }
    if (!node->is_foreign) {
        node_read_events(sim, index);
    }
    if (node->state_now == SIM_RUNNING) {
        sim_arm_deadline(sim, index);
    }
}

static void check_node(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    if (node->state_now == SIM_STOPPED) {
        return;
    }
    const char *broken = node->ops->check(node->state);
    if (broken != NULL) {
        sim_fail(sim, index, broken);
    }
}

bool sim_check(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->node_count; i++) {
        check_node(sim, i);
    }
    if (!ledger_balances(&sim->ledger)) {
        sim_fail(sim, SIM_NOBODY, "the ledger does not balance");
    }
    return sim_failure(sim) == NULL;
}

static void fire_deadline(struct sim *sim, uint32_t index)
{
    struct node *node = sim_node(sim, index);
    if (node->state_now != SIM_RUNNING) {
        return;
    }
    swim_time local_now = sim_local_time(sim, index, sim->now_ns);
    if (node->ops->deadline(node->state) > local_now) {
        sim_arm_deadline(sim, index);
        return;
    }
    node->ops->advance(node->state, local_now);
    sim_pump(sim, index);
    bool is_stalled =
        node->state_now == SIM_RUNNING && node->ops->deadline(node->state) <= local_now;
    node->stalls = is_stalled ? node->stalls + 1 : 0;
    if (node->stalls > STALLS_MAX) {
        sim_fail(sim, index, "its deadline stays in the past");
    }
}

/* Eight bytes, or the `left` that there are, as a number. */
static uint64_t word_at(const uint8_t *at, size_t left)
{
    uint64_t word = 0;

    for (size_t k = 0; k < 8; k++)
        word = (word << 8) | (k < left ? at[k] : 0);
    return word;
}

/* The datagram's fingerprint goes into the trace at its delivery. One multiplication a word: it
 * is to tell runs apart, not to withstand an adversary. */
static void trace_packet(struct sim *sim, const struct packet *packet)
{
    uint64_t hash = hash_combine(sim->trace, sim->now_ns);

    hash = hash_combine(hash, ((uint64_t)packet->from << 32) | packet->to);
    hash = hash_combine(hash, packet->size);
    for (size_t i = 0; i < packet->size; i += 8) {
        hash = (hash ^ word_at(packet->data + i, packet->size - i)) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    sim->trace = hash;
}

/* Returns who gets it. */
static uint32_t fire_packet(struct sim *sim, uint32_t slot)
{
    struct packet *packet = packet_at(sim, slot);
    if (packet->addr_epoch != sim->addr_epoch && packet->to_addr.family != 0) {
        packet->to = sim_node_at(sim, &packet->to_addr);
    }
    uint32_t to = packet->to;
    sim->ledger.in_flight--;
    trace_packet(sim, packet);
    if (to == SIM_NOBODY) {
        net_lose(sim, slot, SIM_DROP_NOBODY);
    } else {
        fault_arrive(sim, to, slot);
    }
    return to;
}

/* ---- Running ----------------------------------------------------------------------------- */

uint64_t sim_now(const struct sim *sim)
{
    return sim->now_ns;
}

uint64_t sim_trace_hash(const struct sim *sim)
{
    return sim->trace;
}

static void check_when_due(struct sim *sim, uint64_t until_ns)
{
    uint64_t period = sim->config.check_period_ns;
    while (period != 0 && sim->next_check_ns <= until_ns && sim_failure(sim) == NULL) {
        sim_check(sim);
        sim->next_check_ns = sim->next_check_ns + period;
        if (sim->next_check_ns <= until_ns) {
            /* Nothing happened in between: looking again would see the same. */
            sim->next_check_ns = until_ns - until_ns % period + period;
        }
    }
}

/* Returns the node that has been touched, or SIM_NOBODY. */
static uint32_t fire(struct sim *sim, uint32_t index)
{
    uint32_t node = index % sim->config.nodes_max;
    if (index >= alarms_of(sim)) {
        return fire_packet(sim, index - alarms_of(sim));
    }
    switch ((enum alarm)(index / sim->config.nodes_max)) {
    case ALARM_RESUME: fault_resume(sim, node); break;
    case ALARM_UNBLOCK: fault_unblock(sim, node); break;
    case ALARM_SERVICE: fault_serve(sim, node); break;
    default: fire_deadline(sim, node); break;
    }
    return node;
}

/* The node of an event that is so far from the top of the heap, or SIM_NOBODY. */
static uint32_t coming_node(const struct sim *sim, uint32_t place)
{
    if (place > sim->heap.size) {
        return SIM_NOBODY;
    }
    uint32_t index = sim->heap_nodes[place].index;
    return index >= alarms_of(sim) ? packet_at(sim, index - alarms_of(sim))->to
                                   : index % sim->config.nodes_max;
}

/* Thousands of members fit into no cache: what the coming events need is asked for while this one
 * is handled. Of the next one's member it is what it has at its beginning. */
static void prefetch(const struct sim *sim)
{
    uint32_t next = coming_node(sim, 1);

    const char *state = next != SIM_NOBODY ? sim->nodes[next].state : NULL;

    for (unsigned at = 0; state != NULL && at < PREFETCH_BYTES; at += CACHE_LINE) {
        PREFETCH(state + at);
    }
    for (uint32_t place = 2; place <= 3; place++) {
        uint32_t node = coming_node(sim, place);
        if (node != SIM_NOBODY) {
            PREFETCH(&sim->nodes[node]);
            PREFETCH((const char *)&sim->nodes[node] + CACHE_LINE);
        }
    }
}

static void step(struct sim *sim)
{
    const struct heap_node top = *heap_top(&sim->heap, sim->heap_nodes);
    check_when_due(sim, top.key);
    ASSERT(top.key >= sim->now_ns);
    sim->now_ns = top.key;
    heap_disarm(sim, top.index);
    prefetch(sim);
    uint32_t touched = fire(sim, top.index);
    if (sim->config.check_period_ns == 0 && touched != SIM_NOBODY) {
        check_node(sim, touched);
    }
}

static bool run_to(struct sim *sim, uint64_t until_ns)
{
    while (sim_failure(sim) == NULL && sim->heap.size > 0 &&
           heap_top(&sim->heap, sim->heap_nodes)->key <= until_ns) {
        step(sim);
    }
    if (sim_failure(sim) != NULL) {
        return false;
    }
    check_when_due(sim, until_ns);
    sim->now_ns = until_ns;
    return sim_failure(sim) == NULL;
}

bool sim_run(struct sim *sim, uint64_t duration_ns)
{
    return run_to(sim, sim->now_ns + duration_ns);
}

bool sim_run_until(struct sim *sim, sim_condition *condition, const void *context,
                   uint64_t limit_ns)
{
    uint64_t end_ns = sim->now_ns + limit_ns;
    while (!condition(sim, context)) {
        if (sim->now_ns >= end_ns) {
            return false;
        }
        uint64_t next_ns = sim->now_ns + sim->config.poll_ns;
        if (!run_to(sim, next_ns < end_ns ? next_ns : end_ns)) {
            return false;
        }
    }
    return sim_failure(sim) == NULL;
}
