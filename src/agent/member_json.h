/*
 * One member as JSON, wherever members are told of: /membership, events, the control socket.
 *
 *   {"id":"8213443902743","addr":"10.0.0.5:7000","status":"alive","name":"db-1",
 *    "tags":{"role":"db"},"incarnation":0,"heartbeat":812,"self":false,"capable":true,"proved":true,"changed":"2026-01-31T12:00:00.123Z"}
 *
 * First what version 1 has, as it has it; docs/configuration.md, section "HTTP", says what each
 * field means.
 */
#ifndef SWIM_AGENT_MEMBER_JSON_H
#define SWIM_AGENT_MEMBER_JSON_H

#include "base/json.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>

/* A moment on both clocks, to tell the one by the other: taken once for a whole list. now_ms is
 * within 10 ms of the wall clock, so that a moment is told as the same each time. */
struct member_clock {
    swim_time now;   /* clock_now_ns() */
    uint64_t now_ms; /* since 1970, UTC */
};
struct member_clock member_clock_now(void);

/* "2026-01-31T12:00:00.123Z" */
#define MEMBER_TIME_SIZE 32
void member_time_format(const struct member_clock *clock, swim_time at,
                        char ret_text[MEMBER_TIME_SIZE]);

/* All tags one after the other, where swim_meta_tag would begin anew each time: *at is 0 at first. */
bool member_next_tag(const struct swim_meta *meta, size_t *at, struct swim_tag *ret);

/* Writes one object. `swim` may be NULL: then name and tags are left out. */
void member_json_put(struct json *json, const struct swim *swim, const struct swim_member *member,
                     const struct member_clock *clock);

#endif
