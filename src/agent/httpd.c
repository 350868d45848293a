/*
 * evhttp's requests become ours, our replies evhttp's. In between stands what evhttp lets pass and
 * we don't: strictness where a lenient server and a proxy could disagree on where a request ends.
 */
#define _GNU_SOURCE
#include "agent/httpd.h"

#include "agent/address.h"
#include "agent/http_limits.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* A burst waits here while all places are taken; the kernel may allow less. */
#define BACKLOG 512
/* All there are: evhttp answers 501 to the others, and 501 carries no Allow. */
#define EVERY_METHOD UINT16_MAX

struct httpd {
    struct evhttp *http;
    struct http_limits *limits;
    http_handler *handler;
    void *context;
    uint64_t requests;
};

/* ---- Requests ---------------------------------------------------------------------------- */

struct survey {
    unsigned headers;
    unsigned hosts;
    bool has_body;
    const char *host;
    const char *accept;
};

static void survey_headers(const struct evkeyvalq *headers, struct survey *ret)
{
    const struct evkeyval *at;

    *ret = (struct survey){.host = ""};
    TAILQ_FOREACH(at, headers, next)
    {
        ret->headers++;
        if (strcasecmp(at->key, "host") == 0) {
            ret->hosts++;
            ret->host = at->value;
        } else if (strcasecmp(at->key, "accept") == 0) {
            ret->accept = at->value;
        } else if (strcasecmp(at->key, "transfer-encoding") == 0 ||
                   (strcasecmp(at->key, "content-length") == 0 && strcmp(at->value, "0") != 0)) {
            ret->has_body = true;
        }
    }
}

/* evhttp takes "//a/b" for a host and a path; in a request it is a path, and none of ours. A whole
 * URI is what a proxy's client sends: the host in it rules. */
static void parse_target(const struct evhttp_request *raw, struct http_request *ret)
{
    const char *target = evhttp_request_get_uri(raw);
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(raw);

    if (strncmp(target, "//", 2) == 0) {
        ret->path = target;
        return;
    }
    if (evhttp_uri_get_path(uri) != NULL)
        ret->path = evhttp_uri_get_path(uri);
    if (evhttp_uri_get_query(uri) != NULL)
        ret->query = evhttp_uri_get_query(uri);
    if (evhttp_uri_get_host(uri) != NULL)
        ret->host = evhttp_uri_get_host(uri);
}

/* Returns 200, or the status to refuse the request with. */
static int understand(struct evhttp_request *raw, struct http_request *ret)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(raw);
    bool is_1_1 = raw->major > 1 || (raw->major == 1 && raw->minor >= 1);
    struct survey survey;

    survey_headers(evhttp_request_get_input_headers(raw), &survey);
    *ret = (struct http_request){
        .path = "", .query = "", .host = survey.host, .accept = survey.accept};
    if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD)
        return 405;
    if (survey.headers > HTTPD_HEADERS_MAX)
        return 431;
    if (survey.has_body)
        return 413;
    if (survey.hosts > 1 || (survey.hosts == 0 && is_1_1))
        return 400;
    parse_target(raw, ret);
    return 200;
}

/* ---- Answers ----------------------------------------------------------------------------- */

/* NULL: evhttp knows. */
static const char *reason_of(int status)
{
    switch (status) {
    case 413: return "Content Too Large";
    case 421: return "Misdirected Request";
    case 431: return "Request Header Fields Too Large";
    default: return NULL;
    }
}

void http_reply_text(struct http_reply *reply, int status, const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    (void)evbuffer_drain(reply->body, evbuffer_get_length(reply->body));
    (void)evbuffer_add_printf(reply->body, "%s\n", text);
}

static void refuse(struct http_reply *reply, int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {{400, "one Host header is needed"},
                 {405, "GET and HEAD only"},
                 {413, "no request here has a body"},
                 {431, "too many header lines"}};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            http_reply_text(reply, status, texts[i].text);
}

static void put_headers(struct evhttp_request *raw, const struct http_reply *reply, bool is_last)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(raw);
    char length[24];

    (void)snprintf(length, sizeof length, "%zu", evbuffer_get_length(reply->body));
    (void)evhttp_add_header(headers, "Content-Type", reply->content_type);
    (void)evhttp_add_header(headers, "Content-Length", length);
    (void)evhttp_add_header(headers, "Cache-Control", "no-store");
    (void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (reply->status == 405)
        (void)evhttp_add_header(headers, "Allow", "GET, HEAD");
    if (is_last)
        (void)evhttp_add_header(headers, "Connection", "close");
}

/* Nothing is read while an answer is on its way: a client that asks and doesn't read waits for
 * itself, and one that has shut its side down is answered all the same. */
static void send_reply(struct evhttp_request *raw, const struct http_reply *reply)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(raw);
    struct bufferevent *stream = evhttp_connection_get_bufferevent(connection);

    if (evhttp_request_get_command(raw) == EVHTTP_REQ_HEAD)
        (void)evbuffer_drain(reply->body, evbuffer_get_length(reply->body));
    evhttp_send_reply(raw, reply->status, reason_of(reply->status), reply->body);
    (void)bufferevent_disable(stream, EV_READ);
}

static void on_answered(struct evhttp_request *raw, void *context)
{
    struct httpd *httpd = context;

    http_limits_ended(httpd->limits, raw);
}

static void on_request(struct evhttp_request *raw, void *context)
{
    struct httpd *httpd = context;
    struct http_request request;
    struct http_reply reply = {
        .status = 200, .content_type = "application/json; charset=utf-8", .body = evbuffer_new()};

    httpd->requests++;
    http_limits_began(httpd->limits, raw);
    evhttp_request_set_on_complete_cb(raw, on_answered, httpd);
    if (reply.body == NULL) {
        evhttp_send_error(raw, 500, NULL);
        return;
    }
    int status = understand(raw, &request);
    if (status == 200)
        httpd->handler(httpd->context, &request, &reply);
    else
        refuse(&reply, status);
    put_headers(raw, &reply, status != 200 || is_http_limits_full(httpd->limits));
    send_reply(raw, &reply);
    evbuffer_free(reply.body);
}

/* ---- The server -------------------------------------------------------------------------- */

static struct evconnlistener *listen_on(struct event_base *base, const struct swim_addr *bind_to)
{
    struct sockaddr_storage name;
    int family = bind_to->family == 6 ? AF_INET6 : AF_INET;
    socklen_t size = address_to_sockaddr(bind_to, family, &name);

    return evconnlistener_new_bind(
        base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE,
        BACKLOG, (struct sockaddr *)&name, (int)size);
}

/* Takes the listener over; false: no memory, and it is freed. */
static bool serve(struct httpd *httpd, struct event_base *base, struct evconnlistener *listener)
{
    httpd->http = evhttp_new(base);
    if (httpd->http == NULL || evhttp_bind_listener(httpd->http, listener) == NULL) {
        evconnlistener_free(listener);
        return false;
    }
    httpd->limits = http_limits_new(base, httpd->http, listener);
    if (httpd->limits == NULL)
        return false;
    evhttp_set_max_headers_size(httpd->http, HTTP_HEAD_MAX);
    evhttp_set_max_body_size(httpd->http, HTTP_BODY_MAX);
    evhttp_set_allowed_methods(httpd->http, EVERY_METHOD);
    evhttp_set_gencb(httpd->http, on_request, httpd);
    return true;
}

struct httpd *httpd_new(struct event_base *base, const struct swim_addr *bind_to,
                        http_handler *handler, void *context)
{
    struct evconnlistener *listener = listen_on(base, bind_to);
    struct httpd *httpd = NULL;

    if (listener == NULL)
        return NULL;
    httpd = calloc(1, sizeof *httpd);
    if (httpd == NULL) {
        evconnlistener_free(listener);
        errno = ENOMEM;
        return NULL;
    }
    httpd->handler = handler;
    httpd->context = context;
    if (!serve(httpd, base, listener)) {
        httpd_free(httpd);
        errno = ENOMEM;
        return NULL;
    }
    return httpd;
}

void httpd_free(struct httpd *httpd)
{
    if (httpd == NULL)
        return;
    if (httpd->http != NULL)
        evhttp_free(httpd->http);
    http_limits_free(httpd->limits);
    free(httpd);
}

struct httpd_stats httpd_stats(const struct httpd *httpd)
{
    return (struct httpd_stats){.requests = httpd->requests,
                                .refused = http_limits_refused(httpd->limits),
                                .connections = http_limits_open(httpd->limits)};
}
