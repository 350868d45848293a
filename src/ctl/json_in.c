/*
 * The answer of a large cluster has tens of megabytes, and taking it apart lasts longer than
 * fetching it. So the parser is fed portion by portion, and looks at the clock in between.
 */
#include "ctl/json_in.h"

#include "ctl/client.h"

#include <string.h>

struct source {
    const char *text;
    size_t left;
    uint64_t deadline_ms;
    bool is_late;
};

static size_t feed(void *buffer, size_t cap, void *context)
{
    struct source *source = context;
    size_t size = source->left < cap ? source->left : cap;

    source->is_late = client_now_ms() >= source->deadline_ms;
    if (source->is_late)
        return (size_t)-1;
    memcpy(buffer, source->text, size);
    source->text += size;
    source->left -= size;
    return size;
}

json_t *json_in_parse(const char *text, size_t size, uint64_t deadline_ms, bool *ret_is_late)
{
    struct source source = {.text = text, .left = size, .deadline_ms = deadline_ms};
    json_t *root = json_load_callback(feed, &source, JSON_REJECT_DUPLICATES, NULL);

    *ret_is_late = source.is_late;
    if (source.is_late) {
        json_decref(root);
        return NULL;
    }
    return root;
}
