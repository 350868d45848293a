/*
 * Members of ours behind struct sim_peer_ops: the public API of swim.h, and nothing else.
 */
#include "sim/sim_private.h"

static void core_receive(void *state, swim_time now, const struct swim_addr *from, const void *data,
                         size_t size)
{
    (void)swim_receive(state, now, from, data, size);
}

static void core_advance(void *state, swim_time now)
{
    swim_advance(state, now);
}

static size_t core_transmit(void *state, swim_time now, struct swim_addr *ret_to, void *buf,
                            size_t cap)
{
    return swim_transmit(state, now, ret_to, buf, cap);
}

static swim_time core_deadline(const void *state)
{
    return swim_deadline(state);
}

static const char *core_check(const void *state)
{
    return swim_check(state);
}

static bool core_find(const void *state, uint64_t id, enum swim_status *ret_status)
{
    struct swim_member member;
    if (!swim_member_find(state, id, &member)) {
        return false;
    }
    *ret_status = member.status;
    return true;
}

static uint32_t core_count(const void *state, enum swim_status status)
{
    return swim_member_count(state, status);
}

const struct sim_peer_ops sim_core_ops = {
    .receive = core_receive,
    .advance = core_advance,
    .transmit = core_transmit,
    .deadline = core_deadline,
    .check = core_check,
    .find = core_find,
    .count = core_count,
};
