/*
 * evhttp's requests become ours, our replies evhttp's. In between stands what evhttp lets pass and
 * we don't: strictness where a lenient server and a proxy could disagree on where a request ends.
 */
#define _GNU_SOURCE
#include "agent/httpd.h"

#include "agent/address.h"
#include "agent/buffer_sink.h"
#include "agent/http_limits.h"
#include "agent/httpd_call.h"
#include "base/json.h"

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
#include <unistd.h>

/* A burst waits here while all places are taken; the kernel may allow less. */
#define BACKLOG 512
/* All there are: evhttp answers 501 to the others, and 501 carries no Allow. */
#define EVERY_METHOD UINT16_MAX

struct httpd {
    struct event_base *base;
    struct evhttp *http;
    struct http_limits *limits;
    struct httpd_terms terms;
    uint64_t requests;
};

/* ---- Requests ---------------------------------------------------------------------------- */

struct survey {
    unsigned headers;
    unsigned hosts;
    unsigned authorizations;
    unsigned lengths;
    bool is_encoded;
    bool has_body;
    bool is_malformed; /* a name with a blank in it, a length that is not all digits */
    const char *host;
    const char *accept;
    const char *authorization;
    const char *last_event_id;
};

static void survey_headers(const struct evkeyvalq *headers, struct survey *ret)
{
    const struct evkeyval *at;

    *ret = (struct survey){.host = ""};
    TAILQ_FOREACH(at, headers, next)
    {
        ret->headers++;
        ret->is_malformed = ret->is_malformed || strpbrk(at->key, " \t") != NULL;
        if (strcasecmp(at->key, "host") == 0) {
            ret->hosts++;
            ret->host = at->value;
        } else if (strcasecmp(at->key, "accept") == 0) {
            ret->accept = at->value;
        } else if (strcasecmp(at->key, "authorization") == 0) {
            ret->authorization = ret->authorizations++ == 0 ? at->value : NULL;
        } else if (strcasecmp(at->key, "last-event-id") == 0) {
            ret->last_event_id = at->value;
        } else if (strcasecmp(at->key, "transfer-encoding") == 0) {
            ret->is_encoded = true;
        } else if (strcasecmp(at->key, "content-length") == 0) {
            ret->lengths++;
            ret->is_malformed =
                ret->is_malformed || at->value[strspn(at->value, "0123456789")] != '\0';
            ret->has_body = ret->has_body || strcmp(at->value, "0") != 0;
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

/* Is this a method that the server's handler has to decide on? */
static bool is_method_taken(const struct httpd *httpd, enum evhttp_cmd_type method)
{
    return method == EVHTTP_REQ_GET ||
           method == (httpd->terms.is_control ? EVHTTP_REQ_POST : EVHTTP_REQ_HEAD);
}

/* evhttp has read as many bytes as the (first) Content-Length says. */
static bool take_body(struct evhttp_request *raw, struct http_request *ret)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(raw);

    ret->body_size = evbuffer_get_length(input);
    if (ret->body_size > 0)
        ret->body = (const char *)evbuffer_pullup(input, -1);
    return ret->body != NULL;
}

/* evhttp takes HTTP/0.1, HTTP/1.99 and HTTP/1.-1, and would say the same again in its answer: the
 * answer to these is HTTP/1.1. */
static bool take_version(struct evhttp_request *raw)
{
    bool is_1 = raw->major == 1;

    if (!is_1 || raw->minor < 0 || raw->minor > 1) {
        raw->major = 1;
        raw->minor = 1;
    }
    return is_1;
}

/* Returns 200, or the status to refuse the request with. */
static int understand(const struct httpd *httpd, struct evhttp_request *raw,
                      struct http_request *ret)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(raw);
    enum evhttp_cmd_type method = evhttp_request_get_command(raw);
    bool is_1_1 = raw->major > 1 || (raw->major == 1 && raw->minor >= 1);
    struct survey survey;

    survey_headers(evhttp_request_get_input_headers(raw), &survey);
    *ret = (struct http_request){
        .is_post = method == EVHTTP_REQ_POST,
        .is_head = method == EVHTTP_REQ_HEAD,
        .path = "",
        .query = "",
        .host = survey.host,
        .accept = survey.accept,
        .authorization = survey.authorization,
        .last_event_id = survey.last_event_id,
        .body = "",
        .fd = (int)bufferevent_getfd(evhttp_connection_get_bufferevent(connection))};
    if (!take_version(raw))
        return 505;
    if (!is_method_taken(httpd, method))
        return 405;
    if (survey.headers > HTTPD_HEADERS_MAX)
        return 431;
    if (survey.is_encoded || (survey.has_body && !ret->is_post))
        return 413;
    if (survey.is_malformed || survey.hosts > 1 || (survey.hosts == 0 && is_1_1) ||
        survey.lengths > 1)
        return 400;
    if (ret->is_post && !take_body(raw, ret))
        return 500;
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
    case 505: return "HTTP Version Not Supported";
    default: return NULL;
    }
}

void http_reply_text(struct http_reply *reply, int status, const char *text)
{
    struct json json;

    reply->status = status;
    (void)evbuffer_drain(reply->body, evbuffer_get_length(reply->body));
    if (!reply->is_error_json) {
        reply->content_type = "text/plain; charset=utf-8";
        (void)evbuffer_add_printf(reply->body, "%s\n", text);
        return;
    }
    json_init(&json, buffer_sink, reply->body);
    json_object_begin(&json);
    json_key(&json, "error");
    json_text(&json, text);
    json_object_end(&json);
    buffer_sink(reply->body, "\n", 1);
}

static void refuse(const struct httpd *httpd, struct http_reply *reply, int status)
{
    bool is_control = httpd->terms.is_control;
    const struct {
        int status;
        const char *text;
    } texts[] = {
        {400,
         "one Host header is needed, and one Content-Length where there is a body; no header's "
         "name has a blank in it"},
        {405, is_control ? "GET and POST only" : "GET and HEAD only"},
        {413, is_control ? "only a POST has a body, and its length is in Content-Length"
                         : "no request here has a body"},
        {431, "too many header lines"},
        {500, "no memory"},
        {505, "HTTP/1.0 and HTTP/1.1 only"}};

    if (status == 405)
        reply->allow = is_control ? "GET, POST" : "GET, HEAD";

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            http_reply_text(reply, status, texts[i].text);
}

/* What only a document needs: a browser follows it. */
static void put_policy(struct evkeyvalq *headers, const char *policy)
{
    (void)evhttp_add_header(headers, "Content-Security-Policy", policy);
    (void)evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
    (void)evhttp_add_header(headers, "Cross-Origin-Opener-Policy", "same-origin");
    (void)evhttp_add_header(headers, "Vary", "Accept");
}

void httpd_put_headers(struct evhttp_request *raw, const struct http_reply *reply, bool is_last)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(raw);
    char seconds[16];

    (void)evhttp_add_header(headers, "Content-Type", reply->content_type);
    (void)evhttp_add_header(headers, "Cache-Control", "no-store");
    (void)evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (reply->status == 401)
        (void)evhttp_add_header(headers, "WWW-Authenticate", "Bearer");
    if (reply->policy != NULL)
        put_policy(headers, reply->policy);
    if (reply->allow != NULL)
        (void)evhttp_add_header(headers, "Allow", reply->allow);
    if (reply->is_stream && reply->status == 200) /* nginx and others like it hold answers back */
        (void)evhttp_add_header(headers, "X-Accel-Buffering", "no");
    if (reply->retry_after_s != 0) {
        (void)snprintf(seconds, sizeof seconds, "%u", (unsigned)reply->retry_after_s);
        (void)evhttp_add_header(headers, "Retry-After", seconds);
    }
    if (is_last)
        (void)evhttp_add_header(headers, "Connection", "close");
}

static void put_length(struct evhttp_request *raw, const struct http_reply *reply)
{
    char length[24];

    (void)snprintf(length, sizeof length, "%zu", evbuffer_get_length(reply->body));
    (void)evhttp_add_header(evhttp_request_get_output_headers(raw), "Content-Length", length);
}

/* Nothing is read while an answer is on its way: a client that asks and doesn't read waits for
 * itself, and one that has shut its side down is answered all the same. */
void httpd_reply_send(struct evhttp_request *raw, struct http_reply *reply, bool is_last)
{
    struct evhttp_connection *connection = evhttp_request_get_connection(raw);
    struct bufferevent *channel = evhttp_connection_get_bufferevent(connection);
    bool is_head = evhttp_request_get_command(raw) == EVHTTP_REQ_HEAD;

    httpd_put_headers(raw, reply, is_last);
    if (!is_head || !reply->is_stream || reply->status != 200)
        put_length(raw, reply);
    if (is_head)
        (void)evbuffer_drain(reply->body, evbuffer_get_length(reply->body));
    evhttp_send_reply(raw, reply->status, reason_of(reply->status), reply->body);
    (void)bufferevent_disable(channel, EV_READ);
    evbuffer_free(reply->body);
    reply->body = NULL;
}

bool httpd_reply_init(struct http_reply *ret, struct httpd_call *call, const struct httpd *httpd)
{
    *ret = (struct http_reply){.status = 200,
                               .content_type = "application/json; charset=utf-8",
                               .body = evbuffer_new(),
                               .is_error_json = httpd->terms.is_control,
                               .call = call};
    return ret->body != NULL;
}

static void on_answered(struct evhttp_request *raw, void *context)
{
    struct httpd *httpd = context;

    http_limits_ended(httpd->limits, raw);
}

static void on_request(struct evhttp_request *raw, void *context)
{
    struct httpd *httpd = context;
    struct httpd_call call = {.httpd = httpd, .raw = raw};
    struct http_request request;
    struct http_reply reply;

    httpd->requests++;
    http_limits_began(httpd->limits, raw);
    evhttp_request_set_on_complete_cb(raw, on_answered, httpd);
    if (!httpd_reply_init(&reply, &call, httpd)) {
        evhttp_send_error(raw, 500, NULL);
        return;
    }
    int status = understand(httpd, raw, &request);
    if (status == 200)
        httpd->terms.handler(httpd->terms.context, &request, &reply);
    else
        refuse(httpd, &reply, status);
    if (call.later == NULL && call.stream == NULL) {
        httpd_reply_send(raw, &reply, status != 200 || is_http_limits_full(httpd->limits));
        return;
    }
    evbuffer_free(reply.body);
    if (call.stream != NULL)
        httpd_stream_start(call.stream, &reply);
}

struct event_base *httpd_base(const struct httpd *httpd)
{
    return httpd->base;
}

struct http_limits *httpd_limits(const struct httpd *httpd)
{
    return httpd->limits;
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
    struct http_bounds bounds = {.connections = httpd->terms.connections_max,
                                 .body = httpd->terms.body_max};

    httpd->base = base;
    httpd->http = evhttp_new(base);
    if (httpd->http == NULL || evhttp_bind_listener(httpd->http, listener) == NULL) {
        evconnlistener_free(listener);
        return false;
    }
    httpd->limits = http_limits_new(base, httpd->http, listener, &bounds);
    if (httpd->limits == NULL)
        return false;
    evhttp_set_max_headers_size(httpd->http, HTTP_HEAD_MAX);
    evhttp_set_max_body_size(httpd->http, (ev_ssize_t)bounds.body);
    evhttp_set_allowed_methods(httpd->http, EVERY_METHOD);
    evhttp_set_gencb(httpd->http, on_request, httpd);
    return true;
}

/* Takes the listener over; NULL and errno on failure. */
static struct httpd *start(struct event_base *base, struct evconnlistener *listener,
                           const struct httpd_terms *terms)
{
    struct httpd *httpd = calloc(1, sizeof *httpd);

    if (httpd == NULL) {
        evconnlistener_free(listener);
        errno = ENOMEM;
        return NULL;
    }
    httpd->terms = *terms;
    if (!serve(httpd, base, listener)) {
        httpd_free(httpd);
        errno = ENOMEM;
        return NULL;
    }
    return httpd;
}

struct httpd *httpd_new(struct event_base *base, const struct swim_addr *bind_to,
                        const struct httpd_terms *terms)
{
    struct evconnlistener *listener = listen_on(base, bind_to);

    return listener == NULL ? NULL : start(base, listener, terms);
}

struct httpd *httpd_new_on(struct event_base *base, int fd, const struct httpd_terms *terms)
{
    /* Backlog 0: it listens already. */
    struct evconnlistener *listener =
        evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);

    if (listener == NULL) {
        (void)close(fd);
        errno = ENOMEM;
        return NULL;
    }
    return start(base, listener, terms);
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
    if (httpd == NULL)
        return (struct httpd_stats){0};
    return (struct httpd_stats){.requests = httpd->requests,
                                .refused = http_limits_refused(httpd->limits),
                                .connections = http_limits_open(httpd->limits)};
}
