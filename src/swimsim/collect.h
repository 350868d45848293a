/*
 * collect.h - the figures of a run.
 *
 * A collector is a watcher of a simulation (sim_watch). It counts what the members send and say,
 * knows from the simulation who runs, and from the runner who is faulted, and sums it up as
 * `struct figures`, which the reports and plots show. It never changes the simulation: a run
 * with a collector has the same trace hash as without.
 *
 *      sim --- happenings ---> collector --- collect_finish ---> struct figures ---> text, JSON, SVG
 *      runner - collect_tick, collect_note_* --^
 *
 * Costs: O(1) for each datagram and event; O(n) a sample, a start, a crash and a leave; memory
 * O(n) beside one bit a member for each piece of news (bounded, see collect_config).
 *
 * Words:
 *   - A *life* is a node from a start to a crash or leave, under one id. Restarts are new lives.
 *   - A member is *faulted* while the runner says so (collect_note_fault), while it is paused or
 *     blocked, and for config.shadow_ns afterwards; *healthy* when it runs, does not leave, and is
 *     not faulted.
 *   - *News* is the start or the end of a life. It is *awaited* from each member that was healthy
 *     then (and, for an end, held the member alive or suspect), for as long as it stays healthy.
 *     All know it when no awaited one is left that has not told its host.
 *
 * Times are virtual nanoseconds since sim_new, or durations; FIGURES_NEVER is "not in this run".
 */
#ifndef SWIM_SWIMSIM_COLLECT_H
#define SWIM_SWIMSIM_COLLECT_H

#include "sim/sim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIGURES_NEVER UINT64_MAX
/* Room for kinds of events to come; enum swim_event_kind is the index. */
#define FIGURES_EVENTS 32
/* Local health multiplier: 0..8, the last takes what is above. */
#define FIGURES_HEALTH 9
/* Shares of the awaited members that know a piece of news: 50, 90, 99, 99.99, 100 %. */
#define FIGURES_SHARES 5
extern const double figures_share_percent[FIGURES_SHARES];

/* What a list of numbers looks like. The percentiles are by nearest rank; 0 when count is 0. */
struct figures_spread {
    uint64_t count;
    uint64_t min;
    uint64_t median;
    uint64_t p90;
    uint64_t p99;
    uint64_t p999;
    uint64_t max;
    double mean;
};

enum figures_news_kind { FIGURES_JOIN, FIGURES_CRASH, FIGURES_LEAVE };

struct figures_news {
    enum figures_news_kind kind;
    uint32_t node;
    uint64_t id;
    uint64_t at_ns;
    /* All after at_ns, as durations since then. */
    uint64_t first_suspected_ns; /* CRASH: first SUSPECTED anywhere */
    uint64_t first_known_ns;     /* first JOINED, or FAILED or LEFT, anywhere */
    uint64_t share_ns[FIGURES_SHARES];
    uint32_t awaited; /* members that were to learn it and stayed healthy */
    uint32_t told;    /* of these, how many did */
    /* The same id was started again, or (JOIN) the life ended, before all knew. */
    bool is_overtaken;
};

/* The members' views at one time. "Seen" are those a running member holds as alive or suspect,
 * itself included. */
struct figures_sample {
    uint64_t at_ns;
    uint32_t running;
    uint32_t seen_min;
    uint32_t seen_max;
    double seen_mean;
    /* Totals since the beginning of the measurement. */
    uint64_t datagrams_sent;
    uint64_t bytes_sent;
    uint64_t member_ns; /* running time, summed over the members */
};

/* One point of a curve: so many of all (news, awaited member) pairs knew after so long. */
struct figures_point {
    uint64_t after_ns;
    double share; /* 0..1 */
};

struct figures_curve {
    struct figures_point *points;
    size_t count;
    uint64_t pairs; /* that were awaited */
    /* When shares of all pairs knew. */
    uint64_t share_ns[FIGURES_SHARES];
};

/* Rates of one direction of traffic over the members that ran at all: each member's total over
 * its own running time, and the busiest single second of any member. */
struct figures_rate {
    double datagrams_mean; /* a member and second */
    double datagrams_p99;  /* of the members' own means */
    double datagrams_max;
    double bytes_mean;
    double bytes_p99;
    double bytes_max;
    uint64_t window_datagrams_max; /* in one whole second of virtual time, any member */
    uint64_t window_bytes_max;
    uint32_t window_node; /* whose second that was (bytes) */
    uint64_t window_at_ns;
};

struct figures {
    /* The run. */
    uint64_t begin_ns; /* collect_new or the last collect_reset */
    uint64_t end_ns;
    uint64_t trace_hash;
    uint32_t nodes;   /* seats */
    uint32_t started; /* lives begun */
    uint32_t killed;  /* lives ended by a crash */
    uint32_t left;    /* lives ended by a leave */
    uint32_t faulted; /* nodes that were faulted at any time */
    uint32_t running; /* at the end */
    uint32_t probe_period_ms;

    /* Convergence: every running member holds exactly those that run (sim_converged), as seen at
     * collect_tick. */
    bool is_converged;           /* at the end */
    uint64_t converged_first_ns; /* first time at all */
    uint64_t last_start_ns;      /* when the last life so far began */
    uint64_t converged_start_ns; /* from the last start to the next time that all saw all */
    uint64_t converged_last_ns;  /* if is_converged: since when, and no view has changed since */

    /* Rapid's figure: distinct numbers of members (alive or suspect) that members told on the way
     * to the first convergence: at collect_tick once a second, and after each event. */
    uint32_t sizes_sampled;
    uint32_t sizes_told;

    /* News. */
    struct figures_news *news;
    size_t news_count;
    uint32_t news_untracked;             /* beyond the limits of memory, counted only */
    struct figures_spread suspected_ns;  /* CRASH: first suspicion anywhere */
    struct figures_spread failed_ns;     /* CRASH: first failed anywhere */
    struct figures_spread all_failed_ns; /* CRASH: failed at all (full dissemination) */
    struct figures_spread all_left_ns;
    struct figures_spread all_joined_ns;
    double suspected_periods_mean; /* suspected_ns in probe periods */
    uint32_t crashes_unnoticed;    /* nobody ever said failed, though it was awaited */
    uint32_t crashes_partial;      /* some awaited member never said so */
    uint32_t crashes_overtaken;    /* the id was back before all knew */
    struct figures_curve joins;
    struct figures_curve deaths; /* crashes; from the kill on */
    struct figures_curve spread; /* crashes; from the first FAILED on: dissemination alone */
    struct figures_curve leaves;

    /* Wrong words, as Lifeguard counts them: every event at every member. */
    uint64_t false_failed;         /* FP: FAILED about a healthy member */
    uint64_t false_failed_healthy; /* FP-: said by a healthy member */
    uint64_t false_suspected;      /* SUSPECTED about a healthy member */
    uint64_t false_suspected_healthy;
    uint64_t faulted_failed; /* FAILED about a member that runs but is faulted */
    uint64_t faulted_suspected;
    uint64_t unreachable_failed; /* FAILED because of a partition (collect_note_group) */
    uint64_t unreachable_suspected;
    uint64_t leaver_failed;        /* FAILED about a member while or after it left */
    uint32_t false_failed_members; /* distinct lives */
    uint64_t oscillations;         /* a member said failed, then alive, of one running life */
    uint32_t oscillating_members;  /* distinct lives */
    uint64_t resurrections;        /* alive said again of a life that is over, by one that knew */
    uint64_t events[FIGURES_EVENTS];

    /* Traffic. */
    struct sim_traffic sent;
    struct sim_traffic received;
    uint64_t member_ns; /* running time, summed over the members */
    struct figures_rate sending;
    struct figures_rate receiving;
    uint64_t dropped[SIM_DROPS]; /* since sim_new */
    struct sim_ledger ledger;    /* since sim_new */

    /* The core: counters of all lives summed; gauges of those that run at the end. */
    struct swim_stats counters;
    uint32_t health[FIGURES_HEALTH]; /* members by local health multiplier at the end */

    /* For plots; at most a few thousand, evenly thinned in long runs. */
    struct figures_sample *samples;
    size_t sample_count;

    /* The machine; differs from run to run. */
    uint64_t wall_ns;
    uint64_t peak_rss_bytes;
};

struct collect_config {
    uint32_t nodes_max; /* of the simulation */
    uint64_t sample_ns; /* between samples of the views; 1 s by default */
    /* How long a member counts as faulted after its fault: what was believed then has to die
     * out. 0 counts every word after the fault's end as false. */
    uint64_t shadow_ns;
    uint64_t bitmap_bytes_max; /* for news; what does not fit is counted, not followed */
    uint32_t joins_max; /* joins that are followed, evenly chosen among those that may start */
};

struct collect;

/* 1 s samples, a shadow of 15 s, 256 MiB, 1,000 joins. */
void collect_config_default(struct collect_config *config, uint32_t nodes_max);

/* A watcher of `sim`. Members that run already are lives that began now, but their joins are no
 * news. Reports and aborts when out of memory, as sim does. */
struct collect *collect_new(struct sim *sim, const struct collect_config *config);
/* Frees it. The simulation must not run afterwards; it may be freed before. */
void collect_free(struct collect *collect);

/* To be called between two sim_run, as often as convergence is to be timed exactly (every 10 to
 * 100 ms); looks at all views every sample_ns. */
void collect_tick(struct collect *collect);

/* A fault begins now: `node` is faulted until then (virtual time; FIGURES_NEVER: until
 * collect_note_well). Several extend each other. A member that a test makes faulty in turns
 * (blocked, free, blocked...) is best noted once for the whole time, as Lifeguard does. Pauses and
 * blocks by sim_pause and sim_block are noticed without it. */
void collect_note_fault(struct collect *collect, uint32_t node, uint64_t until_ns);
void collect_note_well(struct collect *collect, uint32_t node);
/* A partition: `node` is in this group from now on (all begin in 0). What one says of the other
 * side is counted as `unreachable_*` until the partition is healed, and for the shadow after that
 * all that is said. */
void collect_note_group(struct collect *collect, uint32_t node, uint32_t group);
void collect_note_heal(struct collect *collect); /* all in group 0 */

/* What happened so far is not measured (after a warm start, say): news, events, traffic and
 * samples begin anew. Who runs and who is faulted is kept. */
void collect_reset(struct collect *collect);

/* Sums up, at sim_now. The lists belong to the figures; may be called again later. */
void collect_finish(struct collect *collect, struct figures *ret_figures);
void figures_free(struct figures *figures);

/* The spread of `count` numbers, which are sorted in place. */
struct figures_spread figures_spread_of(uint64_t *numbers, size_t count);

#endif
