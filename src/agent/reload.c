/*
 * SIGHUP: the file is read again, as at the start. What can change changes; for the rest the log
 * says that it needs a restart. A file with a mistake in it changes nothing.
 */
#include "agent/agent.h"

#include "agent/log.h"

#include <stdlib.h>
#include <string.h>

static void tell(void *context, const char *key, bool is_live)
{
    (void)context;
    if (is_live)
        LOG(LOG_INFO, "setting changed", LOG_TEXT("key", key));
    else
        LOG(LOG_WARN, "this setting changes only by a restart", LOG_TEXT("key", key));
}

static void take_live(struct agent *agent, const struct agent_config *next)
{
    struct agent_config *config = &agent->config;

    agent_unjoin_peers(agent);
    config->peer_count = next->peer_count;
    memcpy(config->peers, next->peers, sizeof config->peers);
    agent_join_peers(agent);

    config->max_inbound_rate = next->max_inbound_rate;
    config->inbound_peer_capacity = next->inbound_peer_capacity;
    config->inbound_peer_refill_rate = next->inbound_peer_refill_rate;
    limiter_configure(&agent->limiter, &(struct limiter_config){
                                           .members_max = config->swim.members_max,
                                           .strangers_rate = config->max_inbound_rate,
                                           .member_capacity = config->inbound_peer_capacity,
                                           .member_rate = config->inbound_peer_refill_rate,
                                       });
    config->http_host_count = next->http_host_count;
    memcpy(config->http_hosts, next->http_hosts, sizeof config->http_hosts);
    config->log_interval_ms = next->log_interval_ms;
    agent_arm_report(agent);
    config->log_level = next->log_level;
    config->log_format = next->log_format;
    log_configure(config->log_level, config->log_format);
}

void reload(struct agent *agent)
{
    struct agent_config next;
    struct config_error error;

    if (agent->options.config_path == NULL) {
        log_message(LOG_WARN, "SIGHUP: nothing to reload: no file was given (--config)");
        return;
    }
    config_default(&next);
    config_default_runtime(&next, getenv("RUNTIME_DIRECTORY"));
    if (!config_load(&next, agent->options.config_path, &error) ||
        !options_apply(&agent->options, &next, &error) || !config_check_whole(&next, &error)) {
        LOG(LOG_ERROR, "SIGHUP: not reloaded, the settings stay as they are",
            LOG_TEXT("cause", error.text));
        return;
    }
    config_compare(&agent->config, &next, tell, NULL);
    take_live(agent, &next);
    LOG(LOG_INFO, "SIGHUP: reloaded", LOG_TEXT("file", agent->options.config_path));
}
