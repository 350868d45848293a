/* What the daemon says is read by jansson, and written again by the writer that everybody here
 * uses: so what swimctl prints is valid JSON on one line, whatever the daemon's layout. */
#define _GNU_SOURCE
#include "ctl/json_out.h"

#include <stdlib.h>

static void sink(void *context, const char *data, size_t size)
{
    (void)fwrite(data, 1, size, context);
}

void json_out_init(struct json *json, FILE *stream)
{
    json_init(json, sink, stream);
}

static void put_object(struct json *json, const json_t *value)
{
    const char *key;
    json_t *item;

    json_object_begin(json);
    /* jansson's loops take a json_t that isn't const, and change nothing. */
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        json_key(json, key);
        json_out_value(json, item);
    }
    json_object_end(json);
}

static void put_array(struct json *json, const json_t *value)
{
    json_array_begin(json);
    for (size_t i = 0; i < json_array_size(value); i++)
        json_out_value(json, json_array_get(value, i));
    json_array_end(json);
}

void json_out_value(struct json *json, const json_t *value)
{
    bool is_too_deep = json->depth >= JSON_DEPTH_MAX;

    switch (value == NULL ? JSON_NULL : json_typeof(value)) {
    case JSON_OBJECT: is_too_deep ? json_none(json) : put_object(json, value); break;
    case JSON_ARRAY: is_too_deep ? json_none(json) : put_array(json, value); break;
    case JSON_STRING: json_text_n(json, json_string_value(value), json_string_length(value)); break;
    case JSON_INTEGER: json_i64(json, json_integer_value(value)); break;
    case JSON_REAL: json_double(json, json_real_value(value)); break;
    case JSON_TRUE: json_bool(json, true); break;
    case JSON_FALSE: json_bool(json, false); break;
    case JSON_NULL: json_none(json); break;
    }
}

void json_out_line(FILE *stream, const json_t *value)
{
    struct json json;

    json_out_init(&json, stream);
    json_out_value(&json, value);
    (void)fputc('\n', stream);
}

bool json_body_begin(struct json_body *body)
{
    *body = (struct json_body){0};
    body->stream = open_memstream(&body->text, &body->size);
    if (body->stream == NULL)
        return false;
    json_out_init(&body->json, body->stream);
    return true;
}

char *json_body_end(struct json_body *body)
{
    bool ok = ferror(body->stream) == 0;

    ok = fclose(body->stream) == 0 && ok;
    if (ok)
        return body->text;
    free(body->text);
    return NULL;
}
