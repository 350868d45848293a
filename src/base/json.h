/*
 * A streaming JSON writer into a growing buffer that its owner supplies in parts: each token is
 * handed to a sink as it is written; nothing is kept but the nesting. Strings are escaped and
 * invalid UTF-8 becomes U+FFFD, so the output is always valid JSON. 64-bit ids are written as
 * strings, since JSON numbers lose them.
 */
#ifndef SWIM_BASE_JSON_H
#define SWIM_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 16

typedef void json_sink(void *context, const char *data, size_t size);

struct json {
    json_sink *sink;
    void *context;
    uint8_t depth;
    bool has_item[JSON_DEPTH_MAX];  /* a comma is due before the next item at this depth */
    bool is_object[JSON_DEPTH_MAX]; /* values need a key at this depth */
    bool after_key;
};

void json_init(struct json *json, json_sink *sink, void *context);
/* Asserted: nesting stays within JSON_DEPTH_MAX and is balanced, and every value in an object
 * has its key. Several values may follow each other at the top; what separates them is the
 * caller's to write. */
void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);
void json_key(struct json *json, const char *key);
void json_text(struct json *json, const char *text);
void json_text_n(struct json *json, const char *text, size_t size);
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_u64_string(struct json *json, uint64_t value); /* "18446744073709551615" */
/* Shortest decimal with up to 6 digits after the point; not-a-number and infinities are null. */
void json_double(struct json *json, double value);
void json_bool(struct json *json, bool value);
void json_none(struct json *json);

#endif
