/*
 * What the worst datagrams cost whoever hears them, in a full table of 16,384 members: those that
 * are accepted and change as much as one datagram can, and those that are refused as late as can
 * be (docs/security.md; protocol.md sections 1 to 10). Timed with what is sent in answer at once,
 * which is little: the rest is paced. Beside each stands how much dearer it is, by the byte, than
 * an empty PING of a member.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include "base/prng.h"
#include "core/gossip.h"
#include "core/member.h"
#include "core/proof.h"
#include "swim/swim.h"
#include "wire/wire.h"

#ifdef HAS_SEAL
#include "seal/envelope.h"
#include "swim/seal.h"
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS = 16384, BATCH = 64, SPEAKER = 2, LARGEST = SWIM_RECEIVE_MAX };

struct datagram {
    struct swim_addr from;
    size_t size;
    uint8_t bytes[LARGEST];
};

struct world {
    struct swim *s;
    swim_time now;
    uint32_t incarnation; /* higher than any that was said */
    struct prng prng;
    struct datagram batch[BATCH];
};

static void check(bool condition, const char *what)
{
    if (!condition) {
        fprintf(stderr, "bench_worst: %s\n", what);
        abort();
    }
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

static void drain(struct world *w)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct swim_addr to;
    struct swim_event event;

    while (swim_transmit(w->s, w->now, &to, buf, sizeof buf) > 0)
        ;
    while (swim_next_event(w->s, &event))
        ;
}

/* ---- The datagrams ---- */

static void begin(struct datagram *d, struct wire_builder *b, uint8_t kind, uint32_t from)
{
    struct wire_header header = {.kind = kind, .capabilities = WIRE_CAPABLE, .sender_id = from};

    d->from = address_of(from);
    wire_begin(b, d->bytes, SWIM_DATAGRAM_MAX, &header);
}

static uint32_t anybody(struct world *w)
{
    return 3 + prng_below(&w->prng, MEMBERS - 2);
}

static void put_entries(struct world *w, struct wire_builder *b, uint8_t status)
{
    struct wire_entry entry = {.incarnation = ++w->incarnation, .status = status};

    do {
        entry.id = anybody(w);
        entry.addr = address_of((uint32_t)entry.id);
    } while (wire_put_entry(b, &entry));
}

static void ping(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    (void)w;
    begin(d, &b, WIRE_PING, SPEAKER);
    d->size = wire_finish(&b);
}

/* Everybody in it has refuted: a new incarnation is news. */
static void changed(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    begin(d, &b, WIRE_GOSSIP, SPEAKER);
    put_entries(w, &b, SWIM_ALIVE);
    d->size = wire_finish(&b);
}

static void suspected(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    begin(d, &b, WIRE_GOSSIP, SPEAKER);
    put_entries(w, &b, SWIM_SUSPECT);
    d->size = wire_finish(&b);
}

/* Lower than what is held, and misleading: up to 8 are answered. */
static void stale(struct world *w, struct datagram *d)
{
    struct wire_entry entry = {.status = SWIM_DEAD};
    struct wire_builder b;

    begin(d, &b, WIRE_PING, SPEAKER);
    do {
        entry.id = anybody(w);
        entry.addr = address_of((uint32_t)entry.id);
    } while (wire_put_entry(&b, &entry));
    d->size = wire_finish(&b);
}

/* Of whom nobody has heard: there is no room for them. */
static void newcomers(struct world *w, struct datagram *d)
{
    struct wire_entry entry = {.status = SWIM_ALIVE};
    struct wire_builder b;

    begin(d, &b, WIRE_GOSSIP, SPEAKER);
    do {
        entry.id = UINT32_MAX + (uint64_t)prng_next(&w->prng);
        entry.addr = address_of(MEMBERS + 1 + prng_below(&w->prng, 1 << 20));
    } while (wire_put_entry(&b, &entry));
    d->size = wire_finish(&b);
}

static void accusations(struct world *w, struct datagram *d)
{
    enum { COUNT = 68 };
    struct wire_suspicion all[COUNT];
    struct wire_builder b;

    for (int i = 0; i < COUNT; i++) {
        struct swim_member member;
        all[i] = (struct wire_suspicion){.target = anybody(w), .accuser = anybody(w)};
        check(swim_member_find(w->s, all[i].target, &member), "nobody is forgotten");
        all[i].incarnation = member.incarnation;
    }
    begin(d, &b, WIRE_GOSSIP, SPEAKER);
    check(wire_put_suspicions(&b, all, COUNT), "68 accusations fit");
    d->size = wire_finish(&b);
}

static void sync_request(struct world *w, struct datagram *d)
{
    uint8_t value[3 + 4 * 256] = {1, 8, 1};
    struct wire_builder b;

    for (size_t i = 3; i < sizeof value; i++)
        value[i] = (uint8_t)prng_next(&w->prng);
    begin(d, &b, WIRE_SYNC, SPEAKER);
    check(wire_put_view(&b, 1, MEMBERS) &&
              wire_put_record(&b, WIRE_EXT_BUCKETS, value, sizeof value),
          "a request fits");
    d->size = wire_finish(&b);
}

static void relay(struct world *w, struct datagram *d)
{
    uint32_t target = anybody(w);
    struct swim_addr addr = address_of(target);
    struct wire_builder b;

    begin(d, &b, WIRE_PING_REQ, SPEAKER);
    check(wire_put_probe(&b, prng_next(&w->prng) & 0xFFFF) && wire_put_target(&b, target, &addr),
          "a request fits");
    d->size = wire_finish(&b);
}

/* As large as can be, its fault in the last byte. */
static void fill(struct datagram *d, uint32_t from)
{
    enum { ENTRIES = (LARGEST - WIRE_HEADER_SIZE) / WIRE_ENTRY4_SIZE };
    size_t size = WIRE_HEADER_SIZE + ENTRIES * WIRE_ENTRY4_SIZE;

    memset(d->bytes, 0, sizeof d->bytes);
    d->bytes[0] = WIRE_VERSION;
    d->bytes[1] = WIRE_PING;
    store_u64(d->bytes + 4, from);
    d->bytes[21] = WIRE_CAPABLE;
    for (size_t i = 0; i < ENTRIES; i++)
        d->bytes[WIRE_HEADER_SIZE + i * WIRE_ENTRY4_SIZE + 17] = 4;
    d->from = address_of(from);
    d->size = size + 8; /* a third of an entry more: 1,472 */
    store_u16(d->bytes + 2, (uint16_t)(d->size - WIRE_HEADER_SIZE));
    store_u16(d->bytes + 22, wire_checksum(d->bytes, d->size));
}

static void malformed(struct world *w, struct datagram *d)
{
    (void)w;
    fill(d, SPEAKER);
}

static void damaged(struct world *w, struct datagram *d)
{
    (void)w;
    fill(d, SPEAKER);
    d->bytes[d->size - 1] ^= 1;
}

/* All is well with it but who says it. */
static void stranger(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    begin(d, &b, WIRE_PING, MEMBERS + 1 + prng_below(&w->prng, 1 << 20));
    put_entries(w, &b, SWIM_ALIVE);
    d->size = wire_finish(&b);
}

/* Under a member's id from another address, with a token that is wrong for both. */
static void impostor(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    begin(d, &b, WIRE_PING, anybody(w));
    check(wire_put_token(&b, 1, prng_next(&w->prng)), "a token fits");
    put_entries(w, &b, SWIM_ALIVE);
    d->size = wire_finish(&b);
    d->from = address_of(MEMBERS + 1 + prng_below(&w->prng, 1 << 20));
}

static void least(struct world *w, struct datagram *d)
{
    struct wire_builder b;

    begin(d, &b, WIRE_PING, MEMBERS + 1 + prng_below(&w->prng, 1 << 20));
    d->size = wire_finish(&b);
}

/* ---- Timing ---- */

static void show(const char *name, size_t size, double each, double *baseline)
{
    double by_byte = each / (double)size;

    if (*baseline == 0)
        *baseline = each;
    printf("%-52s %5zu bytes %9.0f ns %6.2f ns a byte %6.1f PINGs\n", name, size, each, by_byte,
           each / *baseline);
    fflush(stdout);
}

static double measure(struct world *w, void (*build)(struct world *, struct datagram *),
                      enum swim_error expected)
{
    double best = 0;

    for (int round = 0; round < 4 * BENCH_ROUNDS; round++) {
        uint64_t start;
        double each;

        for (int i = 0; i < BATCH; i++)
            build(w, &w->batch[i]);
        w->now += SWIM_MS;
        start = bench_now_ns();
        for (int i = 0; i < BATCH; i++) {
            const struct datagram *d = &w->batch[i];
            check(swim_receive(w->s, w->now, &d->from, d->bytes, d->size) == expected, "verdict");
            drain(w);
        }
        each = (double)(bench_now_ns() - start) / BATCH;
        best = round == 0 || each < best ? each : best;
    }
    return best;
}

/* All that one SYNC request brings about: the whole table, at the pace of section 8. */
static void bench_whole_answer(struct world *w, double *baseline)
{
    struct datagram *d = &w->batch[0];
    uint64_t start;
    uint64_t sent;

    for (; w->s->job_count > 0; w->now += 2 * SWIM_MS) /* what is still under way */
        drain(w);
    sync_request(w, d);
    sent = w->s->stats.anti_entropy_sent;
    start = bench_now_ns();
    check(swim_receive(w->s, w->now, &d->from, d->bytes, d->size) == SWIM_OK, "it is heard");
    for (; w->s->job_count > 0; w->now += 2 * SWIM_MS)
        drain(w);
    show("accepted: the same, and all of its answer, paced", d->size,
         (double)(bench_now_ns() - start), baseline);
    printf("    of %lu datagrams\n", (unsigned long)(w->s->stats.anti_entropy_sent - sent));
}

/* ---- The member ---- */

static void meet_speaker(struct world *w)
{
    struct swim_addr addr = address_of(SPEAKER);
    struct datagram d;
    struct wire_builder b;

    begin(&d, &b, WIRE_PING, SPEAKER);
    check(wire_put_token(&b, 0, proof_token(w->s, &addr, SPEAKER)), "a token fits");
    d.size = wire_finish(&b);
    check(swim_receive(w->s, w->now, &d.from, d.bytes, d.size) == SWIM_OK, "it is heard");
    drain(w);
}

static void meet_all(struct world *w)
{
    struct datagram d;

    for (uint32_t id = SPEAKER + 1; id <= MEMBERS;) {
        struct wire_builder b;
        struct wire_entry entry = {.id = id, .incarnation = 1, .addr = address_of(id)};

        begin(&d, &b, WIRE_GOSSIP, SPEAKER);
        while (id <= MEMBERS && wire_put_entry(&b, &entry)) {
            entry.id = ++id;
            entry.addr = address_of(id);
        }
        d.size = wire_finish(&b);
        check(swim_receive(w->s, w->now, &d.from, d.bytes, d.size) == SWIM_OK, "it is heard");
        drain(w);
    }
    check(swim_member_count(w->s, SWIM_ALIVE) == MEMBERS, "the table is full");
}

static void start(struct world *w)
{
    struct swim_config config;
    size_t size;
    void *arena;

    swim_config_default(&config);
    config.id = 1;
    config.seed = 1;
    config.addr = address_of(1);
    config.members_max = MEMBERS;
    config.gossip_interval_ms = 3600000; /* so that all that is timed is what a datagram causes */
    config.probe_interval_ms = 3600000;
    size = (swim_footprint(&config) + 15) / 16 * 16;
    arena = aligned_alloc(16, size);
    check(arena != NULL, "memory");
    memset(arena, 0, size);
    w->now = SWIM_MS;
    w->incarnation = 1;
    w->s = swim_init(arena, size, &config, w->now);
    prng_init(&w->prng, 1);
    meet_speaker(w);
    meet_all(w);
}

/* ---- Sealed ---- */

#ifdef HAS_SEAL
static double measure_sealed(struct swim_seal *seal, const uint8_t *bytes, size_t size)
{
    uint8_t buf[SWIM_RECEIVE_MAX];
    struct swim_seal_opened opened;
    double best = 0;

    for (int round = 0; round < BENCH_ROUNDS; round++) {
        uint64_t start = bench_now_ns();
        for (int i = 0; i < 10 * BATCH; i++)
            check(swim_seal_open(seal, bytes, size, buf, sizeof buf, &opened) ==
                      SWIM_SEAL_DROP_FORGED,
                  "it is forged");
        double each = (double)(bench_now_ns() - start) / (10 * BATCH);
        best = round == 0 || each < best ? each : best;
    }
    return best;
}

/* The most keys that there can be; in envelope 2, all with ids that end in the same byte. */
static struct swim_seal *sealed_with_all(enum swim_envelope envelope, uint8_t *ret_byte)
{
    struct swim_seal_config config = {.envelope = envelope, .start = 1, .members_max = MEMBERS};
    struct swim_seal *seal = swim_seal_new(&config);
    uint8_t key[SWIM_KEY_SIZE] = {1};

    check(seal != NULL, "libsodium starts");
    *ret_byte = (uint8_t)swim_key_id(key);
    for (uint32_t held = 0, i = 0; held < SWIM_KEYS_MAX; i++) {
        store_u32(key + 4, i);
        if (i == 0 || (uint8_t)swim_key_id(key) == *ret_byte)
            held += swim_seal_key_install(seal, key) == SWIM_KEY_OK ? 1 : 0;
    }
    return seal;
}

static void bench_sealed(double *baseline)
{
    uint8_t bytes[SWIM_RECEIVE_MAX] = {0};
    uint8_t key_byte;
    struct swim_seal *seal = sealed_with_all(SWIM_ENVELOPE_1, &key_byte);

    show("refused: forged, envelope 1, 8 keys are held", sizeof bytes,
         measure_sealed(seal, bytes, sizeof bytes), baseline);
    swim_seal_free(seal);
    seal = sealed_with_all(SWIM_ENVELOPE_2, &key_byte);
    bytes[0] = SWIM_ENVELOPE_2;
    bytes[1] = key_byte;
    bytes[9] = 2;
    show("refused: forged, envelope 2, 8 keys of the same byte", sizeof bytes,
         measure_sealed(seal, bytes, sizeof bytes), baseline);
    swim_seal_free(seal);
}
#endif

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*build)(struct world *, struct datagram *);
        enum swim_error expected;
    } cases[] = {
        {"baseline: an empty PING of a member", ping, SWIM_OK},
        {"accepted: 58 entries of new incarnations", changed, SWIM_OK},
        {"accepted: 58 suspects", suspected, SWIM_OK},
        {"accepted: 58 stale claims, answered", stale, SWIM_OK},
        {"accepted: 58 newcomers without a place", newcomers, SWIM_OK},
        {"accepted: 68 accusations", accusations, SWIM_OK},
        {"accepted: SYNC request, everything differs", sync_request, SWIM_OK},
        {"accepted: PING_REQ", relay, SWIM_OK},
        {"refused: damaged in its last byte", damaged, SWIM_DROP_CHECKSUM},
        {"refused: malformed at its end", malformed, SWIM_DROP_PAYLOAD},
        {"refused: a stranger's, with 58 entries", stranger, SWIM_DROP_UNPROVED},
        {"refused: a member's id from elsewhere, wrong token", impostor, SWIM_DROP_UNPROVED},
        {"refused: a stranger's empty PING", least, SWIM_DROP_UNPROVED},
    };
    static struct world w;
    double baseline = 0;

    if (argc > 1) {
        fprintf(stderr, "usage: %s, without arguments\n", argv[0]);
        return 2;
    }
    start(&w);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        double each = measure(&w, cases[i].build, cases[i].expected);
        show(cases[i].name, w.batch[0].size, each, &baseline);
    }
    bench_whole_answer(&w, &baseline);
    check(swim_check(w.s) == NULL, "every invariant holds");
#ifdef HAS_SEAL
    bench_sealed(&baseline);
#endif
    return 0;
}
