/* A ring of bytes. Where the oldest line begins is found when somebody asks: behind the first
 * newline that is left. */
#include "agent/log_ring.h"

#include <string.h>

static struct {
    char bytes[LOG_RING_SIZE];
    size_t next; /* where the next byte goes */
    bool is_full;
} ring;

static void put(const char *data, size_t size)
{
    memcpy(ring.bytes + ring.next, data, size);
    ring.next += size;
    if (ring.next == LOG_RING_SIZE) {
        ring.next = 0;
        ring.is_full = true;
    }
}

void log_ring_add(const char *line, size_t size)
{
    size_t first = LOG_RING_SIZE - ring.next;

    if (size > LOG_RING_SIZE)
        return;
    if (first > size)
        first = size;
    put(line, first);
    if (size > first)
        put(line + first, size - first);
}

void log_ring_write(json_sink *sink, void *context)
{
    const char *oldest = ring.bytes + ring.next;
    size_t size = LOG_RING_SIZE - ring.next;
    const char *cut = ring.is_full ? memchr(oldest, '\n', size) : NULL;

    if (cut != NULL) { /* what is left of the oldest line is no line */
        sink(context, cut + 1, size - (size_t)(cut + 1 - oldest));
        sink(context, ring.bytes, ring.next);
        return;
    }
    /* Not full yet; or the oldest line ends in the other part. */
    const char *begin = ring.bytes;
    if (ring.is_full) {
        begin = memchr(ring.bytes, '\n', ring.next);
        begin = begin != NULL ? begin + 1 : ring.bytes + ring.next;
    }
    sink(context, begin, ring.next - (size_t)(begin - ring.bytes));
}
