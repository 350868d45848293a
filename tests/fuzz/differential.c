/* See differential.h. docs/protocol.md sections 1, 2 and 6. */
#include "differential.h"

#include "naive_decode.h"

#include "../unit/wire_roundtrip.h"

#include "base/assert.h"
#include "core/sync.h"

static bool is_addr_same(const struct swim_addr *a, const struct naive_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

static const char *compare_header(const struct wire_header *a, const struct naive_datagram *b)
{
    unsigned flags = (b->requests_ack ? 1u : 0u) | (b->is_extended ? 2u : 0u);

    if (a->kind != b->kind)
        return "kinds differ";
    if (a->flags != flags)
        return "flags differ";
    if (a->capabilities != (b->is_capable ? 1 : 0))
        return "capabilities differ";
    if (a->sender_id != b->sender_id || a->heartbeat != b->heartbeat ||
        a->incarnation != b->incarnation)
        return "senders differ";
    return NULL;
}

static const char *compare_suspicions(const struct wire_datagram *a, const struct naive_datagram *b)
{
    struct reader left = reader_of(a->suspicions, a->suspicions_size);
    struct wire_suspicion one;

    if ((a->suspicions != NULL) != b->has_suspicion)
        return "one has accusations, the other none";
    for (unsigned i = 0; i < b->accusation_count; i++) {
        const struct naive_accusation *other = &b->accusations[i];
        if (!wire_next_suspicion(&left, &one) || one.target != other->target ||
            one.incarnation != other->incarnation || one.accuser != other->accuser)
            return "accusations differ";
    }
    return b->has_suspicion && wire_next_suspicion(&left, &one) ? "one accusation more" : NULL;
}

static const char *compare_parts(const struct wire_datagram *a, const struct naive_datagram *b)
{
    struct reader left = reader_of(a->metas, a->metas_size);
    struct wire_meta_part one;

    if ((a->metas != NULL) != b->has_meta)
        return "one has names and tags, the other none";
    for (unsigned i = 0; i < b->part_count; i++) {
        const struct naive_part *other = &b->parts[i];
        if (!wire_next_meta(&left, &one) || one.id != other->member ||
            one.key.incarnation != other->incarnation || one.key.version != other->version ||
            one.key.digest != other->digest || one.size != other->size ||
            one.number != other->number || one.part_size != other->count ||
            memcmp(one.bytes, other->bytes, other->count) != 0)
            return "parts of names and tags differ";
    }
    return b->has_meta && wire_next_meta(&left, &one) ? "one part more" : NULL;
}

static const char *compare_records(const struct wire_datagram *a, const struct naive_datagram *b)
{
    if (a->has_probe != b->has_probe || a->probe_sequence != b->probe)
        return "PROBE differs";
    if (a->has_on_behalf != b->has_on_behalf || a->on_behalf != b->on_behalf)
        return "ON_BEHALF differs";
    if (a->has_token != b->has_token || a->challenge != b->challenge || a->echo != b->echo)
        return "TOKEN differs";
    if (a->has_cluster != b->has_cluster || a->cluster != b->cluster)
        return "CLUSTER differs";
    if (a->has_view != b->has_view || a->view_digest != b->view_digest ||
        a->view_count != b->view_members)
        return "VIEW differs";
    if ((a->buckets != NULL) != b->has_buckets || a->buckets_size != b->buckets_size ||
        (b->buckets_size > 0 && memcmp(a->buckets, b->buckets, b->buckets_size) != 0))
        return "BUCKETS differs";
    if (sync_is_wellformed(a) != b->are_buckets_wellformed)
        return "BUCKETS is well-formed to one only";
    return compare_suspicions(a, b);
}

static const char *compare_entries(const struct wire_datagram *a, const struct naive_datagram *b)
{
    struct reader left = a->entries;
    struct wire_entry one;

    if (a->entry_count != b->entry_count)
        return "counts of entries differ";
    for (unsigned i = 0; i < b->entry_count; i++) {
        const struct naive_entry *other = &b->entries[i];
        if (!wire_next_entry(&left, &one) || one.id != other->id ||
            one.heartbeat != other->heartbeat || one.incarnation != other->incarnation ||
            one.status != other->status || !is_addr_same(&one.addr, &other->addr))
            return "entries differ";
    }
    return wire_next_entry(&left, &one) ? "one entry more" : NULL;
}

static const char *compare(const struct wire_datagram *a, const struct naive_datagram *b)
{
    const char *broken = compare_header(&a->header, b);

    if (!broken)
        broken = compare_records(a, b);
    if (!broken)
        broken = compare_parts(a, b);
    if (!broken)
        broken = compare_entries(a, b);
    if (broken)
        return broken;
    if (a->target_id != b->target_id || !is_addr_same(&a->target_addr, &b->target))
        return "targets differ";
    if (a->table_version != b->table_version || a->chunk_index != b->chunk_index ||
        a->chunk_count != b->chunk_count)
        return "chunks differ";
    return NULL;
}

/* Records in the order of their types, the reserved bits zero, no payload where it is ignored:
 * there is one way to write what this says, and it must be these very bytes. */
static bool is_canonical(const uint8_t *bytes, size_t size, const struct naive_datagram *d)
{
    return size <= SWIM_DATAGRAM_MAX && d->is_in_order && bytes[20] < 4 && bytes[21] < 2 &&
           (bytes[20] < 2 || d->is_extended) &&
           (!d->is_extended || bytes[24] != 0 || bytes[25] != 0) &&
           !(d->kind == WIRE_LEAVE && size > WIRE_HEADER_SIZE);
}

static bool put_records(struct wire_builder *b, const struct wire_datagram *d)
{
    return (!d->has_probe || wire_put_probe(b, d->probe_sequence)) &&
           (!d->has_on_behalf || wire_put_on_behalf(b, d->on_behalf)) &&
           (!d->has_token || wire_put_token(b, d->challenge, d->echo)) &&
           (!d->has_cluster || wire_put_cluster(b, d->cluster)) &&
           (!d->suspicions || put_suspicions(b, d)) &&
           (!d->has_view || wire_put_view(b, d->view_digest, d->view_count)) &&
           (!d->buckets || wire_put_record(b, WIRE_EXT_BUCKETS, d->buckets, d->buckets_size)) &&
           (!d->metas || wire_put_record(b, WIRE_EXT_META, d->metas, d->metas_size));
}

static const char *check_canonical(const uint8_t *bytes, size_t size, const struct wire_datagram *d)
{
    struct wire_header header = d->header;
    uint8_t again[SWIM_DATAGRAM_MAX];
    struct reader left = d->entries;
    struct wire_builder b;
    struct wire_entry entry;

    header.flags &= WIRE_FLAG_REQUEST_ACK;
    wire_begin(&b, again, sizeof again, &header);
    if (!put_records(&b, d) ||
        (header.kind == WIRE_PING_REQ && !wire_put_target(&b, d->target_id, &d->target_addr)) ||
        (header.kind == WIRE_ANTI_ENTROPY &&
         !wire_put_chunk(&b, d->table_version, d->chunk_index, d->chunk_count)))
        return "does not fit any more";
    while (wire_next_entry(&left, &entry)) {
        if (!wire_put_entry(&b, &entry))
            return "its entries don't fit any more";
    }
    if (wire_finish(&b) != size)
        return "another size when encoded again";
    /* The checksum has two zeros: 0xFFFF is right where 0x0000 is written. */
    if (load_u16(bytes + 22) == 0xFFFF)
        store_u16(again + 22, 0xFFFF);
    return memcmp(again, bytes, size) == 0 ? NULL : "other bytes when encoded again";
}

const char *differential_check(const uint8_t *bytes, size_t size)
{
    static struct naive_datagram naive;
    struct wire_datagram wire;
    enum swim_error expected = naive_decode(bytes, size, &naive);
    enum swim_error got =
        size > SWIM_RECEIVE_MAX ? SWIM_DROP_SHORT : wire_decode(bytes, size, &wire);
    const char *broken;

    if (expected != got)
        return "the verdicts differ";
    if (got != SWIM_OK)
        return NULL;
    broken = compare(&wire, &naive);
    if (!broken && is_canonical(bytes, size, &naive))
        broken = check_canonical(bytes, size, &wire);
    return broken;
}

void differential_demand(const uint8_t *bytes, size_t size)
{
    static uint8_t buf[SWIM_RECEIVE_MAX + 1];
    const char *broken;

    /* At the end of a buffer, so that a sanitizer sees a read past the datagram. */
    if (size <= sizeof buf) {
        uint8_t *at = buf + sizeof buf - size;
        memmove(at, bytes, size);
        bytes = at;
    }
    broken = differential_check(bytes, size);
    if (broken)
        swim_panic(broken, __FILE__, __LINE__);
}
