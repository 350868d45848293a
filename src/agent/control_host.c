/* What the control socket asks of the agent, and makes it do. */
#include "agent/agent.h"

#include "agent/clock.h"
#include "agent/log.h"

#include <stdio.h>
#include <unistd.h>

static void tell_facts(void *context, struct control_facts *ret)
{
    const struct agent *agent = context;
    const struct agent_config *config = &agent->config;

    *ret = (struct control_facts){
        .pid = (uint64_t)getpid(),
        .uptime_ms = (clock_now_ns() - agent->running_since) / SWIM_MS,
        .is_ready = agent->source.is_ready,
        .is_leaving = agent->leaving.has_begun,
        .bound = agent->bound,
        .cluster = config->cluster,
        .config_file = agent->options.config_path != NULL ? agent->options.config_path : "",
        .plaintext = plaintext_mode_name(guard_plaintext(agent->guard)),
        .config = config,
    };
    if (agent->httpd != NULL) {
        ret->http = config->http_bind;
        ret->http.port = (uint16_t)config->metrics_port;
    }
}

/* ---- Peers ------------------------------------------------------------------------------- */

static bool tell_peer(void *context, uint32_t at, struct control_peer *ret)
{
    const struct agent *agent = context;
    struct endpoint all[CONFIG_PEERS_MAX];

    if (at >= peers_all(&agent->joining.peers, &agent->config, all))
        return false;
    *ret =
        (struct control_peer){.endpoint = all[at], .is_configured = at < agent->config.peer_count};
    if (all[at].addr.family != 0)
        ret->addresses[ret->address_count++] = all[at].addr;
    else
        ret->address_count =
            resolver_addresses(agent->resolver, &all[at], ret->addresses, CONTROL_PEER_ADDRESSES);
    return true;
}

/* One that was there already is tried again at once, names included. */
static const char *join(void *context, const struct endpoint *endpoint)
{
    struct agent *agent = context;
    const char *wrong = peers_add(&agent->joining.peers, &agent->config, endpoint);
    char text[HOST_NAME_MAX_SIZE + 8];

    if (wrong != NULL)
        return wrong;
    endpoint_format(endpoint, text, sizeof text);
    LOG(LOG_INFO, "joining by a peer", LOG_TEXT("peer", text),
        LOG_TEXT("by", "the control socket"));
    joining_try_peers(agent);
    return NULL;
}

/* ---- Leaving ----------------------------------------------------------------------------- */

static void leave(void *context)
{
    leaving_ask(context);
}

static enum swim_order force_leave(void *context, uint64_t id, bool prune)
{
    struct agent *agent = context;
    enum swim_order order = swim_force_leave(agent->swim, clock_now_ns(), id, prune);
    char text[24];

    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)id);
    if (order == SWIM_ORDER_DONE)
        LOG(LOG_INFO, "a member is made to leave", LOG_TEXT("id", text),
            LOG_TEXT("by", "the control socket"));
    loop_settle(agent);
    return order;
}

static void set_meta(void *context, const struct swim_meta *meta)
{
    struct agent *agent = context;

    LOG(LOG_INFO, "the tags are changed", LOG_NUMBER("tags", swim_meta_count(meta)),
        LOG_TEXT("by", "the control socket"));
    swim_set_meta(agent->swim, clock_now_ns(), meta);
    loop_settle(agent);
}

static enum swim_order ping(void *context, uint64_t id, struct http_reply *reply)
{
    struct agent *agent = context;
    enum swim_order order = swim_ping(agent->swim, clock_now_ns(), id);

    if (order == SWIM_ORDER_DONE)
        control_ping_await(&agent->pings, id, reply);
    loop_settle(agent);
    return order;
}

void agent_offer_control(struct agent *agent)
{
    agent->control_host = (struct control_host){.context = agent,
                                                .facts = tell_facts,
                                                .collect = agent_collect,
                                                .peer = tell_peer,
                                                .join = join,
                                                .leave = leave,
                                                .force_leave = force_leave,
                                                .set_meta = set_meta,
                                                .ping = ping};
    agent->control_source.swim = agent->swim;
    agent->control_source.events = agent->events;
    agent->control_source.host = &agent->control_host;
    agent_offer_keys(agent);
}
