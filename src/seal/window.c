/*
 * The window against repetitions (docs/protocol.md section 3, "Windows"). It is the ring of words
 * of RFC 6479: moving on clears whole words and shifts nothing, so a datagram costs the same
 * wherever it falls, and one far ahead costs at most the ring.
 */
#include "seal/window.h"

#include "base/assert.h"

#include <string.h>

static uint32_t word_of(uint64_t number)
{
    return (uint32_t)(number / 64 % WINDOW_WORDS);
}

static uint64_t bit_of(uint64_t number)
{
    return UINT64_C(1) << number % 64;
}

void window_begin(struct window *w, uint64_t number)
{
    memset(w->words, 0xFF, sizeof w->words);
    w->words[word_of(number)] = bit_of(number) | (bit_of(number) - 1);
    w->newest = number;
}

bool window_allows(const struct window *w, uint64_t number)
{
    if (number > w->newest)
        return true;
    return w->newest - number <= SWIM_SEAL_WINDOW &&
           (w->words[word_of(number)] & bit_of(number)) == 0;
}

static void move_on(struct window *w, uint64_t number)
{
    uint64_t blocks = number / 64 - w->newest / 64;

    for (uint64_t i = 1; i <= blocks && i <= WINDOW_WORDS; i++)
        w->words[word_of(w->newest + i * 64)] = 0;
    w->newest = number;
}

void window_mark(struct window *w, uint64_t number)
{
    ASSERT(window_allows(w, number));
    if (number > w->newest)
        move_on(w, number);
    w->words[word_of(number)] |= bit_of(number);
}
