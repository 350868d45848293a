/* What the control socket asks of the agent, and makes it do. */
#include "agent/agent.h"

#include "agent/clock.h"

#include <unistd.h>

static void tell_facts(void *context, struct control_facts *ret)
{
    const struct agent *agent = context;
    const struct agent_config *config = &agent->config;

    *ret = (struct control_facts){
        .pid = (uint64_t)getpid(),
        .uptime_ms = (clock_now_ns() - agent->running_since) / SWIM_MS,
        .is_ready = agent->source.is_ready,
        .is_leaving = agent->is_leaving,
        .bound = agent->bound,
        .cluster = config->cluster,
        .config_file = agent->options.config_path != NULL ? agent->options.config_path : "",
        .plaintext = plaintext_mode_name(guard_plaintext(agent->guard)),
    };
    if (agent->httpd != NULL) {
        ret->http = config->http_bind;
        ret->http.port = (uint16_t)config->metrics_port;
    }
}

void agent_offer_control(struct agent *agent)
{
    agent->control_host =
        (struct control_host){.context = agent, .facts = tell_facts, .collect = agent_collect};
    agent->control_source.swim = agent->swim;
    agent->control_source.host = &agent->control_host;
    agent_offer_keys(agent);
}
