/* What the parts of the collector share. See collect.h for the words. */
#ifndef SWIM_SWIMSIM_COLLECT_PRIVATE_H
#define SWIM_SWIMSIM_COLLECT_PRIVATE_H

#include "swimsim/collect.h"
#include "swimsim/collect_ids.h"
#include "swimsim/collect_news.h"

/* Samples kept: when there are as many, every other one goes and the interval doubles. */
#define SAMPLES_MAX 2048

/* What is known of an id: the last life under it. */
struct subject {
    uint32_t node;
    uint32_t incarnation; /* that the life began with */
    uint32_t join;        /* its news, or NEWS_NONE */
    uint32_t end;
    enum figures_news_kind ended_by;
    bool is_running;
    bool is_leaving;
    bool was_false_failed;
    bool was_oscillating;
    uint64_t
        *gone_at; /* set of the members that said it is dead or left, and not otherwise since */
};

/* Traffic of a node in one direction. */
struct flow {
    uint64_t datagrams;
    uint64_t bytes;
    uint64_t window; /* which second of virtual time is being counted */
    uint64_t window_datagrams;
    uint64_t window_bytes;
};

/* The busiest second so far of any node. */
struct busiest {
    uint64_t datagrams;
    uint64_t bytes;
    uint64_t at_ns;
    uint32_t node;
};

struct seat {
    uint32_t subject; /* of the life that runs, or ran last */
    uint32_t group;
    uint64_t faulted_until_ns; /* without the shadow; meaningful if was_faulted */
    bool was_faulted;
    bool is_paused;
    bool is_blocked;
    bool is_running;
    uint64_t began_ns; /* or when the measurement began */
    uint64_t ran_ns;   /* in lives that are over */
    struct flow sent;
    struct flow received;
};

struct collect {
    struct sim *sim;
    struct collect_config config;
    uint64_t begin_ns;
    uint64_t wall_begin_ns;

    struct ids ids;
    struct subject *subjects;
    uint32_t subject_capacity;
    struct seat *seats; /* nodes_max */
    bool was_healed;    /* a partition, at healed_ns */
    uint64_t healed_ns;
    uint32_t running;
    uint32_t foreign; /* of these, not ours: they tell no events */
    uint64_t ran_ns;  /* running time of all up to counted_ns */
    uint64_t counted_ns;
    uint32_t join_stride; /* joins of each so-manieth node are followed */

    struct newsbook news;
    /* Counts, as they will be; the rest is filled in at the end. */
    struct figures figures;
    struct swim_stats counters_before; /* of those that ran when the measurement began */
    struct sim_ledger ledger_before;
    struct busiest busiest_sent;
    struct busiest busiest_received;

    bool is_converged;       /* as last seen */
    bool is_changed;         /* a view may have changed since */
    uint64_t *sizes_sampled; /* sets of sizes, 0..nodes_max */
    uint64_t *sizes_told;
    uint64_t next_size_ns; /* when the sizes are sampled next */

    struct figures_sample samples[SAMPLES_MAX];
    size_t sample_count;
    uint64_t sample_interval_ns;
    uint64_t next_sample_ns;
};

/* collect.c */
bool collect_is_healthy(const struct collect *collect, uint32_t node);
/* Running time of all members since the measurement began. */
uint64_t collect_member_ns(const struct collect *collect);
void collect_sum_counters(const struct collect *collect, struct swim_stats *sum);

/* collect_words.c: what a member told its host. */
void collect_word(struct collect *collect, const struct sim_event *event);

#endif
