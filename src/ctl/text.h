/*
 * Text of others on a terminal: names and tags come from all over the cluster, and must neither
 * move the cursor nor pretend to be another line. Columns are counted as the terminal counts them.
 */
#ifndef SWIM_CTL_TEXT_H
#define SWIM_CTL_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Chooses the locale for characters. To be called once, before anything else here. */
void text_init(void);

/*
 * Writes `text` to `out` with every character that is no UTF-8, controls something (C0, C1, line
 * and paragraph separators) or turns the direction of writing, replaced by '?'. Cut to what fits,
 * between characters. Returns `out`. cap > 0.
 */
char *text_clean(const char *text, char *out, size_t cap);

/* Writes `size` bytes of lines to `out`, cleaned in the same way, but for their
 * tabs. A zero byte must follow them. */
void text_put_clean(FILE *out, const char *text, size_t size);

/* Columns of clean text. */
size_t text_width(const char *text);
/* Cuts clean text to at most `columns` columns, the last one then being the ellipsis, in place;
 * `cap` bytes must have room for what there is and an ellipsis. */
void text_fit(char *text, size_t cap, size_t columns);

#endif
