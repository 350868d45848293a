/*
 * Metrics in the two text formats and as JSON. The core's counters come out of SWIM_COUNTERS, so
 * a new one is exported without a word here; the drop_* ones become one family with a label.
 */
#include "agent/metrics.h"

#include "agent/http_accept.h"
#include "base/assert.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct counter {
    const char *name;
    const char *help;
    size_t offset;
};

static const struct counter counters[] = {
#define COUNTER_ROW(name, help) {#name, help, offsetof(struct swim_stats, name)},
    SWIM_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};
#define COUNTER_COUNT (sizeof counters / sizeof counters[0])
#define DROP_PREFIX "drop_"
#define DROP_PREFIX_SIZE (sizeof DROP_PREFIX - 1)

struct send_error {
    const char *cause;
    size_t offset;
};

static const struct send_error send_errors[] = {
#define SEND_ERROR_ROW(name) {#name, offsetof(struct udp_stats, send_##name)},
    UDP_SEND_ERRORS(SEND_ERROR_ROW)
#undef SEND_ERROR_ROW
};
#define SEND_ERROR_COUNT (sizeof send_errors / sizeof send_errors[0])

static const uint32_t rtt_bounds_us[] = SWIM_RTT_BOUNDS_US;
static const uint32_t detection_bounds_ms[] = SWIM_DETECTION_BOUNDS_MS;
_Static_assert(sizeof rtt_bounds_us / sizeof rtt_bounds_us[0] + 1 == SWIM_RTT_BUCKETS,
               "every bucket but the last has a bound");
_Static_assert(sizeof detection_bounds_ms / sizeof detection_bounds_ms[0] + 1 ==
                   SWIM_DETECTION_BUCKETS,
               "every bucket but the last has a bound");

struct histogram {
    const char *name; /* without swim_ */
    const char *help;
    const uint32_t *bounds;
    double bounds_a_second;
    const uint64_t *buckets; /* one more than bounds; not cumulative */
    size_t bucket_count;
    uint64_t sum_ns;
};

struct out {
    json_sink *sink;
    void *context;
    bool is_open; /* OpenMetrics */
};

__attribute__((format(printf, 2, 3))) static void put(const struct out *out, const char *format,
                                                      ...)
{
    char text[320];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ASSERT(size >= 0 && (size_t)size < sizeof text); /* names and help texts are our own */
    out->sink(out->context, text, (size_t)size);
}

static uint64_t value_at(const void *stats, size_t offset)
{
    uint64_t value;

    memcpy(&value, (const char *)stats + offset, sizeof value);
    return value;
}

/* OpenMetrics names a counter's family without the suffix that its samples have. */
static void put_counter_head(const struct out *out, const char *name, const char *help)
{
    const char *suffix = out->is_open ? "" : "_total";

    put(out, "# HELP swim_%s%s %s\n# TYPE swim_%s%s counter\n", name, suffix, help, name, suffix);
}

static void put_counter(const struct out *out, const char *name, const char *help, uint64_t value)
{
    put_counter_head(out, name, help);
    put(out, "swim_%s_total %" PRIu64 "\n", name, value);
}

static void put_gauge(const struct out *out, const char *name, const char *help, uint64_t value)
{
    put(out, "# HELP swim_%s %s\n# TYPE swim_%s gauge\nswim_%s %" PRIu64 "\n", name, help, name,
        name, value);
}

static bool is_drop(const struct counter *counter)
{
    return strncmp(counter->name, DROP_PREFIX, DROP_PREFIX_SIZE) == 0;
}

static void put_core_counters(const struct out *out, const struct swim_stats *stats)
{
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (!is_drop(&counters[i]))
            put_counter(out, counters[i].name, counters[i].help,
                        value_at(stats, counters[i].offset));
    put_counter_head(out, "drops", "Datagrams dropped whole, by reason.");
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        if (is_drop(&counters[i]))
            put(out, "swim_drops_total{reason=\"%s\"} %" PRIu64 "\n",
                counters[i].name + DROP_PREFIX_SIZE, value_at(stats, counters[i].offset));
}

static void put_core_gauges(const struct out *out, const struct swim_stats *stats)
{
    put_gauge(out, "members_alive", "Members held alive, this one included.",
              stats->members[SWIM_ALIVE]);
    put_gauge(out, "members_suspect", "Members held suspect.", stats->members[SWIM_SUSPECT]);
    put_gauge(out, "members_dead", "Members held dead, until they are forgotten.",
              stats->members[SWIM_DEAD]);
    put_gauge(out, "members_left", "Members that left, until they are forgotten.",
              stats->members[SWIM_LEFT]);
    put_gauge(out, "gossip_queue_depth", "Members with news still to be spread.",
              stats->news_queued);
    put_gauge(out, "accusation_queue_depth", "Suspects whose accusers are still to be told.",
              stats->accusations_queued);
    put_gauge(out, "local_health", "Local health: 0 is good, 8 the worst.", stats->local_health);
    put_gauge(out, "outbox_datagrams", "Datagrams waiting to be sent.", stats->outbox_queued);
    put_gauge(out, "tombstones", "Members dead or left that are still told of.", stats->tombstones);
    put_gauge(out, "table_slots_used", "Places of the member table in use.", stats->slots_used);
    put_gauge(out, "table_slots_max", "Places of the member table.", stats->slots_max);
}

/* Seconds in the canonical form that OpenMetrics wants: always with a point. */
static const char *bound_text(double seconds, char *text, size_t cap)
{
    (void)snprintf(text, cap, "%g", seconds);
    if (strchr(text, '.') == NULL)
        (void)snprintf(text, cap, "%.1f", seconds);
    return text;
}

static void put_histogram(const struct out *out, const struct histogram *h)
{
    uint64_t total = 0;
    char bound[24];

    put(out, "# HELP swim_%s %s\n# TYPE swim_%s histogram\n", h->name, h->help, h->name);
    for (size_t i = 0; i + 1 < h->bucket_count; i++) {
        total += h->buckets[i];
        put(out, "swim_%s_bucket{le=\"%s\"} %" PRIu64 "\n", h->name,
            bound_text(h->bounds[i] / h->bounds_a_second, bound, sizeof bound), total);
    }
    total += h->buckets[h->bucket_count - 1];
    put(out, "swim_%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", h->name, total);
    put(out, "swim_%s_sum %.9g\nswim_%s_count %" PRIu64 "\n", h->name, (double)h->sum_ns / 1e9,
        h->name, total);
}

static void put_histograms(const struct out *out, const struct swim_stats *stats)
{
    put_histogram(out, &(struct histogram){.name = "probe_rtt_seconds",
                                           .help = "Round trips of answered direct probes.",
                                           .bounds = rtt_bounds_us,
                                           .bounds_a_second = 1e6,
                                           .buckets = stats->rtt_bucket,
                                           .bucket_count = SWIM_RTT_BUCKETS,
                                           .sum_ns = stats->rtt_sum_ns});
    put_histogram(out, &(struct histogram){.name = "detection_seconds",
                                           .help = "From the last word that was heard of a member "
                                                   "to its being declared dead here.",
                                           .bounds = detection_bounds_ms,
                                           .bounds_a_second = 1e3,
                                           .buckets = stats->detection_bucket,
                                           .bucket_count = SWIM_DETECTION_BUCKETS,
                                           .sum_ns = stats->detection_sum_ns});
}

/* The digest has 64 bits, and a sample holds 53: half of it tells views apart as well. */
static void put_view(const struct out *out, const struct metrics *metrics)
{
    put_gauge(out, "view_digest",
              "Digest of the live members that are known here: equal on members that agree.",
              metrics->view_digest & UINT32_MAX);
    put(out,
        "# HELP swim_view_differs_seconds For how long peers' digests have differed from this "
        "member's; 0 while the last one was equal.\n"
        "# TYPE swim_view_differs_seconds gauge\nswim_view_differs_seconds %.9g\n",
        (double)metrics->swim.view_differs_ns / 1e9);
}

static void put_process_gauge(const struct out *out, const char *name, const char *help,
                              uint64_t value)
{
    put(out, "# HELP process_%s %s\n# TYPE process_%s gauge\nprocess_%s %" PRIu64 "\n", name, help,
        name, name, value);
}

/* Names and meanings as in all of Prometheus' client libraries. */
static void put_process(const struct out *out, const struct metrics *metrics)
{
    const struct process_stats *process = &metrics->process;
    const char *suffix = out->is_open ? "" : "_total";

    put(out,
        "# HELP process_cpu_seconds%s User and system time spent.\n"
        "# TYPE process_cpu_seconds%s counter\nprocess_cpu_seconds_total %.9g\n",
        suffix, suffix, (double)process->cpu_ns / 1e9);
    put_process_gauge(out, "resident_memory_bytes", "Resident memory.", process->resident_bytes);
    put_process_gauge(out, "virtual_memory_bytes", "Virtual memory.", process->virtual_bytes);
    put_process_gauge(out, "open_fds", "Open file descriptors.", process->open_fds);
    put_process_gauge(out, "max_fds", "Limit of open file descriptors.", process->max_fds);
    put(out,
        "# HELP process_start_time_seconds When the process started, since the Unix epoch.\n"
        "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.3f\n",
        metrics->process_started);
}

static void put_socket(const struct out *out, const struct metrics *metrics)
{
    put_counter_head(out, "socket_send_errors", "Datagrams that the kernel refused, by cause.");
    for (size_t i = 0; i < SEND_ERROR_COUNT; i++)
        put(out, "swim_socket_send_errors_total{cause=\"%s\"} %" PRIu64 "\n", send_errors[i].cause,
            value_at(&metrics->udp, send_errors[i].offset));
    put_counter(out, "socket_receive_errors", "Receiving calls that failed.",
                metrics->udp.receive_errors);
    put_counter(out, "socket_receive_overflows",
                "Datagrams lost because the receive buffer was full.",
                metrics->udp.receive_overflows);
    put_gauge(out, "socket_receive_buffer_bytes", "Receive buffer that the kernel granted.",
              metrics->udp.receive_buffer_bytes);
}

static void put_shield(const struct out *out, const struct metrics *metrics)
{
    put_gauge(out, "shield_up", "Does the kernel drop most of a flood by strangers now?",
              metrics->shield.is_up);
    put_counter(out, "shield_raised", "Floods after which it began to.", metrics->shield.raised);
    put_counter(out, "shield_dropped", "Datagrams that the kernel dropped meanwhile.",
                metrics->udp.receive_filtered);
}

static void put_daemon(const struct out *out, const struct metrics *metrics)
{
    put_shield(out, metrics);
    put_counter(out, "rate_limited", "Datagrams dropped by the inbound rate limits.",
                metrics->rate_limited);
    put_counter_head(out, "rate_limited_senders", "The same, by who sent them.");
    put(out, "swim_rate_limited_senders_total{sender=\"member\"} %" PRIu64 "\n",
        metrics->rate_limited_members);
    put(out, "swim_rate_limited_senders_total{sender=\"stranger\"} %" PRIu64 "\n",
        metrics->rate_limited - metrics->rate_limited_members);
    put_counter(out, "name_lookups", "Answered look-ups of peers' names.",
                metrics->resolver.answers);
    put_counter(out, "name_lookup_failures", "Failed look-ups of peers' names.",
                metrics->resolver.failures);
    put_counter(out, "log_lines_dropped", "Log lines dropped because they would have blocked.",
                metrics->log_lines_dropped);
    put_counter(out, "http_requests", "HTTP requests answered.", metrics->http_requests);
    put_counter(out, "http_connections_refused", "HTTP connections beyond the limit, closed.",
                metrics->http_refused);
    put_gauge(out, "http_connections", "HTTP connections open.", metrics->http_connections);
}

static void put_events(const struct out *out, const struct events_stats *events)
{
    put_counter(out, "events", "Events told of members, this one included.", events->events);
    put_gauge(out, "event_streams", "Listeners to events.", events->listeners);
    put_counter(out, "event_streams_dropped", "Listeners dropped because they were too slow.",
                events->dropped);
    put_counter(out, "event_streams_refused", "Listeners refused for want of a place.",
                events->refused);
}

static void put_handler(const struct out *out, const struct handler_stats *handler)
{
    const struct {
        const char *result;
        uint64_t count;
    } results[] = {{"ok", handler->ok},
                   {"failed", handler->failed},
                   {"timeout", handler->timed_out},
                   {"not_started", handler->not_started}};

    put_counter_head(out, "event_handler_runs", "Runs of the program for events, by result.");
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
        put(out, "swim_event_handler_runs_total{result=\"%s\"} %" PRIu64 "\n", results[i].result,
            results[i].count);
    put_counter(out, "event_handler_missed", "Events lost before that program could be given them.",
                handler->missed);
    put_gauge(out, "event_handler_running", "Does that program run now?", handler->is_running);
}

static void put_state(const struct out *out, const struct keeper_stats *keeper)
{
    const char *suffix = out->is_open ? "" : "_total";

    put_counter(out, "state_writes", "Writes of the state folder that went well.", keeper->writes);
    put_counter(out, "state_write_failures", "Writes of the state folder that failed.",
                keeper->failures);
    put(out,
        "# HELP swim_state_write_seconds%s Time that the loop has waited for the disk.\n"
        "# TYPE swim_state_write_seconds%s counter\nswim_state_write_seconds_total %.9g\n",
        suffix, suffix, (double)keeper->write_ns / 1e9);
}

static void put_seal(const struct out *out, const struct guard_stats *guard)
{
    const struct swim_seal_stats *seal = &guard->seal;

    put_counter(out, "seal_wrapped", "Datagrams sealed.", seal->wrapped);
    put_counter(out, "seal_opened", "Sealed datagrams opened.", seal->opened);
    put_counter(out, "seal_unproved", "Of these, from a start of a sender's that was not known.",
                seal->unproved);
    put_counter(out, "seal_admitted", "Starts of senders that proved that they speak now.",
                seal->admitted);
    put_counter(out, "seal_evicted", "Windows given up for those of other senders.", seal->evicted);
    put_counter_head(out, "seal_drops", "Datagrams that were not opened, by reason.");
    for (int i = SWIM_SEAL_OK + 1; i < SWIM_SEAL_ERROR_COUNT; i++)
        put(out, "swim_seal_drops_total{reason=\"%s\"} %" PRIu64 "\n",
            swim_seal_error_name((enum swim_seal_error)i), seal->dropped[i]);
    put_counter(out, "plaintext_recv", "Datagrams heard in plaintext although there is a key.",
                guard->plaintext_received);
    put_counter(out, "plaintext_refused", "Datagrams in plaintext that were refused.",
                guard->plaintext_refused);
    put_gauge(out, "seal_windows", "Senders whose sequence numbers are held.", seal->windows);
    put_gauge(out, "seal_keys", "Keys held; 0: all is in plaintext.", guard->keys);
}

static void put_build_info(const struct out *out)
{
    const char *family = out->is_open ? "swim_build" : "swim_build_info";

    put(out, "# HELP %s Version of this program.\n# TYPE %s %s\n", family, family,
        out->is_open ? "info" : "gauge");
    put(out, "swim_build_info{version=\"%d.%d.%d\",wire=\"1\"} 1\n", SWIM_VERSION_MAJOR,
        SWIM_VERSION_MINOR, SWIM_VERSION_PATCH);
}

static void render(const struct metrics *metrics, const struct out *out)
{
    put_core_counters(out, &metrics->swim);
    put_core_gauges(out, &metrics->swim);
    put_histograms(out, &metrics->swim);
    put_view(out, metrics);
    put_socket(out, metrics);
    put_daemon(out, metrics);
    put_events(out, &metrics->events);
    put_handler(out, &metrics->handler);
    put_seal(out, &metrics->guard);
    put_state(out, &metrics->keeper);
    put_build_info(out);
    put_process(out, metrics);
    if (out->is_open)
        put(out, "# EOF\n");
}

void metrics_render_text(const struct metrics *metrics, json_sink *sink, void *context)
{
    render(metrics, &(struct out){.sink = sink, .context = context});
}

void metrics_render_open(const struct metrics *metrics, json_sink *sink, void *context)
{
    render(metrics, &(struct out){.sink = sink, .context = context, .is_open = true});
}

/* ---- JSON -------------------------------------------------------------------------------- */

static void put_pair(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

static void put_seal_pairs(struct json *json, const struct guard_stats *guard)
{
    char key[64];

    put_pair(json, "seal_wrapped", guard->seal.wrapped);
    put_pair(json, "seal_opened", guard->seal.opened);
    put_pair(json, "seal_unproved", guard->seal.unproved);
    put_pair(json, "seal_admitted", guard->seal.admitted);
    put_pair(json, "seal_evicted", guard->seal.evicted);
    for (int i = SWIM_SEAL_OK + 1; i < SWIM_SEAL_ERROR_COUNT; i++) {
        (void)snprintf(key, sizeof key, "seal_drop_%s",
                       swim_seal_error_name((enum swim_seal_error)i));
        put_pair(json, key, guard->seal.dropped[i]);
    }
    put_pair(json, "plaintext_recv", guard->plaintext_received);
    put_pair(json, "plaintext_refused", guard->plaintext_refused);
    put_pair(json, "seal_windows", guard->seal.windows);
    put_pair(json, "seal_keys", guard->keys);
}

static void put_gauge_pairs(struct json *json, const struct swim_stats *stats)
{
    put_pair(json, "gossip_queue_depth", stats->news_queued);
    put_pair(json, "local_health", stats->local_health);
    put_pair(json, "outbox_datagrams", stats->outbox_queued);
    put_pair(json, "table_slots_used", stats->slots_used);
    put_pair(json, "table_slots_max", stats->slots_max);
    put_pair(json, "probe_rtt_seconds_count", stats->rtt_count);
    json_key(json, "probe_rtt_seconds_sum");
    json_double(json, (double)stats->rtt_sum_ns / 1e9);
    put_pair(json, "detection_seconds_count", stats->detection_count);
    json_key(json, "detection_seconds_sum");
    json_double(json, (double)stats->detection_sum_ns / 1e9);
    put_pair(json, "tombstones", stats->tombstones);
    json_key(json, "view_differs_seconds");
    json_double(json, (double)stats->view_differs_ns / 1e9);
}

void metrics_render_json(const struct metrics *metrics, json_sink *sink, void *context)
{
    struct json json;
    char key[64];

    json_init(&json, sink, context);
    json_object_begin(&json);
    for (size_t i = 0; i < COUNTER_COUNT; i++)
        put_pair(&json, counters[i].name, value_at(&metrics->swim, counters[i].offset));
    put_pair(&json, "rate_limited", metrics->rate_limited);
    for (size_t i = 0; i < SEND_ERROR_COUNT; i++) {
        (void)snprintf(key, sizeof key, "socket_send_%s", send_errors[i].cause);
        put_pair(&json, key, value_at(&metrics->udp, send_errors[i].offset));
    }
    put_pair(&json, "socket_receive_errors", metrics->udp.receive_errors);
    put_pair(&json, "socket_receive_overflows", metrics->udp.receive_overflows);
    put_pair(&json, "shield_raised", metrics->shield.raised);
    put_pair(&json, "shield_dropped", metrics->udp.receive_filtered);
    put_pair(&json, "name_lookups", metrics->resolver.answers);
    put_pair(&json, "name_lookup_failures", metrics->resolver.failures);
    put_pair(&json, "log_lines_dropped", metrics->log_lines_dropped);
    put_seal_pairs(&json, &metrics->guard);
    put_pair(&json, "state_writes", metrics->keeper.writes);
    put_pair(&json, "state_write_failures", metrics->keeper.failures);
    put_pair(&json, "alive", metrics->swim.members[SWIM_ALIVE]);
    put_pair(&json, "suspect", metrics->swim.members[SWIM_SUSPECT]);
    put_pair(&json, "dead", metrics->swim.members[SWIM_DEAD]);
    put_pair(&json, "left", metrics->swim.members[SWIM_LEFT]);
    put_gauge_pairs(&json, &metrics->swim);
    put_pair(&json, "view_digest", metrics->view_digest & UINT32_MAX);
    json_object_end(&json);
}

/* ---- Accept ------------------------------------------------------------------------------ */

bool metrics_wants_open(const char *accept)
{
    double open = http_accept_quality(accept, "application/openmetrics-text");

    return open > 0 && open >= http_accept_quality(accept, "text/plain");
}
