/*
 * Two paths have more than one form: /metrics for scrapers of two generations, and / for people at
 * a browser and people at a terminal. Which one is decided here, from what comes in.
 */
#include "agent/http_accept.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The q of one media range "type; a=b; q=0.5", 1 when it has none. */
static double quality(const char *range, size_t size)
{
    for (size_t i = 0; i + 3 < size; i++) {
        size_t at = i + 1;
        if (range[i] != ';')
            continue;
        while (at < size && (range[at] == ' ' || range[at] == '\t'))
            at++;
        if (at + 2 < size && (range[at] == 'q' || range[at] == 'Q') && range[at + 1] == '=')
            return strtod(range + at + 2, NULL);
    }
    return 1;
}

static bool is_type(const char *range, size_t size, const char *type)
{
    size_t length = strlen(type);

    return size >= length && strncasecmp(range, type, length) == 0 &&
           (size == length || strchr("; \t", range[length]) != NULL);
}

double http_accept_quality(const char *accept, const char *type)
{
    double best = 0;

    while (accept != NULL && *accept != '\0') {
        accept += strspn(accept, ", \t");
        size_t size = strcspn(accept, ",");
        double q = quality(accept, size);
        if (is_type(accept, size, type) && q > best)
            best = q;
        accept += size;
    }
    return best;
}
