/* The daemon as a whole: its parts are started in order, run, and ended in the reverse order. */
#include "agent/agent.h"

#include "agent/clock.h"
#include "agent/doors.h"
#include "agent/identity.h"
#include "agent/log.h"
#include "agent/memory.h"
#include "agent/wiping_heap.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/random.h>

void agent_collect(void *context, struct metrics *ret)
{
    const struct agent *agent = context;
    struct httpd_stats http = httpd_stats(agent->httpd);

    *ret = (struct metrics){.udp = udp_stats(agent->udp),
                            .resolver = resolver_stats(agent->resolver),
                            .shield = agent->shield.stats,
                            .rate_limited = agent->limiter.limited,
                            .rate_limited_members = agent->limiter.limited_members,
                            .log_lines_dropped = log_lines_dropped(),
                            .http_requests = http.requests,
                            .http_refused = http.refused,
                            .http_connections = http.connections,
                            .guard = guard_stats(agent->guard),
                            .keeper = keeper_stats(agent->keeper),
                            .events = events_stats(agent->events),
                            .handler = handler_stats(agent->handler),
                            .view_digest = swim_view_digest(agent->swim),
                            .process_started = agent->started,
                            .process = process_stats()};
    swim_stats(agent->swim, &ret->swim);
}

static enum exit_code start_helpers(struct agent *agent)
{
    const struct agent_config *config = &agent->config;
    struct limiter_config limits = {.members_max = config->swim.members_max,
                                    .strangers_rate = config->max_inbound_rate,
                                    .member_capacity = config->inbound_peer_capacity,
                                    .member_rate = config->inbound_peer_refill_rate};
    uint64_t secret;

    if (getrandom(&limits.seed, sizeof limits.seed, 0) != (ssize_t)sizeof limits.seed ||
        getrandom(&secret, sizeof secret, 0) != (ssize_t)sizeof secret ||
        !limiter_init(&agent->limiter, &limits))
        return exit_code_fail(EXIT_CODE_FAILURE, "the rate limits can't be set up: %s",
                              strerror(errno));
    shield_init(&agent->shield, udp_fd(agent->udp), agent->swim, secret);
    shield_configure(&agent->shield, config->max_inbound_rate);
    if (!joining_open(agent))
        return exit_code_fail(EXIT_CODE_FAILURE, "the name resolver can't be set up");
    agent->events = events_new(agent->base, agent->swim);
    if (agent->events == NULL)
        return exit_code_fail(EXIT_CODE_FAILURE, "the journal of events can't be set up: %s",
                              strerror(errno));
    events_set_heartbeat(agent->events, config->events_heartbeat_ms);
    agent->handler =
        handler_new(agent->base, agent->swim, events_journal(agent->events), &agent->config);
    if (agent->handler == NULL)
        return exit_code_fail(EXIT_CODE_FAILURE, "the program for events can't be set up");
    if (!report_open(agent) || !leaving_open(agent) || !loop_open(agent))
        return exit_code_fail(EXIT_CODE_FAILURE, "the event loop can't be set up");
    return EXIT_CODE_OK;
}

static enum exit_code start_guard(struct agent *agent, const struct keyset *keys)
{
    agent->guard = guard_new(&agent->config, agent->swim, keeper_last_start(agent->keeper), keys);
    if (agent->guard == NULL)
        return exit_code_fail(EXIT_CODE_FAILURE,
                              "the keys can't be set up: no memory, or no random numbers");
    return EXIT_CODE_OK;
}

static enum exit_code start(struct agent *agent, const struct keyset *keys)
{
    const char *source = "";
    enum exit_code code;

    agent->running_since = clock_now_ns();
    agent->base = loop_new_base();
    if (agent->base == NULL)
        return exit_code_fail(EXIT_CODE_FAILURE, "the event loop can't be set up");
    code = doors_open_state(agent);
    if (code == EXIT_CODE_OK)
        code = doors_open_socket(agent);
    if (code == EXIT_CODE_OK)
        code = identity_start(agent, &source);
    if (code == EXIT_CODE_OK)
        code = start_guard(agent, keys);
    if (code == EXIT_CODE_OK)
        code = start_helpers(agent);
    if (code == EXIT_CODE_OK)
        code = doors_open_http(agent);
    if (code == EXIT_CODE_OK)
        code = doors_open_control(agent);
    if (code == EXIT_CODE_OK && !service_start(&agent->service, agent->base, agent->swim))
        code = exit_code_fail(EXIT_CODE_FAILURE, "the service manager's messages can't be set up");
    if (code == EXIT_CODE_OK && !joining_begin_keeping(agent))
        code = exit_code_fail(EXIT_CODE_FAILURE, "the timers of the state can't be set up");
    if (code != EXIT_CODE_OK)
        return code;
    report_start(agent, &agent->bound, source);
    report_protection(agent);
    report_arm(agent);
    identity_introduce_first(agent);
    joining_try_peers(agent);
    loop_settle(agent);
    return EXIT_CODE_OK;
}

static void stop(struct agent *agent)
{
    service_free(&agent->service);
    keeper_close(agent->keeper);
    control_socket_remove(&agent->control_socket);
    events_end(agent->events);
    httpd_free(agent->control);
    httpd_free(agent->httpd);
    handler_free(agent->handler);
    events_free(agent->events);
    resolver_free(agent->resolver);
    limiter_done(&agent->limiter);
    report_close(agent);
    joining_close(&agent->joining);
    leaving_close(&agent->leaving);
    loop_close(&agent->loop);
    guard_free(agent->guard);
    identity_end(agent);
    udp_close(agent->udp);
    if (agent->base != NULL)
        event_base_free(agent->base);
}

enum exit_code agent_run(const struct agent_config *config, const struct options *options,
                         struct keyset *keys)
{
    struct agent agent = {.config = *config, .options = *options, .started = process_start_time()};
    enum exit_code code;

    wiping_heap_install();
    log_configure(config->log_level, config->log_format);
    service_init(&agent.service);
    code = start(&agent, keys);
    keyset_free(keys);
    memory_trim();
    if (code == EXIT_CODE_OK)
        code = event_base_dispatch(agent.base) < 0 ? EXIT_CODE_FAILURE : agent.leaving.exit_code;
    stop(&agent);
    return code;
}
