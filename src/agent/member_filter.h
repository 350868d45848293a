/*
 * Which members a list is wanted of: ?status=alive,suspect&tag=role=db&tag=zone. Wherever a list of
 * members is given, the same parameters hold (docs/configuration.md, section "HTTP").
 *
 *   status=S[,S...]  members of one of these; given several times, the lists add up
 *   tag=K=V          members whose tag K is V; given several times, all must hold
 *   tag=K            members that have a tag K
 */
#ifndef SWIM_AGENT_MEMBER_FILTER_H
#define SWIM_AGENT_MEMBER_FILTER_H

#include "agent/http_query.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

/* What a message on a query can need. */
#define MEMBER_FILTER_ERROR_MAX 200

struct member_filter {
    uint32_t statuses; /* bit 1 << status */
    uint32_t tag_count;
    const char *tags[HTTP_QUERY_PARAMETERS_MAX]; /* "key=value" or "key", of the query's text */
};

/* Everybody passes. */
void member_filter_init(struct member_filter *filter);

/*
 * Takes `status` and `tag` from `query`, which must live as long as the filter; where no status is
 * asked for, those of `filter` (already initialised) stay. False when a value is wrong, or anything
 * is left that nobody took: ret_error then says which are known, by `known` ("status, tag"), and
 * repeats nothing of the query. So take what else is known before.
 */
SWIM_MUST_CHECK bool member_filter_take(struct member_filter *filter, struct http_query *query,
                                        const char *known, char ret_error[MEMBER_FILTER_ERROR_MAX]);

/* By the tags that `swim` holds of the member; NULL: it has none. */
bool member_filter_passes(const struct member_filter *filter, const struct swim *swim,
                          const struct swim_member *member);
/* The same with the tags at hand; NULL: it has none. */
bool member_filter_passes_meta(const struct member_filter *filter, enum swim_status status,
                               const struct swim_meta *meta);

#endif
