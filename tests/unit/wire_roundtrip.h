/*
 * The property that every datagram must have, for test_wire and for the fuzzer: it is refused,
 * or it decodes to something that encodes to the same bytes again, but for what the protocol
 * does not keep (reserved bits, the payload of LEAVE, unknown and repeated extension records).
 */
#ifndef SWIM_TESTS_UNIT_WIRE_ROUNDTRIP_H
#define SWIM_TESTS_UNIT_WIRE_ROUNDTRIP_H

#include "wire/wire.h"

#include <string.h>

/* RFC 1071 as its authors explain it, to check ours against: pairs of bytes, big-endian. */
static inline uint16_t checksum_by_pairs(const uint8_t *data, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += i % 2 ? data[i] : (uint32_t)data[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Makes the length field and the checksum agree with the rest. */
static inline void repair(uint8_t *data, size_t size)
{
    if (size < WIRE_HEADER_SIZE)
        return;
    store_u16(data + 2, (uint16_t)(size - WIRE_HEADER_SIZE));
    store_u16(data + 22, 0);
    store_u16(data + 22, checksum_by_pairs(data, size));
}

/* By way of what they mean, so that neither reader nor writer can turn two fields around. */
static inline bool put_suspicions(struct wire_builder *b, const struct wire_datagram *d)
{
    struct wire_suspicion all[SWIM_RECEIVE_MAX / WIRE_SUSPICION_SIZE];
    struct reader left = reader_of(d->suspicions, d->suspicions_size);
    uint32_t count = 0;

    while (wire_next_suspicion(&left, &all[count]))
        count++;
    return reader_left(&left) == 0 && wire_put_suspicions(b, all, count);
}

/* Without a number an empty one says the same, and is never larger than it was. */
static inline bool put_token(struct wire_builder *b, const struct wire_datagram *d)
{
    return d->challenge || d->echo ? wire_put_token(b, d->challenge, d->echo)
                                   : wire_put_record(b, WIRE_EXT_TOKEN, NULL, 0);
}

static inline bool put_extension(struct wire_builder *b, const struct wire_datagram *d)
{
    return (!d->has_probe || wire_put_probe(b, d->probe_sequence)) &&
           (!d->has_on_behalf || wire_put_on_behalf(b, d->on_behalf)) &&
           (!d->has_token || put_token(b, d)) &&
           (!d->has_cluster || wire_put_cluster(b, d->cluster)) &&
           (!d->has_view || wire_put_view(b, d->view_digest, d->view_count)) &&
           (!d->suspicions || put_suspicions(b, d)) &&
           (!d->buckets || wire_put_record(b, WIRE_EXT_BUCKETS, d->buckets, d->buckets_size)) &&
           (!d->metas || wire_put_record(b, WIRE_EXT_META, d->metas, d->metas_size));
}

/* Encodes what was decoded; 0 when it does not fit into `cap`. */
static inline size_t encode_again(const struct wire_datagram *d, void *buf, size_t cap)
{
    struct wire_builder b;
    struct wire_entry entry;
    struct reader entries = d->entries;

    wire_begin(&b, buf, cap, &d->header);
    if (!put_extension(&b, d))
        return 0;
    if (d->header.kind == WIRE_PING_REQ && !wire_put_target(&b, d->target_id, &d->target_addr))
        return 0;
    if (d->header.kind == WIRE_ANTI_ENTROPY &&
        !wire_put_chunk(&b, d->table_version, d->chunk_index, d->chunk_count))
        return 0;
    while (wire_next_entry(&entries, &entry)) {
        if (!wire_put_entry(&b, &entry))
            return 0;
    }
    return wire_finish(&b);
}

static inline bool is_same_addr(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static inline bool is_same_entry(const struct wire_entry *a, const struct wire_entry *b)
{
    return a->id == b->id && a->heartbeat == b->heartbeat && a->incarnation == b->incarnation &&
           a->status == b->status && is_same_addr(&a->addr, &b->addr);
}

static inline bool is_same_header(const struct wire_header *a, const struct wire_header *b)
{
    return a->kind == b->kind && a->flags == b->flags && a->capabilities == b->capabilities &&
           a->sender_id == b->sender_id && a->heartbeat == b->heartbeat &&
           a->incarnation == b->incarnation;
}

static inline bool is_same_value(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    return !a == !b && a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

static inline bool is_same_extension(const struct wire_datagram *a, const struct wire_datagram *b)
{
    return a->has_probe == b->has_probe && a->probe_sequence == b->probe_sequence &&
           a->has_on_behalf == b->has_on_behalf && a->on_behalf == b->on_behalf &&
           a->has_view == b->has_view && a->view_digest == b->view_digest &&
           a->view_count == b->view_count && a->has_token == b->has_token &&
           a->challenge == b->challenge && a->echo == b->echo && a->has_cluster == b->has_cluster &&
           a->cluster == b->cluster &&
           is_same_value(a->suspicions, a->suspicions_size, b->suspicions, b->suspicions_size) &&
           is_same_value(a->buckets, a->buckets_size, b->buckets, b->buckets_size) &&
           is_same_value(a->metas, a->metas_size, b->metas, b->metas_size);
}

static inline bool is_same_datagram(const struct wire_datagram *a, const struct wire_datagram *b)
{
    struct reader a_entries = a->entries;
    struct reader b_entries = b->entries;
    struct wire_entry a_entry;
    struct wire_entry b_entry;

    for (uint32_t i = 0; i < a->entry_count; i++) {
        if (!wire_next_entry(&a_entries, &a_entry) || !wire_next_entry(&b_entries, &b_entry) ||
            !is_same_entry(&a_entry, &b_entry))
            return false;
    }
    return a->entry_count == b->entry_count && a->target_id == b->target_id &&
           is_same_addr(&a->target_addr, &b->target_addr) && a->table_version == b->table_version &&
           a->chunk_index == b->chunk_index && a->chunk_count == b->chunk_count &&
           is_same_extension(a, b);
}

/* Clears what a datagram without extension may carry and the protocol does not keep. */
static inline size_t normalise(uint8_t *data, size_t size)
{
    data[20] &= WIRE_FLAG_REQUEST_ACK;
    data[21] &= WIRE_CAPABLE;
    if (data[1] == WIRE_LEAVE)
        size = WIRE_HEADER_SIZE;
    store_u16(data + 2, (uint16_t)(size - WIRE_HEADER_SIZE));
    store_u16(data + 22, 0);
    store_u16(data + 22, wire_checksum(data, size)); /* tested by itself; this is done often */
    return size;
}

static inline const char *check_entries(const struct wire_datagram *d)
{
    struct reader entries = d->entries;
    struct wire_entry entry;
    uint32_t count = 0;

    for (; wire_next_entry(&entries, &entry); count++) {
        if (entry.addr.family != 4 && entry.addr.family != 6)
            return "an entry of another family";
    }
    if (count != d->entry_count || reader_left(&entries) != 0 || entries.failed)
        return "the iteration does not end with the last entry";
    return NULL;
}

/* NULL when the property holds for these bytes, else what is wrong. */
static inline const char *roundtrip_check(const uint8_t *data, size_t size)
{
    struct wire_datagram first;
    struct wire_datagram second;
    uint8_t again[SWIM_DATAGRAM_MAX];
    uint8_t expected[SWIM_RECEIVE_MAX];

    if (wire_decode(data, size, &first) != SWIM_OK)
        return NULL;
    const char *broken = check_entries(&first);
    if (broken || size > SWIM_DATAGRAM_MAX) /* larger ones are accepted, but never sent */
        return broken;
    size_t again_size = encode_again(&first, again, sizeof again);
    if (again_size == 0)
        return "does not fit any more";
    if (wire_decode(again, again_size, &second) != SWIM_OK)
        return "our own encoding is refused";
    if (!is_same_datagram(&first, &second))
        return "another datagram after a second decoding";
    if (first.header.flags & WIRE_FLAG_EXTENDED) {
        /* An extension without any known record is not written again. */
        second.header.flags |= WIRE_FLAG_EXTENDED;
        return is_same_header(&first.header, &second.header) ? NULL : "another header";
    }
    memcpy(expected, data, size);
    size = normalise(expected, size);
    if (again_size != size || memcmp(again, expected, size) != 0)
        return "other bytes after encoding again";
    return is_same_header(&first.header, &second.header) ? NULL : "another header";
}

#endif
