/*
 * What a node remembers over its restarts, as text. A pure function each way; state_file.h has the
 * file. docs/configuration.md, "State".
 *
 *     swim-state 1
 *     cluster blue
 *     id 11400714819323198485
 *     incarnation 48
 *     start 1700000000000
 *     member 10.0.0.7:7000
 *     member [2001:db8::7]:7000
 *     checksum 0123456789abcdef
 *
 * Lines in this order, each ended by a newline; `cluster` only where there is a name. Nothing else
 * is allowed, so that each state has one text, and a text that is damaged is none.
 */
#ifndef SWIM_AGENT_STATE_H
#define SWIM_AGENT_STATE_H

#include "swim/swim.h"

#include <stddef.h>
#include <stdint.h>

#define STATE_MEMBERS_MAX 1024
/* The header's lines, and as many members as there can be, of 61 bytes at most. */
#define STATE_TEXT_MAX (64 * 1024)

struct state {
    uint64_t id;          /* never 0 */
    uint32_t incarnation; /* the lowest that was certainly never used */
    uint64_t start;       /* the latest start of a sealing sender, in milliseconds; 0: none */
    char cluster[SWIM_CLUSTER_MAX + 1];
    uint32_t member_count;
    struct swim_addr members[STATE_MEMBERS_MAX]; /* where others were last known to be */
};

enum state_verdict {
    STATE_GOOD,
    STATE_FOREIGN, /* it never was a state of this program's, or is one of a later version's */
    STATE_DAMAGED, /* it was one */
};

/* Writes the text of `state` into `text`. Returns its size, at most `cap`; 0 when it does not fit
 * (STATE_TEXT_MAX always does). */
size_t state_render(const struct state *state, char *text, size_t cap);

/* Any bytes at all. On STATE_GOOD *ret is filled in; else *ret_wrong says what is wrong (static). */
enum state_verdict state_parse(const char *text, size_t size, struct state *ret,
                               const char **ret_wrong);

#endif
