/*
 * The second opinion: docs/protocol.md sections 1, 2, 6 and 8's BUCKETS, read a second time and
 * written down as plainly as possible, to be compared with src/wire on every input
 * (differential.h). It shares nothing with src/wire or src/base but the names of the drop reasons,
 * copies everything out of the datagram, and is not meant to be fast. When the two disagree, one
 * of them, or the page, is wrong: look there before making them agree.
 */
#ifndef SWIM_TESTS_FUZZ_NAIVE_DECODE_H
#define SWIM_TESTS_FUZZ_NAIVE_DECODE_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NAIVE_SIZE_MAX = 1472,
    NAIVE_ENTRIES_MAX = 1448 / 24,
    NAIVE_ACCUSATIONS_MAX = 1448 / 20,
    NAIVE_PARTS_MAX = 1448 / 28,
};

struct naive_addr {
    unsigned family;
    uint8_t ip[16];
    unsigned port;
};

struct naive_entry {
    uint64_t id;
    uint64_t heartbeat;
    uint64_t incarnation;
    unsigned status;
    struct naive_addr addr;
};

struct naive_accusation {
    uint64_t target;
    uint64_t incarnation;
    uint64_t accuser;
};

/* Of a member's name and tags. */
struct naive_part {
    uint64_t member;
    uint64_t incarnation;
    uint64_t version;
    uint64_t digest;
    unsigned size;
    unsigned number;
    unsigned count; /* of bytes */
    uint8_t bytes[512];
};

struct naive_datagram {
    unsigned kind;
    bool requests_ack;
    bool is_extended;
    bool is_capable;
    uint64_t sender_id;
    uint64_t heartbeat;
    uint64_t incarnation;

    bool has_probe;
    uint64_t probe;
    bool has_on_behalf;
    uint64_t on_behalf;
    bool has_token;
    uint64_t challenge;
    uint64_t echo;
    bool has_cluster;
    uint64_t cluster;
    bool has_suspicion;
    unsigned accusation_count;
    struct naive_accusation accusations[NAIVE_ACCUSATIONS_MAX];
    bool has_meta;
    unsigned part_count;
    struct naive_part parts[NAIVE_PARTS_MAX];
    bool has_view;
    uint64_t view_digest;
    uint64_t view_members;
    bool has_buckets;
    unsigned buckets_size;
    uint8_t buckets[NAIVE_SIZE_MAX];
    bool are_buckets_wellformed; /* section 8: what check 8 asks of a SYNC */
    /* What section 6 promises to write in one way only: every record of a type that is known, once,
     * in the order of the section, no empty TOKEN, no padding. */
    bool is_in_order;

    uint64_t target_id;
    struct naive_addr target;
    uint64_t table_version;
    unsigned chunk_index;
    unsigned chunk_count;
    unsigned entry_count;
    struct naive_entry entries[NAIVE_ENTRIES_MAX];
};

/* Checks 1 to 6 of section 1. SWIM_OK, or the reason; then *ret is unspecified. */
enum swim_error naive_decode(const uint8_t *bytes, size_t size, struct naive_datagram *ret);

#endif
