/*
 * One member in a cluster that makes sense but for its malice: the input is a script of datagrams
 * built field by field from a small world - a dozen ids, a few addresses, counters near 0 and at
 * their ends, answers to the probes and challenges that were really sent - so that the fuzzer
 * spends its time in the protocol and not in guessing checksums (fuzz_core does that). After each
 * step every invariant holds, everything sent decodes, no timer is due for ever, and whoever is not
 * heard was sent no more bytes than he sent.
 *
 *     input: shape | lifeguard | cluster | step...    step: op, then what it reads; zeros at the end
 *
 * A sender proves its address (docs/protocol.md section 10) in all that it says, unless STRANGER is
 * in the op: then it takes a handshake, for which there is an op that repeats what was last asked.
 */
#include "arena.h"

#include "base/assert.h"
#include "base/bytes.h"
#include "core/meta_value.h"
#include "core/proof.h"
#include "core/stranger.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEPS_MAX = 400,
    ACCUSED_MAX = 16,    /* accusations in a datagram of ours */
    IDS = 14,            /* 1 is the member itself */
    HOUSES = 16,         /* addresses; the first is the member's own */
    SENT_MAX = 4096,     /* datagrams in one step */
    FIXED_PAYLOAD = 100, /* bytes that names and tags leave for chunks, targets and tokens */
    ROUNDS_MAX = 64,     /* advances at one instant until nothing is due */
};

/* Bits of an op that is a datagram: how it comes. */
enum { STRANGER = 0x10, REPEATABLE = 0x20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct swim *s;
    size_t arena_size;
    swim_time now;
    struct reader script;
    uint32_t last_sequence; /* of the last PING or PING_REQ that the member sent */
    uint64_t last_target;
    uint8_t last_sent[SWIM_DATAGRAM_MAX];
    size_t last_size;
    uint64_t last_challenge;
    bool is_drained;          /* nothing waits to be sent */
    struct swim_addr watched; /* whoever is there was not heard */
    size_t sent_there;
};

/* ---- The small world ---- */

static uint8_t draw(struct world *w)
{
    return reader_left(&w->script) ? read_u8(&w->script) : 0;
}

static uint32_t draw_counter(struct world *w)
{
    uint8_t b = draw(w);

    if (b < 200)
        return b % 8;
    return b < 240 ? UINT32_MAX - b % 4 : 0x80000000u + b % 4;
}

static uint64_t draw_id(struct world *w)
{
    uint8_t b = draw(w);

    return b < 250 ? 1u + b % IDS : b - 250u; /* 0 sometimes */
}

static struct swim_addr house(uint8_t number)
{
    struct swim_addr addr = {.family = 4, .ip = {10, 0, 0, 1}, .port = 7000};

    addr.ip[3] = (uint8_t)(1 + number % HOUSES);
    if (number & 0x40) {
        memset(addr.ip, 0, sizeof addr.ip);
        addr.family = 6;
        addr.ip[0] = 0xFD;
        addr.ip[15] = (uint8_t)(1 + number % HOUSES);
    }
    if (number == 0xFF) { /* IPv4-mapped */
        memset(addr.ip, 0, sizeof addr.ip);
        addr.ip[10] = addr.ip[11] = 0xFF;
        addr.ip[12] = 10;
        addr.ip[15] = 3;
    } else if (number == 0xFE) {
        addr.port = 0;
    } else if (number == 0xFD) {
        memset(addr.ip, 0, sizeof addr.ip);
    }
    return addr;
}

/* Zero: all parts on, as they are by default. */
static void set_lifeguard(struct swim_config *config, uint8_t lifeguard)
{
    config->local_health = !(lifeguard & 1);
    config->nack = !(lifeguard & 2);
    config->buddy = !(lifeguard & 4);
    config->suspect_timeout_min_ms = lifeguard & 8 ? 10 : 3000;
    config->confirmations = (3u + (lifeguard >> 4)) % (SWIM_CONFIRMATIONS_MAX + 1);
}

static struct swim *new_member(struct world *w, uint8_t shape, uint8_t lifeguard, uint8_t cluster)
{
    struct swim_config config;
    void *arena;

    swim_config_default(&config);
    config.id = 1;
    config.seed = shape;
    config.addr = house(shape & 1 ? 0x40 : 0);
    config.members_max = shape & 2 ? 6 : 40;
    config.meta_memory = shape & 2 ? 512 : 16384;
    config.addr_in_probes = shape & 4;
    config.anti_entropy_interval_ms = shape & 8 ? 0 : 1000;
    config.dead_retention_ms = shape & 16 ? 500 : 15000;
    config.piggyback_max = shape & 32 ? 58 : 6;
    config.heartbeat_interval_ms = shape & 64 ? 10 : 500;
    config.indirect_k = shape & 128 ? SWIM_INDIRECT_MAX : 2;
    config.incarnation = shape == 0xFF ? UINT32_MAX : 0;
    set_lifeguard(&config, lifeguard);
    if (cluster & 1)
        memcpy(config.cluster, "blue", 5);
    if (cluster & 2)
        config.datagram_max = 1200;
    w->arena_size = (swim_footprint(&config) + 15) / 16 * 16;
    arena = arena_take(w->arena_size);
    return swim_init(arena, w->arena_size, &config, w->now);
}

/* ---- What the member says ---- */

/* Nobody is accused by himself, nor told in a datagram that has no room for it. */
static void look_at_accusations(const struct wire_datagram *dg)
{
    struct reader left = reader_of(dg->suspicions, dg->suspicions_size);
    struct wire_suspicion accusation;
    uint32_t count = 0;

    ASSERT(dg->header.kind == WIRE_GOSSIP || dg->header.kind == WIRE_PING ||
           dg->header.kind == WIRE_ACK);
    while (wire_next_suspicion(&left, &accusation)) {
        ASSERT(accusation.target != 0 && accusation.accuser != 0);
        ASSERT(accusation.target != accusation.accuser);
        ASSERT(accusation.target != dg->header.sender_id);
        ASSERT(++count <= ACCUSED_MAX);
    }
    ASSERT(count > 0);
}

/* What a member says of names and tags: whole parts, each of a content of a legal size, and never in
 * a kind where they mean nothing. */
static void look_at_metas(const struct wire_datagram *dg)
{
    struct reader left = reader_of(dg->metas, dg->metas_size);
    struct wire_meta_part part;

    ASSERT(dg->header.kind == WIRE_GOSSIP || dg->header.kind == WIRE_PING ||
           dg->header.kind == WIRE_ACK || dg->header.kind == WIRE_SYNC);
    while (wire_next_meta(&left, &part))
        ASSERT(part.id != 0);
}

static void look_at(struct world *w, const uint8_t *bytes, size_t size)
{
    struct wire_datagram dg;
    struct wire_entry entry;

    ASSERT(wire_decode(bytes, size, &dg) == SWIM_OK);
    while (wire_next_entry(&dg.entries, &entry)) {
        if (entry.status == WIRE_STATUS_CLUSTER)
            continue;
        ASSERT(entry.id != 0 && entry.status <= SWIM_LEFT && entry.addr.port != 0);
        if (entry.id == dg.header.sender_id)
            ASSERT(entry.status == SWIM_ALIVE);
    }
    if (dg.suspicions)
        look_at_accusations(&dg);
    if (dg.metas)
        look_at_metas(&dg);
    ASSERT((dg.header.kind != WIRE_ANTI_ENTROPY && dg.header.kind != WIRE_SYNC) ||
           size <= WIRE_SYNC_DATAGRAM_MAX);
    if (dg.has_probe && dg.header.kind != WIRE_ACK) {
        w->last_sequence = dg.probe_sequence;
        w->last_target = dg.target_id;
    }
    if (dg.challenge)
        w->last_challenge = dg.challenge;
    memcpy(w->last_sent, bytes, size);
    w->last_size = size;
}

static void drain(struct world *w)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    size_t size;
    uint32_t count = 0;

    while ((size = swim_transmit(w->s, w->now, &to, buf, sizeof buf)) > 0) {
        ASSERT(to.port != 0 && (to.family == 4 || to.family == 6));
        ASSERT(++count < SENT_MAX);
        look_at(w, buf, size);
        if (memcmp(&to, &w->watched, sizeof to) == 0)
            w->sent_there += size;
    }
    w->is_drained = true;
}

/* Advances until nothing is due any more at this instant. */
static void advance(struct world *w, swim_time by)
{
    uint32_t rounds = 0;

    w->now += by;
    do {
        swim_advance(w->s, w->now);
        drain(w);
        ASSERT(++rounds < ROUNDS_MAX);
    } while (swim_deadline(w->s) <= w->now);
}

static void poll_events(struct world *w)
{
    struct swim_event event;
    uint32_t count = 0;

    while (swim_next_event(w->s, &event)) {
        ASSERT(event.kind >= SWIM_EVENT_JOINED && event.kind < SWIM_EVENT_KINDS);
        ASSERT(event.at <= w->now && event.member.id != 0);
        ASSERT(++count < 256);
    }
}

/* ---- What it hears ---- */

static struct swim_addr folded(const struct swim_addr *addr)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};
    struct swim_addr v4 = {.family = 4, .port = addr->port};

    if (addr->family != 6 || memcmp(addr->ip, mapped, sizeof mapped) != 0)
        return *addr;
    memcpy(v4.ip, addr->ip + 12, 4);
    return v4;
}

/* Who is not heard gets no more than he gave, unless somebody there is entitled to more. */
static void deliver(struct world *w, uint8_t op, const struct swim_addr *from, const uint8_t *bytes,
                    size_t size)
{
    struct swim_member member;
    bool was_drained = w->is_drained;
    enum swim_error error = op & REPEATABLE ? swim_receive_unproved(w->s, w->now, from, bytes, size)
                                            : swim_receive(w->s, w->now, from, bytes, size);

    w->is_drained = false;
    if ((error != SWIM_DROP_UNPROVED && error != SWIM_DROP_CLUSTER) || !was_drained)
        return;
    w->watched = folded(from);
    if (!swim_member_find_addr(w->s, &w->watched, &member) || !member.is_proved) {
        w->sent_there = 0;
        drain(w);
        ASSERT(w->sent_there <= size);
    }
    memset(&w->watched, 0, sizeof w->watched);
}

/* A capable sender repeats the token that was, or would have been, sent to it. */
static void put_proof(struct world *w, struct wire_builder *b, uint64_t id,
                      const struct swim_addr *from)
{
    (void)wire_put_token(b, draw(w), proof_token(w->s, from, id));
    if (w->s->cluster_tag)
        (void)wire_put_cluster(b, w->s->cluster_tag);
}

/* A plain one answers a PING. */
static void answer_as_plain(struct world *w, const struct wire_header *header,
                            const struct swim_addr *from)
{
    struct wire_header ack = *header;
    uint8_t buf[WIRE_HEADER_SIZE];
    struct wire_builder b;

    ack.kind = WIRE_ACK;
    ack.flags = 0;
    stranger_expect(w->s, from);
    wire_begin(&b, buf, sizeof buf, &ack);
    deliver(w, 0, from, buf, wire_finish(&b));
}

static void put_suspicions(struct world *w, struct wire_builder *b)
{
    struct wire_suspicion all[ACCUSED_MAX];
    uint32_t count = draw(w) % (ACCUSED_MAX + 1);

    for (uint32_t i = 0; i < count; i++) {
        all[i].target = draw_id(w);
        all[i].incarnation = draw_counter(w);
        all[i].accuser = draw_id(w);
    }
    (void)wire_put_suspicions(b, all, count);
}

/* A name of one letter, and a tag that makes it as large as wanted: up to nine parts. */
static struct swim_meta draw_meta(struct world *w)
{
    static char value[SWIM_TAGS_MAX];
    char name[2] = {(char)('a' + draw(w) % 4), 0};
    uint32_t size = draw(w) * 16u;
    struct swim_meta meta;

    memset(value, 'v', sizeof value);
    value[size < SWIM_TAGS_MAX - 3 ? size : SWIM_TAGS_MAX - 4] = 0;
    ASSERT(swim_meta_init(&meta, name) == SWIM_META_OK);
    if (size > 0)
        ASSERT(swim_meta_set(&meta, "k", value) == SWIM_META_OK);
    return meta;
}

/* Parts of names and tags: of a content that is well-formed, or of something else. */
static void put_metas(struct world *w, struct wire_builder *b)
{
    uint8_t bytes[SWIM_DATAGRAM_MAX], content[META_CONTENT_MAX];
    struct writer value = writer_of(bytes, sizeof bytes);
    uint8_t count = 1 + draw(w) % 3;

    for (uint8_t i = 0; i < count; i++) {
        struct swim_meta meta = draw_meta(w);
        size_t size = meta_value_write(&meta, content);
        struct wire_meta_part part = {.id = draw_id(w), .size = (uint16_t)size};
        uint8_t how = draw(w);

        part.key.incarnation = draw_counter(w);
        part.key.version = draw_counter(w);
        part.key.digest = meta_value_digest(content, size);
        part.number = (uint8_t)(how / 4 % wire_meta_parts((uint32_t)size));
        part.bytes = content + (size_t)part.number * WIRE_META_PART;
        if (how & 1)
            content[how % size] ^= 1; /* not what its digest is of */
        if (how & 2)
            part.key.digest = how;
        (void)wire_write_meta(&value, &part);
    }
    if (wire_record_room(b, FIXED_PAYLOAD) >= writer_size(&value))
        (void)wire_put_record(b, WIRE_EXT_META, bytes, (uint16_t)writer_size(&value));
}

static void put_records(struct world *w, struct wire_builder *b, uint8_t which)
{
    if (which & 1)
        (void)wire_put_probe(b, which & 64 ? draw(w) : w->last_sequence);
    if (which & 2)
        (void)wire_put_on_behalf(b, which & 128 ? draw_id(w) : w->last_target);
    if (which & 4)
        (void)wire_put_view(b, which & 32 ? swim_view_digest(w->s) : draw(w), draw(w) % 64);
    if (which & 16)
        put_suspicions(w, b);
    if ((which & 36) == 32)
        put_metas(w, b);
    if (which & 8) { /* of any type, also a known one with a wrong length */
        uint8_t value[32] = {0};

        value[0] = draw(w);
        (void)wire_put_record(b, draw(w) % 10, value, draw(w) % 33);
    }
}

static void put_buckets(struct world *w, struct wire_builder *b)
{
    uint8_t value[3 + 4 * 256] = {0};
    unsigned phase = 1 + draw(w) % 6;
    unsigned bits = draw(w) % 9;
    unsigned mask = bits < 3 ? 1 : 1u << (bits - 3);
    unsigned size = 3;

    if (phase == 1)
        size += 4u << bits;
    else if (phase == 2)
        size += mask;
    else if (phase == 4)
        size += mask + 4 + 28 * (1u + draw(w) % 32);
    else if (phase == 5)
        size += mask + 2;
    else if (phase == 6)
        size += mask + 4 + 4 * (1u + draw(w) % 160);
    value[0] = (uint8_t)phase;
    value[1] = (uint8_t)bits;
    value[2] = draw(w) & 1;
    memset(value + 3, draw(w), sizeof value - 3);
    (void)wire_put_record(b, WIRE_EXT_BUCKETS, value, (uint16_t)size);
}

static uint8_t draw_status(struct world *w)
{
    uint8_t b = draw(w);

    return b < 250 ? b % 5 : WIRE_STATUS_CLUSTER;
}

static void put_entries(struct world *w, struct wire_builder *b, uint8_t count)
{
    for (uint8_t i = 0; i < count; i++) {
        struct wire_entry entry = {
            .id = draw_id(w),
            .incarnation = draw_counter(w),
            .heartbeat = draw_counter(w),
            .status = draw_status(w),
            .addr = house(draw(w)),
        };

        (void)wire_put_entry(b, &entry);
    }
}

static void hear_built(struct world *w, uint8_t op, uint8_t kind)
{
    uint8_t style = draw(w);
    struct wire_header header = {
        .kind = kind,
        .flags = style & 1 ? WIRE_FLAG_REQUEST_ACK : 0,
        .capabilities = style & 2 || kind >= WIRE_NACK ? WIRE_CAPABLE : 0,
        .sender_id = draw_id(w),
        .incarnation = draw_counter(w),
        .heartbeat = draw_counter(w),
    };
    struct swim_addr from = house(style & 4 ? draw(w) : (uint8_t)header.sender_id);
    struct swim_addr source = folded(&from);
    struct swim_addr target = house(draw(w));
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    if (!header.capabilities && !(op & STRANGER) && source.port)
        answer_as_plain(w, &header, &source);
    wire_begin(&b, buf, sizeof buf, &header);
    if (header.capabilities && !(op & STRANGER))
        put_proof(w, &b, header.sender_id, &source);
    if (header.capabilities)
        put_records(w, &b, style & 8 ? draw(w) : 1);
    if (kind == WIRE_SYNC)
        put_buckets(w, &b);
    if (kind == WIRE_PING_REQ)
        (void)wire_put_target(&b, draw_id(w), &target);
    else if (kind == WIRE_ANTI_ENTROPY)
        (void)wire_put_chunk(&b, draw(w), draw(w), draw(w));
    if (kind != WIRE_PING_REQ && kind != WIRE_LEAVE)
        put_entries(w, &b, style >> 4);
    deliver(w, op, &from, buf, wire_finish(&b));
}

/* A PING or an ACK that repeats what the member asked last, whomever. */
static void hear_handshake(struct world *w, uint8_t op)
{
    uint8_t style = draw(w);
    struct wire_header header = {.kind = style & 1 ? WIRE_ACK : WIRE_PING,
                                 .capabilities = WIRE_CAPABLE,
                                 .sender_id = draw_id(w),
                                 .incarnation = draw_counter(w)};
    struct swim_addr from = house(style & 4 ? draw(w) : (uint8_t)header.sender_id);
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, &header);
    if (style & 2)
        (void)wire_put_record(&b, WIRE_EXT_TOKEN, NULL, 0);
    else
        (void)wire_put_token(&b, draw(w), style & 8 ? 0 : w->last_challenge);
    if (style & 16)
        (void)wire_put_cluster(&b, style & 32 ? draw(w) : w->s->cluster_tag);
    if (style & 64)
        wire_put_padding(&b, draw(w));
    deliver(w, op, &from, buf, wire_finish(&b));
}

/* Its own last datagram comes back, from anywhere, with one byte changed. */
static void hear_echo(struct world *w, uint8_t op)
{
    struct swim_addr from = house(draw(w));
    uint8_t at = draw(w);
    uint8_t value = draw(w);
    uint16_t sum;

    if (w->last_size < WIRE_HEADER_SIZE)
        return;
    w->last_sent[at % w->last_size] = value;
    w->last_sent[11] = draw(w) % IDS; /* sender */
    w->last_sent[22] = w->last_sent[23] = 0;
    sum = wire_checksum(w->last_sent, w->last_size);
    w->last_sent[22] = (uint8_t)(sum >> 8);
    w->last_sent[23] = (uint8_t)sum;
    deliver(w, op, &from, w->last_sent, w->last_size);
}

/* The whole member moves to another place in memory. */
static void move(struct world *w)
{
    void *arena = arena_take(w->arena_size);

    memcpy(arena, w->s, w->arena_size);
    memset(w->s, 0xA5, w->arena_size);
    arena_give(w->s);
    w->s = arena;
}

static void rename_self(struct world *w)
{
    struct swim_meta meta = draw_meta(w);

    swim_set_meta(w->s, w->now, &meta);
    w->is_drained = false;
}

static void step(struct world *w)
{
    uint8_t op = draw(w);
    struct swim_addr addr;

    switch (op % 16) {
    case 0: advance(w, draw(w) * SWIM_MS); break;
    case 1: advance(w, draw(w) * 100 * SWIM_MS); break;
    case 2:
        advance(w, swim_deadline(w->s) > w->now && swim_deadline(w->s) != SWIM_NEVER
                       ? swim_deadline(w->s) - w->now
                       : 0);
        break;
    case 3: hear_built(w, op, WIRE_GOSSIP); break;
    case 4: hear_built(w, op, WIRE_PING); break;
    case 5: hear_built(w, op, WIRE_PING_REQ); break;
    case 6: hear_built(w, op, WIRE_ACK); break;
    case 7: hear_built(w, op, WIRE_LEAVE); break;
    case 8: hear_built(w, op, WIRE_ANTI_ENTROPY); break;
    case 9: hear_built(w, op, WIRE_SYNC); break;
    case 10: hear_built(w, op, WIRE_NACK); break;
    case 11: hear_echo(w, op); break;
    case 12:
        addr = house(draw(w));
        (void)swim_join(w->s, w->now, &addr);
        break;
    case 13:
        addr = house(draw(w));
        swim_unjoin(w->s, &addr);
        break;
    case 14: move(w); break;
    default:
        if (op == 0xFF)
            swim_leave(w->s, w->now);
        else if (op == 0x6F)
            rename_self(w);
        else if (op == 0x7F) /* months pass */
            advance(w, draw(w) * UINT64_C(86400000) * SWIM_MS);
        else
            hear_handshake(w, op);
    }
    if (op % 16 == 12 || op == 0xFF)
        w->is_drained = false;
    if (op & 0x80 || w->script.at == w->script.end)
        poll_events(w);
    if (op & 0x40)
        drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.now = SWIM_MS, .script = reader_of(data, size)};

    uint8_t shape = draw(&w);
    uint8_t lifeguard = draw(&w);

    w.s = new_member(&w, shape, lifeguard, draw(&w));
    for (uint32_t i = 0; i < STEPS_MAX && reader_left(&w.script) > 0; i++) {
        const char *broken;

        step(&w);
        /* What lies in the past would read as a pause of the member's own. */
        ASSERT(swim_deadline(w.s) >= w.now);
        broken = swim_check(w.s);
        if (broken)
            swim_panic(broken, __FILE__, __LINE__);
    }
    drain(&w);
    advance(&w, 0);
    arena_give(w.s);
    return 0;
}
