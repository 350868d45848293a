/*
 * Datagrams <-> structs: pure functions over bytes, no state. docs/protocol.md sections 1, 2, 6.
 *
 *     0        1     2            4           12         16           20     21            22        24
 *     version  kind  payload_len  sender_id   heartbeat  incarnation  flags  capabilities  checksum  payload...
 *
 *     payload, when flag EXTENDED is set:   ext_len u16 | records: type u8, len u16, value | version-1 payload
 *
 * Decoding validates everything once and then only points into the datagram: an accepted
 * `struct wire_datagram` can be iterated without further checks, for as long as its bytes live.
 */
#ifndef SWIM_WIRE_WIRE_H
#define SWIM_WIRE_WIRE_H

#include "base/bytes.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_VERSION 1
#define WIRE_HEADER_SIZE 24
#define WIRE_PAYLOAD_MAX 1400
#define WIRE_ENTRY4_SIZE 24
#define WIRE_ENTRY6_SIZE 36
#define WIRE_FAMILY_OFFSET 17 /* of the address family in an entry, after id, counters and status */
/* ANTI_ENTROPY and SYNC datagrams stay under the smallest IPv6 path, with room for tunnels. */
#define WIRE_SYNC_DATAGRAM_MAX 1200
#define WIRE_CHUNK_HEADER_SIZE 12
#define WIRE_SUSPICION_SIZE 20
/* Names and tags travel in parts: all but the last one of a content are of this size. */
#define WIRE_META_PART 512
#define WIRE_META_HEADER 27
#define WIRE_META_MAX (SWIM_NAME_MAX + 1 + SWIM_TAGS_MAX)

enum wire_kind {
    WIRE_GOSSIP = 0x01,
    WIRE_PING = 0x02,
    WIRE_PING_REQ = 0x03,
    WIRE_ACK = 0x04,
    WIRE_LEAVE = 0x05,
    WIRE_ANTI_ENTROPY = 0x06,
    /* Only to capable peers. */
    WIRE_NACK = 0x07,
    WIRE_SYNC = 0x08,
};

enum { WIRE_FLAG_REQUEST_ACK = 0x01, WIRE_FLAG_EXTENDED = 0x02 };
enum { WIRE_CAPABLE = 0x01 };

enum wire_ext {
    WIRE_EXT_PADDING = 0x00,   /* any bytes: room for the answer (section 10) */
    WIRE_EXT_PROBE = 0x01,     /* sequence u32 */
    WIRE_EXT_ON_BEHALF = 0x02, /* member id u64 */
    WIRE_EXT_SUSPICION = 0x03, /* (target id u64, incarnation u32, accuser id u64), repeated */
    WIRE_EXT_VIEW = 0x04,      /* digest u64, member count u32 */
    WIRE_EXT_BUCKETS = 0x05,   /* see docs/protocol.md section 8 */
    WIRE_EXT_META = 0x06,      /* parts of names and tags: struct wire_meta_part, repeated */
    /* Challenge u64, echo u64, 0: none. Empty: there was no room for a challenge (section 10). */
    WIRE_EXT_TOKEN = 0x07,
    WIRE_EXT_CLUSTER = 0x08, /* tag of the cluster's name u64 (section 10) */
};

/* A status that every decoder skips: an entry whose id is the tag of the sender's cluster, 0 for
 * none, in datagrams to those of whom it is not known whether they understand extensions. */
enum { WIRE_STATUS_CLUSTER = 255 };

struct wire_header {
    uint8_t kind;
    uint8_t flags; /* on encode: REQUEST_ACK only; EXTENDED follows from the records */
    uint8_t capabilities;
    uint64_t sender_id;
    uint32_t heartbeat;
    uint32_t incarnation;
};

/* Entries as they are on the wire: the address is kept to the bit (no IPv4-mapped folding). */
struct wire_entry {
    uint64_t id;
    uint32_t heartbeat;
    uint32_t incarnation;
    uint8_t status; /* any byte; those above SWIM_LEFT are for the reader to skip */
    struct swim_addr addr;
};

/* One accusation: `accuser` found `target`, at that incarnation, silent. */
struct wire_suspicion {
    uint64_t target;
    uint32_t incarnation;
    uint64_t accuser;
};

/* One version of a member's name and tags: totally ordered by its fields, in this order. Those of
 * one member that are equal have equal content. */
struct wire_meta_key {
    uint32_t incarnation;
    uint32_t version;
    uint64_t digest; /* of the content */
};

/* A part of a content: bytes WIRE_META_PART * number and on. */
struct wire_meta_part {
    uint64_t id;
    struct wire_meta_key key;
    uint16_t size; /* of the whole content, 1..WIRE_META_MAX */
    uint8_t number;
    uint16_t part_size; /* follows from size and number */
    const uint8_t *bytes;
};

static inline uint32_t wire_meta_parts(uint32_t size)
{
    return (size + WIRE_META_PART - 1) / WIRE_META_PART;
}

/* Bytes of part `number` of a content of `size` bytes; 0 if there is no such part. */
static inline uint32_t wire_meta_part_size(uint32_t size, uint32_t number)
{
    uint32_t before = number * WIRE_META_PART;
    uint32_t left = before < size ? size - before : 0;

    return left < WIRE_META_PART ? left : WIRE_META_PART;
}

struct wire_datagram {
    struct wire_header header;
    /* Records of the extension, each valid when its flag is set; a repeated one counts once,
     * the first; a record of a known type with a wrong length makes the datagram malformed. */
    bool has_probe;
    bool has_on_behalf;
    bool has_view;
    bool has_token;
    bool has_cluster;
    uint16_t buckets_size;
    uint16_t suspicions_size;
    uint16_t metas_size;
    uint32_t probe_sequence;
    uint32_t view_count;
    uint64_t view_digest;
    uint64_t on_behalf;
    uint64_t challenge; /* to be repeated to its sender, 0: none */
    uint64_t echo;      /* the challenge that it repeats, 0: none */
    uint64_t cluster;
    const uint8_t *buckets;    /* value of BUCKETS, NULL if none; its content is sync's to check */
    const uint8_t *suspicions; /* value of SUSPICION: whole 20-byte records; NULL if none */
    const uint8_t *metas;      /* value of META: whole parts; NULL if none */
    /* PING_REQ. */
    uint64_t target_id;
    struct swim_addr target_addr;
    /* ANTI_ENTROPY. */
    uint64_t table_version;
    uint16_t chunk_index;
    uint16_t chunk_count;
    /* Everything that carries entries. */
    struct reader entries;
    uint32_t entry_count;
};

/*
 * Decodes a whole datagram, checking in this order: length, version, length field, checksum,
 * kind, payload. On any error *ret is unspecified. `data` may be unaligned and must outlive *ret.
 *
 * Payload rules. GOSSIP, PING, ACK, NACK, SYNC: whole entries to the end. PING_REQ: exactly 15 or 27 bytes,
 * agreeing with its family. LEAVE: anything, ignored. ANTI_ENTROPY: a 12-byte chunk header, then
 * whole entries. The family of every entry is 4 or 6, else SWIM_DROP_PAYLOAD. NACK and SYNC are decoded
 * only with capability bit 0 set in the header, else SWIM_DROP_KIND. EXTENDED is honoured only with
 * capability bit 0 set; otherwise the flag is ignored like the unknown ones.
 */
SWIM_MUST_CHECK enum swim_error wire_decode(const void *data, size_t size,
                                            struct wire_datagram *ret);
/* As wire_next_entry, where what is left, if anything, does not begin with an entry of family 4. */
bool wire_next_other_entry(struct reader *entries, struct wire_entry *ret);

/* Where the next entry lies, which is read past, if it is of family 4; NULL where it is for
 * wire_next_other_entry to find out whether there is one. Inline, as these are most of what reading a
 * datagram costs. */
static inline const uint8_t *wire_next_entry4(struct reader *entries)
{
    const uint8_t *at = entries->at;

    if (reader_left(entries) < WIRE_ENTRY4_SIZE || at[WIRE_FAMILY_OFFSET] != 4)
        return NULL;
    entries->at += WIRE_ENTRY4_SIZE;
    return at;
}

/* What it says. The address is stored by words, so that who reads it by words need not wait until
 * single bytes are one. */
static inline void wire_load_entry4(const uint8_t *at, struct wire_entry *ret)
{
    const uint8_t *addr = at + WIRE_FAMILY_OFFSET;
    uint64_t front = 0;

    ret->id = load_u64(at);
    ret->heartbeat = load_u32(at + 8);
    ret->incarnation = load_u32(at + 12);
    ret->status = at[16];
    memcpy(&front, addr + 1, 4);
    memcpy(ret->addr.ip, &front, sizeof front);
    memset(ret->addr.ip + sizeof front, 0, sizeof ret->addr.ip - sizeof front);
    ret->addr.port = load_u16(addr + 5);
    ret->addr.family = 4;
}

/* The next entry, false at the end. */
static inline bool wire_next_entry(struct reader *entries, struct wire_entry *ret)
{
    const uint8_t *at = wire_next_entry4(entries);

    if (!at)
        return reader_left(entries) > 0 && wire_next_other_entry(entries, ret);
    wire_load_entry4(at, ret);
    return true;
}

/* The next accusation of a SUSPICION record's value, false at the end. */
bool wire_next_suspicion(struct reader *suspicions, struct wire_suspicion *ret);
/* The next part of a META record's value, false at the end; its bytes are in the datagram. */
bool wire_next_meta(struct reader *metas, struct wire_meta_part *ret);

/*
 * Encoding: begin, then extension records, then the payload, then finish.
 *
 *     struct wire_builder b;
 *     wire_begin(&b, buf, cap, &header);        header.flags: REQUEST_ACK or 0
 *     wire_put_probe(&b, 7);                    any records, all before the payload
 *     wire_put_entry(&b, &entry);
 *     size = wire_finish(&b);
 *
 * A put that does not fit within `cap` (which wire_begin caps at 24 + 1,400) changes nothing and returns false.
 */
struct wire_builder {
    struct writer out;
    uint64_t header[3]; /* its words, but for what is known at the end: it is written last */
    size_t ext_start;   /* offset of ext_len, 0 when there is no extension */
    bool in_payload;
    bool has_entries; /* so that others may follow without another look */
};

void wire_begin(struct wire_builder *b, void *buf, size_t cap, const struct wire_header *header);
bool wire_put_probe(struct wire_builder *b, uint32_t sequence);
bool wire_put_on_behalf(struct wire_builder *b, uint64_t id);
bool wire_put_view(struct wire_builder *b, uint64_t digest, uint32_t count);
/* Any number, in one record. */
bool wire_put_suspicions(struct wire_builder *b, const struct wire_suspicion *all, uint32_t count);
bool wire_put_token(struct wire_builder *b, uint64_t challenge, uint64_t echo);
bool wire_put_cluster(struct wire_builder *b, uint64_t tag);
/* As much of `size` bytes, the record's own header included, as there is room for. */
void wire_put_padding(struct wire_builder *b, size_t size);
/* One part, as it is in a META record's value; false, and nothing written, when it does not fit. */
bool wire_write_meta(struct writer *value, const struct wire_meta_part *part);
/* The largest value that a record put now can have, if `reserve` bytes are to be left behind it; 0
 * when there is no room for any. */
size_t wire_record_room(const struct wire_builder *b, size_t reserve);
bool wire_put_record(struct wire_builder *b, uint8_t type, const void *value, uint16_t size);
/* Payloads. Asserted: PING_REQ's and ANTI_ENTROPY's are put once, before any entry. */
bool wire_put_target(struct wire_builder *b, uint64_t id, const struct swim_addr *addr);
bool wire_put_chunk(struct wire_builder *b, uint64_t table_version, uint16_t index, uint16_t count);
bool wire_put_other_entry(struct wire_builder *b, const struct wire_entry *entry);
size_t wire_entry_size(const struct swim_addr *addr); /* 24 or 36 */

static inline size_t wire_left(const struct wire_builder *b)
{
    return writer_left(&b->out);
}

/* Where one more entry of family 4 is to be stored, at once; NULL where it is for wire_put_entry to
 * find out whether there may be one. Inline, as these are most of what writing a datagram costs. */
static inline uint8_t *wire_entry4_space(struct wire_builder *b)
{
    uint8_t *at = b->out.at;

    if (!b->has_entries || wire_left(b) < WIRE_ENTRY4_SIZE)
        return NULL;
    b->out.at += WIRE_ENTRY4_SIZE;
    return at;
}

/* `clock`: the heartbeat, and below it the incarnation. */
static inline void wire_store_entry4(uint8_t *at, uint64_t id, uint64_t clock, uint8_t status,
                                     const struct swim_addr *addr)
{
    store_u64(at, id);
    store_u64(at + 8, clock);
    store_u64(at + 16, (uint64_t)status << 56 | UINT64_C(4) << 48 |
                           (uint64_t)load_u32(addr->ip) << 16 | addr->port);
}

static inline bool wire_put_entry(struct wire_builder *b, const struct wire_entry *entry)
{
    uint8_t *at = entry->addr.family == 4 ? wire_entry4_space(b) : NULL;

    if (!at)
        return wire_put_other_entry(b, entry);
    wire_store_entry4(at, entry->id, (uint64_t)entry->heartbeat << 32 | entry->incarnation,
                      entry->status, &entry->addr);
    return true;
}

/* Writes the header, and fills in the extension's length. Returns the datagram's size. */
size_t wire_finish(struct wire_builder *b);

/* RFC 1071 over the bytes, folded and complemented: 0 over a correct datagram. */
uint16_t wire_checksum(const void *data, size_t size);

#endif
