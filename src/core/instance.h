/*
 * The instance: one arena that holds everything a member knows, without a pointer inside, so
 * that it can be copied, hashed and replayed. Internal to src/core.
 *
 *     arena: | struct swim | members[] | next_by_id[] | id heads[] | .. | outbox | jobs | .. | relays | ...
 *
 * Members live in slots 1..members_max; slot 0 is "none", slot 1 (SELF) is this member itself.
 *
 *     unknown -> ALIVE <-> SUSPECT -> DEAD --retention--> forgotten --retention--> unknown
 *                  |          |        ^ (LEFT likewise)
 *                  +----------+--------+
 *
 * Alive and suspect members are *live*: they are in live[] (live.h), in the address index
 * and in the view digest. Dead and left ones are *tombstones* for dead_retention_ms, and then
 * *forgotten*: invisible, but remembered for as long again, so that a third party's old word
 * does not bring them back (docs/protocol.md section 5, "no zombies").
 */
#ifndef SWIM_CORE_INSTANCE_H
#define SWIM_CORE_INSTANCE_H

#include "base/assert.h"
#include "base/list.h"
#include "base/prng.h"
#include "base/queue.h"
#include "core/index.h"
#include "core/merge.h"
#include "core/meta_value.h"
#include "swim/swim.h"
#include "wire/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SELF 1u

/* Bounds of what is in flight. Each is a limit on memory; what exceeds it is dropped, counted,
 * and made good by the protocol's own repetition. */
enum {
    OUTBOX_MAX = 512,    /* datagrams waiting: a burst of 64 received, each with an answer and
                               a correction, beside a widest gossip round, fits several times */
    SUBJECTS_MAX = 8,    /* records that a waiting datagram must carry first */
    RELAYS_MAX = 64,     /* indirect probes served at a time, for other members */
    RELAYS_PER_PEER = 4, /* of these, for one member: it has one probe under way at a time */
    RELIABLE_MAX = 64,   /* announcements awaiting an ACK: 2 * indirect_k + log2 n at most */
    JOBS_MAX = 64,       /* synchronisations being sent, paced; a sketch's outcome is one */
    JOBS_PER_PEER = 56,  /* of these, to one address */
    JOBS_FOR_PUSHES = 8, /* of these, for pushes alone: newcomers get their table, whatever peers
                            ask for */
    JOB_KEYS_MAX = 2048, /* keys of members that they want and send */
    BUCKET_BITS_MAX = 8, /* 256 buckets of the view, 4 bytes each: one SYNC datagram */
    BUCKETS_MAX = 1 << BUCKET_BITS_MAX,
    KNOCKS_MAX = 1024,      /* strangers' addresses that we have asked and that may answer now */
    RECENT_MAX = 64,        /* peers that proved their address last: for gossip, while few have */
    DOSSIERS_MAX = 1024,    /* suspicions whose accusers are remembered; the others last their full
                            time, which costs detection, not correctness: a cluster that loses
                            more members at once has other worries */
    NEWS_LEVELS = 256,      /* the largest limit of transmissions, 12 * 21, and rumours' four */
    TELL_AGAIN_MAX = 64,    /* suspicions told again after a silence, those that end first */
    CORRECTIONS_MAX = 1024, /* times of the last corrections; members of larger tables share them,
                               and hold each other's up for a gossip interval */
    STATUS_MASK = (1 << 2) - 1, /* what 2 bits hold */
    PLACE_MAX = (1 << 22) - 1,  /* in live[]: what 22 bits hold */
    RTT_MAX_US = (1 << 24) - 1, /* of a member's last round trip: what 24 bits hold, 16.7 s */
    GUESSED_MAX = 255,          /* ticks between a member's last word and an accuser's estimate */
    EXPIRIES_PER_CALL = 64, /* member timers fired in one swim_advance; the rest are due at once */
    META_BLOCK_SIZE = 128,  /* of the pool of names and tags */
    META_BLOCK_ROOM = META_BLOCK_SIZE - 4, /* of it, content */
    META_OWN_BLOCKS =
        (META_CONTENT_MAX + META_BLOCK_ROOM - 1) / META_BLOCK_ROOM, /* kept for SELF */
    ASSEMBLIES_MAX = 32, /* names and tags of which parts are missing: the oldest is given up */
};
_Static_assert(2 * SWIM_INDIRECT_MAX + 20 <= RELIABLE_MAX, "a leave's announcements must fit");
_Static_assert(2 * 64 + 64 * 20 >= OUTBOX_MAX, "the outbox bounds the widest gossip round");

enum timer {
    TIMER_PROBE,    /* the direct probe's time is over; before TIMER_ROUND, if both are late */
    TIMER_ROUND,    /* a probe round ends and the next begins */
    TIMER_GOSSIP,   /* the next gossip round, while there is news, or views mend */
    TIMER_HEAL,     /* the next contact to a seed or a dead member's address */
    TIMER_SYNC,     /* the next full push to a plain peer */
    TIMER_RELIABLE, /* the earliest missing ACK */
    TIMER_RELAY,    /* the earliest NACK that is due */
    TIMER_PING,     /* the earliest end of a ping that the host asked for */
    TIMER_COUNT
};

enum member_flag {
    MEMBER_CAPABLE = 0x01,   /* its last header had capability bit 0 */
    MEMBER_HEARD = 0x20,     /* a header of its own was heard: what it is capable of is known */
    MEMBER_FORGOTTEN = 0x02, /* a tombstone past its retention */
    MEMBER_UPDATED = 0x04,   /* an UPDATED event is due */
    MEMBER_REPORTED = 0x08,  /* the host has been told of it, with status `reported` */
    MEMBER_AT_ADDR = 0x10,   /* in the address index (live, and its chain had room) */
    MEMBER_PROVED = 0x40,    /* something answered from its address (proof.h) */
    MEMBER_RESTARTED = 0x80, /* a RESTARTED event is due */
    MEMBER_PRUNED = 0x100,   /* a tombstone that the host wants to see no more */
    MEMBER_ACCUSED = 0x200,  /* suspect because of a probe of ours */
    MEMBER_META = 0x400,    /* its name and tags are known, or that there are some: meta_slots_of */
    MEMBER_CLEARED = 0x800, /* its last change ended a doubt, of which no view's digest tells */
    MEMBER_QUEUED =
        0x4000,          /* in the queue of events, even when its slot has been freed meanwhile */
    MEMBER_VIA = 0x1000, /* it is heard from another address too, proved as its own: vias_of */
    MEMBER_CORRECTED = 0x2000, /* a stale claim about it was answered: corrections_of tells when */
};

struct member {
    struct record record;
    /* Clock anchor: the member's own heartbeat was `clock_heartbeat` at `clock_at` (host time),
     * as far as we can tell. The estimate of its clock now starts there (section 5). */
    uint32_t clock_heartbeat;
    uint32_t rtt_us : 24; /* its last round trip; 0: none yet */
    uint32_t guessed : 8; /* how far clock_heartbeat, an accuser's estimate, is ahead of the last
                             one that the member said itself; GUESSED_MAX: that, or more */
    swim_time clock_at;
    swim_time changed;      /* host time of the last change of status */
    uint32_t place : 22;    /* in live[]; 0 when not live */
    uint32_t reported : 2;  /* status in the last event given to the host */
    uint32_t news_sent : 8; /* transmissions of its news so far: which news list it is in */
    uint16_t synced;        /* number of our last synchronisation that found it equal */
    uint16_t flags;
};

_Static_assert(sizeof(struct member) <= 72, "what is known of a member");
_Static_assert(SWIM_MEMBERS_MAX <= PLACE_MAX, "members have places");
_Static_assert(SWIM_STATUS_COUNT - 1 <= STATUS_MASK, "statuses fit");
_Static_assert(NEWS_LEVELS <= 1 << 8, "lists of news fit");

/* What only those have whom we doubt, or mourn; all zero for the others. */
union fate {
    swim_time due;     /* of a suspect: suspects.h */
    struct link grave; /* of a tombstone, or of who is forgotten: tombstone.h */
};

/* Of a suspect alone. */
struct doubt {
    uint32_t dossier; /* who accuses it: accusation.h; 0: there was no room */
    uint32_t place;   /* in the heap of suspects: suspects.h */
};

enum meta_flag {
    META_NAMED = 0x01,    /* live and with a name: who else has it was looked up */
    META_INDEXED = 0x10,  /* and in the index of names: not SELF, and its chain had room */
    META_RETAGGED = 0x02, /* a RETAGGED event is due */
    META_RIVALLED = 0x04, /* a NAME_CONFLICT event is due, with `rival` */
    META_UNHELD = 0x08,   /* there was no room for the content: in the list of those */
};

/* What is known of a member's name and tags, beside members[], so that members without any do not
 * touch it. Means nothing without MEMBER_META. */
struct meta_slot {
    struct wire_meta_key key;
    swim_time changed;  /* host time of the last change of content */
    uint32_t block;     /* the first one of its content; 0 with META_UNHELD */
    uint32_t name_hash; /* with META_INDEXED */
    uint32_t rival;     /* slot */
    uint16_t size;      /* of its content */
    uint16_t synced;    /* number of our last synchronisation that found it equal */
    uint8_t sent;       /* transmissions so far: which list of meta_news it is in */
    uint8_t flags;
};

struct meta_block {
    uint32_t next;
    uint8_t bytes[META_BLOCK_ROOM];
};

/* Content of which parts have come in. */
struct assembly {
    uint64_t id;
    struct wire_meta_key key;
    swim_time touched; /* host time of the last part */
    uint32_t turn;     /* its number, of all assemblies' */
    uint16_t size;     /* 0: free */
    uint16_t missing;  /* bit i: part i */
    uint8_t content[META_CONTENT_MAX];
};

/* Where a datagram is going, fixed when it is queued; its content is chosen when it is written. */
struct intent {
    struct swim_addr to;
    uint32_t peer;    /* slot of the destination, 0 when it is only an address */
    uint64_t peer_id; /* guards `peer` against the slot's reuse */
    uint8_t kind;     /* enum wire_kind */
    bool extended;    /* the peer was capable when this was queued */
    bool request_ack;
    bool has_sequence;
    bool has_on_behalf;
    bool news_only;    /* not worth sending without news */
    bool no_news;      /* its peer is being sent the whole table */
    bool is_proved;    /* `to` has proved itself: no cap but the datagram's own */
    bool is_stranger;  /* `to` is where a datagram came from that was not heard */
    bool is_padded;    /* as long as a first word, so that the answer has room */
    bool no_challenge; /* a stranger who is to hear of the other cluster, or is leaving */
    uint16_t cap;      /* the largest datagram */
    uint64_t echo;     /* the challenge to be repeated, 0: none */
    uint8_t subject_count;
    uint8_t meta_part; /* with `meta`: the first part of its content to go */
    uint32_t meta;     /* slot of a member the rest of whose names and tags goes along; 0: none */
    uint32_t sequence;
    uint64_t on_behalf;
    uint64_t target_id; /* PING_REQ */
    struct swim_addr target_addr;
    uint32_t subjects[SUBJECTS_MAX];
};

struct outbox {
    uint32_t head;
    uint32_t count;
};

enum probe_phase { PROBE_IDLE, PROBE_DIRECT, PROBE_INDIRECT, PROBE_ANSWERED };

/* The one probe of ours that is under way. */
struct probe {
    uint64_t target_id;
    swim_time started; /* host time */
    uint32_t target;   /* slot */
    uint32_t sequence;
    uint32_t incarnation; /* of the target when the probe started */
    uint32_t estimate;    /* its estimated heartbeat then */
    uint8_t phase;
    bool extended;
    uint8_t helper_count;
    uint64_t helpers[SWIM_INDIRECT_MAX]; /* ids of the intermediaries asked */
    uint32_t owing;                      /* bit i: helpers[i] owes us an answer or a NACK */
    bool has_nack;                       /* at least one of them sent one */
};

/* An indirect probe that we make for somebody else. */
struct relay {
    uint64_t requester_id;
    uint64_t target_id;
    struct swim_addr requester_addr;
    swim_time expires;  /* host time */
    swim_time nack_due; /* timer time; SWIM_NEVER: none, or none any more */
    uint32_t requester;
    uint32_t target;
    uint32_t requester_sequence;
    uint32_t sequence; /* ours, in the PING to the target */
    bool has_sequence; /* the requester gave one */
    bool extended;     /* our PING carried one */
    bool used;
};

/* The accusers of one suspect, at its present incarnation, in the order in which they were
 * heard of: they are what a suspicion's time depends on, and news of their own. */
struct dossier {
    swim_time started;  /* as the suspects' ends: timer time - suspicion_shift */
    swim_time longest;  /* how long the suspicion lasts without confirmation */
    swim_time shortest; /* and with all that are wanted */
    uint64_t accusers[SWIM_CONFIRMATIONS_MAX + 1];
    uint8_t sent[SWIM_CONFIRMATIONS_MAX + 1]; /* transmissions of each */
    uint8_t count;
    uint8_t wanted; /* confirmations that bring the time down to its minimum */
    uint32_t slot;  /* of the suspect */
};

enum ping_phase { PING_FREE, PING_WAITING, PING_ENDED };

/* A ping that the host asked for; it keeps its place until the host has taken its end. */
struct ping {
    uint64_t id;
    struct swim_addr addr;
    swim_time sent;   /* host time */
    swim_time due;    /* timer time */
    swim_time ended;  /* host time */
    swim_time rtt_ns; /* 0: no answer */
    uint32_t sequence;
    bool extended;
    uint8_t phase;
};

struct reliable {
    uint64_t peer_id;
    struct swim_addr to;
    swim_time deadline; /* timer time */
    uint32_t peer;
    uint8_t kind;
    uint8_t tries; /* retries made */
    bool used;
};

/* Where a walk over some of 2^bits buckets of the view stands; all else zero at its start. */
struct walk {
    uint32_t bucket; /* being walked */
    uint32_t head;   /* of the id index */
    uint32_t skip;   /* members of its chain that are done */
    uint8_t bits;
    uint8_t mask[BUCKETS_MAX / 8]; /* bit i mod 8 of byte i / 8: bucket i is walked */
};

enum job_kind {
    JOB_NONE,
    JOB_PUSH,
    JOB_REPLY,
    JOB_RETURN,
    /* Of core/sync_sketch.h: sketches; a request for others; members by their keys. */
    JOB_SKETCH,
    JOB_AGAIN,
    JOB_MEND,
};

/* A synchronisation that we send, a datagram at a time. */
struct job {
    uint64_t table_version;
    uint64_t echo; /* JOB_PUSH: the newcomer's challenge, repeated in each datagram; 0: none */
    struct swim_addr to;
    swim_time due; /* host time of the next datagram */
    struct walk walk;
    uint32_t burst; /* datagrams that may still go without a pause */
    uint16_t chunk;
    uint16_t chunk_count;
    uint16_t skip_synced; /* JOB_RETURN: members marked with this number are left out */
    uint16_t density;     /* JOB_SKETCH, JOB_AGAIN: cells per bucket, times 16 */
    uint16_t
        own_count; /* JOB_MEND: of its keys, so many are of members to be sent, in rising order */
    uint16_t key_count; /* ... and those behind are wanted from the peer, until that was said */
    uint16_t keys_held; /* in job_keys_of, from keys_at on */
    uint32_t keys_at;
    uint32_t salt; /* JOB_SKETCH, JOB_MEND */
    uint8_t kind;
    uint8_t part; /* of the content at which the second walk stands */
    bool extended;
    bool has_metas; /* somebody with names and tags to send was met: a second walk follows */
    bool is_second; /* it is under way */
};

/* The synchronisation that we asked for. */
struct session {
    uint64_t peer_id;
    swim_time started;
    uint16_t number;
    uint16_t owed;  /* ends of replies that are still to come: one for each request */
    uint16_t looks; /* buckets of sketches that were looked at */
    uint8_t bits;
};

/* Somebody who was asked, and may answer though he is a stranger. */
struct knock {
    struct swim_addr addr;
    uint8_t replies;        /* how many of its answers may be answered in turn */
    swim_time until;        /* host time: an answer is expected */
    swim_time usable_until; /* host time: `challenge` is worth repeating */
    uint64_t challenge;     /* what it asked us to repeat, 0: nothing yet */
    uint64_t id;            /* and as whom */
};

struct contact {
    struct swim_addr addr;
    uint16_t next;     /* place + 1 of the next one with the same hash; 0: none */
    uint16_t chain;    /* the hash: which of contact_heads leads to it */
    swim_time expires; /* host time */
};

struct healing {
    struct swim_addr seeds[SWIM_SEEDS_MAX];
    uint32_t seed_count;
    uint32_t seed_cursor;
    uint32_t contact_count;
    uint32_t contact_oldest; /* overwritten next when full */
    uint32_t contact_cursor;
    uint32_t in_company; /* waits since the last new seed, up to a few, while not isolated */
    swim_time backoff;   /* ns until the next attempt while isolated */
};

/* Byte offsets of the arrays in the arena. */
struct layout {
    size_t outbox, jobs, job_keys, knock_places, knocks, contacts, relays, reliables, pings;
    size_t contact_heads, dossiers, dossier_links, members;
    size_t next_by_id, id_heads, next_by_addr, addr_heads;
    size_t live, news_links, event_slots, fates, doubts, suspects, vias, corrections;
    size_t meta_slots, meta_links, next_by_name, name_heads, meta_news, meta_blocks, assemblies;
    size_t size;
};

enum self_event {
    SELF_REFUTED = 0x01,
    SELF_ID_CHANGED = 0x02,
    SELF_TABLE_FULL = 0x04,
    SELF_PAUSED = 0x08,
    SELF_LEAVE_DONE = 0x10,
    SELF_RETAGGED = 0x20,
};

struct swim {
    struct swim_config config;
    struct layout at;
    struct prng prng;

    /* Time. Host time is the caller's; timer time stands still over our own pauses, and
     * suspicion time restarts after each: timer = host - paused. */
    swim_time now;
    swim_time paused;
    swim_time suspicion_shift; /* further shift of the suspects' ends */
    swim_time timers[TIMER_COUNT];
    swim_time last_pause; /* length */

    uint64_t cluster_tag;        /* of its name, 0: none */
    uint32_t knocks_high;        /* knocks 1..knocks_high have been used */
    uint32_t recent[RECENT_MAX]; /* slots that proved their address last */
    uint32_t recent_next;

    /* This member's own clock: heartbeat = (host time - heartbeat_epoch) / interval. */
    swim_time heartbeat_epoch;

    /* Table. */
    uint32_t slots_high; /* slots 1..slots_high have been used */
    uint32_t free_head;  /* free slots below, chained through next_by_id */
    uint32_t slots_used;
    struct index by_id;
    struct index by_addr;
    uint32_t live_ends[4]; /* of the parts of live[]: live.h */
    bool is_rightward;     /* this pass of probes: its right side is yet to have its turn */
    uint32_t plain_live;   /* live members that are known not to be capable */
    uint32_t proved_live;  /* live members that have proved their address */
    uint32_t live_v6;      /* live members at IPv6 addresses, SELF included */
    uint32_t status_count[SWIM_STATUS_COUNT];
    uint64_t digest;
    uint32_t bucket_digest[BUCKETS_MAX]; /* the low half: what is sent of it */
    swim_time view_changed;              /* host time of the last change of the digest */
    swim_time settled_at;                /* what a push brings before this is only a rumour */

    /* Tombstones in the order of their death, forgotten ids in the order of their forgetting. */
    struct list tombstones;
    struct list forgotten;

    struct list news[NEWS_LEVELS]; /* by number of transmissions */
    uint32_t news_count;
    uint32_t mend_rounds;  /* of gossip that are left to synchronise in: gossip_is_mending */
    swim_time last_gossip; /* timer time of the last round */

    uint32_t meta_news_count;
    uint32_t meta_count;       /* members whose content is held, SELF included */
    struct list meta_unheld;   /* members whose content there was no room for */
    uint32_t meta_wanted;      /* slot whose content only its owner seems to have, 0: none */
    struct index by_name;      /* live members with a name */
    uint32_t names_unindexed;  /* and those that the index had no place for */
    uint32_t meta_blocks_high; /* blocks 1..meta_blocks_high have been used */
    uint32_t meta_blocks_free; /* free blocks below, chained */
    uint32_t meta_blocks_used; /* by the others; at most meta_blocks_max */
    uint32_t meta_blocks_max;
    uint32_t assembly_count;
    uint32_t assembly_turn;

    uint32_t suspect_count;
    uint32_t dossiers_high; /* dossiers 1..dossiers_high have been used */
    struct list dossiers_free;
    struct list accusations; /* dossiers with something to tell, the longest untold first */
    struct probe probe;
    uint32_t ping_count;     /* places of pings that are taken */
    swim_time blame_allowed; /* host time before which no further doubt is charged to our health */
    swim_time last_heard;    /* host time of the last datagram from a member */
    swim_time hearing_since; /* host time of the first one after the last silence */
    uint32_t health; /* 0 (good) .. SWIM_HEALTH_MAX: Lifeguard's local health multiplier, less 1 */
    uint32_t sequence;
    uint32_t relay_count;
    uint32_t reliable_count;
    uint32_t job_count;
    uint32_t jobs_end; /* all places from here on are free, and most were never touched */
    uint32_t job_cursor;
    uint32_t job_keys_used; /* the first so many of job_keys_of */
    uint32_t job_keys_held; /* by jobs that have not ended */
    struct session session;
    swim_time differs_since; /* host time of the first differing view since one was equal */
    uint32_t sync_failures;  /* synchronisations asked for since then */
    swim_time push_heard;    /* host time of the last datagram of somebody's full push */
    swim_time sync_allowed;  /* host time before which we ask for no further synchronisation */
    uint64_t table_version;
    struct healing healing;
    struct outbox outbox;

    struct queue events;
    uint32_t self_events;
    bool was_full;     /* the table, when a newcomer came last */
    bool probe_failed; /* the last one concluded, and intermediaries were silent too */
    bool leaving;
    bool has_left;

    struct swim_stats stats;
};

#define ARENA_ARRAY(name, type, offset)                                                            \
    static inline type *name(const struct swim *s)                                                 \
    {                                                                                              \
        return (type *)(void *)((uint8_t *)(uintptr_t)s + s->at.offset);                           \
    }
ARENA_ARRAY(outbox_intents, struct intent, outbox)
ARENA_ARRAY(contacts_of, struct contact, contacts)
ARENA_ARRAY(knock_places, uint16_t, knock_places)
ARENA_ARRAY(contact_heads, uint16_t, contact_heads)
ARENA_ARRAY(knocks_of, struct knock, knocks)
ARENA_ARRAY(relays_of, struct relay, relays)
ARENA_ARRAY(reliables_of, struct reliable, reliables)
ARENA_ARRAY(jobs_of, struct job, jobs)
ARENA_ARRAY(job_keys_of, uint32_t, job_keys)
ARENA_ARRAY(pings_of, struct ping, pings)
ARENA_ARRAY(dossiers_of, struct dossier, dossiers)
ARENA_ARRAY(dossier_links, struct link, dossier_links)
ARENA_ARRAY(members_of, struct member, members)
ARENA_ARRAY(next_by_id, uint32_t, next_by_id)
ARENA_ARRAY(id_heads, uint32_t, id_heads)
ARENA_ARRAY(next_by_addr, uint32_t, next_by_addr)
ARENA_ARRAY(addr_heads, uint32_t, addr_heads)
ARENA_ARRAY(live_of, uint32_t, live)
ARENA_ARRAY(news_links, struct link, news_links)
ARENA_ARRAY(event_slots, uint32_t, event_slots)
ARENA_ARRAY(fates_of, union fate, fates)
ARENA_ARRAY(doubts_of, struct doubt, doubts)
ARENA_ARRAY(suspects_of, uint32_t, suspects)
ARENA_ARRAY(vias_of, uint32_t, vias) /* by slot: proof.h */
ARENA_ARRAY(corrections_of, uint32_t, corrections)
ARENA_ARRAY(meta_slots_of, struct meta_slot, meta_slots)
ARENA_ARRAY(meta_links, struct link, meta_links)
ARENA_ARRAY(meta_news_of, struct list, meta_news)
ARENA_ARRAY(next_by_name, uint32_t, next_by_name)
ARENA_ARRAY(name_heads, uint32_t, name_heads)
ARENA_ARRAY(meta_blocks_of, struct meta_block, meta_blocks)
ARENA_ARRAY(assemblies_of, struct assembly, assemblies)
#undef ARENA_ARRAY

/* Number 0 is the array's last one: those in use lie beside what follows it (layout_of). */
static inline struct job *job_at(const struct swim *s, unsigned number)
{
    return &jobs_of(s)[JOBS_MAX - 1 - number];
}

/* Of terminal members alone. */
static inline struct link *grave_links(const struct swim *s)
{
    return &fates_of(s)->grave;
}

static inline struct member *member_at(const struct swim *s, uint32_t slot)
{
    ASSERT(slot > 0 && slot <= s->slots_high);
    return &members_of(s)[slot];
}

static inline struct member *self_of(const struct swim *s)
{
    return &members_of(s)[SELF];
}

static inline bool is_live(const struct member *m)
{
    return m->record.id != 0 && !is_terminal(m->record.status);
}

/* Known to be a plain version-1 member: heard first-hand, without capability bit 0. */
static inline bool is_plain(const struct member *m)
{
    return (m->flags & (MEMBER_HEARD | MEMBER_CAPABLE)) == MEMBER_HEARD;
}

static inline bool has_meta(const struct member *m)
{
    return m->flags & MEMBER_META;
}

static inline bool is_proved(const struct member *m)
{
    return m->flags & MEMBER_PROVED;
}

/* Without SELF, these two. */
static inline uint32_t live_count(const struct swim *s)
{
    return s->live_ends[3];
}

static inline uint32_t alive_count(const struct swim *s)
{
    return s->live_ends[2] - s->live_ends[0];
}

/* Live members, this one included: the n of every formula. */
static inline uint32_t cluster_size(const struct swim *s)
{
    return live_count(s) + 1;
}

static inline swim_time ms(uint32_t milliseconds)
{
    return milliseconds * SWIM_MS;
}

/* Smallest k with 2^k >= n; 0 for n <= 1. */
static inline uint32_t ceil_log2(uint32_t n)
{
    return n > 1 ? 32 - (uint32_t)__builtin_clz(n - 1) : 0;
}

#endif
