/*
 * Anti-entropy at n members: a whole table in ANTI_ENTROPY chunks, from the first to the last byte,
 * the digests that a SYNC request carries, and all that two members say and do until they agree:
 * of one that differs a whole bucket travels, of more sketches. docs/protocol.md section 8.
 */
#include "core/instance.h"
#include "core/sync.h"
#include "micro.h"
#include "subject.h"
#include "sync_pair.h"

#include <stdlib.h>

enum { PAIR_MEMBERS = 4000, DIFFERING_MAX = 100 };

static size_t push_all(struct subject *subject)
{
    struct source source = {.slot = 2, .id = 2, .addr = subject_address(2), .is_proved = true};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    size_t size;
    size_t total = 0;

    MICRO_CHECK(sync_push(subject->s, &source));
    while (subject->s->job_count > 0) {
        while ((size = swim_transmit(subject->s, subject->now, &to, buf, sizeof buf)) > 0)
            total += size;
        subject->now += 40 * SWIM_MS; /* as it is paced */
    }
    return total;
}

static void push(void *context)
{
    micro_sink += push_all(context);
}

static void *open_push(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n);

    (void)self;
    subject_fill(subject);
    ret->read_bytes = ret->write_bytes = push_all(subject);
    ret->loads = n;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

static void ask(void *context)
{
    struct subject *subject = context;
    struct wire_header header = {.kind = WIRE_SYNC, .sender_id = 1, .capabilities = WIRE_CAPABLE};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, &header);
    subject->s->session.bits = BUCKET_BITS_MAX;
    sync_write_request(subject->s, &b);
    micro_sink += wire_finish(&b);
}

static void *open_ask(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_push(self, n, ret);

    *ret = (struct micro_limit){.read_bytes = 8 * BUCKETS_MAX + 1080, .write_bytes = 1080};
    return subject;
}

/* ---- Two that differ ---- */

struct disagreement {
    struct pair_plan plan;
    struct pair pair;
};

static void *open_pair(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct disagreement *d = calloc(1, sizeof *d);

    (void)self;
    MICRO_CHECK(d && n <= DIFFERING_MAX);
    d->plan = (struct pair_plan){
        .members = PAIR_MEMBERS, .different = n, .kind = PAIR_OF_EACH, .seed = 1};
    ret->read_bytes = ret->write_bytes = n * WIRE_ENTRY4_SIZE;
    ret->loads = n;
    ret->table_bytes = (size_t)PAIR_MEMBERS * SUBJECT_MEMBER_BYTES;
    return d;
}

static void end_pair(struct disagreement *d)
{
    if (!d->pair.members[PAIR_ASKER])
        return;
    MICRO_CHECK(pair_agrees(&d->pair));
    pair_end(&d->pair);
}

static void differ(void *context)
{
    struct disagreement *d = context;

    end_pair(d);
    d->pair = pair_begin(&d->plan);
}

static void agree(void *context)
{
    struct disagreement *d = context;

    micro_sink += pair_run(&d->pair, NULL, NULL).bytes[PAIR_ASKER];
}

static void close_pair(void *context)
{
    end_pair(context);
    free(context);
}

static const uint32_t sizes[] = {10, 100, 1000, 0};
static const uint32_t differing[] = {1, 10, DIFFERING_MAX, 0};

const struct micro_case micro_sync_cases[] = {
    {"anti-entropy: chunk, build, encode a table of n", .sizes = sizes, .open = open_push,
     .run = push, .close = subject_free, .repeats = 1},
    {"anti-entropy: request with 256 digests, table of n", .sizes = sizes, .open = open_ask,
     .run = ask, .close = subject_free, .repeats = 100},
    {"anti-entropy: two tables of 4,000 that differ in n agree", .sizes = differing,
     .open = open_pair, .prepare = differ, .run = agree, .close = close_pair, .repeats = 1},
    {0},
};
