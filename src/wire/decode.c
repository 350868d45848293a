/*
 * Bytes to structs: docs/protocol.md sections 1, 2 and 6. Whatever a stranger sends ends in one
 * of the drop reasons or in a datagram whose every later read stays inside its bytes.
 */
#include "wire/wire.h"

#include "base/inline.h"
#include "wire/checksum.h"

#include <string.h>

#define TARGET4_SIZE 15
#define TARGET6_SIZE 27

/* Size of an entry of this family, 0 if there is no such family. */
static size_t size_of_entry(uint8_t family)
{
    return family == 4 ? WIRE_ENTRY4_SIZE : family == 6 ? WIRE_ENTRY6_SIZE : 0;
}

/* Family, address and port at `at`, where they are known to be whole. */
static void load_addr(const uint8_t *at, struct swim_addr *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->family = at[0];
    if (at[0] == 4) {
        memcpy(ret->ip, at + 1, 4);
        ret->port = load_u16(at + 5);
    } else {
        memcpy(ret->ip, at + 1, 16);
        ret->port = load_u16(at + 17);
    }
}

static bool is_known_kind(uint8_t kind, bool is_capable)
{
    unsigned kinds = is_capable ? WIRE_SYNC : WIRE_ANTI_ENTROPY; /* from WIRE_GOSSIP on */

    return kind - 1u < kinds;
}

/* Section 1, in the order of the checks that it prescribes: those that are cheap. Version and length
 * are one comparison, until it fails. */
static inline enum swim_error check_front(const uint8_t *data, size_t size)
{
    const uint32_t version_and_length = UINT32_C(0xFF00FFFF);

    if (size < WIRE_HEADER_SIZE || size > SWIM_RECEIVE_MAX)
        return SWIM_DROP_SHORT;
    if ((load_u32(data) & version_and_length) ==
        ((uint32_t)WIRE_VERSION << 24 | (uint32_t)(size - WIRE_HEADER_SIZE)))
        return SWIM_OK;
    return data[0] != WIRE_VERSION ? SWIM_DROP_VERSION : SWIM_DROP_LENGTH;
}

/* ... and the others; `sum`: of the whole datagram. */
static inline enum swim_error decode_header(const uint8_t *data, uint64_t sum,
                                            struct wire_header *ret)
{
    uint8_t flags = data[20];

    if (checksum_fold(sum) != UINT16_MAX)
        return SWIM_DROP_CHECKSUM;
    ret->kind = data[1];
    ret->capabilities = data[21] & WIRE_CAPABLE;
    if (!is_known_kind(ret->kind, ret->capabilities))
        return SWIM_DROP_KIND;
    ret->sender_id = load_u64(data + 4);
    ret->heartbeat = load_u32(data + 12);
    ret->incarnation = load_u32(data + 16);
    ret->flags = flags & (ret->capabilities ? WIRE_FLAG_REQUEST_ACK | WIRE_FLAG_EXTENDED
                                            : WIRE_FLAG_REQUEST_ACK);
    return SWIM_OK;
}

/* Keeps the value of a record that is there for the first time. */
static void keep_value(const struct reader *value, const uint8_t **bytes, uint16_t *size)
{
    if (*bytes)
        return;
    *bytes = value->at;
    *size = (uint16_t)reader_left(value);
}

static bool decode_probe(struct reader *value, struct wire_datagram *ret)
{
    if (reader_left(value) != 4)
        return false;
    if (!ret->has_probe)
        ret->probe_sequence = read_u32(value);
    ret->has_probe = true;
    return true;
}

static bool decode_on_behalf(struct reader *value, struct wire_datagram *ret)
{
    if (reader_left(value) != 8)
        return false;
    if (!ret->has_on_behalf)
        ret->on_behalf = read_u64(value);
    ret->has_on_behalf = true;
    return true;
}

static bool decode_view(struct reader *value, struct wire_datagram *ret)
{
    if (reader_left(value) != 12)
        return false;
    if (!ret->has_view) {
        ret->view_digest = read_u64(value);
        ret->view_count = read_u32(value);
    }
    ret->has_view = true;
    return true;
}

static bool decode_token(struct reader *value, struct wire_datagram *ret)
{
    if (reader_left(value) != 16 && reader_left(value) != 0)
        return false;
    if (!ret->has_token && reader_left(value)) {
        ret->challenge = read_u64(value);
        ret->echo = read_u64(value);
    }
    ret->has_token = true;
    return true;
}

static bool decode_cluster(struct reader *value, struct wire_datagram *ret)
{
    if (reader_left(value) != 8)
        return false;
    if (!ret->has_cluster)
        ret->cluster = read_u64(value);
    ret->has_cluster = true;
    return true;
}

/* Whole parts, each as long as its number and the whole size say. */
static bool decode_metas(const struct reader *value, struct wire_datagram *ret)
{
    struct reader left = *value;
    struct wire_meta_part part;

    while (wire_next_meta(&left, &part))
        ;
    if (reader_left(&left) > 0)
        return false;
    keep_value(value, &ret->metas, &ret->metas_size);
    return true;
}

static bool decode_record(uint8_t type, struct reader value, struct wire_datagram *ret)
{
    switch (type) {
    case WIRE_EXT_PROBE: return decode_probe(&value, ret);
    case WIRE_EXT_ON_BEHALF: return decode_on_behalf(&value, ret);
    case WIRE_EXT_VIEW: return decode_view(&value, ret);
    case WIRE_EXT_SUSPICION:
        if (reader_left(&value) % WIRE_SUSPICION_SIZE != 0)
            return false;
        keep_value(&value, &ret->suspicions, &ret->suspicions_size);
        return true;
    case WIRE_EXT_BUCKETS: keep_value(&value, &ret->buckets, &ret->buckets_size); return true;
    case WIRE_EXT_META: return decode_metas(&value, ret);
    case WIRE_EXT_TOKEN: return decode_token(&value, ret);
    case WIRE_EXT_CLUSTER: return decode_cluster(&value, ret);
    default: return true; /* padding, or of a later version: skipped */
    }
}

/* Section 6: the extension in front of the payload. Returns what it takes, 0 if it is malformed. */
NOINLINE static size_t decode_extension(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    struct reader payload = reader_of(at, size);
    size_t records_size = read_u16(&payload);
    const uint8_t *bytes = read_bytes(&payload, records_size);
    struct reader records;

    if (!bytes)
        return 0;
    for (records = reader_of(bytes, records_size); reader_left(&records) > 0;) {
        uint8_t type = read_u8(&records);
        size_t value_size = read_u16(&records);
        const uint8_t *value = read_bytes(&records, value_size);
        if (!value || !decode_record(type, reader_of(value, value_size), ret))
            return 0;
    }
    return 2 + records_size;
}

/* Nothing but entries of family 4, as in nearly every datagram: one look at each, and no branch. */
static bool is_all_ipv4(const uint8_t *at, size_t size)
{
    unsigned others = 0;

    for (size_t i = WIRE_FAMILY_OFFSET; i < size; i += WIRE_ENTRY4_SIZE)
        others |= at[i] ^ 4u;
    return others == 0 && size % WIRE_ENTRY4_SIZE == 0;
}

NOINLINE static bool count_entries(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    if (is_all_ipv4(at, size)) {
        ret->entry_count = (uint32_t)(size / WIRE_ENTRY4_SIZE);
        return true;
    }
    for (; size > 0; ret->entry_count++) {
        size_t taken = size > WIRE_FAMILY_OFFSET ? size_of_entry(at[WIRE_FAMILY_OFFSET]) : 0;

        if (taken == 0 || taken > size)
            return false;
        at += taken;
        size -= taken;
    }
    return true;
}

/* The rest of the payload: whole entries, each of a known family. */
static inline bool decode_entries(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    ret->entries = reader_of(at, size);
    return size == 0 || count_entries(at, size, ret);
}

NOINLINE static bool decode_target(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    if (size != TARGET4_SIZE && size != TARGET6_SIZE)
        return false;
    ret->target_id = load_u64(at);
    if (at[8] != (size == TARGET4_SIZE ? 4 : 6))
        return false;
    load_addr(at + 8, &ret->target_addr);
    return true;
}

NOINLINE static bool decode_chunk(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    if (size < WIRE_CHUNK_HEADER_SIZE)
        return false;
    ret->table_version = load_u64(at);
    ret->chunk_index = load_u16(at + 8);
    ret->chunk_count = load_u16(at + 10);
    return decode_entries(at + WIRE_CHUNK_HEADER_SIZE, size - WIRE_CHUNK_HEADER_SIZE, ret);
}

/* Section 2, behind the extension. */
static inline bool decode_payload(const uint8_t *at, size_t size, struct wire_datagram *ret)
{
    ret->entries = reader_of(at, 0);
    ret->entry_count = 0;
    switch (ret->header.kind) {
    case WIRE_LEAVE: return true;
    case WIRE_PING_REQ: return decode_target(at, size, ret);
    case WIRE_ANTI_ENTROPY: return decode_chunk(at, size, ret);
    default: return decode_entries(at, size, ret);
    }
}

/* Bytes from one field up to another one. */
#define CLEAR(ret, from, to)                                                                       \
    memset((uint8_t *)(ret) + offsetof(struct wire_datagram, from), 0,                             \
           offsetof(struct wire_datagram, to) - offsetof(struct wire_datagram, from))

/* All that is not set in every case. In parts: of a memset as long as all of it, compilers make a loop that
 * takes longer than the rest of reading a PING. */
static inline void clear(struct wire_datagram *ret)
{
    CLEAR(ret, has_probe, challenge);
    CLEAR(ret, challenge, target_id);
    CLEAR(ret, target_id, entries);
}

/* `sum`: of the whole datagram. */
static ALWAYS_INLINE enum swim_error decode_summed(const uint8_t *data, size_t size, uint64_t sum,
                                                   struct wire_datagram *ret)
{
    enum swim_error error = decode_header(data, sum, &ret->header);
    const uint8_t *at = data + WIRE_HEADER_SIZE;
    size_t left = size - WIRE_HEADER_SIZE;

    if (error != SWIM_OK)
        return error;
    clear(ret);
    if (ret->header.flags & WIRE_FLAG_EXTENDED) {
        size_t taken = left > 0 ? decode_extension(at, left, ret) : 0;
        if (taken == 0)
            return SWIM_DROP_PAYLOAD;
        at += taken;
        left -= taken;
    }
    return decode_payload(at, left, ret) ? SWIM_OK : SWIM_DROP_PAYLOAD;
}

NOINLINE static enum swim_error decode_whole(const uint8_t *data, size_t size,
                                             struct wire_datagram *ret)
{
    return decode_summed(data, size, checksum_datagram(data, size - WIRE_HEADER_SIZE), ret);
}

enum swim_error wire_decode(const void *data, size_t size, struct wire_datagram *ret)
{
    enum swim_error error = check_front(data, size);

    if (error != SWIM_OK)
        return error;
    /* Of what looks at a payload compilers leave nothing where there is none. */
    if (size == WIRE_HEADER_SIZE)
        return decode_summed(data, WIRE_HEADER_SIZE, checksum_datagram(data, 0), ret);
    return decode_whole(data, size, ret);
}

bool wire_next_suspicion(struct reader *suspicions, struct wire_suspicion *ret)
{
    if (reader_left(suspicions) < WIRE_SUSPICION_SIZE)
        return false;
    ret->target = read_u64(suspicions);
    ret->incarnation = read_u32(suspicions);
    ret->accuser = read_u64(suspicions);
    return true;
}

bool wire_next_meta(struct reader *metas, struct wire_meta_part *ret)
{
    struct reader next = *metas;

    ret->id = read_u64(&next);
    ret->key.incarnation = read_u32(&next);
    ret->key.version = read_u32(&next);
    ret->key.digest = read_u64(&next);
    ret->size = read_u16(&next);
    ret->number = read_u8(&next);
    ret->part_size = (uint16_t)wire_meta_part_size(ret->size, ret->number);
    if (ret->size > WIRE_META_MAX || ret->part_size == 0)
        return false;
    ret->bytes = read_bytes(&next, ret->part_size);
    if (next.failed)
        return false;
    *metas = next;
    return true;
}

bool wire_next_other_entry(struct reader *entries, struct wire_entry *ret)
{
    /* Entries that wire_decode accepted are whole; the check is what ends the iteration. */
    const uint8_t *at =
        reader_left(entries) > WIRE_FAMILY_OFFSET && entries->at[WIRE_FAMILY_OFFSET] == 6
            ? read_bytes(entries, WIRE_ENTRY6_SIZE)
            : NULL;

    if (!at)
        return false;
    ret->id = load_u64(at);
    ret->heartbeat = load_u32(at + 8);
    ret->incarnation = load_u32(at + 12);
    ret->status = at[16];
    load_addr(at + WIRE_FAMILY_OFFSET, &ret->addr);
    return true;
}
