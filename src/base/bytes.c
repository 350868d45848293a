/*
 * Bounded big-endian cursors: the only way bytes from the network are read and datagrams are
 * written (docs/protocol.md: all integers are big-endian).
 */
#include "base/bytes.h"

#include <string.h>

struct reader reader_of(const void *data, size_t size)
{
    const uint8_t *start = data;
    struct reader r = {.at = start, .end = size ? start + size : start, .failed = false};
    return r;
}

size_t reader_left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

const uint8_t *read_bytes(struct reader *r, size_t size)
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

uint8_t read_u8(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 1);
    return at ? *at : 0;
}

uint16_t read_u16(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 2);
    return at ? load_u16(at) : 0;
}

uint32_t read_u32(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 4);
    return at ? load_u32(at) : 0;
}

uint64_t read_u64(struct reader *r)
{
    const uint8_t *at = read_bytes(r, 8);
    return at ? load_u64(at) : 0;
}

struct writer writer_of(void *data, size_t capacity)
{
    uint8_t *start = data;
    struct writer w = {
        .start = start, .at = start, .end = capacity ? start + capacity : start, .failed = false};
    return w;
}

size_t writer_size(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

size_t writer_left(const struct writer *w)
{
    return (size_t)(w->end - w->at);
}

uint8_t *write_space(struct writer *w, size_t size)
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

void write_u8(struct writer *w, uint8_t value)
{
    uint8_t *at = write_space(w, 1);
    if (at)
        *at = value;
}

void write_u16(struct writer *w, uint16_t value)
{
    uint8_t *at = write_space(w, 2);
    if (at)
        store_u16(at, value);
}

void write_u32(struct writer *w, uint32_t value)
{
    uint8_t *at = write_space(w, 4);
    if (at)
        store_u32(at, value);
}

void write_u64(struct writer *w, uint64_t value)
{
    uint8_t *at = write_space(w, 8);
    if (at)
        store_u64(at, value);
}

void write_bytes(struct writer *w, const void *data, size_t size)
{
    uint8_t *at = write_space(w, size);
    if (at && size)
        memcpy(at, data, size);
}
