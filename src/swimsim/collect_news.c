/*
 * The news of a run and how it spreads. Sets of nodes are bits, because a cluster of ten thousand
 * that starts at once has ten thousand pieces of news, each awaited from all the others.
 */
#include "swimsim/collect_news.h"

#include "base/assert.h"
#include "swimsim/collect_ids.h"

#include <stdlib.h>
#include <string.h>

/* Delays above are counted as this: an hour. */
#define DELAY_MS_MAX 3600000u

/* In hundredths of a per cent, for exact arithmetic. */
static const uint32_t shares[FIGURES_SHARES] = {5000, 9000, 9900, 9999, 10000};
const double figures_share_percent[FIGURES_SHARES] = {50, 90, 99, 99.99, 100};

/* ---- Delays ------------------------------------------------------------------------------ */

static void delays_add(struct delays *delays, uint64_t delay_ns)
{
    uint64_t ms = delay_ns / SWIM_MS;
    size_t place = ms < DELAY_MS_MAX ? (size_t)ms : DELAY_MS_MAX;
    if (place >= delays->size) {
        size_t size = place < 512 ? 1024 : 2 * place;
        delays->counts = collect_grow(delays->counts, delays->size, size, sizeof *delays->counts);
        delays->size = size;
    }
    delays->counts[place]++;
    delays->total++;
}

static void delays_free(struct delays *delays)
{
    free(delays->counts);
    memset(delays, 0, sizeof *delays);
}

/* ---- The book ---------------------------------------------------------------------------- */

static size_t set_size(const struct newsbook *book)
{
    return ((size_t)book->nodes_max + 63) / 64 * sizeof(uint64_t);
}

void news_init(struct newsbook *book, uint32_t nodes_max, uint64_t bytes_max)
{
    memset(book, 0, sizeof *book);
    book->nodes_max = nodes_max;
    book->bytes_max = bytes_max;
}

void news_free(struct newsbook *book)
{
    for (uint32_t i = 0; i < book->open_count; i++) {
        free(book->news[book->open[i]].pending);
    }
    free(book->news);
    free(book->open);
    delays_free(&book->joins);
    delays_free(&book->deaths);
    delays_free(&book->spread);
    delays_free(&book->leaves);
    memset(book, 0, sizeof *book);
}

void news_reset(struct newsbook *book)
{
    uint32_t nodes_max = book->nodes_max;
    uint64_t bytes_max = book->bytes_max;
    uint64_t bytes = book->bytes - book->open_count * set_size(book);
    news_free(book);
    news_init(book, nodes_max, bytes_max);
    book->bytes = bytes; /* the sets that others have taken */
}

uint64_t *news_take_set(struct newsbook *book)
{
    if (book->bytes + set_size(book) > book->bytes_max) {
        return NULL;
    }
    book->bytes += set_size(book);
    return collect_allocate(1, set_size(book));
}

void news_return_set(struct newsbook *book, uint64_t *set)
{
    if (set != NULL) {
        book->bytes -= set_size(book);
        free(set);
    }
}

static uint32_t count_bits(uint64_t word)
{
    uint32_t count = 0;
    for (; word != 0; word &= word - 1) {
        count++;
    }
    return count;
}

/* ---- One piece of news ------------------------------------------------------------------- */

/* Takes it off the list of open ones; nothing is awaited any more. */
static void close_news(struct newsbook *book, uint32_t number)
{
    uint32_t place = 0;
    while (book->open[place] != number) {
        place++;
        ASSERT(place < book->open_count);
    }
    book->open[place] = book->open[--book->open_count];
    news_return_set(book, book->news[number].pending);
    book->news[number].pending = NULL;
}

/* Notes which shares of the awaited members know by now. */
static void note_shares(struct newsbook *book, uint32_t number, uint64_t now_ns)
{
    struct news *news = &book->news[number];
    uint64_t awaited = (uint64_t)news->told.told + news->remaining;
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        bool is_reached =
            news->told.told > 0 && (uint64_t)news->told.told * 10000 >= awaited * shares[k];
        if (is_reached && news->told.share_ns[k] == FIGURES_NEVER) {
            news->told.share_ns[k] = now_ns - news->told.at_ns;
        }
    }
}

static void settle(struct newsbook *book, uint32_t number, uint64_t now_ns)
{
    note_shares(book, number, now_ns);
    if (book->news[number].remaining == 0) {
        close_news(book, number);
    }
}

uint32_t news_open(struct newsbook *book, const struct figures_news *subject, uint64_t *pending)
{
    if (book->count == book->capacity) {
        uint32_t capacity = book->capacity == 0 ? 64 : 2 * book->capacity;
        book->news = collect_grow(book->news, book->capacity, capacity, sizeof *book->news);
        book->open = collect_grow(book->open, book->capacity, capacity, sizeof *book->open);
        book->capacity = capacity;
    }
    uint32_t number = book->count++;
    struct news *news = &book->news[number];
    news->told = *subject;
    news->told.first_suspected_ns = FIGURES_NEVER;
    news->told.first_known_ns = FIGURES_NEVER;
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        news->told.share_ns[k] = FIGURES_NEVER;
    }
    news->pending = pending;
    for (size_t i = 0; i < set_size(book) / sizeof *pending; i++) {
        news->remaining += count_bits(pending[i]);
    }
    book->open[book->open_count++] = number;
    settle(book, number, subject->at_ns);
    return number;
}

static void count_delay(struct newsbook *book, const struct figures_news *told, uint64_t delay_ns)
{
    if (told->kind == FIGURES_JOIN) {
        delays_add(&book->joins, delay_ns);
    } else if (told->kind == FIGURES_LEAVE) {
        delays_add(&book->leaves, delay_ns);
    } else {
        delays_add(&book->deaths, delay_ns);
        delays_add(&book->spread, delay_ns - told->first_known_ns);
    }
}

void news_tell(struct newsbook *book, uint32_t number, uint32_t observer, uint64_t now_ns)
{
    struct news *news = &book->news[number];
    if (news->pending == NULL) {
        return;
    }
    uint64_t delay_ns = now_ns - news->told.at_ns;
    if (news->told.first_known_ns == FIGURES_NEVER) {
        news->told.first_known_ns = delay_ns;
    }
    if (!set_has(news->pending, observer)) {
        return;
    }
    set_drop(news->pending, observer);
    news->remaining--;
    news->told.told++;
    count_delay(book, &news->told, delay_ns);
    settle(book, number, now_ns);
}

void news_suspect(struct newsbook *book, uint32_t number, uint64_t now_ns)
{
    struct figures_news *told = &book->news[number].told;
    if (told->first_suspected_ns == FIGURES_NEVER) {
        told->first_suspected_ns = now_ns - told->at_ns;
    }
}

void news_overtake(struct newsbook *book, uint32_t number)
{
    if (book->news[number].pending != NULL) {
        book->news[number].told.is_overtaken = true;
        close_news(book, number);
    }
}

void news_excuse(struct newsbook *book, uint32_t observer, uint64_t now_ns)
{
    for (uint32_t i = book->open_count; i-- > 0;) {
        uint32_t number = book->open[i];
        struct news *news = &book->news[number];
        if (set_has(news->pending, observer)) {
            set_drop(news->pending, observer);
            news->remaining--;
            settle(book, number, now_ns); /* may put another, already seen, in its place */
        }
    }
}

/* ---- Summing up -------------------------------------------------------------------------- */

/* The delay by which so many of the pairs knew. */
static uint64_t delay_of(const struct delays *delays, uint64_t pairs, uint32_t share)
{
    uint64_t sum = 0;
    for (size_t ms = 0; ms < delays->size; ms++) {
        sum += delays->counts[ms];
        if (sum > 0 && sum * 10000 >= pairs * share) {
            return (ms + 1) * SWIM_MS;
        }
    }
    return FIGURES_NEVER;
}

/* A point wherever the curve has risen by a two-hundredth or the last pair knew. */
static void draw(const struct delays *delays, struct figures_curve *curve)
{
    uint64_t sum = 0;
    uint64_t drawn = 0;
    curve->points = collect_allocate(202, sizeof *curve->points);
    for (size_t ms = 0; ms < delays->size; ms++) {
        sum += delays->counts[ms];
        if (sum > drawn && ((sum - drawn) * 200 >= curve->pairs || sum == delays->total)) {
            curve->points[curve->count++] = (struct figures_point){
                .after_ns = (ms + 1) * SWIM_MS, .share = (double)sum / (double)curve->pairs};
            drawn = sum;
        }
    }
}

static void sum_up_curve(const struct delays *delays, uint64_t pairs, struct figures_curve *curve)
{
    curve->pairs = pairs;
    for (size_t k = 0; k < FIGURES_SHARES; k++) {
        curve->share_ns[k] = delay_of(delays, pairs, shares[k]);
    }
    draw(delays, curve);
}

void news_sum_up(const struct newsbook *book, struct figures *figures)
{
    uint64_t pairs[3] = {0};
    figures->news = collect_allocate(book->count, sizeof *figures->news);
    figures->news_count = book->count;
    figures->news_untracked = book->untracked;
    for (uint32_t i = 0; i < book->count; i++) {
        const struct news *news = &book->news[i];
        bool is_open = news->pending != NULL;
        figures->news[i] = news->told;
        figures->news[i].awaited = news->told.told + news->remaining;
        /* What was overtaken could not reach the rest any more. */
        pairs[news->told.kind] += news->told.told + (is_open ? news->remaining : 0);
    }
    sum_up_curve(&book->joins, pairs[FIGURES_JOIN], &figures->joins);
    sum_up_curve(&book->deaths, pairs[FIGURES_CRASH], &figures->deaths);
    sum_up_curve(&book->spread, pairs[FIGURES_CRASH], &figures->spread);
    sum_up_curve(&book->leaves, pairs[FIGURES_LEAVE], &figures->leaves);
}
