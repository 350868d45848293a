/* The byte cursors: big-endian to the letter, and never a byte past the end. */
#include "support.h"

#include "base/bytes.h"

static void test_reads_are_big_endian(void **state)
{
    (void)state;
    uint8_t data[16];
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(0xF0 + i);
    struct reader r = reader_of(data + 1, 15); /* unaligned on purpose */

    assert_int_equal(read_u8(&r), 0xF1);
    assert_int_equal(read_u16(&r), 0xF2F3);
    assert_int_equal(read_u32(&r), 0xF4F5F6F7);
    assert_true(read_u64(&r) == UINT64_C(0xF8F9FAFBFCFDFEFF));
    assert_int_equal(reader_left(&r), 0);
    assert_false(r.failed);
}

static void test_read_past_the_end_fails_for_good(void **state)
{
    (void)state;
    const uint8_t data[3] = {1, 2, 3};
    struct reader r = reader_of(data, sizeof data);

    assert_int_equal(read_u32(&r), 0);
    assert_true(r.failed);
    assert_int_equal(reader_left(&r), 3);
    /* What would have fitted is refused as well. */
    assert_int_equal(read_u8(&r), 0);
    assert_int_equal(read_u16(&r), 0);
    assert_null(read_bytes(&r, 1));
    assert_true(read_u64(&r) == 0);
}

static void test_each_read_needs_its_size(void **state)
{
    (void)state;
    const uint8_t data[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};

    for (size_t size = 0; size <= sizeof data; size++) {
        struct reader r8 = reader_of(data, size);
        struct reader r16 = r8;
        struct reader r32 = r8;
        struct reader r64 = r8;
        assert_int_equal(read_u8(&r8), size >= 1 ? 0xFF : 0);
        assert_int_equal(read_u16(&r16), size >= 2 ? 0xFFFF : 0);
        assert_true(read_u32(&r32) == (size >= 4 ? UINT32_MAX : 0));
        assert_true(read_u64(&r64) == (size >= 8 ? UINT64_MAX : 0));
        assert_int_equal(r8.failed, size < 1);
        assert_int_equal(r16.failed, size < 2);
        assert_int_equal(r32.failed, size < 4);
        assert_int_equal(r64.failed, size < 8);
    }
}

static void test_read_bytes_in_place(void **state)
{
    (void)state;
    const uint8_t data[5] = {1, 2, 3, 4, 5};
    struct reader r = reader_of(data, sizeof data);

    assert_ptr_equal(read_bytes(&r, 2), data);
    assert_ptr_equal(read_bytes(&r, 0), data + 2);
    assert_ptr_equal(read_bytes(&r, 3), data + 2);
    assert_ptr_equal(read_bytes(&r, 0), data + 5);
    assert_null(read_bytes(&r, SIZE_MAX));
    assert_true(r.failed);
}

static void test_empty_reader(void **state)
{
    (void)state;
    struct reader r = reader_of(NULL, 0);

    assert_int_equal(reader_left(&r), 0);
    assert_int_equal(read_u8(&r), 0);
    assert_true(r.failed);
}

static void test_writes_are_big_endian(void **state)
{
    (void)state;
    uint8_t data[18];
    memset(data, 0xAA, sizeof data);
    struct writer w = writer_of(data + 1, 16);

    write_u8(&w, 1);
    write_u16(&w, 0x0203);
    write_u32(&w, 0x04050607);
    write_u64(&w, UINT64_C(0x08090A0B0C0D0E0F));
    assert_int_equal(writer_size(&w), 15);
    assert_int_equal(writer_left(&w), 1);
    write_bytes(&w, "\x10", 1);
    assert_false(w.failed);
    assert_int_equal(data[0], 0xAA);
    for (uint8_t i = 1; i <= 16; i++)
        assert_int_equal(data[i], i);
    assert_int_equal(data[17], 0xAA);
}

static void test_write_past_the_end_fails_for_good(void **state)
{
    (void)state;
    uint8_t data[64]; /* more than is written: compilers that see a failed write would warn */

    for (size_t capacity = 0; capacity < 8; capacity++) {
        memset(data, 0xAA, sizeof data);
        struct writer w = writer_of(data, capacity);
        write_u64(&w, 0);
        assert_true(w.failed);
        write_u8(&w, 0);
        write_u16(&w, 0);
        write_u32(&w, 0);
        write_bytes(&w, data, 0);
        assert_int_equal(writer_size(&w), 0);
        assert_int_equal(writer_left(&w), capacity);
        for (size_t i = 0; i < sizeof data; i++)
            assert_int_equal(data[i], 0xAA);
    }
}

static void test_write_space(void **state)
{
    (void)state;
    uint8_t data[4] = {0xAA, 0xAA, 0xAA, 0xAA};
    struct writer w = writer_of(data, sizeof data);

    write_u8(&w, 1);
    assert_ptr_equal(write_space(&w, 2), data + 1);
    assert_int_equal(writer_size(&w), 3);
    assert_int_equal(data[1], 0xAA);
    assert_null(write_space(&w, 2));
    assert_true(w.failed);
    assert_null(write_space(&w, 1));
    assert_int_equal(writer_size(&w), 3);
}

static void test_write_nothing_into_nothing(void **state)
{
    (void)state;
    struct writer w = writer_of(NULL, 0);

    write_bytes(&w, NULL, 0);
    assert_false(w.failed);
    write_u8(&w, 1);
    assert_true(w.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_are_big_endian),
        cmocka_unit_test(test_read_past_the_end_fails_for_good),
        cmocka_unit_test(test_each_read_needs_its_size),
        cmocka_unit_test(test_read_bytes_in_place),
        cmocka_unit_test(test_empty_reader),
        cmocka_unit_test(test_writes_are_big_endian),
        cmocka_unit_test(test_write_past_the_end_fails_for_good),
        cmocka_unit_test(test_write_space),
        cmocka_unit_test(test_write_nothing_into_nothing),
    };
    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
