/*
 * The daemon's events, over as many connections as it takes: when one ends, another is tried, and
 * goes on where the last event was. For monitor and top.
 */
#ifndef SWIM_CTL_FEED_H
#define SWIM_CTL_FEED_H

#include "ctl/ctl.h"
#include "ctl/sse.h"

#define FEED_RETRY_MIN_MS 100
#define FEED_RETRY_MAX_MS 2000

enum feed_state { FEED_CLOSED, FEED_OPEN };

struct feed {
    struct ctl *ctl;
    char path[CTL_PATH_MAX]; /* of the request */
    struct client_stream stream;
    struct sse sse;
    enum feed_state state;
    uint32_t retry_ms;
    uint64_t retry_at_ms; /* FEED_CLOSED: when to try again */
};

/* `path` is that of the first request; `since` (NULL: none) the id of the last event known. */
void feed_init(struct feed *feed, struct ctl *ctl, const char *path, const char *since,
               sse_handler *handler, void *context);
/* Tries to connect; on a failure it is noted in ctl, and retry_at_ms is set. */
SWIM_MUST_CHECK enum exit_code feed_open(struct feed *feed);
/* The fd to poll() for input; -1 while it is closed. */
int feed_fd(const struct feed *feed);
/* Takes what has come. False: the connection has ended, and retry_at_ms is set. */
bool feed_read(struct feed *feed);
void feed_close(struct feed *feed);

#endif
