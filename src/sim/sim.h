/*
 * sim.h - a deterministic network of members in virtual time.
 *
 * The same core object code that runs in swimd runs here with any number of siblings: a heap of
 * events (deliveries, deadlines) drives them, a model of the network loses, delays, repeats and
 * damages what they send, and checkers look at every one of them. The same seed and calls give
 * the same run, to the byte: `sim_trace_hash` proves it.
 *
 *      sim_add / sim_start ->  node 0   node 1   node 2 ...       each has a clock of its own
 *                                 |        |        |              (same speed, another origin)
 *      sim_filter, sim_net,    ---+--------+--------+---  one network: loss, delay, groups, cuts
 *      sim_split, sim_cut                  |
 *                              heap of (time, sequence) events, one deadline per node
 *
 * Rules for every function: `node` is what sim_add returned (asserted); times are nanoseconds of
 * virtual time since sim_new; probabilities are in thousandths. A found fault (a broken
 * invariant, an illegal datagram, a deadline that does not move) stops the run: every run
 * function then returns false, and sim_failure says why.
 */
#ifndef SWIM_SIM_SIM_H
#define SWIM_SIM_SIM_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim;

/* Kinds of datagrams told apart in accounts: byte 1 of the header, all above in the last. */
#define SIM_KINDS 16
#define SIM_SEEDS_MAX 8
/* "Nobody": a destination without a node, or any node where a filter of events is asked. */
#define SIM_NOBODY UINT32_MAX
#define SIM_SECOND UINT64_C(1000000000)

/* What the network does to every datagram. */
struct sim_net {
    uint64_t delay_min_ns; /* uniform in [min, max]; a wide range reorders */
    uint64_t delay_max_ns;
    uint32_t loss_permille;
    uint32_t duplicate_permille; /* a second copy, with a delay of its own */
    uint32_t corrupt_permille;   /* one to three bytes side by side are changed */
};

struct sim_config {
    uint64_t seed;
    uint32_t nodes_max;
    uint8_t family; /* of the nodes' addresses: 4 or 6 */
    struct sim_net net;
    /* Datagrams that wait for a paused node; the rest is lost. Linux's default socket buffer
     * holds 166 of 200 to 500 bytes. */
    uint32_t receive_buffer;
    uint64_t check_period_ns; /* swim_check of every node; 0 = of the node touched, each event */
    uint64_t poll_ns;         /* how often sim_run_until looks at its condition */
    bool keep_events;         /* false: events are counted but not logged (large runs) */
    /* Template of every member's configuration; id, seed and addr are set for each node. */
    struct swim_config member;
};

/* Default: swim's defaults, 0.2 to 1 ms of delay, no faults, checks every second. */
void sim_config_default(struct sim_config *config, uint64_t seed, uint32_t nodes_max);

/* NULL when out of memory. */
struct sim *sim_new(const struct sim_config *config);
void sim_free(struct sim *sim);

/* ---- Nodes ------------------------------------------------------------------------------- */

enum sim_state {
    SIM_STOPPED, /* not started, crashed, or gone after a leave: what arrives is lost */
    SIM_RUNNING,
    SIM_PAUSED, /* gets nothing processed; a few datagrams wait */
};

/*
 * A program that is not ours, for mixed clusters. The state is the caller's and must outlive the
 * simulation. `transmit`, `deadline` and the time arguments are as in swim.h; `check` returns
 * NULL or what is wrong.
 */
struct sim_peer_ops {
    void (*receive)(void *state, swim_time now, const struct swim_addr *from, const void *data,
                    size_t size);
    void (*advance)(void *state, swim_time now);
    size_t (*transmit)(void *state, swim_time now, struct swim_addr *ret_to, void *buf, size_t cap);
    swim_time (*deadline)(const void *state);
    const char *(*check)(const void *state);
    bool (*find)(const void *state, uint64_t id, enum swim_status *ret_status);
    uint32_t (*count)(const void *state, enum swim_status status);
};

/* A further node, stopped, with the next address (10.0.0.1 onwards or fd00::1, port 7946) and a
 * random id. Asserted: fewer than nodes_max. */
uint32_t sim_add(struct sim *sim);
/* Its configuration, to be changed while it is stopped (address: by sim_move). */
struct swim_config *sim_member_config(struct sim *sim, uint32_t node);
/* Another address for a stopped node, which no other node has. */
void sim_move(struct sim *sim, uint32_t node, const struct swim_addr *addr);
/* Adds to the addresses that the node joins at every start, and now if it runs. */
void sim_seed(struct sim *sim, uint32_t node, const struct swim_addr *addr);
void sim_seed_node(struct sim *sim, uint32_t node, uint32_t seed_node);
void sim_clear_seeds(struct sim *sim, uint32_t node);
/* Starts a stopped node with its configuration, from nothing. */
void sim_start(struct sim *sim, uint32_t node);
/* Starts a stopped node as a foreign program with this id (0: keep the node's). */
void sim_start_peer(struct sim *sim, uint32_t node, const struct sim_peer_ops *ops, void *state,
                    uint64_t id);
/* To be called after a foreign program's state was changed from outside, or a member's through
 * sim_member: sends what it has to send and looks at its deadline again. */
void sim_poke(struct sim *sim, uint32_t node);
/* Power off: no farewell; what waits for it is lost. */
void sim_crash(struct sim *sim, uint32_t node);
/* Crash, if it runs, and start again at the same address under a new random id, incarnation 0. */
void sim_restart_new_id(struct sim *sim, uint32_t node);
/* ... under the same id, with its last incarnation + 1. */
void sim_restart_same_id(struct sim *sim, uint32_t node);
/* SIGSTOP now, SIGCONT after a while: then all that waited is received, and then time passes. */
void sim_pause(struct sim *sim, uint32_t node, uint64_t duration_ns);
/* swim_leave; the node stops by itself once swim_has_left. Only for members of ours. */
void sim_leave(struct sim *sim, uint32_t node);

uint32_t sim_nodes(const struct sim *sim);
enum sim_state sim_state(const struct sim *sim, uint32_t node);
bool sim_is_foreign(const struct sim *sim, uint32_t node);
/* The member (NULL for a foreign one or before the first start). To be inspected; after
 * any other call sim_poke is due. Valid until it starts anew. */
struct swim *sim_member(const struct sim *sim, uint32_t node);
/* Its present id: follows SWIM_EVENT_ID_CHANGED. */
uint64_t sim_id(const struct sim *sim, uint32_t node);
struct swim_addr sim_addr(const struct sim *sim, uint32_t node);
/* The node that has this address, or SIM_NOBODY. */
uint32_t sim_node_at(const struct sim *sim, const struct swim_addr *addr);
/* When `time` was for a node: members tell times of their own clocks. */
swim_time sim_local_time(const struct sim *sim, uint32_t node, uint64_t time_ns);

/* ---- Network ----------------------------------------------------------------------------- */

void sim_set_net(struct sim *sim, const struct sim_net *net);
/* Nodes hear each other only within one group; all start in group 0. */
void sim_split(struct sim *sim, uint32_t node, uint32_t group);
void sim_heal(struct sim *sim); /* all groups, cuts and per-node drops are over */
/* Loss in one direction of one link, besides everything else; 1000 cuts it, 0 mends it. */
void sim_link_loss(struct sim *sim, uint32_t from, uint32_t to, uint32_t permille);
/* Loss of all that a node receives, and of all that it sends. */
void sim_node_loss(struct sim *sim, uint32_t node, uint32_t in_permille, uint32_t out_permille);

struct sim_datagram {
    uint64_t at;
    uint32_t from;
    uint32_t to; /* SIM_NOBODY when no node has the address */
    struct swim_addr to_addr;
    const uint8_t *data;
    size_t size;
};
/* Sees every datagram as it is sent, after accounting and before any other fault; false loses
 * it. One at a time; NULL removes it. */
typedef bool sim_filter_fn(void *context, const struct sim_datagram *datagram);
void sim_filter(struct sim *sim, sim_filter_fn *filter, void *context);

/* A datagram out of nowhere: delivered to `node` at this very time, from that source address. */
void sim_inject(struct sim *sim, const struct swim_addr *from, uint32_t node, const void *data,
                size_t size);

/* ---- Running ----------------------------------------------------------------------------- */

uint64_t sim_now(const struct sim *sim);
/* Runs for so long. False when a fault was found. */
bool sim_run(struct sim *sim, uint64_t duration_ns);
/* Runs until the condition holds, looking every poll_ns, for `limit_ns` at most. False when it
 * did not hold by then or a fault was found. */
typedef bool sim_condition(const struct sim *sim, const void *context);
bool sim_run_until(struct sim *sim, sim_condition *condition, const void *context,
                   uint64_t limit_ns);
/* Checks every node that runs, now. False when a fault was found. */
bool sim_check(struct sim *sim);
/* The fault that stopped the run, NULL if none. */
const char *sim_failure(const struct sim *sim);
/* Hash of all deliveries so far: time, from, to, bytes. */
uint64_t sim_trace_hash(const struct sim *sim);

/* ---- Observing --------------------------------------------------------------------------- */

/* What `observer` holds about an id; false when it does not know it. */
bool sim_status(const struct sim *sim, uint32_t observer, uint64_t id, enum swim_status *ret);
bool sim_sees(const struct sim *sim, uint32_t observer, uint64_t id, enum swim_status status);
/* Every node that runs, but for the one with that id itself, holds that status / knows no such
 * member, not even as a tombstone. */
bool sim_all_see(const struct sim *sim, uint64_t id, enum swim_status status);
bool sim_all_forgot(const struct sim *sim, uint64_t id);
/* How many members a node holds with a status. */
uint32_t sim_count(const struct sim *sim, uint32_t node, enum swim_status status);
uint32_t sim_running(const struct sim *sim);
/* A sim_condition: every node that runs holds exactly those that run as alive and none as suspect,
 * and the view digests of all are equal. `context` is not used. */
bool sim_converged(const struct sim *sim, const void *context);
/* The same, and no tombstone is left anywhere. */
bool sim_is_clean(const struct sim *sim, const void *context);

struct sim_event {
    uint64_t at;   /* virtual time of reading */
    uint32_t node; /* who said so */
    uint64_t id;   /* about whom */
    uint32_t incarnation;
    enum swim_event_kind kind;
    enum swim_status before;
    enum swim_status status;
    uint64_t paused_for_ns;
};
/* The log of all nodes, in order; the pointer is valid until the next run. */
size_t sim_events(const struct sim *sim, const struct sim_event **ret);
/* How many events of a kind a node (or SIM_NOBODY: any) told about an id (or 0: any), from
 * `since` on. */
uint64_t sim_event_count(const struct sim *sim, uint32_t node, enum swim_event_kind kind,
                         uint64_t id, uint64_t since);

struct sim_traffic {
    uint64_t datagrams[SIM_KINDS];
    uint64_t bytes[SIM_KINDS];
    uint64_t datagrams_total;
    uint64_t bytes_total;
};
/* What a node (or SIM_NOBODY: all of them) has sent since sim_new, over its restarts. */
struct sim_traffic sim_sent(const struct sim *sim, uint32_t node);
/* What was delivered to it. */
struct sim_traffic sim_received(const struct sim *sim, uint32_t node);
struct sim_traffic sim_traffic_since(const struct sim_traffic *now,
                                     const struct sim_traffic *before);
/* A counter of swim_stats (by the field's offset) of one member of ours, which may have stopped
 * since, or (SIM_NOBODY) the sum over all that run. */
uint64_t sim_counter(const struct sim *sim, uint32_t node, size_t field_offset);
#define SIM_COUNTER(sim, node, name) sim_counter((sim), (node), offsetof(struct swim_stats, name))

#endif
