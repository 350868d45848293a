/* GET /members: as /membership of the public HTTP, for those who have the socket only. */
#include "agent/control_routes.h"

#include "agent/member_list.h"

void control_list_members(const struct control_source *source, const struct http_request *request,
                          struct http_reply *reply)
{
    member_list_answer(source->swim, "members", request, reply);
    if (reply->status == 200)
        control_sink(reply->body, "\n", 1);
}
