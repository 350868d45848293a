/*
 * The summary of a run as JSON, for programs. docs/simulator-json.md documents every key: add it
 * there too. 64-bit numbers that are names, not amounts (seed, ids, hash), are strings.
 */
#include "swimsim/report_private.h"

#include "base/json.h"

#include <string.h>

static void sink(void *context, const char *data, size_t size)
{
    fwrite(data, 1, size, context);
}

/* ---- Pairs of key and value -------------------------------------------------------------- */

static void put_u64(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

static void put_double(struct json *json, const char *key, double value)
{
    json_key(json, key);
    json_double(json, value);
}

static void put_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

static void put_text(struct json *json, const char *key, const char *value)
{
    json_key(json, key);
    if (value != NULL) {
        json_text(json, value);
    } else {
        json_none(json);
    }
}

static void put_hex(struct json *json, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)value);
    put_text(json, key, text);
}

static void put_seconds(struct json *json, const char *key, uint64_t ns)
{
    json_key(json, key);
    if (ns == FIGURES_NEVER) {
        json_none(json);
    } else {
        json_double(json, report_seconds(ns));
    }
}

static void open_object(struct json *json, const char *key)
{
    json_key(json, key);
    json_object_begin(json);
}

/* ---- Parts ------------------------------------------------------------------------------- */

static void put_run(struct json *json, const struct figures *figures)
{
    open_object(json, "run");
    put_seconds(json, "begin_s", figures->begin_ns);
    put_seconds(json, "end_s", figures->end_ns);
    put_hex(json, "trace_hash", figures->trace_hash);
    put_u64(json, "nodes", figures->nodes);
    put_u64(json, "started", figures->started);
    put_u64(json, "killed", figures->killed);
    put_u64(json, "left", figures->left);
    put_u64(json, "faulted", figures->faulted);
    put_u64(json, "running_at_end", figures->running);
    put_seconds(json, "probe_period_s", figures->probe_period_ms * SWIM_MS);
    json_object_end(json);
}

static void put_convergence(struct json *json, const struct figures *figures)
{
    open_object(json, "convergence");
    put_bool(json, "at_end", figures->is_converged);
    put_seconds(json, "since_s",
                figures->is_converged ? figures->converged_last_ns : FIGURES_NEVER);
    put_seconds(json, "first_s", figures->converged_first_ns);
    put_seconds(json, "last_start_s", figures->last_start_ns);
    put_seconds(json, "after_last_start_s", figures->converged_start_ns);
    put_u64(json, "sizes_told", figures->sizes_told);
    put_u64(json, "sizes_sampled", figures->sizes_sampled);
    json_object_end(json);
}

/* Times, in seconds. */
static void put_spread(struct json *json, const char *key, const struct figures_spread *spread)
{
    bool is_empty = spread->count == 0;
    open_object(json, key);
    put_u64(json, "count", spread->count);
    put_seconds(json, "min_s", is_empty ? FIGURES_NEVER : spread->min);
    put_seconds(json, "median_s", is_empty ? FIGURES_NEVER : spread->median);
    json_key(json, "mean_s");
    if (is_empty) {
        json_none(json);
    } else {
        json_double(json, spread->mean / (double)SIM_SECOND);
    }
    put_seconds(json, "p90_s", is_empty ? FIGURES_NEVER : spread->p90);
    put_seconds(json, "p99_s", is_empty ? FIGURES_NEVER : spread->p99);
    put_seconds(json, "p999_s", is_empty ? FIGURES_NEVER : spread->p999);
    put_seconds(json, "max_s", is_empty ? FIGURES_NEVER : spread->max);
    json_object_end(json);
}

static void put_detection(struct json *json, const struct figures *figures)
{
    open_object(json, "detection");
    put_spread(json, "first_suspected", &figures->suspected_ns);
    put_double(json, "first_suspected_mean_periods", figures->suspected_periods_mean);
    put_spread(json, "first_failed", &figures->failed_ns);
    put_spread(json, "failed_at_all", &figures->all_failed_ns);
    put_spread(json, "left_at_all", &figures->all_left_ns);
    put_spread(json, "joined_at_all", &figures->all_joined_ns);
    put_u64(json, "kills_unnoticed", figures->crashes_unnoticed);
    put_u64(json, "kills_not_known_to_all", figures->crashes_partial);
    put_u64(json, "kills_overtaken", figures->crashes_overtaken);
    put_u64(json, "news_not_followed", figures->news_untracked);
    json_object_end(json);
}

static void put_shares(struct json *json, const uint64_t share_ns[FIGURES_SHARES])
{
    static const char *const keys[FIGURES_SHARES] = {"share_50_s", "share_90_s", "share_99_s",
                                                     "share_9999_s", "share_all_s"};
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        put_seconds(json, keys[k], share_ns[k]);
    }
}

static void put_curve(struct json *json, const char *key, const struct figures_curve *curve)
{
    open_object(json, key);
    put_u64(json, "pairs", curve->pairs);
    put_shares(json, curve->share_ns);
    json_key(json, "points");
    json_array_begin(json);
    for (size_t i = 0; i < curve->count; i++) {
        json_array_begin(json);
        json_double(json, report_seconds(curve->points[i].after_ns));
        json_double(json, curve->points[i].share);
        json_array_end(json);
    }
    json_array_end(json);
    json_object_end(json);
}

static void put_dissemination(struct json *json, const struct figures *figures)
{
    open_object(json, "dissemination");
    put_curve(json, "joins", &figures->joins);
    put_curve(json, "leaves", &figures->leaves);
    put_curve(json, "kills", &figures->deaths);
    put_curve(json, "kills_since_first_failed", &figures->spread);
    json_object_end(json);
}

static void put_wrong(struct json *json, const struct figures *figures)
{
    open_object(json, "wrong");
    put_u64(json, "failed", figures->false_failed);
    put_u64(json, "failed_by_healthy", figures->false_failed_healthy);
    put_u64(json, "failed_members", figures->false_failed_members);
    put_u64(json, "suspected", figures->false_suspected);
    put_u64(json, "suspected_by_healthy", figures->false_suspected_healthy);
    put_u64(json, "faulted_failed", figures->faulted_failed);
    put_u64(json, "faulted_suspected", figures->faulted_suspected);
    put_u64(json, "unreachable_failed", figures->unreachable_failed);
    put_u64(json, "unreachable_suspected", figures->unreachable_suspected);
    put_u64(json, "leavers_failed", figures->leaver_failed);
    put_u64(json, "oscillations", figures->oscillations);
    put_u64(json, "oscillating_members", figures->oscillating_members);
    put_u64(json, "resurrections", figures->resurrections);
    json_object_end(json);
}

static void put_events(struct json *json, const struct figures *figures)
{
    open_object(json, "events");
    for (uint32_t kind = 1; kind < FIGURES_EVENTS; kind++) {
        const char *name = swim_event_name((enum swim_event_kind)kind);
        if (strcmp(name, "unknown") != 0) {
            put_u64(json, name, figures->events[kind]);
        }
    }
    json_object_end(json);
}

/* ---- Traffic ----------------------------------------------------------------------------- */

static void put_rate(struct json *json, const char *key, const struct figures_rate *rate)
{
    open_object(json, key);
    put_double(json, "datagrams_mean", rate->datagrams_mean);
    put_double(json, "datagrams_p99", rate->datagrams_p99);
    put_double(json, "datagrams_max", rate->datagrams_max);
    put_double(json, "bytes_mean", rate->bytes_mean);
    put_double(json, "bytes_p99", rate->bytes_p99);
    put_double(json, "bytes_max", rate->bytes_max);
    put_u64(json, "busiest_second_datagrams", rate->window_datagrams_max);
    put_u64(json, "busiest_second_bytes", rate->window_bytes_max);
    put_u64(json, "busiest_second_node", rate->window_node);
    put_seconds(json, "busiest_second_at_s", rate->window_at_ns);
    json_object_end(json);
}

static void put_amount(struct json *json, const char *key, uint64_t datagrams, uint64_t bytes)
{
    open_object(json, key);
    put_u64(json, "datagrams", datagrams);
    put_u64(json, "bytes", bytes);
    json_object_end(json);
}

/* Kinds without a name are counted together, as "other". */
static void put_amounts(struct json *json, const char *key, const struct sim_traffic *traffic)
{
    uint64_t datagrams = 0;
    uint64_t bytes = 0;
    open_object(json, key);
    put_u64(json, "datagrams", traffic->datagrams_total);
    put_u64(json, "bytes", traffic->bytes_total);
    open_object(json, "kinds");
    for (uint32_t kind = 0; kind < SIM_KINDS; kind++) {
        const char *name = report_kind_name(kind);
        if (strcmp(name, "other") != 0) {
            put_amount(json, name, traffic->datagrams[kind], traffic->bytes[kind]);
        } else {
            datagrams += traffic->datagrams[kind];
            bytes += traffic->bytes[kind];
        }
    }
    put_amount(json, "other", datagrams, bytes);
    json_object_end(json);
    json_object_end(json);
}

static void put_traffic(struct json *json, const struct figures *figures)
{
    open_object(json, "traffic");
    put_seconds(json, "member_seconds", figures->member_ns);
    put_amounts(json, "sent", &figures->sent);
    put_amounts(json, "received", &figures->received);
    put_rate(json, "sent_a_member_second", &figures->sending);
    put_rate(json, "received_a_member_second", &figures->receiving);
    open_object(json, "dropped_datagrams");
    for (uint32_t drop = 0; drop < SIM_DROPS; drop++) {
        put_u64(json, sim_drop_name((enum sim_drop)drop), figures->dropped[drop]);
    }
    json_object_end(json);
    json_object_end(json);
}

/* ---- The core ---------------------------------------------------------------------------- */

static void put_core(struct json *json, const struct figures *figures)
{
    const struct swim_stats *counters = &figures->counters;
    open_object(json, "core");
    open_object(json, "counters");
#define PUT_COUNTER(name, help) put_u64(json, #name, counters->name);
    SWIM_COUNTERS(PUT_COUNTER)
#undef PUT_COUNTER
    json_object_end(json);
    put_u64(json, "round_trips", counters->rtt_count);
    put_seconds(json, "round_trip_mean_s",
                counters->rtt_count > 0 ? counters->rtt_sum_ns / counters->rtt_count
                                        : FIGURES_NEVER);
    put_u64(json, "news_queued_at_end", counters->news_queued);
    put_u64(json, "outbox_queued_at_end", counters->outbox_queued);
    json_key(json, "local_health_members_at_end");
    json_array_begin(json);
    for (size_t i = 0; i < FIGURES_HEALTH; i++) {
        json_u64(json, figures->health[i]);
    }
    json_array_end(json);
    json_object_end(json);
}

/* ---- Lists ------------------------------------------------------------------------------- */

static void put_samples(struct json *json, const struct figures *figures)
{
    json_key(json, "samples");
    json_array_begin(json);
    for (size_t i = 0; i < figures->sample_count; i++) {
        const struct figures_sample *sample = &figures->samples[i];
        json_object_begin(json);
        put_seconds(json, "at_s", sample->at_ns);
        put_u64(json, "running", sample->running);
        put_u64(json, "seen_min", sample->seen_min);
        put_double(json, "seen_mean", sample->seen_mean);
        put_u64(json, "seen_max", sample->seen_max);
        put_u64(json, "datagrams_sent", sample->datagrams_sent);
        put_u64(json, "bytes_sent", sample->bytes_sent);
        put_seconds(json, "member_seconds", sample->member_ns);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_news(struct json *json, const struct figures *figures)
{
    static const char *const kinds[] = {"join", "kill", "leave"};
    json_key(json, "news");
    json_array_begin(json);
    for (size_t i = 0; i < figures->news_count; i++) {
        const struct figures_news *news = &figures->news[i];
        json_object_begin(json);
        put_text(json, "kind", kinds[news->kind]);
        put_u64(json, "node", news->node);
        put_hex(json, "id", news->id);
        put_seconds(json, "at_s", news->at_ns);
        put_seconds(json, "first_suspected_s", news->first_suspected_ns);
        put_seconds(json, "first_known_s", news->first_known_ns);
        put_shares(json, news->share_ns);
        put_u64(json, "awaited", news->awaited);
        put_u64(json, "told", news->told);
        put_bool(json, "is_overtaken", news->is_overtaken);
        json_object_end(json);
    }
    json_array_end(json);
}

static void put_machine(struct json *json, const struct figures *figures)
{
    double wall_s = report_seconds(figures->wall_ns);
    open_object(json, "machine");
    put_double(json, "wall_s", wall_s);
    put_double(json, "datagrams_per_wall_s",
               wall_s > 0 ? (double)figures->sent.datagrams_total / wall_s : 0);
    put_u64(json, "peak_rss_bytes", figures->peak_rss_bytes);
    json_object_end(json);
}

void report_json(FILE *out, const struct report *report)
{
    const struct figures *figures = report->figures;
    struct json json;
    json_init(&json, sink, out);
    json_object_begin(&json);
    put_u64(&json, "format", 1);
    put_text(&json, "scenario", report->scenario);
    put_text(&json, "about", report->about);
    json_key(&json, "seed");
    json_u64_string(&json, report->seed);
    put_text(&json, "command", report->command);
    put_bool(&json, "is_ok", report->failure == NULL);
    put_text(&json, "failure", report->failure);
    put_run(&json, figures);
    put_convergence(&json, figures);
    put_detection(&json, figures);
    put_dissemination(&json, figures);
    put_wrong(&json, figures);
    put_events(&json, figures);
    put_traffic(&json, figures);
    put_core(&json, figures);
    put_samples(&json, figures);
    put_news(&json, figures);
    if (!report->hides_machine) {
        put_machine(&json, figures);
    }
    json_object_end(&json);
    fputc('\n', out);
}
