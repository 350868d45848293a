/*
 * Anti-entropy at n members: a whole table in ANTI_ENTROPY chunks, from the first to the last byte,
 * and the digests that a SYNC request carries. docs/protocol.md section 8.
 */
#include "core/instance.h"
#include "core/sync.h"
#include "micro.h"
#include "subject.h"

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

static const uint32_t sizes[] = {10, 100, 1000, 0};

const struct micro_case micro_sync_cases[] = {
    {"anti-entropy: chunk, build, encode a table of n", .sizes = sizes, .open = open_push,
     .run = push, .close = subject_free, .repeats = 1},
    {"anti-entropy: request with 256 digests, table of n", .sizes = sizes, .open = open_ask,
     .run = ask, .close = subject_free, .repeats = 100},
    {0},
};
