/*
 * c-ares in libevent's loop. Each name has a state of its own:
 *
 *     due --query--> in flight --answer--> at rest, for its back-off: 1 s, 2 s, ... 60 s
 *      ^                                     |  with a live member there: looked at every 10 s,
 *      +-------------------------------------+  without asking anyone
 *
 * (docs/protocol.md section 5, healing: configured names are resolved again.)
 */
#define _GNU_SOURCE
#include "agent/resolver.h"

#include "agent/clock.h"
#include "agent/config.h"
#include "agent/log.h"
#include "agent/timer.h"
#include "base/assert.h"

#include <ares.h>
#include <event2/event.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define NAMES_MAX CONFIG_PEERS_MAX
/* Of one name; a few live members are enough to find all the others. */
#define ADDRESSES_MAX 32
#define SOCKETS_MAX 32
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 60000
#define LIVE_CHECK_MS 10000
#define QUERY_TIMEOUT_MS 2000
#define QUERY_TRIES 2
#define WARN_INTERVAL_MS 300000
#define MS UINT64_C(1000000)

struct name {
    struct resolver *resolver;
    struct endpoint endpoint;
    uint64_t due_ns;
    uint32_t backoff_ms;
    bool is_in_flight;
    uint32_t address_count;
    struct swim_addr addresses[ADDRESSES_MAX];
    struct log_limit limit;
};

struct watched {
    struct resolver *resolver;
    ares_socket_t fd;
    struct event *event; /* NULL: place is free */
};

struct resolver {
    struct event_base *base;
    struct event *timer;
    int family;
    struct resolver_host host;
    struct resolver_stats stats;
    bool has_channel;
    ares_channel channel;
    uint32_t name_count;
    struct name names[NAMES_MAX];
    struct watched watched[SOCKETS_MAX];
};

static void rearm(struct resolver *resolver);

/* ---- Sockets of c-ares ------------------------------------------------------------------- */

static void on_socket(evutil_socket_t fd, short what, void *context)
{
    struct watched *watched = context;
    struct resolver *resolver = watched->resolver; /* `watched` may be freed by the next call */

    ares_process_fd(resolver->channel, (what & EV_READ) != 0 ? fd : ARES_SOCKET_BAD,
                    (what & EV_WRITE) != 0 ? fd : ARES_SOCKET_BAD);
    rearm(resolver);
}

static struct watched *find_watched(struct resolver *resolver, ares_socket_t fd)
{
    struct watched *unused = NULL;

    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        struct watched *at = &resolver->watched[i];
        if (at->event != NULL && at->fd == fd)
            return at;
        if (at->event == NULL && unused == NULL)
            unused = at;
    }
    return unused;
}

static void on_socket_state(void *context, ares_socket_t fd, int readable, int writable)
{
    struct resolver *resolver = context;
    struct watched *watched = find_watched(resolver, fd);
    short what = (short)((readable != 0 ? EV_READ : 0) | (writable != 0 ? EV_WRITE : 0));

    if (watched == NULL)
        return; /* more sockets than queries: c-ares' own time-out ends this one */
    timer_free(watched->event);
    watched->event = NULL;
    if (what == 0)
        return;
    watched->resolver = resolver;
    watched->fd = fd;
    watched->event = event_new(resolver->base, fd, (short)(what | EV_PERSIST), on_socket, watched);
    if (watched->event != NULL)
        (void)event_add(watched->event, NULL);
}

/* ---- Answers ----------------------------------------------------------------------------- */

static bool has_address(const struct name *name, const struct swim_addr *addr)
{
    for (uint32_t i = 0; i < name->address_count; i++)
        if (is_address_equal(&name->addresses[i], addr))
            return true;
    return false;
}

static bool has_any(const struct resolver *resolver, const struct swim_addr *addr)
{
    for (uint32_t i = 0; i < resolver->name_count; i++)
        if (has_address(&resolver->names[i], addr))
            return true;
    return false;
}

/* What the name stands for from now on. */
static void replace_addresses(struct name *name, const struct swim_addr *fresh, uint32_t count)
{
    struct resolver *resolver = name->resolver;
    struct swim_addr before[ADDRESSES_MAX];
    uint32_t before_count = name->address_count;

    memcpy(before, name->addresses, sizeof before);
    memcpy(name->addresses, fresh, count * sizeof *fresh);
    name->address_count = count;
    for (uint32_t i = 0; i < before_count; i++)
        if (!has_any(resolver, &before[i]))
            resolver->host.lost(resolver->host.context, &before[i]);
    for (uint32_t i = 0; i < count; i++)
        resolver->host.found(resolver->host.context, &name->addresses[i]);
}

static void take_addresses(struct name *name, const struct ares_addrinfo *found)
{
    struct swim_addr fresh[ADDRESSES_MAX];
    uint32_t count = 0;

    for (const struct ares_addrinfo_node *at = found->nodes; at != NULL; at = at->ai_next) {
        struct swim_addr addr;
        bool is_known = false;
        if (count == ADDRESSES_MAX || !address_from_sockaddr(at->ai_addr, &addr))
            continue;
        addr.port = name->endpoint.addr.port;
        for (uint32_t i = 0; i < count; i++)
            is_known = is_known || is_address_equal(&fresh[i], &addr);
        if (!is_known && !is_address_wildcard(&addr))
            fresh[count++] = addr;
    }
    replace_addresses(name, fresh, count);
}

/* "localhost" and what ends in ".localhost" is this machine, whatever a name server or a missing
 * /etc/hosts says (RFC 6761, section 6.3). */
static bool is_localhost(const char *name)
{
    static const char localhost[] = "localhost";
    size_t size = strlen(name);
    size_t tail = sizeof localhost - 1;

    if (size > 0 && name[size - 1] == '.')
        size--;
    return size >= tail && strncasecmp(name + size - tail, localhost, tail) == 0 &&
           (size == tail || name[size - tail - 1] == '.');
}

static void take_localhost(struct name *name)
{
    struct swim_addr fresh[2] = {{.family = 4, .ip = {127, 0, 0, 1}}, {.family = 6}};
    int family = name->resolver->family;

    fresh[1].ip[15] = 1;
    fresh[0].port = fresh[1].port = name->endpoint.addr.port;
    if (family == AF_INET6)
        fresh[0] = fresh[1];
    replace_addresses(name, fresh, family == AF_UNSPEC ? 2 : 1);
}

static void warn(struct name *name, const char *cause)
{
    char text[HOST_NAME_MAX_SIZE + 8];
    uint64_t held_back;

    if (!log_limit_allows(&name->limit, clock_now_ns(), WARN_INTERVAL_MS, &held_back))
        return;
    endpoint_format(&name->endpoint, text, sizeof text);
    LOG(LOG_WARN, "a peer's name can't be resolved; trying again", LOG_TEXT("peer", text),
        LOG_TEXT("cause", cause), LOG_NUMBER("failures_since_last_told", held_back));
}

/* Until its next turn, later each time. */
static void rest(struct name *name)
{
    name->due_ns = clock_now_ns() + name->backoff_ms * MS;
    name->backoff_ms =
        name->backoff_ms * 2 < BACKOFF_MAX_MS ? name->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void on_answer(void *context, int status, int timeouts, struct ares_addrinfo *found)
{
    struct name *name = context;
    struct resolver *resolver = name->resolver;

    (void)timeouts;
    name->is_in_flight = false;
    rest(name);
    if (status == ARES_SUCCESS && found != NULL) {
        resolver->stats.answers++;
        take_addresses(name, found);
    } else if (status != ARES_EDESTRUCTION && status != ARES_ECANCELLED) {
        resolver->stats.failures++;
        warn(name, ares_strerror(status)); /* what was known of the name stays */
    }
    if (found != NULL)
        ares_freeaddrinfo(found);
}

/* ---- Queries ----------------------------------------------------------------------------- */

static bool is_any_in_flight(const struct resolver *resolver)
{
    for (uint32_t i = 0; i < resolver->name_count; i++)
        if (resolver->names[i].is_in_flight)
            return true;
    return false;
}

static void close_channel(struct resolver *resolver)
{
    if (resolver->has_channel)
        ares_destroy(resolver->channel); /* calls on_answer for what is in flight */
    resolver->has_channel = false;
}

/* A new channel for every round of queries: only a new one reads /etc/resolv.conf again. */
static bool renew_channel(struct resolver *resolver)
{
    struct ares_options options = {.timeout = QUERY_TIMEOUT_MS,
                                   .tries = QUERY_TRIES,
                                   .sock_state_cb = on_socket_state,
                                   .sock_state_cb_data = resolver};

    if (resolver->has_channel && is_any_in_flight(resolver))
        return true;
    close_channel(resolver);
    resolver->has_channel = ares_init_options(&resolver->channel, &options,
                                              ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                                  ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS;
    return resolver->has_channel;
}

static void query(struct name *name)
{
    struct resolver *resolver = name->resolver;
    struct ares_addrinfo_hints hints = {
        .ai_family = resolver->family, .ai_socktype = SOCK_DGRAM, .ai_flags = ARES_AI_NOSORT};

    if (is_localhost(name->endpoint.name)) {
        rest(name);
        take_localhost(name);
        return;
    }
    if (!renew_channel(resolver)) {
        warn(name, "the resolver can't be set up");
        name->due_ns = clock_now_ns() + BACKOFF_MAX_MS * MS;
        return;
    }
    name->is_in_flight = true;
    ares_getaddrinfo(resolver->channel, name->endpoint.name, NULL, &hints, on_answer, name);
}

static bool is_any_live(const struct name *name)
{
    const struct resolver_host *host = &name->resolver->host;

    for (uint32_t i = 0; i < name->address_count; i++)
        if (host->is_live(host->context, &name->addresses[i]))
            return true;
    return false;
}

static void look_after(struct name *name, uint64_t now_ns)
{
    if (name->is_in_flight || now_ns < name->due_ns)
        return;
    if (is_any_live(name)) {
        name->backoff_ms = BACKOFF_MIN_MS;
        name->due_ns = now_ns + LIVE_CHECK_MS * MS;
        return;
    }
    query(name);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct resolver *resolver = context;

    (void)fd;
    (void)what;
    if (resolver->has_channel)
        ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    uint64_t now_ns = clock_now_ns();
    for (uint32_t i = 0; i < resolver->name_count; i++)
        look_after(&resolver->names[i], now_ns);
    rearm(resolver);
}

/* One timer for both: c-ares' time-outs, and the names' next turns. */
static void rearm(struct resolver *resolver)
{
    uint64_t now_ns = clock_now_ns();
    uint64_t wait_ns = UINT64_MAX;
    struct timeval wait;

    for (uint32_t i = 0; i < resolver->name_count; i++) {
        const struct name *name = &resolver->names[i];
        uint64_t left_ns = name->due_ns > now_ns ? name->due_ns - now_ns : 0;
        if (!name->is_in_flight && left_ns < wait_ns)
            wait_ns = left_ns;
    }
    if (wait_ns != UINT64_MAX) {
        wait_ns += MS - 1; /* never too early */
        wait.tv_sec = (time_t)(wait_ns / (1000 * MS));
        wait.tv_usec = (suseconds_t)(wait_ns % (1000 * MS) / 1000);
    }
    struct timeval *next = wait_ns == UINT64_MAX ? NULL : &wait;
    struct timeval ares_wait;
    if (resolver->has_channel)
        next = ares_timeout(resolver->channel, next, &ares_wait);
    if (next != NULL)
        (void)evtimer_add(resolver->timer, next);
    else
        (void)evtimer_del(resolver->timer);
}

/* ---- Life -------------------------------------------------------------------------------- */

struct resolver *resolver_new(struct event_base *base, int family, const struct resolver_host *host)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);

    if (resolver == NULL)
        return NULL;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        free(resolver);
        return NULL;
    }
    resolver->base = base;
    resolver->family = family;
    resolver->host = *host;
    resolver->timer = evtimer_new(base, on_timer, resolver);
    if (resolver->timer == NULL) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (resolver == NULL)
        return;
    close_channel(resolver);
    timer_free(resolver->timer);
    ares_library_cleanup();
    free(resolver);
}

void resolver_set_names(struct resolver *resolver, const struct endpoint *endpoints, size_t count)
{
    uint64_t now_ns = clock_now_ns();

    ASSERT(count <= NAMES_MAX);
    close_channel(resolver);
    while (resolver->name_count > 0) {
        struct name *last = &resolver->names[--resolver->name_count];
        for (uint32_t i = 0; i < last->address_count; i++)
            if (!has_any(resolver, &last->addresses[i]))
                resolver->host.lost(resolver->host.context, &last->addresses[i]);
    }
    for (size_t i = 0; i < count; i++) {
        if (endpoints[i].addr.family != 0)
            continue;
        resolver->names[resolver->name_count++] = (struct name){.resolver = resolver,
                                                                .endpoint = endpoints[i],
                                                                .due_ns = now_ns,
                                                                .backoff_ms = BACKOFF_MIN_MS};
    }
    rearm(resolver);
}

uint32_t resolver_addresses(const struct resolver *resolver, const struct endpoint *name,
                            struct swim_addr *ret, uint32_t cap)
{
    for (uint32_t i = 0; i < resolver->name_count; i++) {
        const struct name *at = &resolver->names[i];
        if (at->endpoint.addr.port != name->addr.port ||
            strcasecmp(at->endpoint.name, name->name) != 0)
            continue;
        uint32_t count = at->address_count < cap ? at->address_count : cap;
        memcpy(ret, at->addresses, count * sizeof *ret);
        return count;
    }
    return 0;
}

struct resolver_stats resolver_stats(const struct resolver *resolver)
{
    return resolver->stats;
}
