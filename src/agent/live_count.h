/* How many members live, alive or suspect, this one included. */
#ifndef SWIM_AGENT_LIVE_COUNT_H
#define SWIM_AGENT_LIVE_COUNT_H

#include "swim/swim.h"

static inline uint32_t live_count(const struct swim *swim)
{
    return swim_member_count(swim, SWIM_ALIVE) + swim_member_count(swim, SWIM_SUSPECT);
}

#endif
