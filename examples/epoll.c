/*
 * epoll ADDRESS:PORT [PEER | KEY=VALUE]...: a member of a cluster in a raw epoll loop (Linux), with
 * tags of its own.
 *
 * Prints what happens to the members, and their tags. SIGINT or SIGTERM leaves the cluster, a second
 * one ends the program at once. Addresses are 192.0.2.1:7000 or [2001:db8::1]:7000.
 */
#include <swim/swim.h>

#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

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

static struct swim_addr parse(const char *text)
{
    struct swim_addr addr = {.family = text[0] == '[' ? 6 : 4};
    char ip[46], port[6];
    int end = 0;
    int found =
        sscanf(text, addr.family == 6 ? "[%45[0-9a-fA-F:.]]:%5[0-9]%n" : "%45[0-9.]:%5[0-9]%n", ip,
               port, &end);

    if (found < 2 || text[end] != '\0' || atoi(port) < 1 || atoi(port) > UINT16_MAX ||
        inet_pton(addr.family == 6 ? AF_INET6 : AF_INET, ip, addr.ip) != 1)
        errx(2, "%s: not an address with a port; write 127.0.0.1:7000 or [::1]:7000", text);
    addr.port = (uint16_t)atoi(port);
    return addr;
}

static const char *print(const struct swim_addr *addr)
{
    static char text[INET6_ADDRSTRLEN + 8];
    char ip[INET6_ADDRSTRLEN];

    inet_ntop(addr->family == 6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof ip);
    snprintf(text, sizeof text, addr->family == 6 ? "[%s]:%u" : "%s:%u", ip, (unsigned)addr->port);
    return text;
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

static struct swim_addr from_name(const union name *name)
{
    bool is_v6 = name->any.sa_family == AF_INET6;
    struct swim_addr addr = {.family = is_v6 ? 6 : 4, .port = ntohs(name->v4.sin_port)};

    memcpy(addr.ip, is_v6 ? (const void *)&name->v6.sin6_addr : &name->v4.sin_addr, is_v6 ? 16 : 4);
    return addr;
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

static void receive(struct swim *s, int udp)
{
    uint8_t data[SWIM_RECEIVE_MAX + 1]; /* one more, so that what is too long shows */

    for (int i = 0; i < 64; i++) { /* bounded: a flood can't keep the timers waiting */
        union name name;
        socklen_t name_size = sizeof name;
        ssize_t size = recvfrom(udp, data, sizeof data, 0, &name.any, &name_size);
        if (size < 0)
            return; /* mostly EAGAIN: that was all */
        struct swim_addr from = from_name(&name);
        swim_receive(s, now(), &from, data, (size_t)size);
    }
}

/* After anything was put in: what has come out. */
static void pump(struct swim *s, int udp)
{
    uint8_t data[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event e;
    struct swim_meta meta;
    size_t size;

    while ((size = swim_transmit(s, now(), &to, data, sizeof data)) > 0) {
        union name name;
        socklen_t name_size = to_name(&to, &name);
        /* What can't be sent is lost, as datagrams are; what matters is repeated. */
        (void)sendto(udp, data, size, 0, &name.any, name_size);
    }
    while (swim_next_event(s, &e)) {
        struct swim_tag tag;
        printf("%s %s %s id=%" PRIu64, swim_event_name(e.kind), print(&e.member.addr),
               swim_status_name(e.member.status), e.member.id);
        if (swim_member_meta(s, e.member.id, &meta))
            for (uint32_t i = 0; swim_meta_tag(&meta, i, &tag); i++)
                printf(" %s=%s", tag.key, tag.value);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        errx(2, "usage: %s ADDRESS:PORT [PEER | KEY=VALUE]...", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct swim_addr addr = parse(argv[1]);
    struct swim *s = start(&addr);
    union name name;
    socklen_t name_size = to_name(&addr, &name);
    int udp = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp < 0 || bind(udp, &name.any, name_size) != 0)
        err(1, "%s", argv[1]);
    struct swim_meta meta;
    enum swim_meta_error wrong = swim_meta_init(&meta, ""); /* no name */
    for (int i = 2; i < argc && !wrong; i++) {
        char *value = strchr(argv[i], '=');
        if (value != NULL)
            *value++ = '\0', wrong = swim_meta_set(&meta, argv[i], value);
        else if (addr = parse(argv[i]), !swim_join(s, now(), &addr))
            errx(2, "at most %d peers", SWIM_SEEDS_MAX);
    }
    if (wrong)
        errx(2, "%s", swim_meta_error_name(wrong));
    if (swim_meta_count(&meta) > 0)
        swim_set_meta(s, now(), &meta);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event on_udp = {.events = EPOLLIN, .data.fd = udp};
    struct epoll_event on_signal = {.events = EPOLLIN, .data.fd = signals};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, udp, &on_udp) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &on_signal) != 0)
        err(1, "epoll");

    for (pump(s, udp); !swim_has_left(s); pump(s, udp)) {
        struct epoll_event ready;
        struct signalfd_siginfo info;
        swim_time due = swim_deadline(s), t = now();
        /* Rounded up: a little late does no harm, a little early would be a busy loop. */
        int wait = due == SWIM_NEVER ? -1 : due <= t ? 0 : (int)((due - t) / SWIM_MS + 1);
        int count = epoll_wait(epoll, &ready, 1, wait);
        if (count > 0 && ready.data.fd == udp)
            receive(s, udp);
        if (count > 0 && ready.data.fd == signals && read(signals, &info, sizeof info) > 0) {
            swim_leave(s, now());
            sigprocmask(SIG_UNBLOCK, &ends, NULL); /* the next one ends the program */
        }
        swim_advance(s, now());
    }
    free(s);
    return 0;
}
