/*
 * Bounded cursors over byte buffers, big-endian. A read or write past the end does nothing,
 * returns 0, and leaves `failed` set for good: a parser checks once, at the end. They are the only
 * way bytes from the network are read and datagrams are written, a few instructions each, so they
 * are all inline: calls would cost more.
 */
#ifndef SWIM_BASE_BYTES_H
#define SWIM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* To big-endian and back. Told in so many words: of shifts and single bytes compilers make one swap and
 * one store only while nothing else is done with the number. */
static inline uint64_t swapped_u64(uint64_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(value) : value;
}

static inline uint32_t swapped_u32(uint32_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(value) : value;
}

/* Single integers at a place whose bounds are known. */
static inline uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return swapped_u32(value);
}

static inline uint64_t load_u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return swapped_u64(value);
}

static inline void store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void store_u32(uint8_t *at, uint32_t value)
{
    value = swapped_u32(value);
    memcpy(at, &value, sizeof value);
}

static inline void store_u64(uint8_t *at, uint64_t value)
{
    value = swapped_u64(value);
    memcpy(at, &value, sizeof value);
}

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

struct writer {
    uint8_t *start;
    uint8_t *at;
    uint8_t *end;
    bool failed;
};

static inline struct reader reader_of(const void *data, size_t size)
{
    const uint8_t *start = data;
    struct reader r = {.at = start, .end = size ? start + size : start, .failed = false};
    return r;
}

static inline size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Returns the next `size` bytes in place, or NULL (and fails) when fewer are left. */
static inline const uint8_t *read_bytes(struct reader *r, size_t size)
{
    if (r->failed || size > reader_left(r)) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *at = r->at;
    if (size)
        r->at += size;
    return at;
}

static inline uint8_t read_u8(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 1);
    return at ? *at : 0;
}

static inline uint16_t read_u16(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 2);
    return at ? load_u16(at) : 0;
}

static inline uint32_t read_u32(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 4);
    return at ? load_u32(at) : 0;
}

static inline uint64_t read_u64(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 8);
    return at ? load_u64(at) : 0;
}

static inline struct writer writer_of(void *data, size_t capacity)
{
    uint8_t *start = data;
    struct writer w = {
        .start = start, .at = start, .end = capacity ? start + capacity : start, .failed = false};
    return w;
}

/* Bytes written so far. */
static inline size_t writer_size(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->at);
}

/* Returns the next `size` bytes for the caller to fill in, or NULL (and fails). */
static inline uint8_t *write_space(struct writer *w, size_t size)
{
    if (w->failed || size > writer_left(w)) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->at;
    if (size)
        w->at += size;
    return at;
}

static inline void write_u8(struct writer *w, uint8_t value)
{
    uint8_t *at = write_space(w, 1);
    if (at)
        *at = value;
}

static inline void write_u16(struct writer *w, uint16_t value)
{
    uint8_t *at = write_space(w, 2);
    if (at)
        store_u16(at, value);
}

static inline void write_u32(struct writer *w, uint32_t value)
{
    uint8_t *at = write_space(w, 4);
    if (at)
        store_u32(at, value);
}

static inline void write_u64(struct writer *w, uint64_t value)
{
    uint8_t *at = write_space(w, 8);
    if (at)
        store_u64(at, value);
}

static inline void write_bytes(struct writer *w, const void *data, size_t size)
{
    uint8_t *at = write_space(w, size);
    if (at && size)
        memcpy(at, data, size);
}

#endif
