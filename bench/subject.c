/* Tables for benchmarks: see subject.h. */
#define _DEFAULT_SOURCE
#include "subject.h"

#include "core/gossip.h"
#include "core/member.h"
#include "core/proof.h"
#include "micro.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct swim_addr subject_address(uint32_t member)
{
    struct swim_addr addr = {.family = 4, .port = 7000};

    addr.ip[0] = 10;
    addr.ip[1] = (uint8_t)(member >> 16);
    addr.ip[2] = (uint8_t)(member >> 8);
    addr.ip[3] = (uint8_t)member;
    return addr;
}

uint32_t subject_drain(struct subject *subject)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event event;
    uint32_t count = 0;

    while (swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0)
        count++;
    while (swim_next_event(subject->s, &event))
        ;
    return count;
}

void subject_hear(struct subject *subject, const struct subject_datagram *datagram)
{
    MICRO_CHECK(swim_receive(subject->s, subject->now, &datagram->from, datagram->bytes,
                             datagram->size) == SWIM_OK);
}

/* Member `from` proves its address. */
static void prove(struct subject *subject, uint32_t from)
{
    struct subject_datagram d = {.from = subject_address(from)};
    struct wire_header header = {
        .kind = WIRE_GOSSIP, .sender_id = from, .capabilities = WIRE_CAPABLE};
    struct wire_builder b;

    wire_begin(&b, d.bytes, sizeof d.bytes, &header);
    MICRO_CHECK(wire_put_token(&b, 0, proof_token(subject->s, &d.from, from)));
    d.size = wire_finish(&b);
    subject_hear(subject, &d);
}

void subject_restart(struct subject *subject)
{
    struct swim_config config;

    swim_config_default(&config);
    config.id = config.seed = 1;
    config.addr = subject_address(1);
    config.members_max = subject->members + 16;
    if (!subject->arena) {
        subject->size = swim_footprint(&config);
        subject->arena =
            mmap(NULL, subject->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        MICRO_CHECK(subject->arena != MAP_FAILED);
    } else {
        memset(subject->arena, 0, subject->size);
    }
    subject->now = SWIM_MS;
    subject->s = swim_init(subject->arena, subject->size, &config, subject->now);
    prove(subject, 2);
    subject_drain(subject);
}

struct subject *subject_new(uint32_t members)
{
    struct subject *subject = calloc(1, sizeof *subject);

    MICRO_CHECK(subject);
    subject->members = members;
    prng_init(&subject->prng, 1);
    subject_restart(subject);
    return subject;
}

void subject_free(void *context)
{
    struct subject *subject = context;

    MICRO_CHECK(swim_check(subject->s) == NULL);
    munmap(subject->arena, subject->size);
    free(subject->queue);
    free(subject);
}

void subject_calm(struct subject *subject)
{
    subject_drain(subject);
    for (uint32_t slot = 1; slot <= subject->s->slots_high; slot++)
        gossip_withdraw(subject->s, slot);
    subject_drain(subject);
}

void subject_fill(struct subject *subject)
{
    for (uint32_t id = 3; id <= subject->members; id++) {
        prove(subject, id);
        subject_drain(subject); /* as a host does */
    }
    subject_calm(subject);
    MICRO_CHECK(cluster_size(subject->s) == subject->members);
}

static void new_queue(struct subject *subject, uint32_t count)
{
    free(subject->queue);
    subject->queue = calloc(count, sizeof *subject->queue);
    MICRO_CHECK(subject->queue);
    subject->queue_size = count;
}

static void begin(struct subject_datagram *d, struct wire_builder *b, uint8_t kind, uint32_t from)
{
    struct wire_header header = {.kind = kind, .sender_id = from, .capabilities = WIRE_CAPABLE};

    d->from = subject_address(from);
    wire_begin(b, d->bytes, sizeof d->bytes, &header);
}

static void put(struct wire_builder *b, uint32_t id, uint32_t heartbeat)
{
    struct wire_entry entry = {.id = id, .addr = subject_address(id), .heartbeat = heartbeat};

    MICRO_CHECK(wire_put_entry(b, &entry));
}

void subject_queue(struct subject *subject, uint32_t first, uint32_t last, uint32_t heartbeat)
{
    new_queue(subject, (last - first) / SUBJECT_ENTRIES + 1);
    for (uint32_t i = 0; i < subject->queue_size; i++) {
        struct wire_builder b;

        begin(&subject->queue[i], &b, WIRE_GOSSIP, 2);
        for (uint32_t j = 0; j < SUBJECT_ENTRIES && first <= last; j++, first++)
            put(&b, first, heartbeat);
        subject->queue[i].size = wire_finish(&b);
    }
}

void subject_queue_singly(struct subject *subject, uint32_t first, uint32_t last)
{
    new_queue(subject, last - first + 1);
    for (uint32_t i = 0; i < subject->queue_size; i++) {
        struct wire_builder b;

        begin(&subject->queue[i], &b, WIRE_GOSSIP, 2);
        put(&b, first + i, 0);
        subject->queue[i].size = wire_finish(&b);
    }
}

/* A random other member. */
static uint32_t anybody(struct subject *subject)
{
    return 2 + prng_below(&subject->prng, subject->members - 1);
}

void subject_queue_pings(struct subject *subject, uint32_t count)
{
    new_queue(subject, count);
    for (uint32_t i = 0; i < count; i++) {
        struct wire_builder b;

        begin(&subject->queue[i], &b, WIRE_PING, anybody(subject));
        MICRO_CHECK(wire_put_probe(&b, i) &&
                    wire_put_view(&b, swim_view_digest(subject->s), subject->members));
        subject->queue[i].size = wire_finish(&b);
    }
}

void subject_queue_random(struct subject *subject, uint32_t count, uint32_t entries)
{
    new_queue(subject, count);
    for (uint32_t i = 0; i < count; i++) {
        struct wire_builder b;

        begin(&subject->queue[i], &b, WIRE_GOSSIP, anybody(subject));
        for (uint32_t j = 0; j < entries; j++)
            put(&b, anybody(subject), 0);
        subject->queue[i].size = wire_finish(&b);
    }
}

void subject_hear_queue(struct subject *subject)
{
    for (uint32_t i = 0; i < subject->queue_size; i++)
        subject_hear(subject, &subject->queue[i]);
}
