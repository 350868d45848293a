/* What the parts of the trace share: names of members, and a line that is being written. */
#ifndef SWIM_SWIMSIM_TRACE_PRIVATE_H
#define SWIM_SWIMSIM_TRACE_PRIVATE_H

#include "swimsim/collect_ids.h"
#include "swimsim/trace.h"

/* "n4294967295/4294967295" or "id:0123456789abcdef" */
#define NAME_SIZE 32
#define LINE_SIZE 1024 /* longest line */

/* A line, or a part of one; what does not fit is cut off. */
struct line {
    char text[LINE_SIZE];
    size_t size;
};

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void line_add(struct line *line, const char *format, ...);

/* Which lives the ids of a run belong to. */
struct names {
    struct ids ids;
    uint32_t
        *nodes; /* by the id's number: where it lives, and its how-manieth life this is there */
    uint32_t *lives;
    uint32_t capacity;
    uint32_t *present;    /* by node: the number of its present id, if it had any */
    uint32_t *life_count; /* by node */
    uint32_t node_capacity;
};

/* `node` lives under this id from now on. True if it had the id before. */
bool names_give(struct names *names, uint32_t node, uint64_t id);
/* Both write and return `ret`. */
const char *names_of_id(const struct names *names, uint64_t id, char ret[NAME_SIZE]);
const char *names_of_node(const struct names *names, uint32_t node, char ret[NAME_SIZE]);
void names_free(struct names *names);

/* ---- Datagrams, by the public facts of docs/protocol.md, sections 1, 2, 6, 10 ---- */

#define WIRE_KIND_PING_REQ 3

/* "PING #12 of 60 bytes: n2 suspect 0, n3 alive 1" */
void datagram_describe(const struct names *names, const uint8_t *data, size_t size,
                       struct line *line);
/* Whom a PING_REQ asks to be probed; false for other datagrams. */
bool datagram_target(const uint8_t *data, size_t size, uint64_t *ret_id);

#endif
