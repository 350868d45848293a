/*
 * A state machine over lines and counted bytes. It may be fed by single bytes, and reads nothing
 * twice. (RFC 9112, as far as swimd's server uses it.)
 */
#include "ctl/answer.h"

#include "base/assert.h"

#include <string.h>
#include <strings.h>

void answer_init(struct answer *answer, answer_sink *sink, void *context)
{
    *answer = (struct answer){.phase = ANSWER_STATUS, .sink = sink, .context = context};
}

static bool fail(struct answer *answer, const char *why)
{
    answer->wrong = why;
    return false;
}

/* ---- Lines ------------------------------------------------------------------------------- */

static bool take_status_line(struct answer *answer, const char *line)
{
    static const char version[] = "HTTP/1.";
    const char *at = line + sizeof version - 1;
    int status = 0;

    if (strncmp(line, version, sizeof version - 1) != 0 || (*at != '0' && *at != '1') ||
        at[1] != ' ')
        return fail(answer, "the answer is not HTTP/1.1");
    at += 2;
    for (int i = 0; i < 3; i++, at++) {
        if (*at < '0' || *at > '9')
            return fail(answer, "the answer has no status");
        status = status * 10 + (*at - '0');
    }
    if ((*at != ' ' && *at != '\0') || status < 200 || status > 599)
        return fail(answer, "the answer has no status that ends a request");
    answer->status = status;
    answer->phase = ANSWER_HEADERS;
    return true;
}

static bool parse_length(const char *text, uint64_t *ret)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > ANSWER_BODY_MAX)
            return false;
    }
    *ret = value;
    return true;
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static bool take_header(struct answer *answer, const char *line)
{
    const char *colon = strchr(line, ':');
    uint64_t length;

    if (colon == NULL || colon == line || *line == ' ' || *line == '\t')
        return fail(answer, "the answer has a line that is no header");
    size_t size = (size_t)(colon - line);
    const char *value = skip_blanks(colon + 1);
    if (size == 14 && strncasecmp(line, "content-length", size) == 0) {
        if (answer->has_length || !parse_length(value, &length))
            return fail(answer, "the answer's Content-Length is wrong or too large");
        answer->has_length = true;
        answer->left = length;
    } else if (size == 17 && strncasecmp(line, "transfer-encoding", size) == 0) {
        if (answer->is_chunked || strcasecmp(value, "chunked") != 0)
            return fail(answer, "the answer has an unknown Transfer-Encoding");
        answer->is_chunked = true;
    }
    return true;
}

static bool end_head(struct answer *answer)
{
    if (answer->is_chunked && answer->has_length)
        return fail(answer, "the answer gives its length in two ways");
    answer->has_head = true;
    if (answer->is_chunked) {
        answer->phase = ANSWER_CHUNK_SIZE;
    } else if (answer->has_length || answer->status == 204) {
        answer->phase = ANSWER_SIZED;
        answer->is_complete = answer->left == 0;
    } else {
        answer->phase = ANSWER_UNSIZED;
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool take_chunk_size(struct answer *answer, const char *line)
{
    uint64_t size = 0;
    const char *at = line;

    for (; hex_value(*at) >= 0; at++) {
        size = size * 16 + (uint64_t)hex_value(*at);
        if (size > ANSWER_BODY_MAX)
            return fail(answer, "the answer has a chunk that is too large");
    }
    if (at == line || *at != '\0')
        return fail(answer, "the answer has a chunk without a size");
    answer->left = size;
    answer->phase = size > 0 ? ANSWER_CHUNK : ANSWER_TRAILERS;
    return true;
}

static bool take_line(struct answer *answer, const char *line)
{
    switch (answer->phase) {
    case ANSWER_STATUS: return take_status_line(answer, line);
    case ANSWER_HEADERS: return *line == '\0' ? end_head(answer) : take_header(answer, line);
    case ANSWER_CHUNK_SIZE: return take_chunk_size(answer, line);
    case ANSWER_CHUNK_END:
        answer->phase = ANSWER_CHUNK_SIZE;
        return *line == '\0' || fail(answer, "the answer has a chunk longer than it says");
    default: break;
    }
    ASSERT(answer->phase == ANSWER_TRAILERS);
    answer->is_complete = *line == '\0';
    return true;
}

/* One byte of a line; the line's end hands it on. */
static bool take_line_byte(struct answer *answer, char byte)
{
    bool is_bounded = !answer->has_head || answer->phase == ANSWER_TRAILERS;

    if (is_bounded && ++answer->head_size > ANSWER_HEAD_MAX)
        return fail(answer, "the answer's head is too long");
    if (byte == '\0')
        return fail(answer, "the answer's head has a zero byte in it");
    if (byte != '\n') {
        if (answer->line_size == sizeof answer->line - 1)
            return fail(answer, "the answer has a line that is too long");
        answer->line[answer->line_size++] = byte;
        return true;
    }
    if (answer->line_size == 0 || answer->line[answer->line_size - 1] != '\r')
        return fail(answer, "the answer has a line that doesn't end as it should");
    answer->line[answer->line_size - 1] = '\0';
    answer->line_size = 0;
    return take_line(answer, answer->line);
}

/* ---- Bodies ------------------------------------------------------------------------------ */

static bool is_in_body(const struct answer *answer)
{
    return answer->phase == ANSWER_SIZED || answer->phase == ANSWER_UNSIZED ||
           answer->phase == ANSWER_CHUNK;
}

/* Hands on as much as belongs to the body here; returns how much, 0 on failure. */
static size_t take_body(struct answer *answer, const char *data, size_t size)
{
    if (answer->phase != ANSWER_UNSIZED && size > answer->left)
        size = (size_t)answer->left;
    ASSERT(size > 0);
    if (!answer->is_chunked && answer->body_size + size > ANSWER_BODY_MAX) {
        (void)fail(answer, "the answer is too long");
        return 0;
    }
    answer->body_size += size;
    if (!answer->sink(answer->context, data, size)) {
        (void)fail(answer, "no memory for the answer");
        return 0;
    }
    if (answer->phase == ANSWER_UNSIZED)
        return size;
    answer->left -= size;
    if (answer->left == 0 && answer->phase == ANSWER_CHUNK)
        answer->phase = ANSWER_CHUNK_END;
    else if (answer->left == 0)
        answer->is_complete = true;
    return size;
}

bool answer_take(struct answer *answer, const char *data, size_t size)
{
    ASSERT(answer->wrong == NULL && !answer->is_complete);
    while (size > 0) {
        size_t used = 1;
        if (answer->is_complete)
            return fail(answer, "the answer goes on behind its end");
        if (is_in_body(answer))
            used = take_body(answer, data, size);
        else if (!take_line_byte(answer, *data))
            used = 0;
        if (used == 0)
            return false;
        data += used;
        size -= used;
    }
    return true;
}

bool answer_end(struct answer *answer)
{
    if (answer->has_head && answer->phase == ANSWER_UNSIZED)
        answer->is_complete = true;
    return answer->is_complete;
}
