/*
 * Request heads. Strict where a lenient parser and a proxy could disagree on where a request ends:
 * a request with a body is refused, so is a folded header, a second Host, a stray control byte.
 */
#define _GNU_SOURCE
#include "agent/http_parse.h"

#include "agent/address.h"

#include <string.h>
#include <strings.h>

static bool is_token_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_token(const char *text)
{
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!is_token_byte(*text))
            return false;
    return true;
}

/* Cuts the line at *at off, ended by CR LF or a lone LF; NULL when a control byte is in it. */
static char *take_line(char **at, const char *end)
{
    char *line = *at;
    char *lf = memchr(line, '\n', (size_t)(end - line));

    if (lf == NULL)
        return NULL;
    *at = lf + 1;
    if (lf > line && lf[-1] == '\r')
        lf--;
    *lf = '\0';
    for (const char *byte = line; byte < lf; byte++)
        if (((unsigned char)*byte < 0x20 && *byte != '\t') || *byte == 0x7F)
            return NULL;
    return line;
}

/* "GET http://host/path" is what a proxy's client sends: the host in it rules. */
static int parse_target(char *target, struct http_request *ret)
{
    char *path = target;

    if (strncasecmp(target, "http://", 7) == 0) {
        path = strchr(target + 7, '/');
        if (path == NULL)
            return 400;
        size_t size = (size_t)(path - (target + 7));
        memmove(target, target + 7, size); /* makes room for its final zero */
        target[size] = '\0';
        ret->host = target;
    }
    if (*path != '/')
        return 400;
    ret->path = path;
    ret->query = "";
    char *query = strchr(path, '?');
    if (query != NULL) {
        *query = '\0';
        ret->query = query + 1;
    }
    return 200;
}

static int parse_request_line(char *line, struct http_request *ret)
{
    char *target = strchr(line, ' ');
    char *version = target == NULL ? NULL : strchr(target + 1, ' ');

    if (version == NULL)
        return 400;
    *target++ = '\0';
    *version++ = '\0';
    if (!is_token(line))
        return 400;
    if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8)
        return 400;
    if (strncmp(version, "HTTP/1.", 7) != 0 || version[7] < '0' || version[7] > '9')
        return 505;
    ret->is_persistent = version[7] != '0';
    ret->is_head = strcmp(line, "HEAD") == 0;
    if (!ret->is_head && strcmp(line, "GET") != 0)
        return 405;
    return parse_target(target, ret);
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);

    while (*list != '\0') {
        list += strspn(list, ", \t");
        size_t size = strcspn(list, ", \t");
        if (size == length && strncasecmp(list, word, length) == 0)
            return true;
        list += size;
    }
    return false;
}

struct headers {
    const char *host;
    unsigned hosts;
};

static int take_header(char *line, struct headers *headers, struct http_request *ret)
{
    char *value = strchr(line, ':');

    if (value == NULL)
        return 400;
    *value++ = '\0';
    if (!is_token(line)) /* a folded line begins with a space, which is none */
        return 400;
    value += strspn(value, " \t");
    for (size_t size = strlen(value); size > 0 && strchr(" \t", value[size - 1]) != NULL; size--)
        value[size - 1] = '\0';
    if (strcasecmp(line, "host") == 0) {
        headers->host = value;
        headers->hosts++;
    } else if (strcasecmp(line, "accept") == 0) {
        ret->accept = value;
    } else if (strcasecmp(line, "connection") == 0) {
        ret->is_persistent = ret->is_persistent && !has_word(value, "close");
    } else if (strcasecmp(line, "transfer-encoding") == 0 ||
               (strcasecmp(line, "content-length") == 0 && strcmp(value, "0") != 0)) {
        return 413;
    }
    return 200;
}

int http_parse(char *head, size_t size, struct http_request *ret)
{
    char *at = head;
    const char *end = head + size;
    struct headers headers = {0};
    unsigned count = 0;
    char *line = take_line(&at, end);

    *ret = (struct http_request){.path = "", .query = "", .host = ""};
    int status = line == NULL ? 400 : parse_request_line(line, ret);
    bool needs_host = ret->is_persistent; /* from HTTP/1.1 on */
    while (status == 200) {
        line = take_line(&at, end);
        if (line == NULL)
            return 400;
        if (*line == '\0')
            break;
        status = ++count > HTTP_HEADERS_MAX ? 431 : take_header(line, &headers, ret);
    }
    if (status != 200)
        return status;
    if (headers.hosts > 1 || (headers.hosts == 0 && needs_host))
        return 400;
    if (*ret->host == '\0' && headers.host != NULL)
        ret->host = headers.host;
    return 200;
}

bool http_query_value(const char *query, const char *name, char *value, size_t cap)
{
    size_t length = strlen(name);

    while (*query != '\0') {
        size_t size = strcspn(query, "&");
        if (size > length && strncmp(query, name, length) == 0 && query[length] == '=' &&
            size - length - 1 < cap) {
            memcpy(value, query + length + 1, size - length - 1);
            value[size - length - 1] = '\0';
            return true;
        }
        query += size;
        query += *query == '&' ? 1 : 0;
    }
    return false;
}

/* Without its port and brackets, into `name`. */
static bool split_host(const char *host, char *name, size_t cap)
{
    size_t size = *host == '[' ? strcspn(host, "]") : strcspn(host, ":");
    const char *rest = host + size;

    if (*host == '[') {
        if (*rest != ']')
            return false;
        host++;
        size--;
        rest++;
    }
    if (size == 0 || size >= cap || (*rest != '\0' && *rest != ':'))
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    return *rest == '\0' || rest[1 + strspn(rest + 1, "0123456789")] == '\0';
}

bool is_http_host_local(const char *host)
{
    char name[HOST_NAME_MAX_SIZE];
    struct swim_addr addr;

    if (!split_host(host, name, sizeof name))
        return false;
    return strcasecmp(name, "localhost") == 0 || address_parse_ip(name, &addr) == NULL;
}

bool is_http_host(const char *host, const char *name)
{
    char given[HOST_NAME_MAX_SIZE];

    return split_host(host, given, sizeof given) && strcasecmp(given, name) == 0;
}
