/* What the parts of the simulator share. See sim.h for the picture. */
#ifndef SWIM_SIM_SIM_PRIVATE_H
#define SWIM_SIM_SIM_PRIVATE_H

#include "base/heap.h"
#include "base/prng.h"
#include "sim/sim.h"

/* A datagram on its way or waiting for a paused node. */
struct packet {
    struct swim_addr from_addr;
    uint32_t from; /* SIM_NOBODY when injected */
    uint32_t to;
    uint32_t next_free; /* slot + 1, or 0 */
    size_t size;
    uint8_t data[SWIM_RECEIVE_MAX];
};

struct node {
    const struct sim_peer_ops *ops;
    void *state; /* of ops; for members of ours the arena */
    void *arena; /* what is to be freed */
    struct swim_config config;
    enum sim_state state_now;
    bool is_foreign;
    bool is_leaving;
    uint32_t seed_count;
    struct swim_addr seeds[SIM_SEEDS_MAX];
    uint64_t clock_offset_ns;
    uint32_t group;
    uint32_t in_permille;
    uint32_t out_permille;
    uint32_t stalls;   /* advances in a row that left the deadline in the past */
    uint32_t *waiting; /* slots of packets, oldest first, while paused */
    uint32_t waiting_count;
    struct sim_traffic sent;
    struct sim_traffic received;
};

/* The heap's indices: node deadlines, then ends of pauses, then packets' slots. */
struct sim {
    struct sim_config config;
    struct prng prng;
    uint64_t now_ns;
    uint64_t next_check_ns;
    uint64_t trace;
    struct node *nodes;
    uint32_t node_count;

    struct heap heap;
    struct heap_node *heap_nodes;
    uint32_t *heap_places;
    struct packet **packets;
    uint32_t packet_count;
    uint32_t packet_capacity;
    uint32_t free_packet; /* slot + 1, or 0 */

    uint32_t *addr_table; /* open addressing; node + 1, or 0 */
    uint32_t addr_mask;
    uint16_t *link_loss; /* nodes_max squared, NULL until the first cut */

    sim_filter_fn *filter;
    void *filter_context;

    struct sim_event *events;
    size_t event_count;
    size_t event_capacity;
    uint64_t event_totals[SWIM_EVENT_LEAVE_DONE + 1];
    char failure[256];
};

/* sim.c */
void sim_fail(struct sim *sim, uint32_t node, const char *text);
void sim_arm_resume(struct sim *sim, uint32_t node, uint64_t at_ns);
void sim_disarm(struct sim *sim, uint32_t node);
void sim_pump(struct sim *sim, uint32_t node);
uint32_t sim_packet_take(struct sim *sim);
void sim_packet_free(struct sim *sim, uint32_t slot);
void sim_packet_arm(struct sim *sim, uint32_t slot, uint64_t at_ns);
struct node *sim_node(const struct sim *sim, uint32_t node);

/* sim_net.c */
void net_send(struct sim *sim, uint32_t from, const struct swim_addr *to, const void *data,
              size_t size);
void net_bind(struct sim *sim, uint32_t node);
void net_unbind_all(struct sim *sim);
void net_account(struct sim_traffic *traffic, const void *data, size_t size);

/* sim_node.c */
void node_read_events(struct sim *sim, uint32_t node);
void node_resume(struct sim *sim, uint32_t node);
void node_deliver(struct sim *sim, uint32_t node, uint32_t slot);
void node_drop_waiting(struct sim *sim, uint32_t node);

/* sim_core.c: members of ours as a sim_peer_ops. */
extern const struct sim_peer_ops sim_core_ops;

/* Reports and aborts: out of memory in a simulator has no better end. */
void *sim_allocate(size_t count, size_t size);
void *sim_grow(void *memory, size_t count, size_t size);

#endif
