/* See naive_decode.h. docs/protocol.md sections 1, 2, 6 and 8, in the order of the page. */
#include "naive_decode.h"

#include <string.h>

/* Big-endian, of as many bytes as there are. */
static uint64_t number(const uint8_t *bytes, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value = value * 256 + bytes[i];
    return value;
}

/* ---- Section 1 ---- */

/* One's complement addition: what is carried out at the top comes in at the bottom. */
static unsigned add(unsigned a, unsigned b)
{
    return a + b > 65535 ? a + b - 65535 : a + b;
}

static bool is_sum_right(const uint8_t *bytes, size_t size)
{
    unsigned sum = 0;

    for (size_t i = 0; i < size; i += 2) {
        unsigned low = i + 1 < size ? bytes[i + 1] : 0;
        unsigned word = bytes[i] * 256u + low;
        if (i != 22)
            sum = add(sum, word);
    }
    /* Of the two zeros of this arithmetic only one is the complement of a sum of something, but
     * both count as correct: the sum over all, field included, is 0xFFFF. */
    return add(sum, (unsigned)number(bytes + 22, 2)) == 65535;
}

static bool is_kind(unsigned kind, bool is_capable)
{
    switch (kind) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6: return true;
    case 7:
    case 8: return is_capable;
    default: return false;
    }
}

/* ---- Section 2 ---- */

/* How many bytes an address takes with family and port, 0 for a family that doesn't exist. */
static size_t take_addr(const uint8_t *bytes, struct naive_addr *ret)
{
    size_t ip_size = 0;

    if (bytes[0] == 4)
        ip_size = 4;
    else if (bytes[0] == 6)
        ip_size = 16;
    else
        return 0;
    *ret = (struct naive_addr){.family = bytes[0]};
    for (size_t i = 0; i < ip_size; i++)
        ret->ip[i] = bytes[1 + i];
    ret->port = (unsigned)number(bytes + 1 + ip_size, 2);
    return 1 + ip_size + 2;
}

static bool take_entries(const uint8_t *bytes, size_t size, struct naive_datagram *ret)
{
    uint8_t whole[36] = {0}; /* so that looking at the family of a part reads nothing outside */

    ret->entry_count = 0;
    while (size > 0) {
        struct naive_entry *entry = &ret->entries[ret->entry_count];
        size_t there = size < 36 ? size : 36;
        size_t needed;

        memset(whole, 0, sizeof whole);
        memcpy(whole, bytes, there);
        needed = take_addr(whole + 17, &entry->addr);
        if (needed == 0 || 17 + needed > size)
            return false;
        entry->id = number(whole, 8);
        entry->heartbeat = number(whole + 8, 4);
        entry->incarnation = number(whole + 12, 4);
        entry->status = whole[16];
        ret->entry_count++;
        bytes += 17 + needed;
        size -= 17 + needed;
    }
    return true;
}

static bool take_target(const uint8_t *bytes, size_t size, struct naive_datagram *ret)
{
    if (size == 15 && bytes[8] != 4)
        return false;
    if (size == 27 && bytes[8] != 6)
        return false;
    if (size != 15 && size != 27)
        return false;
    ret->target_id = number(bytes, 8);
    (void)take_addr(bytes + 8, &ret->target);
    return true;
}

static bool take_payload(const uint8_t *bytes, size_t size, struct naive_datagram *ret)
{
    if (ret->kind == 5)
        return true;
    if (ret->kind == 3)
        return take_target(bytes, size, ret);
    if (ret->kind == 6) {
        if (size < 12)
            return false;
        ret->table_version = number(bytes, 8);
        ret->chunk_index = (unsigned)number(bytes + 8, 2);
        ret->chunk_count = (unsigned)number(bytes + 10, 2);
        return take_entries(bytes + 12, size - 12, ret);
    }
    return take_entries(bytes, size, ret);
}

/* ---- Section 8: the BUCKETS record ---- */

static bool are_buckets(const uint8_t *bytes, size_t size)
{
    unsigned buckets = 1;
    unsigned mask;

    if (size < 3 || bytes[1] > 8)
        return false;
    for (unsigned i = 0; i < bytes[1]; i++)
        buckets *= 2;
    mask = buckets < 8 ? 1 : buckets / 8;
    switch (bytes[0]) {
    case 1: return size == 3 + 4 * buckets;
    case 2: return size == 3 + mask;
    case 3: return size == 3;
    case 4: return size > 7 + mask && size <= 7 + mask + 160 * 7 && (size - 7 - mask) % 28 == 0;
    case 5: return size == 5 + mask;
    case 6: return size > 7 + mask && size <= 7 + mask + 160 * 4 && (size - 7 - mask) % 4 == 0;
    default: return false;
    }
}

/* ---- Section 6 ---- */

static void take_suspicion(const uint8_t *value, size_t size, struct naive_datagram *ret)
{
    ret->has_suspicion = true;
    ret->accusation_count = 0;
    for (size_t at = 0; at < size; at += 20) {
        struct naive_accusation *accusation = &ret->accusations[ret->accusation_count++];
        accusation->target = number(value + at, 8);
        accusation->incarnation = number(value + at + 8, 4);
        accusation->accuser = number(value + at + 12, 8);
    }
}

/* The bytes of the part that starts here, 0 if there is no such part. */
static size_t take_part(const uint8_t *bytes, size_t size, struct naive_part *ret)
{
    size_t before;

    if (size < 27)
        return 0;
    ret->member = number(bytes, 8);
    ret->incarnation = number(bytes + 8, 4);
    ret->version = number(bytes + 12, 4);
    ret->digest = number(bytes + 16, 8);
    ret->size = (unsigned)number(bytes + 24, 2);
    ret->number = bytes[26];
    before = (size_t)ret->number * 512;
    if (ret->size < 1 || ret->size > 4225 || before >= ret->size)
        return 0;
    ret->count = (unsigned)(ret->size - before < 512 ? ret->size - before : 512);
    if (size - 27 < ret->count)
        return 0;
    memcpy(ret->bytes, bytes + 27, ret->count);
    return 27 + ret->count;
}

/* Whole parts to the end, or nothing. They are kept of the first record only. */
static bool take_meta(const uint8_t *value, size_t size, struct naive_datagram *ret)
{
    static struct naive_part other;
    bool is_first = !ret->has_meta;

    ret->has_meta = true;
    while (size > 0) {
        struct naive_part *part = is_first ? &ret->parts[ret->part_count] : &other;
        size_t taken = take_part(value, size, part);

        if (taken == 0)
            return false;
        ret->part_count += is_first ? 1 : 0;
        value += taken;
        size -= taken;
    }
    return true;
}

/* The first of its type counts. */
static void take_record(unsigned type, const uint8_t *value, size_t size,
                        struct naive_datagram *ret)
{
    if (type == 1 && !ret->has_probe) {
        ret->has_probe = true;
        ret->probe = number(value, 4);
    } else if (type == 2 && !ret->has_on_behalf) {
        ret->has_on_behalf = true;
        ret->on_behalf = number(value, 8);
    } else if (type == 7 && !ret->has_token) {
        ret->has_token = true;
        ret->challenge = size == 0 ? 0 : number(value, 8);
        ret->echo = size == 0 ? 0 : number(value + 8, 8);
    } else if (type == 8 && !ret->has_cluster) {
        ret->has_cluster = true;
        ret->cluster = number(value, 8);
    } else if (type == 3 && !ret->has_suspicion) {
        take_suspicion(value, size, ret);
    } else if (type == 4 && !ret->has_view) {
        ret->has_view = true;
        ret->view_digest = number(value, 8);
        ret->view_members = number(value + 8, 4);
    } else if (type == 5 && !ret->has_buckets) {
        ret->has_buckets = true;
        ret->buckets_size = (unsigned)size;
        memcpy(ret->buckets, value, size);
        ret->are_buckets_wellformed = are_buckets(value, size);
    }
}

static bool is_length_right(unsigned type, size_t size)
{
    switch (type) {
    case 1: return size == 4;
    case 2: return size == 8;
    case 3: return size % 20 == 0;
    case 4: return size == 12;
    case 7: return size == 16 || size == 0;
    case 8: return size == 8;
    default: return true; /* BUCKETS has many; it is looked at in a SYNC only (check 8) */
    }
}

/* PROBE, ON_BEHALF, TOKEN, CLUSTER, SUSPICION, VIEW, BUCKETS, META; 0 for what is not kept. */
static unsigned place_of(unsigned type)
{
    static const unsigned order[] = {1, 2, 7, 8, 3, 4, 5, 6};

    for (unsigned i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (order[i] == type)
            return i + 1;
    }
    return 0;
}

static bool take_records(const uint8_t *bytes, size_t size, struct naive_datagram *ret)
{
    unsigned last = 0;

    while (size > 0) {
        unsigned type = bytes[0];
        size_t length;

        if (size < 3)
            return false;
        length = (size_t)number(bytes + 1, 2);
        if (length > size - 3 || !is_length_right(type, length))
            return false;
        if (type == 6 && !take_meta(bytes + 3, length, ret))
            return false;
        if (place_of(type) <= last || (type == 7 && length == 0))
            ret->is_in_order = false;
        last = place_of(type);
        take_record(type, bytes + 3, length, ret);
        bytes += 3 + length;
        size -= 3 + length;
    }
    return true;
}

/* ---- All ---- */

static void take_header(const uint8_t *bytes, struct naive_datagram *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->kind = bytes[1];
    ret->sender_id = number(bytes + 4, 8);
    ret->heartbeat = number(bytes + 12, 4);
    ret->incarnation = number(bytes + 16, 4);
    ret->is_capable = bytes[21] % 2 == 1;
    ret->requests_ack = bytes[20] % 2 == 1;
    ret->is_extended = bytes[20] / 2 % 2 == 1 && ret->is_capable;
    ret->is_in_order = true;
}

enum swim_error naive_decode(const uint8_t *bytes, size_t size, struct naive_datagram *ret)
{
    size_t payload = 24;

    if (size < 24 || size > 1472)
        return SWIM_DROP_SHORT;
    if (bytes[0] != 1)
        return SWIM_DROP_VERSION;
    if (number(bytes + 2, 2) != size - 24)
        return SWIM_DROP_LENGTH;
    if (!is_sum_right(bytes, size))
        return SWIM_DROP_CHECKSUM;
    take_header(bytes, ret);
    if (!is_kind(ret->kind, ret->is_capable))
        return SWIM_DROP_KIND;
    if (ret->is_extended) {
        size_t length;

        if (size < 26)
            return SWIM_DROP_PAYLOAD;
        length = (size_t)number(bytes + 24, 2);
        if (26 + length > size || !take_records(bytes + 26, length, ret))
            return SWIM_DROP_PAYLOAD;
        payload = 26 + length;
    }
    return take_payload(bytes + payload, size - payload, ret) ? SWIM_OK : SWIM_DROP_PAYLOAD;
}
