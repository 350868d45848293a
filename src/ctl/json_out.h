/* JSON on standard output, by src/base/json: one value, one line. */
#ifndef SWIM_CTL_JSON_OUT_H
#define SWIM_CTL_JSON_OUT_H

#include "base/json.h"

#include <jansson.h>
#include <stdio.h>

/* A writer to a stream. */
void json_out_init(struct json *json, FILE *stream);
/* Writes any value that jansson has read, up to the depth that base/json allows (deeper parts are
 * null). */
void json_out_value(struct json *json, const json_t *value);
/* The value and a newline. */
void json_out_line(FILE *stream, const json_t *value);

/* A body of a request. json_body_end returns the text, zero-terminated, to be freed, or NULL when
 * memory has run out. */
struct json_body {
    struct json json;
    FILE *stream;
    char *text;
    size_t size;
};
bool json_body_begin(struct json_body *body);
char *json_body_end(struct json_body *body);

#endif
