/* No locale: a point is a point. */
#include "ctl/duration.h"

#include <stdio.h>

void duration_of(double seconds, char *text, size_t cap)
{
    static const char *const units[] = {"us", "ms", "s"};
    double value = seconds * 1e6;
    size_t unit = 0;

    *text = '\0';
    if (!(seconds > 0))
        return;
    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    (void)snprintf(text, cap, "%.*f %s", digits, value, units[unit]);
}

void duration_of_seconds(uint64_t seconds, char *text, size_t cap)
{
    static const struct {
        uint64_t size;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t at = 0;

    while (at < 3 && seconds < units[at].size)
        at++;
    if (at == 3)
        (void)snprintf(text, cap, "%us", (unsigned)seconds);
    else
        (void)snprintf(text, cap, "%llu%c %llu%c", (unsigned long long)(seconds / units[at].size),
                       units[at].unit,
                       (unsigned long long)(seconds % units[at].size / units[at + 1].size),
                       units[at + 1].unit);
}
