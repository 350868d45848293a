/*
 * sim.h - a deterministic network of members in virtual time.
 *
 * The same core object code that runs in swimd runs here with any number of siblings: a heap of
 * events (deliveries, deadlines) drives them, a model of the network loses, delays, repeats and
 * damages what they send, and checkers look at every one of them. The same seed and calls give
 * the same run, to the byte: `sim_trace_hash` proves it.
 *
 *      sim_add / sim_start ->  node 0   node 1   node 2 ...       each has a clock of its own
 *                                 |        |        |             (origin, and rate if told so)
 *      pause, block, service   ---+--------+--------+---  what a node does to its datagrams
 *      filter, groups, NAT        |        |        |
 *      links, zones, sim_net   ---+--------+--------+---  what a link does to them
 *                                          |
 *                              heap of (time, sequence) events  --->  accounts, ledger, watchers
 *
 * Rules for every function: `node` is what sim_add returned (asserted); times are nanoseconds of
 * virtual time since sim_new; probabilities are in thousandths. A found fault (a broken
 * invariant, an illegal datagram, a deadline that does not move) stops the run: every run
 * function then returns false, and sim_failure says why.
 *
 * Nothing in a run depends on the platform: no floating point, no time, no order of addresses in
 * memory. What only looks (watchers, counts, checks) draws no random number.
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
#define SIM_WATCHERS_MAX 4
/* "Nobody": a destination without a node, or any node where a filter of events is asked. */
#define SIM_NOBODY UINT32_MAX
#define SIM_SECOND UINT64_C(1000000000)
#define SIM_NEVER UINT64_MAX

/* The longest delay or jitter of a link, and its greatest bandwidth in bytes a second. */
#define SIM_DELAY_MAX_NS (3600 * SIM_SECOND)
#define SIM_BANDWIDTH_MAX UINT64_C(10000000000)

/* How a link's delay is drawn from [min, max]. */
enum sim_delay {
    SIM_DELAY_UNIFORM = 0,
    SIM_DELAY_CONSTANT, /* min */
    SIM_DELAY_NORMAL,   /* mean (min + max) / 2, standard deviation (max - min) / 4, cut at 0 */
    SIM_DELAY_HEAVY, /* Pareto with shape 1.5: most are near min (above 0), some far; cut at max */
};

/* What a link does to a datagram. */
struct sim_net {
    uint64_t delay_min_ns; /* a wide range reorders */
    uint64_t delay_max_ns;
    uint32_t loss_permille;
    uint32_t duplicate_permille; /* a second copy, with a delay of its own */
    uint32_t corrupt_permille;   /* one to three bytes side by side are changed */
    enum sim_delay delay;
    uint64_t jitter_ns;        /* uniform in [0, jitter], added */
    uint32_t reorder_permille; /* held back by a further uniform [0, 4 * delay_max_ns] */
    uint64_t bandwidth;        /* bytes of datagrams a second; 0 = no limit */
    /* Bytes that may wait until the bandwidth lets them pass, the one on its way included; what
     * finds no room is dropped, unless the link is idle. 0 = no limit. */
    uint32_t queue_bytes;
};

/* NULL when `net` is usable, else what is wrong with it (static text, names the field). */
const char *sim_net_check(const struct sim_net *net);

struct sim_config {
    uint64_t seed;
    uint32_t nodes_max;
    uint8_t family;     /* of the nodes' addresses: 4 or 6 */
    struct sim_net net; /* of every link that has none of its own */
    /* Datagrams that wait for a paused node; the rest is lost. Linux's default socket buffer
     * holds 166 of 200 to 500 bytes. */
    uint32_t receive_buffer;
    /* swim_check of every node; 0 = of the node touched, each event; SIM_NEVER = only when
     * sim_check is called. */
    uint64_t check_period_ns;
    uint64_t poll_ns; /* how often sim_run_until looks at its condition */
    bool keep_events; /* false: events are counted but not logged (large runs) */
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
    SIM_PAUSED, /* stopped in its tracks by a pause or a block; a few datagrams wait */
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
/* Its configuration, to be changed while it is stopped. `addr` is what the member tells of itself:
 * where it is, unless changed here, say to the outside address of a NAT. Where it is: sim_move. */
struct swim_config *sim_member_config(struct sim *sim, uint32_t node);
/* Another address for a stopped node: one that nobody has, or that of another stopped node, which
 * is then without an address (its sim_addr is all zeros) until it is moved itself. What is under
 * way to an address reaches whoever has it when it arrives. */
void sim_move(struct sim *sim, uint32_t node, const struct swim_addr *addr);
/* Adds to the addresses that the node joins at every start, and now if it runs. */
void sim_seed(struct sim *sim, uint32_t node, const struct swim_addr *addr);
void sim_seed_node(struct sim *sim, uint32_t node, uint32_t seed_node);
void sim_clear_seeds(struct sim *sim, uint32_t node);
/* Name and tags of the member at a node of ours: now, if it runs, and at every start. NULL: from the
 * next start on it has none. */
void sim_set_meta(struct sim *sim, uint32_t node, const struct swim_meta *meta);
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
/* SIGSTOP now, SIGCONT after a while: then all that waited is received, and then time passes.
 * Asserted: it runs and is not stopped already (SIM_RUNNING). */
void sim_pause(struct sim *sim, uint32_t node, uint64_t duration_ns);

enum sim_block {
    /* As in Lifeguard's experiments: whatever it sends or is sent is held back to the end of the
     * block; its timers go on. What is sent to it waits in its receive buffer. */
    SIM_BLOCK_IO,
    /* A process of one thread that blocks inside its next call of the socket: before the next
     * datagram that it sends leaves, or after the next one is read and before it is processed,
     * whichever comes first. Until the end it does nothing at all, its timers included. */
    SIM_BLOCK_PROCESS,
};
/* Asserted: it runs (SIM_RUNNING). One that is blocked already stays so, in the way it is, until
 * the later of the two ends. */
void sim_block(struct sim *sim, uint32_t node, uint64_t duration_ns, enum sim_block how);
bool sim_is_blocked(const struct sim *sim, uint32_t node);

/* From now on its clock runs so many millionths faster (+) or slower (-) than true time:
 * -900,000 to 9,000,000. A clock never goes backwards, and keeps its rate over restarts. */
void sim_clock_rate(struct sim *sim, uint32_t node, int32_t ppm);
/* Its clock jumps forwards. */
void sim_clock_jump(struct sim *sim, uint32_t node, uint64_t forwards_ns);
/* An overloaded receiver: each datagram takes it so long (0: no time, as usual), and besides the
 * one in hand `buffer` of them may wait (0: any number); the rest is lost. Timers are on time. */
void sim_service(struct sim *sim, uint32_t node, uint64_t ns_per_datagram, uint32_t buffer);

/*
 * Warm start: every member of ours that runs begins anew, knowing all the others, alive, at once
 * and without the traffic or the events of joining. To be called right after they were started;
 * all have the same members_max (asserted). Names and tags are told as if set at this moment.
 */
void sim_acquaint(struct sim *sim);
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
/* The node that has this address, or has it outside of its NAT; or SIM_NOBODY. */
uint32_t sim_node_at(const struct sim *sim, const struct swim_addr *addr);
/* When `time` was for a node: members tell times of their own clocks. Exact for times since its
 * rate last changed or it jumped. */
swim_time sim_local_time(const struct sim *sim, uint32_t node, uint64_t time_ns);

/* ---- Network ----------------------------------------------------------------------------- */

/* Every struct sim_net given here must pass sim_net_check: asserted. It is copied. What a datagram
 * meets is that of its link, else that of its zones, else that of sim_set_net. */
void sim_set_net(struct sim *sim, const struct sim_net *net);
/* One direction of one pair of nodes; NULL: as usual again. */
void sim_set_link(struct sim *sim, uint32_t from, uint32_t to, const struct sim_net *net);
/* Zones are sites, numbered from 0 up; all nodes start in zone 0. */
void sim_set_zone(struct sim *sim, uint32_t node, uint32_t zone);
/* One direction of one pair of zones, which may be the same zone; NULL: as usual again. Bandwidth
 * from one zone to another is shared by all that goes there: it is one line. */
void sim_set_zone_link(struct sim *sim, uint32_t from_zone, uint32_t to_zone,
                       const struct sim_net *net);
/* No link and no pair of zones has a sim_net of its own any more. */
void sim_clear_links(struct sim *sim);

/*
 * Puts a node behind a NAT: what it sends bears `outside` (address and port, which nobody else
 * has: asserted) as its source, and what is sent to `outside` reaches it: always (full cone), or
 * only from addresses that it has sent to before (symmetric, that is, restricted by address and
 * port). Nodes with the same outside IP are behind the same NAT: they also reach each other by
 * their inside addresses, unchanged; nobody else does. NULL: no NAT. A member tells others of the
 * address in its configuration, which should then be the outside one: see sim_member_config.
 */
void sim_nat(struct sim *sim, uint32_t node, const struct swim_addr *outside, bool is_symmetric);

/* Nodes hear each other only within one group; all start in group 0. */
void sim_split(struct sim *sim, uint32_t node, uint32_t group);
void sim_heal(struct sim *sim); /* all groups, cuts and losses of links and nodes are over */
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

/* Why a datagram was not delivered. */
enum sim_drop {
    SIM_DROP_LOSS,      /* its link's sim_net lost it */
    SIM_DROP_PARTITION, /* sender and receiver are in different groups */
    SIM_DROP_CUT,       /* sim_link_loss, sim_node_loss */
    SIM_DROP_QUEUE,     /* no room in the queue of a link of limited bandwidth */
    SIM_DROP_BUFFER,    /* no room in the receiver's buffer */
    SIM_DROP_NOBODY,    /* nobody has its address */
    SIM_DROP_STOPPED,   /* the receiver does not run, or the sender died with it in hand */
    SIM_DROP_NAT,       /* a NAT did not let it in */
    SIM_DROP_FILTER,    /* the filter lost it */
    SIM_DROPS
};
const char *sim_drop_name(enum sim_drop drop);

/*
 * Where every datagram of the run is or ended. Always, and verified by every sim_check:
 * sent + duplicated + injected == delivered + in_flight + waiting + the sum of dropped.
 */
struct sim_ledger {
    uint64_t sent; /* by nodes, those of a blocked one included */
    uint64_t duplicated;
    uint64_t injected;
    uint64_t delivered; /* handed to the receiving program */
    uint64_t in_flight;
    uint64_t waiting; /* at a node that is paused, blocked or overloaded */
    uint64_t dropped[SIM_DROPS];
};
struct sim_ledger sim_ledger(const struct sim *sim);

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
 * and the view digests of all are equal; of clusters with different names, each for itself.
 * `context` is not used. */
bool sim_converged(const struct sim *sim, const void *context);
/* A sim_condition: every member of ours that runs holds, of each other one, the name and tags that
 * this one holds of itself. `context` is not used. */
bool sim_metas_agree(const struct sim *sim, const void *context);
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
    uint64_t rtt_ns; /* of a PONG */
    uint64_t other;  /* of a NAME_CONFLICT */
};
/* The log of all nodes, in order; the pointer is valid until the next run. */
size_t sim_events(const struct sim *sim, const struct sim_event **ret);
/* How many events of a kind a node (or SIM_NOBODY: any) told about an id (or 0: any), from
 * `since` on. */
uint64_t sim_event_count(const struct sim *sim, uint32_t node, enum swim_event_kind kind,
                         uint64_t id, uint64_t since);

/* ---- Watching ---------------------------------------------------------------------------- */

enum sim_happening_kind {
    SIM_HAPPENED_SENT,      /* node sends to peer: data, size */
    SIM_HAPPENED_DELIVERED, /* node processes what peer has sent: data, size */
    SIM_HAPPENED_DROPPED,   /* what node has sent to peer is lost: data, size, drop */
    SIM_HAPPENED_EVENT,     /* the member at node told its host something: event */
    SIM_HAPPENED_STARTED,
    SIM_HAPPENED_CRASHED, /* also before a restart of one that ran */
    SIM_HAPPENED_LEAVING,
    SIM_HAPPENED_LEFT, /* it has left, and stopped by itself */
    SIM_HAPPENED_PAUSED,
    SIM_HAPPENED_RESUMED,
    SIM_HAPPENED_BLOCKED,
    SIM_HAPPENED_UNBLOCKED,
    SIM_HAPPENED_CLOCK,   /* its clock's rate was set, or it jumped */
    SIM_HAPPENED_MOVED,   /* it has another address, or none any more */
    SIM_HAPPENED_NETWORK, /* links, groups, zones, NAT, services or the filter changed: at node, and
                           * towards peer, or SIM_NOBODY when it concerns more than these */
    SIM_HAPPENINGS
};

struct sim_happening {
    uint64_t at;
    enum sim_happening_kind kind;
    uint32_t node;       /* SIM_NOBODY: injected, or of no single node */
    uint32_t peer;       /* SIM_NOBODY: none */
    const uint8_t *data; /* valid during the call */
    size_t size;
    enum sim_drop drop;
    const struct sim_event *event; /* valid during the call */
};
/* Is told of everything as it happens. It may look at the simulation (a member in the middle of a
 * call excepted: no swim_check from here) but must not change it. */
typedef void sim_watch_fn(void *context, const struct sim *sim,
                          const struct sim_happening *happening);
/* Adds a watcher, called after those before it; SIM_WATCHERS_MAX at most (asserted). */
void sim_watch(struct sim *sim, sim_watch_fn *watch, void *context);

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
