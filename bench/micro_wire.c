/*
 * Writing and reading datagrams, docs/protocol.md sections 1, 2 and 6: an empty PING, the PING of
 * an idle cluster, GOSSIP of 0, 1, 10 and 50 entries. Reading is all of it: checksum, validation, and
 * each entry as a struct. The least there is to do is to write or read the bytes once.
 */
#include "micro.h"
#include "wire/wire.h"

#include <stdlib.h>

enum form { EMPTY, VIEW, BARE }; /* GOSSIP of n entries; PING with PROBE and VIEW; PING without */

struct subject {
    enum form form;
    uint32_t entries;
    size_t size;
    struct wire_entry said[50];
    uint8_t buf[SWIM_DATAGRAM_MAX];
};

static void encode(void *context)
{
    struct subject *subject = context;
    struct wire_header header = {.kind = subject->form == EMPTY ? WIRE_GOSSIP : WIRE_PING,
                                 .capabilities = WIRE_CAPABLE,
                                 .sender_id = 1,
                                 .heartbeat = 2};
    struct wire_builder b;

    wire_begin(&b, subject->buf, sizeof subject->buf, &header);
    if (subject->form == VIEW)
        MICRO_CHECK(wire_put_probe(&b, 7) && wire_put_view(&b, 8, 9));
    for (uint32_t i = 0; i < subject->entries; i++)
        MICRO_CHECK(wire_put_entry(&b, &subject->said[i]));
    subject->size = wire_finish(&b);
}

static void decode(void *context)
{
    struct subject *subject = context;
    struct wire_datagram d;
    struct wire_entry entry;
    uint64_t sum = 0;

    MICRO_CHECK(wire_decode(subject->buf, subject->size, &d) == SWIM_OK);
    while (wire_next_entry(&d.entries, &entry))
        sum += entry.id + entry.heartbeat + entry.addr.ip[0];
    micro_sink += sum;
}

static void checksum(void *context)
{
    struct subject *subject = context;

    micro_sink += wire_checksum(subject->buf, subject->size);
}

static struct subject *begin(enum form form, uint32_t entries)
{
    struct subject *subject = calloc(1, sizeof *subject);

    MICRO_CHECK(subject && entries <= 50);
    subject->form = form;
    subject->entries = entries;
    for (uint32_t i = 0; i < entries; i++)
        subject->said[i] = (struct wire_entry){
            .id = i + 2, .heartbeat = 3, .addr = {.family = 4, .ip = {10}, .port = 7000}};
    encode(subject);
    return subject;
}

static void *open_encode(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = begin((enum form)self->argument, n);

    ret->write_bytes = ret->read_bytes = subject->size; /* written, and summed up */
    return subject;
}

static void *open_decode(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = begin((enum form)self->argument, n);

    ret->read_bytes = subject->size;
    return subject;
}

static void *open_checksum(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = begin((enum form)self->argument, 0);

    (void)n;
    subject->size = ret->read_bytes = 1400;
    return subject;
}

static const uint32_t entries[] = {1, 10, 50, 0};
/* memberlist's, one *alive* message: the least of what it was seen to take for either. */
static const double memberlist_ns[] = {3400, 0, 0};
#define ENCODE .open = open_encode, .run = encode, .close = free, .repeats = 1000
#define DECODE .open = open_decode, .run = decode, .close = free, .repeats = 1000

const struct micro_case micro_wire_cases[] = {
    {"encode PING, empty", ENCODE, .argument = BARE, .published_ns = 50.6, .wanted = 5},
    {"decode PING, empty", DECODE, .argument = BARE, .published_ns = 32.5, .wanted = 5},
    {"encode PING with PROBE and VIEW", ENCODE, .argument = VIEW},
    {"decode PING with PROBE and VIEW", DECODE, .argument = VIEW},
    {"encode GOSSIP, no entries", ENCODE},
    {"decode GOSSIP, no entries", DECODE},
    {"encode GOSSIP", entries, ENCODE, .published_ns = 1090, .published_n = 50, .wanted = 5,
     .others_ns = memberlist_ns},
    {"decode GOSSIP", entries, DECODE, .published_ns = 756, .published_n = 50, .wanted = 5,
     .others_ns = memberlist_ns},
    {"checksum, 1,400 bytes", .open = open_checksum, .run = checksum, .close = free,
     .repeats = 1000},
    {0},
};
