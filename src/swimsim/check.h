/*
 * check.h - what must hold of every run, whatever the plan does to its members.
 *
 * A checker is a watcher of a simulation (sim_watch). It sees each datagram and each word that a
 * member tells its host, is called once a virtual second to look into the tables, and knows from
 * the plan when faults are over. It never changes the run. Each of its checks has a name, with
 * which its complaint begins, and can be switched off:
 *
 *   invariants  swim_check of every member, and what the simulator itself finds: sent = delivered
 *               + dropped, no datagram for nobody or too long, deadlines that move
 *   order       what a member holds about an id only ever rises in the order of protocol.md
 *               section 4, but through forgetting; its own incarnation never falls
 *   story       the events about an id fit together: each begins where the last one ended; a
 *               tombstone stands for its whole retention
 *   truth       nobody holds a member at an incarnation it never had, or as left before it left
 *               (not in networks that damage datagrams: the checksum overlooks some)
 *   cluster     nobody holds a member of a cluster that has another name
 *   self        in its own table a member is itself, and alive until it leaves
 *   zombie      a forgotten id comes back when it has repeated what it was asked to, or at a higher
 *               incarnation, but not by hearsay, for as long as its forgetting is remembered
 *   bounds      no queue and no table is longer than its limit
 *   wire        datagrams say who sent them, at its own incarnation and a clock that does not run
 *               backwards, in a size and with bits that the protocol knows
 *   digest      two members' view digests are equal exactly when their views are
 *   false-death in a calm cluster nobody suspects a member that runs and was not stopped itself; not
 *               even one that was stopped suspects others
 *   leave       in a calm cluster one that left is not taken for dead
 *   spread      news of a death is told, or heard from others, as often as the settings say before it
 *               is dropped
 *   probing     in a settled cluster of m + 1, no member waits longer than 2m - 1 rounds for its
 *               turn with another one
 *   pause       who stood still for longer than any of its timers notices it, and nobody else does
 *   agreement   check_bound_ns after the last fault, all that are not apart hold exactly those
 *               that run and are not apart as alive, and go on doing so
 *   silence     check_silence_ns after that, there are no tombstones and no news, and nothing is
 *               sent but empty probes and their answers (not beside plain nodes: these push);
 *               all have proved their addresses to all, and nobody is asked to again
 *
 * Words:
 *   - Clusters that have names are each a whole for itself: what is said of all below means all of
 *     one of them.
 *   - A node is *apart* while the plan has a fault in force on it (run_is_faulted). One *thin cut*
 *     for good, between two nodes alone, sets nobody apart: the others relay.
 *   - A network is *gentle* when it neither loses nor damages datagrams, nor delays them by more
 *     than a quarter of the shortest probe time-out. Agreement and silence need one after the last
 *     fault, and enough time.
 *   - A cluster is *calm* once it has agreed in a gentle network in which nothing was lost for
 *     longer than a probe may take, until something happens to the network again. A stopped
 *     process (pause, block) is its own trouble, not the network's.
 *   - It is *settled* while it is calm, and all have agreed since the last one came or went.
 *
 * Costs: O(1) a datagram and event. A tick is O(n) for the whole, and O(n) for each member that
 * is looked into: all in small clusters, `watched_max` of them in large ones.
 */
#ifndef SWIM_SWIMSIM_CHECK_H
#define SWIM_SWIMSIM_CHECK_H

#include "sim/sim.h"
#include "swimsim/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run;
struct check;

/* X(NAME, "name"), in the order of the table above. */
#define CHECK_LIST(X)                                                                              \
    X(INVARIANTS, "invariants")                                                                    \
    X(ORDER, "order")                                                                              \
    X(STORY, "story")                                                                              \
    X(TRUTH, "truth")                                                                              \
    X(CLUSTER, "cluster")                                                                          \
    X(SELF, "self")                                                                                \
    X(ZOMBIE, "zombie")                                                                            \
    X(BOUNDS, "bounds")                                                                            \
    X(WIRE, "wire")                                                                                \
    X(DIGEST, "digest")                                                                            \
    X(FALSE_DEATH, "false-death")                                                                  \
    X(LEAVE, "leave")                                                                              \
    X(SPREAD, "spread")                                                                            \
    X(PROBING, "probing")                                                                          \
    X(PAUSE, "pause")                                                                              \
    X(AGREEMENT, "agreement")                                                                      \
    X(SILENCE, "silence")

enum check_id {
#define CHECK_ENUM(name, text) CHECK_##name,
    CHECK_LIST(CHECK_ENUM)
#undef CHECK_ENUM
        CHECK_COUNT
};

/* "agreement"; "?" out of range. */
const char *check_name(enum check_id id);
/* CHECK_COUNT when nothing is called so. */
enum check_id check_find(const char *name);

struct check_config {
    const struct plan *plan; /* must outlive the checker */
    const struct run *run;   /* who is faulted; NULL: nobody ever is */
    uint32_t off;            /* bit (1 << enum check_id): this check is off */
    uint32_t watched_max;    /* members that are looked into every tick */
};

/* All on, 24 members watched. */
void check_config_default(struct check_config *config, const struct plan *plan,
                          const struct run *run);

/* Begins to watch `sim`, before any node is started. */
struct check *check_new(struct sim *sim, const struct check_config *config);
/* The simulation must not run afterwards; it may be freed before. */
void check_free(struct check *check);

/* After sim_acquaint: whom members hold now is taken as if they had told it. */
void check_acquainted(struct check *check);

/* To be called between two sim_run, once a virtual second and at the end. False once something was
 * found, now or since the last call. */
bool check_tick(struct check *check);

/* "false-death: n3 at 12.345 s: ...", NULL while all is well. */
const char *check_failure(const struct check *check);
enum check_id check_failed(const struct check *check);
uint64_t check_failed_at(const struct check *check);

/*
 * Bounds, in nanoseconds. `n` counts all ids that any member may hold, the dead included.
 *
 * Agreement comes at the latest after: the longest wait for a try of healing (10 s for each address
 * that may be tried before the right one); the last passes of probes, slowed by the worst local
 * health, that meet a dead member or a stranger; the longest suspicion; a synchronisation at
 * its longest back-off (32 settling times); and dissemination. Faults can leave each of these in
 * its worst state, and some follow another, so two rounds of all are granted.
 *
 * Silence comes one retention after agreement (the last tombstones go), and news that may still be
 * sent then needs its transmissions.
 */
uint64_t check_bound_ns(const struct plan *plan);
uint64_t check_silence_ns(const struct plan *plan);
/* The plan's network after its last action is gentle, and it lasts longer than check_bound_ns. */
bool check_demands_agreement(const struct plan *plan);

#endif
