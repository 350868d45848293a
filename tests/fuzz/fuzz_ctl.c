/*
 * What swimctl reads from a socket, from whoever is there: an HTTP answer, the events in its body,
 * and text for the terminal. Whole or byte by byte, it is understood the same; the body is no longer
 * than what came; an event's id is fit for a header line; and nothing that a terminal acts upon is
 * left in clean text.
 *
 *     input: the bytes of a connection
 */
#include "ctl/answer.h"
#include "ctl/sse.h"
#include "ctl/text.h"

#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODY_MAX 65536

struct body {
    size_t size;
    char text[BODY_MAX];
};

static bool collect(void *context, const char *data, size_t size)
{
    struct body *body = context;

    if (body->size + size > BODY_MAX)
        return false;
    memcpy(body->text + body->size, data, size);
    body->size += size;
    return true;
}

/* Feeds `data` in portions; returns whether the answer is complete. */
static bool feed(struct answer *answer, struct body *body, const char *data, size_t size,
                 size_t portion)
{
    body->size = 0;
    answer_init(answer, collect, body);
    for (size_t at = 0; at < size; at += portion) {
        size_t left = size - at < portion ? size - at : portion;
        /* Bytes behind the end are a mistake of the other side's in one portion, and never asked
         * for in the next. */
        if (answer->is_complete)
            return false;
        if (!answer_take(answer, data + at, left)) {
            ASSERT(answer->wrong != NULL);
            return false;
        }
    }
    return answer_end(answer);
}

static void check_event(void *context, const struct sse_event *event)
{
    size_t *total = context;

    ASSERT(strlen(event->id) < SSE_FIELD_MAX && strlen(event->kind) < SSE_FIELD_MAX);
    for (const char *at = event->id; *at != '\0'; at++)
        ASSERT(*at > ' ' && *at <= '~');
    ASSERT(event->size <= SSE_DATA_MAX && event->data[event->size] == '\0');
    *total += event->size;
}

static void check_text(const char *text)
{
    static char clean[1024];

    text_clean(text, clean, sizeof clean);
    for (const char *at = clean; *at != '\0'; at++)
        ASSERT((unsigned char)*at >= 0x20 && *at != 0x7F);
    for (const char *at = clean; (at = strstr(at, "\xC2")) != NULL; at++)
        ASSERT((unsigned char)at[1] >= 0xA0); /* no C1 */
    size_t width = text_width(clean);
    text_fit(clean, sizeof clean, 20);
    ASSERT(text_width(clean) <= (width < 20 ? width : 20));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct body whole;
    static struct body single;
    static struct sse sse;
    static char text[4096];
    struct answer answer;
    struct answer again;
    size_t total = 0;

    text_init();
    bool is_complete = feed(&answer, &whole, (const char *)data, size, size + 1);
    bool is_again = feed(&again, &single, (const char *)data, size, 1);
    ASSERT(is_complete == is_again && answer.status == again.status);
    ASSERT(answer.status == 0 || (answer.status >= 200 && answer.status <= 599));
    ASSERT(whole.size == single.size && memcmp(whole.text, single.text, whole.size) == 0);
    ASSERT(whole.size <= size && whole.size == answer.body_size);
    ASSERT(!is_complete || answer.status != 0);

    sse_init(&sse, check_event, &total);
    sse_take(&sse, whole.text, whole.size);
    ASSERT(total <= whole.size);
    size_t length = size < sizeof text - 1 ? size : sizeof text - 1;
    memcpy(text, data, length);
    text[length] = '\0';
    check_text(text);
    return 0;
}
