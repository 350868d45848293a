/*
 * What the parts of the simulator share. See sim.h for the picture.
 *
 *     sim.c        the heap of events; drives nodes; runs and checks
 *     sim_node.c   the life of a node                sim_fault.c   pauses, blocks, waiting, service
 *     sim_net.c    a datagram's way                  sim_link.c    links, zones, bandwidth
 *     sim_addr.c   who has which address; NAT        sim_delay.c   how long a link takes
 *     sim_clock.c  local time                        sim_packet.c  memory of datagrams
 *     sim_watch.c  watchers, ledger                  sim_log.c     the log of events
 *     sim_view.c   looking                           sim_acquaint.c  warm start
 *     sim_core.c   a member of ours as a program     sim_memory.c  memory of members
 */
#ifndef SWIM_SIM_SIM_PRIVATE_H
#define SWIM_SIM_SIM_PRIVATE_H

#include "base/heap.h"
#include "base/prng.h"
#include "sim/sim.h"
#include "sim/sim_map.h"

/* ---- Datagrams --------------------------------------------------------------------------- */

/* A datagram on its way, or waiting at a node. Slots are numbers from 0 up. */
struct packet {
    struct swim_addr shown;   /* its source, as the receiver sees it */
    struct swim_addr to_addr; /* zero when injected */
    uint32_t from;            /* SIM_NOBODY when injected */
    uint32_t to;              /* who had to_addr when the sim's addr_epoch was this: */
    uint32_t addr_epoch;
    uint32_t next; /* slot + 1 of the next in the list that it is in, 0 = none */
    uint16_t size;
    uint8_t size_class;
    uint8_t *data;
};

#define PACKET_CLASSES 5
#define PACKET_BLOCK 1024 /* packets are allocated so many at a time, and never move */

struct packet_pool {
    struct packet **blocks;
    uint32_t count;
    uint32_t capacity;
    uint32_t free; /* slot + 1, or 0 */
    void *free_data[PACKET_CLASSES];
    void *slabs; /* all memory of data, chained */
};

/* A list of slots, oldest first; zero-filled: empty. */
struct packet_list {
    uint32_t head; /* slot + 1, or 0 */
    uint32_t tail;
    uint32_t count;
};

/* ---- Nodes ------------------------------------------------------------------------------- */

/* Local time is local_ns at true_ns, and goes on from there at 1 + ppm / 1,000,000. */
struct node_clock {
    uint64_t true_ns;
    uint64_t local_ns;
    int32_t ppm;
};

struct node_nat {
    struct swim_addr outside;
    uint32_t generation; /* holes of former NATs are not its holes */
    bool is_on;
    bool is_symmetric;
};

/* Of one kind of datagrams. */
struct account {
    uint64_t datagrams;
    uint64_t bytes;
};

/* What every event needs comes first: a node's memory is seldom in a cache. */
struct node {
    const struct sim_peer_ops *ops;
    void *state; /* of ops; for members of ours the arena */
    struct node_clock clock;
    struct swim_addr addr; /* where it is; what it says of that is in config.addr */
    enum sim_state state_now;
    bool is_foreign;
    bool is_leaving;
    bool has_addr;
    bool is_paused;  /* by sim_pause */
    bool is_blocked; /* by sim_block */
    bool is_stuck;   /* a SIM_BLOCK_PROCESS has caught it inside a call: */
    bool is_sending; /* ... of sending, else of receiving */
    uint32_t group;
    uint32_t zone;
    uint32_t in_permille;
    uint32_t out_permille;
    uint32_t stalls; /* advances in a row that left the deadline in the past */
    uint64_t service_ns;
    struct account sent[SIM_KINDS];
    struct account received[SIM_KINDS];
    enum sim_block block;
    uint32_t in_hand;             /* slot + 1 of the datagram that it is stuck with, or 0 */
    struct packet_list waiting;   /* received, not yet processed */
    struct packet_list held_back; /* sent while SIM_BLOCK_IO */
    uint64_t block_until_ns;
    uint32_t service_buffer;
    uint32_t seed_count;
    struct swim_meta *meta; /* the name and tags that a member starts with; NULL: none */
    struct node_nat nat;
    void *arena; /* of members of ours: what is to be given back, and its size */
    size_t arena_size;
    struct swim_addr seeds[SIM_SEEDS_MAX];
    struct swim_config config;
};

/* ---- The simulation ---------------------------------------------------------------------- */

/* The heap's indices: one of each kind for every node, then packets' slots. */
enum alarm { ALARM_DEADLINE, ALARM_RESUME, ALARM_UNBLOCK, ALARM_SERVICE, ALARMS };

/* A link that differs from the usual. */
struct link_state {
    struct sim_net net;
    bool has_net;
    uint32_t loss_permille;
};

struct links {
    struct sim_map by_pair; /* of nodes: index of `states` */
    struct sim_map by_zone; /* of zones: the same */
    struct link_state *states;
    uint32_t count;
    uint32_t capacity;
    /* Where bandwidth is limited: when the last bit of what was sent so far will be through. */
    struct sim_map busy; /* pair of nodes, or of zones: index of `busy_until_ns` */
    uint64_t *busy_until_ns;
    uint64_t *busy_keys;
    uint32_t busy_capacity;
};

/* The log of events. Those about one id are chained, newest first. */
struct event_log {
    struct sim_event *events;
    uint32_t *before;      /* by event: the one before about the same id + 1, or 0 */
    struct sim_map newest; /* by id: event + 1 */
    size_t count;
    size_t capacity;
    uint64_t totals[SWIM_EVENT_KINDS];
};

struct watcher {
    sim_watch_fn *watch;
    void *context;
};

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
    struct packet_pool packets;

    uint32_t *addr_table; /* open addressing; see sim_addr.c */
    uint32_t addr_mask;
    uint32_t addr_epoch; /* changes whenever somebody moves */
    struct sim_map nat_holes;
    struct links links;

    sim_filter_fn *filter;
    void *filter_context;
    struct watcher watchers[SIM_WATCHERS_MAX];
    uint32_t watcher_count;
    struct sim_ledger ledger;
    struct event_log log;
    char failure[256];
};

/* sim.c */
void sim_fail(struct sim *sim, uint32_t node, const char *text);
/* Sets, or moves, or takes back an alarm of a node's. */
void sim_arm(struct sim *sim, enum alarm alarm, uint32_t node, uint64_t at_ns);
void sim_disarm(struct sim *sim, enum alarm alarm, uint32_t node);
bool sim_is_armed(const struct sim *sim, enum alarm alarm, uint32_t node);
void sim_disarm_all(struct sim *sim, uint32_t node);
/* The deadline of a node has changed, or its clock. */
void sim_arm_deadline(struct sim *sim, uint32_t node);
/* After any call on a node: what it wants to send, to say, and when it wants to be woken. */
void sim_pump(struct sim *sim, uint32_t node);
/* A packet sets out now and arrives then. */
void sim_launch(struct sim *sim, uint32_t slot, uint64_t arrives_ns);
void sim_grow_heap(struct sim *sim);
struct node *sim_node(const struct sim *sim, uint32_t node);

/* sim_packet.c */
struct packet *packet_at(const struct sim *sim, uint32_t slot);
/* A copy of the datagram in a slot of its own; the other fields are zero. */
uint32_t packet_take(struct sim *sim, const void *data, size_t size);
void packet_free(struct sim *sim, uint32_t slot);
void packet_push(struct sim *sim, struct packet_list *list, uint32_t slot);
/* The oldest. Asserted: there is one. */
uint32_t packet_pop(struct sim *sim, struct packet_list *list);
void packet_pool_free(struct packet_pool *pool);

/* sim_net.c */
void net_send(struct sim *sim, uint32_t from, const struct swim_addr *to, const void *data,
              size_t size);
/* What net_send does once the sender has let it go, which had held it back in this slot. */
void net_forward_held(struct sim *sim, uint32_t slot);
void net_account(struct account *accounts, const void *data, size_t size);
/* A packet is lost and its slot is free; it has been taken off the ledger's in_flight or waiting. */
void net_lose(struct sim *sim, uint32_t slot, enum sim_drop drop);

/* sim_addr.c */
void addr_bind(struct sim *sim, uint32_t node);
/* What has that address, as addr_route wants it; 0: nobody. */
uint32_t addr_find(const struct sim *sim, const struct swim_addr *addr);
/* Who it is, or SIM_NOBODY. */
uint32_t addr_node(uint32_t found);
/* What becomes of a datagram of `from` to an address, of which addr_find said `found`: SIM_DROPS
 * and the source that it shows, or why it goes nowhere. */
enum sim_drop addr_route(struct sim *sim, uint32_t from, const struct swim_addr *to, uint32_t found,
                         struct swim_addr *ret_shown);
bool addr_is_same(const struct swim_addr *a, const struct swim_addr *b);

/* sim_link.c */
/* What the datagrams of this pair meet. */
const struct sim_net *link_net(const struct sim *sim, uint32_t from, uint32_t to);
uint32_t link_loss(const struct sim *sim, uint32_t from, uint32_t to);
/* When a datagram of that size that is sent now has left the sender's end of the link; false when
 * the queue has no room for it. */
bool link_pass(struct sim *sim, const struct sim_net *net, uint32_t from, uint32_t to, size_t size,
               uint64_t *ret_left_ns);
void links_heal(struct sim *sim);
void links_free(struct links *links);

/* sim_delay.c */
uint64_t delay_draw(struct prng *prng, const struct sim_net *net);

/* sim_clock.c */
/* The first true time at which the clock shows at least `local_ns`, which it does not yet show at
 * clock->true_ns. */
uint64_t clock_when(const struct node_clock *clock, uint64_t local_ns);

/* sim_node.c */
/* The member that has just started at `index` is told its name and tags, if there are any. */
void node_apply_meta(struct sim *sim, uint32_t index);
void node_read_events(struct sim *sim, uint32_t node);

/* sim_fault.c */
void fault_arrive(struct sim *sim, uint32_t node, uint32_t slot);
void fault_resume(struct sim *sim, uint32_t node);
void fault_unblock(struct sim *sim, uint32_t node);
void fault_serve(struct sim *sim, uint32_t node);
/* True when the datagram is kept: a block has caught the node before it could send it. */
bool fault_catch_send(struct sim *sim, uint32_t node, const struct swim_addr *to, const void *data,
                      size_t size);
/* True when the datagram, which is accounted as sent, is held back. */
bool fault_hold_back(struct sim *sim, uint32_t node, const struct swim_addr *to, const void *data,
                     size_t size);
void fault_forget(struct sim *sim, uint32_t node);

/* sim_watch.c */
void sim_tell(struct sim *sim, const struct sim_happening *happening);
void sim_tell_node(struct sim *sim, enum sim_happening_kind kind, uint32_t node, uint32_t peer);
bool ledger_balances(const struct sim_ledger *ledger);

/* sim_log.c */
void log_event(struct sim *sim, uint32_t node, const struct swim_event *event);
void log_free(struct event_log *log);

/* sim_core.c: members of ours as a sim_peer_ops. */
extern const struct sim_peer_ops sim_core_ops;

/* sim_memory.c. Out of memory reports and aborts: in a simulator it has no better end. */
void *sim_allocate(size_t count, size_t size);
void *sim_grow(void *memory, size_t count, size_t size);
/* Zero-filled; pages that are not used cost nothing. */
void *sim_map_arena(size_t size);
void sim_unmap_arena(void *arena, size_t size);

#endif
