/*
 * What stands after the '?' of a request's target: parameters by name, form-decoded ("+" is a
 * space, "%2B" a plus). Who answers takes those that it knows; what is left over is refused, so
 * that a misspelt filter can't pass for none.
 */
#ifndef SWIM_AGENT_HTTP_QUERY_H
#define SWIM_AGENT_HTTP_QUERY_H

#include "agent/http_limits.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_QUERY_PARAMETERS_MAX 32

struct http_parameter {
    const char *name;
    const char *value; /* "" when there is no '=' */
    bool is_taken;
};

/* Holds pointers into itself: not to be copied. */
struct http_query {
    uint32_t count;
    struct http_parameter parameters[HTTP_QUERY_PARAMETERS_MAX];
    char text[HTTP_HEAD_MAX];
};

/* NULL when it is parsed, else what is wrong with it (static). Empty parameters ("a&&b") are
 * skipped. */
SWIM_MUST_CHECK const char *http_query_parse(struct http_query *ret, const char *query);

/* The next value of that name which was not taken yet; NULL: there is none (any more). */
const char *http_query_take(struct http_query *query, const char *name);
/* The position, from 1, of the first parameter that nobody took; 0: all are taken. */
uint32_t http_query_untaken(const struct http_query *query);

#endif
