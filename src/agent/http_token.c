/*
 * Tokens are compared by their hashes, in constant time: how long the comparison takes says nothing
 * of where they differ, nor of how long the right one is.
 */
#include "agent/http_token.h"

#include "agent/secret_file.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "Bearer "
/* Room for a file that is wrong, so that the message can say how. */
#define FILE_MAX (8 * HTTP_TOKEN_MAX)

static bool hash(uint8_t ret[32], const char *text, size_t size)
{
    return sodium_init() >= 0 &&
           crypto_generichash(ret, 32, (const unsigned char *)text, size, NULL, 0) == 0;
}

/* Visible ASCII alone: what a header can carry. */
static bool is_visible(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

static bool take(struct http_token *ret, const char *path, const char *text, size_t size,
                 struct config_error *ret_error)
{
    struct http_token token = {.is_set = true};

    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    if (size < HTTP_TOKEN_MIN || size > HTTP_TOKEN_MAX || !is_visible(text, size)) {
        (void)snprintf(ret_error->text, sizeof ret_error->text,
                       "the token file %.400s: must hold one line of %d to %d visible characters",
                       path, HTTP_TOKEN_MIN, HTTP_TOKEN_MAX);
        return false;
    }
    if (!hash(token.hash, text, size)) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "libsodium can't start");
        return false;
    }
    *ret = token;
    return true;
}

bool http_token_load(struct http_token *ret, const struct agent_config *config,
                     struct config_error *ret_error)
{
    const char *path = config->http_token_file;
    char text[FILE_MAX];
    ssize_t size;
    bool ok;

    if (*path == '\0') {
        *ret = (struct http_token){0};
        return true;
    }
    size = secret_file_read("the token file", path, text, sizeof text, ret_error);
    ok = size >= 0 && take(ret, path, text, (size_t)size, ret_error);
    sodium_memzero(text, sizeof text);
    if (!ok)
        config_error_place(ret_error, config, &config->token_place);
    return ok;
}

bool is_http_token_same(const struct http_token *a, const struct http_token *b)
{
    return a->is_set == b->is_set && sodium_memcmp(a->hash, b->hash, sizeof a->hash) == 0;
}

bool is_http_token_right(const struct http_token *token, const char *authorization)
{
    uint8_t given[sizeof token->hash];
    const char *text;

    if (!token->is_set)
        return true;
    if (authorization == NULL || strncasecmp(authorization, SCHEME, sizeof SCHEME - 1) != 0)
        return false;
    text = authorization + sizeof SCHEME - 1;
    return hash(given, text, strlen(text)) && sodium_memcmp(given, token->hash, sizeof given) == 0;
}
