/*
 * The same four things in tables of 10 to 1,000,000 members, who are drawn at random: whatever
 * grows is the memory's latency, and nothing else. bench/run.py fits the slope.
 */
#include "core/instance.h"
#include "micro.h"
#include "subject.h"

enum { BATCH = 64, ENTRIES = 10 };

static void *open_table(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n);

    (void)self;
    subject_fill(subject);
    ret->loads = 1;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

static void *open_gossip(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    void *subject = open_table(self, n, ret);

    ret->loads = ENTRIES;
    return subject;
}

static void make_pings(void *context)
{
    struct subject *subject = context;

    subject_drain(subject);
    subject_queue_pings(subject, BATCH);
    subject->turn = 0;
}

static void make_gossip(void *context)
{
    struct subject *subject = context;

    subject_drain(subject);
    subject_queue_random(subject, BATCH, ENTRIES);
    subject->turn = 0;
}

static void hear_next(void *context)
{
    struct subject *subject = context;

    subject_hear(subject, &subject->queue[subject->turn++]);
}

static void hear_pings(void *context)
{
    make_pings(context);
    subject_hear_queue(context);
}

static void transmit(void *context)
{
    struct subject *subject = context;
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;

    MICRO_CHECK(swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0);
}

static void acknowledge(struct subject *subject, const struct swim_addr *from)
{
    struct subject_datagram ack = {.from = *from};
    struct wire_header header = {.kind = WIRE_ACK,
                                 .capabilities = WIRE_CAPABLE,
                                 .sender_id = (uint32_t)from->ip[1] << 16 |
                                              (uint32_t)from->ip[2] << 8 | from->ip[3]};
    struct wire_builder b;

    wire_begin(&b, ack.bytes, sizeof ack.bytes, &header);
    MICRO_CHECK(wire_put_probe(&b, subject->s->probe.sequence) &&
                wire_put_view(&b, swim_view_digest(subject->s), subject->members));
    ack.size = wire_finish(&b);
    subject_hear(subject, &ack);
}

/* A second without news: the timers, and what they send; whoever is probed answers. */
static void live(void *context)
{
    struct subject *subject = context;
    swim_time end = subject->now + 1000 * SWIM_MS;

    while (swim_deadline(subject->s) <= end) {
        uint8_t buf[SWIM_DATAGRAM_MAX];
        struct swim_addr to;
        swim_time due = swim_deadline(subject->s);

        subject->now = due > subject->now ? due : subject->now;
        swim_advance(subject->s, subject->now);
        while (swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0)
            acknowledge(subject, &to);
    }
    subject->now = end;
}

static void tick(void *context)
{
    struct subject *subject = context;

    swim_advance(subject->s, subject->now);
}

static const uint32_t sizes[] = {10, 100, 1000, 10000, 100000, 1000000, 0};
#define SCALE .sizes = sizes, .close = subject_free, .repeats = BATCH

const struct micro_case micro_scale_cases[] = {
    {"scale: receive a PING", SCALE, .open = open_table, .prepare = make_pings, .run = hear_next},
    {"scale: receive a GOSSIP of 10", SCALE, .open = open_gossip, .prepare = make_gossip,
     .run = hear_next},
    {"scale: transmit an ACK", SCALE, .open = open_table, .prepare = hear_pings, .run = transmit},
    {"scale: advance, nothing due", SCALE, .open = open_table, .run = tick},
    {"scale: an idle second, probes answered", SCALE, .open = open_table, .run = live},
    {0},
};
