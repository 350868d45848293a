/*
 * What the parts of the runner share. See run.h.
 *
 *     run.c          makes everything, goes from step to step, gives the verdict
 *     run_start.c    seeds, starts and restarts of nodes, of ours and plain ones
 *     run_select.c   which nodes an action takes
 *     run_action.c   what an action does, and how its fault is mended
 *     run_fault.c    which faults are in force
 *     run_verdict.c  the plan's expectations
 *     run_progress.c the line on stderr
 */
#ifndef SWIM_SWIMSIM_RUN_PRIVATE_H
#define SWIM_SWIMSIM_RUN_PRIVATE_H

#include "plain/plain_v1.h"
#include "swimsim/check.h"
#include "swimsim/collect.h"
#include "swimsim/run.h"
#include "swimsim/trace.h"

#include <stdint.h>

/* Faults in force, as bits of a node. */
enum run_fault {
    RUN_FAULT_GROUP = 1 << 0, /* it is not in the largest group */
    RUN_FAULT_LOSSY = 1 << 1,
    RUN_FAULT_CLOCK = 1 << 2,
    RUN_FAULT_SERVICE = 1 << 3,
    RUN_FAULT_NAT = 1 << 4,
};

/* Of a node, beside what the simulation knows of it. */
struct run_node {
    struct plain *plain; /* its present or last state, when it is a plain version-1 node */
    bool is_plain;
    bool has_run;
    bool is_away; /* it was crashed by a restart or move that has not started it yet */
    uint8_t faults;
    uint32_t group;
    uint32_t cuts; /* cuts and links in force on it that one may hold it dead by */
    uint32_t lives;
    uint32_t seed_count;
    uint32_t seeds[SIM_SEEDS_MAX]; /* nodes */
    uint64_t stalled_until_ns;     /* by a pause or block */
};

/* A fault in force that will be mended, or a restart that is due. */
struct run_ending {
    uint64_t at_ns;
    uint64_t order; /* of beginning: breaks ties */
    const struct plan_action *action;
    uint32_t count;
    uint32_t other_count;
    uint32_t *nodes; /* `count` of `who`, then `other_count` of `other` */
};

struct run {
    const struct plan *plan;
    const struct run_options *options;
    struct sim *sim;
    struct collect *collect; /* NULL: not asked for */
    struct check *check;
    struct trace *trace;
    uint32_t total; /* nodes */
    struct run_node *nodes;
    uint32_t joined;                 /* of those beyond plan->nodes, how many have started */
    uint32_t *start_order;           /* of the first plan->nodes, by time */
    uint32_t next_start;             /* in it */
    uint32_t fresh_addrs;            /* given out by moves */
    uint64_t done[PLAN_ACTIONS_MAX]; /* repetitions so far */
    struct run_ending *endings;
    uint32_t ending_count;
    uint32_t ending_capacity;
    uint64_t next_order;
    uint64_t next_tick_ns; /* of the collector */
    uint64_t next_check_ns;
};

/* Nodes chosen for something; on the heap. */
struct run_choice {
    uint32_t count;
    uint32_t *nodes;
};

/* run_start.c */
void run_add_nodes(struct run *run);
uint64_t run_next_start(const struct run *run); /* SWIM_NEVER when all have started */
void run_start_due(struct run *run);
void run_start_joining(struct run *run, uint32_t count);
/* Starts one that does not run, as `restart` says. */
void run_start_again(struct run *run, uint32_t node, enum plan_restart restart);
void run_leave(struct run *run, uint32_t node);
/* `seeds` are its only seeds from now on (the first SIM_SEEDS_MAX). */
void run_set_seeds(struct run *run, uint32_t node, const struct run_choice *seeds);
void run_free_nodes(struct run *run);

/* run_select.c */
/* The nodes of `who` that this kind of action can be done to, in its repetition `turn`, in
 * ascending order. */
struct run_choice run_choose_who(const struct run *run, const struct plan_action *action,
                                 uint64_t turn);
/* Those of `other` (of a cut or link without: all others), which are never in `who`. */
struct run_choice run_choose_other(const struct run *run, const struct plan_action *action,
                                   uint64_t turn, const struct run_choice *who);
/* Puts the group of each node into groups[total]: 1.. for those chosen, 0 for the rest. */
void run_choose_groups(const struct run *run, const struct plan_action *action, uint64_t turn,
                       uint32_t *groups);
/* Those that `plain` of the plan names. */
struct run_choice run_choose_plain(const struct run *run);
void run_choice_free(struct run_choice *choice);

/* run_action.c */
uint64_t run_next_action(const struct run *run);
uint64_t run_next_ending(const struct run *run);
/* What the plan says of its zones. */
void run_set_zone_links(struct run *run);
/* All endings, then all actions, that are due at sim_now. */
void run_do_due(struct run *run);
void run_free_endings(struct run *run);

/* run_fault.c: notes, also for the collector. */
void run_note_stall(struct run *run, uint32_t node, uint64_t until_ns);
void run_note_fault(struct run *run, uint32_t node, enum run_fault fault, bool is_on);
void run_note_cut(struct run *run, uint32_t node, bool is_on);
void run_note_groups(struct run *run, const uint32_t *groups); /* NULL: all in one again */
/* Groups, cuts, links and losses are over. */
void run_note_healed(struct run *run);

/* run_verdict.c */
/* Whether the plan's expectations were met; otherwise false, and `text` says which was not. */
bool run_meets(const struct run *run, const struct figures *figures, char *text, size_t cap);

/* run_progress.c */
struct run_progress {
    uint64_t began_ns; /* of real time */
    uint64_t shown_ns;
    bool is_terminal;
    bool has_line;
};
void progress_begin(struct run_progress *progress, enum run_progress_mode mode);
void progress_show(struct run_progress *progress, const struct run *run);
void progress_end(struct run_progress *progress);

/* calloc and realloc that abort when there is no memory. */
void *run_allocate(size_t count, size_t size);
void *run_grow(void *memory, size_t count, size_t size);

#endif
