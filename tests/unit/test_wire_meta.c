/*
 * META records (src/wire): to the byte as docs/protocol.md section 6 has them, every part that is
 * not whole is refused, and what is accepted stays inside its bytes.
 */
#include "support.h"

#include "wire_roundtrip.h"

static const uint8_t content[] = "db-2\0rack\0007"; /* with its last zero: the example */

static struct wire_meta_part part_of(const uint8_t *bytes, uint16_t size, uint8_t number)
{
    return (struct wire_meta_part){
        .id = 2,
        .key = {0, 1, UINT64_C(0x29811aa202d4f86d)},
        .size = size,
        .number = number,
        .bytes = bytes + (size_t)number * WIRE_META_PART,
    };
}

/* A PING of member 9 with this value in a META record. */
static size_t ping_with(const uint8_t *value, size_t size, uint8_t *out)
{
    struct wire_header header = {
        .kind = WIRE_PING, .capabilities = WIRE_CAPABLE, .sender_id = 9, .heartbeat = 3};
    struct wire_builder b;

    wire_begin(&b, out, SWIM_DATAGRAM_MAX, &header);
    assert_true(wire_put_record(&b, WIRE_EXT_META, value, (uint16_t)size));
    return wire_finish(&b);
}

static enum swim_error decode(const uint8_t *value, size_t size, struct wire_datagram *ret)
{
    static uint8_t out[SWIM_DATAGRAM_MAX];

    return wire_decode(out, ping_with(value, size, out), ret);
}

static void test_the_example_of_the_specification(void **state)
{
    static const uint8_t expected[] = {
        0x00, 0x2a,                                     /* ext_len */
        0x06, 0x00, 0x27,                               /* META, 39 bytes */
        0,    0,    0,    0,    0,    0,    0,    2,    /* member */
        0,    0,    0,    0,    0,    0,    0,    1,    /* incarnation, version */
        0x29, 0x81, 0x1a, 0xa2, 0x02, 0xd4, 0xf8, 0x6d, /* digest */
        0x00, 0x0c, 0x00,                               /* size, number */
        'd',  'b',  '-',  '2',  0,    'r',  'a',  'c',  'k', 0, '7', 0,
    };
    struct wire_meta_part part = part_of(content, sizeof content, 0), got;
    uint8_t value[100], out[SWIM_DATAGRAM_MAX];
    struct writer w = writer_of(value, sizeof value);
    struct wire_datagram d;
    struct reader left;
    size_t size;

    (void)state;
    assert_int_equal(sizeof content, 12);
    assert_true(wire_write_meta(&w, &part));
    size = ping_with(value, writer_size(&w), out);
    assert_int_equal(size, WIRE_HEADER_SIZE + sizeof expected);
    assert_memory_equal(out + WIRE_HEADER_SIZE, expected, sizeof expected);
    assert_int_equal(wire_decode(out, size, &d), SWIM_OK);
    left = reader_of(d.metas, d.metas_size);
    assert_true(wire_next_meta(&left, &got));
    assert_int_equal(got.id, 2);
    assert_int_equal(got.key.version, 1);
    assert_int_equal(got.part_size, 12);
    assert_memory_equal(got.bytes, content, 12);
    assert_false(wire_next_meta(&left, &got));
    assert_null(roundtrip_check(out, size));
}

/* Every size and every number: as many bytes as they say, or refused. */
static void test_sizes_and_numbers(void **state)
{
    static uint8_t value[WIRE_META_HEADER + WIRE_META_PART];

    (void)state;
    for (uint32_t size = 0; size <= UINT16_MAX; size += size < 5200 ? 1 : 977) {
        for (uint8_t number = 0; number < 130; number++) {
            uint32_t before = number * 512u;
            uint32_t wanted = size > before ? size - before : 0;
            bool is_part = size <= 4225 && wanted > 0;
            struct wire_datagram d;

            if (wanted > 512)
                wanted = 512;
            if (!is_part && number > 10 && number < 120)
                continue; /* enough of those */
            store_u16(value + 24, (uint16_t)size);
            value[26] = number;
            assert_int_equal(decode(value, WIRE_META_HEADER + wanted, &d),
                             is_part ? SWIM_OK : SWIM_DROP_PAYLOAD);
            if (is_part && wanted > 1)
                assert_int_equal(decode(value, WIRE_META_HEADER + wanted - 1, &d),
                                 SWIM_DROP_PAYLOAD);
        }
    }
}

static void test_every_truncation_is_refused(void **state)
{
    uint8_t value[3 * (WIRE_META_HEADER + sizeof content)];
    struct writer w = writer_of(value, sizeof value);
    struct wire_meta_part part = part_of(content, sizeof content, 0);
    struct wire_datagram d;

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        assert_true(wire_write_meta(&w, &part));
    assert_false(wire_write_meta(&w, &part)); /* no room: nothing is written */
    assert_int_equal(writer_size(&w), sizeof value);
    assert_false(w.failed);
    for (size_t size = 0; size <= sizeof value; size++)
        assert_int_equal(decode(value, size, &d),
                         size % (WIRE_META_HEADER + sizeof content) ? SWIM_DROP_PAYLOAD : SWIM_OK);
}

/* Of two records the first one counts, but the second must be whole too. */
static void test_a_second_record(void **state)
{
    struct wire_header header = {.kind = WIRE_ACK, .capabilities = WIRE_CAPABLE, .sender_id = 9};
    struct wire_meta_part part = part_of(content, sizeof content, 0);
    uint8_t value[100], out[SWIM_DATAGRAM_MAX];
    struct writer w = writer_of(value, sizeof value);
    struct wire_builder b;
    struct wire_datagram d;

    (void)state;
    assert_true(wire_write_meta(&w, &part));
    for (unsigned cut = 0; cut < 2; cut++) {
        wire_begin(&b, out, sizeof out, &header);
        assert_true(wire_put_record(&b, WIRE_EXT_META, value, (uint16_t)writer_size(&w)));
        assert_true(wire_put_record(&b, WIRE_EXT_META, value, (uint16_t)(writer_size(&w) - cut)));
        assert_int_equal(wire_decode(out, wire_finish(&b), &d), cut ? SWIM_DROP_PAYLOAD : SWIM_OK);
        assert_ptr_equal(d.metas, out + WIRE_HEADER_SIZE + 5);
    }
}

static void test_room_for_a_record(void **state)
{
    struct wire_header header = {.kind = WIRE_ACK, .capabilities = WIRE_CAPABLE, .sender_id = 9};
    uint8_t value[200] = {0}, out[200];

    (void)state;
    for (size_t cap = WIRE_HEADER_SIZE; cap <= sizeof out; cap++) {
        for (size_t reserve = 0; reserve < 60; reserve += 24) {
            struct wire_builder b;
            size_t room;

            wire_begin(&b, out, cap, &header);
            room = wire_record_room(&b, reserve);
            if (room == 0)
                continue;
            assert_true(wire_put_record(&b, WIRE_EXT_BUCKETS, value, (uint16_t)room));
            assert_int_equal(wire_left(&b), reserve);
            assert_int_equal(wire_record_room(&b, 0), reserve > 3 ? reserve - 3 : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_specification),
        cmocka_unit_test(test_sizes_and_numbers),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_a_second_record),
        cmocka_unit_test(test_room_for_a_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
