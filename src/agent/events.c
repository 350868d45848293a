/*
 * Listeners, and what is written to them: https://html.spec.whatwg.org, "Server-sent events". A
 * block without data is no event, but its id is remembered by the client: that is how a listener
 * that has heard nothing yet knows where to go on.
 */
#include "agent/events.h"

#include "agent/clock.h"
#include "agent/event_json.h"
#include "agent/httpd_stream.h"
#include "agent/journal.h"
#include "agent/log.h"
#include "agent/member_list.h"
#include "agent/timer.h"
#include "base/assert.h"
#include "base/json.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LISTENERS_MAX (EVENTS_PUBLIC_MAX + EVENTS_CONTROL_MAX)
/* What a client is asked to wait before it connects again. */
#define RETRY_MS 2000
#define TICK_MS 1000
#define HEARTBEAT_MS 15000
#define DROPPED_WARN_MS 60000
#define NO_SLOT UINT32_MAX

struct listener {
    struct events *events;
    struct httpd_stream *stream;
    bool is_control;
    struct http_query query; /* the filter's texts */
    struct member_filter filter;
    uint64_t next;          /* the event to go on with */
    uint64_t told;          /* the last id that it was given is of this one */
    uint64_t catches_up;    /* after this event comes the snapshot */
    uint32_t slot;          /* the snapshot's next; NO_SLOT: there is none (any more) */
    const char *missed_why; /* to be said at the beginning; NULL: nothing was missed */
    uint64_t missed;
    bool has_begun;
    uint64_t drained_ms; /* when all that it was given was last with the kernel */
    uint64_t written_ms;
};

struct events {
    struct event_base *base;
    const struct swim *swim;
    struct journal *journal;
    struct event *tick;
    uint32_t heartbeat_ms;
    uint32_t count;
    struct listener *listeners[LISTENERS_MAX]; /* the first `count` */
    struct events_stats stats;
    struct log_limit dropped_limit;
};

static uint64_t now_ms(void)
{
    return clock_now_ns() / SWIM_MS;
}

/* ---- Writing ----------------------------------------------------------------------------- */

static void put(struct listener *listener, const char *text)
{
    httpd_stream_write(listener->stream, text, strlen(text));
}

/* As JSON is written. */
static void sink(void *context, const char *data, size_t size)
{
    httpd_stream_write(context, data, size);
}

static void put_id(struct listener *listener, uint64_t number)
{
    char id[JOURNAL_ID_SIZE];

    journal_format_id(listener->events->journal, number, id);
    put(listener, "id: ");
    put(listener, id);
    put(listener, "\n");
    listener->told = number;
}

static void put_head(struct listener *listener, const char *kind)
{
    put(listener, "event: ");
    put(listener, kind);
    put(listener, "\ndata: ");
}

/* Of what is no member's event: where the listener stands. */
static void begin_notice(struct listener *listener, const char *kind, struct json *json)
{
    struct member_clock clock = member_clock_now();
    char time[MEMBER_TIME_SIZE];
    char id[JOURNAL_ID_SIZE];

    journal_format_id(listener->events->journal, listener->next - 1, id);
    member_time_format(&clock, clock.now, time);
    put_head(listener, kind);
    json_init(json, sink, listener->stream);
    json_object_begin(json);
    json_key(json, "id");
    json_text(json, id);
    json_key(json, "time");
    json_text(json, time);
    json_key(json, "kind");
    json_text(json, kind);
}

static void end_notice(struct listener *listener, struct json *json)
{
    json_object_end(json);
    put(listener, "\n\n");
}

static void put_missed(struct listener *listener, const char *why, uint64_t missed)
{
    struct json json;

    put_id(listener, listener->next - 1);
    begin_notice(listener, "missed", &json);
    json_key(&json, "reason");
    json_text(&json, why);
    json_key(&json, "missed");
    if (missed > 0)
        json_u64(&json, missed);
    else
        json_none(&json); /* nobody knows how many */
    end_notice(listener, &json);
}

static void put_event(struct listener *listener, const struct journal_event *event)
{
    char kind[EVENT_KIND_SIZE];

    event_kind_format(event->kind, kind);
    put_id(listener, event->number);
    put_head(listener, kind);
    httpd_stream_write(listener->stream, event->json, event->size);
    put(listener, "\n\n");
}

static void put_begin(struct listener *listener)
{
    char retry[32];

    (void)snprintf(retry, sizeof retry, "retry: %d\n", RETRY_MS);
    put(listener, retry);
    put_id(listener, listener->next - 1);
    put(listener, "\n");
    if (listener->missed_why != NULL)
        put_missed(listener, listener->missed_why, listener->missed);
    listener->has_begun = true;
}

/* ---- Going on ---------------------------------------------------------------------------- */

static bool has_room(const struct listener *listener)
{
    return httpd_stream_pending(listener->stream) < HTTPD_STREAM_PENDING_MAX;
}

/* By what the member was then. */
static bool passes(const struct listener *listener, const struct journal_event *event)
{
    struct swim_meta meta;
    bool has_meta = listener->filter.tag_count > 0 && journal_meta(event, &meta);

    return member_filter_passes_meta(&listener->filter, event->member.status,
                                     has_meta ? &meta : NULL);
}

/* The events from its place up to number `last`, as far as there is room. */
static void put_events(struct listener *listener, uint64_t last)
{
    struct events *events = listener->events;
    uint64_t first = journal_first(events->journal);

    if (listener->next < first) {
        uint64_t missed = first - listener->next;
        listener->next = first;
        put_missed(listener, "overwritten", missed);
    }
    while (listener->next <= last && has_room(listener)) {
        const struct journal_event *event = journal_at(events->journal, listener->next++);
        if (passes(listener, event))
            put_event(listener, event);
    }
}

static void put_snapshot_member(struct listener *listener, const struct swim_member *member,
                                const struct member_clock *clock)
{
    struct json json;

    put_head(listener, "snapshot");
    json_init(&json, sink, listener->stream);
    json_object_begin(&json);
    json_key(&json, "kind");
    json_text(&json, "snapshot");
    json_key(&json, "member");
    member_json_put(&json, listener->events->swim, member, clock);
    json_object_end(&json);
    put(listener, "\n\n");
}

/* What changes between two parts of a snapshot comes as an event after it. */
static void put_snapshot(struct listener *listener)
{
    const struct swim *swim = listener->events->swim;
    struct member_clock clock = member_clock_now();
    struct swim_member member;
    struct json json;

    while (listener->slot < swim_member_slots(swim)) {
        if (!has_room(listener))
            return;
        if (swim_member_at(swim, listener->slot++, &member) &&
            member_filter_passes(&listener->filter, swim, &member))
            put_snapshot_member(listener, &member, &clock);
    }
    listener->slot = NO_SLOT;
    put_id(listener, listener->next - 1);
    begin_notice(listener, "snapshot-end", &json);
    end_notice(listener, &json);
}

/* As much of what is due as there is room for. */
static void go_on(struct listener *listener)
{
    if (!listener->has_begun)
        put_begin(listener);
    if (listener->slot != NO_SLOT && listener->next <= listener->catches_up)
        put_events(listener, listener->catches_up);
    if (listener->slot != NO_SLOT && listener->next > listener->catches_up)
        put_snapshot(listener);
    if (listener->slot == NO_SLOT)
        put_events(listener, journal_last(listener->events->journal));
    if (httpd_stream_pending(listener->stream) > 0)
        listener->written_ms = now_ms();
    httpd_stream_flush(listener->stream);
}

/* ---- Listeners --------------------------------------------------------------------------- */

static void arm_tick(struct events *events)
{
    uint32_t wait_ms = events->heartbeat_ms < TICK_MS ? events->heartbeat_ms : TICK_MS;
    struct timeval wait = timer_wait_ms(wait_ms);

    (void)event_add(events->tick, &wait);
}

static void remove_listener(struct listener *listener)
{
    struct events *events = listener->events;
    uint32_t at = 0;

    while (events->listeners[at] != listener)
        at++;
    events->listeners[at] = events->listeners[--events->count];
    if (events->count == 0)
        (void)event_del(events->tick);
    free(listener);
}

static void on_gone(void *context)
{
    remove_listener(context);
}

static void on_more(void *context, struct httpd_stream *stream)
{
    struct listener *listener = context;

    listener->stream = stream;
    listener->drained_ms = now_ms();
    go_on(listener);
}

static void drop(struct listener *listener, const char *why)
{
    struct events *events = listener->events;
    struct httpd_stream *stream = listener->stream;
    uint64_t held_back;
    struct json json;

    begin_notice(listener, "dropped", &json);
    json_key(&json, "reason");
    json_text(&json, why);
    end_notice(listener, &json);
    events->stats.dropped++;
    if (log_limit_allows(&events->dropped_limit, clock_now_ns(), DROPPED_WARN_MS, &held_back))
        LOG(LOG_WARN, "a listener to events was too slow, and is dropped", LOG_TEXT("cause", why),
            LOG_NUMBER("more", held_back));
    remove_listener(listener);
    httpd_stream_end(stream);
}

/* Has it ended? */
static bool drop_if_slow(struct listener *listener, uint64_t now)
{
    bool is_overtaken = listener->next < journal_first(listener->events->journal);

    if (httpd_stream_stalled_ms(listener->stream, now) >= EVENTS_STALL_MS) {
        drop(listener, "nothing was read for 10 seconds");
        return true;
    }
    if (is_overtaken && httpd_stream_pending(listener->stream) > 0 &&
        now - listener->drained_ms >= EVENTS_BEHIND_MS) {
        drop(listener, "too slow: events are gone before they were read");
        return true;
    }
    return false;
}

static void put_heartbeat(struct listener *listener, uint64_t now)
{
    put(listener, ": heartbeat\n");
    if (listener->slot == NO_SLOT && listener->told != listener->next - 1)
        put_id(listener, listener->next - 1); /* events went by that its filter held back */
    put(listener, "\n");
    listener->written_ms = now;
    httpd_stream_flush(listener->stream);
}

/* From the last to the first: the one at hand may go. */
static void on_tick(evutil_socket_t fd, short what, void *context)
{
    struct events *events = context;
    uint64_t now = now_ms();

    (void)fd;
    (void)what;
    for (uint32_t i = events->count; i-- > 0;) {
        struct listener *listener = events->listeners[i];
        if (!drop_if_slow(listener, now) && httpd_stream_pending(listener->stream) == 0 &&
            now - listener->written_ms >= events->heartbeat_ms)
            put_heartbeat(listener, now);
    }
}

void events_push(struct events *events)
{
    uint64_t now = events->count > 0 ? now_ms() : 0;

    for (uint32_t i = events->count; i-- > 0;) {
        struct listener *listener = events->listeners[i];
        if (listener->next > journal_last(events->journal) || drop_if_slow(listener, now))
            continue;
        if (httpd_stream_pending(listener->stream) == 0)
            go_on(listener);
    }
}

void events_note(struct events *events, const struct swim_event *event)
{
    events->stats.events++;
    journal_add(events->journal, events->swim, event);
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* Where it wants to go on, if anywhere. The header is the newer one: a browser that connects again
 * sends it with the address as it was. */
static const char *wanted_id(struct http_query *query, const struct http_request *request)
{
    const char *asked = http_query_take(query, "last_event_id");

    if (request->last_event_id != NULL && *request->last_event_id != '\0')
        return request->last_event_id;
    return asked != NULL && *asked != '\0' ? asked : NULL;
}

/* Sets its place; true when it goes on where it was. */
static bool find_place(struct listener *listener, const char *id)
{
    const struct journal *journal = listener->events->journal;

    if (id == NULL) {
        listener->next = journal_last(journal) + 1;
        return false;
    }
    if (strcmp(id, "0") == 0) {
        listener->next = journal_first(journal);
        return false;
    }
    switch (journal_find(journal, id, &listener->next, &listener->missed)) {
    case JOURNAL_HELD: return true;
    case JOURNAL_OVERWRITTEN: listener->missed_why = "overwritten"; break;
    case JOURNAL_RESTARTED: listener->missed_why = "restarted"; break;
    case JOURNAL_UNKNOWN: listener->missed_why = "unknown"; break;
    }
    return false;
}

/* Understands the query. False, with the reply as a 400, when it is wrong. */
static bool prepare(struct listener *listener, const struct http_request *request,
                    struct http_reply *reply)
{
    if (!member_list_query(request, &listener->query, reply))
        return false;
    const char *id = wanted_id(&listener->query, request);
    const char *snapshot = http_query_take(&listener->query, "snapshot");
    if (snapshot != NULL && strcmp(snapshot, "0") != 0 && strcmp(snapshot, "1") != 0) {
        http_reply_text(reply, 400, "snapshot must be 1 or 0");
        return false;
    }
    member_filter_init(&listener->filter);
    if (!member_list_filter(&listener->query, &listener->filter,
                            "status, tag, last_event_id, snapshot", reply))
        return false;
    bool is_resumed = find_place(listener, id);
    listener->catches_up = journal_last(listener->events->journal);
    listener->slot = snapshot != NULL && *snapshot == '1' && !is_resumed ? 0 : NO_SLOT;
    return true;
}

static bool is_full(const struct events *events, bool is_control)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < events->count; i++)
        count += events->listeners[i]->is_control == is_control ? 1 : 0;
    return count >= (is_control ? EVENTS_CONTROL_MAX : EVENTS_PUBLIC_MAX);
}

static void refuse(struct http_reply *reply, const char *why)
{
    reply->retry_after_s = EVENTS_RETRY_AFTER_S;
    http_reply_text(reply, 503, why);
}

static bool begin(struct listener *listener, struct http_reply *reply)
{
    struct events *events = listener->events;
    const struct httpd_stream_hooks hooks = {.context = listener, .more = on_more, .gone = on_gone};

    listener->stream = http_reply_stream(reply, &hooks);
    if (listener->stream == NULL)
        return false;
    listener->drained_ms = now_ms();
    listener->written_ms = listener->drained_ms;
    if (events->count == 0)
        arm_tick(events);
    events->listeners[events->count++] = listener;
    return true;
}

void events_answer(struct events *events, bool is_control, const struct http_request *request,
                   struct http_reply *reply)
{
    struct listener *listener = calloc(1, sizeof *listener);

    if (listener == NULL) {
        refuse(reply, "no memory");
        return;
    }
    *listener = (struct listener){.events = events, .is_control = is_control};
    if (!prepare(listener, request, reply)) {
        free(listener);
        return;
    }
    if (is_full(events, is_control)) {
        events->stats.refused++;
        refuse(reply, "as many as can be listen to events already");
        free(listener);
        return;
    }
    reply->content_type = "text/event-stream";
    reply->is_stream = true;
    if (request->is_head || !begin(listener, reply)) {
        free(listener);
        if (!request->is_head)
            refuse(reply, "no memory");
    }
}

/* ---- The whole --------------------------------------------------------------------------- */

struct events *events_new(struct event_base *base, const struct swim *swim)
{
    struct events *events = calloc(1, sizeof *events);
    uint64_t start;

    if (events == NULL || getrandom(&start, sizeof start, 0) != (ssize_t)sizeof start) {
        free(events);
        return NULL;
    }
    *events = (struct events){.base = base, .swim = swim, .heartbeat_ms = HEARTBEAT_MS};
    events->journal = journal_new(start);
    events->tick = event_new(base, -1, EV_PERSIST, on_tick, events);
    if (events->journal == NULL || events->tick == NULL) {
        events_free(events);
        return NULL;
    }
    return events;
}

void events_free(struct events *events)
{
    if (events == NULL)
        return;
    ASSERT(events->count == 0);
    timer_free(events->tick);
    journal_free(events->journal);
    free(events);
}

void events_set_heartbeat(struct events *events, uint32_t heartbeat_ms)
{
    events->heartbeat_ms = heartbeat_ms;
    if (events->count > 0)
        arm_tick(events);
}

void events_end_public(struct events *events)
{
    for (uint32_t i = events->count; i-- > 0;) {
        struct httpd_stream *stream = events->listeners[i]->stream;
        if (events->listeners[i]->is_control)
            continue;
        remove_listener(events->listeners[i]);
        httpd_stream_end(stream);
    }
}

void events_end(struct events *events)
{
    if (events == NULL)
        return;
    for (uint32_t i = events->count; i-- > 0;) {
        struct httpd_stream *stream = events->listeners[i]->stream;
        remove_listener(events->listeners[i]);
        httpd_stream_end_now(stream);
    }
}

const struct journal *events_journal(const struct events *events)
{
    return events->journal;
}

struct events_stats events_stats(const struct events *events)
{
    struct events_stats stats = events->stats;

    stats.listeners = events->count;
    return stats;
}
