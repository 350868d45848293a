/* How requests of the control socket are taken apart, and how they are answered: strictly, since a
 * misspelt "id" must not be taken for a request without one. */
#include "agent/control_routes.h"

#include "agent/buffer_sink.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <string.h>

/* ---- Requests ---------------------------------------------------------------------------- */

/* `root` is not what was expected, or NULL for no JSON at all; `error` then says why. */
static void refuse_body(struct http_reply *reply, json_t *root, const json_error_t *error,
                        const char *expected)
{
    enum json_error_code code = root == NULL ? json_error_code(error) : json_error_unknown;
    bool has_zero = code == json_error_null_character || code == json_error_null_byte_in_key;
    char text[192];

    (void)snprintf(text, sizeof text, "the body must be %s%s", expected,
                   has_zero ? "; there is a zero byte (\\u0000) in a text of it" : "");
    http_reply_text(reply, 400, text);
    json_decref(root);
}

json_t *control_take_object(const struct http_request *request, const char *example,
                            struct http_reply *reply)
{
    json_error_t error;
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &error);

    if (json_is_object(root))
        return root;
    refuse_body(reply, root, &error, example);
    return NULL;
}

const char *control_take_text(const struct http_request *request, const char *name,
                              json_t **ret_root, struct http_reply *reply)
{
    json_error_t error;
    json_t *root = json_loadb(request->body, request->body_size, JSON_REJECT_DUPLICATES, &error);
    const char *text = json_string_value(json_object_get(root, name));
    char expected[80];

    if (text != NULL && json_object_size(root) == 1) {
        *ret_root = root;
        return text;
    }
    (void)snprintf(expected, sizeof expected, "{\"%s\":\"...\"}, and nothing else", name);
    refuse_body(reply, root, &error, expected);
    return NULL;
}

/* A member's id as text, in decimal digits, not 0. */
static bool parse_id(const char *text, uint64_t *ret)
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

bool control_take_id(const char *text, uint64_t *ret, struct http_reply *reply)
{
    bool ok = text != NULL && parse_id(text, ret);

    if (!ok)
        http_reply_text(reply, 400,
                        "a member's id is a number in decimal digits; GET /members "
                        "lists them");
    return ok;
}

bool control_take_order(enum swim_order order, struct http_reply *reply)
{
    static const struct {
        enum swim_order order;
        int status;
        const char *text;
    } texts[] = {
        {SWIM_ORDER_SELF, 409, "this is about the member that was asked itself"},
        {SWIM_ORDER_UNKNOWN, 404, "no member has this id; GET /members lists them"},
        {SWIM_ORDER_BUSY, 503, "too much of this is under way: try again"},
        {SWIM_ORDER_LEAVING, 409, "this member is leaving"},
    };

    if (order == SWIM_ORDER_DONE)
        return true;
    http_reply_text(reply, 500, "it could not be done");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].order == order)
            http_reply_text(reply, texts[i].status, texts[i].text);
    return false;
}

/* ---- Answers ----------------------------------------------------------------------------- */

void control_json_begin(struct json *json, struct http_reply *reply)
{
    json_init(json, buffer_sink, reply->body);
    json_object_begin(json);
}

void control_json_end(struct json *json, struct http_reply *reply)
{
    json_object_end(json);
    buffer_sink(reply->body, "\n", 1);
}
