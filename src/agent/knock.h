/*
 * Who knocks at the door and is not let in: told to the log once for each address and reason.
 * Addresses are forged with ease, so the table of those that were told is small and fixed; when it
 * is full, one line a minute says how many more there were.
 */
#ifndef SWIM_AGENT_KNOCK_H
#define SWIM_AGENT_KNOCK_H

#include "agent/log.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define KNOCKS_MAX 64
#define KNOCK_PLACES (2 * KNOCKS_MAX) /* half empty, so that a search is short */
#define KNOCK_INTERVAL_MS 60000

struct knocks {
    uint64_t seed;              /* secret: which addresses share a place is not theirs to choose */
    uint32_t count;             /* at most KNOCKS_MAX */
    uint64_t key[KNOCK_PLACES]; /* hash of address and reason; 0: free */
    struct log_limit limit;     /* once the table is full */
};

/* A knock from `from`, for a reason that the caller numbers. True when it is to be told; then
 * *ret_held_back others were not told since the last that was. O(1). */
bool knock_is_news(struct knocks *knocks, const struct swim_addr *from, uint32_t reason,
                   swim_time now, uint64_t *ret_held_back);

#endif
