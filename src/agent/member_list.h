/* Lists of members as answers: of /membership, and of the control socket. */
#ifndef SWIM_AGENT_MEMBER_LIST_H
#define SWIM_AGENT_MEMBER_LIST_H

#include "agent/httpd.h"
#include "agent/member_filter.h"
#include "swim/swim.h"

#include <stdbool.h>

/* What the query of `request` asks for, as member_filter_take; what else is known must be taken
 * from `query` (parsed) before. False: it is wrong, and the reply is a 400 that says how. */
SWIM_MUST_CHECK bool member_list_filter(struct http_query *query, struct member_filter *filter,
                                        const char *known, struct http_reply *reply);
/* Parses the query of `request`. False: it is malformed, and the reply is a 400. */
SWIM_MUST_CHECK bool member_list_query(const struct http_request *request, struct http_query *ret,
                                       struct http_reply *reply);

/* {"KEY":[...]}, in the order of slots, this member first; or a 400. */
void member_list_answer(const struct swim *swim, const char *key,
                        const struct http_request *request, struct http_reply *reply);

#endif
