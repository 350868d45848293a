/*
 * The head of an HTTP/1.x request, as far as a server of GET and HEAD needs it (RFC 9112).
 * Pure functions over bytes.
 */
#ifndef SWIM_AGENT_HTTP_PARSE_H
#define SWIM_AGENT_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_HEADERS_MAX 64

/* Pointers go into the head that was parsed; texts are zero-terminated. */
struct http_request {
    bool is_head;       /* HEAD rather than GET */
    bool is_persistent; /* the connection may be kept */
    const char *path;   /* "/membership" */
    const char *query;  /* after the '?'; "" when there is none */
    const char *host;   /* of the Host header or of the target, with its port; "" if none */
    const char *accept; /* NULL if none */
};

/*
 * Parses head[0..size), which ends with the empty line, and writes zeroes into it. Returns 200,
 * or the status to refuse the request with; only with 200 is all of *ret set.
 */
int http_parse(char *head, size_t size, struct http_request *ret);

/* The value of `name` in a query, into `value`; false when it isn't there or doesn't fit. Values
 * are taken as they are: none that we know needs percent-encoding. */
bool http_query_value(const char *query, const char *name, char *value, size_t cap);

/* Is this Host (with or without port) localhost or an address, hence no name that somebody else's
 * DNS could point at us? */
bool is_http_host_local(const char *host);
/* Is it this name, whatever its port and case? */
bool is_http_host(const char *host, const char *name);

#endif
