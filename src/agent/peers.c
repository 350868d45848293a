/* Two short lists that are looked through: they are changed by people. */
#include "agent/peers.h"

#include <string.h>
#include <strings.h>

static bool is_equal(const struct endpoint *a, const struct endpoint *b)
{
    bool is_name = a->addr.family == 0;

    if (is_name != (b->addr.family == 0))
        return false;
    return is_name ? a->addr.port == b->addr.port && strcasecmp(a->name, b->name) == 0
                   : is_address_equal(&a->addr, &b->addr);
}

static bool has(const struct endpoint *endpoints, uint32_t count, const struct endpoint *endpoint)
{
    for (uint32_t i = 0; i < count; i++)
        if (is_equal(&endpoints[i], endpoint))
            return true;
    return false;
}

const char *peers_add(struct peers *peers, const struct agent_config *config,
                      const struct endpoint *endpoint)
{
    if (has(config->peers, config->peer_count, endpoint) ||
        has(peers->added, peers->count, endpoint))
        return NULL;
    if (peers->count + config->peer_count >= CONFIG_PEERS_MAX)
        return "there are 64 peers already, which is as many as there can be";
    peers->added[peers->count++] = *endpoint;
    return NULL;
}

/* A new configuration may have brought so many that some of those added have no place. */
uint32_t peers_all(const struct peers *peers, const struct agent_config *config,
                   struct endpoint ret[CONFIG_PEERS_MAX])
{
    uint32_t count = config->peer_count;

    memcpy(ret, config->peers, count * sizeof *ret);
    for (uint32_t i = 0; i < peers->count && count < CONFIG_PEERS_MAX; i++)
        if (!has(config->peers, config->peer_count, &peers->added[i]))
            ret[count++] = peers->added[i];
    return count;
}

bool peers_has_address(const struct peers *peers, const struct agent_config *config,
                       const struct swim_addr *addr)
{
    struct endpoint endpoint = {.addr = *addr};

    return has(config->peers, config->peer_count, &endpoint) ||
           has(peers->added, peers->count, &endpoint);
}
