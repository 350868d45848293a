/*
 * Two members with tables of thousands that differ in so many members, and what it costs them to
 * come to agree: for tests and benchmarks of docs/protocol.md section 8.
 */
#ifndef SWIM_TESTS_UNIT_SYNC_PAIR_H
#define SWIM_TESTS_UNIT_SYNC_PAIR_H

#include "harness.h"

enum { PAIR_ASKER, PAIR_REPLIER };

enum pair_kind {
    PAIR_ONLY_ASKER,   /* the replier does not know them */
    PAIR_ONLY_REPLIER, /* the asker does not */
    PAIR_NEWER_ASKER,  /* both do, at different incarnations */
    PAIR_NEWER_REPLIER,
    PAIR_OF_EACH, /* a quarter each */
    PAIR_KINDS,
};
extern const char *const pair_kind_names[PAIR_KINDS];

struct pair_plan {
    uint32_t members; /* of both tables together */
    uint32_t different;
    enum pair_kind kind;
    uint64_t seed;  /* of ids */
    uint32_t steps; /* of incarnation between old and newer; 0: 1 */
};

struct pair {
    struct swim *members[2]; /* asker, replier */
    swim_time now;
};

/* Returns false to lose a datagram of `from` (PAIR_ASKER or PAIR_REPLIER). */
typedef bool (*pair_filter)(void *context, unsigned from, const struct sent *sent);

struct pair_cost {
    uint32_t turns;        /* of one side after the other: two are a round trip */
    uint32_t datagrams[2]; /* by either side */
    size_t bytes[2];
    uint32_t entries[2];
    uint32_t by_phase[8]; /* datagrams of each phase of SYNC; 0: all others */
};

struct pair pair_begin(const struct pair_plan *plan);
void pair_end(struct pair *pair);
/* The asker is made to ask, and everything goes to the other side until both are silent. `filter`
 * may be NULL. */
struct pair_cost pair_run(struct pair *pair, pair_filter filter, void *context);
bool pair_agrees(const struct pair *pair);
/* Bytes that all of the replier's differing buckets would take, and what it then lacks: how views are
 * synchronised without sketches. */
size_t pair_whole_bytes(const struct pair *pair);

#endif
