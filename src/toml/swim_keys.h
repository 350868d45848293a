/*
 * swim_keys.h - the keys of TOML files that set a field of struct swim_config: names, types and
 * ranges, once for the daemon's configuration (agent/config_file.c) and for the simulator's
 * scenarios (swimsim/plan_settings.c). docs/configuration.md explains each.
 *
 * Every line is TYPE(section, name, field, min, max), or TYPE(section, name, field) for BOOLEAN:
 *   NUMBER   a whole number
 *   MS       milliseconds
 *   MS_OFF   milliseconds, or 0 for off
 *   MILLI    a decimal fraction, kept in thousandths; min and max are whole
 *   BOOLEAN  true or false
 */
#ifndef SWIM_TOML_SWIM_KEYS_H
#define SWIM_TOML_SWIM_KEYS_H

#define SWIM_KEYS_GOSSIP(NUMBER, MS, MS_OFF, MILLI, BOOLEAN)                                       \
    NUMBER("gossip", "fanout", fanout, 1, 65535)                                                   \
    BOOLEAN("gossip", "adaptive_fanout", adaptive_fanout)                                          \
    NUMBER("gossip", "max_sends", max_sends, 1, 64)                                                \
    BOOLEAN("gossip", "adaptive_targets", adaptive_targets)                                        \
    MS("gossip", "interval_ms", gossip_interval_ms, 10, 3600000)                                   \
    MS("gossip", "heartbeat_interval_ms", heartbeat_interval_ms, 10, 3600000)                      \
    NUMBER("gossip", "piggyback_max", piggyback_max, 0, 58)                                        \
    MS_OFF("gossip", "anti_entropy_interval_ms", anti_entropy_interval_ms, 10, 3600000)            \
    NUMBER("gossip", "retransmit_multiplier", retransmit_multiplier, 1, 12)                        \
    NUMBER("gossip", "members_max", members_max, SWIM_MEMBERS_MIN, SWIM_MEMBERS_MAX)               \
    NUMBER("gossip", "meta_memory", meta_memory, 0, SWIM_META_MEMORY_MAX)

#define SWIM_KEYS_NETWORK(NUMBER, MS, MS_OFF, MILLI, BOOLEAN)                                      \
    MS("network", "reliable_ack_timeout_ms", reliable_ack_timeout_ms, 10, 60000)                   \
    NUMBER("network", "reliable_max_retries", reliable_max_retries, 0, 16)

#define SWIM_KEYS_PROBES(NUMBER, MS, MS_OFF, MILLI, BOOLEAN)                                       \
    MS("probes", "interval_ms", probe_interval_ms, 10, 3600000)                                    \
    MS("probes", "timeout_ms", probe_timeout_ms, 1, 3599999)                                       \
    NUMBER("probes", "indirect_k", indirect_k, 0, SWIM_INDIRECT_MAX)                               \
    MS("probes", "suspect_timeout_ms", suspect_timeout_ms, 10, 3600000)                            \
    MILLI("probes", "suspect_multiplier", suspect_multiplier_milli, 0, 100)                        \
    MS("probes", "suspect_jitter_ms", suspect_jitter_ms, 0, 3600000)                               \
    MS("probes", "suspect_timeout_min_ms", suspect_timeout_min_ms, 10, 3600000)                    \
    MS("probes", "dead_retention_ms", dead_retention_ms, 10, 86400000)

#define SWIM_KEYS_LIFEGUARD(NUMBER, MS, MS_OFF, MILLI, BOOLEAN)                                    \
    BOOLEAN("lifeguard", "local_health", local_health)                                             \
    BOOLEAN("lifeguard", "nack", nack)                                                             \
    NUMBER("lifeguard", "confirmations", confirmations, 0, SWIM_CONFIRMATIONS_MAX)                 \
    BOOLEAN("lifeguard", "buddy", buddy)

#endif
