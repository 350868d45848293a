/*
 * Answers that take their time. A handler (httpd.h) that can't answer at once says so while it is
 * called, and its reply is then left alone:
 *
 *   http_reply_later   one answer, some time later: struct httpd_later
 *   http_reply_stream  an answer without an end, written as things happen: struct httpd_stream
 *
 * In both cases the connection may vanish meanwhile: then `gone` is called, once, from within the
 * loop or httpd_free, and the object must not be used any more, from its first line on. It is never
 * called after httpd_later_send or httpd_stream_end. A handler that has started either still
 * returns as always.
 */
#ifndef SWIM_AGENT_HTTPD_STREAM_H
#define SWIM_AGENT_HTTPD_STREAM_H

#include "agent/httpd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- One answer, later ------------------------------------------------------------------- */

#define HTTPD_LATER_MAX_MS 60000

struct httpd_later;

typedef void httpd_gone(void *context);

/*
 * To be called within a handler, at most once. The answer is due within `within_ms` (at most
 * HTTPD_LATER_MAX_MS): after that the client is told 504, and `gone` called. NULL: no memory, or
 * the reply is nobody's (a test's); the handler then answers at once, with a 503 say.
 */
SWIM_MUST_CHECK struct httpd_later *http_reply_later(struct http_reply *reply, uint32_t within_ms,
                                                     httpd_gone *gone, void *context);
/* The answer to fill in, as a handler finds it: 200, JSON, empty. */
struct http_reply *httpd_later_reply(struct httpd_later *later);
/* Sends it, and frees `later`. */
void httpd_later_send(struct httpd_later *later);

/* ---- A stream ---------------------------------------------------------------------------- */

/* A stream is not asked for more while this much of it waits to be sent. */
#define HTTPD_STREAM_PENDING_MAX ((size_t)64 * 1024)

struct httpd_stream;

struct httpd_stream_hooks {
    void *context;
    /* All that was written is on its way to the client: write on, or wait until there is more to
     * say. Also called once at the beginning. May end the stream. */
    void (*more)(void *context, struct httpd_stream *stream);
    httpd_gone *gone;
};

/*
 * To be called within a handler, at most once, and not for HEAD (which has no body to stream). The
 * reply's status must be 200; its content type is used. Header lines are sent when the handler has
 * returned, then `more` is called. NULL: as above. `hooks` is copied.
 */
SWIM_MUST_CHECK struct httpd_stream *http_reply_stream(struct http_reply *reply,
                                                       const struct httpd_stream_hooks *hooks);
/* Appends bytes; they are handed to the connection by httpd_stream_flush. */
void httpd_stream_write(struct httpd_stream *stream, const char *data, size_t size);
void httpd_stream_flush(struct httpd_stream *stream);
/* Bytes that the kernel has not taken yet. */
size_t httpd_stream_pending(const struct httpd_stream *stream);
/* For how long, at `now_ms`, bytes have waited without any being taken. To be asked now and then:
 * what is not looked at is not noticed. */
uint64_t httpd_stream_stalled_ms(struct httpd_stream *stream, uint64_t now_ms);
/* Flushes, ends the answer properly, and frees `stream`. The client has HTTP_ANSWER_MS to take
 * what is left. */
void httpd_stream_end(struct httpd_stream *stream);
/* The same for the end of the daemon, when the loop runs no more: what the kernel doesn't take at
 * once is lost. The connection stays for httpd_free. */
void httpd_stream_end_now(struct httpd_stream *stream);

#endif
