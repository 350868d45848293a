/* Configuration: defaults and ranges. The defaults are those of deployed version-1 nodes. */
#include "swim/swim.h"

#include "base/assert.h"
#include "core/merge.h"

#include <string.h>

void swim_config_default(struct swim_config *config)
{
    ASSERT(config);
    memset(config, 0, sizeof *config);
    config->members_max = 16384;
    config->meta_memory = 4 * 1048576;
    config->datagram_max = SWIM_DATAGRAM_MAX;
    config->fanout = 50;
    config->adaptive_fanout = true;
    config->max_sends = 1;
    config->adaptive_targets = true;
    config->gossip_interval_ms = 200;
    config->heartbeat_interval_ms = 500;
    config->piggyback_max = 6;
    config->retransmit_multiplier = 3;
    config->anti_entropy_interval_ms = 10000;
    config->reliable_ack_timeout_ms = 500;
    config->reliable_max_retries = 3;
    config->probe_interval_ms = 1000;
    config->probe_timeout_ms = 500;
    config->indirect_k = 2;
    config->suspect_timeout_ms = 3000;
    config->suspect_multiplier_milli = 500;
    config->suspect_jitter_ms = 1000;
    config->suspect_timeout_min_ms = 3000;
    config->dead_retention_ms = 15000;
    config->local_health = true;
    config->nack = true;
    config->buddy = true;
    config->confirmations = 3;
}

#define HOUR_MS 3600000u

static const struct {
    const char *name;
    size_t offset;
    uint32_t min;
    uint32_t max;
} ranges[] = {
#define RANGE(field, min, max)                                                                     \
    {                                                                                              \
#field, offsetof(struct swim_config, field), min, max                                      \
    }
    RANGE(members_max, SWIM_MEMBERS_MIN, SWIM_MEMBERS_MAX),
    RANGE(meta_memory, 0, SWIM_META_MEMORY_MAX),
    RANGE(datagram_max, 1200, SWIM_DATAGRAM_MAX),
    RANGE(fanout, 1, 65535),
    RANGE(max_sends, 1, 64),
    RANGE(gossip_interval_ms, 10, HOUR_MS),
    RANGE(heartbeat_interval_ms, 10, HOUR_MS),
    RANGE(piggyback_max, 0, 58),
    RANGE(retransmit_multiplier, 1, 12),
    RANGE(anti_entropy_interval_ms, 0, HOUR_MS),
    RANGE(reliable_ack_timeout_ms, 10, 60000),
    RANGE(reliable_max_retries, 0, 16),
    RANGE(probe_interval_ms, 10, HOUR_MS),
    RANGE(probe_timeout_ms, 1, HOUR_MS),
    RANGE(indirect_k, 0, SWIM_INDIRECT_MAX),
    RANGE(suspect_timeout_ms, 10, HOUR_MS),
    RANGE(suspect_multiplier_milli, 0, 100000),
    RANGE(suspect_jitter_ms, 0, HOUR_MS),
    RANGE(suspect_timeout_min_ms, 10, HOUR_MS),
    RANGE(confirmations, 0, SWIM_CONFIRMATIONS_MAX),
    RANGE(dead_retention_ms, 10, 24 * HOUR_MS),
#undef RANGE
};

static bool is_terminated(const char *text, size_t size)
{
    size_t at = 0;

    while (at < size && text[at])
        at++;
    return at < size;
}

const char *swim_config_check(const struct swim_config *config)
{
    struct swim_addr addr;

    ASSERT(config);
    if (config->id == 0)
        return "id";
    addr = addr_fold(&config->addr);
    if (!addr_is_usable(&addr))
        return "addr";
    if (!is_terminated(config->cluster, sizeof config->cluster))
        return "cluster";
    for (unsigned i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        uint32_t value;

        memcpy(&value, (const char *)config + ranges[i].offset, sizeof value);
        if (value < ranges[i].min || value > ranges[i].max)
            return ranges[i].name;
    }
    if (config->anti_entropy_interval_ms > 0 && config->anti_entropy_interval_ms < 10)
        return "anti_entropy_interval_ms";
    if (config->probe_timeout_ms >= config->probe_interval_ms)
        return "probe_timeout_ms";
    return NULL;
}
