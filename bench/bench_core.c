/*
 * What a member of a cluster of n costs its host, n = 10 to 10,000: merging, gossip, targets,
 * probes, suspicions, synchronisation, and a second of idle life. Nothing that one datagram
 * causes may grow with the table, but for the caches (house rule: no call scans the table).
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "core/claim.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/proof.h"
#include "core/sync.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 58u /* of a full GOSSIP datagram */
#define START SWIM_MS

struct subject {
    struct swim *s;
    void *arena;
    size_t size;
    swim_time now;
    uint32_t members; /* ids 1 .. members */
    uint32_t next;    /* whose turn it is to speak */
    uint32_t heartbeat;
    uint64_t sum; /* so that nothing is optimised away */
};

static void check(bool condition)
{
    if (!condition)
        abort();
}

static struct swim_addr address_of(uint32_t member)
{
    struct swim_addr addr = {.family = 4, .port = 7000};
    addr.ip[0] = 10;
    addr.ip[1] = (uint8_t)(member >> 16);
    addr.ip[2] = (uint8_t)(member >> 8);
    addr.ip[3] = (uint8_t)member;
    return addr;
}

static uint32_t drain(struct subject *subject)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event event;
    uint32_t count = 0;
    while (swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0) {
        count++;
    }
    while (swim_next_event(subject->s, &event)) {
    }
    return count;
}

/* Member `from` says something, with entries about first .. last; without entries it proves its
 * address, if it has not yet. */
static void hear(struct subject *subject, uint8_t kind, uint32_t from, uint32_t first,
                 uint32_t last)
{
    struct wire_header header = {.kind = kind,
                                 .sender_id = from,
                                 .heartbeat = subject->heartbeat,
                                 .capabilities = WIRE_CAPABLE};
    struct swim_addr addr = address_of(from);
    struct swim_member member;
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;
    wire_begin(&b, buf, sizeof buf, &header);
    if (first > last && (!swim_member_find(subject->s, from, &member) || !member.is_proved))
        check(wire_put_token(&b, 0, proof_token(subject->s, &addr, from)));
    for (uint32_t id = first; id <= last; id++) {
        struct wire_entry entry = {
            .id = id, .addr = address_of(id), .heartbeat = subject->heartbeat};
        check(wire_put_entry(&b, &entry));
    }
    size_t size = wire_finish(&b);
    check(swim_receive(subject->s, subject->now, &addr, buf, size) == SWIM_OK);
}

static void start(struct subject *subject)
{
    struct swim_config config;
    swim_config_default(&config);
    config.id = 1;
    config.seed = 1;
    config.addr = address_of(1);
    config.members_max = subject->members + 16;
    if (subject->arena == NULL) {
        subject->size = (swim_footprint(&config) + 15) / 16 * 16;
        subject->arena = aligned_alloc(16, subject->size);
        check(subject->arena != NULL);
    }
    memset(subject->arena, 0, subject->size);
    subject->now = START;
    subject->s = swim_init(subject->arena, subject->size, &config, subject->now);
    hear(subject, WIRE_GOSSIP, 2, 1, 0); /* proves its address */
    drain(subject);
}

/* All members, in full GOSSIP datagrams from member 2. */
static void hear_all(struct subject *subject)
{
    for (uint32_t first = 2; first <= subject->members; first += ENTRIES) {
        uint32_t last = first + ENTRIES - 1;
        hear(subject, WIRE_GOSSIP, 2, first, last < subject->members ? last : subject->members);
    }
}

/* Everybody is known, nothing is left to tell. */
static void fill(struct subject *subject)
{
    start(subject);
    hear_all(subject);
    for (uint32_t slot = 1; slot <= subject->members; slot++) {
        gossip_withdraw(subject->s, slot);
    }
    drain(subject);
    check(cluster_size(subject->s) == subject->members);
}

/* ---- Work on whole tables: timed as a whole, an operation is one member of it ---- */

struct work {
    const char *name;
    void (*prepare)(struct subject *); /* not timed */
    void (*perform)(struct subject *);
};

static void heartbeats_move(struct subject *subject)
{
    subject->heartbeat++;
}

static void nothing_moves(struct subject *subject)
{
    (void)subject;
}

static void queue_all_news(struct subject *subject)
{
    for (uint32_t slot = 2; slot <= subject->members; slot++) {
        gossip_news(subject->s, slot);
    }
}

/* Each item is told once; to nobody in particular. */
static void write_gossip(struct subject *subject)
{
    const struct intent intent = {.kind = WIRE_GOSSIP, .extended = true};
    for (uint32_t left = subject->members - 1; left > 0;) {
        struct wire_header header = {.kind = WIRE_GOSSIP, .sender_id = 1};
        uint8_t buf[SWIM_DATAGRAM_MAX];
        struct wire_builder b;
        wire_begin(&b, buf, sizeof buf, &header);
        uint32_t max = left < ENTRIES ? left : ENTRIES;
        check(gossip_write(subject->s, &b, &intent, max) == max);
        left -= max;
        subject->sum += wire_finish(&b);
    }
}

static void suspect_all(struct subject *subject)
{
    fill(subject);
    subject->s->config.probe_interval_ms = 3600000; /* so that waiting is no pause */
    for (uint32_t slot = 2; slot <= subject->members; slot++) {
        claim_declare(subject->s, slot, SWIM_SUSPECT);
        gossip_withdraw(subject->s, slot);
    }
    drain(subject);
    subject->now += 600000 * SWIM_MS;
}

static void expire_all(struct subject *subject)
{
    while (swim_member_count(subject->s, SWIM_SUSPECT) > 0) {
        swim_advance(subject->s, subject->now);
    }
}

static void prepare_push(struct subject *subject)
{
    struct source source = {.addr = address_of(subject->members + 1)};
    check(sync_push(subject->s, &source));
}

static void push_all(struct subject *subject)
{
    while (subject->s->job_count > 0) {
        drain(subject);
        subject->now += 40 * SWIM_MS;
    }
}

static void digest_all(struct subject *subject)
{
    for (uint32_t slot = 1; slot <= subject->members; slot++) {
        subject->sum ^= member_digest(&member_at(subject->s, slot)->record);
    }
}

static void run_work(struct subject *subject, const struct work *work)
{
    double best = 0;
    uint32_t repeats = 20000 / subject->members;
    repeats = repeats ? repeats : 1;
    for (int round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t spent = 0;
        for (uint32_t i = 0; i < repeats; i++) {
            work->prepare(subject);
            uint64_t from = bench_now_ns();
            work->perform(subject);
            spent += bench_now_ns() - from;
        }
        double each = (double)spent / repeats / subject->members;
        best = round == 0 || each < best ? each : best;
    }
    char name[80];
    snprintf(name, sizeof name, "%6u: %s", subject->members, work->name);
    printf("%-50s %10.1f ns each\n", name, best);
    fflush(stdout);
}

/* ---- Single operations ---- */

static void hear_ping(void *context)
{
    struct subject *subject = context;
    uint32_t from = 2 + subject->next++ % (subject->members - 1);
    hear(subject, WIRE_PING, from, 1, 0);
    subject->sum += drain(subject);
}

static void choose_gossip_targets(void *context)
{
    struct subject *subject = context;
    uint32_t slots[64];
    uint32_t count = member_sample_live(subject->s, gossip_targets(subject->s), slots);
    subject->sum += slots[count - 1];
}

static void choose_intermediaries(void *context)
{
    struct subject *subject = context;
    uint32_t slots[2];
    subject->sum += member_sample_alive(subject->s, 2, 2, slots) + slots[0];
}

static void choose_probe_target(void *context)
{
    struct subject *subject = context;
    subject->sum += member_next_probe(subject->s);
}

static void read_digest(void *context)
{
    struct subject *subject = context;
    subject->sum += swim_view_digest(subject->s);
}

/* Everybody is known first-hand, so that probes carry sequence numbers. */
static void fill_first_hand(struct subject *subject)
{
    start(subject);
    for (uint32_t id = 2; id <= subject->members; id++) {
        hear(subject, WIRE_GOSSIP, id, 1, 0);
    }
    for (uint32_t slot = 1; slot <= subject->members; slot++) {
        gossip_withdraw(subject->s, slot);
    }
    drain(subject);
}

/* A second without news: the timers, and what they send; whoever is probed answers. */
static void idle_second(void *context)
{
    struct subject *subject = context;
    swim_time end = subject->now + 1000 * SWIM_MS;
    while (swim_deadline(subject->s) <= end) {
        uint8_t buf[SWIM_DATAGRAM_MAX];
        struct swim_addr to;
        swim_time due = swim_deadline(subject->s);
        subject->now = due > subject->now ? due : subject->now;
        swim_advance(subject->s, subject->now);
        while (swim_transmit(subject->s, subject->now, &to, buf, sizeof buf) > 0) {
            struct wire_header ack = {.kind = WIRE_ACK,
                                      .sender_id = (uint32_t)to.ip[1] << 16 |
                                                   (uint32_t)to.ip[2] << 8 | to.ip[3],
                                      .capabilities = WIRE_CAPABLE};
            struct wire_builder b;
            wire_begin(&b, buf, sizeof buf, &ack);
            wire_put_probe(&b, subject->s->probe.sequence);
            check(swim_receive(subject->s, subject->now, &to, buf, wire_finish(&b)) == SWIM_OK);
        }
    }
    subject->now = end;
}

static void run_single(struct subject *subject, const char *what, uint32_t count,
                       void (*operation)(void *))
{
    char name[80];
    snprintf(name, sizeof name, "%6u: %s", subject->members, what);
    bench_run(name, count, operation, subject);
}

static void bench_table(uint32_t members)
{
    static const struct work works[] = {
        {"merge into an empty table", start, hear_all},
        {"merge into a full table, known", nothing_moves, hear_all},
        {"merge into a full table, later heartbeats", heartbeats_move, hear_all},
        {"write into GOSSIP datagrams", queue_all_news, write_gossip},
        {"push in ANTI_ENTROPY chunks", prepare_push, push_all},
        {"view digest from nothing", nothing_moves, digest_all},
        {"suspicion expires", suspect_all, expire_all},
    };
    struct subject subject = {.members = members};
    for (unsigned i = 0; i < sizeof works / sizeof *works; i++) {
        fill(&subject);
        run_work(&subject, &works[i]);
    }
    fill(&subject);
    run_single(&subject, "PING heard, ACK sent", 5000, hear_ping);
    run_single(&subject, "targets of a gossip round", 50000, choose_gossip_targets);
    run_single(&subject, "intermediaries of a probe", 50000, choose_intermediaries);
    run_single(&subject, "target of a probe", 50000, choose_probe_target);
    run_single(&subject, "view digest read", 50000, read_digest);
    fill_first_hand(&subject);
    run_single(&subject, "a second of idle life", 50, idle_second);
    check(swim_member_count(subject.s, SWIM_ALIVE) == members);
    printf("%6u: %zu bytes of arena\n", members, subject.size);
    check(swim_check(subject.s) == NULL);
    free(subject.arena);
}

int main(void)
{
    bench_table(10);
    bench_table(100);
    bench_table(1000);
    bench_table(10000);
    return 0;
}
