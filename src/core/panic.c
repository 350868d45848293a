/*
 * Where failed assertions end, unless the host defines swim_panic itself: the one file of
 * libswim that is not pure, and not part of the core's archive.
 */
#include "swim/swim.h"

#include <stdio.h>
#include <stdlib.h>

#if defined(__GNUC__)
__attribute__((weak))
#endif
void swim_panic(const char *expression, const char *file, int line)
{
    fprintf(stderr, "swim: assertion failed: %s (%s:%d)\n", expression, file, line);
    abort();
}
