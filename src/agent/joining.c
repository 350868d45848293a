/*
 * How the member joins: its peers, given by configuration or at run time, by number or by name, and
 * the members that were remembered; and the complaint while nobody answers.
 */
#include "agent/joining.h"

#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/live_count.h"
#include "agent/log.h"
#include "agent/timer.h"

#define SEEDS_FULL_WARN_MS 60000
/* Nobody has answered: said after a while, and then now and again. */
#define LONELY_FIRST_MS 10000
#define LONELY_AGAIN_MS 300000

static bool has_peers(const struct agent *agent)
{
    for (uint32_t i = 0; i < agent->config.peer_count; i++)
        if (!is_address_equal(&agent->config.peers[i].addr, &agent->addr))
            return true;
    return false;
}

bool is_joined(const struct agent *agent)
{
    return live_count(agent->swim) > 1 || !has_peers(agent);
}

/* ---- Peers ------------------------------------------------------------------------------- */

static void join(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;
    uint64_t held_back;
    swim_time now = clock_now_ns();

    if (!swim_join(agent->swim, now, addr) &&
        log_limit_allows(&agent->joining.seeds_full, now, SEEDS_FULL_WARN_MS, &held_back))
        LOG(LOG_WARN, "too many addresses of peers: some are not tried",
            LOG_TEXT("addr", address_text(addr).text), LOG_NUMBER("limit", SWIM_SEEDS_MAX));
    loop_settle(agent);
}

static void unjoin(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;

    /* Else it is also given as a number. */
    if (!peers_has_address(&agent->joining.peers, &agent->config, addr))
        swim_unjoin(agent->swim, addr);
}

/* A remembered member: where there is no place for it, another one is tried later. */
static bool join_remembered(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;

    return swim_join(agent->swim, clock_now_ns(), addr);
}

static bool is_live_at(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;
    struct swim_member member;

    return swim_member_find_addr(agent->swim, addr, &member);
}

static void arm_lonely(struct agent *agent, uint64_t wait_ms)
{
    struct timeval wait = timer_wait_ms(wait_ms);

    (void)evtimer_add(agent->joining.lonely, &wait);
}

static void on_lonely(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;
    char first[HOST_NAME_MAX_SIZE + 8];

    (void)fd;
    (void)what;
    if (is_joined(agent) || agent->leaving.has_begun)
        return;
    endpoint_format(&agent->config.peers[0], first, sizeof first);
    LOG(LOG_WARN, "no peer has answered yet; trying on", LOG_TEXT("first_peer", first),
        LOG_NUMBER("peers", agent->config.peer_count),
        LOG_TEXT("check",
                 "does one run there, is UDP open both ways, are key and cluster the same?"));
    arm_lonely(agent, LONELY_AGAIN_MS);
}

void joining_try_peers(struct agent *agent)
{
    struct endpoint all[CONFIG_PEERS_MAX];
    uint32_t count = peers_all(&agent->joining.peers, &agent->config, all);

    for (uint32_t i = 0; i < count; i++)
        if (all[i].addr.family != 0)
            join(agent, &all[i].addr);
    resolver_set_names(agent->resolver, all, count);
    if (has_peers(agent))
        arm_lonely(agent, LONELY_FIRST_MS);
}

void joining_drop_peers(struct agent *agent)
{
    resolver_set_names(agent->resolver, NULL, 0);
    for (uint32_t i = 0; i < agent->config.peer_count; i++)
        if (agent->config.peers[i].addr.family != 0)
            swim_unjoin(agent->swim, &agent->config.peers[i].addr);
}

/* ---- Start and end ----------------------------------------------------------------------- */

bool joining_open(struct agent *agent)
{
    struct resolver_host host = {
        .context = agent, .found = join, .lost = unjoin, .is_live = is_live_at};

    agent->joining.lonely = evtimer_new(agent->base, on_lonely, agent);
    agent->resolver = resolver_new(agent->base, udp_family(agent->udp), &host);
    return agent->joining.lonely != NULL && agent->resolver != NULL;
}

void joining_close(struct joining *joining)
{
    timer_free(joining->lonely);
}

static void settle(void *context)
{
    loop_settle(context);
}

bool joining_begin_keeping(struct agent *agent)
{
    struct keeper_host host = {
        .context = agent, .join = join_remembered, .unjoin = unjoin, .settle = settle};

    return keeper_begin(agent->keeper, agent->base, agent->swim, &host);
}
