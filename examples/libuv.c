/*
 * libuv ADDRESS:PORT [PEER...]: a member of a cluster in a libuv loop.
 *
 * Prints what happens to the members. SIGINT or SIGTERM leaves the cluster, a second one ends the
 * program at once. Addresses are 192.0.2.1:7000 or [2001:db8::1]:7000.
 */
#include <swim/swim.h>

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

/* In a larger program: fields of a struct that the handles' `data` points to. */
static struct swim *member;
static uv_udp_t udp;
static uv_timer_t timer;
static uv_signal_t interrupt, terminate;

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static void check(int result, const char *what)
{
    if (result < 0)
        errx(1, "%s: %s", what, uv_strerror(result));
}

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
    bool is_v6 = text[0] == '[';
    char ip[46], port[6];
    int end = 0;
    int found = sscanf(text, is_v6 ? "[%45[0-9a-fA-F:.]]:%5[0-9]%n" : "%45[0-9.]:%5[0-9]%n", ip,
                       port, &end);

    if (found < 2 || text[end] != '\0' || atoi(port) < 1 || atoi(port) > UINT16_MAX ||
        (is_v6 ? uv_ip6_addr(ip, atoi(port), &name.v6) : uv_ip4_addr(ip, atoi(port), &name.v4)))
        errx(2, "%s: not an address with a port; write 127.0.0.1:7000 or [::1]:7000", text);
    return from_name(&name);
}

static const char *print(const struct swim_addr *addr)
{
    static char text[INET6_ADDRSTRLEN + 8];
    char ip[INET6_ADDRSTRLEN];

    uv_inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof ip);
    snprintf(text, sizeof text, addr->family == 6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)addr->port);
    return text;
}

static void to_name(const struct swim_addr *addr, union name *ret)
{
    bool is_v6 = addr->family == 6;

    memset(ret, 0, sizeof *ret);
    ret->any.sa_family = is_v6 ? AF_INET6 : AF_INET;
    ret->v4.sin_port = htons(addr->port); /* at the same place in both */
    memcpy(is_v6 ? (void *)&ret->v6.sin6_addr : &ret->v4.sin_addr, addr->ip, is_v6 ? 16 : 4);
}

static struct swim *start(const struct swim_addr *addr)
{
    struct swim_config config;

    swim_config_default(&config);
    config.addr = *addr;
    check(uv_random(NULL, NULL, &config.id, sizeof config.id, 0, NULL), "random");
    check(uv_random(NULL, NULL, &config.seed, sizeof config.seed, 0, NULL), "random");
    check(uv_random(NULL, NULL, config.secret, sizeof config.secret, 0, NULL), "random");
    if (swim_config_check(&config) != NULL)
        errx(2, "%s: peers can't reach a member there; name one address", print(addr));
    size_t size = swim_footprint(&config);
    void *arena = calloc(1, size); /* pages of it are touched as they are needed */
    if (arena == NULL)
        err(1, "%zu bytes", size);
    return swim_init(arena, size, &config, now());
}

static void on_timer(uv_timer_t *handle);

/* After anything was put in: what has come out, and when to come again. */
static void pump(void)
{
    char data[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event e;
    size_t size;

    while ((size = swim_transmit(member, now(), &to, data, sizeof data)) > 0) {
        union name name;
        uv_buf_t buf = uv_buf_init(data, (unsigned)size);
        to_name(&to, &name);
        /* What can't be sent is lost, as datagrams are; what matters is repeated. */
        (void)uv_udp_try_send(&udp, &buf, 1, &name.any);
    }
    while (swim_next_event(member, &e))
        printf("%s %s %s id=%" PRIu64 "\n", swim_event_name(e.kind), print(&e.member.addr),
               swim_status_name(e.member.status), e.member.id);
    if (swim_has_left(member))
        uv_stop(udp.loop);
    /* Rounded up: a little late does no harm, a little early would be a busy loop. */
    swim_time due = swim_deadline(member), t = now();
    uv_update_time(udp.loop);
    uint64_t wait_ms = due <= t ? 0 : (due - t) / SWIM_MS + 1; /* SWIM_NEVER: 584 years */
    uv_timer_start(&timer, on_timer, wait_ms, 0);
}

static void on_timer(uv_timer_t *handle)
{
    (void)handle;
    swim_advance(member, now());
    pump();
}

static void on_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    static char data[SWIM_RECEIVE_MAX + 1]; /* one more, so that what is too long shows */

    (void)handle, (void)wanted;
    *ret = uv_buf_init(data, sizeof data);
}

static void on_datagram(uv_udp_t *handle, ssize_t size, const uv_buf_t *buf,
                        const struct sockaddr *from, unsigned flags)
{
    (void)handle, (void)flags;
    if (size < 0 || from == NULL)
        return; /* nothing more to read, or an error that concerns one datagram */
    struct swim_addr addr = from_name((const union name *)from);
    swim_receive(member, now(), &addr, buf->base, (size_t)size);
    pump();
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)handle, (void)number;
    uv_signal_stop(&interrupt); /* the next one ends the program */
    uv_signal_stop(&terminate);
    swim_leave(member, now());
    pump();
}

int main(int argc, char **argv)
{
    if (argc < 2)
        errx(2, "usage: %s ADDRESS:PORT [PEER...]", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct swim_addr addr = parse(argv[1]);
    member = start(&addr);
    uv_loop_t *loop = uv_default_loop();
    union name name;
    to_name(&addr, &name);
    check(uv_udp_init(loop, &udp), "udp");
    check(uv_timer_init(loop, &timer), "timer");
    check(uv_signal_init(loop, &interrupt) | uv_signal_init(loop, &terminate), "signal");
    check(uv_udp_bind(&udp, &name.any, 0), argv[1]);
    check(uv_udp_recv_start(&udp, on_buffer, on_datagram), "udp");
    check(uv_signal_start(&interrupt, on_signal, SIGINT), "SIGINT");
    check(uv_signal_start(&terminate, on_signal, SIGTERM), "SIGTERM");
    for (int i = 2; i < argc; i++) {
        addr = parse(argv[i]);
        if (!swim_join(member, now(), &addr))
            errx(2, "at most %d peers", SWIM_SEEDS_MAX);
    }
    pump();
    uv_run(loop, UV_RUN_DEFAULT);
    free(member);
    return 0;
}
