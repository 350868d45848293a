/*
 * Writing datagrams: what fits, what does not, what is a bug of the caller's, and that random
 * datagrams come out of the decoder as they were meant (docs/protocol.md sections 1, 2 and 6).
 */
#include "support.h"

#include "base/prng.h"
#include "wire_roundtrip.h"

static const struct wire_entry entry4 = {
    0x1111111111111111, 42, 7, SWIM_ALIVE, {.ip = {192, 0, 2, 1}, .port = 7001, .family = 4}};
static const struct wire_entry entry6 = {
    0x2222222222222222,
    43,
    8,
    SWIM_LEFT,
    {.ip = {0x20, 0x01, 0x0D, 0xB8, [15] = 1}, .port = 7002, .family = 6}};

static struct wire_header header_of(uint8_t kind, uint8_t capabilities)
{
    struct wire_header header = {.kind = kind,
                                 .flags = 0,
                                 .capabilities = capabilities,
                                 .sender_id = UINT64_C(0x0102030405060708),
                                 .heartbeat = 1000,
                                 .incarnation = 3};
    return header;
}

/* ---- Encoding ---------------------------------------------------------------------------------- */

static bool put_any(struct wire_builder *b, uint8_t kind, int what)
{
    static const struct wire_suspicion suspicions[2];

    switch (what) {
    case 0: return wire_put_probe(b, 1);
    case 1: return wire_put_on_behalf(b, 2);
    case 2: return wire_put_view(b, 3, 4);
    case 3: return wire_put_suspicions(b, suspicions, 2);
    default:
        if (kind == WIRE_PING_REQ)
            return wire_put_target(b, 5, &entry6.addr);
        if (kind == WIRE_ANTI_ENTROPY)
            return wire_put_chunk(b, 6, 0, 1);
        return wire_put_entry(b, &entry6);
    }
}

/* A put that does not fit leaves builder and buffer as they were. */
static void test_what_does_not_fit(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {WIRE_PING_REQ, WIRE_ANTI_ENTROPY, WIRE_SYNC};
    static const size_t sizes[] = {9, 13, 17, 45};
    static const size_t payload_sizes[] = {27, 12, 36};

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        for (int what = 0; what <= 4; what++) {
            size_t need = what < 4 ? sizes[what] : payload_sizes[i];
            for (size_t room = 0; room <= need; room++) {
                struct wire_header header = header_of(kinds[i], WIRE_CAPABLE);
                struct wire_builder b;
                struct wire_builder before;
                uint8_t out[100];
                uint8_t out_before[sizeof out];
                memset(out, 0xAA, sizeof out);
                wire_begin(&b, out, WIRE_HEADER_SIZE + room, &header);
                assert_int_equal(wire_left(&b), room);
                memcpy(out_before, out, sizeof out);
                before = b;
                bool is_put = put_any(&b, kinds[i], what);
                assert_int_equal(is_put, room == need);
                assert_int_equal(wire_left(&b), is_put ? 0 : room);
                assert_int_equal(b.ext_start != 0, is_put && what < 4);
                assert_int_equal(b.in_payload, is_put && what == 4);
                if (!is_put)
                    assert_memory_equal(out, out_before, sizeof out);
                assert_int_equal(b.out.failed, before.out.failed);
            }
        }
    }
}

struct misuse {
    uint8_t kind;
    uint8_t capabilities;
    size_t cap;
    void (*action)(struct wire_builder *b);
};

static void misuse_nothing(struct wire_builder *b)
{
    (void)b;
}

static void misuse_finish(struct wire_builder *b)
{
    (void)wire_finish(b);
}

static void misuse_entry(struct wire_builder *b)
{
    (void)wire_put_entry(b, &entry4);
}

static void misuse_target(struct wire_builder *b)
{
    (void)wire_put_target(b, 1, &entry4.addr);
}

static void misuse_target_twice(struct wire_builder *b)
{
    misuse_target(b);
    misuse_target(b);
}

static void misuse_chunk(struct wire_builder *b)
{
    (void)wire_put_chunk(b, 1, 0, 1);
}

static void misuse_chunk_twice(struct wire_builder *b)
{
    misuse_chunk(b);
    misuse_chunk(b);
}

static void misuse_probe(struct wire_builder *b)
{
    (void)wire_put_probe(b, 1);
}

static void misuse_record_after_payload(struct wire_builder *b)
{
    misuse_entry(b);
    misuse_probe(b);
}

static void misuse_family(struct wire_builder *b)
{
    struct wire_entry entry = entry4;
    entry.addr.family = 0;
    (void)wire_put_entry(b, &entry);
}

static void misuse_suspicions(struct wire_builder *b)
{
    static const struct wire_suspicion none;

    (void)wire_put_suspicions(b, &none, UINT16_MAX / WIRE_SUSPICION_SIZE + 1);
}

static void misuse_suspicions_plain(struct wire_builder *b)
{
    static const struct wire_suspicion one;

    (void)wire_put_suspicions(b, &one, 1);
}

static void build_wrongly(void *context)
{
    const struct misuse *misuse = context;
    struct wire_header header = header_of(misuse->kind, misuse->capabilities);
    struct wire_builder b;
    uint8_t out[200];

    wire_begin(&b, out, misuse->cap, &header);
    misuse->action(&b);
}

static void test_misuse_panics(void **state)
{
    (void)state;
    struct misuse misuses[] = {
        {WIRE_PING, 0, 23, misuse_nothing},
        {0, 0, 200, misuse_nothing},
        {WIRE_SYNC + 1, 1, 200, misuse_nothing},
        {WIRE_NACK, 0, 200, misuse_nothing},
        {WIRE_SYNC, 0, 200, misuse_nothing},
        {WIRE_PING_REQ, 0, 200, misuse_finish},
        {WIRE_ANTI_ENTROPY, 0, 200, misuse_finish},
        {WIRE_ANTI_ENTROPY, 0, 200, misuse_entry},
        {WIRE_PING_REQ, 0, 200, misuse_entry},
        {WIRE_LEAVE, 0, 200, misuse_entry},
        {WIRE_GOSSIP, 0, 200, misuse_target},
        {WIRE_PING_REQ, 0, 200, misuse_target_twice},
        {WIRE_GOSSIP, 0, 200, misuse_chunk},
        {WIRE_ANTI_ENTROPY, 0, 200, misuse_chunk_twice},
        {WIRE_PING, 0, 200, misuse_probe},
        {WIRE_PING, 1, 200, misuse_record_after_payload},
        {WIRE_PING, 1, 200, misuse_family},
        {WIRE_PING, 1, 200, misuse_suspicions},
        {WIRE_PING, 0, 200, misuse_suspicions_plain},
    };
    struct misuse fine = {WIRE_PING, 1, 200, misuse_probe};

    for (size_t i = 0; i < COUNT_OF(misuses); i++)
        assert_true(panics(build_wrongly, &misuses[i]));
    assert_false(panics(build_wrongly, &fine));
}

/* As many as fit come out as they went in, and one more changes nothing. */
static void test_suspicions(void **state)
{
    enum { FIT = (SWIM_DATAGRAM_MAX - WIRE_HEADER_SIZE - 5) / WIRE_SUSPICION_SIZE };
    struct wire_header header = header_of(WIRE_GOSSIP, WIRE_CAPABLE);
    struct wire_suspicion all[FIT + 1], one;
    struct wire_datagram d;
    struct wire_builder b;
    struct reader left;
    uint8_t out[SWIM_DATAGRAM_MAX];

    (void)state;
    for (uint32_t i = 0; i <= FIT; i++)
        all[i] = (struct wire_suspicion){UINT64_MAX - i, UINT32_MAX - 7 * i, 1000 + i};
    for (uint32_t count = 0; count <= FIT + 1; count++) {
        wire_begin(&b, out, sizeof out, &header);
        assert_int_equal(wire_put_suspicions(&b, all, count), count <= FIT);
        if (count > FIT)
            break;
        assert_int_equal(wire_decode(out, wire_finish(&b), &d), SWIM_OK);
        assert_non_null(d.suspicions);
        left = reader_of(d.suspicions, d.suspicions_size);
        for (uint32_t i = 0; i < count; i++) {
            assert_true(wire_next_suspicion(&left, &one));
            assert_true(one.target == all[i].target && one.accuser == all[i].accuser);
            assert_int_equal(one.incarnation, all[i].incarnation);
        }
        assert_false(wire_next_suspicion(&left, &one));
        assert_false(left.failed);
    }
}

/* ---- Random ------------------------------------------------------------------------------------- */

static struct swim_addr random_addr(struct prng *prng)
{
    struct swim_addr addr = {.family = prng_below(prng, 2) ? 4 : 6,
                             .port = (uint16_t)prng_next(prng)};
    for (size_t i = 0; i < (addr.family == 4 ? 4 : 16); i++)
        addr.ip[i] = (uint8_t)prng_next(prng);
    return addr;
}

static struct wire_entry random_entry(struct prng *prng)
{
    struct wire_entry entry = {.id = prng_next(prng),
                               .heartbeat = (uint32_t)prng_next(prng),
                               .incarnation = (uint32_t)prng_next(prng),
                               .status = (uint8_t)prng_next(prng),
                               .addr = random_addr(prng)};
    return entry;
}

/* A datagram as its sender means it: what the decoder only points to is kept here. */
struct meant {
    struct wire_datagram d;
    struct wire_entry entries[64];
    uint8_t suspicions[60];
    uint8_t buckets[60];
};

static void random_extension(struct prng *prng, struct meant *m)
{
    struct wire_datagram *d = &m->d;
    uint32_t which = prng_below(prng, 32);

    d->has_probe = which & 1;
    d->has_on_behalf = which & 2;
    d->has_view = which & 4;
    d->probe_sequence = d->has_probe ? (uint32_t)prng_next(prng) : 0;
    d->on_behalf = d->has_on_behalf ? prng_next(prng) : 0;
    d->view_digest = d->has_view ? prng_next(prng) : 0;
    d->view_count = d->has_view ? (uint32_t)prng_next(prng) : 0;
    for (size_t i = 0; i < sizeof m->buckets; i++) {
        m->buckets[i] = (uint8_t)prng_next(prng);
        m->suspicions[i] = (uint8_t)prng_next(prng);
    }
    if (which & 8) {
        d->buckets = m->buckets;
        d->buckets_size = (uint16_t)prng_below(prng, sizeof m->buckets + 1);
    }
    if (which & 16) {
        d->suspicions = m->suspicions;
        d->suspicions_size = (uint16_t)(20 * prng_below(prng, 4));
    }
}

static void random_datagram(struct prng *prng, struct meant *m)
{
    struct wire_header *h = &m->d.header;

    memset(m, 0, sizeof *m);
    h->capabilities = prng_below(prng, 2) ? WIRE_CAPABLE : 0;
    h->kind = (uint8_t)(1 + prng_below(prng, h->capabilities ? 8 : 6));
    h->flags = prng_below(prng, 2) ? WIRE_FLAG_REQUEST_ACK : 0;
    h->sender_id = prng_next(prng);
    h->heartbeat = (uint32_t)prng_next(prng);
    h->incarnation = (uint32_t)prng_next(prng);
    if (h->capabilities)
        random_extension(prng, m);
    if (h->kind == WIRE_PING_REQ) {
        m->d.target_id = prng_next(prng);
        m->d.target_addr = random_addr(prng);
    } else if (h->kind == WIRE_ANTI_ENTROPY) {
        m->d.table_version = prng_next(prng);
        m->d.chunk_index = (uint16_t)prng_next(prng);
        m->d.chunk_count = (uint16_t)prng_next(prng);
    }
}

/* Encodes with as many random entries as fit, up to a random number of them. */
static size_t encode_meant(struct prng *prng, struct meant *m, uint8_t *out, size_t cap)
{
    struct wire_builder b;
    uint32_t wanted = prng_below(prng, COUNT_OF(m->entries));
    uint32_t *count = &m->d.entry_count;

    wire_begin(&b, out, cap, &m->d.header);
    assert_true(put_extension(&b, &m->d));
    if (b.ext_start)
        m->d.header.flags |= WIRE_FLAG_EXTENDED;
    if (m->d.header.kind == WIRE_PING_REQ)
        assert_true(wire_put_target(&b, m->d.target_id, &m->d.target_addr));
    else if (m->d.header.kind == WIRE_ANTI_ENTROPY)
        assert_true(wire_put_chunk(&b, m->d.table_version, m->d.chunk_index, m->d.chunk_count));
    if (m->d.header.kind == WIRE_PING_REQ || m->d.header.kind == WIRE_LEAVE)
        wanted = 0;
    while (*count < wanted) {
        m->entries[*count] = random_entry(prng);
        if (!wire_put_entry(&b, &m->entries[*count]))
            break;
        ++*count;
    }
    return wire_finish(&b);
}

static void test_random_structs(void **state)
{
    (void)state;
    struct prng prng;
    struct meant m;
    uint8_t out[SWIM_DATAGRAM_MAX];

    prng_init(&prng, test_seed(__func__));
    for (int round = 0; round < 20000; round++) {
        size_t cap = 300 + prng_below(&prng, sizeof out - 299);
        struct wire_datagram d;
        struct wire_entry entry;
        random_datagram(&prng, &m);
        size_t size = encode_meant(&prng, &m, out, cap);
        assert_true(size <= cap);
        assert_int_equal(wire_decode(out, size, &d), SWIM_OK);
        assert_true(is_same_header(&d.header, &m.d.header));
        assert_true(is_same_extension(&d, &m.d));
        assert_true(d.target_id == m.d.target_id);
        assert_true(is_same_addr(&d.target_addr, &m.d.target_addr));
        assert_true(d.table_version == m.d.table_version);
        assert_int_equal(d.chunk_index, m.d.chunk_index);
        assert_int_equal(d.chunk_count, m.d.chunk_count);
        assert_int_equal(d.entry_count, m.d.entry_count);
        for (uint32_t i = 0; i < d.entry_count; i++) {
            assert_true(wire_next_entry(&d.entries, &entry));
            assert_true(is_same_entry(&entry, &m.entries[i]));
        }
        assert_null(roundtrip_check(out, size));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_does_not_fit),
        cmocka_unit_test(test_misuse_panics),
        cmocka_unit_test(test_suspicions),
        cmocka_unit_test(test_random_structs),
    };
    return cmocka_run_group_tests_name("wire_encode", tests, NULL, NULL);
}
