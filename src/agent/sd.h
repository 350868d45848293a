/*
 * GET /sd: the members as Prometheus' HTTP service discovery takes them, one target group each:
 *
 *   [{"targets":["10.0.0.5:9100"],"labels":{"__meta_swim_id":"8213443902743",
 *     "__meta_swim_name":"db-1","__meta_swim_tag_role":"db",...}},...]
 *
 * Members whose metrics are nowhere to be found (metrics_tag.h) are left out. docs/configuration.md,
 * section "Service discovery".
 */
#ifndef SWIM_AGENT_SD_H
#define SWIM_AGENT_SD_H

#include "agent/httpd.h"
#include "swim/swim.h"

/* Tags of a member that become labels, in the order of their keys. */
#define SD_TAGS_MAX 64

void sd_answer(const struct swim *swim, const struct http_request *request,
               struct http_reply *reply);

#endif
