/*
 * What it costs to write and to read datagrams: the PING of an idle cluster, and a GOSSIP
 * of few and of many entries (docs/protocol.md sections 1, 2 and 6), and the checksum alone.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "wire/wire.h"

#include <stdlib.h>

#define COUNT 20000

struct subject {
    bool is_ping; /* as capable peers send it: with PROBE and VIEW; else a GOSSIP */
    uint32_t entries;
    size_t size;
    uint64_t sum; /* of what was read, so that reading cannot be optimised away */
    uint8_t buf[WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX];
};

static void encode(void *context)
{
    struct subject *subject = context;
    struct wire_header header = {.kind = subject->is_ping ? WIRE_PING : WIRE_GOSSIP,
                                 .capabilities = WIRE_CAPABLE,
                                 .sender_id = 1,
                                 .heartbeat = 2};
    struct wire_entry entry = {.heartbeat = 3, .addr = {.family = 4, .ip = {10}, .port = 7000}};
    struct wire_builder b;
    wire_begin(&b, subject->buf, sizeof subject->buf, &header);
    if (subject->is_ping && (!wire_put_probe(&b, 7) || !wire_put_view(&b, 8, 9))) {
        abort();
    }
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

static void bench_entries(uint32_t entries, const char *encode_name, const char *decode_name)
{
    static struct subject subject;
    subject.entries = entries;
    bench_run(encode_name, COUNT, encode, &subject);
    bench_run(decode_name, COUNT, decode, &subject);
}

int main(void)
{
    static struct subject ping = {.is_ping = true};
    static struct subject full = {.size = WIRE_PAYLOAD_MAX};
    bench_run("encode PING with PROBE and VIEW", COUNT, encode, &ping);
    bench_run("decode PING with PROBE and VIEW", COUNT, decode, &ping);
    bench_entries(0, "encode GOSSIP, no entries", "decode GOSSIP, no entries");
    bench_entries(10, "encode GOSSIP, 10 entries", "decode GOSSIP, 10 entries");
    bench_entries(50, "encode GOSSIP, 50 entries", "decode GOSSIP, 50 entries");
    bench_run("checksum, 1,400 bytes", COUNT, checksum, &full);
    return full.sum == 0;
}
