/*
 * sealed KEYFILE ADDRESS:PORT [PEER...]: a member whose datagrams are encrypted and authenticated,
 * on poll(). KEYFILE is what `swimd --generate-key` writes; else it is as epoll.c.
 */
#include <swim/seal.h>

#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
        errx(2, "peers can't reach a member at such an address");
    size_t size = swim_footprint(&config);
    void *arena = calloc(1, size); /* pages of it are touched as they are needed */
    if (arena == NULL)
        err(1, "%zu bytes", size);
    return swim_init(arena, size, &config, now());
}

/* Its key stays in libswim-seal's locked memory only. */
static struct swim_seal *start_seal(const char *path)
{
    struct swim_seal_config config = {.envelope = SWIM_ENVELOPE_2, .members_max = 16384};
    uint8_t key[SWIM_KEY_SIZE];
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    config.start = (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / SWIM_MS;
    if (getentropy(config.entropy, sizeof config.entropy) != 0)
        err(1, "getentropy");
    struct swim_seal *seal = swim_seal_new(&config);
    FILE *file = fopen(path, "r");
    if (seal == NULL || file == NULL)
        err(1, "%s", path);
    setvbuf(file, NULL, _IONBF, 0); /* leaves no copy of the key in a buffer */
    size_t n = 0;
    while (n < sizeof key && fscanf(file, "%2hhx", &key[n]) == 1)
        n++;
    if (n < sizeof key || swim_seal_key_install(seal, key) != SWIM_KEY_OK)
        errx(2, "%s: no key; `swimd --generate-key` writes one", path);
    explicit_bzero(key, sizeof key);
    fclose(file);
    return seal;
}

static void receive(struct swim *s, struct swim_seal *seal, int udp)
{
    uint8_t sealed[SWIM_RECEIVE_MAX + 1], data[sizeof sealed]; /* what is too long shows */
    union name name;
    socklen_t name_size = sizeof name;
    struct swim_seal_opened opened;
    ssize_t size = recvfrom(udp, sealed, sizeof sealed, 0, &name.any, &name_size);

    if (size < 0 ||
        swim_seal_open(seal, sealed, (size_t)size, data, sizeof data, &opened) != SWIM_SEAL_OK)
        return; /* swim_seal_stats counts why */
    struct swim_addr from = from_name(&name);
    if (opened.is_fresh)
        swim_receive(s, now(), &from, data, opened.size);
    else if (swim_receive_unproved(s, now(), &from, data, opened.size) == SWIM_OK)
        swim_seal_admit(seal, &opened); /* its sender speaks now: this is no recording */
}

/* After anything was put in: what has come out. */
static void pump(struct swim *s, struct swim_seal *seal, int udp)
{
    uint8_t data[SWIM_DATAGRAM_MAX], sealed[SWIM_SEALED_MAX];
    struct swim_addr to;
    struct swim_event e;

    for (size_t size; (size = swim_transmit(s, now(), &to, data, sizeof data)) > 0;) {
        union name name;
        socklen_t name_size = to_name(&to, &name);
        size = swim_seal_wrap(seal, data, size, sealed, sizeof sealed);
        if (size > 0) /* else nothing may be sent; what can't be sent is lost, as datagrams are */
            (void)sendto(udp, sealed, size, 0, &name.any, name_size);
    }
    while (swim_next_event(s, &e)) {
        bool is_v6 = e.member.addr.family == 6;
        char ip[INET6_ADDRSTRLEN];
        inet_ntop(is_v6 ? AF_INET6 : AF_INET, e.member.addr.ip, ip, sizeof ip);
        printf("%s %s%s%s:%u %s id=%" PRIu64 "\n", swim_event_name(e.kind), is_v6 ? "[" : "", ip,
               is_v6 ? "]" : "", (unsigned)e.member.addr.port, swim_status_name(e.member.status),
               e.member.id);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3)
        errx(2, "usage: %s KEYFILE ADDRESS:PORT [PEER...]", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct swim_seal *seal = start_seal(argv[1]);
    struct swim_addr addr = parse(argv[2]);
    struct swim *s = start(&addr);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int signals = signalfd(-1, &ends, SFD_NONBLOCK | SFD_CLOEXEC);
    union name name;
    socklen_t name_size = to_name(&addr, &name);
    int udp = socket(name.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (signals < 0 || udp < 0 || bind(udp, &name.any, name_size) != 0)
        err(1, "%s", argv[2]);
    for (int i = 3; i < argc; i++) {
        addr = parse(argv[i]);
        if (!swim_join(s, now(), &addr))
            errx(2, "at most %d peers", SWIM_SEEDS_MAX);
    }

    struct pollfd fds[] = {{.fd = udp, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    for (pump(s, seal, udp); !swim_has_left(s); pump(s, seal, udp)) {
        struct signalfd_siginfo info;
        swim_time due = swim_deadline(s), t = now();
        poll(fds, 2, due == SWIM_NEVER ? -1 : due <= t ? 0 : (int)((due - t) / SWIM_MS + 1));
        if (read(signals, &info, sizeof info) > 0) {
            swim_leave(s, now());
            sigprocmask(SIG_UNBLOCK, &ends, NULL); /* the next one ends the program */
        }
        receive(s, seal, udp);
        swim_advance(s, now());
    }
    swim_seal_free(seal);
    free(s);
    return 0;
}
