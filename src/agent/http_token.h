/*
 * The bearer token that HTTP can ask for, where it listens beyond loopback: docs/configuration.md,
 * section "HTTP". The token itself is not kept, only a hash of it.
 */
#ifndef SWIM_AGENT_HTTP_TOKEN_H
#define SWIM_AGENT_HTTP_TOKEN_H

#include "agent/config.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_TOKEN_MIN 16
#define HTTP_TOKEN_MAX 512

/* Zero-filled: none is asked for, and everybody is let in. */
struct http_token {
    bool is_set;
    uint8_t hash[32];
};

/* Reads the configuration's token file: one line of 16 to 512 visible characters; no token where
 * none is named. False when it can't be read, others have access to it, or it holds anything else:
 * *ret_error says so, and where the file is named, without any of its content; *ret is untouched. */
SWIM_MUST_CHECK bool http_token_load(struct http_token *ret, const struct agent_config *config,
                                     struct config_error *ret_error);
/* Is the same asked for? */
bool is_http_token_same(const struct http_token *a, const struct http_token *b);
/* May a request with this Authorization header (NULL: none) be answered? Takes the same time
 * wherever the given token differs. */
SWIM_MUST_CHECK bool is_http_token_right(const struct http_token *token, const char *authorization);

#endif
