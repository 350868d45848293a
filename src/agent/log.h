/*
 * Log lines to stderr, one line an event, as text or JSON. A line is a message and fields:
 *
 *     LOG(LOG_INFO, "member joined", LOG_TEXT("addr", text), LOG_NUMBER("members", 3));
 *
 *     2026-01-31T12:00:00.123Z info  member joined addr=127.0.0.1:7000 members=3
 *     {"time":"2026-01-31T12:00:00.123Z","level":"info","msg":"member joined",...}
 *
 * A reader of stderr that stops reading never stops the daemon: lines that would block are
 * dropped and counted. Used from one thread.
 */
#ifndef SWIM_AGENT_LOG_H
#define SWIM_AGENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_AS_TEXT, LOG_AS_JSON };

const char *log_level_name(enum log_level level);
/* False, and *ret untouched, when there is no such name. */
bool log_level_parse(const char *name, enum log_level *ret);
bool log_format_parse(const char *name, enum log_format *ret);

void log_configure(enum log_level level, enum log_format format);
bool is_logged(enum log_level level);
/* Lines dropped because stderr would have blocked. */
uint64_t log_lines_dropped(void);

struct log_field {
    const char *key;
    const char *text; /* NULL: the field is `number` */
    uint64_t number;
};
#define LOG_TEXT(key_, text_) ((struct log_field){.key = (key_), .text = (text_)})
#define LOG_NUMBER(key_, number_) ((struct log_field){.key = (key_), .number = (number_)})

/* At least one field; for none, log_message. */
#define LOG(level, message, ...)                                                                   \
    log_write((level), (message), (const struct log_field[]){__VA_ARGS__},                         \
              sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

void log_write(enum log_level level, const char *message, const struct log_field *fields,
               size_t count);
__attribute__((format(printf, 2, 3))) void log_message(enum log_level level, const char *format,
                                                       ...);

/* A cause that may repeat without end: at most one line an interval, which then says how many
 * were held back. Zero-filled is ready to use. */
struct log_limit {
    uint64_t next_ns;
    uint64_t held_back;
};
/* True when a line may be written now; then *ret_held_back were suppressed since the last one. */
bool log_limit_allows(struct log_limit *limit, uint64_t now_ns, uint32_t interval_ms,
                      uint64_t *ret_held_back);

/* A buffer for a line; log_render leaves at most `cap` bytes in it. */
struct log_line {
    char *text;
    size_t cap;
    size_t size;
    bool is_cut;
};
/* Renders a line, with its newline, as log_write would (for tests). */
void log_render(struct log_line *line, enum log_level level, const char *message,
                const struct log_field *fields, size_t count);

#endif
