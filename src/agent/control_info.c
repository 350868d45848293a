/* GET /info: what this member is, in one object; GET /metrics: its figures, also where there is no
 * HTTP port to ask for them. */
#include "agent/control_routes.h"

#include "agent/address.h"
#include "agent/buffer_sink.h"
#include "agent/keyfile.h"
#include "agent/metrics.h"

#include <stdio.h>

static void put_text(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

static void put_number(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

/* null where there is none. */
static void put_addr(struct json *json, const char *key, const struct swim_addr *addr)
{
    json_key(json, key);
    if (addr->family == 0)
        json_none(json);
    else
        json_text(json, address_text(addr).text);
}

static void put_version(struct json *json)
{
    char version[40];

    (void)snprintf(version, sizeof version, "%d.%d.%d", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                   SWIM_VERSION_PATCH);
    put_text(json, "version", version);
}

static void put_self(struct json *json, const struct swim *swim)
{
    struct swim_member self;

    if (!swim_member_at(swim, 0, &self))
        return;
    json_key(json, "id");
    json_u64_string(json, self.id);
    put_text(json, "addr", address_text(&self.addr).text);
    put_number(json, "incarnation", self.incarnation);
}

static void put_view(struct json *json, const struct swim *swim)
{
    struct swim_stats stats;
    char digest[20];

    swim_stats(swim, &stats);
    (void)snprintf(digest, sizeof digest, "%016llx", (unsigned long long)swim_view_digest(swim));
    put_number(json, "local_health", stats.local_health);
    put_number(json, "local_health_max", SWIM_HEALTH_MAX);
    put_text(json, "digest", digest);
    json_key(json, "members");
    json_object_begin(json);
    for (int i = 0; i < SWIM_STATUS_COUNT; i++)
        put_number(json, swim_status_name((enum swim_status)i), stats.members[i]);
    json_object_end(json);
}

/* null where datagrams are in plaintext; keys by their ids only. */
static void put_encryption(struct json *json, const struct control_source *source,
                           const struct control_facts *facts)
{
    uint32_t ids[SWIM_KEYS_MAX];
    char text[9];

    json_key(json, "encryption");
    if (source->keys == NULL) {
        json_none(json);
        return;
    }
    uint32_t count = source->keys->list(source->keys->context, ids);
    (void)snprintf(text, sizeof text, "%08x", count > 0 ? (unsigned)ids[0] : 0);
    json_object_begin(json);
    put_number(json, "envelope", (uint64_t)source->keys->envelope);
    put_number(json, "keys", count);
    put_text(json, "primary", text);
    put_text(json, "plaintext", facts->plaintext);
    json_object_end(json);
}

static void put_facts(struct json *json, const struct control_source *source)
{
    struct control_facts facts = {.cluster = "", .config_file = "", .plaintext = ""};

    source->host->facts(source->host->context, &facts);
    put_number(json, "pid", facts.pid);
    put_number(json, "uptime_ms", facts.uptime_ms);
    json_key(json, "ready");
    json_bool(json, facts.is_ready);
    json_key(json, "leaving");
    json_bool(json, facts.is_leaving);
    put_addr(json, "bind", &facts.bound);
    put_addr(json, "http", &facts.http);
    put_text(json, "cluster", facts.cluster);
    put_text(json, "config_file", facts.config_file);
    put_encryption(json, source, &facts);
}

void control_tell_info(const struct control_source *source, const struct http_request *request,
                       struct http_reply *reply)
{
    struct json json;

    (void)request;
    control_json_begin(&json, reply);
    put_version(&json);
    put_self(&json, source->swim);
    control_put_own_tags(&json, source->swim);
    put_view(&json, source->swim);
    if (source->host != NULL)
        put_facts(&json, source);
    control_json_end(&json, reply);
}

/* ---- Metrics ----------------------------------------------------------------------------- */

void control_tell_metrics(const struct control_source *source, const struct http_request *request,
                          struct http_reply *reply)
{
    struct metrics metrics;

    source->host->collect(source->host->context, &metrics);
    if (metrics_wants_open(request->accept)) {
        reply->content_type = METRICS_OPEN_TYPE;
        metrics_render_open(&metrics, buffer_sink, reply->body);
    } else {
        reply->content_type = METRICS_TEXT_TYPE;
        metrics_render_text(&metrics, buffer_sink, reply->body);
    }
}

void control_tell_metrics_json(const struct control_source *source,
                               const struct http_request *request, struct http_reply *reply)
{
    struct metrics metrics;

    (void)request;
    source->host->collect(source->host->context, &metrics);
    metrics_render_json(&metrics, buffer_sink, reply->body);
    buffer_sink(reply->body, "\n", 1);
}

void control_stream_events(const struct control_source *source, const struct http_request *request,
                           struct http_reply *reply)
{
    events_answer(source->events, true, request, reply);
}
