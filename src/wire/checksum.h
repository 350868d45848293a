/*
 * One's complement sums (RFC 1071), in parts: 64 bits are added at a time, a carry out of them being
 * 1, since 2^64 is 1 modulo 2^16 - 1. Words may be big-endian numbers, or as they lie in memory;
 * then the folded sum lies in memory, too. Internal to src/wire.
 */
#ifndef SWIM_WIRE_CHECKSUM_H
#define SWIM_WIRE_CHECKSUM_H

#include "wire/wire.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t checksum_word_at(const uint8_t *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return word;
}

static inline uint64_t checksum_add(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

/* Down to 16 bits: each half is added to the other, whose carry falls into the upper one. */
static inline uint16_t checksum_fold(uint64_t sum)
{
    uint32_t half = (uint32_t)((sum + (sum << 32 | sum >> 32)) >> 32);

    return (uint16_t)((half + (half << 16 | half >> 16)) >> 16);
}

/* The two bytes of `folded`, as they lie in memory, read as a big-endian number. */
static inline uint16_t checksum_from_memory(uint16_t folded)
{
    uint8_t bytes[2];

    memcpy(bytes, &folded, sizeof bytes);
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Sum of `size` bytes, padded with zeros on the right, as they lie in memory. */
uint64_t checksum_bytes(const uint8_t *data, size_t size);

/* The same of a datagram, its header included: without a call where there is nothing else. */
static inline uint64_t checksum_datagram(const uint8_t *data, size_t payload_size)
{
    uint64_t sum = checksum_add(checksum_word_at(data), checksum_word_at(data + 8));

    sum = checksum_add(sum, checksum_word_at(data + 16));
    if (payload_size)
        sum = checksum_add(sum, checksum_bytes(data + WIRE_HEADER_SIZE, payload_size));
    return sum;
}

#endif
