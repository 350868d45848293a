/*
 * Warm start, by nothing but the public API. A teacher that is not part of the simulation hears a
 * PING of everybody, and then of a newcomer, to which it pushes its whole table, as members do
 * (docs/protocol.md section 8). These very datagrams are then handed to every member.
 *
 * The teacher speaks in the name of a member, since its word makes that one known too. That
 * member itself would drop it, and is told by a second teacher in another one's name.
 */
#include "sim/sim_private.h"

#include <stdlib.h>
#include <string.h>

#define KIND_ANTI_ENTROPY 6       /* byte 1 of the header, docs/protocol.md section 1 */
#define HOUR_MS 3600000           /* the longest interval that members can be configured with */
#define EPOCH (1000 * SIM_SECOND) /* when the teacher starts, by its own clock */

struct lesson {
    uint8_t data[SWIM_DATAGRAM_MAX];
    size_t size;
};

struct school {
    struct sim *sim;
    uint32_t *pupils; /* nodes */
    uint32_t count;
    void *arena; /* of a member that lives for one PING */
    size_t arena_size;
    struct lesson *lessons;
    uint32_t lesson_count;
    uint32_t lesson_capacity;
};

/* What the teacher has to send. The part of its table that goes to `wanted` is kept. */
static void drain(struct school *school, struct swim *teacher, swim_time now,
                  const struct swim_addr *wanted)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    size_t size;

    while ((size = swim_transmit(teacher, now, &to, buf, sizeof buf)) > 0) {
        if (wanted == NULL || buf[1] != KIND_ANTI_ENTROPY || !addr_is_same(&to, wanted)) {
            continue;
        }
        if (school->lesson_count == school->lesson_capacity) {
            school->lesson_capacity = 2 * school->lesson_capacity + 16;
            school->lessons =
                sim_grow(school->lessons, school->lesson_capacity, sizeof *school->lessons);
        }
        memcpy(school->lessons[school->lesson_count].data, buf, size);
        school->lessons[school->lesson_count++].size = size;
    }
}

/* Lets time pass until it has nothing more to do. */
static void exhaust(struct school *school, struct swim *teacher, swim_time *now,
                    const struct swim_addr *wanted)
{
    swim_time deadline;

    drain(school, teacher, *now, wanted);
    while ((deadline = swim_deadline(teacher)) < *now + HOUR_MS / 2 * SWIM_MS) {
        *now = deadline > *now ? deadline : *now;
        swim_advance(teacher, *now);
        drain(school, teacher, *now, wanted);
    }
}

/* The teacher hears the first PING that this pupil would send. */
static void hear(struct school *school, struct swim *teacher, swim_time now, uint32_t pupil,
                 const struct swim_addr *teacher_addr)
{
    const struct node *node = sim_node(school->sim, school->pupils[pupil]);
    struct swim_config config = node->config;
    struct swim_member self;
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;

    if (!swim_member_at(node->state, 0, &self)) {
        return;
    }
    config.members_max = SWIM_MEMBERS_MIN;
    config.incarnation = self.incarnation;
    memset(school->arena, 0, school->arena_size);
    struct swim *twin = swim_init(school->arena, school->arena_size, &config, EPOCH);
    swim_time later = EPOCH + (uint64_t)self.heartbeat * config.heartbeat_interval_ms * SWIM_MS;
    swim_join(twin, later, teacher_addr);
    swim_advance(twin, later);
    size_t size = swim_transmit(twin, later, &to, buf, sizeof buf);
    if (size > 0) {
        (void)swim_receive(teacher, now, &config.addr, buf, size);
    }
}

/* Makes the lessons, in the name of one of the pupils. */
static void prepare(struct school *school, uint32_t named)
{
    struct sim *sim = school->sim;
    struct swim_config config = sim_node(sim, school->pupils[named])->config;
    uint32_t newcomer = school->count - 1 != named ? school->count - 1 : 0;
    struct swim_addr newcomer_addr = sim_addr(sim, school->pupils[newcomer]);
    swim_time now = EPOCH;

    config.probe_interval_ms = HOUR_MS;
    config.gossip_interval_ms = HOUR_MS;
    config.heartbeat_interval_ms = HOUR_MS; /* it must not tell of a time that is yet to come */
    size_t size = swim_footprint(&config);
    void *arena = sim_map_arena(size);
    struct swim *teacher = swim_init(arena, size, &config, now);
    for (uint32_t i = 0; i < school->count; i++) {
        if (i != named && i != newcomer) {
            hear(school, teacher, now, i, &config.addr);
            drain(school, teacher, now, NULL);
        }
    }
    exhaust(school, teacher, &now, NULL);
    school->lesson_count = 0;
    hear(school, teacher, now, newcomer, &config.addr);
    exhaust(school, teacher, &now, &newcomer_addr);
    sim_unmap_arena(arena, size);
}

static void teach(struct school *school, uint32_t pupil, uint32_t named)
{
    struct node *node = sim_node(school->sim, school->pupils[pupil]);
    swim_time now = sim_local_time(school->sim, school->pupils[pupil], school->sim->now_ns);
    struct swim_addr from = sim_addr(school->sim, school->pupils[named]);

    for (uint32_t i = 0; i < school->lesson_count; i++) {
        (void)swim_receive(node->state, now, &from, school->lessons[i].data,
                           school->lessons[i].size);
    }
    sim_pump(school->sim, school->pupils[pupil]);
}

void sim_acquaint(struct sim *sim)
{
    struct school school = {.sim = sim};
    struct swim_config smallest = sim->config.member;

    school.pupils = sim_allocate(sim->config.nodes_max, sizeof *school.pupils);
    for (uint32_t i = 0; i < sim->node_count; i++) {
        if (sim->nodes[i].state_now == SIM_RUNNING && !sim->nodes[i].is_foreign) {
            school.pupils[school.count++] = i;
        }
    }
    smallest.members_max = SWIM_MEMBERS_MIN;
    school.arena_size = swim_footprint(&smallest);
    school.arena = sim_map_arena(school.arena_size);
    for (uint32_t named = 0; named < 2 && school.count > 1; named++) {
        prepare(&school, named);
        for (uint32_t i = named == 0 ? 1 : 0; i < (named == 0 ? school.count : 1); i++) {
            teach(&school, i, named);
        }
    }
    sim_unmap_arena(school.arena, school.arena_size);
    free(school.lessons);
    free(school.pupils);
}
