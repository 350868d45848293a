/*
 * Datagrams against the recorded ones of another implementation, against every way to damage
 * them, and against docs/protocol.md sections 1, 2 and 6, rule by rule.
 */
#include "support.h"

#include "base/prng.h"
#include "wire_roundtrip.h"

struct wire_vector {
    const char *name;
    const uint8_t *bytes;
    size_t size;
    enum swim_error error; /* SWIM_OK: the rest holds */
    uint8_t kind;
    uint8_t flags; /* as sent; unknown ones are not kept */
    uint64_t sender_id;
    uint32_t heartbeat;
    uint32_t incarnation;
    uint64_t target_id;
    struct swim_addr target_addr;
    uint64_t table_version;
    uint16_t chunk_index;
    uint16_t chunk_count;
    const struct wire_entry *entries;
    uint32_t entry_count;
};

#include "wire_vectors.h"

/* ---- Building what is tested ----------------------------------------------------------------- */

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

/* A datagram with any header bytes and payload, lengths and checksum right. */
struct raw {
    uint8_t bytes[SWIM_RECEIVE_MAX + 1];
    size_t size;
};

static struct raw raw_of(uint8_t kind, uint8_t flags, uint8_t capabilities, const void *payload,
                         size_t size)
{
    struct raw raw = {.bytes = {WIRE_VERSION, kind, [11] = 9, [20] = flags, [21] = capabilities},
                      .size = WIRE_HEADER_SIZE + size};
    assert_true(raw.size <= sizeof raw.bytes);
    if (size)
        memcpy(raw.bytes + WIRE_HEADER_SIZE, payload, size);
    repair(raw.bytes, raw.size);
    return raw;
}

static enum swim_error decode_raw(const struct raw *raw, struct wire_datagram *ret)
{
    return wire_decode(raw->bytes, raw->size, ret);
}

/* Decodes an EXTENDED PING from a capable sender that has this payload. */
static enum swim_error decode_extended(struct raw *raw, const void *payload, size_t size,
                                       struct wire_datagram *ret)
{
    *raw = raw_of(WIRE_PING, WIRE_FLAG_EXTENDED, WIRE_CAPABLE, payload, size);
    assert_null(roundtrip_check(raw->bytes, raw->size));
    return decode_raw(raw, ret);
}

/* ---- Recorded datagrams ----------------------------------------------------------------------- */

static void check_fields(const struct wire_vector *v, const struct wire_datagram *d)
{
    assert_int_equal(d->header.kind, v->kind);
    assert_int_equal(d->header.flags, v->flags & WIRE_FLAG_REQUEST_ACK);
    assert_true(d->header.sender_id == v->sender_id);
    assert_int_equal(d->header.heartbeat, v->heartbeat);
    assert_int_equal(d->header.incarnation, v->incarnation);
    assert_true(d->target_id == v->target_id);
    assert_true(is_same_addr(&d->target_addr, &v->target_addr));
    assert_true(d->table_version == v->table_version);
    assert_int_equal(d->chunk_index, v->chunk_index);
    assert_int_equal(d->chunk_count, v->chunk_count);
    assert_int_equal(d->entry_count, v->entry_count);
    assert_false(d->has_probe || d->has_on_behalf || d->has_view);
    assert_null(d->suspicions);
    assert_null(d->buckets);

    struct reader entries = d->entries;
    struct wire_entry entry;
    for (uint32_t i = 0; i < v->entry_count; i++) {
        assert_true(wire_next_entry(&entries, &entry));
        assert_true(is_same_entry(&entry, &v->entries[i]));
    }
    assert_false(wire_next_entry(&entries, &entry));
}

static void test_vectors_decode(void **state)
{
    (void)state;
    uint32_t accepted = 0;

    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct wire_vector *v = &vectors[i];
        struct wire_datagram d;
        print_message("%s\n", v->name);
        assert_int_equal(wire_decode(v->bytes, v->size, &d), v->error);
        if (v->error != SWIM_OK)
            continue;
        check_fields(v, &d);
        accepted++;
    }
    assert_int_equal(COUNT_OF(vectors), 24);
    assert_int_equal(accepted, 16);
}

/* Only these hold what the protocol does not keep. */
static bool is_kept_whole(const struct wire_vector *v)
{
    return strcmp(v->name, "reserved_byte_nonzero") != 0 && strcmp(v->name, "unknown_flags") != 0 &&
           strcmp(v->name, "leave_with_payload") != 0;
}

static void test_vectors_encode_again(void **state)
{
    (void)state;

    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct wire_vector *v = &vectors[i];
        struct wire_datagram d;
        uint8_t again[SWIM_DATAGRAM_MAX];
        if (wire_decode(v->bytes, v->size, &d) != SWIM_OK)
            continue;
        size_t size = encode_again(&d, again, sizeof again);
        assert_null(roundtrip_check(v->bytes, v->size));
        if (!is_kept_whole(v))
            continue;
        assert_int_equal(size, v->size);
        assert_memory_equal(again, v->bytes, size);
    }
}

/* In memory of exactly its size, so that sanitizers see any byte read behind it. */
static uint8_t *exact_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, bytes, size);
    return copy;
}

static void check_truncations(const uint8_t *bytes, size_t size, bool is_ok)
{
    for (size_t left = 0; left < size; left++) {
        struct wire_datagram d;
        uint8_t *cut = exact_copy(bytes, left);
        assert_null(roundtrip_check(cut, left));
        assert_false(is_ok && wire_decode(cut, left, &d) == SWIM_OK);
        /* And with a header that agrees. */
        repair(cut, left);
        assert_null(roundtrip_check(cut, left));
        free(cut);
    }
}

static void check_corruptions(const uint8_t *bytes, size_t size, bool is_ok)
{
    uint8_t *data = exact_copy(bytes, size);

    for (size_t i = 0; i < size; i++) {
        for (int change = 1; change < 256; change++) {
            struct wire_datagram d;
            data[i] = (uint8_t)(bytes[i] ^ change);
            /* One's complement sums see every change of one byte. */
            if (wire_decode(data, size, &d) == SWIM_OK) {
                assert_false(is_ok);
                assert_null(roundtrip_check(data, size));
            }
            /* And when the checksum covers up for it. */
            if (size < WIRE_HEADER_SIZE || i == 22 || i == 23)
                continue;
            store_u16(data + 22, 0);
            store_u16(data + 22, wire_checksum(data, size));
            assert_null(roundtrip_check(data, size));
            memcpy(data + 22, bytes + 22, 2);
        }
        data[i] = bytes[i];
    }
    free(data);
}

static void test_vectors_truncated(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++)
        check_truncations(vectors[i].bytes, vectors[i].size, vectors[i].error == SWIM_OK);
}

static void test_vectors_corrupted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        const struct wire_vector *v = &vectors[i];
        check_corruptions(v->bytes, v->size, v->error == SWIM_OK);
    }
}

/* ---- Header ------------------------------------------------------------------------------------ */

/* Of several faults the first in the order of the checks is the reason. */
static void test_order_of_checks(void **state)
{
    (void)state;
    struct wire_datagram d;
    uint8_t data[26] = {[0] = 9, [1] = 99, [3] = 77}; /* wrong in every way */
    const uint8_t half_entry[2] = {0};

    assert_int_equal(wire_decode(data, 23, &d), SWIM_DROP_SHORT);
    assert_int_equal(wire_decode(data, 26, &d), SWIM_DROP_VERSION);
    data[0] = WIRE_VERSION;
    assert_int_equal(wire_decode(data, 26, &d), SWIM_DROP_LENGTH);
    data[3] = 2;
    assert_int_equal(wire_decode(data, 26, &d), SWIM_DROP_CHECKSUM);
    repair(data, 26);
    assert_int_equal(wire_decode(data, 26, &d), SWIM_DROP_KIND);
    struct raw raw = raw_of(WIRE_GOSSIP, 0, 0, half_entry, 2);
    assert_int_equal(decode_raw(&raw, &d), SWIM_DROP_PAYLOAD);
}

static void test_size_limits(void **state)
{
    (void)state;
    struct wire_datagram d;
    static const uint8_t payload[SWIM_RECEIVE_MAX];

    assert_int_equal(wire_decode(payload, 0, &d), SWIM_DROP_SHORT);
    struct raw largest = raw_of(WIRE_LEAVE, 0, 0, payload, SWIM_RECEIVE_MAX - WIRE_HEADER_SIZE);
    assert_int_equal(decode_raw(&largest, &d), SWIM_OK);
    struct raw larger = raw_of(WIRE_LEAVE, 0, 0, payload, SWIM_RECEIVE_MAX - WIRE_HEADER_SIZE + 1);
    assert_int_equal(decode_raw(&larger, &d), SWIM_DROP_SHORT);
}

static void test_kinds_and_versions(void **state)
{
    (void)state;
    struct wire_datagram d;

    for (int kind = 0; kind < 256; kind++) {
        struct raw plain = raw_of((uint8_t)kind, 0, 0xFE, NULL, 0);
        struct raw capable = raw_of((uint8_t)kind, 0, 0xFF, NULL, 0);
        bool is_empty_ok = kind != WIRE_PING_REQ && kind != WIRE_ANTI_ENTROPY;
        enum swim_error known = is_empty_ok ? SWIM_OK : SWIM_DROP_PAYLOAD;
        assert_int_equal(decode_raw(&plain, &d), kind >= 1 && kind <= 6 ? known : SWIM_DROP_KIND);
        assert_int_equal(decode_raw(&capable, &d), kind >= 1 && kind <= 8 ? known : SWIM_DROP_KIND);
    }
    for (int version = 0; version < 256; version++) {
        struct raw raw = raw_of(WIRE_PING, 0, 0, NULL, 0);
        raw.bytes[0] = (uint8_t)version;
        repair(raw.bytes, raw.size);
        assert_int_equal(decode_raw(&raw, &d), version == 1 ? SWIM_OK : SWIM_DROP_VERSION);
    }
}

/* Bits that nobody has defined yet reach nobody. */
static void test_reserved_bits(void **state)
{
    (void)state;
    struct wire_datagram d;
    const uint8_t no_extension[2] = {0, 0};

    for (int flags = 0; flags < 256; flags++) {
        struct raw plain = raw_of(WIRE_ACK, (uint8_t)flags, 0xFE, NULL, 0);
        assert_int_equal(decode_raw(&plain, &d), SWIM_OK);
        assert_int_equal(d.header.flags, flags & WIRE_FLAG_REQUEST_ACK);
        assert_int_equal(d.header.capabilities, 0);
        struct raw capable = raw_of(WIRE_ACK, (uint8_t)flags, 0xFF, no_extension,
                                    flags & WIRE_FLAG_EXTENDED ? 2 : 0);
        assert_int_equal(decode_raw(&capable, &d), SWIM_OK);
        assert_int_equal(d.header.flags, flags & (WIRE_FLAG_REQUEST_ACK | WIRE_FLAG_EXTENDED));
        assert_int_equal(d.header.capabilities, WIRE_CAPABLE);
    }

    struct wire_header header = header_of(WIRE_ACK, 0xFF);
    struct wire_builder b;
    uint8_t out[WIRE_HEADER_SIZE];
    header.flags = 0xFF; /* EXTENDED is not the caller's to set */
    wire_begin(&b, out, sizeof out, &header);
    assert_int_equal(wire_finish(&b), WIRE_HEADER_SIZE);
    assert_int_equal(out[20], WIRE_FLAG_REQUEST_ACK);
    assert_int_equal(out[21], WIRE_CAPABLE);
}

static void test_unaligned(void **state)
{
    (void)state;
    const struct wire_vector *v = &vectors[1];
    uint8_t buffer[256];

    for (size_t shift = 0; shift < 8; shift++) {
        struct wire_datagram d;
        memcpy(buffer + shift, v->bytes, v->size);
        assert_int_equal(wire_decode(buffer + shift, v->size, &d), SWIM_OK);
        check_fields(v, &d);
        assert_null(roundtrip_check(buffer + shift, v->size));
    }
}

/* ---- Payloads ---------------------------------------------------------------------------------- */

static void test_target_agrees_with_its_family(void **state)
{
    (void)state;
    struct wire_datagram d;

    for (size_t size = 0; size <= 40; size++) {
        for (int family = 0; family < 256; family++) {
            uint8_t payload[40] = {[7] = 1, [8] = (uint8_t)family};
            struct raw raw = raw_of(WIRE_PING_REQ, 0, 0, payload, size);
            bool is_ok = (size == 15 && family == 4) || (size == 27 && family == 6);
            assert_int_equal(decode_raw(&raw, &d), is_ok ? SWIM_OK : SWIM_DROP_PAYLOAD);
            assert_null(roundtrip_check(raw.bytes, raw.size));
        }
    }
}

static void test_entry_families_and_states(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {WIRE_GOSSIP, WIRE_PING, WIRE_ACK, WIRE_NACK, WIRE_SYNC};
    struct wire_datagram d;
    struct wire_entry entry;

    for (int value = 0; value < 256; value++) {
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
            uint8_t payload[WIRE_ENTRY6_SIZE] = {[16] = (uint8_t)value, [17] = 4};
            struct raw raw = raw_of(kinds[i], 0, WIRE_CAPABLE, payload, WIRE_ENTRY4_SIZE);
            assert_int_equal(decode_raw(&raw, &d), SWIM_OK);
            assert_true(wire_next_entry(&d.entries, &entry));
            assert_int_equal(entry.status, value); /* any: the reader skips those it can't use */

            payload[17] = (uint8_t)value;
            raw = raw_of(kinds[i], 0, WIRE_CAPABLE, payload, WIRE_ENTRY4_SIZE);
            assert_int_equal(decode_raw(&raw, &d), value == 4 ? SWIM_OK : SWIM_DROP_PAYLOAD);
            raw = raw_of(kinds[i], 0, WIRE_CAPABLE, payload, WIRE_ENTRY6_SIZE);
            assert_int_equal(decode_raw(&raw, &d), value == 6 ? SWIM_OK : SWIM_DROP_PAYLOAD);
        }
    }
}

static void test_mapped_address_is_kept(void **state)
{
    (void)state;
    struct wire_header header = header_of(WIRE_GOSSIP, 0);
    struct wire_entry mapped = entry6;
    const uint8_t ip[16] = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1};
    struct wire_builder b;
    struct wire_datagram d;
    struct wire_entry entry;
    uint8_t out[100];

    memcpy(mapped.addr.ip, ip, sizeof ip);
    wire_begin(&b, out, sizeof out, &header);
    assert_true(wire_put_entry(&b, &mapped));
    assert_int_equal(wire_decode(out, wire_finish(&b), &d), SWIM_OK);
    assert_true(wire_next_entry(&d.entries, &entry));
    assert_true(is_same_entry(&entry, &mapped));
}

static void test_chunk_header(void **state)
{
    (void)state;
    struct wire_datagram d;
    static const uint8_t payload[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

    for (size_t size = 0; size < 12; size++) {
        struct raw cut = raw_of(WIRE_ANTI_ENTROPY, 0, 0, payload, size);
        assert_int_equal(decode_raw(&cut, &d), SWIM_DROP_PAYLOAD);
    }
    struct raw raw = raw_of(WIRE_ANTI_ENTROPY, 0, 0, payload, 12);
    assert_int_equal(decode_raw(&raw, &d), SWIM_OK);
    assert_true(d.table_version == UINT64_C(0x0102030405060708));
    assert_int_equal(d.chunk_index, 0x090A);
    assert_int_equal(d.chunk_count, 0x0B0C);
    assert_int_equal(d.entry_count, 0);
}

static void test_most_entries(void **state)
{
    (void)state;
    static const struct {
        const struct wire_entry *entry;
        uint32_t count;
    } cases[] = {{&entry4, 58}, {&entry6, 38}};

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wire_header header = header_of(WIRE_GOSSIP, 0);
        struct wire_builder b;
        struct wire_datagram d;
        uint8_t out[2000]; /* wire_begin knows the limit by itself */
        uint32_t count = 0;
        wire_begin(&b, out, sizeof out, &header);
        while (wire_put_entry(&b, cases[i].entry))
            count++;
        assert_int_equal(count, cases[i].count);
        size_t size = wire_finish(&b);
        assert_true(size <= SWIM_DATAGRAM_MAX);
        assert_int_equal(wire_decode(out, size, &d), SWIM_OK);
        assert_int_equal(d.entry_count, count);
        assert_int_equal(wire_entry_size(&cases[i].entry->addr), i == 0 ? 24 : 36);
    }
}

/* ---- Extension --------------------------------------------------------------------------------- */

/* To the byte, as docs/protocol.md has it. */
static void test_extension_layout(void **state)
{
    (void)state;
    static const uint8_t expected[] = {
        0,    80,                                                     /* ext_len */
        0x01, 0,  4,  0xDE, 0xAD, 0xBE, 0xEF,                         /* PROBE */
        0x02, 0,  8,  1,    2,    3,    4,    5, 6, 7, 8,             /* ON_BEHALF */
        0x03, 0,  40,                                                 /* SUSPICION, two: */
        1,    2,  3,  4,    5,    6,    7,    8,                      /* target */
        0,    0,  0,  9,    8,    7,    6,    5, 4, 3, 2, 1,          /* incarnation, accuser */
        0,    0,  0,  0,    0,    0,    0,    5,                      /* target */
        1,    2,  3,  4,    0,    0,    0,    0, 0, 0, 0, 6,          /* incarnation, accuser */
        0x04, 0,  12, 9,    8,    7,    6,    5, 4, 3, 2, 0, 0, 1, 0, /* VIEW */
        0x77, 0,  1,  0x55,                                           /* a later version's */
    };
    static const struct wire_suspicion suspicions[] = {
        {UINT64_C(0x0102030405060708), 9, UINT64_C(0x0807060504030201)}, {5, 0x01020304, 6}};
    struct wire_header header = header_of(WIRE_PING, WIRE_CAPABLE);
    struct wire_builder b;
    struct wire_datagram d;
    uint8_t out[200];

    header.flags = WIRE_FLAG_REQUEST_ACK;
    wire_begin(&b, out, sizeof out, &header);
    assert_true(wire_put_probe(&b, 0xDEADBEEF));
    assert_true(wire_put_on_behalf(&b, UINT64_C(0x0102030405060708)));
    assert_true(wire_put_suspicions(&b, suspicions, 2));
    assert_true(wire_put_view(&b, UINT64_C(0x0908070605040302), 256));
    assert_true(wire_put_record(&b, 0x77, "\x55", 1));
    assert_true(wire_put_entry(&b, &entry4));
    assert_true(wire_put_entry(&b, &entry6));
    size_t size = wire_finish(&b);
    assert_int_equal(size, WIRE_HEADER_SIZE + sizeof expected + 24 + 36);
    assert_memory_equal(out + WIRE_HEADER_SIZE, expected, sizeof expected);
    assert_int_equal(out[20], WIRE_FLAG_REQUEST_ACK | WIRE_FLAG_EXTENDED);

    assert_int_equal(wire_decode(out, size, &d), SWIM_OK);
    assert_int_equal(d.header.flags, WIRE_FLAG_REQUEST_ACK | WIRE_FLAG_EXTENDED);
    assert_true(d.has_probe && d.probe_sequence == 0xDEADBEEF);
    assert_true(d.has_on_behalf && d.on_behalf == UINT64_C(0x0102030405060708));
    assert_true(d.has_view && d.view_digest == UINT64_C(0x0908070605040302));
    assert_int_equal(d.view_count, 256);
    assert_int_equal(d.entry_count, 2);
    assert_null(roundtrip_check(out, size));
    check_truncations(out, size, true);
    check_corruptions(out, size, true);
}

/* Each kind of payload behind an extension. */
static void test_extension_before_every_payload(void **state)
{
    (void)state;

    for (uint8_t kind = WIRE_GOSSIP; kind <= WIRE_SYNC; kind++) {
        struct wire_header header = header_of(kind, WIRE_CAPABLE);
        struct wire_builder b;
        struct wire_datagram d;
        uint8_t out[200];
        wire_begin(&b, out, sizeof out, &header);
        assert_true(wire_put_probe(&b, 7));
        if (kind == WIRE_PING_REQ)
            assert_true(wire_put_target(&b, 5, &entry6.addr));
        else if (kind == WIRE_ANTI_ENTROPY)
            assert_true(wire_put_chunk(&b, 6, 1, 2));
        if (kind != WIRE_PING_REQ && kind != WIRE_LEAVE)
            assert_true(wire_put_entry(&b, &entry6));
        size_t size = wire_finish(&b);
        assert_int_equal(wire_decode(out, size, &d), SWIM_OK);
        assert_true(d.has_probe && d.probe_sequence == 7);
        assert_true(d.target_id == (kind == WIRE_PING_REQ ? 5 : 0));
        assert_int_equal(d.chunk_count, kind == WIRE_ANTI_ENTROPY ? 2 : 0);
        assert_int_equal(d.entry_count, kind != WIRE_PING_REQ && kind != WIRE_LEAVE);
        assert_null(roundtrip_check(out, size));
        check_truncations(out, size, true);
        check_corruptions(out, size, true);
    }
}

/* Without the capability bit, flag EXTENDED is one of the unknown ones. */
static void test_extended_needs_capability(void **state)
{
    (void)state;
    static const uint8_t payload[] = {0, 7, 0x01, 0, 4, 0, 0, 0, 9};
    struct wire_datagram d;

    struct raw plain = raw_of(WIRE_LEAVE, WIRE_FLAG_EXTENDED, 0, payload, sizeof payload);
    assert_int_equal(decode_raw(&plain, &d), SWIM_OK);
    assert_int_equal(d.header.flags, 0);
    assert_false(d.has_probe);
    plain = raw_of(WIRE_PING, WIRE_FLAG_EXTENDED, 0, payload, sizeof payload);
    assert_int_equal(decode_raw(&plain, &d), SWIM_DROP_PAYLOAD); /* no entry is this short */
    struct raw capable = raw_of(WIRE_PING, WIRE_FLAG_EXTENDED, 1, payload, sizeof payload);
    assert_int_equal(decode_raw(&capable, &d), SWIM_OK);
    assert_true(d.has_probe && d.probe_sequence == 9);
    /* And without the flag, a capable peer's payload is plain. */
    capable = raw_of(WIRE_PING, 0, 1, payload, sizeof payload);
    assert_int_equal(decode_raw(&capable, &d), SWIM_DROP_PAYLOAD);
}

static void test_record_sizes(void **state)
{
    (void)state;

    for (uint8_t type = 0; type < 16; type++) {
        for (uint8_t size = 0; size <= 64; size++) {
            uint8_t payload[5 + 64] = {0, (uint8_t)(size + 3), type, 0, size};
            struct wire_datagram d;
            struct raw raw;
            bool is_ok = true;
            if (type == WIRE_EXT_PROBE)
                is_ok = size == 4;
            else if (type == WIRE_EXT_ON_BEHALF)
                is_ok = size == 8;
            else if (type == WIRE_EXT_VIEW)
                is_ok = size == 12;
            else if (type == WIRE_EXT_SUSPICION)
                is_ok = size % 20 == 0;
            else if (type == WIRE_EXT_TOKEN)
                is_ok = size == 16 || size == 0;
            else if (type == WIRE_EXT_CLUSTER)
                is_ok = size == 8;
            else if (type == WIRE_EXT_META)
                is_ok = size == 0; /* parts of size 0 are none: test_wire_meta.c */
            assert_int_equal(decode_extended(&raw, payload, 5u + size, &d),
                             is_ok ? SWIM_OK : SWIM_DROP_PAYLOAD);
            if (!is_ok)
                continue;
            assert_int_equal(d.suspicions != NULL, type == WIRE_EXT_SUSPICION);
            assert_int_equal(d.suspicions_size, type == WIRE_EXT_SUSPICION ? size : 0);
            assert_int_equal(d.buckets != NULL, type == WIRE_EXT_BUCKETS);
            assert_int_equal(d.buckets_size, type == WIRE_EXT_BUCKETS ? size : 0);
        }
    }
}

static void test_repeated_records_count_once(void **state)
{
    (void)state;
    static const uint8_t payload[] = {
        0,    30, 0x01, 0,    4, 0, 0,    0, 1, 0x01, 0, 4, 0, 0, 0, 2, /* PROBE 1, then 2 */
        0x05, 0,  0,    0x05, 0, 1, 9, /* BUCKETS of 0 bytes, then of 1 */
        0x03, 0,  0,    0x03, 0, 0, 0x66, 0, 0,
    };
    struct wire_datagram d;
    struct raw raw;

    assert_int_equal(decode_extended(&raw, payload, sizeof payload, &d), SWIM_OK);
    assert_int_equal(d.probe_sequence, 1);
    assert_ptr_equal(d.buckets, raw.bytes + WIRE_HEADER_SIZE + 19);
    assert_int_equal(d.buckets_size, 0);
    assert_non_null(d.suspicions);

    /* The second one must be well-formed all the same. */
    static const uint8_t broken[] = {0, 13, 1, 0, 4, 0, 0, 0, 1, 1, 0, 3, 0, 0, 2};
    assert_int_equal(decode_extended(&raw, broken, sizeof broken, &d), SWIM_DROP_PAYLOAD);
}

static void test_broken_frames(void **state)
{
    (void)state;
    static const struct {
        uint8_t payload[8];
        size_t size;
        enum swim_error error;
    } cases[] = {
        {{0}, 0, SWIM_DROP_PAYLOAD},                   /* no ext_len */
        {{0}, 1, SWIM_DROP_PAYLOAD},                   /* half of it */
        {{0, 0}, 2, SWIM_OK},                          /* empty */
        {{0, 1, 0x77}, 3, SWIM_DROP_PAYLOAD},          /* a type without length */
        {{0, 2, 0x77, 0}, 4, SWIM_DROP_PAYLOAD},       /* half a length */
        {{0, 3, 0x77, 0, 0}, 5, SWIM_OK},              /* empty record */
        {{0, 3, 0x77, 0, 1, 0}, 6, SWIM_DROP_PAYLOAD}, /* a record over the extension's end */
        {{0, 4, 0x77, 0, 0}, 5, SWIM_DROP_PAYLOAD},    /* an extension over the payload's end */
        {{0xFF, 0xFF, 0x77, 0, 0}, 5, SWIM_DROP_PAYLOAD},
        {{0, 3, 0x77, 0xFF, 0xFF}, 5, SWIM_DROP_PAYLOAD},
        {{0, 3, 0x77, 0, 0, 0}, 6, SWIM_DROP_PAYLOAD}, /* a byte of an entry behind it */
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wire_datagram d;
        struct raw raw;
        assert_int_equal(decode_extended(&raw, cases[i].payload, cases[i].size, &d),
                         cases[i].error);
    }
}

/* ---- Noise ------------------------------------------------------------------------------------ */

/* Noise under a header that passes, mostly: small values, so that families and lengths fit. */
static void test_random_bytes(void **state)
{
    (void)state;
    struct prng prng;
    uint32_t accepted = 0;

    prng_init(&prng, test_seed(__func__));
    for (int round = 0; round < 200000; round++) {
        struct wire_datagram d;
        size_t size = WIRE_HEADER_SIZE + prng_below(&prng, 90);
        uint8_t *data = malloc(size);
        assert_non_null(data);
        uint32_t range = prng_below(&prng, 4) ? 7 : 256;
        for (size_t i = 0; i < size; i++)
            data[i] = prng_below(&prng, 2) ? 0 : (uint8_t)prng_below(&prng, range);
        data[0] = WIRE_VERSION;
        repair(data, size);
        assert_null(roundtrip_check(data, size));
        accepted += wire_decode(data, size, &d) == SWIM_OK;
        free(data);
    }
    assert_true(accepted > 1000);
}

/* ---- Checksum ----------------------------------------------------------------------------------- */

static void test_checksum_example(void **state)
{
    (void)state;
    /* The example of RFC 1071 section 3: its sum is 0xDDF2. */
    static const uint8_t data[] = {0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7};
    assert_int_equal(wire_checksum(data, sizeof data), 0xFFFF - 0xDDF2);
    assert_int_equal(wire_checksum(data, 0), 0xFFFF);
    assert_int_equal(wire_checksum(data + 2, 1), 0xFFFF - 0xF200); /* padded on the right */
}

static void test_checksum_against_pairs(void **state)
{
    (void)state;
    static uint8_t data[1600];
    struct prng prng;

    prng_init(&prng, test_seed(__func__));
    for (int fill = 0; fill < 4; fill++) {
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = fill == 0 ? 0 : fill == 1 ? 0xFF : (uint8_t)prng_next(&prng);
        for (size_t size = 0; size <= 1500; size++) {
            size_t shift = size % 8 + (size_t)fill;
            assert_int_equal(wire_checksum(data + shift, size),
                             checksum_by_pairs(data + shift, size));
        }
    }
}

/* Large enough for the sums to carry far beyond 32 bits. */
static void test_checksum_carries(void **state)
{
    (void)state;
    const size_t size = 65535 * 2;
    uint8_t *data = malloc(size);

    assert_non_null(data);
    memset(data, 0xFF, size);
    assert_int_equal(wire_checksum(data, size), 0);
    data[size - 1] = 0xFE;
    assert_int_equal(wire_checksum(data, size), 1);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_decode),
        cmocka_unit_test(test_vectors_encode_again),
        cmocka_unit_test(test_vectors_truncated),
        cmocka_unit_test(test_vectors_corrupted),
        cmocka_unit_test(test_order_of_checks),
        cmocka_unit_test(test_size_limits),
        cmocka_unit_test(test_kinds_and_versions),
        cmocka_unit_test(test_reserved_bits),
        cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_target_agrees_with_its_family),
        cmocka_unit_test(test_entry_families_and_states),
        cmocka_unit_test(test_mapped_address_is_kept),
        cmocka_unit_test(test_chunk_header),
        cmocka_unit_test(test_most_entries),
        cmocka_unit_test(test_extension_layout),
        cmocka_unit_test(test_extension_before_every_payload),
        cmocka_unit_test(test_extended_needs_capability),
        cmocka_unit_test(test_record_sizes),
        cmocka_unit_test(test_repeated_records_count_once),
        cmocka_unit_test(test_broken_frames),
        cmocka_unit_test(test_random_bytes),
        cmocka_unit_test(test_checksum_example),
        cmocka_unit_test(test_checksum_against_pairs),
        cmocka_unit_test(test_checksum_carries),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
