/*
 * Which sequence numbers of one sender and start were heard: the newest, and a bit for each of the
 * SWIM_SEAL_WINDOW before it. What is older counts as heard.
 *
 *     words[i]: the 64 numbers n with n / 64 = b, where b mod WINDOW_WORDS = i, for the newest
 *     number's block b and the blocks before it. One word more than the window needs, so that the
 *     newest number can be anywhere within its own.
 */
#ifndef SWIM_SEAL_WINDOW_H
#define SWIM_SEAL_WINDOW_H

#include "swim/seal.h"

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_WORDS (SWIM_SEAL_WINDOW / 64 + 1)

struct window {
    uint64_t newest;
    uint64_t words[WINDOW_WORDS];
};

/* A window in which this number and all before it count as heard. */
void window_begin(struct window *w, uint64_t number);
/* True when this number was neither heard nor is too old to tell. */
bool window_allows(const struct window *w, uint64_t number);
/* From now on it counts as heard. Asserted: window_allows. */
void window_mark(struct window *w, uint64_t number);

#endif
