/* Events are rendered when they happen: what is held of a member a minute later may be another
 * story, or nothing. */
#include "agent/event_json.h"

#include <stdio.h>

void event_kind_format(enum swim_event_kind kind, char ret_text[EVENT_KIND_SIZE])
{
    (void)snprintf(ret_text, EVENT_KIND_SIZE, "%s", swim_event_name(kind));
    for (char *at = ret_text; *at != '\0'; at++)
        if (*at == '_')
            *at = '-';
}

/* A newcomer was nothing before; of others than members' changes there is no "before" to tell. */
static bool has_before(const struct swim_event *event)
{
    switch (event->kind) {
    case SWIM_EVENT_SUSPECTED:
    case SWIM_EVENT_RECOVERED:
    case SWIM_EVENT_FAILED:
    case SWIM_EVENT_LEFT:
    case SWIM_EVENT_UPDATED:
    case SWIM_EVENT_FORGOTTEN:
    case SWIM_EVENT_RESTARTED: return true;
    default: return false;
    }
}

void event_json_put(struct json *json, const struct swim *swim, const struct swim_event *event,
                    const char *id, const struct member_clock *clock)
{
    char kind[EVENT_KIND_SIZE];
    char time[MEMBER_TIME_SIZE];

    event_kind_format(event->kind, kind);
    member_time_format(clock, event->at, time);
    json_object_begin(json);
    json_key(json, "id");
    json_text(json, id);
    json_key(json, "time");
    json_text(json, time);
    json_key(json, "kind");
    json_text(json, kind);
    json_key(json, "member");
    member_json_put(json, swim, &event->member, clock);
    if (has_before(event)) {
        json_key(json, "before");
        json_text(json, swim_status_name(event->before));
    }
    if (event->kind == SWIM_EVENT_NAME_CONFLICT) {
        json_key(json, "other");
        json_u64_string(json, event->other);
    }
    if (event->kind == SWIM_EVENT_PAUSED) {
        json_key(json, "paused_seconds");
        json_double(json, (double)event->paused_for / 1e9);
    }
    if (event->kind == SWIM_EVENT_PONG) {
        json_key(json, "rtt_seconds");
        if (event->rtt_ns != 0)
            json_double(json, (double)event->rtt_ns / 1e9);
        else
            json_none(json); /* no answer in time */
    }
    json_object_end(json);
}
