/*
 * Local time. Machines booted at different times, and their clocks need not run at the same rate:
 * a clock is a straight line from the last time that somebody meddled with it.
 */
#include "sim/sim_private.h"

#include "base/assert.h"

#define MILLION UINT64_C(1000000)

/* floor(value * factor / divisor), without overflow for factors and divisors of some millions. */
static uint64_t scale_down(uint64_t value, uint64_t factor, uint64_t divisor)
{
    return value / divisor * factor + value % divisor * factor / divisor;
}

static uint64_t scale_up(uint64_t value, uint64_t factor, uint64_t divisor)
{
    return value / divisor * factor + (value % divisor * factor + divisor - 1) / divisor;
}

static uint64_t rate_of(const struct node_clock *clock)
{
    return (uint64_t)((int64_t)MILLION + clock->ppm);
}

static uint64_t clock_at(const struct node_clock *clock, uint64_t true_ns)
{
    if (clock->ppm == 0) {
        return clock->local_ns + true_ns - clock->true_ns;
    }
    if (true_ns >= clock->true_ns) {
        return clock->local_ns + scale_down(true_ns - clock->true_ns, rate_of(clock), MILLION);
    }
    uint64_t before = scale_down(clock->true_ns - true_ns, rate_of(clock), MILLION);
    return before < clock->local_ns ? clock->local_ns - before : 0;
}

uint64_t clock_when(const struct node_clock *clock, uint64_t local_ns)
{
    ASSERT(local_ns >= clock->local_ns);
    uint64_t after = local_ns - clock->local_ns;
    return clock->true_ns + (clock->ppm == 0 ? after : scale_up(after, MILLION, rate_of(clock)));
}

static void set_clock(struct sim *sim, uint32_t index, int32_t ppm, uint64_t forwards_ns)
{
    struct node *node = sim_node(sim, index);

    node->clock.local_ns = clock_at(&node->clock, sim->now_ns) + forwards_ns;
    node->clock.true_ns = sim->now_ns;
    node->clock.ppm = ppm;
    sim_tell_node(sim, SIM_HAPPENED_CLOCK, index, SIM_NOBODY);
    if (node->state_now == SIM_RUNNING) {
        sim_disarm(sim, ALARM_DEADLINE, index);
        sim_arm_deadline(sim, index);
    }
}

void sim_clock_rate(struct sim *sim, uint32_t node, int32_t ppm)
{
    ASSERT(ppm >= -900000 && ppm <= 9000000);
    set_clock(sim, node, ppm, 0);
}

void sim_clock_jump(struct sim *sim, uint32_t node, uint64_t forwards_ns)
{
    ASSERT(forwards_ns <= UINT64_MAX / 4);
    set_clock(sim, node, sim_node(sim, node)->clock.ppm, forwards_ns);
}

swim_time sim_local_time(const struct sim *sim, uint32_t node, uint64_t time_ns)
{
    return clock_at(&sim_node(sim, node)->clock, time_ns);
}
