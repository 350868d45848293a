/*
 * A crowd: many members of libswim over real UDP on loopback, in one process, as an embedding
 * program with many members would run them. What does a member cost when nothing but the kernel and
 * the protocol is left?
 *
 *     struct crowd --- struct loop (one a thread): epoll, timers --- struct host: socket, member
 *
 * Threads live for a phase at a time (crowd_run). Between two phases there is none, and hosts are
 * started and killed.
 */
#ifndef CROWD_H
#define CROWD_H

#include "base/heap.h"
#include "swim/swim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND (1000 * SWIM_MS)
#define THREADS_MOST 16

struct loop;

struct host {
    struct swim *swim; /* NULL: it is dead */
    struct loop *loop;
    int fd;
    uint16_t port;
    uint32_t starts;
    uint32_t place; /* in its loop */
    uint32_t alive; /* of the others, as its events tell */
};

struct loop {
    struct crowd *crowd;
    pthread_t thread;
    int epoll;
    struct host **hosts; /* by their places */
    struct heap timers;
    struct heap_node *nodes;
    uint32_t *places;
    uint64_t sent;
    uint64_t received;
    uint64_t turns;
    _Atomic uint32_t complete; /* hosts that see all others */
    _Atomic uint32_t failed;   /* hosts that say of the victim that it is dead */
    uint32_t false_deaths;     /* times that one of its hosts said so of another, who lived */
    swim_time first_failed;    /* 0: nobody yet */
};

struct crowd {
    uint32_t count;
    uint32_t threads;
    uint16_t first_port;
    uint16_t victim_port; /* 0: nobody is killed */
    swim_time slack;      /* timers wait for a multiple of it: members then share wake-ups */
    size_t arena_size;
    struct host *hosts;
    struct loop loops[THREADS_MOST];
};

/* What a phase waits for; asked by every thread, after each of its turns. */
typedef bool crowd_condition(const struct crowd *crowd);

swim_time crowd_now(void);
/* Ends the program, with the system's reason, when `condition` does not hold. */
void crowd_demand(bool condition, const char *what);

/* Does not start anybody. */
void crowd_open(struct crowd *crowd, uint32_t count, uint32_t threads, uint16_t first_port);
void crowd_close(struct crowd *crowd);

void host_start(struct crowd *crowd, struct host *host);
/* Its socket is closed; it says nothing to anybody. */
void host_kill(struct crowd *crowd, struct host *host);
/* Takes at most `most` datagrams that have arrived. */
void host_receive(struct host *host, unsigned most);
/* The end of every turn of a host: what it wants to send, to tell, and to be woken for. */
void host_settle(struct host *host);

/* Lets them live until `holds` (NULL: never) or `duration` is over; returns whether it holds. */
bool crowd_run(struct crowd *crowd, crowd_condition *holds, swim_time duration);

#endif
