/*
 * The records of the extension (docs/protocol.md section 6), each named here, in every order, with
 * lengths that are right or nearly so, in datagrams whose header and checksum are right, read by
 * two decoders; so that a fuzzer need not guess frames before it comes to what is inside.
 *
 *     input: kind | record... | 255 payload          record: type, length, value as far as it goes
 *
 * A type selects from the table, a length of 0 is the one that the table gives it; others are
 * themselves.
 */
#include "differential.h"

#include "../unit/wire_roundtrip.h"

#define PAYLOAD 255

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    uint8_t type;
    uint16_t size;
} records[] = {
    {WIRE_EXT_PROBE, 4},
    {WIRE_EXT_ON_BEHALF, 8},
    {WIRE_EXT_SUSPICION, 20},
    {WIRE_EXT_SUSPICION, 340},
    {WIRE_EXT_VIEW, 12},
    {WIRE_EXT_BUCKETS, 3},
    {WIRE_EXT_BUCKETS, 35},
    {WIRE_EXT_BUCKETS, 7},
    {WIRE_EXT_BUCKETS, 4},
    {WIRE_EXT_META, 31},
    {0xC8, 1},
    {WIRE_EXT_TOKEN, 16},
    {WIRE_EXT_CLUSTER, 8},
    {WIRE_EXT_PADDING, 24},
};

/* The value comes from the input; what is missing there is zero. */
static void put(struct writer *out, struct reader *in)
{
    uint8_t choice = read_u8(in);
    uint16_t length = read_u8(in);
    uint8_t type = choice < sizeof records / sizeof records[0] ? records[choice].type : choice;
    size_t there;

    if (length == 0 && choice < sizeof records / sizeof records[0])
        length = records[choice].size;
    write_u8(out, type);
    write_u16(out, length);
    there = reader_left(in) < length ? reader_left(in) : length;
    write_bytes(out, read_bytes(in, there), there);
    for (size_t i = there; i < length; i++)
        write_u8(out, 0);
}

static void put_header(uint8_t *buf, uint8_t kind)
{
    memset(buf, 0, WIRE_HEADER_SIZE);
    buf[0] = WIRE_VERSION;
    buf[1] = kind;
    buf[11] = 2; /* the sender */
    buf[20] = WIRE_FLAG_EXTENDED;
    buf[21] = WIRE_CAPABLE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t buf[SWIM_RECEIVE_MAX];
    uint8_t *extension = buf + WIRE_HEADER_SIZE + 2;
    struct reader in = reader_of(data, size);
    struct writer out = writer_of(extension, sizeof buf - WIRE_HEADER_SIZE - 2);
    size_t there;

    put_header(buf, 1 + read_u8(&in) % WIRE_SYNC);
    while (reader_left(&in) > 0 && *in.at != PAYLOAD && !out.failed)
        put(&out, &in);
    store_u16(extension - 2, (uint16_t)writer_size(&out));
    (void)read_u8(&in);
    there = reader_left(&in) < writer_left(&out) ? reader_left(&in) : writer_left(&out);
    write_bytes(&out, read_bytes(&in, there), there);
    size = WIRE_HEADER_SIZE + 2 + writer_size(&out);
    repair(buf, size);
    differential_demand(buf, size);
    return 0;
}
