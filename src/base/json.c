/*
 * The streaming JSON writer (host side: HTTP answers, logs, the control socket, reports).
 * It streams because a tree of 10,000 members would stall the loop that builds it.
 */
#include "base/json.h"

#include "base/assert.h"
#include "base/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

void json_init(struct json *json, json_sink *sink, void *context)
{
    memset(json, 0, sizeof *json);
    json->sink = sink;
    json->context = context;
}

static void put(struct json *json, const char *data, size_t size)
{
    json->sink(json->context, data, size);
}

/* text[from..to) */
static void put_run(struct json *json, const char *text, size_t from, size_t to)
{
    if (from < to)
        put(json, text + from, to - from);
}

static void put_text(struct json *json, const char *text)
{
    put(json, text, strlen(text));
}

/* The comma that is due before another item of the innermost container. */
static void separate(struct json *json)
{
    if (json->depth == 0)
        return;
    bool *has_item = &json->has_item[json->depth - 1];
    if (*has_item)
        put(json, ",", 1);
    *has_item = true;
}

static void before_value(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    ASSERT(json->depth == 0 || !json->is_object[json->depth - 1]);
    separate(json);
}

static void put_value(struct json *json, const char *text)
{
    before_value(json);
    put_text(json, text);
}

static void put_value_to(struct json *json, const char *text, const char *end)
{
    before_value(json);
    put(json, text, (size_t)(end - text));
}

static void begin(struct json *json, bool is_object)
{
    ASSERT(json->depth < JSON_DEPTH_MAX);
    put_value(json, is_object ? "{" : "[");
    json->has_item[json->depth] = false;
    json->is_object[json->depth] = is_object;
    json->depth++;
}

static void end(struct json *json, bool is_object)
{
    ASSERT(json->depth > 0 && !json->after_key);
    json->depth--;
    ASSERT(json->is_object[json->depth] == is_object);
    put_text(json, is_object ? "}" : "]");
}

void json_object_begin(struct json *json)
{
    begin(json, true);
}

void json_object_end(struct json *json)
{
    end(json, true);
}

void json_array_begin(struct json *json)
{
    begin(json, false);
}

void json_array_end(struct json *json)
{
    end(json, false);
}

/* The values that the second byte of a UTF-8 sequence may have, and how long the sequence is
 * (Unicode table 3-7); size 0 for a byte that can't begin one. */
struct utf8_form {
    uint8_t size;
    uint8_t low;
    uint8_t high;
};

static struct utf8_form utf8_form_of(uint8_t first)
{
    if (first < 0x80)
        return (struct utf8_form){1, 0, 0};
    if (first < 0xC2 || first > 0xF4)
        return (struct utf8_form){0, 0, 0};
    if (first < 0xE0)
        return (struct utf8_form){2, 0x80, 0xBF};
    if (first < 0xF0)
        return (struct utf8_form){3, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF};
    return (struct utf8_form){4, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF};
}

/* Length of the character at `text`; *ret_valid is false when it is the longest beginning of
 * one, or a stray byte, that one U+FFFD replaces. */
static size_t scan_utf8(const uint8_t *text, size_t size, bool *ret_valid)
{
    struct utf8_form form = utf8_form_of(text[0]);
    size_t length = 1;

    while (length < form.size && length < size) {
        uint8_t low = length == 1 ? form.low : 0x80;
        uint8_t high = length == 1 ? form.high : 0xBF;
        if (text[length] < low || text[length] > high)
            break;
        length++;
    }
    *ret_valid = length == form.size;
    return length;
}

static void put_escape(struct json *json, uint8_t c)
{
    static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, its escape */
    char escape[8] = {'\\', 0};

    for (size_t i = 0; i + 1 < sizeof names; i += 2) {
        if ((uint8_t)names[i] == c)
            escape[1] = names[i + 1];
    }
    if (escape[1] == 0)
        (void)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c);
    put_text(json, escape);
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* DEL and C1 (U+0080-9F, of two bytes): valid as they are, but a terminal acts on them. Returns the
 * character, or 0. */
static uint8_t late_control_of(const uint8_t *text, size_t length)
{
    if (length == 1)
        return text[0] == 0x7F ? text[0] : 0;
    return length == 2 && text[0] == 0xC2 && text[1] < 0xA0 ? text[1] : 0;
}

static void put_quoted(struct json *json, const char *text, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t done = 0; /* all before it is written; the run from it on is clean */
    size_t at = 0;

    put(json, "\"", 1);
    while (at < size) {
        bool is_valid = true;
        if (is_plain(bytes[at])) {
            at++;
            continue;
        }
        size_t length = scan_utf8(bytes + at, size - at, &is_valid);
        uint8_t control = is_valid ? late_control_of(bytes + at, length) : 0;
        if (is_valid && control == 0 && length > 1) {
            at += length;
            continue;
        }
        put_run(json, text, done, at);
        if (!is_valid)
            put_text(json, "\xEF\xBF\xBD");
        else
            put_escape(json, control != 0 ? control : bytes[at]);
        at += length;
        done = at;
    }
    put_run(json, text, done, at);
    put(json, "\"", 1);
}

void json_key(struct json *json, const char *key)
{
    ASSERT(json->depth > 0 && json->is_object[json->depth - 1]);
    ASSERT(!json->after_key);
    separate(json);
    put_quoted(json, key, strlen(key));
    put(json, ":", 1);
    json->after_key = true;
}

void json_text_n(struct json *json, const char *text, size_t size)
{
    before_value(json);
    put_quoted(json, text, size);
}

void json_text(struct json *json, const char *text)
{
    json_text_n(json, text, strlen(text));
}

void json_u64(struct json *json, uint64_t value)
{
    char text[DECIMAL_MAX];

    put_value_to(json, text, decimal_put(text, value));
}

void json_i64(struct json *json, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    put_value(json, text);
}

void json_u64_string(struct json *json, uint64_t value)
{
    char text[DECIMAL_MAX + 2] = "\"";
    char *end = decimal_put(text + 1, value);

    *end++ = '"';
    put_value_to(json, text, end);
}

/* Doubles from 2^53 on are integers. */
#define EXACT_LIMIT 9007199254740992.0

/* Not "%.6f": a locale's decimal comma would break the JSON. */
static void format_small(char *text, size_t size, double magnitude, bool is_negative)
{
    uint64_t whole = (uint64_t)magnitude;
    uint32_t millionths = (uint32_t)((magnitude - (double)whole) * 1e6 + 0.5);

    if (millionths >= 1000000) {
        millionths -= 1000000;
        whole++;
    }
    const char *sign = is_negative && (whole || millionths) ? "-" : "";
    if (millionths == 0) {
        (void)snprintf(text, size, "%s%" PRIu64, sign, whole);
        return;
    }
    int digits = 6;
    while (millionths % 10 == 0) {
        millionths /= 10;
        digits--;
    }
    (void)snprintf(text, size, "%s%" PRIu64 ".%0*" PRIu32, sign, whole, digits, millionths);
}

void json_double(struct json *json, double value)
{
    char text[328]; /* the largest double has 309 digits */

    if (!isfinite(value)) {
        json_none(json);
        return;
    }
    if (value > -EXACT_LIMIT && value < EXACT_LIMIT)
        format_small(text, sizeof text, value < 0 ? -value : value, value < 0);
    else
        (void)snprintf(text, sizeof text, "%.0f", value);
    put_value(json, text);
}

void json_bool(struct json *json, bool value)
{
    put_value(json, value ? "true" : "false");
}

void json_none(struct json *json)
{
    put_value(json, "null");
}
