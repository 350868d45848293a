/*
 * SIGHUP: the file, and the key file, are read again, as at the start. What can change changes; for
 * the rest the log says that it needs a restart. A file with a mistake in it changes nothing.
 */
#include "agent/agent.h"

#include "agent/identity.h"
#include "agent/keyfile.h"
#include "agent/log.h"

#include <stdio.h>
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

    joining_drop_peers(agent);
    config->peer_count = next->peer_count;
    memcpy(config->peers, next->peers, sizeof config->peers);
    joining_try_peers(agent);
    config->meta = next->meta;

    config->max_inbound_rate = next->max_inbound_rate;
    config->inbound_peer_capacity = next->inbound_peer_capacity;
    config->inbound_peer_refill_rate = next->inbound_peer_refill_rate;
    limiter_configure(&agent->limiter, &(struct limiter_config){
                                           .members_max = config->swim.members_max,
                                           .strangers_rate = config->max_inbound_rate,
                                           .member_capacity = config->inbound_peer_capacity,
                                           .member_rate = config->inbound_peer_refill_rate,
                                       });
    shield_configure(&agent->shield, config->max_inbound_rate);
    memcpy(config->http_token_file, next->http_token_file, sizeof config->http_token_file);
    config->http_host_count = next->http_host_count;
    memcpy(config->http_hosts, next->http_hosts, sizeof config->http_hosts);
    config->log_interval_ms = next->log_interval_ms;
    memcpy(config->metrics_advertise, next->metrics_advertise, sizeof config->metrics_advertise);
    identity_introduce(agent);
    config->events_heartbeat_ms = next->events_heartbeat_ms;
    config->exec_count = next->exec_count;
    memcpy(config->exec, next->exec, sizeof config->exec);
    config->exec_timeout_ms = next->exec_timeout_ms;
    config->exec_batch_ms = next->exec_batch_ms;
    events_set_heartbeat(agent->events, config->events_heartbeat_ms);
    report_arm(agent);
    config->log_level = next->log_level;
    config->log_format = next->log_format;
    log_configure(config->log_level, config->log_format);
}

/* ---- Keys -------------------------------------------------------------------------------- */

/* A member that seals doesn't fall back to plaintext because a line is gone. */
static bool may_lose_keys(const struct agent *agent, struct config_error *ret_error)
{
    if (guard_keys(agent->guard) == NULL || guard_plaintext(agent->guard) == PLAINTEXT_SEND)
        return true;
    (void)snprintf(ret_error->text, sizeof ret_error->text,
                   "no key is given any more: set [security] plaintext = \"send\" on all members "
                   "first, or restart");
    return false;
}

/* The key of --cluster-key is no longer at hand: it stays as it is. */
static bool take_keys(struct agent *agent, const struct agent_config *next,
                      struct config_error *ret_error)
{
    struct keyset *keys;
    const char *wrong = NULL;
    bool ok;

    if (agent->options.has_cluster_key)
        return true;
    if (!config_has_key(next) && guard_keys(agent->guard) == NULL)
        return true;
    if (!config_has_key(next) && !may_lose_keys(agent, ret_error))
        return false;
    keys = keyset_new();
    if (keys == NULL) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "no memory for keys");
        return false;
    }
    ok = !config_has_key(next) || keyset_load(keys, next, ret_error);
    if (ok)
        wrong = guard_set_keys(agent->guard, keys);
    keyset_free(keys);
    if (wrong != NULL)
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%s", wrong);
    return ok && wrong == NULL;
}

static void take_security(struct agent *agent, const struct agent_config *next)
{
    struct agent_config *config = &agent->config;

    memcpy(config->key_file, next->key_file, sizeof config->key_file);
    config->has_cluster_key = next->has_cluster_key;
    config->encryption = next->encryption;
    config->plaintext = next->plaintext;
    guard_set_plaintext(agent->guard, next->plaintext);
    agent_offer_keys(agent);
}

/* ---- The whole --------------------------------------------------------------------------- */

static bool read_next(struct agent *agent, struct agent_config *next, struct config_error *error)
{
    const char *path = agent->options.config_path;

    config_default(next);
    config_default_runtime(next, getenv("RUNTIME_DIRECTORY"));
    config_default_state(next, getenv("STATE_DIRECTORY"));
    return (path == NULL || config_load(next, path, error)) &&
           options_apply(&agent->options, next, error) && config_check_whole(next, error) &&
           handler_check(next, error);
}

void reload(struct agent *agent)
{
    const struct options *options = &agent->options;
    struct agent_config next;
    struct config_error error;
    struct http_token token;
    bool had_key = guard_keys(agent->guard) != NULL;
    enum plaintext_mode mode = guard_plaintext(agent->guard);
    bool ok;

    if (options->config_path == NULL && options->key_file == NULL) {
        log_message(LOG_WARN, "SIGHUP: nothing to reload: no file was given (--config)");
        return;
    }
    ok = read_next(agent, &next, &error) && http_token_load(&token, &next, &error) &&
         take_keys(agent, &next, &error);
    config_wipe_key(&next);
    if (!ok) {
        config_error_hide_keys(&error);
        LOG(LOG_ERROR, "SIGHUP: not reloaded, the settings stay as they are",
            LOG_TEXT("cause", error.text));
        return;
    }
    config_compare(&agent->config, &next, tell, NULL);
    take_security(agent, &next);
    take_live(agent, &next);
    if (!is_http_token_same(&agent->source.token, &token))
        events_end_public(agent->events);
    agent->source.token = token;
    if (had_key != (guard_keys(agent->guard) != NULL) || mode != guard_plaintext(agent->guard))
        report_protection(agent);
    LOG(LOG_INFO, "SIGHUP: reloaded",
        LOG_TEXT("file", options->config_path != NULL ? options->config_path : options->key_file));
}
