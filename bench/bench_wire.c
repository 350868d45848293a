/*
 * What it costs to write and to read datagrams: an empty PING and a GOSSIP as full as they come
 * (docs/protocol.md sections 1 and 2), and the checksum alone.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "wire/wire.h"

#include <stdlib.h>

#define COUNT 20000

struct subject {
    uint32_t entries;
    size_t size;
    uint64_t sum; /* of what was read, so that reading cannot be optimised away */
    uint8_t buf[WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX];
};

static void encode(void *context)
{
    struct subject *subject = context;
    struct wire_header header = {
        .kind = subject->entries ? WIRE_GOSSIP : WIRE_PING, .sender_id = 1, .heartbeat = 2};
    struct wire_entry entry = {.heartbeat = 3, .addr = {.family = 4, .ip = {10}, .port = 7000}};
    struct wire_builder b;
    wire_begin(&b, subject->buf, sizeof subject->buf, &header);
    for (uint32_t i = 0; i < subject->entries; i++) {
        entry.id = i + 2;
        if (!wire_put_entry(&b, &entry)) {
            abort();
        }
    }
    subject->size = wire_finish(&b);
}

static void decode(void *context)
{
    struct subject *subject = context;
    struct wire_datagram d;
    struct wire_entry entry;
    if (wire_decode(subject->buf, subject->size, &d) != SWIM_OK) {
        abort();
    }
    while (wire_next_entry(&d.entries, &entry)) {
        subject->sum += entry.id;
    }
}

static void checksum(void *context)
{
    struct subject *subject = context;
    subject->sum += wire_checksum(subject->buf, subject->size);
}

int main(void)
{
    static struct subject empty = {.entries = 0};
    static struct subject full = {.entries = WIRE_PAYLOAD_MAX / WIRE_ENTRY4_SIZE};
    bench_run("encode PING, no entries", COUNT, encode, &empty);
    bench_run("decode PING, no entries", COUNT, decode, &empty);
    bench_run("encode GOSSIP, 58 entries", COUNT, encode, &full);
    bench_run("decode GOSSIP, 58 entries", COUNT, decode, &full);
    bench_run("checksum, 1,416 bytes", COUNT, checksum, &full);
    return full.sum == 0;
}
