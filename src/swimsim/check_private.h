/*
 * What the parts of the checker share. See check.h for what is checked.
 *
 *     check.c        happenings and ticks come in, complaints go out
 *     check_known.c  what is remembered: of every id, and of every id at every observer
 *     check_words.c  what a member says to its host (events), and holds as it does
 *     check_sent.c   what it says to others (datagrams)
 *     check_views.c  what a member holds, and what all of them hold together
 *     check_bound.c  by when
 */
#ifndef SWIM_SWIMSIM_CHECK_PRIVATE_H
#define SWIM_SWIMSIM_CHECK_PRIVATE_H

#include "swimsim/check.h"

/* No status: an observer's host was told nothing of an id, or that it is forgotten. */
#define TOLD_NOTHING 0xff

/* What is known of an id, from the datagrams of the node that has it. */
struct identity {
    uint64_t id; /* 0: an empty place */
    uint32_t node;
    uint32_t incarnation; /* the highest that it ever had */
    uint32_t left_incarnation;
    uint64_t left_at;
    bool has_left;
    bool is_doubtful;  /* came back under an incarnation that it had before */
    bool has_returned; /* came back at all: another run under this id */
};

/* What an observer holds, and has told, of an id. */
struct held {
    uint64_t id;            /* 0: an empty place */
    uint64_t heard_at;      /* virtual time when it last showed the observer that it hears it */
    uint64_t challenges[2]; /* what the observer asked it to repeat: the last, and one before */
    uint64_t forgotten_at;
    swim_time forgotten_local;
    uint32_t observer;
    uint32_t life; /* the observer's; another one: nothing is held */
    uint32_t incarnation;
    uint32_t heartbeat;
    struct swim_addr addr;
    uint8_t status;
    uint8_t told; /* enum swim_status, or TOLD_NOTHING */
    bool is_known;
    bool is_forgotten;

    /* Its death, or its leave. */
    swim_time died_local; /* when it was declared, on the observer's clock */
    uint32_t died_shrink; /* which of the observer's losses it was */
    uint32_t died_n;      /* members left to the observer then, itself included */
    bool is_unwitnessed;  /* the observer heard nobody then: it keeps that to itself */
    uint32_t tellings;    /* how often the observer has told of it, with ... */
    uint32_t tell_incarnation;

    /* The observer's last own probe of it: number of the round, in this epoch. */
    uint32_t probed_epoch;
    uint32_t probed_round;
};

struct seat {
    uint32_t life;    /* counts its starts */
    uint32_t cluster; /* plan_cluster_number */
    uint64_t id;
    uint32_t incarnation; /* of its own, as last seen in this life */
    uint32_t heartbeat;   /* in its last datagram */
    uint32_t sent_incarnation;
    uint64_t heard_at;     /* when a datagram last came in */
    uint64_t disturbed_at; /* when it was last stopped, or went on, or its buffer was full */
    uint64_t stopped_at;   /* when the last pause began */
    bool has_company;      /* it had timers then */
    bool is_clocked;       /* its clock was tampered with */
    uint32_t shrinks;      /* members that it has lost so far */
    uint64_t buried_id;    /* the last of them, 0: none, ... */
    uint64_t buried_at;    /* ... when, ... */
    uint32_t forgotten;    /* ... and how many were forgotten at that very time */
    uint32_t moves;        /* how often it got another address */
    uint32_t epoch;        /* that its rounds are counted in */
    uint32_t rounds;
    uint32_t settled_n; /* members that all of its cluster hold */
    bool is_leaving;
    bool must_tell; /* that it stood still */
    bool is_tight;  /* its table was nearly full: it may have had to forget early */
};

/* A live member as the view digest sees it, all padding zero. */
struct seen {
    uint64_t id;
    uint64_t meta; /* a hash of its name and tags and their version; 0: none */
    uint32_t incarnation;
    uint16_t port;
    uint16_t family;
    uint8_t ip[16];
};

/* All live members that a node holds, sorted by id. */
struct view {
    uint32_t node;
    uint32_t count;
    uint32_t capacity;
    uint64_t digest;
    bool has_no_room; /* some names and tags are in the digest alone */
    struct seen *seen;
};

struct check {
    struct check_config config;
    struct sim *sim;
    struct seat *seats;
    uint32_t nodes_max;
    uint32_t stride;  /* every so manieth node is watched */
    bool follows_all; /* else only the watched members' words are followed */
    bool is_damaging; /* the plan's network damages datagrams */
    bool has_plain;
    bool has_io_blocks;  /* who is blocked so doubts others in good faith */
    bool is_deaf_end;    /* one node hears nothing in the end: all must not hold it alive */
    bool is_apart_heard; /* one that is apart got through to another after the last fault */
    bool is_thin;        /* now there is nothing but one thin cut */
    bool is_settled;

    struct identity *identities; /* open addressing, powers of two */
    uint32_t identity_count;
    uint32_t identity_mask;
    struct held *helds;
    uint64_t held_count;
    uint64_t held_mask;
    uint64_t *reached; /* nodes_max squared: in which life the one sent to the other's address */

    uint64_t gentle_ns; /* from then on the network is gentle; SWIM_NEVER: it never is for good */
    uint64_t thin_ns;   /* from then on there is nothing but one thin cut; SWIM_NEVER: never */
    uint64_t calm_ns;   /* how long a probe may take */
    uint64_t shadow_ns; /* how long a stopped one may be doubted after it goes on */
    uint64_t deaf_since_ns; /* since when all hold that one not alive */
    uint64_t disturbed_at;  /* when the network last did anything to anybody */
    uint64_t agreed_at;     /* calm since; SWIM_NEVER: it is not calm */
    uint32_t clusters;      /* numbers of clusters are below this */
    uint32_t epoch;         /* counts beginnings of settled times */
    uint64_t faults_end_ns;
    uint64_t agreement_ns; /* when agreement is demanded from; SWIM_NEVER: not at all */
    uint64_t silence_ns;

    struct view *views; /* of this tick */
    uint32_t view_count;
    uint32_t views_max;
    uint32_t next_watched; /* the next tick begins with this one */

    char failure[480];
    enum check_id failed;
    uint64_t failed_at;
};

/* ---- check.c ---- */

/* Notes the first complaint of a check that is on. `node` SIM_NOBODY: of the whole. */
void check_complain(struct check *check, enum check_id id, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool check_is_on(const struct check *check, enum check_id id);
bool check_is_apart(const struct check *check, uint32_t node);
/* Its words are followed: events, and ACKs to it. */
bool check_is_followed(const struct check *check, uint32_t node);
/* It runs under its own steam: one that is expected to see, and to be seen by, all the others. */
bool check_is_expected(const struct check *check, uint32_t node);

/* Neither of them can be a member for the other: the names of their clusters differ. */
bool check_is_strange(const struct check *check, uint32_t node, uint32_t other);
/* It was stopped lately, and others may have noticed. */
bool check_is_in_shadow(const struct check *check, uint32_t node);

/* ---- check_known.c ---- */

/* A member's own record; false for a foreign one. */
bool known_self(const struct check *check, uint32_t node, struct swim_member *ret);
/* The identity of an id; NULL when no node ever had it. */
struct identity *known_identity(struct check *check, uint64_t id);
/* The same, added if need be. */
struct identity *known_identity_add(struct check *check, uint64_t id, uint32_t node);
/* What the observer holds in its present life, blank at first. Valid until the next call. */
struct held *known_held(struct check *check, uint32_t observer, uint64_t id);

/* `node` knows the address of `peer`, for it sent something there; or heard that it left, and will
 * not look for it any more. Where pairs are too many, nothing is noted. */
void known_reach(struct check *check, uint32_t node, uint32_t peer, bool is_reached);
/* Nobody is left whom no other one of its cluster can find: each is linked with each by some that
 * know the next one's address. */
bool known_is_connected(const struct check *check);

/* ---- check_words.c ---- */

/* A node has started: a life begins, perhaps of an id that is known. */
void words_started(struct check *check, uint32_t node);
/* A pause begins, and ends: its host must have been told by the next tick. */
void words_paused(struct check *check, uint32_t node);
void words_resumed(struct check *check, uint32_t node);
void words_event(struct check *check, uint32_t node, const struct sim_event *event);
/* An observer holds this record: compares with what it held before. */
void words_hold(struct check *check, uint32_t observer, const struct swim_member *member);

/* ---- check_sent.c ---- */

void sent_datagram(struct check *check, const struct sim_happening *sent);
/* What a datagram asks its receiver to repeat, to prove its address; 0: nothing. */
uint64_t sent_challenge(const struct sim_happening *sent);
void sent_delivered(struct check *check, const struct sim_happening *delivered);
/* News of this one that was dropped was told often enough; it was not passed over in probing. */
void sent_check_held(struct check *check, uint32_t observer, const struct swim_member *member,
                     const struct swim_stats *stats);

/* ---- check_views.c ---- */

void views_tick(struct check *check);
/* The views of this tick against their digests. */
void views_compare(struct check *check);
/* A datagram in a time of silence. */
void views_sent(struct check *check, const struct sim_happening *sent);
void views_free(struct check *check);

/* ---- check_bound.c ---- */

/* Any network that the plan ever sets up damages datagrams. */
bool bound_is_damaging(const struct plan *plan);
/* From when on the network is gentle to the end; SWIM_NEVER: it is not. */
uint64_t bound_gentle_since(const struct plan *plan);
/* From when on nothing is left but one cut between two nodes; SWIM_NEVER: never. */
uint64_t bound_thin_since(const struct plan *plan);
/* Nothing is left but one node that hears nothing. */
bool bound_is_deaf_end(const struct plan *plan);
bool bound_has_io_blocks(const struct plan *plan);
/* By when a probe that was under way is over, at the worst local health. */
uint64_t bound_calm_ns(const struct plan *plan);
/* A pause of this length is longer than any timer may be late. */
uint64_t bound_pause_ns(const struct plan *plan);
/* By when one that was stopped has come to terms with all the others. */
uint64_t bound_shadow_ns(const struct plan *plan);
/* By when a piece of news has had all its transmissions. */
uint64_t bound_gossip_ns(const struct plan *plan);

#endif
