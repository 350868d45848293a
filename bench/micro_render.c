/* What HTTP says of 10,000 members: all of them as JSON, and the metrics. */
#include "agent/member_json.h"
#include "agent/metrics.h"
#include "micro.h"
#include "subject.h"

#include <stdlib.h>
#include <string.h>

static char output[1 << 22];
static size_t output_size;

static void append(void *context, const char *data, size_t size)
{
    (void)context;
    MICRO_CHECK(output_size + size <= sizeof output);
    memcpy(output + output_size, data, size);
    output_size += size;
}

static void members(void *context)
{
    struct subject *subject = context;
    struct member_clock clock = {.now = subject->now, .now_ms = UINT64_C(1800000000000)};
    struct swim_member member;
    struct json json;

    output_size = 0;
    json_init(&json, append, NULL);
    json_array_begin(&json);
    for (uint32_t id = 1; id <= subject->members; id++) {
        MICRO_CHECK(swim_member_find(subject->s, id, &member));
        member_json_put(&json, subject->s, &member, &clock);
    }
    json_array_end(&json);
}

static void *open_members(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = subject_new(n);

    (void)self;
    subject_fill(subject);
    members(subject);
    ret->write_bytes = output_size;
    ret->loads = n;
    ret->table_bytes = (size_t)n * SUBJECT_MEMBER_BYTES;
    return subject;
}

static void metrics(void *context)
{
    struct subject *subject = context;
    struct metrics metrics = {.http_requests = 72, .view_digest = swim_view_digest(subject->s)};

    output_size = 0;
    swim_stats(subject->s, &metrics.swim);
    metrics_render_text(&metrics, append, NULL);
}

static void *open_metrics(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *subject = open_members(self, n, ret);

    metrics(subject);
    *ret = (struct micro_limit){.write_bytes = output_size};
    return subject;
}

static const uint32_t sizes[] = {10000, 0};

const struct micro_case micro_render_cases[] = {
    {"JSON of n members", .sizes = sizes, .open = open_members, .run = members,
     .close = subject_free, .repeats = 1},
    {"Prometheus text, table of n", .sizes = sizes, .open = open_metrics, .run = metrics,
     .close = subject_free, .repeats = 4},
    {0},
};
