/*
 * swim.h - cluster membership by SWIM gossip, as a sans-IO library.
 *
 * One `struct swim` is one member of a cluster. It owns no socket, no clock, no thread and no
 * heap: the host hands it time, datagrams and one arena of memory, and pulls out datagrams,
 * events and the next deadline. The protocol is specified in docs/protocol.md; "SWIM" is
 * Das, Gupta, Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process Group
 * Membership Protocol", DSN 2002.
 *
 * The host's loop, whatever it is made of:
 *
 *     for each datagram that arrived   swim_receive(s, now, &from, data, size);
 *     when swim_deadline(s) has come   swim_advance(s, now);
 *     after any call                   while ((n = swim_transmit(s, now, &to, buf, sizeof buf)))
 *                                          sendto(n bytes of buf, to);
 *                                      while (swim_next_event(s, &event)) ...
 *
 * Rules that hold for every function here:
 *   - Time is `swim_time`: nanoseconds of a monotonic clock that counts suspended time too
 *     (CLOCK_BOOTTIME). Its origin is the host's choice. It must never go back between two
 *     calls on one instance: that is asserted.
 *   - What has arrived is handed over before swim_advance: an answer that waits in the socket is
 *     not late, and a busy host that forgets this takes its peers for dead.
 *   - Inputs are copied before the call returns; outputs are values. Nothing is borrowed and
 *     nothing is called back, so there are no re-entrancy rules.
 *   - An instance is used by one thread at a time. Different instances share nothing.
 *   - Bytes from the network never trip an assertion: they are merged, or dropped and counted.
 *     A broken argument of the host's (null pointer, time that runs backwards) is a bug and does.
 *   - After swim_init there is no allocation; the work of a call does not grow with the table.
 */
#ifndef SWIM_SWIM_H
#define SWIM_SWIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version, by semver.org's rules. */
#define SWIM_VERSION_MAJOR 0
#define SWIM_VERSION_MINOR 1
#define SWIM_VERSION_PATCH 0

#if defined(__GNUC__)
#define SWIM_API __attribute__((visibility("default")))
#define SWIM_MUST_CHECK __attribute__((warn_unused_result))
#define SWIM_NORETURN __attribute__((noreturn))
#else
#define SWIM_API
#define SWIM_MUST_CHECK
#define SWIM_NORETURN
#endif

/* The version of the library that runs, "0.1.0" (static): SWIM_VERSION_* are what a program was
 * compiled with, this is what it has met. For bindings, and for logs. */
SWIM_API const char *swim_version(void);

/* ---- Limits ------------------------------------------------------------------------------ */

/* The largest datagram that swim_transmit writes: 24 bytes of header and 1,400 of payload.
 * swim_receive accepts up to SWIM_RECEIVE_MAX bytes (protocol.md section 1). */
#define SWIM_DATAGRAM_MAX 1424
#define SWIM_RECEIVE_MAX 1472
/* Members that one instance can be configured for, itself included. */
#define SWIM_MEMBERS_MIN 2
#define SWIM_MEMBERS_MAX 1048576
/* Seeds (swim_join) remembered at a time. */
#define SWIM_SEEDS_MAX 64
/* Addresses of members that died, remembered for healing (protocol.md section 5). */
#define SWIM_CONTACTS_MAX 1024
/* The largest `indirect_k`. */
#define SWIM_INDIRECT_MAX 16
/* The largest `confirmations`. */
#define SWIM_CONFIRMATIONS_MAX 8
/* Bytes of a cluster's name, without the terminating zero. */
#define SWIM_CLUSTER_MAX 64
/* Bytes of a member's name, and of all its tags together: of each its key, its value, and 2. */
#define SWIM_NAME_MAX 128
#define SWIM_TAGS_MAX 4096
/* Bytes of a tag's key. */
#define SWIM_TAG_KEY_MAX 255
/* The largest `meta_memory`. */
#define SWIM_META_MEMORY_MAX 1073741824u
/* The worst local health: intervals and time-outs of probes are 1 + health times as long. */
#define SWIM_HEALTH_MAX 8
/* Pings asked for by the host (swim_ping) whose event it has not taken yet. */
#define SWIM_PINGS_MAX 16

/* ---- Time and addresses ------------------------------------------------------------------ */

/* Nanoseconds on the host's monotonic clock. */
typedef uint64_t swim_time;
#define SWIM_NEVER UINT64_MAX
#define SWIM_MS UINT64_C(1000000)

/*
 * A UDP address. `family` is 4 or 6; 0 means "no address". For family 4 the address is
 * ip[0..3] and ip[4..15] are zero. IPv4-mapped IPv6 addresses are turned into family 4 on
 * every way into the core, so that one peer has one address on a dual-stack socket.
 */
struct swim_addr {
    uint8_t ip[16]; /* network byte order */
    uint16_t port;  /* host byte order */
    uint8_t family;
};

/* ---- Configuration ----------------------------------------------------------------------- */

/*
 * Everything a member needs to know of its host. Fill with swim_config_default, then set
 * `id`, `seed` and `addr`. Units are in the names; ranges are checked by swim_config_check.
 */
struct swim_config {
    uint64_t id;   /* this member's identity, never 0; random, unless kept over restarts */
    uint64_t seed; /* of all random choices; the same seed and inputs give the same run */
    /* 16 random bytes that nobody else knows, drawn anew at each start: what an address is asked to
     * repeat, to prove that somebody is there, is made with them (protocol.md section 10). All
     * zeros: derived from `seed`, which is good enough for simulations only. */
    uint8_t secret[16];
    /* The cluster's name, "" for none: members of different names never meet, whatever addresses
     * they share or inherit (section 10). Plain version-1 peers can't say a name, so they are
     * members of clusters without one only. Zero-terminated, at most SWIM_CLUSTER_MAX bytes. */
    char cluster[SWIM_CLUSTER_MAX + 1];
    /* 1,200..SWIM_DATAGRAM_MAX: the largest datagram to write, for hosts that add to it, or paths
     * that take less. */
    uint32_t datagram_max;
    /* Where peers reach this member: what it tells of itself. Never a wildcard address. */
    struct swim_addr addr;
    /* Say `addr` in every probe, for hosts whose datagrams may show another source address
     * (NAT, several interfaces). Costs one entry (24 or 36 bytes) a datagram. */
    bool addr_in_probes;
    /* 0 for a first start; one more than the last one used when the id is kept. */
    uint32_t incarnation;
    /* Capacity of the table, this member included; SWIM_MEMBERS_MIN..SWIM_MEMBERS_MAX. A full
     * table refuses newcomers (`table_full` counter, one SWIM_EVENT_TABLE_FULL). */
    uint32_t members_max;
    /* 0..SWIM_META_MEMORY_MAX bytes of the arena for the names and tags of the other members, in
     * blocks of 128. What does not fit is not held (`meta_no_room` counter), and asked for again
     * when there is room; this member's own always is. */
    uint32_t meta_memory;

    /* Dissemination (protocol.md section 7). */
    uint32_t fanout;                /* 1..65535 entries a GOSSIP datagram, capped by its size */
    bool adaptive_fanout;           /* multiply `fanout` by ceil(log2 n) */
    uint32_t max_sends;             /* 1..64 peers a gossip round */
    bool adaptive_targets;          /* multiply `max_sends` by ceil(log2 n) */
    uint32_t gossip_interval_ms;    /* 10..3,600,000 */
    uint32_t heartbeat_interval_ms; /* 10..3,600,000: one tick of a member's clock */
    uint32_t piggyback_max;         /* 0..58 entries a PING or ACK */
    uint32_t retransmit_multiplier; /* 1..12, lambda: lambda * ceil(log2(n+1)) sends a news item */

    /* Anti-entropy (section 8). */
    uint32_t anti_entropy_interval_ms; /* 0 = off, else 10..3,600,000 */

    /* Reliable delivery (section 9). */
    uint32_t reliable_ack_timeout_ms; /* 10..60,000 */
    uint32_t reliable_max_retries;    /* 0..16 */

    /* Failure detection (section 5; SWIM sections 3.1, 4.2, 4.3). */
    uint32_t probe_interval_ms;        /* 10..3,600,000 */
    uint32_t probe_timeout_ms;         /* 1 to less than probe_interval_ms */
    uint32_t indirect_k;               /* 0..SWIM_INDIRECT_MAX intermediaries */
    uint32_t suspect_timeout_ms;       /* 10..3,600,000 */
    uint32_t suspect_multiplier_milli; /* 0..100,000: thousandths of a time-out per log2 n */
    uint32_t suspect_jitter_ms;        /* 0..3,600,000 */
    /* 10..3,600,000; times max(1, log10 n): how long a suspicion lasts at least, however many
     * members confirm it. One above the time without confirmation has no effect. */
    uint32_t suspect_timeout_min_ms;
    uint32_t dead_retention_ms; /* 10..86,400,000: how long a tombstone stands */

    /* Lifeguard (section 5; Dadgar, Phillips, Currey, arXiv 1707.00788): each part by itself.
     * Members may differ, but `nack` had better be the same on all. */
    bool local_health; /* a member that does badly, or is deaf, gives its peers more time */
    bool nack;         /* intermediaries say that they are there, though the target is silent */
    bool buddy;        /* a suspect is told so in the very probe that goes to it */
    /* 0..SWIM_CONFIRMATIONS_MAX independent accusers, beside the first, that bring a suspicion's
     * time down to suspect_timeout_min_ms; 0: it always lasts the full time. */
    uint32_t confirmations;
};

/* Sets the documented defaults (docs/configuration.md); `id`, `seed` and `addr` are zeroed. */
SWIM_API void swim_config_default(struct swim_config *config);

/* NULL when `config` is usable, else the name of the first field out of its range (static). */
SWIM_API SWIM_MUST_CHECK const char *swim_config_check(const struct swim_config *config);

/* ---- Life -------------------------------------------------------------------------------- */

/* One member. Lives at the start of the arena, holds no pointer, and can be copied with it. */
struct swim;

/* Bytes of arena that a member with this configuration needs. Depends on members_max and
 * meta_memory alone. */
SWIM_API size_t swim_footprint(const struct swim_config *config);

/*
 * Starts a member in `arena`, which must be zero-filled (calloc or fresh mmap: pages that are
 * not used are not touched), 16-byte aligned, at least swim_footprint(config) bytes, and live
 * as long as the member; it is the caller's, there is nothing to close. `config` is copied and
 * must pass swim_config_check: that is asserted. Returns `arena`, as a member.
 */
SWIM_API struct swim *swim_init(void *arena, size_t size, const struct swim_config *config,
                                swim_time now);

/*
 * The same, for simulations and measurements that begin with a cluster in which all know each
 * other: the member starts with what `like` knows, as if everybody had started, and been heard,
 * at this very instant. Much cheaper than learning. NULL, and the arena as it was, unless `like`
 * holds `config->id` alive at that address and incarnation, and is settled: nobody suspect, dead,
 * left, forgotten or a plain version-1 peer. Names and tags are taken over too, this member's own
 * included. Asserted: both have the same members_max and meta_memory.
 */
SWIM_API struct swim *swim_init_acquainted(void *arena, size_t size,
                                           const struct swim_config *config,
                                           const struct swim *like, swim_time now);

/* ---- Inputs ------------------------------------------------------------------------------ */

/* Why a datagram was dropped whole; the state is unchanged but for the counter of that name. */
enum swim_error {
    SWIM_OK = 0,
    SWIM_DROP_SHORT,    /* under 24 bytes, or over SWIM_RECEIVE_MAX */
    SWIM_DROP_VERSION,  /* another wire version */
    SWIM_DROP_LENGTH,   /* length field and datagram disagree */
    SWIM_DROP_CHECKSUM, /* damaged on the way */
    SWIM_DROP_KIND,     /* unknown kind */
    SWIM_DROP_PAYLOAD,  /* malformed payload or extension */
    SWIM_DROP_SELF,     /* carries our own id, or the reserved id 0, as its sender */
    SWIM_DROP_LEFT,     /* this member has left: only acknowledgements are still heard */
    SWIM_DROP_CLUSTER,  /* its sender belongs to a cluster of another name, or of none */
    SWIM_DROP_UNPROVED, /* its sender has yet to prove that it is where it says; it was asked to */
};
SWIM_API const char *swim_error_name(enum swim_error error);

/* A datagram of `size` bytes arrived from `from`. `data` may be unaligned. Any size is legal. */
SWIM_API enum swim_error swim_receive(struct swim *s, swim_time now, const struct swim_addr *from,
                                      const void *data, size_t size);

/*
 * The same for a datagram that is authentic, but may be a repetition (seal.h): nothing of it is
 * heard unless it answers what this member has asked since its start, so that its sender must have
 * written it now. SWIM_OK: it did, and was heard like any other; hold its sender's start from here
 * on. SWIM_DROP_UNPROVED: its sender was asked to answer. (Section 10.)
 */
SWIM_API enum swim_error swim_receive_unproved(struct swim *s, swim_time now,
                                               const struct swim_addr *from, const void *data,
                                               size_t size);

/* Time has passed. Due once `now >= swim_deadline(s)`, legal at any time, cheap when too early.
 * After a gap of more than a period (a stopped process, a suspended machine) every timer is
 * restarted instead of fired: our own pause is no evidence against a peer. Late calls cost
 * timeliness: a round of gossip that is late by its own interval goes to half as many peers. */
SWIM_API void swim_advance(struct swim *s, swim_time now);

/*
 * Contact `addr`, now and again at a bounded rate for as long as no live member is there
 * (protocol.md section 5, healing). Idempotent; call it again with new addresses whenever a
 * seed's name resolves to them. Own and zero addresses are ignored. Returns false when
 * SWIM_SEEDS_MAX other seeds are held.
 */
SWIM_API bool swim_join(struct swim *s, swim_time now, const struct swim_addr *addr);

/* Forget a seed given to swim_join (its name no longer resolves to it). */
SWIM_API void swim_unjoin(struct swim *s, const struct swim_addr *addr);

/*
 * Leave the cluster: announce it reliably to several peers, then wait for swim_has_left. From
 * here on nothing is probed and nothing is merged. Idempotent. (Section 9.)
 */
SWIM_API void swim_leave(struct swim *s, swim_time now);

/* True once every announcement was acknowledged or given up: at most
 * reliable_ack_timeout_ms * (reliable_max_retries + 1) after swim_leave. */
SWIM_API bool swim_has_left(const struct swim *s);

/* What became of an operator's order about one member. */
enum swim_order {
    SWIM_ORDER_DONE = 0,
    SWIM_ORDER_SELF,    /* refused: it is about this member itself */
    SWIM_ORDER_UNKNOWN, /* refused: nobody of this id is listed (swim_member_find) */
    SWIM_ORDER_BUSY,    /* refused for now: too much of this is under way */
    SWIM_ORDER_LEAVING, /* refused: this member is leaving, or has left */
};
SWIM_API const char *swim_order_name(enum swim_order order);

/*
 * Declares the member `id` to have left, for everybody, as news: a suspect is waited for no
 * longer, and the address of a dead member is not tried again. Who has left already stays so. A
 * member that lives refutes it as soon as it hears of it, by a higher incarnation, and is back
 * within moments: this removes the dead, it does not throw out the living. Plain version-1 peers
 * are told of a death. `prune`: it also leaves this member's list at once (SWIM_EVENT_FORGOTTEN
 * in place of SWIM_EVENT_LEFT) instead of standing there as a tombstone; that old word does not
 * bring it back is remembered as for any other. SWIM_ORDER_BUSY is never returned. (Section 9.)
 */
SWIM_API enum swim_order swim_force_leave(struct swim *s, swim_time now, uint64_t id, bool prune);

/*
 * Pings the member `id`, whatever its status, beside the probes of the protocol, and tells in
 * one SWIM_EVENT_PONG how long the answer took, or that none came within `probe_timeout_ms`.
 * A missing answer makes nobody suspect; an answer is heard like any other. SWIM_ORDER_BUSY:
 * SWIM_PINGS_MAX pings are under way, or their events not taken, or too many datagrams wait to
 * be sent; no event follows a refusal. (Section 5.)
 */
SWIM_API enum swim_order swim_ping(struct swim *s, swim_time now, uint64_t id);

/* ---- Outputs ----------------------------------------------------------------------------- */

/*
 * Writes the next datagram to send into `buf` (cap >= SWIM_DATAGRAM_MAX, asserted) and its
 * destination into `*ret_to`. Returns its size, or 0 when there is nothing to send now. Call
 * until 0 after every other call. News is chosen and charged here, as it is really written.
 */
SWIM_API size_t swim_transmit(struct swim *s, swim_time now, struct swim_addr *ret_to, void *buf,
                              size_t cap);

/* When swim_advance is wanted next; SWIM_NEVER if only input can change anything. */
SWIM_API swim_time swim_deadline(const struct swim *s);

/* ---- Members ----------------------------------------------------------------------------- */

/* In the order of severity (protocol.md section 4); the last two are terminal. */
enum swim_status { SWIM_ALIVE = 0, SWIM_SUSPECT = 1, SWIM_DEAD = 2, SWIM_LEFT = 3 };
#define SWIM_STATUS_COUNT 4
SWIM_API const char *swim_status_name(enum swim_status status);

/* A member, as this one knows it. */
struct swim_member {
    uint64_t id;
    struct swim_addr addr;
    enum swim_status status;
    uint32_t incarnation;
    uint32_t heartbeat; /* as last learnt; this member's own is current */
    bool is_self;
    bool is_capable;   /* understands extensions; false: a plain version-1 peer */
    bool is_proved;    /* something answered from its address: more than probes may go there */
    swim_time learnt;  /* when `heartbeat` was learnt */
    swim_time changed; /* when `status` last changed here */
    /* Round trip of the last direct probe or swim_ping that it answered from this address, in
     * whole microseconds, at most 16.7 s; 0: none was measured yet. */
    swim_time rtt_ns;
};

/*
 * Iteration: slots 0 .. swim_member_slots(s) - 1, of which some may be empty. Slot 0 is this
 * member. A member keeps its slot for as long as it is known. Tombstones (dead, left) are
 * listed until their retention is over. Returns false, and leaves *ret alone, on an empty slot.
 */
SWIM_API uint32_t swim_member_slots(const struct swim *s);
SWIM_API bool swim_member_at(const struct swim *s, uint32_t slot, struct swim_member *ret);
SWIM_API bool swim_member_find(const struct swim *s, uint64_t id, struct swim_member *ret);
/* The live (alive or suspect) member at an address, if any. */
SWIM_API bool swim_member_find_addr(const struct swim *s, const struct swim_addr *addr,
                                    struct swim_member *ret);
/* How many members have this status, this member included. O(1). */
SWIM_API uint32_t swim_member_count(const struct swim *s, enum swim_status status);
/* Digest of the view: equal on two members exactly when they hold the same live members, with the
 * same names and tags. */
SWIM_API uint64_t swim_view_digest(const struct swim *s);

/* ---- Names and tags ---------------------------------------------------------------------- */

/*
 * What a member says of itself beside its id and address: a name, and tags, which are keys with a
 * value each ("rack" = "12"). It alone writes them; the others learn them as they learn of the
 * member (protocol.md sections 7 and 8). Ids stay the identity: names need not be unique, but two
 * live members of one name are reported (SWIM_EVENT_NAME_CONFLICT).
 *
 * All text is zero-terminated printable UTF-8: without control characters (U+0000-1F, U+007F-9F).
 * Keys are of 1..SWIM_TAG_KEY_MAX bytes without '='; a value may be empty, and so may a name: none.
 *
 * A value: fill with swim_meta_init and swim_meta_set, look into it with the functions below, copy
 * it as you like. The functions touch nothing else and may be called from anywhere.
 */
struct swim_meta {
    /* Its version, set by the member that it is of: a later one is greater in (incarnation,
     * version). Not looked at by swim_set_meta, which draws the next one. */
    uint32_t incarnation;
    uint32_t version;
    uint16_t tags_size;           /* bytes of `tags` in use */
    char name[SWIM_NAME_MAX + 1]; /* "" for none */
    char tags[SWIM_TAGS_MAX];     /* key, zero, value, zero, ..., in the order of keys' bytes;
                                     zeros behind, so that equal ones are equal in memory */
};

/* Two strings inside of a struct swim_meta, good for as long as that is not changed. */
struct swim_tag {
    const char *key;
    const char *value;
};

/* Why a name or a tag was refused. */
enum swim_meta_error {
    SWIM_META_OK = 0,
    SWIM_META_NAME_LONG,  /* more than SWIM_NAME_MAX bytes */
    SWIM_META_NAME_TEXT,  /* not UTF-8, or with control characters */
    SWIM_META_KEY_EMPTY,  /* a key needs a byte at least */
    SWIM_META_KEY_LONG,   /* more than SWIM_TAG_KEY_MAX bytes */
    SWIM_META_KEY_TEXT,   /* not UTF-8, or with control characters or '=' */
    SWIM_META_VALUE_TEXT, /* not UTF-8, or with control characters */
    SWIM_META_TAGS_FULL,  /* all tags together would be more than SWIM_TAGS_MAX bytes */
};
/* What is wrong, in a few words (static): "the name is longer than 128 bytes". */
SWIM_API const char *swim_meta_error_name(enum swim_meta_error error);

/* *meta becomes this name and no tags. On an error it is unchanged. `name` may be "". */
SWIM_API SWIM_MUST_CHECK enum swim_meta_error swim_meta_init(struct swim_meta *meta,
                                                             const char *name);
/* Another name, the same tags. On an error *meta is unchanged. */
SWIM_API SWIM_MUST_CHECK enum swim_meta_error swim_meta_set_name(struct swim_meta *meta,
                                                                 const char *name);
/* Adds the tag, or changes its value. On an error *meta is unchanged. */
SWIM_API SWIM_MUST_CHECK enum swim_meta_error swim_meta_set(struct swim_meta *meta, const char *key,
                                                            const char *value);
/* Takes the tag away; false if there was none. */
SWIM_API bool swim_meta_delete(struct swim_meta *meta, const char *key);
/* The value of a tag, inside of *meta; NULL if there is none. */
SWIM_API const char *swim_meta_get(const struct swim_meta *meta, const char *key);
/* Tags in the order of their keys, from 0 on: false, and *ret as it was, behind the last one. */
SWIM_API bool swim_meta_tag(const struct swim_meta *meta, uint32_t index, struct swim_tag *ret);
SWIM_API uint32_t swim_meta_count(const struct swim_meta *meta);
/* Same name and same tags; versions are not looked at. */
SWIM_API bool swim_meta_equal(const struct swim_meta *a, const struct swim_meta *b);

/*
 * This member's own name and tags are *meta from now on (copied): told to everybody, under a new
 * version; nothing happens if they are so already. Until the first call it has none, as plain
 * version-1 members have none. Ignored once swim_leave was called. *meta must come from the
 * functions above: that is asserted.
 */
SWIM_API void swim_set_meta(struct swim *s, swim_time now, const struct swim_meta *meta);

/* Name and tags of a member, tombstones included. False, and *ret as it was: no such member, or
 * none are known of it, as of plain version-1 members, or there was no room (meta_memory). */
SWIM_API bool swim_member_meta(const struct swim *s, uint64_t id, struct swim_meta *ret);

/* A live member of this name, this member first; false if there is none. O(1), unless more than
 * eight members share one: then all may be looked at. */
SWIM_API bool swim_member_find_name(const struct swim *s, const char *name,
                                    struct swim_member *ret);

/* ---- Events ------------------------------------------------------------------------------ */

/* What happened to a member, or to this one. */
enum swim_event_kind {
    SWIM_EVENT_JOINED = 1, /* a member that was not known, or was a tombstone, is alive */
    SWIM_EVENT_SUSPECTED,  /* alive -> suspect */
    SWIM_EVENT_RECOVERED,  /* suspect -> alive */
    SWIM_EVENT_FAILED,     /* -> dead */
    SWIM_EVENT_LEFT,       /* -> left */
    SWIM_EVENT_UPDATED,    /* still alive, with another address or incarnation */
    SWIM_EVENT_FORGOTTEN,  /* a tombstone's retention is over, or it was pruned; unsaid if its
                              slot was needed */
    SWIM_EVENT_REFUTED,    /* this member overruled a claim about itself: new incarnation */
    SWIM_EVENT_ID_CHANGED, /* this member's incarnations were used up: it has a new id */
    SWIM_EVENT_TABLE_FULL, /* a newcomer was refused; said again only after there was room */
    SWIM_EVENT_PAUSED,     /* a gap between two calls: all timers were restarted */
    SWIM_EVENT_LEAVE_DONE, /* swim_has_left has become true */
    SWIM_EVENT_RESTARTED,  /* a member that was known, or is a tombstone, is back: a new run of
                              its process under its id, with a higher incarnation and a clock
                              that began anew; in place of JOINED, RECOVERED or UPDATED */
    SWIM_EVENT_PONG,       /* the end of a swim_ping: `rtt_ns`, 0 when no answer came in time */
    SWIM_EVENT_RETAGGED,   /* a member's name or tags have changed, or are known now; this member's
                              own too */
    /* Another live member has the same name; said once for a pair, until one is renamed or comes
     * back. All members say it, each of the two about the other one. */
    SWIM_EVENT_NAME_CONFLICT,
};
#define SWIM_EVENT_KINDS (SWIM_EVENT_NAME_CONFLICT + 1)
SWIM_API const char *swim_event_name(enum swim_event_kind kind);

/* What happened to `member` (this member itself from REFUTED to LEAVE_DONE). Events coalesce per
 * member: `before` is the status last reported, so a chain of changes reads as one. Each PONG is
 * an event of its own, in the order of the answers; whom it is about may be forgotten by then:
 * `member` then has its id and address, and counts as dead. */
struct swim_event {
    enum swim_event_kind kind;
    enum swim_status before; /* meaningless for JOINED of an unknown member */
    struct swim_member member;
    swim_time at; /* when the last change behind this event happened; of UPDATED, RESTARTED and
                             this member itself: the latest time that was given to a call */
    swim_time paused_for; /* SWIM_EVENT_PAUSED: length of the gap */
    swim_time rtt_ns;     /* SWIM_EVENT_PONG: the round trip, at least 1; 0: no answer in time */
    uint64_t other;       /* SWIM_EVENT_NAME_CONFLICT: id of the other one, maybe this member's */
};

/* Takes the oldest event. Bounded by the table: a host that never asks loses nothing but order. */
SWIM_API bool swim_next_event(struct swim *s, struct swim_event *ret);

/* ---- Statistics -------------------------------------------------------------------------- */

/* X(name, help): every counter, in the order of documentation. All count from the start. */
#define SWIM_COUNTERS(X)                                                                           \
    X(gossip_rounds, "Gossip rounds that had news to send.")                                       \
    X(gossip_sent, "GOSSIP datagrams sent.")                                                       \
    X(gossip_recv, "GOSSIP datagrams received.")                                                   \
    X(pings_sent, "PING datagrams sent.")                                                          \
    X(pings_recv, "PING datagrams received.")                                                      \
    X(acks_sent, "ACK datagrams sent.")                                                            \
    X(acks_recv, "ACK datagrams received.")                                                        \
    X(ping_reqs_sent, "PING_REQ datagrams sent.")                                                  \
    X(ping_reqs_recv, "PING_REQ datagrams received.")                                              \
    X(probe_direct_timeouts, "Probes without a direct answer in time.")                            \
    X(probe_failures, "Probes without any answer, direct or indirect.")                            \
    X(merges_new, "Records that added a member.")                                                  \
    X(merges_updated, "Records that changed a member.")                                            \
    X(merges_stale, "Records that were not newer than what is held.")                              \
    X(anti_entropy_sent, "ANTI_ENTROPY and SYNC datagrams sent.")                                  \
    X(reliable_retries, "Reliable datagrams sent again.")                                          \
    X(reliable_exhausted, "Reliable datagrams given up after the last retry.")                     \
    X(datagrams_sent, "Datagrams sent, of every kind.")                                            \
    X(datagrams_recv, "Datagrams accepted, of every kind.")                                        \
    X(bytes_sent, "Bytes of datagrams sent.")                                                      \
    X(bytes_recv, "Bytes of datagrams received, dropped ones included.")                           \
    X(drop_short, "Datagrams dropped: too short or too long.")                                     \
    X(drop_version, "Datagrams dropped: unknown version.")                                         \
    X(drop_length, "Datagrams dropped: length mismatch.")                                          \
    X(drop_checksum, "Datagrams dropped: bad checksum.")                                           \
    X(drop_kind, "Datagrams dropped: unknown kind.")                                               \
    X(drop_payload, "Datagrams dropped: malformed payload.")                                       \
    X(drop_self, "Datagrams dropped: sent under this member's id or id 0.")                        \
    X(drop_left, "Datagrams dropped: this member has left.")                                       \
    X(drop_cluster, "Datagrams dropped: from another cluster.")                                    \
    X(drop_unproved, "Datagrams dropped: their sender has yet to prove its address.")              \
    X(challenges_sent, "Datagrams that asked an address to prove itself.")                         \
    X(addresses_proved, "Addresses that did.")                                                     \
    X(entries_skipped, "Member entries skipped: unknown status, or an unusable address.")          \
    X(newcomers_refused, "Newcomers refused because the table was full.")                          \
    X(zombies_refused, "Records refused: unknown and dead, or forgotten and second-hand.")         \
    X(outbox_full, "Datagrams not sent because too many were waiting.")                            \
    X(suspicions_raised, "Suspicions raised by this member's own probes.")                         \
    X(suspicions_refuted, "Suspects that proved alive.")                                           \
    X(suspicions_false, "Of these, such as this member's own probes had accused.")                 \
    X(suspicions_confirmed, "Independent confirmations of suspicions held here.")                  \
    X(failures, "Members declared dead here.")                                                     \
    X(refutations, "Claims about this member that it overruled.")                                  \
    X(superseded, "Members declared dead because another one answers at their address.")           \
    X(corrections_sent, "Stale claims answered with the better record.")                           \
    X(indirect_relayed, "Indirect probes answered on behalf of another member.")                   \
    X(nacks_sent, "NACK datagrams sent: the target of an indirect probe is silent.")               \
    X(nacks_recv, "NACK datagrams received.")                                                      \
    X(nacks_missed, "Intermediaries that sent neither an answer nor a NACK.")                      \
    X(contacts_tried, "Pings to seeds and to addresses of dead members.")                          \
    X(syncs_started, "Synchronisations begun.")                                                    \
    X(syncs_refused, "Synchronisations refused because too many were under way.")                  \
    X(sync_chunks_recv, "ANTI_ENTROPY and SYNC datagrams received.")                               \
    X(sync_bytes_sent, "Bytes of ANTI_ENTROPY and SYNC datagrams sent.")                           \
    X(sync_bytes_recv, "Bytes of ANTI_ENTROPY and SYNC datagrams received.")                       \
    X(digests_equal, "View digests compared and found equal.")                                     \
    X(digests_different, "View digests compared and found different.")                             \
    X(pauses, "Gaps between two calls that restarted the timers.")                                 \
    X(meta_sent, "Parts of members' names and tags sent.")                                         \
    X(meta_recv, "Parts of members' names and tags received.")                                     \
    X(meta_updated, "Names and tags of members that came in and were newer.")                      \
    X(meta_stale, "Parts that were not newer than what is held.")                                  \
    X(meta_refused, "Parts about members that are unknown, plain or not live, or malformed.")      \
    X(meta_given_up, "Names and tags given up while parts were missing.")                          \
    X(meta_no_room, "Names and tags not held because meta_memory was full.")                       \
    X(meta_overruled, "Others' versions of this member's name and tags that it overruled.")        \
    X(name_conflicts, "Pairs of live members found to have one name.")

/* Upper bounds of the probe round-trip histogram's buckets, in microseconds; one more is +Inf. */
/* clang-format off */
#define SWIM_RTT_BOUNDS_US                                                                         \
    { 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000 }
/* clang-format on */
#define SWIM_RTT_BUCKETS 14
/* The same for detection times, in milliseconds. */
/* clang-format off */
#define SWIM_DETECTION_BOUNDS_MS                                                                   \
    { 1000, 2500, 5000, 7500, 10000, 15000, 20000, 30000, 60000, 120000, 300000, 600000 }
/* clang-format on */
#define SWIM_DETECTION_BUCKETS 13

/* Counters, the round trips of probes, and gauges. */
struct swim_stats {
#define SWIM_COUNTER_FIELD(name, help) uint64_t name;
    SWIM_COUNTERS(SWIM_COUNTER_FIELD)
#undef SWIM_COUNTER_FIELD
    /* Round trips of answered direct probes. Buckets are not cumulative. */
    uint64_t rtt_count;
    uint64_t rtt_sum_ns;
    uint64_t rtt_bucket[SWIM_RTT_BUCKETS];
    /* Of suspects that were declared dead: from the last word of their own that was heard here to
     * that moment. An upper bound of what it took to notice: two of n members exchange a word about
     * every n / 2 probe intervals. Buckets are not cumulative. */
    uint64_t detection_count;
    uint64_t detection_sum_ns;
    uint64_t detection_bucket[SWIM_DETECTION_BUCKETS];
    /* Gauges. */
    uint32_t members[SWIM_STATUS_COUNT]; /* by status */
    uint32_t news_queued;                /* members with news that is not yet sent often enough */
    uint32_t accusations_queued;         /* suspects with accusers not yet told often enough */
    uint32_t local_health;               /* 0 (good) .. SWIM_HEALTH_MAX */
    uint32_t tombstones;                 /* dead and left, not forgotten yet */
    uint64_t view_differs_ns;            /* since when peers' digests differ from ours; 0: equal */
    uint32_t slots_used;                 /* of the table, forgotten ids included */
    uint32_t meta_queued;                /* members whose names and tags are to be sent */
    uint32_t meta_blocks_used;           /* of 128 bytes, for the others' names and tags */
    uint32_t meta_blocks_max;
    uint32_t slots_max;
    uint32_t outbox_queued;
};
/* Fills in all of *ret. O(1). */
SWIM_API void swim_stats(const struct swim *s, struct swim_stats *ret);

/* ---- Diagnosis --------------------------------------------------------------------------- */

/* Verifies every invariant of the instance, O(table). NULL when all hold, else the broken one
 * (static text). For tests, simulators and fuzzers. */
SWIM_API const char *swim_check(const struct swim *s);

/*
 * Where failed assertions end. libswim brings one that aborts; a program that defines its own
 * replaces it. Must not return.
 */
SWIM_API SWIM_NORETURN void swim_panic(const char *expression, const char *file, int line);

#ifdef __cplusplus
}
#endif

#endif
