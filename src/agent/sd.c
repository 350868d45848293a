/*
 * What members say of themselves goes into labels, as text, and nowhere else; a target that is no
 * host and port is none. https://prometheus.io/docs/prometheus/latest/http_sd/
 */
#include "agent/sd.h"

#include "agent/address.h"
#include "agent/http_body.h"
#include "agent/member_json.h"
#include "agent/member_list.h"
#include "agent/metrics_tag.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_PREFIX "__meta_swim_tag_"
#define LABEL_MAX (sizeof LABEL_PREFIX + SWIM_TAG_KEY_MAX)

/* ---- Labels ------------------------------------------------------------------------------ */

static void put_label(struct json *json, const char *label, const char *value)
{
    json_key(json, label);
    json_text(json, value);
}

static bool is_label_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* As Prometheus wants names; what it doesn't take becomes '_'. */
static void format_label(const char *key, char label[LABEL_MAX])
{
    size_t size = (size_t)snprintf(label, LABEL_MAX, "%s", LABEL_PREFIX);

    for (; *key != '\0' && size + 1 < LABEL_MAX; key++)
        label[size++] = is_label_character(*key) ? *key : '_';
    label[size] = '\0';
}

/* Two keys can become one name: the first stands. */
static bool is_label_taken(char labels[][LABEL_MAX], uint32_t count, const char *label)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(labels[i], label) == 0)
            return true;
    return false;
}

static void put_tags(struct json *json, const struct swim_meta *meta)
{
    char labels[SD_TAGS_MAX][LABEL_MAX];
    struct swim_tag tag;
    uint32_t count = 0;
    size_t at = 0;

    while (count < SD_TAGS_MAX && member_next_tag(meta, &at, &tag)) {
        format_label(tag.key, labels[count]);
        if (!is_label_taken(labels, count, labels[count]))
            put_label(json, labels[count++], tag.value);
    }
}

/* ---- Targets ----------------------------------------------------------------------------- */

#define TARGET_MAX (HOST_NAME_MAX_SIZE + 8)

/* Where a member's metrics are: as it says, or else at `port` (0: nowhere). */
static bool find_target(const struct swim_member *member, const struct swim_meta *meta,
                        uint16_t port, char ret_text[TARGET_MAX])
{
    const char *said = meta != NULL ? swim_meta_get(meta, METRICS_TAG) : NULL;
    struct swim_addr addr = member->addr;
    struct endpoint endpoint;

    if (said != NULL && endpoint_parse(said, &endpoint) == NULL) {
        endpoint_format(&endpoint, ret_text, TARGET_MAX);
        return true;
    }
    addr.port = port;
    (void)snprintf(ret_text, TARGET_MAX, "%s", address_text(&addr).text);
    return port != 0;
}

static void put_group(struct json *json, const struct swim_member *member,
                      const struct swim_meta *meta, const char *target)
{
    char id[24];

    (void)snprintf(id, sizeof id, "%llu", (unsigned long long)member->id);
    json_object_begin(json);
    json_key(json, "targets");
    json_array_begin(json);
    json_text(json, target);
    json_array_end(json);
    json_key(json, "labels");
    json_object_begin(json);
    put_label(json, "__meta_swim_id", id);
    put_label(json, "__meta_swim_addr", address_text(&member->addr).text);
    put_label(json, "__meta_swim_status", swim_status_name(member->status));
    put_label(json, "__meta_swim_name", meta != NULL ? meta->name : "");
    if (meta != NULL)
        put_tags(json, meta);
    json_object_end(json);
    json_object_end(json);
}

/* ---- The answer -------------------------------------------------------------------------- */

/* 1..65535 in digits; false for anything else. */
static bool parse_port(const char *text, uint16_t *ret)
{
    size_t size = strlen(text);
    unsigned long port = strtoul(text, NULL, 10);

    if (size == 0 || size > 5 || strspn(text, "0123456789") != size || port == 0 || port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

static bool take_query(const struct http_request *request, struct http_query *query,
                       struct member_filter *filter, uint16_t *ret_port, struct http_reply *reply)
{
    const char *port;

    *ret_port = 0;
    if (!member_list_query(request, query, reply))
        return false;
    port = http_query_take(query, "port");
    if (port != NULL && !parse_port(port, ret_port)) {
        http_reply_text(reply, 400, "port must be a number from 1 to 65535");
        return false;
    }
    member_filter_init(filter);
    filter->statuses = 1U << SWIM_ALIVE | 1U << SWIM_SUSPECT;
    return member_list_filter(query, filter, "status, tag, port", reply);
}

void sd_answer(const struct swim *swim, const struct http_request *request,
               struct http_reply *reply)
{
    struct member_filter filter;
    struct swim_member member;
    struct http_query query;
    struct swim_meta meta;
    char target[TARGET_MAX];
    struct http_body body;
    struct json json;
    uint16_t port;

    if (!take_query(request, &query, &filter, &port, reply))
        return;
    http_body_init(&body, reply->body);
    json_init(&json, http_body_sink, &body);
    json_array_begin(&json);
    for (uint32_t slot = 0; slot < swim_member_slots(swim); slot++) {
        if (!swim_member_at(swim, slot, &member))
            continue;
        bool has_meta = swim_member_meta(swim, member.id, &meta);
        const struct swim_meta *known = has_meta ? &meta : NULL;
        if (member_filter_passes_meta(&filter, member.status, known) &&
            find_target(&member, known, port, target))
            put_group(&json, &member, known, target);
    }
    json_array_end(&json);
    http_body_flush(&body);
}
