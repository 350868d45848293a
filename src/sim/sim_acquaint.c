/*
 * Warm start. One member, the model, is joined by everybody; all the others then begin with its
 * table (swim_init_acquainted). So 10^8 acquaintances among 10,000 members cost some
 * 40,000 datagrams and a copy each, nobody has anything to tell of it, and only the public API is used.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

/* When the model lives, by its own clock: it ends before the simulation goes on. */
#define EPOCH SIM_SECOND

static bool is_ours(const struct node *node)
{
    return node->state_now == SIM_RUNNING && !node->is_foreign;
}

/* Everything that `from` has to say now goes to `to`. False when it was nothing. */
static bool carry(struct swim *from, const struct swim_addr *from_addr, struct swim *to)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr where;
    bool is_said = false;

    for (size_t size; (size = swim_transmit(from, EPOCH, &where, buf, sizeof buf)) > 0;
         is_said = true) {
        (void)swim_receive(to, EPOCH, from_addr, buf, size);
    }
    return is_said;
}

/* A member with this configuration starts, and joins the model. */
static void introduce(const struct swim_config *config, struct swim *model,
                      const struct swim_addr *model_addr)
{
    struct swim_config small = *config;
    struct swim *member;

    small.members_max = SWIM_MEMBERS_MIN;
    size_t size = swim_footprint(&small);
    void *arena = sim_map_arena(size);
    member = swim_init(arena, size, &small, EPOCH);
    (void)swim_join(member, EPOCH, model_addr);
    for (bool goes_on = true; goes_on;) {
        goes_on = carry(member, &config->addr, model);
        goes_on |= carry(model, model_addr, member);
    }
    sim_unmap_arena(arena, size);
}

/* A member in the seat of `index` that knows all that run. Returns its arena. */
static void *make_model(struct sim *sim, uint32_t index, size_t size)
{
    const struct node *seat = sim_node(sim, index);
    void *arena = sim_map_arena(size);
    struct swim *model = swim_init(arena, size, &seat->config, EPOCH);

    for (uint32_t i = 0; i < sim->node_count; i++) {
        const struct node *node = sim_node(sim, i);
        if (i == index || !is_ours(node)) {
            continue;
        }
        ASSERT(node->config.members_max == seat->config.members_max);
        introduce(&node->config, model, &seat->config.addr);
    }
    return arena;
}

/* The member at `index` begins anew, as one who knows what `model` knows. */
static void begin_like(struct sim *sim, uint32_t index, const struct swim *model)
{
    struct node *node = sim_node(sim, index);
    swim_time local_now = sim_local_time(sim, index, sim->now_ns);

    sim_unmap_arena(node->arena, node->arena_size);
    node->arena = sim_map_arena(node->arena_size);
    node->state =
        swim_init_acquainted(node->arena, node->arena_size, &node->config, model, local_now);
    ASSERT(node->state != NULL);
    node_apply_meta(sim, index);
    for (uint32_t i = 0; i < node->seed_count; i++) {
        (void)swim_join(node->state, local_now, &node->seeds[i]);
    }
    sim_disarm(sim, ALARM_DEADLINE, index);
    sim_pump(sim, index);
}

void sim_acquaint(struct sim *sim)
{
    uint32_t first = 0;
    uint32_t last = sim->node_count;

    while (first < sim->node_count && !is_ours(sim_node(sim, first))) {
        first++;
    }
    while (last > first && !is_ours(sim_node(sim, last - 1))) {
        last--;
    }
    if (last - first < 2) {
        return;
    }
    size_t size = sim_node(sim, first)->arena_size;
    void *arena = make_model(sim, first, size);
    for (uint32_t i = first + 1; i < last; i++) {
        if (is_ours(sim_node(sim, i))) {
            begin_like(sim, i, arena);
        }
    }
    sim_unmap_arena(arena, size);
    begin_like(sim, first, sim_node(sim, last - 1)->state);
}
