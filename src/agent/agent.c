/*
 * The loop: what wakes it, and what each turn does. Nothing wakes it but datagrams, the core's
 * deadline, HTTP, name look-ups, signals and the metrics line.
 */
#define _GNU_SOURCE
#include "agent/agent.h"

#include "agent/advertise.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/metrics_tag.h"
#include "agent/wiping_heap.h"
#include "base/assert.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

/* Datagrams taken in one turn, and before a deadline is acted on: an answer that waits in the
 * socket must be seen before its time-out fires. The second is a full receive buffer's worth. */
#define DRAIN_TURN 1024
#define DRAIN_DEADLINE 8192
#define DRAIN_PORTION 64
/* When the socket is writable and the interface's queue is full. */
#define RESEND_MS 10
/* Beyond what the core promises for its leave; reached only if a bug broke the promise. */
#define LEAVE_GRACE_MS 1000
#define SEEDS_FULL_WARN_MS 60000
/* Nobody has answered: said after a while, and then now and again. */
#define LONELY_FIRST_MS 10000
#define LONELY_AGAIN_MS 300000
#define SECOND_NS UINT64_C(1000000000)
#define REFUTATIONS_MANY 3
#define REFUTATIONS_WITHIN_NS (60 * SECOND_NS)

static struct timeval timeval_of_ms(uint64_t ms)
{
    return (struct timeval){.tv_sec = (time_t)(ms / 1000),
                            .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
}

/* ---- A turn ------------------------------------------------------------------------------ */

static void arm_shield(struct agent *agent)
{
    struct timeval wait = timeval_of_ms(SHIELD_TICK_MS);

    udp_set_filtered(agent->udp, agent->shield.stats.is_up);
    if (agent->shield.stats.is_up)
        (void)evtimer_add(agent->shielded, &wait);
}

static void take_datagram(void *context, const struct swim_addr *from, const void *data,
                          size_t size)
{
    struct agent *agent = context;
    struct swim_member member;
    swim_time now = clock_now_ns();
    bool is_member = swim_member_find_addr(agent->swim, from, &member);

    if (!is_member && shield_note_stranger(&agent->shield, now))
        arm_shield(agent);
    if (limiter_allows(&agent->limiter, is_member ? from : NULL, now))
        guard_receive(agent->guard, now, from, data, size);
}

static size_t give_datagram(void *context, struct swim_addr *ret_to, void *buf, size_t cap)
{
    struct agent *agent = context;

    return guard_transmit(agent->guard, clock_now_ns(), ret_to, buf, cap);
}

static void send_all(struct agent *agent)
{
    struct timeval wait = timeval_of_ms(RESEND_MS);

    if (agent->is_send_blocked)
        return;
    keeper_reserve(agent->keeper); /* what goes out must not be used again by the next run */
    switch (udp_flush(agent->udp, give_datagram, agent)) {
    case UDP_FLUSHED: return;
    case UDP_WAIT_WRITABLE: agent->is_send_blocked = event_add(agent->writable, NULL) == 0; return;
    case UDP_WAIT_A_WHILE: agent->is_send_blocked = evtimer_add(agent->resend, &wait) == 0; return;
    }
}

static void arm_timer(struct agent *agent)
{
    swim_time deadline = swim_deadline(agent->swim);
    swim_time now;
    struct timeval wait;

    if (deadline == agent->armed)
        return;
    agent->armed = deadline;
    if (deadline == SWIM_NEVER) {
        (void)evtimer_del(agent->timer);
        return;
    }
    now = clock_now_ns();
    uint64_t wait_ns = deadline > now ? deadline - now : 0;
    /* What is due to be sent stays due while the socket is blocked: no reason to spin. */
    if (agent->is_send_blocked && wait_ns < RESEND_MS * SWIM_MS)
        wait_ns = RESEND_MS * SWIM_MS;
    wait.tv_sec = (time_t)(wait_ns / SECOND_NS);
    wait.tv_usec = (suseconds_t)((wait_ns % SECOND_NS + 999) / 1000); /* never too early */
    (void)evtimer_add(agent->timer, &wait);
}

static uint32_t live_count(const struct agent *agent)
{
    return swim_member_count(agent->swim, SWIM_ALIVE) +
           swim_member_count(agent->swim, SWIM_SUSPECT);
}

static bool has_peers(const struct agent *agent)
{
    for (uint32_t i = 0; i < agent->config.peer_count; i++)
        if (!is_address_equal(&agent->config.peers[i].addr, &agent->addr))
            return true;
    return false;
}

/* Doubted again and again: most likely its datagrams go out, and none can come in. */
static void note_refutation(struct agent *agent)
{
    swim_time now = clock_now_ns();

    if (now - agent->refutations_since > REFUTATIONS_WITHIN_NS) {
        agent->refutations_since = now;
        agent->refutations = 0;
    }
    if (++agent->refutations == REFUTATIONS_MANY)
        LOG(LOG_WARN,
            "others lose this member again and again: can all of them send to its address? "
            "(--advertise, firewalls, IPv4 and IPv6)",
            LOG_TEXT("addr", address_text(&agent->addr).text));
}

static void tell_event(struct agent *agent, const struct swim_event *event)
{
    report_event(agent, event);
    keeper_note(agent->keeper, event);
    events_note(agent->events, event);
    if (event->kind == SWIM_EVENT_REFUTED)
        note_refutation(agent);
    else if (event->kind == SWIM_EVENT_PONG)
        control_ping_answer(&agent->pings, event);
}

void agent_settle(struct agent *agent)
{
    struct swim_event event;

    send_all(agent);
    while (swim_next_event(agent->swim, &event))
        tell_event(agent, &event);
    events_push(agent->events);
    handler_push(agent->handler);
    arm_timer(agent);
    service_settle(&agent->service);
    /* Once joined, for good: a lone survivor is isolated, not unready. */
    if (!agent->source.is_ready)
        agent->source.is_ready = live_count(agent) > 1 || !has_peers(agent);
    if (agent->is_leaving) {
        agent->source.is_ready = false;
        if (swim_has_left(agent->swim))
            (void)event_base_loopbreak(agent->base);
    }
}

/* ---- What wakes it ----------------------------------------------------------------------- */

/* Takes what has arrived, up to `limit`, and answers portion by portion: the core's outbox holds
 * the answers to a portion with room to spare, not those to a full receive buffer. */
static void take_all(struct agent *agent, size_t limit)
{
    size_t taken = 0;
    size_t got;

    do {
        got = udp_drain(agent->udp, DRAIN_PORTION, take_datagram, agent);
        taken += got;
        send_all(agent);
    } while (got >= DRAIN_PORTION && taken < limit);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    take_all(agent, DRAIN_TURN);
    agent_settle(agent);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    agent->armed = SWIM_NEVER;
    take_all(agent, DRAIN_DEADLINE);
    swim_advance(agent->swim, clock_now_ns());
    agent_settle(agent);
}

static void on_sendable(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    agent->is_send_blocked = false;
    agent_settle(agent);
}

static void on_report(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    report_metrics(context);
}

static void arm_lonely(struct agent *agent, uint64_t wait_ms)
{
    struct timeval wait = timeval_of_ms(wait_ms);

    (void)evtimer_add(agent->lonely, &wait);
}

static void on_lonely(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;
    char first[HOST_NAME_MAX_SIZE + 8];

    (void)fd;
    (void)what;
    if (live_count(agent) > 1 || !has_peers(agent) || agent->is_leaving)
        return;
    endpoint_format(&agent->config.peers[0], first, sizeof first);
    LOG(LOG_WARN, "no peer has answered yet; trying on", LOG_TEXT("first_peer", first),
        LOG_NUMBER("peers", agent->config.peer_count));
    arm_lonely(agent, LONELY_AGAIN_MS);
}

static void on_shielded(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    (void)shield_tick(&agent->shield, clock_now_ns());
    arm_shield(agent);
}

static void on_give_up(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    log_message(LOG_WARN, "leaving took too long: exiting without the last acknowledgements");
    (void)event_base_loopbreak(agent->base);
}

void agent_leave(struct agent *agent, const char *key, const char *reason)
{
    const struct swim_config *config = &agent->config.swim;
    uint64_t bound_ms =
        (uint64_t)config->reliable_ack_timeout_ms * (config->reliable_max_retries + 1);
    struct timeval wait = timeval_of_ms(bound_ms + LEAVE_GRACE_MS);

    if (agent->is_leaving) {
        LOG(LOG_WARN, "exiting at once, without having left", LOG_TEXT(key, reason));
        agent->exit_code = EXIT_CODE_FAILURE;
        (void)event_base_loopbreak(agent->base);
        return;
    }
    LOG(LOG_INFO, "leaving the cluster", LOG_TEXT(key, reason));
    agent->is_leaving = true;
    service_stop(&agent->service, bound_ms + LEAVE_GRACE_MS);
    swim_leave(agent->swim, clock_now_ns());
    (void)evtimer_add(agent->give_up, &wait);
}

/* Asked for by the control socket. */
static void on_leave(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    if (!agent->is_leaving)
        agent_leave(agent, "by", "the control socket");
    agent_settle(agent);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct agent *agent = context;

    (void)what;
    if (number == SIGHUP) {
        service_reload_begin(&agent->service);
        reload(agent);
        service_reload_end(&agent->service);
    } else {
        agent_leave(agent, "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
    }
    agent_settle(agent);
}

/* ---- Peers ------------------------------------------------------------------------------- */

static void join(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;
    uint64_t held_back;
    swim_time now = clock_now_ns();

    if (!swim_join(agent->swim, now, addr) &&
        log_limit_allows(&agent->seeds_full, now, SEEDS_FULL_WARN_MS, &held_back))
        LOG(LOG_WARN, "too many addresses of peers: some are not tried",
            LOG_TEXT("addr", address_text(addr).text), LOG_NUMBER("limit", SWIM_SEEDS_MAX));
    agent_settle(agent);
}

static void unjoin(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;

    if (!peers_has_address(&agent->peers, &agent->config, addr)) /* also given as a number */
        swim_unjoin(agent->swim, addr);
}

/* A remembered member: where there is no place for it, another one is tried later. */
static bool join_remembered(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;

    return swim_join(agent->swim, clock_now_ns(), addr);
}

static void settle(void *context)
{
    agent_settle(context);
}

static bool begin_keeping(struct agent *agent)
{
    struct keeper_host host = {
        .context = agent, .join = join_remembered, .unjoin = unjoin, .settle = settle};

    return keeper_begin(agent->keeper, agent->base, agent->swim, &host);
}

static bool is_live_at(void *context, const struct swim_addr *addr)
{
    struct agent *agent = context;
    struct swim_member member;

    return swim_member_find_addr(agent->swim, addr, &member);
}

void agent_join_peers(struct agent *agent)
{
    struct endpoint all[CONFIG_PEERS_MAX];
    uint32_t count = peers_all(&agent->peers, &agent->config, all);

    for (uint32_t i = 0; i < count; i++)
        if (all[i].addr.family != 0)
            join(agent, &all[i].addr);
    resolver_set_names(agent->resolver, all, count);
    if (has_peers(agent))
        arm_lonely(agent, LONELY_FIRST_MS);
}

void agent_unjoin_peers(struct agent *agent)
{
    resolver_set_names(agent->resolver, NULL, 0);
    for (uint32_t i = 0; i < agent->config.peer_count; i++)
        if (agent->config.peers[i].addr.family != 0)
            swim_unjoin(agent->swim, &agent->config.peers[i].addr);
}

/* ---- Start ------------------------------------------------------------------------------- */

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

void agent_arm_report(struct agent *agent)
{
    struct timeval wait = timeval_of_ms(agent->config.log_interval_ms);

    (void)event_del(agent->report);
    if (agent->config.log_interval_ms != 0)
        (void)event_add(agent->report, &wait);
}

__attribute__((format(printf, 2, 3))) static enum exit_code fail(enum exit_code code,
                                                                 const char *format, ...)
{
    va_list arguments;

    (void)fputs("swimd: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return code;
}

static enum exit_code fail_to_listen(const char *what, const char *addr, const char *other_way)
{
    const char *hint = "";

    if (errno == EADDRINUSE)
        hint = ": stop the program that has it, or choose another port with ";
    else if (errno == EADDRNOTAVAIL)
        hint = ": no network interface here has this address; choose another with ";
    else if (errno == EACCES || errno == EPERM)
        hint = ": ports below 1024 are for root; choose another with ";
    return fail(EXIT_CODE_BIND, "%s %s: cannot listen: %s%s%s", what, addr, strerror(errno), hint,
                *hint == '\0' ? "" : other_way);
}

static enum exit_code open_socket(struct agent *agent, struct swim_addr *ret_bound)
{
    const struct agent_config *config = &agent->config;

    agent->udp = udp_open(&config->bind, ret_bound);
    if (agent->udp == NULL)
        return fail_to_listen("UDP", address_text(&config->bind).text, "--bind ADDR:PORT");
    return EXIT_CODE_OK;
}

static enum exit_code open_state(struct agent *agent)
{
    struct config_error error;
    enum exit_code code = keeper_open(&agent->keeper, &agent->config, &error);

    return code == EXIT_CODE_OK ? code : fail(code, "%s", error.text);
}

static enum exit_code open_http(struct agent *agent)
{
    const struct agent_config *config = &agent->config;
    struct swim_addr addr = config->http_bind;
    struct config_error error;
    struct httpd_terms terms = {.handler = http_answer,
                                .context = &agent->source,
                                .connections_max = HTTPD_PUBLIC_CONNECTIONS,
                                .body_max = HTTPD_PUBLIC_BODY};

    if (config->metrics_port == 0)
        return EXIT_CODE_OK;
    addr.port = (uint16_t)config->metrics_port;
    agent->source = (struct http_source){.config = config,
                                         .swim = agent->swim,
                                         .events = agent->events,
                                         .context = agent,
                                         .collect = agent_collect};
    if (!http_token_load(&agent->source.token, config->http_token_file, &error))
        return fail(EXIT_CODE_CONFIG, "%s", error.text);
    agent->httpd = httpd_new(agent->base, &addr, &terms);
    if (agent->httpd == NULL)
        return fail_to_listen("HTTP", address_text(&addr).text,
                              "--metrics-port N or --http-bind ADDR");
    return EXIT_CODE_OK;
}

static enum exit_code open_control(struct agent *agent)
{
    struct httpd_terms terms = {.handler = control_answer,
                                .context = &agent->control_source,
                                .connections_max = CONTROL_CONNECTIONS_MAX,
                                .is_control = true,
                                .body_max = CONTROL_BODY_MAX};
    struct config_error error;
    int fd;

    if (agent->config.control_socket[0] == '\0')
        return EXIT_CODE_OK;
    agent_offer_control(agent);
    fd = control_socket_open(&agent->control_socket, agent->config.control_socket, &error);
    if (fd < 0)
        return fail(EXIT_CODE_BIND, "%s", error.text);
    agent->control = httpd_new_on(agent->base, fd, &terms);
    if (agent->control == NULL)
        return fail(EXIT_CODE_FAILURE, "the control socket can't be set up: %s", strerror(errno));
    return EXIT_CODE_OK;
}

static bool draw_identity(struct swim_config *config)
{
    do {
        if (getrandom(&config->id, sizeof config->id, 0) != (ssize_t)sizeof config->id ||
            getrandom(&config->seed, sizeof config->seed, 0) != (ssize_t)sizeof config->seed ||
            getrandom(config->secret, sizeof config->secret, 0) != (ssize_t)sizeof config->secret)
            return false;
    } while (config->id == 0);
    return true;
}

/* What fits through an Ethernet in one piece when it is sealed: a key may still come. */
static uint32_t largest_datagram(const struct swim_addr *bound)
{
    enum { SEALED_MAX_IPV4 = 1472, SEALED_MAX_IPV6 = 1452 };
    uint32_t size =
        (bound->family == 6 ? SEALED_MAX_IPV6 : SEALED_MAX_IPV4) - SWIM_SEAL_OVERHEAD_MAX;

    return size < SWIM_DATAGRAM_MAX ? size : SWIM_DATAGRAM_MAX;
}

static enum exit_code start_member(struct agent *agent, const struct swim_addr *bound,
                                   const char **ret_source)
{
    struct swim_config config = agent->config.swim;
    const char *wrong = advertise_choose(&agent->config, bound, &agent->addr, ret_source);

    if (wrong != NULL)
        return fail(EXIT_CODE_CONFIG, "%s", wrong);
    if (!draw_identity(&config))
        return fail(EXIT_CODE_FAILURE, "no random numbers: %s", strerror(errno));
    keeper_identify(agent->keeper, &config);
    config.addr = agent->addr;
    config.addr_in_probes = !is_address_equal(&agent->addr, bound);
    memcpy(config.cluster, agent->config.cluster, sizeof config.cluster);
    config.datagram_max = largest_datagram(bound);
    wrong = swim_config_check(&config);
    if (wrong != NULL)
        return fail(EXIT_CODE_CONFIG, "the setting %s is out of its range", wrong);
    agent->arena_size = swim_footprint(&config);
    void *arena = mmap(NULL, agent->arena_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        return fail(EXIT_CODE_FAILURE, "no memory for %u members: %s", (unsigned)config.members_max,
                    strerror(errno));
    agent->swim = swim_init(arena, agent->arena_size, &config, clock_now_ns());
    return EXIT_CODE_OK;
}

void agent_introduce(struct agent *agent)
{
    struct swim_meta meta = agent->config.meta;

    metrics_tag_put(&meta, &agent->config, &agent->addr);
    swim_set_meta(agent->swim, clock_now_ns(), &meta);
}

/* That this changes what it says of itself is no news yet. */
static void introduce_first(struct agent *agent)
{
    struct swim_event event;

    agent_introduce(agent);
    while (swim_next_event(agent->swim, &event))
        if (event.kind != SWIM_EVENT_RETAGGED)
            tell_event(agent, &event);
}

static bool make_events(struct agent *agent)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    int fd = udp_fd(agent->udp);
    bool ok;

    agent->readable = event_new(agent->base, fd, EV_READ | EV_PERSIST, on_readable, agent);
    agent->writable = event_new(agent->base, fd, EV_WRITE, on_sendable, agent);
    agent->timer = evtimer_new(agent->base, on_deadline, agent);
    agent->resend = evtimer_new(agent->base, on_sendable, agent);
    agent->report = event_new(agent->base, -1, EV_PERSIST, on_report, agent);
    agent->give_up = evtimer_new(agent->base, on_give_up, agent);
    agent->lonely = evtimer_new(agent->base, on_lonely, agent);
    agent->leave = evtimer_new(agent->base, on_leave, agent);
    agent->shielded = evtimer_new(agent->base, on_shielded, agent);
    ok = agent->readable != NULL && agent->writable != NULL && agent->timer != NULL &&
         agent->resend != NULL && agent->report != NULL && agent->give_up != NULL &&
         agent->lonely != NULL && agent->leave != NULL && agent->shielded != NULL &&
         event_add(agent->readable, NULL) == 0;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof numbers[0]; i++) {
        agent->signals[i] = evsignal_new(agent->base, numbers[i], on_signal, agent);
        ok = agent->signals[i] != NULL && event_add(agent->signals[i], NULL) == 0;
    }
    return ok;
}

static struct event_base *make_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    /* Else the loop's clock is up to 4 ms behind, and deadlines are acted on twice. */
    if (event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

static enum exit_code start_helpers(struct agent *agent)
{
    const struct agent_config *config = &agent->config;
    struct limiter_config limits = {.members_max = config->swim.members_max,
                                    .strangers_rate = config->max_inbound_rate,
                                    .member_capacity = config->inbound_peer_capacity,
                                    .member_rate = config->inbound_peer_refill_rate};
    struct resolver_host host = {
        .context = agent, .found = join, .lost = unjoin, .is_live = is_live_at};
    uint64_t secret;

    if (getrandom(&limits.seed, sizeof limits.seed, 0) != (ssize_t)sizeof limits.seed ||
        getrandom(&secret, sizeof secret, 0) != (ssize_t)sizeof secret ||
        !limiter_init(&agent->limiter, &limits))
        return fail(EXIT_CODE_FAILURE, "the rate limits can't be set up: %s", strerror(errno));
    shield_init(&agent->shield, udp_fd(agent->udp), agent->swim, secret);
    shield_configure(&agent->shield, config->max_inbound_rate);
    agent->resolver = resolver_new(agent->base, udp_family(agent->udp), &host);
    if (agent->resolver == NULL)
        return fail(EXIT_CODE_FAILURE, "the name resolver can't be set up");
    agent->events = events_new(agent->base, agent->swim);
    if (agent->events == NULL)
        return fail(EXIT_CODE_FAILURE, "the journal of events can't be set up: %s",
                    strerror(errno));
    events_set_heartbeat(agent->events, config->events_heartbeat_ms);
    agent->handler =
        handler_new(agent->base, agent->swim, events_journal(agent->events), &agent->config);
    if (agent->handler == NULL)
        return fail(EXIT_CODE_FAILURE, "the program for events can't be set up");
    if (!make_events(agent))
        return fail(EXIT_CODE_FAILURE, "the event loop can't be set up");
    return EXIT_CODE_OK;
}

static enum exit_code start_guard(struct agent *agent, const struct keyset *keys)
{
    agent->guard = guard_new(&agent->config, agent->swim, keeper_last_start(agent->keeper), keys);
    if (agent->guard == NULL)
        return fail(EXIT_CODE_FAILURE, "the keys can't be set up: no memory, or no random numbers");
    return EXIT_CODE_OK;
}

static enum exit_code start(struct agent *agent, const struct keyset *keys)
{
    const char *source = "";
    enum exit_code code;

    agent->running_since = clock_now_ns();
    agent->base = make_base();
    if (agent->base == NULL)
        return fail(EXIT_CODE_FAILURE, "the event loop can't be set up");
    code = open_state(agent);
    if (code == EXIT_CODE_OK)
        code = open_socket(agent, &agent->bound);
    if (code == EXIT_CODE_OK)
        code = start_member(agent, &agent->bound, &source);
    if (code == EXIT_CODE_OK)
        code = start_guard(agent, keys);
    if (code == EXIT_CODE_OK)
        code = start_helpers(agent);
    if (code == EXIT_CODE_OK)
        code = open_http(agent);
    if (code == EXIT_CODE_OK)
        code = open_control(agent);
    if (code == EXIT_CODE_OK && !service_start(&agent->service, agent->base, agent->swim))
        code = fail(EXIT_CODE_FAILURE, "the service manager's messages can't be set up");
    if (code == EXIT_CODE_OK && !begin_keeping(agent))
        code = fail(EXIT_CODE_FAILURE, "the timers of the state can't be set up");
    if (code != EXIT_CODE_OK)
        return code;
    report_start(agent, &agent->bound, source);
    report_protection(agent);
    agent_arm_report(agent);
    introduce_first(agent);
    agent_join_peers(agent);
    agent_settle(agent);
    return EXIT_CODE_OK;
}

static void free_event(struct event *event)
{
    if (event != NULL)
        event_free(event);
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
    free_event(agent->readable);
    free_event(agent->writable);
    free_event(agent->timer);
    free_event(agent->resend);
    free_event(agent->report);
    free_event(agent->give_up);
    free_event(agent->lonely);
    free_event(agent->leave);
    free_event(agent->shielded);
    for (size_t i = 0; i < sizeof agent->signals / sizeof agent->signals[0]; i++)
        free_event(agent->signals[i]);
    guard_free(agent->guard);
    if (agent->swim != NULL)
        (void)munmap(agent->swim, agent->arena_size);
    udp_close(agent->udp);
    if (agent->base != NULL)
        event_base_free(agent->base);
}

enum exit_code agent_run(const struct agent_config *config, const struct options *options,
                         struct keyset *keys)
{
    struct agent agent = {.config = *config,
                          .options = *options,
                          .started = process_start_time(),
                          .armed = SWIM_NEVER};
    enum exit_code code;

    wiping_heap_install();
    log_configure(config->log_level, config->log_format);
    service_init(&agent.service);
    code = start(&agent, keys);
    keyset_free(keys);
    if (code == EXIT_CODE_OK)
        code = event_base_dispatch(agent.base) < 0 ? EXIT_CODE_FAILURE : agent.exit_code;
    stop(&agent);
    return code;
}
