/* The crowd's loops: see crowd.h. */
#define _GNU_SOURCE
#include "crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* While others may end the phase, so often is looked. */
#define LOOK (8 * SWIM_MS)

enum {
    READY_MAX = 256,
    BUSY_AT = 16,     /* hosts ready at a time: from here on, more may be waiting for each */
    BUSY_TAKE = 32,   /* datagrams that one then takes at a time */
    FULL_TAKE = 1024, /* and where READY_MAX are ready: no answer is left behind when timers fire */
    CHECK_EVERY = 64, /* hosts served between two looks at the timers */
};

swim_time crowd_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (swim_time)t.tv_sec * SECOND + (swim_time)t.tv_nsec;
}

void crowd_demand(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- A turn ---- */

static void fire_timers(struct loop *loop, unsigned take)
{
    swim_time at = crowd_now();

    while (loop->timers.size > 0 && heap_top(&loop->timers, loop->nodes)->key <= at) {
        struct host *host = loop->hosts[heap_top(&loop->timers, loop->nodes)->index];

        if (take > 1) /* an answer that waits here is not late */
            host_receive(host, take);
        swim_advance(host->swim, crowd_now());
        host_settle(host);
    }
}

/* Milliseconds until the first timer's end is a multiple of the slack, or until `until`. Datagrams do not
 * wait: what a turn sends within the crowd is there for the next one, which so does not sleep. Held back
 * as well, they would save few turns more, and news would take a slack from one member to the next. */
static int pause_ms(const struct loop *loop, swim_time until)
{
    swim_time at = crowd_now();
    swim_time due = until;

    if (loop->timers.size > 0) {
        swim_time slack = loop->crowd->slack;
        swim_time tick = (heap_top(&loop->timers, loop->nodes)->key / slack + 1) * slack;
        due = tick < until ? tick : until;
    }
    return due > at ? (int)((due - at) / SWIM_MS) + 1 : 0;
}

static void turn(struct loop *loop, swim_time until)
{
    struct epoll_event ready[READY_MAX];
    int count = epoll_wait(loop->epoll, ready, READY_MAX, pause_ms(loop, until));
    unsigned take = count == READY_MAX ? FULL_TAKE : count >= BUSY_AT ? BUSY_TAKE : 1;

    loop->turns++;
    for (int i = 0; i < count; i++) {
        host_receive(ready[i].data.ptr, take);
        host_settle(ready[i].data.ptr);
        if (i % CHECK_EVERY == CHECK_EVERY - 1)
            fire_timers(loop, BUSY_TAKE > take ? BUSY_TAKE : take);
    }
    fire_timers(loop, take);
}

/* ---- A phase ---- */

struct phase {
    struct crowd *crowd;
    struct loop *loop;
    crowd_condition *holds;
    swim_time until;
    _Atomic bool *is_over;
};

static void *live(void *context)
{
    const struct phase *phase = context;

    while (!atomic_load(phase->is_over)) {
        if (crowd_now() >= phase->until || (phase->holds && phase->holds(phase->crowd)))
            atomic_store(phase->is_over, true);
        else
            turn(phase->loop,
                 phase->holds ? crowd_now() + LOOK : phase->until); /* others may bring it about */
    }
    return NULL;
}

bool crowd_run(struct crowd *crowd, crowd_condition *holds, swim_time duration)
{
    struct phase phases[THREADS_MOST];
    swim_time until = crowd_now() + duration;
    _Atomic bool is_over = false;

    for (uint32_t i = 0; i < crowd->threads; i++) {
        phases[i] = (struct phase){crowd, &crowd->loops[i], holds, until, &is_over};
        if (i > 0)
            crowd_demand(!pthread_create(&crowd->loops[i].thread, NULL, live, &phases[i]),
                         "pthread_create");
    }
    (void)live(&phases[0]);
    for (uint32_t i = 1; i < crowd->threads; i++)
        (void)pthread_join(crowd->loops[i].thread, NULL);
    return holds && holds(crowd);
}

/* ---- Open and close ---- */

static void open_loop(struct crowd *crowd, struct loop *loop)
{
    uint32_t most = crowd->count / crowd->threads + 1;

    loop->crowd = crowd;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->timers.capacity = most;
    loop->hosts = calloc(most, sizeof *loop->hosts);
    loop->nodes = calloc(most + 1, sizeof *loop->nodes);
    loop->places = calloc(most, sizeof *loop->places);
    crowd_demand(loop->epoll >= 0 && loop->hosts && loop->nodes && loop->places, "a loop");
}

void crowd_open(struct crowd *crowd, uint32_t count, uint32_t threads, uint16_t first_port)
{
    struct swim_config config;
    struct rlimit files = {.rlim_cur = count + 64, .rlim_max = count + 64};

    (void)setrlimit(RLIMIT_NOFILE, &files);
    swim_config_default(&config);
    config.members_max = count + 16;
    *crowd = (struct crowd){.count = count,
                            .threads = threads,
                            .first_port = first_port,
                            .arena_size = swim_footprint(&config)};
    crowd->hosts = calloc(count, sizeof *crowd->hosts);
    crowd_demand(crowd->hosts != NULL, "memory");
    for (uint32_t i = 0; i < threads; i++)
        open_loop(crowd, &crowd->loops[i]);
    for (uint32_t i = 0; i < count; i++) {
        struct loop *loop = &crowd->loops[i % threads];

        crowd->hosts[i] =
            (struct host){.loop = loop, .port = (uint16_t)(first_port + i), .place = i / threads};
        loop->hosts[i / threads] = &crowd->hosts[i];
    }
}

void crowd_close(struct crowd *crowd)
{
    for (uint32_t i = 0; i < crowd->count; i++)
        host_kill(crowd, &crowd->hosts[i]);
    for (uint32_t i = 0; i < crowd->threads; i++) {
        (void)close(crowd->loops[i].epoll);
        free(crowd->loops[i].hosts);
        free(crowd->loops[i].nodes);
        free(crowd->loops[i].places);
    }
    free(crowd->hosts);
}
