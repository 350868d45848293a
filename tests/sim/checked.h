/*
 * What the tests of the checks share: a world in which they are all on, and a look at their complaint.
 * Included first.
 */
#ifndef SWIM_TESTS_SIM_CHECKED_H
#define SWIM_TESTS_SIM_CHECKED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_private.h"
#include "swimsim/check_private.h"
#include "swimsim/run.h"
#include "wire/wire.h"

#define NODES 4
#define SECONDS(n) ((uint64_t)(n)*SIM_SECOND)

struct world {
    struct plan plan;
    struct sim *sim;
    struct check *check;
};

/* ---- Worlds ------------------------------------------------------------------------------ */

/* Four nodes that the checker watches, with these checks switched off. */
static inline struct world *world_new(uint64_t duration_ns, uint32_t off)
{
    struct world *world = calloc(1, sizeof *world);
    struct check_config config;
    struct sim_config sim;

    assert_non_null(world);
    plan_default(&world->plan);
    world->plan.nodes = NODES;
    world->plan.start.kind = PLAN_START_TOGETHER;
    world->plan.duration_ns = duration_ns;
    sim_config_default(&sim, 1, NODES);
    sim.member.members_max = 256;
    world->sim = sim_new(&sim);
    check_config_default(&config, &world->plan, NULL);
    config.off = off;
    world->check = check_new(world->sim, &config);
    for (uint32_t i = 0; i < NODES; i++) {
        sim_add(world->sim);
        if (i > 0)
            sim_seed_node(world->sim, i, 0);
        sim_start(world->sim, i);
    }
    return world;
}

static inline void world_free(struct world *world)
{
    sim_free(world->sim);
    check_free(world->check);
    free(world);
}

/* Runs on, second by second; false once there is a complaint. */
static inline bool run_on(struct world *world, uint32_t seconds)
{
    for (uint32_t i = 0; i < seconds; i++) {
        sim_run(world->sim, SIM_SECOND);
        if (!check_tick(world->check))
            return false;
    }
    return true;
}

/* A cluster that is calm and settled by now. */
static inline struct world *calm_world(uint64_t duration_ns, uint32_t off)
{
    struct world *world = world_new(duration_ns, off);

    assert_true(run_on(world, 40));
    assert_true(world->check->is_settled);
    return world;
}

static inline void expect_complaint(struct world *world, enum check_id id, const char *part)
{
    (void)check_tick(world->check);
    assert_non_null(check_failure(world->check));
    assert_int_equal(check_failed(world->check), id);
    assert_true(check_failed_at(world->check) <= sim_now(world->sim));
    if (strstr(check_failure(world->check), part) == NULL)
        fail_msg("no \"%s\" in \"%s\"", part, check_failure(world->check));
    assert_memory_equal(check_failure(world->check), check_name(id), strlen(check_name(id)));
    world_free(world);
}

static inline struct swim_member held_by(const struct world *world, uint32_t observer,
                                         uint32_t node)
{
    struct swim_member member;

    assert_true(
        swim_member_find(sim_member(world->sim, observer), sim_id(world->sim, node), &member));
    return member;
}

/* What `from` says of `about` to `to`: a GOSSIP of one entry. */
static inline void forge(struct world *world, uint32_t from, uint32_t to,
                         const struct swim_member *about)
{
    struct swim_member self;
    struct swim_addr addr = sim_addr(world->sim, from);
    struct wire_header header = {.kind = WIRE_GOSSIP, .capabilities = WIRE_CAPABLE};
    struct wire_entry entry = {.id = about->id,
                               .heartbeat = about->heartbeat,
                               .incarnation = about->incarnation,
                               .status = (uint8_t)about->status,
                               .addr = about->addr};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    assert_true(swim_member_at(sim_member(world->sim, from), 0, &self));
    header.sender_id = self.id;
    header.heartbeat = self.heartbeat;
    header.incarnation = self.incarnation;
    wire_begin(&b, buf, sizeof buf, &header);
    assert_true(wire_put_entry(&b, &entry));
    sim_inject(world->sim, &addr, to, buf, wire_finish(&b));
    sim_run(world->sim, 10 * SWIM_MS);
}

/* A datagram of `from` to `to`, with this much of an extension. */
struct word {
    struct sim_happening as;
    uint8_t kind;
    bool is_plain;
    uint64_t challenge;
    uint64_t echo;
    uint32_t tags; /* entries that say which cluster it is */
    uint8_t buf[SWIM_DATAGRAM_MAX];
};

static inline const struct sim_happening *write_word(const struct world *world, struct word *word)
{
    struct wire_header header = {.kind = word->kind};
    struct wire_entry tag = {.status = WIRE_STATUS_CLUSTER, .addr = {.family = 4}};
    struct swim_member self;
    struct wire_builder b;

    assert_true(swim_member_at(sim_member(world->sim, word->as.node), 0, &self));
    header.capabilities = word->is_plain ? 0 : WIRE_CAPABLE;
    header.sender_id = self.id;
    header.heartbeat = self.heartbeat;
    header.incarnation = self.incarnation;
    wire_begin(&b, word->buf, sizeof word->buf, &header);
    if (word->challenge != 0 || word->echo != 0)
        assert_true(wire_put_token(&b, word->challenge, word->echo));
    for (uint32_t i = 0; i < word->tags; i++)
        assert_true(wire_put_entry(&b, &tag));
    word->as.size = wire_finish(&b);
    word->as.data = word->buf;
    return &word->as;
}

#endif
