/*
 * The checksum of docs/protocol.md section 1: RFC 1071, over the whole datagram. It is computed
 * over every datagram twice, so it adds words of the machine instead of pairs of bytes.
 */
#include "wire/checksum.h"

/* The last 0 to 7 bytes, padded with zeros on the right. In which of a word's 16 bits each pair goes
 * is all the same. */
static uint64_t rest_at(const uint8_t *at, size_t size)
{
    uint8_t last[2] = {0, 0};
    uint32_t four = 0;
    uint16_t two = 0;
    uint16_t one = 0;

    if (size & 4)
        memcpy(&four, at, sizeof four);
    if (size & 2)
        memcpy(&two, at + (size & 4), sizeof two);
    if (size & 1)
        last[0] = at[size - 1];
    memcpy(&one, last, sizeof one);
    return (uint64_t)four + two + one;
}

/* Carries are added up apart, and two sums run side by side, so that no addition waits. */
uint64_t checksum_bytes(const uint8_t *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t even = 0;
    uint64_t odd = 0;
    uint64_t carries = 0;

    for (; size >= 32; size -= 32, at += 32) {
        even += checksum_word_at(at);
        carries += even < checksum_word_at(at);
        odd += checksum_word_at(at + 8);
        carries += odd < checksum_word_at(at + 8);
        even += checksum_word_at(at + 16);
        carries += even < checksum_word_at(at + 16);
        odd += checksum_word_at(at + 24);
        carries += odd < checksum_word_at(at + 24);
    }
    for (; size >= 8; size -= 8, at += 8)
        even = checksum_add(even, checksum_word_at(at));
    if (size)
        odd = checksum_add(odd, rest_at(at, size));
    return checksum_add(checksum_add(even, odd), carries);
}

uint16_t wire_checksum(const void *data, size_t size)
{
    return (uint16_t)~checksum_from_memory(checksum_fold(checksum_bytes(data, size)));
}
