/* The list is rendered from the live table, token by token: no tree of it is ever in memory. */
#include "agent/member_list.h"

#include "agent/http_body.h"
#include "agent/member_json.h"
#include "base/json.h"

bool member_list_query(const struct http_request *request, struct http_query *ret,
                       struct http_reply *reply)
{
    const char *wrong = http_query_parse(ret, request->query);

    if (wrong != NULL)
        http_reply_text(reply, 400, wrong);
    return wrong == NULL;
}

bool member_list_filter(struct http_query *query, struct member_filter *filter, const char *known,
                        struct http_reply *reply)
{
    char error[MEMBER_FILTER_ERROR_MAX];
    bool ok = member_filter_take(filter, query, known, error);

    if (!ok)
        http_reply_text(reply, 400, error);
    return ok;
}

void member_list_answer(const struct swim *swim, const char *key,
                        const struct http_request *request, struct http_reply *reply)
{
    struct member_clock clock = member_clock_now();
    struct member_filter filter;
    struct swim_member member;
    struct http_query query;
    struct http_body body;
    struct json json;

    member_filter_init(&filter);
    if (!member_list_query(request, &query, reply) ||
        !member_list_filter(&query, &filter, "status, tag", reply))
        return;
    http_body_init(&body, reply->body);
    json_init(&json, http_body_sink, &body);
    json_object_begin(&json);
    json_key(&json, key);
    json_array_begin(&json);
    for (uint32_t slot = 0; slot < swim_member_slots(swim); slot++)
        if (swim_member_at(swim, slot, &member) && member_filter_passes(&filter, swim, &member))
            member_json_put(&json, swim, &member, &clock);
    json_array_end(&json);
    json_object_end(&json);
    http_body_flush(&body);
}
