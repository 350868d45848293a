/* Connections end when the daemon does, and when it drops a listener: both are tried again, later
 * each time, for as long as somebody watches. */
#include "ctl/feed.h"

#include <stdio.h>

static bool sink(void *context, const char *data, size_t size)
{
    struct feed *feed = context;

    if (feed->stream.answer.status == 200)
        sse_take(&feed->sse, data, size);
    return true;
}

void feed_init(struct feed *feed, struct ctl *ctl, const char *path, const char *since,
               sse_handler *handler, void *context)
{
    feed->ctl = ctl;
    (void)snprintf(feed->path, sizeof feed->path, "%s", path);
    feed->stream.fd = -1;
    feed->state = FEED_CLOSED;
    feed->retry_ms = FEED_RETRY_MIN_MS;
    feed->retry_at_ms = 0;
    sse_init(&feed->sse, handler, context);
    if (since != NULL)
        (void)snprintf(feed->sse.last_id, sizeof feed->sse.last_id, "%s", since);
}

static void retry_later(struct feed *feed)
{
    feed_close(feed);
    feed->retry_at_ms = client_now_ms() + feed->retry_ms;
    feed->retry_ms =
        feed->retry_ms * 2 < FEED_RETRY_MAX_MS ? feed->retry_ms * 2 : FEED_RETRY_MAX_MS;
}

static enum exit_code refuse(struct feed *feed)
{
    int status = feed->stream.answer.status;

    if (status == 503)
        return ctl_note(feed->ctl, EXIT_CODE_FAILURE, "swimd: as many listen to its events as may");
    return ctl_note(feed->ctl, EXIT_CODE_FAILURE,
                    "swimd: the events were answered with status %d%s", status,
                    status == 400 ? ": a filter, or an id to go on from, is wrong" : "");
}

enum exit_code feed_open(struct feed *feed)
{
    const char *last = feed->sse.last_id;
    struct client_request request = {.path = feed->path,
                                     .last_event_id = *last != '\0' ? last : NULL};
    enum client_result result;
    enum exit_code code = EXIT_CODE_OK;

    sse_restart(&feed->sse);
    result = client_stream_open(&feed->ctl->client, &request, sink, feed, &feed->stream);
    if (result != CLIENT_OK)
        code = ctl_note_client(feed->ctl, result);
    else if (feed->stream.answer.status != 200)
        code = refuse(feed);
    if (code != EXIT_CODE_OK) {
        retry_later(feed);
        return code;
    }
    feed->state = FEED_OPEN;
    feed->retry_ms = FEED_RETRY_MIN_MS;
    return code;
}

int feed_fd(const struct feed *feed)
{
    return feed->state == FEED_OPEN ? feed->stream.fd : -1;
}

bool feed_read(struct feed *feed)
{
    if (client_stream_read(&feed->ctl->client, &feed->stream) == CLIENT_OK)
        return true;
    retry_later(feed);
    return false;
}

void feed_close(struct feed *feed)
{
    client_stream_close(&feed->stream);
    feed->state = FEED_CLOSED;
}
