/* A ring of rendered events: what is told live and what is told again is the same text. */
#include "agent/journal.h"

#include "agent/event_json.h"
#include "base/assert.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_DIGITS 16

struct entry {
    struct journal_event event;
    char *text; /* the JSON, then the tags; the ring's */
    size_t size;
};

struct journal {
    uint64_t start;
    uint64_t first; /* held: first .. last */
    uint64_t last;
    size_t bytes;
    struct entry ring[JOURNAL_EVENTS_MAX]; /* number n at n % JOURNAL_EVENTS_MAX */
};

struct journal *journal_new(uint64_t start)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL)
        return NULL;
    journal->start = start;
    journal->first = 1;
    return journal;
}

static struct entry *entry_of(struct journal *journal, uint64_t number)
{
    return &journal->ring[number % JOURNAL_EVENTS_MAX];
}

static void drop_first(struct journal *journal)
{
    struct entry *entry = entry_of(journal, journal->first);

    journal->bytes -= entry->size;
    free(entry->text);
    *entry = (struct entry){0};
    journal->first++;
}

void journal_free(struct journal *journal)
{
    if (journal == NULL)
        return;
    while (journal->first <= journal->last)
        drop_first(journal);
    free(journal);
}

/* ---- Rendering --------------------------------------------------------------------------- */

/* Once to count, once to write. */
struct text {
    char *to; /* NULL: count */
    size_t size;
};

static void sink(void *context, const char *data, size_t size)
{
    struct text *text = context;

    if (text->to != NULL)
        memcpy(text->to + text->size, data, size);
    text->size += size;
}

static void render(struct text *text, const struct swim *swim, const struct swim_event *event,
                   const char *id, const struct member_clock *clock)
{
    struct json json;

    text->size = 0;
    json_init(&json, sink, text);
    event_json_put(&json, swim, event, id, clock);
}

/* Room for so many bytes more, or, when `is_all`, for none of what is there. */
static void make_room(struct journal *journal, size_t size, bool is_all)
{
    while (journal->first <= journal->last &&
           (is_all || journal->last + 1 - journal->first == JOURNAL_EVENTS_MAX ||
            journal->bytes + size > JOURNAL_BYTES_MAX))
        drop_first(journal);
}

void journal_add(struct journal *journal, const struct swim *swim, const struct swim_event *event)
{
    struct member_clock clock = member_clock_now();
    uint64_t number = journal->last + 1;
    struct swim_meta meta = {.tags_size = 0};
    bool has_meta = swim != NULL && swim_member_meta(swim, event->member.id, &meta);
    struct text text = {0};
    struct entry entry;
    char id[JOURNAL_ID_SIZE];

    journal_format_id(journal, number, id);
    render(&text, swim, event, id, &clock);
    entry.size = text.size + meta.tags_size;
    entry.text = malloc(entry.size);
    make_room(journal, entry.size, entry.text == NULL);
    journal->last = number;
    if (entry.text == NULL) {
        journal->first = number + 1;
        return;
    }
    text.to = entry.text;
    render(&text, swim, event, id, &clock);
    memcpy(entry.text + text.size, meta.tags, meta.tags_size);
    entry.event = (struct journal_event){.number = number,
                                         .member = event->member,
                                         .kind = event->kind,
                                         .json = entry.text,
                                         .size = text.size,
                                         .has_meta = has_meta,
                                         .tags = entry.text + text.size,
                                         .tags_size = meta.tags_size};
    journal->bytes += entry.size;
    *entry_of(journal, number) = entry;
}

/* ---- Reading ----------------------------------------------------------------------------- */

uint64_t journal_last(const struct journal *journal)
{
    return journal->last;
}

uint64_t journal_first(const struct journal *journal)
{
    return journal->first;
}

const struct journal_event *journal_at(const struct journal *journal, uint64_t number)
{
    ASSERT(number >= journal->first && number <= journal->last);
    return &journal->ring[number % JOURNAL_EVENTS_MAX].event;
}

static void format_id(uint64_t start, uint64_t number, char ret_id[JOURNAL_ID_SIZE])
{
    (void)snprintf(ret_id, JOURNAL_ID_SIZE, "%016" PRIx64 "-%" PRIu64, start, number);
}

bool journal_meta(const struct journal_event *event, struct swim_meta *ret)
{
    if (!event->has_meta)
        return false;
    ret->tags_size = event->tags_size;
    memcpy(ret->tags, event->tags, event->tags_size);
    return true;
}

void journal_format_id(const struct journal *journal, uint64_t number, char ret_id[JOURNAL_ID_SIZE])
{
    format_id(journal->start, number, ret_id);
}

/* Exactly what format_id writes, or false. */
static bool parse_id(const char *id, uint64_t *ret_start, uint64_t *ret_number)
{
    char again[JOURNAL_ID_SIZE];

    if (strspn(id, "0123456789abcdef") != START_DIGITS || id[START_DIGITS] != '-' ||
        strlen(id) >= sizeof again)
        return false;
    *ret_start = strtoull(id, NULL, 16);
    *ret_number = strtoull(id + START_DIGITS + 1, NULL, 10);
    format_id(*ret_start, *ret_number, again);
    return strcmp(id, again) == 0;
}

enum journal_place journal_find(const struct journal *journal, const char *id, uint64_t *ret_next,
                                uint64_t *ret_missed)
{
    uint64_t start;
    uint64_t number;

    *ret_next = journal->first;
    *ret_missed = 0;
    if (!parse_id(id, &start, &number))
        return JOURNAL_UNKNOWN;
    if (start != journal->start)
        return JOURNAL_RESTARTED;
    if (number > journal->last)
        return JOURNAL_UNKNOWN;
    if (number + 1 < journal->first) {
        *ret_missed = journal->first - (number + 1);
        return JOURNAL_OVERWRITTEN;
    }
    *ret_next = number + 1;
    return JOURNAL_HELD;
}
