/*
 * The daemon's figures as Prometheus text 0.0.4, OpenMetrics 1.0 and flat JSON. Pure functions
 * of the figures, written into a sink.
 */
#ifndef SWIM_AGENT_METRICS_H
#define SWIM_AGENT_METRICS_H

#include "agent/events.h"
#include "agent/guard.h"
#include "agent/handler.h"
#include "agent/keeper.h"
#include "agent/process_stats.h"
#include "agent/resolver.h"
#include "agent/shield.h"
#include "agent/udp.h"
#include "base/json.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_OPEN_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics {
    struct swim_stats swim;
    struct udp_stats udp;
    struct resolver_stats resolver;
    struct shield_stats shield;
    uint64_t rate_limited;
    uint64_t rate_limited_members; /* of these, from addresses of members */
    uint64_t log_lines_dropped;
    uint64_t http_requests;
    uint64_t http_refused; /* connections beyond the limit */
    uint32_t http_connections;
    struct guard_stats guard;
    struct keeper_stats keeper;
    struct events_stats events;
    struct handler_stats handler;
    uint64_t view_digest;
    double process_started; /* seconds of the Unix epoch */
    struct process_stats process;
};

void metrics_render_text(const struct metrics *metrics, json_sink *sink, void *context);
void metrics_render_open(const struct metrics *metrics, json_sink *sink, void *context);
/* Every counter under its name in SWIM_COUNTERS, the daemon's own, and the gauges. */
void metrics_render_json(const struct metrics *metrics, json_sink *sink, void *context);

/* Does this Accept header (NULL: none) ask for OpenMetrics at least as much as for the text? */
bool metrics_wants_open(const char *accept);

#endif
