/*
 * What happened to a member, as JSON: on /events, and to the programs of [events] exec.
 * docs/events.md has every field and kind.
 *
 *   {"id":"5be1c09d00c0ffee-17","time":"2026-01-31T12:00:00.123Z","kind":"suspected",
 *    "member":{...},"before":"alive"}
 */
#ifndef SWIM_AGENT_EVENT_JSON_H
#define SWIM_AGENT_EVENT_JSON_H

#include "agent/member_json.h"
#include "base/json.h"
#include "swim/swim.h"

/* swim_event_name with hyphens: "name-conflict". */
#define EVENT_KIND_SIZE 32
void event_kind_format(enum swim_event_kind kind, char ret_text[EVENT_KIND_SIZE]);

/* Writes one object. */
void event_json_put(struct json *json, const struct swim *swim, const struct swim_event *event,
                    const char *id, const struct member_clock *clock);

#endif
