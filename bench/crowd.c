/*
 * A crowd: many members of libswim over real UDP on loopback, in one process and one thread, as an
 * embedding program with many members would run them. What does a member cost when nothing but the
 * kernel and the protocol is left?
 *
 *     crowd [MEMBERS [SECONDS [FIRST-PORT]]]        default 100 20 21000
 *
 * They start at once with one seed. Measured: until all see all, processor time and memory a member
 * for SECONDS of idle life, a death (its socket is closed), its return. Exits with 1 when anything
 * of it did not come about, or a member that lived was declared dead.
 */
#define _GNU_SOURCE
#include "base/heap.h"
#include "swim/swim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SECOND (1000 * SWIM_MS)
#define READY_MAX 256
#define BOUND (120 * SECOND)
#define MEMBERS_MOST 20000

struct host {
    struct swim *swim; /* NULL: it is dead */
    int fd;
    uint16_t port;
    uint32_t starts;
    uint32_t alive; /* of the others, as its events tell */
};

struct crowd {
    uint32_t count;
    uint16_t first_port;
    int epoll;
    size_t arena_size;
    struct host *hosts;
    struct heap timers;
    struct heap_node *nodes;
    uint32_t *places;
    uint64_t sent;
    uint64_t received;
    uint64_t wakeups;
    /* Since the last look. */
    uint32_t failed;       /* hosts that say of `victim` that it is dead */
    uint32_t false_deaths; /* said of another */
    uint32_t victim_port;
    swim_time first_failed;
};

static swim_time now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (swim_time)t.tv_sec * SECOND + (swim_time)t.tv_nsec;
}

static void demand(bool condition, const char *what)
{
    if (condition)
        return;
    perror(what);
    exit(1);
}

static uint64_t cpu_ns(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * SECOND +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static uint64_t resident(void)
{
    unsigned long pages = 0;
    unsigned long whole;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file != NULL) {
        if (fscanf(file, "%lu %lu", &whole, &pages) != 2)
            pages = 0;
        (void)fclose(file);
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static struct sockaddr_in name_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct swim_addr address_of(uint16_t port)
{
    return (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = port};
}

/* ---- One host ---------------------------------------------------------------------------- */

static void send_all(struct crowd *crowd, struct host *host)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    size_t size;

    while ((size = swim_transmit(host->swim, now(), &to, buf, sizeof buf)) > 0) {
        struct sockaddr_in name = name_of(to.port);
        (void)sendto(host->fd, buf, size, 0, (struct sockaddr *)&name, sizeof name);
        crowd->sent++;
    }
}

static void note(struct crowd *crowd, struct host *host, const struct swim_event *event)
{
    bool was_alive = event->before == SWIM_ALIVE || event->before == SWIM_SUSPECT;

    switch (event->kind) {
    case SWIM_EVENT_JOINED: host->alive++; break;
    case SWIM_EVENT_RESTARTED: host->alive += !was_alive; break;
    case SWIM_EVENT_FAILED:
        host->alive--;
        if (event->member.addr.port != crowd->victim_port) {
            crowd->false_deaths++;
        } else if (was_alive && crowd->failed++ == 0) {
            crowd->first_failed = now();
        }
        break;
    case SWIM_EVENT_LEFT: host->alive--; break;
    default: break;
    }
}

static void arm(struct crowd *crowd, struct host *host)
{
    uint32_t index = (uint32_t)(host - crowd->hosts);
    swim_time due = swim_deadline(host->swim);

    if (crowd->places[index] != 0) {
        if (crowd->nodes[crowd->places[index]].key == due)
            return;
        heap_remove(&crowd->timers, crowd->nodes, crowd->places, index);
    }
    if (due != SWIM_NEVER)
        heap_push(&crowd->timers, crowd->nodes, crowd->places, index, due);
}

/* The end of every turn of a host. */
static void settle(struct crowd *crowd, struct host *host)
{
    struct swim_event event;

    send_all(crowd, host);
    while (swim_next_event(host->swim, &event))
        note(crowd, host, &event);
    arm(crowd, host);
}

/* Takes what has arrived for `host`. */
static void receive_all(struct crowd *crowd, struct host *host)
{
    uint8_t buf[SWIM_RECEIVE_MAX + 1];
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    ssize_t received;

    while ((received = recvfrom(host->fd, buf, sizeof buf, 0, (struct sockaddr *)&name, &size)) >=
           0) {
        struct swim_addr from = address_of(ntohs(name.sin_port));
        (void)swim_receive(host->swim, now(), &from, buf, (size_t)received);
        crowd->received++;
    }
}

static void start(struct crowd *crowd, struct host *host)
{
    struct sockaddr_in name = name_of(host->port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = host};
    struct swim_config config;
    int buffer = 1 << 22;
    void *arena = mmap(NULL, crowd->arena_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    demand(arena != MAP_FAILED, "mmap");
    swim_config_default(&config);
    config.members_max = crowd->count + 16;
    config.addr = address_of(host->port);
    config.id = host->port;
    config.seed = host->port + 65536u * host->starts;
    config.incarnation = host->starts++;
    host->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    demand(host->fd >= 0 && bind(host->fd, (struct sockaddr *)&name, sizeof name) == 0, "bind");
    (void)setsockopt(host->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    demand(epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, host->fd, &event) == 0, "epoll_ctl");
    host->swim = swim_init(arena, crowd->arena_size, &config, now());
    host->alive = 0;
    if (host != crowd->hosts) {
        struct swim_addr seed = address_of(crowd->first_port);
        (void)swim_join(host->swim, now(), &seed);
    }
    settle(crowd, host);
}

static void kill_host(struct crowd *crowd, struct host *host)
{
    uint32_t index = (uint32_t)(host - crowd->hosts);

    if (crowd->places[index] != 0)
        heap_remove(&crowd->timers, crowd->nodes, crowd->places, index);
    (void)close(host->fd);
    (void)munmap(host->swim, crowd->arena_size);
    host->swim = NULL;
}

/* ---- The loop ---------------------------------------------------------------------------- */

static void turn(struct crowd *crowd, swim_time until)
{
    struct epoll_event ready[READY_MAX];
    swim_time due = until;
    swim_time at = now();

    if (crowd->timers.size > 0 && heap_top(&crowd->timers, crowd->nodes)->key < due)
        due = heap_top(&crowd->timers, crowd->nodes)->key;
    int wait = due > at ? (int)((due - at) / SWIM_MS) + 1 : 0;
    int count = epoll_wait(crowd->epoll, ready, READY_MAX, wait);
    crowd->wakeups++;
    for (int i = 0; i < count; i++) {
        receive_all(crowd, ready[i].data.ptr);
        settle(crowd, ready[i].data.ptr);
    }
    at = now();
    while (crowd->timers.size > 0 && heap_top(&crowd->timers, crowd->nodes)->key <= at) {
        struct host *host = &crowd->hosts[heap_top(&crowd->timers, crowd->nodes)->index];
        receive_all(crowd, host); /* an answer that waits here is not late */
        swim_advance(host->swim, now());
        settle(crowd, host);
    }
}

typedef bool condition(const struct crowd *crowd, uint32_t wanted);

static bool all_see(const struct crowd *crowd, uint32_t wanted)
{
    for (uint32_t i = 0; i < crowd->count; i++)
        if (crowd->hosts[i].swim != NULL && crowd->hosts[i].alive != wanted)
            return false;
    return true;
}

static bool all_say_failed(const struct crowd *crowd, uint32_t wanted)
{
    return crowd->failed >= wanted;
}

/* Seconds until it holds; negative: it did not within BOUND. */
static double await(struct crowd *crowd, condition *holds, uint32_t wanted)
{
    swim_time began = now();

    while (now() - began < BOUND) {
        if (holds(crowd, wanted))
            return (double)(now() - began) / (double)SECOND;
        turn(crowd, now() + 5 * SWIM_MS);
    }
    return -1;
}

static void live(struct crowd *crowd, swim_time duration)
{
    swim_time until = now() + duration;

    while (now() < until)
        turn(crowd, until);
}

/* ---- The story --------------------------------------------------------------------------- */

static void open_crowd(struct crowd *crowd, uint32_t count, uint16_t first_port)
{
    struct swim_config config;
    struct rlimit files = {.rlim_cur = count + 64, .rlim_max = count + 64};

    (void)setrlimit(RLIMIT_NOFILE, &files);
    swim_config_default(&config);
    config.members_max = count + 16;
    *crowd = (struct crowd){.count = count,
                            .first_port = first_port,
                            .epoll = epoll_create1(EPOLL_CLOEXEC),
                            .arena_size = swim_footprint(&config),
                            .timers = {.capacity = count}};
    crowd->hosts = calloc(count, sizeof *crowd->hosts);
    crowd->nodes = calloc(count + 1, sizeof *crowd->nodes);
    crowd->places = calloc(count, sizeof *crowd->places);
    demand(crowd->hosts != NULL && crowd->nodes != NULL && crowd->places != NULL, "memory");
    for (uint32_t i = 0; i < count; i++)
        crowd->hosts[i].port = (uint16_t)(first_port + i);
}

static void measure_idle(struct crowd *crowd, swim_time duration)
{
    uint64_t cpu = cpu_ns();
    uint64_t sent = crowd->sent;
    uint64_t wakeups = crowd->wakeups;

    live(crowd, duration);
    double member_seconds = crowd->count * ((double)duration / (double)SECOND);
    printf("idle: processor time            %9.4f ms a member and second\n",
           (double)(cpu_ns() - cpu) / 1e6 / member_seconds);
    printf("idle: datagrams sent            %9.3f a member and second\n",
           (double)(crowd->sent - sent) / member_seconds);
    printf("idle: turns of the loop         %9.3f a member and second\n",
           (double)(crowd->wakeups - wakeups) / member_seconds);
}

static void close_crowd(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++)
        kill_host(crowd, &crowd->hosts[i]);
    (void)close(crowd->epoll);
    free(crowd->hosts);
    free(crowd->nodes);
    free(crowd->places);
}

static bool tell(const char *what, double seconds)
{
    if (seconds < 0)
        printf("%-31s     never\n", what);
    else
        printf("%-31s %9.3f s\n", what, seconds);
    (void)fflush(stdout);
    return seconds >= 0;
}

static bool die_and_return(struct crowd *crowd)
{
    struct host *victim = &crowd->hosts[crowd->count / 2];
    swim_time began = now();
    bool is_good;

    crowd->victim_port = victim->port;
    kill_host(crowd, victim);
    double all = await(crowd, all_say_failed, crowd->count - 1);
    is_good = tell("death: the first says failed",
                   crowd->failed > 0 ? (double)(crowd->first_failed - began) / (double)SECOND : -1);
    is_good = tell("death: all say failed", all) && is_good;
    start(crowd, victim);
    return tell("return: seen by all", await(crowd, all_see, crowd->count - 1)) && is_good;
}

int main(int argc, char **argv)
{
    struct crowd crowd;
    long count = argc > 1 ? atol(argv[1]) : 100;
    long seconds = argc > 2 ? atol(argv[2]) : 20;
    long port = argc > 3 ? atol(argv[3]) : 21000;

    if (count < 3 || count > MEMBERS_MOST || seconds < 1 || port < 1024 || port + count > 65535) {
        fprintf(stderr, "usage: crowd [MEMBERS(3..%d) [SECONDS [FIRST-PORT]]]\n", MEMBERS_MOST);
        return 2;
    }
    open_crowd(&crowd, (uint32_t)count, (uint16_t)port);
    uint64_t before = resident();
    for (uint32_t i = 0; i < crowd.count; i++)
        start(&crowd, &crowd.hosts[i]);
    printf("%ld members in one process, %zu bytes of arena each\n", count, crowd.arena_size);
    bool is_good = tell("all see all, from the start", await(&crowd, all_see, crowd.count - 1));
    live(&crowd, 5 * SECOND);
    printf("memory in use                   %9.1f KiB a member\n",
           (double)(resident() - before) / 1024 / crowd.count);
    measure_idle(&crowd, (swim_time)seconds * SECOND);
    is_good = die_and_return(&crowd) && is_good;
    printf("members wrongly declared dead   %9u\n", crowd.false_deaths);
    close_crowd(&crowd);
    return is_good && crowd.false_deaths == 0 ? 0 : 1;
}
