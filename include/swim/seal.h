/*
 * seal.h - datagrams that only holders of the cluster's key can read, write or repeat.
 *
 * The core (swim.h) speaks plaintext. A host that wants protection wraps what swim_transmit
 * wrote, and opens what arrived before swim_receive sees it. The bytes are specified in
 * docs/protocol.md section 3, the promises in docs/security.md. Needs libsodium.
 *
 *     size = swim_transmit(s, now, &to, buf, sizeof buf);
 *     sendto(swim_seal_wrap(seal, buf, size, out, sizeof out) bytes of out, to);
 *
 *     error = swim_seal_open(seal, data, size, buf, sizeof buf, &opened);
 *     if (error)                            dropped and counted
 *     else if (opened.is_fresh)             swim_receive(s, now, &from, buf, opened.size);
 *     else if (swim_receive_unproved(s, now, &from, buf, opened.size) == SWIM_OK)
 *                                           swim_seal_admit(seal, &opened);
 *
 * Two envelopes, never mixed by themselves:
 *   1  for clusters with plain version-1 members that hold the key: nothing is readable or
 *      forgeable, but what was recorded can be repeated.
 *   2  the one for everybody else: a key of its own for each sender and start, and a window of
 *      sequence numbers, so that nothing is heard twice. A sender whose start is not known yet
 *      proves that it speaks now, not then, by answering a challenge (swim_receive_unproved).
 *
 * An instance is used by one thread at a time. It draws no randomness and asks no clock: both come
 * in by its configuration. Keys and what is derived from them live in memory that is locked where
 * the system allows it, left out of core dumps, and wiped.
 */
#ifndef SWIM_SEAL_H
#define SWIM_SEAL_H

#include "swim/swim.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an envelope adds to a datagram. */
#define SWIM_SEAL_OVERHEAD_1 36
#define SWIM_SEAL_OVERHEAD_2 44
#define SWIM_SEAL_OVERHEAD_MAX SWIM_SEAL_OVERHEAD_2
/* Room for any wrapped datagram. */
#define SWIM_SEALED_MAX (SWIM_DATAGRAM_MAX + SWIM_SEAL_OVERHEAD_MAX)

#define SWIM_KEY_SIZE 32
/* Keys that an instance holds at a time: the primary one and those that are still, or already,
 * accepted. */
#define SWIM_KEYS_MAX 8
/* Sequence numbers behind the newest of a sender that are still told apart from repetitions. */
#define SWIM_SEAL_WINDOW 1024
/* Starts are below this. */
#define SWIM_SEAL_START_MAX (UINT64_C(1) << 48)

/* How datagrams are sealed; never mixed within a cluster. */
enum swim_envelope { SWIM_ENVELOPE_1 = 1, SWIM_ENVELOPE_2 = 2 };

/* What an instance begins with. */
struct swim_seal_config {
    enum swim_envelope envelope;
    /* Envelope 2: the cluster's name is part of every key, so that two clusters that share a key
     * by mistake stay apart. NULL or "": none. Copied; at most SWIM_CLUSTER_MAX bytes. */
    const char *cluster;
    /* Envelope 2: a number that grows with each start of a member under the same id, below
     * SWIM_SEAL_START_MAX: milliseconds since 1970 do. */
    uint64_t start;
    /* Bound on the senders whose windows are held; the longest silent one makes room. That costs
     * its sender a challenge, nothing else. SWIM_MEMBERS_MIN..SWIM_MEMBERS_MAX. */
    uint32_t members_max;
    /* Fresh random bytes, never used before (nonces are made with them; see src/seal/nonce.c). */
    uint8_t entropy[32];
};

/* One member's keys, and what it has heard from whom. Made by swim_seal_new. */
struct swim_seal;

/* NULL when there is no memory, or libsodium can't start. `config` is copied; starts without a
 * key: wraps and opens nothing. The caller ends it with swim_seal_free, which wipes it; NULL is
 * allowed there. Asserted: every field is in its range. */
SWIM_API SWIM_MUST_CHECK struct swim_seal *swim_seal_new(const struct swim_seal_config *config);
SWIM_API void swim_seal_free(struct swim_seal *seal);

/* ---- Datagrams --------------------------------------------------------------------------- */

/*
 * Writes the envelope of a whole datagram (swim_transmit's; its bytes 4 to 11 are the sender's id)
 * into `buf`, which may not overlap. Returns its size: the datagram's and the overhead. 0 when
 * there is no key, or the 2^64 sequence numbers of this start are used up: then nothing may be
 * sent. Asserted: 24 <= size <= SWIM_DATAGRAM_MAX, and cap has room.
 */
SWIM_API SWIM_MUST_CHECK size_t swim_seal_wrap(struct swim_seal *seal, const void *datagram,
                                               size_t size, void *buf, size_t cap);

/* Why an envelope was dropped. Each has its counter in struct swim_seal_stats. */
enum swim_seal_error {
    SWIM_SEAL_OK = 0,
    SWIM_SEAL_DROP_SIZE,    /* too short or too long for this envelope */
    SWIM_SEAL_DROP_VERSION, /* not envelope 2 (envelope 1 carries no version) */
    SWIM_SEAL_DROP_KEY,     /* envelope 2: under a key that is not held */
    SWIM_SEAL_DROP_FORGED,  /* does not open: another key or cluster, damaged, or forged */
    SWIM_SEAL_DROP_SENDER,  /* opens, but speaks for somebody else than it says outside */
    SWIM_SEAL_DROP_REPLAY,  /* envelope 2: heard before, or too old to tell */
};
#define SWIM_SEAL_ERROR_COUNT 7
SWIM_API const char *swim_seal_error_name(enum swim_seal_error error);

/* What an envelope that opened had inside. */
struct swim_seal_opened {
    size_t size;      /* of the datagram inside */
    uint64_t sender;  /* its id */
    uint64_t start;   /* envelope 2: the sender's; 0 in envelope 1 */
    uint64_t counter; /* envelope 2: this datagram's sequence number; 0 in envelope 1 */
    uint32_t key_id;  /* of the key that it was sealed with: swim_key_id */
    /* The sender's start is held, and this datagram was not heard before. False: it is authentic,
     * but may be a repetition of what a start that is not held once said. Always true in
     * envelope 1, which can't tell. */
    bool is_fresh;
};

/*
 * Opens what arrived into `buf` (cap >= size, asserted; not overlapping). On any error *ret and
 * `buf` are unspecified, and only the counter of that error has changed. Every size is legal.
 * A fresh datagram is marked as heard: opened again, it is a replay.
 */
SWIM_API SWIM_MUST_CHECK enum swim_seal_error swim_seal_open(struct swim_seal *seal,
                                                             const void *data, size_t size,
                                                             void *buf, size_t cap,
                                                             struct swim_seal_opened *ret);

/* The sender of a datagram that was not fresh has proved that it speaks now: its start is held
 * from here on, this datagram is heard, and older starts of the same id are refused for good. No
 * effect on one that was fresh, or older than the start that is held by now. */
SWIM_API void swim_seal_admit(struct swim_seal *seal, const struct swim_seal_opened *opened);

/* ---- Keys -------------------------------------------------------------------------------- */

/* A key's public name, for people and logs: says nothing about the key. Never 0. */
SWIM_API uint32_t swim_key_id(const uint8_t key[SWIM_KEY_SIZE]);

/* Why a key, or an order about one, was refused. */
enum swim_key_error {
    SWIM_KEY_OK = 0,
    SWIM_KEY_FULL,    /* SWIM_KEYS_MAX others are held */
    SWIM_KEY_UNKNOWN, /* no such key is held */
    SWIM_KEY_PRIMARY, /* the primary key can't be removed: use another one first */
    SWIM_KEY_WEAK,    /* all zeros, or another id's double: draw a new one */
};
SWIM_API const char *swim_key_error_name(enum swim_key_error error);

/* From now on opens what was sealed with this key. The first key installed is the primary one.
 * Installing a key that is held changes nothing. `key` is copied; wiping it is the caller's. */
SWIM_API SWIM_MUST_CHECK enum swim_key_error
swim_seal_key_install(struct swim_seal *seal, const uint8_t key[SWIM_KEY_SIZE]);
/* From now on seals with this key. */
SWIM_API SWIM_MUST_CHECK enum swim_key_error swim_seal_key_use(struct swim_seal *seal,
                                                               uint32_t key_id);
/* From now on no longer opens what was sealed with this key, which is wiped. */
SWIM_API SWIM_MUST_CHECK enum swim_key_error swim_seal_key_remove(struct swim_seal *seal,
                                                                  uint32_t key_id);
/* The ids of the keys held, at most SWIM_KEYS_MAX, the primary one first. Returns how many. */
SWIM_API uint32_t swim_seal_keys(const struct swim_seal *seal, uint32_t ret_ids[SWIM_KEYS_MAX]);

/* ---- Statistics -------------------------------------------------------------------------- */

/* Counters since the start, and a gauge. */
struct swim_seal_stats {
    uint64_t wrapped;
    uint64_t opened;                         /* fresh or not */
    uint64_t unproved;                       /* of these, not fresh */
    uint64_t admitted;                       /* starts that are, or were, held */
    uint64_t evicted;                        /* windows given up for another sender's */
    uint64_t dropped[SWIM_SEAL_ERROR_COUNT]; /* by error; [SWIM_SEAL_OK] stays 0 */
    uint32_t windows;                        /* gauge: senders whose window is held */
};
/* Fills in all of *ret. */
SWIM_API void swim_seal_stats(const struct swim_seal *seal, struct swim_seal_stats *ret);

#ifdef __cplusplus
}
#endif

#endif
