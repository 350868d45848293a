/*
 * The last events, numbered, so that who listens can go on where it was cut off:
 *
 *     id = "<start>-<number>"     start: 16 hex digits, drawn anew whenever swimd starts
 *                                 number: 1, 2, 3 ... without gaps
 *
 *        first            last
 *          v                v
 *     [ 811 | 812 | ... | 4906 ]     the oldest make way, by number and by bytes
 *
 * An id of another start tells that events of that run may have been lost with it.
 */
#ifndef SWIM_AGENT_JOURNAL_H
#define SWIM_AGENT_JOURNAL_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_EVENTS_MAX 4096
/* Far above what as many events need: some 350 bytes each, and tags. */
#define JOURNAL_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define JOURNAL_ID_SIZE 40

struct journal;

struct journal_event {
    uint64_t number;
    struct swim_member member; /* as it was */
    enum swim_event_kind kind;
    const char *json; /* one object, on one line, without its end */
    size_t size;
    bool has_meta;    /* was anything known of its name and tags? */
    const char *tags; /* as in struct swim_meta */
    uint16_t tags_size;
};

/* NULL: no memory. `start` names this run. */
struct journal *journal_new(uint64_t start);
void journal_free(struct journal *journal);

/* Renders and keeps an event. Without memory it is lost, with all before it: a gap that those who
 * ask for them are told of. */
void journal_add(struct journal *journal, const struct swim *swim, const struct swim_event *event);

/* The number of the last event, 0 before there is one; of the oldest that is held, last + 1 when
 * none is. */
uint64_t journal_last(const struct journal *journal);
uint64_t journal_first(const struct journal *journal);
/* first <= number <= last, asserted. Valid until the next journal_add. */
const struct journal_event *journal_at(const struct journal *journal, uint64_t number);
void journal_format_id(const struct journal *journal, uint64_t number,
                       char ret_id[JOURNAL_ID_SIZE]);

/* The tags that the member had, as member_filter_passes_meta takes them; false: none were known. */
bool journal_meta(const struct journal_event *event, struct swim_meta *ret);

/* Can who has heard all up to an event go on? */
enum journal_place {
    JOURNAL_HELD,        /* yes */
    JOURNAL_OVERWRITTEN, /* no: *ret_missed events after it are gone */
    JOURNAL_RESTARTED,   /* no: it is of an earlier run, whose end nobody knows */
    JOURNAL_UNKNOWN,     /* no: there never was such an id */
};
/* *ret_next: the number of the event to go on with. *ret_missed: 0 but for JOURNAL_OVERWRITTEN. */
enum journal_place journal_find(const struct journal *journal, const char *id, uint64_t *ret_next,
                                uint64_t *ret_missed);

#endif
