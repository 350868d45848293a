/*
 * Where this member's metrics are, told to the others by a tag: "metrics" = "10.0.0.5:9100". With it
 * any member can tell a Prometheus of all of them (sd.h). docs/configuration.md, "Service discovery".
 */
#ifndef SWIM_AGENT_METRICS_TAG_H
#define SWIM_AGENT_METRICS_TAG_H

#include "agent/config.h"
#include "swim/swim.h"

#include <stdbool.h>

#define METRICS_TAG "metrics"

/* Adds the tag to what this member, which peers reach at `addr`, says of itself: unless there is one
 * of that key already, no HTTP, or none that others could reach, or it was switched off. */
void metrics_tag_put(struct swim_meta *meta, const struct agent_config *config,
                     const struct swim_addr *addr);

#endif
