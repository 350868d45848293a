/* A hash table that only fills, and then stops: docs/configuration.md, section "Log". */
#include "agent/knock.h"

#include "base/hash.h"

#include <string.h>

static uint64_t key_of(const struct knocks *knocks, const struct swim_addr *from, uint32_t reason)
{
    uint64_t high;
    uint64_t low;
    uint64_t key;

    memcpy(&high, from->ip, sizeof high);
    memcpy(&low, from->ip + 8, sizeof low);
    key = hash_combine(hash_combine(knocks->seed, high), low);
    key = hash_combine(key, ((uint64_t)reason << 32) | ((uint64_t)from->family << 16) | from->port);
    return key != 0 ? key : 1;
}

bool knock_is_news(struct knocks *knocks, const struct swim_addr *from, uint32_t reason,
                   swim_time now, uint64_t *ret_held_back)
{
    uint64_t key = key_of(knocks, from, reason);
    uint32_t place = (uint32_t)(key % KNOCK_PLACES);

    while (knocks->key[place] != 0) { /* half of the places stay free */
        if (knocks->key[place] == key)
            return false;
        place = (place + 1) % KNOCK_PLACES;
    }
    if (knocks->count == KNOCKS_MAX)
        return log_limit_allows(&knocks->limit, now, KNOCK_INTERVAL_MS, ret_held_back);
    knocks->key[place] = key;
    knocks->count++;
    *ret_held_back = 0;
    return true;
}
