/*
 * Queries, parsed strictly: evhttp's own parser takes "%zz" and "%00" for text, and stops at half a
 * query without a word.
 */
#include "agent/http_query.h"

#include <string.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One character of `*text`, decoded, and *text moved behind it. -1: malformed, or a zero. */
static int decode(const char **text)
{
    char c = *(*text)++;

    if (c == '+')
        return ' ';
    if (c != '%')
        return (unsigned char)c;
    int high = digit_of((*text)[0]);
    int low = high < 0 ? -1 : digit_of((*text)[1]);
    if (low < 0 || high * 16 + low == 0)
        return -1;
    *text += 2;
    return high * 16 + low;
}

/* The text up to one of the characters in `ends` (or its end), decoded and terminated, at `*at`,
 * which is moved behind it. Decoding never makes a text longer. */
static bool take_part(const char **text, const char *ends, char **at)
{
    while (**text != '\0' && strchr(ends, **text) == NULL) {
        int c = decode(text);
        if (c < 0)
            return false;
        *(*at)++ = (char)c;
    }
    *(*at)++ = '\0';
    return true;
}

static bool take_parameter(const char **text, char **at, struct http_parameter *ret)
{
    *ret = (struct http_parameter){.name = *at, .value = ""};
    if (!take_part(text, "=&", at))
        return false;
    if (**text != '=')
        return true;
    (*text)++;
    ret->value = *at;
    return take_part(text, "&", at);
}

const char *http_query_parse(struct http_query *ret, const char *query)
{
    char *at = ret->text;

    ret->count = 0;
    /* Each parameter ends with '&', '=' or the end, where a zero is written. */
    if (strlen(query) >= sizeof ret->text)
        return "the query is too long";
    while (*query != '\0') {
        if (*query == '&') {
            query++;
            continue;
        }
        if (ret->count == HTTP_QUERY_PARAMETERS_MAX)
            return "the query has more than 32 parameters";
        if (!take_parameter(&query, &at, &ret->parameters[ret->count++]))
            return "the query has a '%' without two hex digits after it, or a %00";
    }
    return NULL;
}

const char *http_query_take(struct http_query *query, const char *name)
{
    for (uint32_t i = 0; i < query->count; i++) {
        struct http_parameter *at = &query->parameters[i];
        if (at->is_taken || strcmp(at->name, name) != 0)
            continue;
        at->is_taken = true;
        return at->value;
    }
    return NULL;
}

uint32_t http_query_untaken(const struct http_query *query)
{
    for (uint32_t i = 0; i < query->count; i++)
        if (!query->parameters[i].is_taken)
            return i + 1;
    return 0;
}
