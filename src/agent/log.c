/*
 * Log lines: levels, two formats, limits per cause. stderr may be a pipe that nobody empties, so
 * a line is written only when poll() says that it will not block: a pipe that is writable takes
 * PIPE_BUF bytes at once, and no line is longer.
 */
#define _GNU_SOURCE
#include "agent/log.h"

#include "agent/log_ring.h"
#include "base/assert.h"
#include "base/json.h"

#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_SIZE 4096
_Static_assert(LINE_MAX_SIZE <= PIPE_BUF, "a line is written whole or not at all");
#define MESSAGE_MAX 1024

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static struct {
    enum log_level level;
    enum log_format format;
    uint64_t dropped;
} settings = {.level = LOG_INFO};

const char *log_level_name(enum log_level level)
{
    ASSERT((size_t)level < sizeof level_names / sizeof level_names[0]);
    return level_names[level];
}

bool log_level_parse(const char *name, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

bool log_format_parse(const char *name, enum log_format *ret)
{
    if (strcmp(name, "text") != 0 && strcmp(name, "json") != 0)
        return false;
    *ret = name[0] == 'j' ? LOG_AS_JSON : LOG_AS_TEXT;
    return true;
}

void log_configure(enum log_level level, enum log_format format)
{
    settings.level = level;
    settings.format = format;
}

bool is_logged(enum log_level level)
{
    return level <= settings.level;
}

uint64_t log_lines_dropped(void)
{
    return settings.dropped;
}

static void line_put(void *context, const char *data, size_t size)
{
    struct log_line *line = context;
    size_t left = line->cap - 1 /* the newline */ - line->size;

    if (size > left) {
        line->is_cut = true;
        size = left;
    }
    memcpy(line->text + line->size, data, size);
    line->size += size;
}

static void put_text(struct log_line *line, const char *text)
{
    line_put(line, text, strlen(text));
}

/* Control bytes would let a name or a peer's answer forge lines of its own. */
static void put_printable(struct log_line *line, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        char shown = byte < 0x20 || byte == 0x7F ? '?' : *text;
        line_put(line, &shown, 1);
    }
}

static void put_value(struct log_line *line, const char *text)
{
    bool is_plain = *text != '\0' && strpbrk(text, " \"=\t\r\n") == NULL;

    if (is_plain) {
        put_printable(line, text);
        return;
    }
    put_text(line, "\"");
    for (; *text != '\0'; text++) {
        char one[2] = {*text, '\0'};
        if (*text == '"' || *text == '\\')
            put_text(line, "\\");
        put_printable(line, one);
    }
    put_text(line, "\"");
}

static void format_time(char *text, size_t cap)
{
    struct timespec now = {0};
    struct tm utc = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &utc);
    size_t size = strftime(text, cap, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(text + size, cap - size, ".%03uZ", (unsigned)(now.tv_nsec / 1000000) % 1000u);
}

static void render_text(struct log_line *line, const char *head, const char *message,
                        const struct log_field *fields, size_t count)
{
    char number[24];

    put_text(line, head);
    put_printable(line, message);
    for (size_t i = 0; i < count; i++) {
        put_text(line, " ");
        put_text(line, fields[i].key);
        put_text(line, "=");
        if (fields[i].text != NULL) {
            put_value(line, fields[i].text);
        } else {
            (void)snprintf(number, sizeof number, "%llu", (unsigned long long)fields[i].number);
            put_text(line, number);
        }
    }
}

struct heading {
    const char *time;
    const char *level;
};

static void render_json(struct log_line *line, const struct heading *head, const char *message,
                        const struct log_field *fields, size_t count)
{
    struct json json;

    json_init(&json, line_put, line);
    json_object_begin(&json);
    json_key(&json, "time");
    json_text(&json, head->time);
    json_key(&json, "level");
    json_text(&json, head->level);
    json_key(&json, "msg");
    json_text(&json, message);
    for (size_t i = 0; i < count; i++) {
        json_key(&json, fields[i].key);
        if (fields[i].text != NULL)
            json_text(&json, fields[i].text);
        else
            json_u64(&json, fields[i].number);
    }
    json_object_end(&json);
}

void log_render(struct log_line *line, enum log_level level, const char *message,
                const struct log_field *fields, size_t count)
{
    char now[48];
    char head[64];
    struct heading heading = {.time = now, .level = log_level_name(level)};

    ASSERT(line->cap > 1);
    line->size = 0;
    line->is_cut = false;
    format_time(now, sizeof now);
    if (settings.format == LOG_AS_JSON) {
        render_json(line, &heading, message, fields, count);
        if (line->is_cut) { /* half an object would be no JSON at all */
            line->size = 0;
            render_json(line, &heading, "(a line too long to be written)", NULL, 0);
        }
    } else {
        (void)snprintf(head, sizeof head, "%s %-5s ", now, heading.level);
        render_text(line, head, message, fields, count);
    }
    line->text[line->size++] = '\n';
}

static void emit(const char *text, size_t size)
{
    struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

    if (poll(&out, 1, 0) != 1 || (out.revents & POLLOUT) == 0 ||
        write(STDERR_FILENO, text, size) != (ssize_t)size)
        settings.dropped++;
}

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count)
{
    char text[LINE_MAX_SIZE];
    struct log_line line = {.text = text, .cap = sizeof text};

    if (!is_logged(level))
        return;
    log_render(&line, level, message, fields, count);
    log_ring_add(line.text, line.size);
    emit(line.text, line.size);
}

void log_message(enum log_level level, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;

    if (!is_logged(level))
        return;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    log_write(level, message, NULL, 0);
}

bool log_limit_allows(struct log_limit *limit, uint64_t now_ns, uint32_t interval_ms,
                      uint64_t *ret_held_back)
{
    if (now_ns < limit->next_ns) {
        limit->held_back++;
        return false;
    }
    *ret_held_back = limit->held_back;
    limit->held_back = 0;
    limit->next_ns = now_ns + (uint64_t)interval_ms * UINT64_C(1000000);
    return true;
}
