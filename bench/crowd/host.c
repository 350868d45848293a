/* One member of the crowd: see crowd.h. */
#define _GNU_SOURCE
#include "crowd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BUFFER = 1 << 22 };

static struct sockaddr_in name_of(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static struct swim_addr address_of(uint16_t port)
{
    return (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = port};
}

/* ---- What it sends, tells and waits for ---- */

static void send_all(struct host *host, swim_time at)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    size_t size;

    while ((size = swim_transmit(host->swim, at, &to, buf, sizeof buf)) > 0) {
        struct sockaddr_in name = name_of(to.port);

        (void)sendto(host->fd, buf, size, 0, (struct sockaddr *)&name, sizeof name);
        host->loop->sent++;
    }
}

static void note_failed(struct host *host, const struct swim_event *event, bool was_alive)
{
    struct loop *loop = host->loop;

    if (event->member.addr.port != loop->crowd->victim_port) {
        loop->false_deaths++;
        return;
    }
    if (!was_alive)
        return;
    atomic_fetch_add(&loop->failed, 1);
    if (loop->first_failed == 0)
        loop->first_failed = crowd_now();
}

static void note(struct host *host, const struct swim_event *event)
{
    bool was_alive = event->before == SWIM_ALIVE || event->before == SWIM_SUSPECT;

    switch (event->kind) {
    case SWIM_EVENT_JOINED: host->alive++; break;
    case SWIM_EVENT_RESTARTED: host->alive += !was_alive; break;
    case SWIM_EVENT_LEFT: host->alive--; break;
    case SWIM_EVENT_FAILED:
        host->alive--;
        note_failed(host, event, was_alive);
        break;
    default: break;
    }
}

static void tell_all(struct host *host)
{
    uint32_t others = host->loop->crowd->count - 1;
    bool was_complete = host->alive == others;
    struct swim_event event;

    while (swim_next_event(host->swim, &event))
        note(host, &event);
    if (host->alive == others && !was_complete)
        atomic_fetch_add(&host->loop->complete, 1);
    else if (host->alive != others && was_complete)
        atomic_fetch_sub(&host->loop->complete, 1);
}

static void arm(struct host *host)
{
    struct loop *loop = host->loop;
    swim_time due = swim_deadline(host->swim);

    if (loop->places[host->place] != 0) {
        if (loop->nodes[loop->places[host->place]].key == due)
            return;
        heap_remove(&loop->timers, loop->nodes, loop->places, host->place);
    }
    if (due != SWIM_NEVER)
        heap_push(&loop->timers, loop->nodes, loop->places, host->place, due);
}

void host_settle(struct host *host)
{
    send_all(host, crowd_now());
    tell_all(host);
    arm(host);
}

/* What it has to say to each datagram is sent before the next is taken: then hardly anything is
 * ever waiting in its outbox, and little of that is ever touched. */
void host_receive(struct host *host, unsigned most)
{
    uint8_t buf[SWIM_RECEIVE_MAX + 1];
    struct sockaddr_in name;
    socklen_t size = sizeof name;

    for (; most > 0; most--) {
        ssize_t received = recvfrom(host->fd, buf, sizeof buf, 0, (struct sockaddr *)&name, &size);
        if (received < 0)
            return;
        struct swim_addr from = address_of(ntohs(name.sin_port));
        swim_time at = crowd_now();
        (void)swim_receive(host->swim, at, &from, buf, (size_t)received);
        send_all(host, at);
        host->loop->received++;
    }
}

/* ---- Its life ---- */

static int bound_socket(struct host *host)
{
    struct sockaddr_in name = name_of(host->port);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = host};
    int buffer = RECEIVE_BUFFER;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    char where[24];

    crowd_demand(fd >= 0, "socket");
    (void)snprintf(where, sizeof where, "127.0.0.1:%u", host->port);
    crowd_demand(bind(fd, (struct sockaddr *)&name, sizeof name) == 0, where);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    crowd_demand(epoll_ctl(host->loop->epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
    return fd;
}

void host_start(struct crowd *crowd, struct host *host)
{
    struct swim_config config;
    void *arena = mmap(NULL, crowd->arena_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    crowd_demand(arena != MAP_FAILED, "mmap");
    swim_config_default(&config);
    config.members_max = crowd->count + 16;
    config.addr = address_of(host->port);
    config.id = host->port;
    config.seed = host->port + 65536u * host->starts;
    config.incarnation = host->starts++;
    host->fd = bound_socket(host);
    host->swim = swim_init(arena, crowd->arena_size, &config, crowd_now());
    host->alive = 0;
    if (host != crowd->hosts) {
        struct swim_addr seed = address_of(crowd->first_port);
        (void)swim_join(host->swim, crowd_now(), &seed);
    }
    host_settle(host);
}

void host_kill(struct crowd *crowd, struct host *host)
{
    struct loop *loop = host->loop;

    if (!host->swim)
        return;
    if (loop->places[host->place] != 0)
        heap_remove(&loop->timers, loop->nodes, loop->places, host->place);
    if (host->alive == crowd->count - 1)
        atomic_fetch_sub(&loop->complete, 1);
    (void)close(host->fd);
    (void)munmap(host->swim, crowd->arena_size);
    host->swim = NULL;
}
