/* How requests of the control socket are taken apart, and how they are answered: strictly, since a
 * misspelt "id" must not be taken for a request without one. */
#include "agent/control_routes.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

/* ---- Requests ---------------------------------------------------------------------------- */

json_t *control_take_object(const struct http_request *request, const char *example,
                            struct http_reply *reply)
{
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    char expected[160];

    if (json_is_object(root))
        return root;
    json_decref(root);
    (void)snprintf(expected, sizeof expected, "the body must be %s", example);
    http_reply_text(reply, 400, expected);
    return NULL;
}

const char *control_take_text(const struct http_request *request, const char *name,
                              json_t **ret_root, struct http_reply *reply)
{
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(root, name));
    char expected[80];

    if (text != NULL && json_object_size(root) == 1) {
        *ret_root = root;
        return text;
    }
    json_decref(root);
    (void)snprintf(expected, sizeof expected, "the body must be {\"%s\":\"...\"}, and nothing else",
                   name);
    http_reply_text(reply, 400, expected);
    return NULL;
}

bool control_parse_id(const char *text, uint64_t *ret)
{
    uint64_t id = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (id > (UINT64_MAX - digit) / 10)
            return false;
        id = id * 10 + digit;
    }
    if (*at != '\0' || id == 0)
        return false;
    *ret = id;
    return true;
}

/* ---- Answers ----------------------------------------------------------------------------- */

void control_sink(void *reply_body, const char *data, size_t size)
{
    (void)evbuffer_add(reply_body, data, size);
}

void control_json_begin(struct json *json, struct http_reply *reply)
{
    json_init(json, control_sink, reply->body);
    json_object_begin(json);
}

void control_json_end(struct json *json, struct http_reply *reply)
{
    json_object_end(json);
    control_sink(reply->body, "\n", 1);
}
