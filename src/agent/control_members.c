/* GET /members: as /membership of the public HTTP, for those who have the socket only. GET /rtt:
 * the last round trip to one of them, without a new one (control_ping.c). */
#include "agent/control_routes.h"

#include "agent/address.h"
#include "agent/buffer_sink.h"
#include "agent/member_list.h"

void control_list_members(const struct control_source *source, const struct http_request *request,
                          struct http_reply *reply)
{
    member_list_answer(source->swim, "members", request, reply);
    if (reply->status == 200)
        buffer_sink(reply->body, "\n", 1);
}

/* The one member that ?id= names; false: there is none, and the reply says so. */
static bool take_member(const struct control_source *source, const struct http_request *request,
                        struct swim_member *ret, struct http_reply *reply)
{
    struct http_query query;
    uint64_t id;

    if (!member_list_query(request, &query, reply))
        return false;
    const char *text = http_query_take(&query, "id");
    if (http_query_untaken(&query) != 0) {
        http_reply_text(reply, 400, "only ?id= is known here");
        return false;
    }
    if (!control_take_id(text, &id, reply))
        return false;
    return control_take_order(
        swim_member_find(source->swim, id, ret) ? SWIM_ORDER_DONE : SWIM_ORDER_UNKNOWN, reply);
}

void control_tell_rtt(const struct control_source *source, const struct http_request *request,
                      struct http_reply *reply)
{
    struct swim_member member;
    struct json json;

    if (!take_member(source, request, &member, reply))
        return;
    control_json_begin(&json, reply);
    json_key(&json, "id");
    json_u64_string(&json, member.id);
    json_key(&json, "addr");
    json_text(&json, address_text(&member.addr).text);
    json_key(&json, "rtt_seconds");
    if (member.rtt_ns != 0)
        json_double(&json, (double)member.rtt_ns / 1e9);
    else
        json_none(&json);
    control_json_end(&json, reply);
}
