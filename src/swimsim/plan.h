/*
 * plan.h - a scenario as plain data: how large the cluster is, how its members are configured,
 * what the network does, what happens when, and what is expected of it all.
 *
 * There is no pointer in it. A plan is copied by assignment, changed in place (by flags, by the
 * swarm, by the reducer), written and read as TOML (plan_toml.h), and run (run.h). All that a run
 * does follows from the plan and its seed.
 *
 * Choices are drawn so that plans can be cut down: a random selection takes, among the nodes that
 * it may take (a crash: those that run; a fault of the network: all that ever ran or are to start
 * by themselves), those with the lowest hash of (seed of the plan, `draw` of the action, how often
 * the action was repeated, node). So an action chooses the same nodes whether or not others are
 * there, and nearly the same ones in a smaller cluster.
 *
 * Units: nanoseconds of virtual time since the start, thousandths, bytes. Bounds are below; the
 * loader and plan_check hold a plan to them.
 */
#ifndef SWIM_SWIMSIM_PLAN_H
#define SWIM_SWIMSIM_PLAN_H

#include "sim/sim.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_NAME_SIZE 64
#define PLAN_TITLE_SIZE 256
#define PLAN_NAMES_SIZE 256
#define PLAN_NODES_MAX 200000
#define PLAN_ACTIONS_MAX 256
#define PLAN_GROUPS_MAX 8
#define PLAN_ZONES_MAX 16
#define PLAN_ZONE_LINKS_MAX 64
#define PLAN_TIME_MAX_NS (UINT64_C(1000) * 3600 * SIM_SECOND)

/* ---- Selections -------------------------------------------------------------------------- */

enum plan_select {
    PLAN_SELECT_NONE,    /* not given */
    PLAN_SELECT_ALL,     /* "all" */
    PLAN_SELECT_RANGE,   /* "3", "3-9": first..last */
    PLAN_SELECT_COUNT,   /* "random 3": value nodes */
    PLAN_SELECT_SHARE,   /* "random 5%": value thousandths of those that it may take, rounded up */
    PLAN_SELECT_OTHERS,  /* "others": all that are not in `who` (only for `other`) */
    PLAN_SELECT_STOPPED, /* "stopped": all that do not run */
    PLAN_SELECT_PLAIN,   /* "plain": all plain version-1 nodes */
    PLAN_SELECT_ZONE,    /* "zone NAME": all of zone number `value` */
};

struct plan_selection {
    enum plan_select kind;
    uint32_t first; /* RANGE */
    uint32_t last;
    uint32_t value; /* COUNT, SHARE, ZONE */
};

/* ---- What happens ------------------------------------------------------------------------ */

/* X(NAME, name in files): who is in `who`, what besides is in the fields named here. An action
 * with `for_ns` ends by itself after that time: the fault is mended. */
#define PLAN_KINDS(X)                                                                              \
    X(KILL, "kill")             /* crash: no farewell */                                           \
    X(LEAVE, "leave")           /* swim_leave, then stop */                                        \
    X(RESTART, "restart")       /* crash if running, start `for_ns` later (0: at once): restart */ \
    X(JOIN, "join")             /* `count` further nodes start */                                  \
    X(PAUSE, "pause")           /* SIGSTOP for `for_ns` */                                         \
    X(BLOCK, "block")           /* `block` for `for_ns` */                                         \
    X(SPLIT, "split")           /* `groups`; who is in none of them stays with the rest */         \
    X(CUT, "cut")               /* nothing from `who` to `other`, nor back unless is_one_way */    \
    X(LOSSY, "lossy")           /* in_permille, out_permille lost of what `who` gets and sends */  \
    X(LINK, "link")             /* `net` from `who` to `other`, and back unless is_one_way */      \
    X(ZONE, "zone")             /* `net` from zone_from to zone_to, and back unless is_one_way */  \
    X(NETWORK, "network")       /* `net` is the default of all links from now on */                \
    X(HEAL, "heal")             /* no groups, cuts and losses any more; links as in the plan */    \
    X(CLOCK_RATE, "clock_rate") /* `ppm` */                                                        \
    X(CLOCK_JUMP, "clock_jump") /* forwards by `jump_ns` */                                        \
    X(SERVICE, "service")       /* an overloaded receiver: service_ns, `buffer` */                 \
    X(NAT, "nat")               /* behind an address of its own outside: is_symmetric */           \
    X(MOVE, "move")   /* `restart` at the address of `other` (one that is stopped), or */          \
                      /* at a fresh one */                                                         \
    X(SEEDS, "seeds") /* `other` (the first SIM_SEEDS_MAX) are its only seeds now */               \
    X(RETAG, "retag") /* a name of its own, and a tag with another value, of tag_bytes at least */

enum plan_kind {
#define PLAN_KIND_ENUM(name, text) PLAN_##name,
    PLAN_KINDS(PLAN_KIND_ENUM)
#undef PLAN_KIND_ENUM
        PLAN_KIND_COUNT
};

/* How one comes back: what it remembers of the time before. */
enum plan_restart {
    PLAN_RESTART_NEW_ID,    /* "nothing" (default): a new id, as swimd does */
    PLAN_RESTART_SAME_ID,   /* "all": the same id, with an incarnation one higher than the last */
    PLAN_RESTART_NO_MEMORY, /* "id": the same id, but incarnation 0 again */
};

struct plan_action {
    uint64_t at_ns;
    uint64_t every_ns; /* 0: once */
    uint64_t until_ns; /* repeated while before this; 0: to the end */
    uint64_t for_ns;   /* 0: stays (PAUSE, BLOCK: must be given) */
    enum plan_kind kind;
    uint32_t draw;   /* equal numbers draw equal nodes; by default its place in the file, from 1 */
    bool is_same;    /* a repetition takes the same nodes again, instead of drawing anew */
    bool is_one_way; /* CUT, LINK, ZONE */
    bool is_symmetric;
    struct plan_selection who;
    struct plan_selection other;
    enum plan_restart restart;
    enum sim_block block;
    uint32_t count;
    uint32_t in_permille;
    uint32_t out_permille;
    uint32_t buffer;
    uint32_t tag_bytes;
    int32_t ppm;
    uint64_t jump_ns;
    uint64_t service_ns;
    uint32_t zone_from;
    uint32_t zone_to;
    uint32_t group_count;
    struct plan_selection groups[PLAN_GROUPS_MAX];
    struct sim_net net;
};

/* ---- How it starts ----------------------------------------------------------------------- */

enum plan_start_kind {
    PLAN_START_ACQUAINTED, /* "acquainted": at time 0 all run, and know each other */
    PLAN_START_TOGETHER,   /* "together": all at time 0 (but see rest_after_ns) */
    PLAN_START_ONE_BY_ONE, /* "one by one": the next after every `every_ns` */
};

enum plan_seeds {
    PLAN_SEEDS_STAR,   /* "star": all but the first join the first of their cluster */
    PLAN_SEEDS_RING,   /* "ring": each joins the one before it, the first the last */
    PLAN_SEEDS_RANDOM, /* "random N": each joins N others drawn by lot, of those before it if
                          they start one by one */
};

struct plan_start {
    enum plan_start_kind kind;
    enum plan_seeds seeds;
    uint32_t seed_count; /* PLAN_SEEDS_RANDOM: 1..SIM_SEEDS_MAX */
    uint64_t every_ns;
    uint64_t rest_after_ns; /* TOGETHER: the first node (of each cluster) is alone for so long */
    uint32_t clusters;      /* so many equal ranges of nodes, each a cluster of its own; 1 */
    char names[PLAN_NAMES_SIZE]; /* of these clusters, with commas between them; "": none */
};

/* ---- What is expected -------------------------------------------------------------------- */

struct plan_limit {
    bool is_set;
    uint32_t max;
};

/* Besides the checkers (check.h). What was not asked for is zero. */
struct plan_expect {
    bool is_converged;     /* at the end all hold exactly those that run as alive */
    bool tags_agree;       /* ... and of each the name and tags that it has */
    bool nobody_failed;    /* no running member was declared dead by anybody */
    bool nobody_suspected; /* ... nor suspected */
    /* Running, unfaulted members declared dead: at most so often, summed over observers; the second
     * counts only what observers said that were not faulted themselves (Lifeguard's FP, FP-). */
    struct plan_limit false_positives;
    struct plan_limit healthy_false_positives;
    uint64_t joined_within_ns;    /* all of the start see all, so long after the last one started */
    uint64_t converged_within_ns; /* all see all so long after the last action and fault is over */
    uint64_t deaths_known_within_ns; /* each killed node is dead for all that run, so long after */
    uint64_t leaves_known_within_ns; /* each that leaves is gone for all that run */
};

/* ---- The whole --------------------------------------------------------------------------- */

struct plan_zone {
    char name[16];
    uint32_t share; /* weight: zones are ranges of nodes in proportion to it; at least 1 */
};

struct plan_zone_link {
    uint32_t from;
    uint32_t to; /* may equal `from` */
    bool is_one_way;
    struct sim_net net;
};

struct plan {
    char name[PLAN_NAME_SIZE];   /* of the file without .toml, or what made it */
    char title[PLAN_TITLE_SIZE]; /* one sentence: what it shows */
    uint64_t seed;
    uint32_t nodes; /* at the start; JOIN adds to them */
    uint8_t family; /* of addresses: 4 or 6 */
    uint64_t duration_ns;
    struct plan_start start;
    struct plan_selection plain; /* plain version-1 nodes among the first `nodes` */
    struct swim_config member;   /* template: by plan_setting_set, so that it is written; id, seed,
                                    addr and incarnation are each node's own */
    uint64_t settings;           /* bit i: plan_setting(i) was set, so it is written. Where
                                    members_max is not, it follows from the number of nodes */
    struct sim_net net;          /* what a link does, if nothing else is said */
    uint32_t receive_buffer;     /* datagrams that wait for a paused node */
    uint32_t zone_count;
    struct plan_zone zones[PLAN_ZONES_MAX];
    uint32_t zone_link_count;
    struct plan_zone_link zone_links[PLAN_ZONE_LINKS_MAX];
    uint32_t action_count;
    struct plan_action actions[PLAN_ACTIONS_MAX]; /* in any order of time */
    struct plan_expect expect;
};

struct plan_error {
    char text[512];
    uint32_t action; /* index of the action that it is about, else UINT32_MAX */
};

/* An uneventful minute of three nodes: seed 1, acquainted, a local network, all else zero. */
void plan_default(struct plan *plan);

/* False when it cannot be run: *ret_error names what is wrong and what would be allowed. */
bool plan_check(const struct plan *plan, struct plan_error *ret_error);

/* The same scenario: what plan_print writes is the same, and so is all that a run depends on. */
bool plan_equal(const struct plan *a, const struct plan *b);

/* Nodes that are ever there: `nodes` and all that join. */
uint32_t plan_nodes_total(const struct plan *plan);
/* How often an action happens before the plan's end; 0 when it comes too late. */
uint64_t plan_repeats(const struct plan *plan, const struct plan_action *action);
/* The first node of the cluster that a node belongs to: 0, unless there are several. */
uint32_t plan_cluster_first(const struct plan *plan, uint32_t node);
/* Nodes of different numbers are kept apart by the names of their clusters; 0 for all without
 * names. */
uint32_t plan_cluster_number(const struct plan *plan, uint32_t node);
/* What a node's cluster is called, "" without names. */
void plan_cluster_name(const struct plan *plan, uint32_t node, char ret[SWIM_CLUSTER_MAX + 1]);
/* There are none, or one for each cluster, of a length that there can be. */
bool plan_names_fit(const struct plan *plan);
/* When a node of the first `nodes` starts. */
uint64_t plan_start_ns(const struct plan *plan, uint32_t node);
/* When the last node has started, the last action has happened and the last of its faults is over.
 * A fault that is never mended counts from its beginning. */
uint64_t plan_faults_end_ns(const struct plan *plan);
/* The zone of a node; 0 without zones. */
uint32_t plan_zone_of(const struct plan *plan, uint32_t node);

/* A further action of this kind at this time, with a `draw` of its own; zeros (and the plan's net)
 * otherwise. NULL when there are PLAN_ACTIONS_MAX. */
struct plan_action *plan_add(struct plan *plan, enum plan_kind kind, uint64_t at_ns);
/* Takes action number `index` out. */
void plan_remove(struct plan *plan, uint32_t index);
const char *plan_kind_name(enum plan_kind kind);

/* ---- Settings of the members ------------------------------------------------------------- */

enum plan_setting_type {
    PLAN_SETTING_NUMBER,  /* uint32_t */
    PLAN_SETTING_MILLI,   /* uint32_t, in thousandths: written as a decimal fraction */
    PLAN_SETTING_BOOLEAN, /* bool */
};

/* A key of the daemon's configuration file that sets a field of struct swim_config. */
struct plan_setting {
    const char *section;
    const char *name;
    enum plan_setting_type type;
    bool zero_is_off; /* 0 is allowed besides min..max */
    size_t offset;    /* in struct swim_config */
    uint32_t min;     /* whole units, also for MILLI */
    uint32_t max;
};

uint32_t plan_settings(void); /* how many: at most 64 */
const struct plan_setting *plan_setting(uint32_t index);
/* By names; UINT32_MAX when there is none. */
uint32_t plan_setting_find(const char *section, const char *name);
uint32_t plan_setting_get(const struct plan *plan, uint32_t index);
/* Sets the value (thousandths for MILLI, 0 or 1 for BOOLEAN) and notes that it was set. False when
 * out of range: nothing changes. */
bool plan_setting_set(struct plan *plan, uint32_t index, uint32_t value);

#endif
