/*
 * libevent ADDRESS:PORT [PEER...]: a member of a cluster in a libevent loop.
 *
 * Prints what happens to the members. SIGINT or SIGTERM leaves the cluster, a second one ends the
 * program at once. Addresses are 192.0.2.1:7000 or [2001:db8::1]:7000.
 */
#include <swim/swim.h>

#include <err.h>
#include <event2/event.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct host {
    struct swim *member;
    evutil_socket_t udp;
    struct event_base *base;
    struct event *readable, *timer, *interrupt, *terminate;
};

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Monotonic, and goes on while the machine sleeps. */
static swim_time now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (swim_time)t.tv_sec * 1000 * SWIM_MS + (swim_time)t.tv_nsec;
}

static struct swim_addr from_name(const union name *name)
{
    bool is_v6 = name->any.sa_family == AF_INET6;
    struct swim_addr addr = {.family = is_v6 ? 6 : 4, .port = ntohs(name->v4.sin_port)};

    memcpy(addr.ip, is_v6 ? (const void *)&name->v6.sin6_addr : &name->v4.sin_addr, is_v6 ? 16 : 4);
    return addr;
}

static struct swim_addr parse(const char *text)
{
    union name name;
    int size = sizeof name;
    const char *port = strrchr(text, ':');

    if (port == NULL || port[1 + strspn(port + 1, "0123456789")] != '\0' ||
        evutil_parse_sockaddr_port(text, &name.any, &size) != 0 || name.v4.sin_port == 0)
        errx(2, "%s: not an address with a port; write 127.0.0.1:7000 or [::1]:7000", text);
    return from_name(&name);
}

static socklen_t to_name(const struct swim_addr *addr, union name *ret)
{
    bool is_v6 = addr->family == 6;

    memset(ret, 0, sizeof *ret);
    ret->any.sa_family = is_v6 ? AF_INET6 : AF_INET;
    ret->v4.sin_port = htons(addr->port); /* at the same place in both */
    memcpy(is_v6 ? (void *)&ret->v6.sin6_addr : &ret->v4.sin_addr, addr->ip, is_v6 ? 16 : 4);
    return is_v6 ? sizeof ret->v6 : sizeof ret->v4;
}

static const char *print(const struct swim_addr *addr)
{
    static char text[INET6_ADDRSTRLEN + 8];
    char ip[INET6_ADDRSTRLEN];

    evutil_inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof ip);
    snprintf(text, sizeof text, addr->family == 6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)addr->port);
    return text;
}

static struct swim *start(const struct swim_addr *addr)
{
    struct swim_config config;

    swim_config_default(&config);
    config.addr = *addr;
    if (getentropy(&config.id, sizeof config.id) != 0 ||
        getentropy(&config.seed, sizeof config.seed) != 0 ||
        getentropy(config.secret, sizeof config.secret) != 0)
        err(1, "getentropy");
    if (swim_config_check(&config) != NULL)
        errx(2, "%s: peers can't reach a member there; name one address", print(addr));
    size_t size = swim_footprint(&config);
    void *arena = calloc(1, size); /* pages of it are touched as they are needed */
    if (arena == NULL)
        err(1, "%zu bytes", size);
    return swim_init(arena, size, &config, now());
}

/* After anything was put in: what has come out, and when to come again. */
static void pump(struct host *host)
{
    struct swim *s = host->member;
    uint8_t data[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event e;
    size_t size;

    while ((size = swim_transmit(s, now(), &to, data, sizeof data)) > 0) {
        union name name;
        socklen_t name_size = to_name(&to, &name);
        /* What can't be sent is lost, as datagrams are; what matters is repeated. */
        (void)sendto(host->udp, data, size, 0, &name.any, name_size);
    }
    while (swim_next_event(s, &e))
        printf("%s %s %s id=%" PRIu64 "\n", swim_event_name(e.kind), print(&e.member.addr),
               swim_status_name(e.member.status), e.member.id);
    if (swim_has_left(s))
        event_base_loopbreak(host->base);
    swim_time due = swim_deadline(s), t = now(), wait = due > t ? due - t + 999 : 0;
    struct timeval left = {.tv_sec = (time_t)(wait / 1000 / SWIM_MS),
                           .tv_usec = (suseconds_t)(wait % (1000 * SWIM_MS) / 1000)};
    evtimer_add(host->timer, &left);
}

static void on_timer(evutil_socket_t unused, short what, void *context)
{
    struct host *host = context;

    (void)unused, (void)what;
    swim_advance(host->member, now());
    pump(host);
}

static void on_readable(evutil_socket_t udp, short what, void *context)
{
    struct host *host = context;
    uint8_t data[SWIM_RECEIVE_MAX + 1]; /* one more, so that what is too long shows */

    union name name;
    socklen_t name_size = sizeof name;
    ssize_t size = recvfrom(udp, data, sizeof data, 0, &name.any, &name_size);

    (void)what;
    if (size < 0)
        return; /* an error of one datagram; libevent calls again while there is another */
    struct swim_addr from = from_name(&name);
    swim_receive(host->member, now(), &from, data, (size_t)size);
    pump(host);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct host *host = context;

    (void)number, (void)what;
    event_del(host->interrupt); /* the next one ends the program */
    event_del(host->terminate);
    swim_leave(host->member, now());
    pump(host);
}

int main(int argc, char **argv)
{
    if (argc < 2)
        errx(2, "usage: %s ADDRESS:PORT [PEER...]", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct swim_addr addr = parse(argv[1]);
    struct host host = {.member = start(&addr), .base = event_base_new()};
    union name name;
    socklen_t name_size = to_name(&addr, &name);
    host.udp = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (host.udp < 0 || bind(host.udp, &name.any, name_size) != 0)
        err(1, "%s", argv[1]);
    host.readable = event_new(host.base, host.udp, EV_READ | EV_PERSIST, on_readable, &host);
    host.timer = evtimer_new(host.base, on_timer, &host);
    host.interrupt = evsignal_new(host.base, SIGINT, on_signal, &host);
    host.terminate = evsignal_new(host.base, SIGTERM, on_signal, &host);
    if (event_add(host.readable, NULL) != 0 || event_add(host.interrupt, NULL) != 0 ||
        event_add(host.terminate, NULL) != 0)
        errx(1, "libevent can't watch the socket and signals");
    for (int i = 2; i < argc; i++) {
        addr = parse(argv[i]);
        if (!swim_join(host.member, now(), &addr))
            errx(2, "at most %d peers", SWIM_SEEDS_MAX);
    }
    pump(&host);
    event_base_dispatch(host.base);
    event_free(host.readable);
    event_free(host.timer);
    event_free(host.interrupt);
    event_free(host.terminate);
    event_base_free(host.base);
    free(host.member);
    return 0;
}
