/*
 * Server-sent events, taken apart as bytes come in: lines, fields, and at each empty line an event.
 * Pure. (The HTML standard, section "Server-sent events".)
 */
#ifndef SWIM_CTL_SSE_H
#define SWIM_CTL_SSE_H

#include <stdbool.h>
#include <stddef.h>

#define SSE_DATA_MAX ((size_t)64 * 1024)
#define SSE_FIELD_MAX 128

struct sse_event {
    const char *id;   /* of this event; "" when it has none of its own */
    const char *kind; /* "message" when the stream names none */
    const char *data; /* zero-terminated; lines are joined by newlines */
    size_t size;
};

typedef void sse_handler(void *context, const struct sse_event *event);

struct sse {
    sse_handler *handler;
    void *context;
    char last_id[SSE_FIELD_MAX]; /* to go on from; "" before there was one. Also set by a bare id */
    char id[SSE_FIELD_MAX];
    char kind[SSE_FIELD_MAX];
    size_t data_size;
    char data[SSE_DATA_MAX + 1];
    size_t line_size;
    char line[SSE_DATA_MAX + 16];
    bool has_cr;      /* the line before ended with a CR: a LF now belongs to it */
    bool is_too_long; /* the line, or the event, doesn't fit: it is left out whole */
};

void sse_init(struct sse *sse, sse_handler *handler, void *context);
/* A new connection: what was begun is gone; last_id stays. */
void sse_restart(struct sse *sse);
/* Takes bytes; calls the handler for each event that they complete. */
void sse_take(struct sse *sse, const char *data, size_t size);

#endif
