/*
 * Times of members are on the clock that counts from the machine's start; people and other machines
 * read the wall's. The difference is looked at when it is asked for, since the wall clock may be set,
 * and kept while it is much the same: what happened once has one time, however often it is told.
 */
#define _GNU_SOURCE
#include "agent/member_json.h"

#include "agent/address.h"
#include "agent/clock.h"
#include "base/decimal.h"

#include <string.h>
#include <time.h>

#define STEADY_MS 10 /* by which the wall clock may be corrected before it is followed */
#define READINGS_MAX 8

/* What the wall clock showed when the other one was 0. Read between two readings of that one, which
 * must be close: a process that has to wait for a processor just then has read nothing. */
static uint64_t read_zero_ms(swim_time *ret_now)
{
    struct timespec wall = {0};
    swim_time before, now;
    unsigned readings = 0;

    do {
        before = clock_now_ns();
        (void)clock_gettime(CLOCK_REALTIME, &wall);
        now = clock_now_ns();
    } while (now - before > SWIM_MS && ++readings < READINGS_MAX);
    *ret_now = now;
    return (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000 - now / SWIM_MS;
}

struct member_clock member_clock_now(void)
{
    static uint64_t held_ms; /* read_zero_ms(), until that is quite another */
    swim_time now;
    uint64_t zero_ms = read_zero_ms(&now);

    if (zero_ms > held_ms + STEADY_MS || zero_ms + STEADY_MS < held_ms)
        held_ms = zero_ms;
    return (struct member_clock){.now = now, .now_ms = held_ms + now / SWIM_MS};
}

/* So many digits, and what separates them from the next part. */
static char *put_part(char *at, int value, unsigned digits, char behind)
{
    at = decimal_put_fixed(at, (uint64_t)value, digits);
    *at = behind;
    return at + 1;
}

void member_time_format(const struct member_clock *clock, swim_time at,
                        char ret_text[MEMBER_TIME_SIZE])
{
    uint64_t ago_ms = at < clock->now ? clock->now / SWIM_MS - at / SWIM_MS : 0;
    uint64_t wall_ms = ago_ms < clock->now_ms ? clock->now_ms - ago_ms : 0;
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts;

    (void)gmtime_r(&seconds, &parts);
    char *end = put_part(ret_text, parts.tm_year + 1900, 4, '-');
    end = put_part(end, parts.tm_mon + 1, 2, '-');
    end = put_part(end, parts.tm_mday, 2, 'T');
    end = put_part(end, parts.tm_hour, 2, ':');
    end = put_part(end, parts.tm_min, 2, ':');
    end = put_part(end, parts.tm_sec, 2, '.');
    *put_part(end, (int)(wall_ms % 1000), 3, 'Z') = 0;
}

static void put_number(struct json *json, const char *key, uint32_t value)
{
    json_key(json, key);
    json_u64(json, value);
}

static void put_flag(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}

bool member_next_tag(const struct swim_meta *meta, size_t *at, struct swim_tag *ret)
{
    if (*at >= meta->tags_size)
        return false;
    ret->key = meta->tags + *at;
    ret->value = ret->key + strlen(ret->key) + 1;
    *at = (size_t)(ret->value - meta->tags) + strlen(ret->value) + 1;
    return true;
}

/* Nothing of a member that has said nothing: a plain version-1 peer, or one that is new here. */
static void put_meta(struct json *json, const struct swim *swim, uint64_t id)
{
    struct swim_meta meta;
    struct swim_tag tag;
    size_t at = 0;

    if (!swim_member_meta(swim, id, &meta))
        return;
    json_key(json, "name");
    json_text(json, meta.name);
    json_key(json, "tags");
    json_object_begin(json);
    while (member_next_tag(&meta, &at, &tag)) {
        json_key(json, tag.key);
        json_text(json, tag.value);
    }
    json_object_end(json);
}

void member_json_put(struct json *json, const struct swim *swim, const struct swim_member *member,
                     const struct member_clock *clock)
{
    char changed[MEMBER_TIME_SIZE];

    json_object_begin(json);
    json_key(json, "id");
    json_u64_string(json, member->id);
    json_key(json, "addr");
    json_text(json, address_text(&member->addr).text);
    json_key(json, "status");
    json_text(json, swim_status_name(member->status));
    if (swim != NULL)
        put_meta(json, swim, member->id);
    put_number(json, "incarnation", member->incarnation);
    put_number(json, "heartbeat", member->heartbeat);
    put_flag(json, "self", member->is_self);
    put_flag(json, "capable", member->is_capable);
    put_flag(json, "proved", member->is_proved);
    if (member->rtt_ns != 0) {
        json_key(json, "rtt_seconds");
        json_double(json, (double)member->rtt_ns / 1e9);
    }
    json_key(json, "changed");
    member_time_format(clock, member->changed, changed);
    json_text(json, changed);
    json_object_end(json);
}
