/*
 * swimctl top: what is known (top_model.c), and how it looks on the terminal (top_screen.c). The
 * loop and the keys are verb_top.c's.
 */
#ifndef SWIM_CTL_TOP_H
#define SWIM_CTL_TOP_H

#include "ctl/ctl.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOP_EVENTS_MAX 64
#define TOP_LINE_MAX 256

enum top_sort { TOP_BY_NAME, TOP_BY_STATUS, TOP_BY_RTT, TOP_SORT_COUNT };

/* Counters whose growth is shown, by their names in /metrics/json. */
enum top_rate {
    TOP_BYTES_IN,
    TOP_BYTES_OUT,
    TOP_DATAGRAMS_IN,
    TOP_DATAGRAMS_OUT,
    TOP_PROBES,
    TOP_PROBE_FAILURES,
    TOP_RATE_COUNT
};

struct top_event {
    char text[TOP_LINE_MAX]; /* clean */
    char kind[32];
};

struct top {
    json_t *info; /* NULL before the first answer */
    json_t *metrics;
    json_t *members; /* an array, sorted */
    enum top_sort sort;
    uint64_t counted_ms; /* when the counters were taken; 0: not yet */
    uint64_t counter[TOP_RATE_COUNT];
    double rate[TOP_RATE_COUNT]; /* a second, since the refresh before */
    bool is_lost;                /* the daemon doesn't answer: what is shown is old */
    size_t event_count;          /* of all time; the last TOP_EVENTS_MAX are held */
    struct top_event events[TOP_EVENTS_MAX];
    size_t first; /* the member in the first line of the list */
};

/* Asks for everything anew. A failure is noted, and what was known stays. */
SWIM_MUST_CHECK enum exit_code top_refresh(struct top *top, struct ctl *ctl);
/* Puts the members into the order of top->sort. */
void top_order(struct top *top);
/* Takes an event, as its JSON. */
void top_take_event(struct top *top, const char *data, size_t size);
/* The event that came `back` events before the last one; NULL: it is not held. */
const struct top_event *top_event_at(const struct top *top, size_t back);
void top_done(struct top *top);

/* Takes the terminal over; false when it can't be used, and nothing has changed. */
SWIM_MUST_CHECK bool top_screen_begin(void);
/* Gives it back as it was. */
void top_screen_end(void);
/* Draws all of it, whatever the terminal's size. Corrects top->first. */
void top_screen_draw(struct top *top);
/* Lines of the list of members at present. */
size_t top_screen_page(void);
/* The next key that waits, as ncurses names it; ERR when none does. */
int top_screen_key(void);

#endif
