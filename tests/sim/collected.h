/*
 * What the tests of the collector share: a world in which it looks on, and the simulation's own log to
 * hold its figures against. Included first.
 */
#ifndef SWIM_TESTS_SIM_COLLECTED_H
#define SWIM_TESTS_SIM_COLLECTED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "swimsim/collect.h"

#define NODES_MAX 80

struct world {
    struct sim *sim;
    struct collect *collect; /* NULL: nobody looks */
    struct figures figures;  /* after world_end */
};

static inline void world_new(struct world *world, uint32_t nodes, bool has_collector)
{
    struct sim_config config;
    struct collect_config collected;
    memset(world, 0, sizeof *world);
    sim_config_default(&config, 7, NODES_MAX);
    world->sim = sim_new(&config);
    if (has_collector) {
        collect_config_default(&collected, NODES_MAX);
        world->collect = collect_new(world->sim, &collected);
    }
    for (uint32_t i = 0; i < nodes; i++) {
        sim_add(world->sim);
        if (i > 0) {
            sim_seed_node(world->sim, i, 0);
        }
    }
}

static inline void run_ms(struct world *world, uint64_t ms)
{
    for (uint64_t at = 0; at < ms; at += 50) {
        if (!sim_run(world->sim, 50 * SWIM_MS)) {
            fail_msg("%s", sim_failure(world->sim));
        }
        if (world->collect != NULL) {
            collect_tick(world->collect);
        }
    }
}

/* All run and know each other. */
static inline void world_begin(struct world *world, uint32_t nodes)
{
    world_new(world, nodes, true);
    for (uint32_t i = 0; i < nodes; i++) {
        sim_start(world->sim, i);
    }
    run_ms(world, 5000);
    assert_true(sim_converged(world->sim, NULL));
}

static inline const struct figures *finish(struct world *world)
{
    figures_free(&world->figures);
    collect_finish(world->collect, &world->figures);
    return &world->figures;
}

static inline void world_end(struct world *world)
{
    figures_free(&world->figures);
    collect_free(world->collect);
    sim_free(world->sim);
}

/* The time of the log's first (or, from the end, last) event of a kind about an id, from `since`
 * on; FIGURES_NEVER if there is none. */
static inline uint64_t time_of_event(const struct sim *sim, enum swim_event_kind kind, uint64_t id,
                                     bool is_last)
{
    const struct sim_event *events;
    size_t count = sim_events(sim, &events);
    uint64_t found = FIGURES_NEVER;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == kind && events[i].id == id && (is_last || found == FIGURES_NEVER)) {
            found = events[i].at;
        }
    }
    return found;
}

static inline const struct figures_news *news_of(const struct figures *figures,
                                                 enum figures_news_kind kind, size_t which)
{
    for (size_t i = 0; i < figures->news_count; i++) {
        if (figures->news[i].kind == kind && which-- == 0) {
            return &figures->news[i];
        }
    }
    fail_msg("there is no such news");
    return NULL;
}

#endif
