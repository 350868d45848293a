/*
 * Requests to the daemon: HTTP/1.1 over its control socket, one connection each. A small client of
 * our own, since libcurl takes 8 ms to start, and this 1 ms: scripts and completions call swimctl
 * again and again.
 *
 * Everything waits for one deadline, and for no longer.
 */
#ifndef SWIM_CTL_CLIENT_H
#define SWIM_CTL_CLIENT_H

#include "ctl/answer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_ERROR_MAX 512

enum client_result {
    CLIENT_OK,
    CLIENT_UNREACHABLE, /* nobody is there, or we may not */
    CLIENT_MISUSED,     /* no path of a socket: nobody was asked */
    CLIENT_TIMEOUT,
    CLIENT_BROKEN, /* what came was no answer; or no memory */
};

struct client {
    const char *socket; /* the path */
    uint32_t timeout_ms;
    char error[CLIENT_ERROR_MAX]; /* after a failure: why, and the way out */
};

struct client_request {
    const char *path; /* with its query, encoded */
    const char *body; /* NULL: GET; else POST. Nothing of it stays in memory of the client's */
    const char *last_event_id; /* NULL: none */
};

struct client_reply {
    int status;
    char *body; /* zero-terminated, on the heap; never NULL after CLIENT_OK */
    size_t size;
    uint64_t deadline_ms; /* by client_now_ms: until then the caller has to be done with it */
};

/* Milliseconds of a clock that never goes back. */
uint64_t client_now_ms(void);

/* Asks, and waits for the whole answer. On CLIENT_OK *ret is the caller's: client_reply_free. */
enum client_result client_ask(struct client *client, const struct client_request *request,
                              struct client_reply *ret);
void client_reply_free(struct client_reply *reply);

/*
 * An answer without an end. After client_stream_open, poll() the fd for input and call
 * client_stream_read, which hands what has come to the sink, and does not block. `status` is that
 * of the head, which is there on CLIENT_OK. client_stream_close is due after every open, whatever
 * it returned.
 */
struct client_stream {
    int fd; /* -1: closed */
    struct answer answer;
};
enum client_result client_stream_open(struct client *client, const struct client_request *request,
                                      answer_sink *sink, void *context, struct client_stream *ret);
/* CLIENT_UNREACHABLE: the connection, or the answer, has ended. */
enum client_result client_stream_read(struct client *client, struct client_stream *stream);
void client_stream_close(struct client_stream *stream);

/* Appends `text` to the query or path in `out`, percent-encoded; false when there is no room. */
bool client_encode(const char *text, char *out, size_t cap);

#endif
