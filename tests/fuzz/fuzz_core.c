/*
 * One member against a hostile network: the input is a script of datagrams from a few addresses,
 * of time that passes, and of what a host may ask. After each step every invariant holds.
 *
 *     0 source len len bytes...   a datagram as it is        3 ms ms      time passes
 *     1 source len len bytes...   its checksum put right     4            a seed is added
 *     2 source len len bytes...   also sent by a capable     5            the member leaves
 *                                 peer of our making         other        nothing
 *     6 source len len bytes...   also after its sender, from there, has proved its address by a
 *                                 handshake (docs/protocol.md section 10)
 */
#include "arena.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 32
#define STEPS_MAX 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct swim_addr address_of(uint8_t source)
{
    struct swim_addr addr = {.family = 4, .ip = {10, 0, 0, source}, .port = 7000};
    if (source & 0x80) {
        addr.family = 6;
    }
    return addr;
}

static struct swim *new_member(swim_time now)
{
    struct swim_config config;
    swim_config_default(&config);
    config.id = 1;
    config.seed = 1;
    config.addr = address_of(1);
    config.members_max = MEMBERS_MAX;
    config.meta_memory = 1024; /* so that there is soon no room */
    size_t size = (swim_footprint(&config) + 15) / 16 * 16;
    return swim_init(arena_take(size), size, &config, now);
}

/* What the member has asked last, whomever. */
static uint64_t challenge;

static void drain(struct swim *s, swim_time now)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event event;
    struct wire_datagram sent;
    size_t written;
    for (int i = 0; i < 4096 && (written = swim_transmit(s, now, &to, buf, sizeof buf)) > 0; i++) {
        ASSERT(to.family == 4 || to.family == 6);
        ASSERT(wire_decode(buf, written, &sent) == SWIM_OK);
        challenge = sent.challenge ? sent.challenge : challenge;
    }
    while (swim_next_event(s, &event)) {
        ASSERT(event.kind >= SWIM_EVENT_JOINED && event.kind < SWIM_EVENT_KINDS);
    }
}

static void put_right(uint8_t *datagram, size_t size, bool is_capable)
{
    if (size < WIRE_HEADER_SIZE) {
        return;
    }
    datagram[0] = WIRE_VERSION;
    datagram[2] = (uint8_t)((size - WIRE_HEADER_SIZE) >> 8);
    datagram[3] = (uint8_t)(size - WIRE_HEADER_SIZE);
    if (is_capable) {
        datagram[21] |= WIRE_CAPABLE;
    }
    datagram[22] = datagram[23] = 0;
    uint16_t sum = wire_checksum(datagram, size);
    datagram[22] = (uint8_t)(sum >> 8);
    datagram[23] = (uint8_t)sum;
}

static void greet(struct swim *s, swim_time now, const struct swim_addr *from, uint64_t id,
                  uint64_t echo)
{
    struct wire_header header = {
        .kind = WIRE_PING, .capabilities = WIRE_CAPABLE, .sender_id = id, .heartbeat = 1};
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, &header);
    (void)wire_put_token(&b, 0, echo);
    if (!echo)
        wire_put_padding(&b, 48);
    (void)swim_receive(s, now, from, buf, wire_finish(&b));
    drain(s, now);
}

static void receive(struct swim *s, swim_time now, struct reader *script, uint8_t op)
{
    static uint8_t buf[SWIM_RECEIVE_MAX];
    struct swim_addr from = address_of(read_u8(script));
    size_t size = read_u16(script) % (sizeof buf + 1);
    if (size > reader_left(script)) {
        size = reader_left(script);
    }
    const uint8_t *bytes = read_bytes(script, size);
    if (bytes == NULL) {
        return;
    }
    memcpy(buf, bytes, size);
    if (op > 0) {
        put_right(buf, size, op != 1);
    }
    if (op == 6 && size >= WIRE_HEADER_SIZE) {
        greet(s, now, &from, load_u64(buf + 4), 0);
        greet(s, now, &from, load_u64(buf + 4), challenge);
    }
    (void)swim_receive(s, now, &from, buf, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    swim_time now = SWIM_MS;
    struct swim *s = new_member(now);
    challenge = 0;
    struct reader script = reader_of(data, size);
    for (int step = 0; step < STEPS_MAX && reader_left(&script) > 0; step++) {
        uint8_t op = read_u8(&script);
        if (op <= 2 || op == 6) {
            receive(s, now, &script, op);
        } else if (op == 3) {
            now += read_u16(&script) * SWIM_MS;
            swim_advance(s, now);
        } else if (op == 4) {
            struct swim_addr seed = address_of(2);
            (void)swim_join(s, now, &seed);
        } else if (op == 5) {
            swim_leave(s, now);
        }
        drain(s, now);
        const char *broken = swim_check(s);
        if (broken != NULL) {
            swim_panic(broken, __FILE__, __LINE__);
        }
    }
    arena_give(s);
    return 0;
}
