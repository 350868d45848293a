/*
 * The bytes of a connection against the HTTP servers as they are (docs/configuration.md, "HTTP" and
 * "Control socket"): evhttp, the limits around it, and the answers. They come through a Unix
 * socket, whole or in two parts, to a server that is new each time, on a loop that never waits.
 * What comes back is answers and nothing else: a status that we know, and nothing of the request;
 * and where a token is asked for, which no request here has, nothing of the member.
 *
 *     input: 0x80 the control socket's server, 0x40 a token is asked for, where to cut | bytes
 */
#define _GNU_SOURCE
#include "agent/control.h"
#include "agent/events.h"
#include "agent/http.h"
#include "agent/httpd.h"

#include "base/assert.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPLY_MAX = 1 << 20, TURNS = 6 };

/* Seeds have it wherever a request has room for text. */
#define MARK "mirrormirror"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char received[REPLY_MAX];

/* ---- What is served ---- */

static void collect(void *context, struct metrics *ret)
{
    (void)context;
    memset(ret, 0, sizeof *ret);
}

static const struct swim *member(void)
{
    static _Alignas(16) uint8_t arena[1 << 20];
    static const struct swim *swim;
    struct swim_config config;

    if (swim == NULL) {
        swim_config_default(&config);
        config.id = 1;
        config.addr = (struct swim_addr){.family = 4, .ip = {127, 0, 0, 1}, .port = 7000};
        config.members_max = 16;
        config.meta_memory = 4096;
        ASSERT(swim_footprint(&config) <= sizeof arena);
        swim = swim_init(arena, sizeof arena, &config, SWIM_MS);
    }
    return swim;
}

static struct httpd *serve(struct event_base *base, struct events *events, int listener,
                           bool is_control, bool has_token)
{
    static struct agent_config config;
    static struct http_source source;
    static struct control_source control;
    struct httpd_terms terms = {.handler = http_answer,
                                .context = &source,
                                .connections_max = HTTPD_PUBLIC_CONNECTIONS,
                                .body_max = HTTPD_PUBLIC_BODY};

    config_default(&config);
    source = (struct http_source){
        .swim = member(), .config = &config, .events = events, .collect = collect};
    source.token.is_set = has_token; /* of a hash that no token has */
    control = (struct control_source){.swim = member(), .events = events};
    if (is_control)
        terms = (struct httpd_terms){.handler = control_answer,
                                     .context = &control,
                                     .connections_max = CONTROL_CONNECTIONS_MAX,
                                     .is_control = true,
                                     .body_max = CONTROL_BODY_MAX};
    return httpd_new_on(base, dup(listener), &terms);
}

/* ---- The connection ---- */

/* An address that the kernel chooses, in no folder. */
static int listen_anywhere(struct sockaddr_un *ret_name, socklen_t *ret_size)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    *ret_size = sizeof *ret_name;
    ASSERT(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name.sun_family) == 0);
    ASSERT(getsockname(fd, (struct sockaddr *)ret_name, ret_size) == 0 && listen(fd, 4) == 0);
    return fd;
}

static void turn(struct event_base *base)
{
    for (int i = 0; i < TURNS; i++)
        (void)event_base_loop(base, EVLOOP_NONBLOCK);
}

/* The other side may have gone. */
static void say(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0)
            return;
        bytes += sent;
        size -= (size_t)sent;
    }
}

static size_t listen_to(int fd, size_t before)
{
    ssize_t got;

    while (before < sizeof received - 1 &&
           (got = recv(fd, received + before, sizeof received - 1 - before, MSG_DONTWAIT)) > 0)
        before += (size_t)got;
    received[before] = '\0';
    return before;
}

/* Connects, says all of it in two parts, hears what comes back. */
static size_t converse(struct event_base *base, const struct sockaddr_un *name, socklen_t name_size,
                       const uint8_t *bytes, size_t size, size_t cut)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    size_t heard;

    ASSERT(fd >= 0 && connect(fd, (const struct sockaddr *)name, name_size) == 0);
    say(fd, bytes, cut);
    turn(base);
    say(fd, bytes + cut, size - cut);
    turn(base);
    heard = listen_to(fd, 0);
    (void)shutdown(fd, SHUT_WR);
    turn(base);
    heard = listen_to(fd, heard);
    (void)close(fd);
    turn(base);
    return heard;
}

/* What evhttp refuses by itself it answers with whatever number it has read for a version. */
static const char *skip_version(size_t size)
{
    static const char nosniff[] = "\r\nX-Content-Type-Options: nosniff\r\n";
    const char *end = memchr(received, ' ', size);
    bool is_ours = memmem(received, size, nosniff, sizeof nosniff - 1) != NULL;

    ASSERT(end != NULL && memcmp(received, "HTTP/", 5) == 0);
    ASSERT(strspn(received + 5, "0123456789.-") == (size_t)(end - received - 5));
    if (is_ours)
        ASSERT(memcmp(received, "HTTP/1.0", 8) == 0 || memcmp(received, "HTTP/1.1", 8) == 0);
    return end + 1;
}

static void check_answers(size_t size, bool has_token)
{
    static const char *const statuses[] = {"200", "400", "401", "403", "404", "405", "409", "413",
                                           "417", "421", "431", "501", "503", "504", "505", "100"};
    bool is_known = false;

    if (size == 0)
        return;
    const char *status = skip_version(size);
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
        is_known = is_known || strncmp(status, statuses[i], 3) == 0;
    ASSERT(is_known);
    ASSERT(memmem(received, size, MARK, strlen(MARK)) == NULL);
    if (has_token)
        ASSERT(strstr(received, "\"nodes\"") == NULL && strstr(received, "swim_") == NULL &&
               strstr(received, "\"member\"") == NULL && strstr(received, "\"targets\"") == NULL);
}

static void ignore_log(int severity, const char *text)
{
    (void)severity;
    (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sockaddr_un name;
    static socklen_t name_size;
    static int listener = -1;

    if (size == 0)
        return 0;
    if (listener < 0) {
        event_set_log_callback(ignore_log);
        listener = listen_anywhere(&name, &name_size);
    }
    struct event_base *base = event_base_new();
    ASSERT(base != NULL);
    struct events *events = events_new(base, member());
    ASSERT(events != NULL);
    struct httpd *httpd = serve(base, events, listener, data[0] & 0x80, data[0] & 0x40);
    ASSERT(httpd != NULL);
    size_t heard =
        converse(base, &name, name_size, data + 1, size - 1, (size - 1) * (data[0] & 0x3F) / 0x3F);
    check_answers(heard, (data[0] & 0xC0) == 0x40);
    ASSERT(httpd_stats(httpd).connections <= 1);
    httpd_free(httpd);
    events_free(events);
    event_base_free(base);
    return 0;
}
