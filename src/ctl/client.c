/*
 * A request and its answer over a Unix socket: non-blocking, with poll() for what waits. The answer
 * itself is taken apart by answer.c.
 */
#define _GNU_SOURCE
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Between two looks at a socket whose queue of connections is full. */
#define QUEUE_FULL_MS 10
#define PORTION (64 * 1024)

uint64_t client_now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

__attribute__((format(printf, 3, 4))) static enum client_result
fail(struct client *client, enum client_result result, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(client->error, sizeof client->error, format, arguments);
    va_end(arguments);
    return result;
}

static enum client_result fail_late(struct client *client)
{
    return fail(client, CLIENT_TIMEOUT, "the daemon at %.200s has not answered within %g s",
                client->socket, client->timeout_ms / 1000.0);
}

/* ---- Connecting -------------------------------------------------------------------------- */

/* connect() says ECONNREFUSED of what is no socket, too. */
static bool is_other_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISSOCK(status.st_mode);
}

static enum client_result fail_to_connect(struct client *client, int error)
{
    static const char other[] = "; another socket is named with --socket PATH or SWIM_SOCKET";

    switch (error) {
    case ENOENT:
        return fail(client, CLIENT_UNREACHABLE,
                    "no daemon: there is no socket %.200s (does swimd run, with "
                    "--control-socket?)%s",
                    client->socket, other);
    case ECONNREFUSED:
        return fail(client, CLIENT_UNREACHABLE,
                    is_other_file(client->socket)
                        ? "no daemon: %.200s is no socket, but another file%s"
                        : "no daemon: nobody listens at %.200s (swimd has died, or is another's)%s",
                    client->socket, other);
    case EACCES:
    case EPERM:
        return fail(client, CLIENT_UNREACHABLE,
                    "not permitted: %.200s is for root and the user that swimd runs as",
                    client->socket);
    default:
        return fail(client, CLIENT_UNREACHABLE, "%.200s: cannot connect: %s%s", client->socket,
                    strerror(error), other);
    }
}

/* Milliseconds left for poll(); 0 when it is over. */
static int left_ms(uint64_t deadline_ms)
{
    uint64_t now_ms = client_now_ms();
    uint64_t left = deadline_ms > now_ms ? deadline_ms - now_ms : 0;

    return left < INT32_MAX ? (int)left : INT32_MAX;
}

static enum client_result make_address(struct client *client, struct sockaddr_un *ret)
{
    size_t size = strlen(client->socket);

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (size == 0 || size >= sizeof ret->sun_path)
        return fail(client, CLIENT_MISUSED,
                    "--socket, or SWIM_SOCKET: a socket's path has 1 to %zu bytes, not %zu",
                    sizeof ret->sun_path - 1, size);
    memcpy(ret->sun_path, client->socket, size);
    return CLIENT_OK;
}

static enum client_result connect_to(struct client *client, uint64_t deadline_ms, int *ret_fd)
{
    struct sockaddr_un address;
    enum client_result result = make_address(client, &address);
    int fd;

    if (result != CLIENT_OK)
        return result;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(client, CLIENT_BROKEN, "no socket: %s", strerror(errno));
    while (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        if ((error == EAGAIN || error == EINTR) && left_ms(deadline_ms) > 0) {
            (void)poll(NULL, 0, QUEUE_FULL_MS);
            continue;
        }
        (void)close(fd);
        return error == EAGAIN || error == EINTR ? fail_late(client)
                                                 : fail_to_connect(client, error);
    }
    *ret_fd = fd;
    return CLIENT_OK;
}

/* ---- Asking ------------------------------------------------------------------------------ */

static enum client_result await(struct client *client, int fd, short what, uint64_t deadline_ms)
{
    struct pollfd wait = {.fd = fd, .events = what};
    int left = left_ms(deadline_ms);
    int ready = 0;

    /* Who sends without an end is always ready, and late all the same. */
    while (left > 0 && (ready = poll(&wait, 1, left)) < 0 && errno == EINTR)
        left = left_ms(deadline_ms);
    return ready > 0 ? CLIENT_OK : fail_late(client);
}

static enum client_result fail_midway(struct client *client)
{
    return fail(client, CLIENT_UNREACHABLE, "the daemon at %.200s has ended before it answered",
                client->socket);
}

static enum client_result send_all(struct client *client, int fd, const char *data, size_t size,
                                   uint64_t deadline_ms)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent >= 0) {
            data += sent;
            size -= (size_t)sent;
        } else if (errno == EAGAIN) {
            enum client_result result = await(client, fd, POLLOUT, deadline_ms);
            if (result != CLIENT_OK)
                return result;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return CLIENT_OK; /* an answer may be there all the same */
        } else if (errno != EINTR) {
            return fail_midway(client);
        }
    }
    return CLIENT_OK;
}

static enum client_result send_request(struct client *client, int fd,
                                       const struct client_request *request, uint64_t deadline_ms)
{
    bool has_id = request->last_event_id != NULL;
    enum client_result result;
    char *text = NULL;
    int size;

    if (request->body == NULL)
        size =
            asprintf(&text, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%s\r\n",
                     request->path, has_id ? "Last-Event-ID: " : "",
                     has_id ? request->last_event_id : "", has_id ? "\r\n" : "");
    else
        size = asprintf(&text,
                        "POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                        request->path, strlen(request->body), request->body);
    if (size < 0)
        return fail(client, CLIENT_BROKEN, "no memory for the request");
    result = send_all(client, fd, text, (size_t)size, deadline_ms);
    explicit_bzero(text, (size_t)size); /* it may hold a key */
    free(text);
    return result;
}

/* Reads once, without blocking. *ret_ended: there is no more to come. */
static enum client_result read_some(struct client *client, int fd, struct answer *answer,
                                    bool *ret_ended)
{
    char data[PORTION];
    ssize_t size = recv(fd, data, sizeof data, 0);

    *ret_ended = false;
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return CLIENT_OK;
    if (size > 0 && !answer_take(answer, data, (size_t)size))
        return fail(client, CLIENT_BROKEN, "%.200s: no answer of swimd's: %s", client->socket,
                    answer->wrong);
    if (size <= 0 && !answer_end(answer))
        return fail_midway(client);
    *ret_ended = answer->is_complete;
    return CLIENT_OK;
}

/* Everything, or (`is_head_enough`) until the head is there. */
static enum client_result read_answer(struct client *client, int fd, struct answer *answer,
                                      bool is_head_enough, uint64_t deadline_ms)
{
    enum client_result result = CLIENT_OK;
    bool has_ended = false;

    while (result == CLIENT_OK && !has_ended && !(is_head_enough && answer->has_head)) {
        result = await(client, fd, POLLIN, deadline_ms);
        if (result == CLIENT_OK)
            result = read_some(client, fd, answer, &has_ended);
    }
    return result;
}

/* ---- Whole answers ----------------------------------------------------------------------- */

struct collector {
    struct client_reply *reply;
    size_t cap;
};

static bool collect(void *context, const char *data, size_t size)
{
    struct collector *collector = context;
    struct client_reply *reply = collector->reply;
    size_t wanted = reply->size + size + 1;

    if (wanted > ANSWER_BODY_MAX)
        return false;
    if (wanted > collector->cap) {
        size_t cap = wanted * 2;
        char *body = realloc(reply->body, cap);
        if (body == NULL)
            return false;
        reply->body = body;
        collector->cap = cap;
    }
    memcpy(reply->body + reply->size, data, size);
    reply->size += size;
    reply->body[reply->size] = '\0';
    return true;
}

void client_reply_free(struct client_reply *reply)
{
    free(reply->body);
    *reply = (struct client_reply){0};
}

enum client_result client_ask(struct client *client, const struct client_request *request,
                              struct client_reply *ret)
{
    uint64_t deadline_ms = client_now_ms() + client->timeout_ms;
    struct client_reply reply = {.deadline_ms = deadline_ms};
    struct collector collector = {.reply = &reply};
    struct answer answer;
    int fd = -1;
    enum client_result result = connect_to(client, deadline_ms, &fd);

    if (result != CLIENT_OK)
        return result;
    answer_init(&answer, collect, &collector);
    result = send_request(client, fd, request, deadline_ms);
    if (result == CLIENT_OK)
        result = read_answer(client, fd, &answer, false, deadline_ms);
    (void)close(fd);
    if (result == CLIENT_OK && !collect(&collector, "", 0))
        result = fail(client, CLIENT_BROKEN, "no memory for the answer");
    if (result != CLIENT_OK) {
        client_reply_free(&reply);
        return result;
    }
    reply.status = answer.status;
    *ret = reply;
    return CLIENT_OK;
}

/* ---- Streams ----------------------------------------------------------------------------- */

enum client_result client_stream_open(struct client *client, const struct client_request *request,
                                      answer_sink *sink, void *context, struct client_stream *ret)
{
    uint64_t deadline_ms = client_now_ms() + client->timeout_ms;
    enum client_result result;

    ret->fd = -1;
    answer_init(&ret->answer, sink, context);
    result = connect_to(client, deadline_ms, &ret->fd);
    if (result == CLIENT_OK)
        result = send_request(client, ret->fd, request, deadline_ms);
    if (result == CLIENT_OK)
        result = read_answer(client, ret->fd, &ret->answer, true, deadline_ms);
    return result;
}

enum client_result client_stream_read(struct client *client, struct client_stream *stream)
{
    bool has_ended = false;
    enum client_result result = read_some(client, stream->fd, &stream->answer, &has_ended);

    return result == CLIENT_OK && has_ended ? fail_midway(client) : result;
}

void client_stream_close(struct client_stream *stream)
{
    if (stream->fd >= 0)
        (void)close(stream->fd);
    stream->fd = -1;
}

/* ---- Queries ----------------------------------------------------------------------------- */

bool client_encode(const char *text, char *out, size_t cap)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = strlen(out);

    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                        (byte >= 'A' && byte <= 'Z') || strchr("-._~", byte) != NULL;
        if (size + 4 > cap)
            return false;
        if (is_plain) {
            out[size++] = (char)byte;
        } else {
            out[size++] = '%';
            out[size++] = digits[byte >> 4];
            out[size++] = digits[byte & 15];
        }
        out[size] = '\0';
    }
    return true;
}
