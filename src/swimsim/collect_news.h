/*
 * collect_news.h - who has yet to hear of what: the news of a run, each with a bit for every
 * member that it is awaited from, and the curves that they make together.
 *
 * Part of the collector (collect.h has the words). A piece of news is open until all awaited
 * members know it or it is overtaken. Delays are counted in whole milliseconds for the curves,
 * exactly for each piece.
 */
#ifndef SWIM_SWIMSIM_COLLECT_NEWS_H
#define SWIM_SWIMSIM_COLLECT_NEWS_H

#include "swimsim/collect.h"

#define NEWS_NONE UINT32_MAX

/* ---- Sets of nodes ---- */

static inline void set_put(uint64_t *set, uint32_t node)
{
    set[node / 64] |= UINT64_C(1) << (node % 64);
}

static inline void set_drop(uint64_t *set, uint32_t node)
{
    set[node / 64] &= ~(UINT64_C(1) << (node % 64));
}

static inline bool set_has(const uint64_t *set, uint32_t node)
{
    return (set[node / 64] >> (node % 64) & 1) != 0;
}

/* ---- Delays ---- */

/* How many delays there were of each whole number of milliseconds. */
struct delays {
    uint32_t *counts;
    size_t size;
    uint64_t total;
};

/* ---- News ---- */

struct news {
    struct figures_news told; /* `awaited` is filled in by news_list */
    uint64_t *pending;        /* set of those awaited; NULL once it is closed */
    uint32_t remaining;       /* how many they are */
};

struct newsbook {
    uint32_t nodes_max;
    uint64_t bytes_max; /* for sets */
    uint64_t bytes;
    struct news *news;
    uint32_t count;
    uint32_t capacity;
    uint32_t *open; /* their numbers, in no order that matters */
    uint32_t open_count;
    uint32_t untracked;
    struct delays joins;
    struct delays deaths;
    struct delays spread;
    struct delays leaves;
};

void news_init(struct newsbook *book, uint32_t nodes_max, uint64_t bytes_max);
void news_free(struct newsbook *book);
/* Forgets all news; the limits stay. */
void news_reset(struct newsbook *book);

/* New, zeroed; NULL when the memory for sets is used up. Given back with the size that it has by
 * free and news_return_set. */
uint64_t *news_take_set(struct newsbook *book);
void news_return_set(struct newsbook *book, uint64_t *set);

/* Opens a piece of news about `subject` (kind, node, id, at_ns are read), awaited from the members
 * in `pending`, a set of news_take_set's that now belongs to the book. */
uint32_t news_open(struct newsbook *book, const struct figures_news *subject, uint64_t *pending);
/* `observer` told its host. Counts once, and only if it was awaited. */
void news_tell(struct newsbook *book, uint32_t number, uint32_t observer, uint64_t now_ns);
/* Somebody suspects the subject of a crash. */
void news_suspect(struct newsbook *book, uint32_t number, uint64_t now_ns);
/* Nobody can learn it any more. */
void news_overtake(struct newsbook *book, uint32_t number);
/* Nothing is awaited from this member any more. O(open news). */
void news_excuse(struct newsbook *book, uint32_t observer, uint64_t now_ns);

/* The news and curves so far, into the figures; lists that they own. */
void news_sum_up(const struct newsbook *book, struct figures *figures);

#endif
