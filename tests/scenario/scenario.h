/*
 * What the scenarios share: worlds with a printed seed, expectations with a deadline in virtual
 * time that show the world when they fail, forged datagrams, a tap. Included once, first.
 */
#ifndef SWIM_TESTS_SCENARIO_H
#define SWIM_TESTS_SCENARIO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim.h"
#include "wire/wire.h"

/* What links do: delays, then loss, repetition and damage in thousandths. */
/* clang-format off */
#define NET(delay_min, delay_max, loss, duplicate, corrupt)                                        \
    {.delay_min_ns = (delay_min), .delay_max_ns = (delay_max), .loss_permille = (loss),            \
     .duplicate_permille = (duplicate), .corrupt_permille = (corrupt)}
/* clang-format on */

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SECONDS(n) ((uint64_t)(n)*SIM_SECOND)
#define MILLISECONDS(n) ((uint64_t)(n)*SWIM_MS)

/* ---- Worlds ------------------------------------------------------------------------------ */

/* SWIM_TEST_SEED, or the seed of every run without it. */
uint64_t scenario_seed(void);
/* Prints the scenario's name and seed (SWIM_TEST_SEED, else 1) and fills in sim's defaults. Up
 * to eight nodes are checked after every event. The table is sized for twice the nodes. */
struct sim_config scenario_config(const char *name, uint32_t nodes_max);
struct sim *scenario_new(const struct sim_config *config);
/* A world with defaults and `nodes` nodes, added but not started. */
struct sim *scenario_of(const char *name, uint32_t nodes);
/* The same for hundreds of nodes and more: seldom checked, events counted but not logged. */
struct sim *scenario_large(const char *name, uint32_t nodes);
/* Checks all invariants once more and frees the world. Every scenario ends with it. */
void scenario_end(struct sim *sim);

/* `full`, or a fraction of it where a sanitizer or SWIM_TEST_SMALL makes large sizes too slow:
 * then it says so. */
uint32_t scenario_size(uint32_t full, uint32_t reduced);

/* A world of at least `nodes` + 1 nodes, of which the first `nodes` run, know each other already and have
 * run for `ms`; nobody is checked after each event, and none is kept. */
struct sim *scenario_acquainted(struct sim_config config, uint32_t nodes, uint64_t ms);

/* Starts nodes first .. first + count - 1 now; all but the first join it. */
void start_star(struct sim *sim, uint32_t first, uint32_t count);
/* start_star of all nodes, waits until all see all, and a while for news to be old. */
void start_settled(struct sim *sim);
/* A world with defaults of so many settled nodes. */
struct sim *settled(const char *name, uint32_t nodes);

/* ---- Expectations ------------------------------------------------------------------------ */

/* Runs until the condition holds; fails, showing all nodes, when it does not in time. Returns
 * the milliseconds that it took. */
uint64_t expect_until(struct sim *sim, sim_condition *condition, const void *context,
                      uint64_t limit_ms, const char *what);
uint64_t expect_converged(struct sim *sim, uint64_t limit_ms);
/* Every node holds all that run as alive or suspect: what can be asked for under loss. */
uint64_t expect_all_known(struct sim *sim, uint64_t limit_ms);
uint64_t expect_clean(struct sim *sim, uint64_t limit_ms);
uint64_t expect_all_see(struct sim *sim, uint64_t id, enum swim_status status, uint64_t limit_ms);
uint64_t expect_all_forgot(struct sim *sim, uint64_t id, uint64_t limit_ms);
/* Runs for so long; fails when a checker finds something. */
void run_ms(struct sim *sim, uint64_t duration_ms);

/* Nobody suspected, or declared dead, any member but `except` (0: any at all) since then. */
void expect_nobody_suspected(struct sim *sim, uint64_t except, uint64_t since);
void expect_nobody_failed(struct sim *sim, uint64_t except, uint64_t since);
void show_world(const struct sim *sim);

/* By when a death in a cluster of n is known to all, with default settings: probed by someone,
 * the longest suspicion, dissemination (protocol.md section 5). */
uint64_t death_bound_ms(uint32_t n);
uint64_t suspicion_bound_ms(uint32_t n);
uint32_t log2_up(uint32_t n);

/* Totals of a window of time. */
struct sim_traffic traffic_of(struct sim *sim, uint32_t node, uint64_t duration_ms);

/* ---- Forged datagrams -------------------------------------------------------------------- */

struct forged {
    struct wire_header header;
    bool is_proved; /* as if its source had been asked, and repeats it: somebody is really there */
    const struct wire_entry *entries;
    size_t count;
};
/* Delivered now to `node`, from that source address. */
void forge(struct sim *sim, const struct swim_addr *from, uint32_t node,
           const struct forged *forged);
/* The header and the entry that `node` would honestly send about itself. */
struct wire_header honest_header(const struct sim *sim, uint32_t node, uint8_t kind);
struct wire_entry entry_of(const struct sim *sim, uint32_t observer, uint64_t id);
struct swim_addr make_addr(uint8_t last, uint16_t port);
struct swim_member self_of(const struct sim *sim, uint32_t node);
bool is_equal_addr(const struct swim_addr *a, const struct swim_addr *b);

#endif
