/*
 * A member whose table holds n: what comes in is merged, news is written, peers are chosen. Nothing
 * but merging n entries may grow with n, but for the caches (no call scans the table).
 * docs/protocol.md sections 4, 5, 7.
 */
#include "core/gossip.h"
#include "core/live.h"
#include "core/member.h"
#include "micro.h"
#include "subject.h"

enum { SPEAKER = 2, ONE = 8 };

static void expect_merge(struct micro_limit *ret, const struct subject *subject, uint32_t entries)
{
    ret->read_bytes = 0;
    for (uint32_t i = 0; i < subject->queue_size; i++)
        ret->read_bytes += subject->queue[i].size;
    ret->loads = entries;
    ret->table_bytes = (size_t)subject->members * SUBJECT_MEMBER_BYTES;
}

/* ---- Merging: from bytes to the table, nothing left out ---- */

static void hear_queue(void *context)
{
    subject_hear_queue(context);
}

static void restart(void *context)
{
    subject_restart(context);
}

static void *open_fresh(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(SPEAKER + n);

    (void)self;
    subject_queue(subject, SPEAKER + 1, SPEAKER + n, 0);
    expect_merge(ret, subject, n);
    return subject;
}

static void *open_full(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_fresh(self, n, ret);

    subject_fill(subject);
    return subject;
}

static void move_heartbeats(void *context)
{
    struct subject *subject = context;

    subject_queue(subject, SPEAKER + 1, subject->members, ++subject->turn);
}

static void *open_one(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n);

    (void)self;
    subject_fill(subject);
    subject_queue(subject, n, n, 0);
    expect_merge(ret, subject, 1);
    return subject;
}

/* All are known but the last ONE, who come one in a datagram. */
static void forget_one(void *context)
{
    struct subject *subject = context;

    subject_restart(subject);
    subject_queue(subject, SPEAKER + 1, subject->members - ONE, 0);
    subject_hear_queue(subject);
    subject_calm(subject);
    subject->turn = subject->members - ONE;
    subject_queue_singly(subject, subject->turn + 1, subject->members);
    subject->turn = 0;
}

static void hear_one(void *context)
{
    struct subject *subject = context;

    subject_hear(subject, &subject->queue[subject->turn++]);
}

static void *open_one_new(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n + ONE);

    (void)self;
    forget_one(subject);
    ret->read_bytes = subject->queue[0].size;
    ret->loads = 1;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

/* ---- Gossip ---- */

static void all_is_news(void *context)
{
    struct subject *subject = context;

    for (uint32_t slot = SPEAKER + 1; slot <= subject->members; slot++)
        gossip_news(subject->s, slot);
}

static size_t write_gossip(struct subject *subject)
{
    const struct intent intent = {.kind = WIRE_GOSSIP, .extended = true, .peer_id = SPEAKER};
    struct wire_header header = {.kind = WIRE_GOSSIP, .sender_id = 1};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, &header);
    MICRO_CHECK(gossip_write(subject->s, &b, &intent, gossip_fanout(subject->s)) > 0);
    return wire_finish(&b);
}

static void build_gossip(void *context)
{
    micro_sink += write_gossip(context);
}

static void *open_filled(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n);

    (void)self;
    (void)ret;
    subject_fill(subject);
    return subject;
}

static void *open_gossip(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_filled(self, n, ret);

    all_is_news(subject);
    ret->read_bytes = ret->write_bytes = write_gossip(subject);
    ret->loads = (uint32_t)(ret->read_bytes / WIRE_ENTRY4_SIZE) - 1;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

static void fanout(void *context)
{
    struct subject *subject = context;

    micro_sink += gossip_fanout(subject->s) + gossip_targets(subject->s) + gossip_limit(subject->s);
}

static void *open_choice(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_filled(self, n, ret);

    ret->loads = self->argument ? (uint32_t)self->argument : gossip_targets(subject->s);
    ret->table_bytes = n * sizeof(uint32_t);
    return subject;
}

static void choose_targets(void *context)
{
    struct subject *subject = context;
    uint32_t slots[64];

    live_sample(subject->s, gossip_targets(subject->s), slots);
    micro_sink += slots[0];
}

static void choose_intermediaries(void *context)
{
    struct subject *subject = context;
    uint32_t slots[3];

    micro_sink += live_sample_alive(subject->s, 3, SPEAKER, slots) + slots[0];
}

static void choose_probe(void *context)
{
    struct subject *subject = context;

    micro_sink += live_next_probe(subject->s);
}

/* ---- View digest ---- */

static void read_digest(void *context)
{
    struct subject *subject = context;

    micro_sink += swim_view_digest(subject->s);
}

static void digest_all(void *context)
{
    struct subject *subject = context;
    uint64_t digest = 0;

    for (uint32_t slot = 1; slot <= subject->members; slot++)
        digest ^= member_slot_digest(subject->s, slot);
    MICRO_CHECK(digest == swim_view_digest(subject->s));
}

static void *open_digest(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    ret->read_bytes = n * sizeof(struct member);
    return open_filled(self, n, ret);
}

/* ---- A datagram's whole way: PING in, ACK out ---- */

static void answer(void *context)
{
    struct subject *subject = context;
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;

    subject_hear(subject, &subject->queue[subject->turn++ % subject->queue_size]);
    MICRO_CHECK(swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0);
}

static void *open_answer(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_filled(self, n, ret);

    subject_queue_pings(subject, 64);
    ret->read_bytes = 2 * subject->queue[0].size;
    ret->write_bytes = subject->queue[0].size;
    ret->loads = 1;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

static const uint32_t sizes[] = {10, 100, 1000, 0};
#define TABLE .close = subject_free, .sizes = sizes, .published_n = 1000

const struct micro_case micro_table_cases[] = {
    {"merge n new entries into an empty table", TABLE, .open = open_fresh, .prepare = restart,
     .run = hear_queue, .repeats = 1, .published_ns = 315000, .wanted = 10},
    {"merge n known entries into a full table", TABLE, .open = open_full, .run = hear_queue,
     .repeats = 4},
    {"merge n later heartbeats into a full table", TABLE, .open = open_full,
     .prepare = move_heartbeats, .run = hear_queue, .repeats = 1},
    {"merge one known entry into a table of n", TABLE, .open = open_one, .run = hear_queue,
     .repeats = 100},
    {"merge one new entry into a table of n", TABLE, .open = open_one_new, .prepare = forget_one,
     .run = hear_one, .repeats = ONE},
    {"build a gossip datagram, table of n", TABLE, .open = open_gossip, .prepare = all_is_news,
     .run = build_gossip, .repeats = 3, .published_ns = 62900, .wanted = 200},
    {"choose gossip targets of n", TABLE, .open = open_choice, .run = choose_targets,
     .repeats = 1000, .published_ns = 25100, .wanted = 200},
    {"calculate fan-out, table of n", TABLE, .open = open_filled, .run = fanout, .repeats = 1000},
    {"choose 3 intermediaries of n", TABLE, .open = open_choice, .run = choose_intermediaries,
     .repeats = 1000, .argument = 3},
    {"choose whom to probe of n", TABLE, .open = open_choice, .run = choose_probe, .repeats = 1000,
     .argument = 1},
    {"view digest, table of n", TABLE, .open = open_filled, .run = read_digest, .repeats = 1000},
    {"view digest from nothing, table of n", TABLE, .open = open_digest, .run = digest_all,
     .repeats = 10},
    {"PING received, ACK transmitted, table of n", TABLE, .open = open_answer, .run = answer,
     .repeats = 64},
    {0},
};
