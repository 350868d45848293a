/*
 * The checksum of docs/protocol.md section 1: RFC 1071, over the whole datagram. It is computed
 * over every datagram twice, so it adds words of the machine instead of pairs of bytes.
 */
#include "wire/wire.h"

#include <string.h>

/*
 * One's complement sums don't care for the order of bytes, as long as the result is read back in
 * the same order (RFC 1071 section 2.B): words are added as they lie in memory, and the sum's
 * two bytes are taken from memory again. Adding the two halves of each word apart keeps the
 * carries in the upper halves of the sums, and lets compilers use vectors; 2^32 words fit.
 */
uint16_t wire_checksum(const void *data, size_t size)
{
    const uint8_t *at = data;
    uint64_t low = 0;
    uint64_t high = 0;

    for (; size >= 8; size -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        low += word & UINT32_MAX;
        high += word >> 32;
    }
    if (size) {
        uint64_t word = 0; /* the rest, padded with zeros on the right */
        memcpy(&word, at, size);
        low += word & UINT32_MAX;
        high += word >> 32;
    }
    uint64_t sum = (low & UINT32_MAX) + (low >> 32) + (high & UINT32_MAX) + (high >> 32);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);

    uint16_t folded = (uint16_t)sum;
    uint8_t bytes[2];
    memcpy(bytes, &folded, sizeof bytes);
    return (uint16_t)~load_u16(bytes);
}
