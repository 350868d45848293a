/*
 * Structs to bytes: docs/protocol.md sections 1, 2 and 6. What is put is the caller's choice, so
 * a datagram that our own decoder would refuse is a bug, and asserted; that there is no room for
 * it is not, and returns false.
 */
#include "wire/wire.h"

#include "base/assert.h"
#include "wire/checksum.h"

#include <string.h>

#define CHECKSUM_OFFSET 22
#define EXT_LEN_SIZE 2
#define RECORD_HEADER_SIZE 3

_Static_assert(WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX == SWIM_DATAGRAM_MAX, "one limit, two names");
_Static_assert(SWIM_DATAGRAM_MAX <= SWIM_RECEIVE_MAX, "what is sent can be received");
_Static_assert(WIRE_SYNC_DATAGRAM_MAX <= SWIM_DATAGRAM_MAX, "chunks are datagrams");

#define KIND_SHIFT 48                           /* in header[0] */
#define SIZE_SHIFT 32                           /* of the payload, in header[0] */
#define EXTENDED_BIT (WIRE_FLAG_EXTENDED << 24) /* in header[2] */
#define CAPABLE_BIT (WIRE_CAPABLE << 16)        /* in header[2] */

static uint8_t kind_of(const struct wire_builder *b)
{
    return (uint8_t)(b->header[0] >> KIND_SHIFT);
}

static bool is_capable(const struct wire_builder *b)
{
    return b->header[2] & CAPABLE_BIT;
}

void wire_begin(struct wire_builder *b, void *buf, size_t cap, const struct wire_header *header)
{
    uint8_t flags = header->flags & WIRE_FLAG_REQUEST_ACK;
    uint8_t capabilities = header->capabilities & WIRE_CAPABLE;

    ASSERT(cap >= WIRE_HEADER_SIZE);
    ASSERT(header->kind >= WIRE_GOSSIP && header->kind <= WIRE_SYNC);
    /* Plain version-1 peers know neither of these, and others honour them from capable senders. */
    ASSERT(header->kind <= WIRE_ANTI_ENTROPY || capabilities);
    b->out = writer_of(buf, cap < SWIM_DATAGRAM_MAX ? cap : SWIM_DATAGRAM_MAX);
    b->out.at += WIRE_HEADER_SIZE;
    b->header[0] = (uint64_t)WIRE_VERSION << 56 | (uint64_t)header->kind << KIND_SHIFT |
                   header->sender_id >> 32;
    b->header[1] = header->sender_id << 32 | header->heartbeat;
    b->header[2] =
        (uint64_t)header->incarnation << 32 | (uint64_t)flags << 24 | (uint64_t)capabilities << 16;
    b->ext_start = 0;
    b->in_payload = b->has_entries = false;
}

/* Makes room for one more record and writes its header. */
static bool begin_record(struct wire_builder *b, uint8_t type, uint16_t size)
{
    ASSERT(!b->in_payload);
    ASSERT(is_capable(b));
    size_t frame = b->ext_start ? RECORD_HEADER_SIZE : EXT_LEN_SIZE + RECORD_HEADER_SIZE;
    if (wire_left(b) < frame + size)
        return false;
    if (!b->ext_start) {
        b->ext_start = writer_size(&b->out);
        write_u16(&b->out, 0); /* ext_len: in end_extension */
    }
    write_u8(&b->out, type);
    write_u16(&b->out, size);
    return true;
}

bool wire_put_probe(struct wire_builder *b, uint32_t sequence)
{
    if (!begin_record(b, WIRE_EXT_PROBE, 4))
        return false;
    write_u32(&b->out, sequence);
    return true;
}

bool wire_put_on_behalf(struct wire_builder *b, uint64_t id)
{
    if (!begin_record(b, WIRE_EXT_ON_BEHALF, 8))
        return false;
    write_u64(&b->out, id);
    return true;
}

bool wire_put_view(struct wire_builder *b, uint64_t digest, uint32_t count)
{
    if (!begin_record(b, WIRE_EXT_VIEW, 12))
        return false;
    write_u64(&b->out, digest);
    write_u32(&b->out, count);
    return true;
}

bool wire_put_suspicions(struct wire_builder *b, const struct wire_suspicion *all, uint32_t count)
{
    ASSERT(count <= UINT16_MAX / WIRE_SUSPICION_SIZE);
    if (!begin_record(b, WIRE_EXT_SUSPICION, (uint16_t)(count * WIRE_SUSPICION_SIZE)))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        write_u64(&b->out, all[i].target);
        write_u32(&b->out, all[i].incarnation);
        write_u64(&b->out, all[i].accuser);
    }
    return true;
}

bool wire_put_token(struct wire_builder *b, uint64_t challenge, uint64_t echo)
{
    if (!begin_record(b, WIRE_EXT_TOKEN, 16))
        return false;
    write_u64(&b->out, challenge);
    write_u64(&b->out, echo);
    return true;
}

bool wire_put_cluster(struct wire_builder *b, uint64_t tag)
{
    if (!begin_record(b, WIRE_EXT_CLUSTER, 8))
        return false;
    write_u64(&b->out, tag);
    return true;
}

void wire_put_padding(struct wire_builder *b, size_t size)
{
    size_t frame = b->ext_start ? RECORD_HEADER_SIZE : EXT_LEN_SIZE + RECORD_HEADER_SIZE;

    if (size > wire_left(b))
        size = wire_left(b);
    if (size < frame || !begin_record(b, WIRE_EXT_PADDING, (uint16_t)(size - frame)))
        return;
    memset(write_space(&b->out, size - frame), 0, size - frame);
}

bool wire_write_meta(struct writer *value, const struct wire_meta_part *part)
{
    uint32_t size = wire_meta_part_size(part->size, part->number);

    ASSERT(size > 0 && part->size <= WIRE_META_MAX);
    if (writer_left(value) < WIRE_META_HEADER + size)
        return false;
    write_u64(value, part->id);
    write_u32(value, part->key.incarnation);
    write_u32(value, part->key.version);
    write_u64(value, part->key.digest);
    write_u16(value, part->size);
    write_u8(value, part->number);
    write_bytes(value, part->bytes, size);
    return true;
}

size_t wire_record_room(const struct wire_builder *b, size_t reserve)
{
    size_t taken = reserve + RECORD_HEADER_SIZE + (b->ext_start ? 0 : EXT_LEN_SIZE);

    return wire_left(b) > taken ? wire_left(b) - taken : 0;
}

bool wire_put_record(struct wire_builder *b, uint8_t type, const void *value, uint16_t size)
{
    if (!begin_record(b, type, size))
        return false;
    write_bytes(&b->out, value, size);
    return true;
}

/* Nothing but payload follows: the extension's length is known. */
static void end_extension(struct wire_builder *b)
{
    if (b->ext_start && !b->in_payload) {
        size_t size = writer_size(&b->out) - b->ext_start - EXT_LEN_SIZE;
        store_u16(b->out.start + b->ext_start, (uint16_t)size);
    }
    b->in_payload = true;
}

static size_t ip_size(const struct swim_addr *addr)
{
    ASSERT(addr->family == 4 || addr->family == 6);
    return addr->family == 4 ? 4 : 16;
}

/* Family, address and port, as both entries and targets end. */
static void store_addr(uint8_t *at, const struct swim_addr *addr)
{
    at[0] = addr->family;
    if (addr->family == 4) {
        memcpy(at + 1, addr->ip, 4);
        store_u16(at + 5, addr->port);
    } else {
        memcpy(at + 1, addr->ip, 16);
        store_u16(at + 17, addr->port);
    }
}

bool wire_put_target(struct wire_builder *b, uint64_t id, const struct swim_addr *addr)
{
    ASSERT(kind_of(b) == WIRE_PING_REQ && !b->in_payload);
    size_t size = 11 + ip_size(addr);
    if (wire_left(b) < size)
        return false;
    end_extension(b);
    uint8_t *at = write_space(&b->out, size);
    store_u64(at, id);
    store_addr(at + 8, addr);
    return true;
}

bool wire_put_chunk(struct wire_builder *b, uint64_t table_version, uint16_t index, uint16_t count)
{
    ASSERT(kind_of(b) == WIRE_ANTI_ENTROPY && !b->in_payload);
    if (wire_left(b) < WIRE_CHUNK_HEADER_SIZE)
        return false;
    end_extension(b);
    write_u64(&b->out, table_version);
    write_u16(&b->out, index);
    write_u16(&b->out, count);
    return true;
}

size_t wire_entry_size(const struct swim_addr *addr)
{
    return ip_size(addr) == 4 ? WIRE_ENTRY4_SIZE : WIRE_ENTRY6_SIZE;
}

/* Before the first entry. */
static void begin_entries(struct wire_builder *b)
{
    ASSERT(kind_of(b) != WIRE_LEAVE && kind_of(b) != WIRE_ANTI_ENTROPY);
    end_extension(b);
}

static void store_entry6(uint8_t *at, const struct wire_entry *entry)
{
    store_u64(at, entry->id);
    store_u64(at + 8, (uint64_t)entry->heartbeat << 32 | entry->incarnation);
    at[16] = entry->status;
    store_addr(at + WIRE_FAMILY_OFFSET, &entry->addr);
}

bool wire_put_other_entry(struct wire_builder *b, const struct wire_entry *entry)
{
    ASSERT(kind_of(b) != WIRE_PING_REQ);
    size_t size = wire_entry_size(&entry->addr);
    if (wire_left(b) < size)
        return false;
    if (!b->in_payload)
        begin_entries(b);
    b->has_entries = true;
    if (size == WIRE_ENTRY4_SIZE)
        wire_store_entry4(b->out.at, entry->id,
                          (uint64_t)entry->heartbeat << 32 | entry->incarnation, entry->status,
                          &entry->addr);
    else
        store_entry6(b->out.at, entry);
    b->out.at += size;
    return true;
}

/* By words, so that the checksum finds in it what it can load as words: of what was stored in pieces
 * a moment ago, that takes longer than all the rest of an empty PING. */
static void put_header(const struct wire_builder *b, size_t payload_size)
{
    uint8_t *at = b->out.start;

    store_u64(at, b->header[0] | (uint64_t)payload_size << SIZE_SHIFT);
    store_u64(at + 8, b->header[1]);
    store_u64(at + 16, b->header[2] | (b->ext_start ? EXTENDED_BIT : 0));
}

size_t wire_finish(struct wire_builder *b)
{
    ASSERT(!b->out.failed);
    ASSERT(b->in_payload || (kind_of(b) != WIRE_PING_REQ && kind_of(b) != WIRE_ANTI_ENTROPY));
    end_extension(b);
    uint8_t *start = b->out.start;
    size_t size = writer_size(&b->out) - WIRE_HEADER_SIZE;
    put_header(b, size);
    uint16_t sum = checksum_from_memory(checksum_fold(checksum_datagram(start, size)));
    store_u16(start + CHECKSUM_OFFSET, (uint16_t)~sum);
    return WIRE_HEADER_SIZE + size;
}
