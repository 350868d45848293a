/*
 * What a member of a large cluster costs its host: a PING heard, a GOSSIP of stale entries heard,
 * and a second of idle life, by size of the table. None of the first two may grow with it, but
 * for the caches (house rule: no call scans the table).
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdlib.h>

#define COUNT 2000
#define ENTRIES 58

struct subject {
    struct swim *s;
    swim_time now;
    uint32_t members;
    uint32_t next;
    uint64_t sent;
};

static struct swim_addr address_of(uint32_t member)
{
    struct swim_addr addr = {.family = 4, .port = 7000};
    addr.ip[0] = 10;
    addr.ip[1] = (uint8_t)(member >> 16);
    addr.ip[2] = (uint8_t)(member >> 8);
    addr.ip[3] = (uint8_t)member;
    return addr;
}

static void drain(struct subject *subject)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event event;
    while (swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0) {
        subject->sent++;
    }
    while (swim_next_event(subject->s, &event)) {
    }
}

/* The next member (ids 2 .. members) says something, with `entries` members after itself. */
static void hear(struct subject *subject, uint8_t kind, uint32_t entries)
{
    uint32_t member = 2 + subject->next % (subject->members - 1);
    struct wire_header header = {
        .kind = kind, .sender_id = member, .heartbeat = 1, .capabilities = WIRE_CAPABLE};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;
    wire_begin(&b, buf, sizeof buf, &header);
    for (uint32_t i = 0; i < entries; i++) {
        uint32_t other = 2 + (subject->next + i) % (subject->members - 1);
        struct wire_entry entry = {.id = other, .addr = address_of(other), .heartbeat = 1};
        if (!wire_put_entry(&b, &entry)) {
            abort();
        }
    }
    struct swim_addr from = address_of(member);
    size_t size = wire_finish(&b);
    if (swim_receive(subject->s, subject->now, &from, buf, size) != SWIM_OK) {
        abort();
    }
    subject->next++;
}

static void hear_ping(void *context)
{
    hear(context, WIRE_PING, 0);
    drain(context);
}

static void hear_gossip(void *context)
{
    hear(context, WIRE_GOSSIP, ENTRIES);
    drain(context);
}

/* A second without news: the timers, and what they send. */
static void idle_second(void *context)
{
    struct subject *subject = context;
    swim_time end = subject->now + 1000 * SWIM_MS;
    while (subject->now < end) {
        swim_time due = swim_deadline(subject->s);
        swim_time soon = subject->now + SWIM_MS;
        subject->now = due < soon ? soon : due < end ? due : end;
        swim_advance(subject->s, subject->now);
        drain(subject);
    }
    /* Nobody answers here; being heard of keeps everyone alive. */
    for (uint32_t i = 0; i < subject->members; i += ENTRIES) {
        hear(subject, WIRE_PING, 0);
    }
}

static void bench_table(uint32_t members)
{
    struct swim_config config;
    swim_config_default(&config);
    config.id = 1;
    config.seed = 1;
    config.addr = address_of(1);
    config.members_max = members;
    size_t size = (swim_footprint(&config) + 15) / 16 * 16;
    void *arena = calloc(1, size);
    if (arena == NULL) {
        abort();
    }
    struct subject subject = {.now = SWIM_MS, .members = members};
    subject.s = swim_init(arena, size, &config, subject.now);
    for (uint32_t i = 1; i < members; i += ENTRIES / 2) {
        subject.next = i - 1;
        hear(&subject, WIRE_GOSSIP, ENTRIES);
        drain(&subject);
    }
    char name[64];
    snprintf(name, sizeof name, "%u members: PING heard and answered", members);
    bench_run(name, COUNT, hear_ping, &subject);
    snprintf(name, sizeof name, "%u members: stale GOSSIP of 58 heard", members);
    bench_run(name, COUNT, hear_gossip, &subject);
    snprintf(name, sizeof name, "%u members: a second of life", members);
    bench_run(name, 5, idle_second, &subject);
    printf("%u members: %zu bytes of arena, %llu datagrams sent\n", members, size,
           (unsigned long long)subject.sent);
    free(arena);
}

int main(void)
{
    bench_table(100);
    bench_table(1000);
    bench_table(10000);
    return 0;
}
