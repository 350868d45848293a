/* Whatever a stream says, no more is kept than struct sse holds; an event that doesn't fit is left
 * out, and its id still counts. */
#include "ctl/sse.h"

#include <stdio.h>
#include <string.h>

void sse_init(struct sse *sse, sse_handler *handler, void *context)
{
    sse->handler = handler;
    sse->context = context;
    sse->last_id[0] = '\0';
    sse_restart(sse);
}

static void begin_event(struct sse *sse)
{
    sse->id[0] = '\0';
    sse->kind[0] = '\0';
    sse->data_size = 0;
    sse->is_too_long = false;
}

void sse_restart(struct sse *sse)
{
    begin_event(sse);
    sse->line_size = 0;
    sse->has_cr = false;
}

static void dispatch(struct sse *sse)
{
    struct sse_event event = {.id = sse->id,
                              .kind = sse->kind[0] != '\0' ? sse->kind : "message",
                              .data = sse->data,
                              .size = sse->data_size};

    if (sse->id[0] != '\0')
        memcpy(sse->last_id, sse->id, sizeof sse->last_id);
    if (sse->data_size > 0 && !sse->is_too_long) {
        event.size--; /* the last newline */
        sse->data[event.size] = '\0';
        sse->handler(sse->context, &event);
    }
    begin_event(sse);
}

static void add_data(struct sse *sse, const char *value, size_t size)
{
    if (sse->data_size + size + 1 > SSE_DATA_MAX) {
        sse->is_too_long = true;
        return;
    }
    memcpy(sse->data + sse->data_size, value, size);
    sse->data_size += size;
    sse->data[sse->data_size++] = '\n';
}

static void set_field(char *field, const char *value)
{
    if (strlen(value) < SSE_FIELD_MAX)
        (void)snprintf(field, SSE_FIELD_MAX, "%s", value);
}

/* An id goes back to the server in a header line: nothing else may be in it. */
static bool is_plain(const char *value)
{
    for (; *value != '\0'; value++)
        if (*value <= ' ' || *value > '~')
            return false;
    return true;
}

static void take_line(struct sse *sse)
{
    char *line = sse->line;

    line[sse->line_size] = '\0';
    if (sse->line_size == 0) {
        dispatch(sse);
        return;
    }
    if (strlen(line) != sse->line_size || *line == ':')
        return; /* a zero byte, or a comment */
    char *value = strchr(line, ':');
    if (value == NULL)
        return;
    *value++ = '\0';
    value += *value == ' ';
    if (strcmp(line, "data") == 0)
        add_data(sse, value, strlen(value));
    else if (strcmp(line, "event") == 0)
        set_field(sse->kind, value);
    else if (strcmp(line, "id") == 0 && is_plain(value))
        set_field(sse->id, value);
}

static void take_byte(struct sse *sse, char byte)
{
    bool ends = byte == '\n' || byte == '\r';
    bool is_second = byte == '\n' && sse->has_cr;

    sse->has_cr = byte == '\r';
    if (is_second)
        return;
    if (ends) {
        take_line(sse);
        sse->line_size = 0;
    } else if (sse->line_size + 1 < sizeof sse->line) {
        sse->line[sse->line_size++] = byte;
    } else {
        sse->is_too_long = true;
    }
}

void sse_take(struct sse *sse, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        take_byte(sse, data[i]);
}
