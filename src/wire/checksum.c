/*
 * The checksum of docs/protocol.md section 1: RFC 1071, over the whole datagram. It is computed
 * over every datagram twice, so it adds words of the machine instead of pairs of bytes.
 */
#include "wire/wire.h"

#include <string.h>

static uint64_t word_at(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

/* The last 0 to 7 bytes, padded with zeros on the right. */
static uint64_t rest_at(const uint8_t *at, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        memcpy((uint8_t *)&word + i, at + i, 1);
    return word;
}

/* The two bytes of `sum`, as they lie in memory, read as a big-endian number. If they are equal,
 * so are both answers. */
static uint16_t from_memory_order(uint16_t sum)
{
    uint8_t first;

    memcpy(&first, &sum, 1);
    return first == (uint8_t)sum ? (uint16_t)(sum << 8 | sum >> 8) : sum;
}

/*
 * One's complement sums don't care for the order of bytes, as long as the result is read back in
 * the same order (RFC 1071 section 2.B): words are added as they lie in memory, and the sum's
 * two bytes are taken from memory again. A carry out of 64 bits counts as 1, since 2^64 is 1 modulo
 * 2^16 - 1: it is added up apart, and two sums run side by side, so that no addition waits.
 */
uint16_t wire_checksum(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t even = 0;
    uint64_t odd = 0;
    uint64_t carries = 0;

    for (; size >= 32; size -= 32, at += 32) {
        even += word_at(at);
        carries += even < word_at(at);
        odd += word_at(at + 8);
        carries += odd < word_at(at + 8);
        even += word_at(at + 16);
        carries += even < word_at(at + 16);
        odd += word_at(at + 24);
        carries += odd < word_at(at + 24);
    }
    for (; size >= 8; size -= 8, at += 8) {
        even += word_at(at);
        carries += even < word_at(at);
    }
    if (size) {
        uint64_t rest = rest_at(at, size);

        odd += rest;
        carries += odd < rest;
    }
    uint64_t sum = (even & UINT32_MAX) + (even >> 32) + (odd & UINT32_MAX) + (odd >> 32) + carries;
    sum = (sum & UINT32_MAX) + (sum >> 32);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~from_memory_order((uint16_t)sum);
}
