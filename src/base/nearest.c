/* Damerau's distance of two short words, where a letter is moved once at most ("optimal string
 * alignment"): a row of the table a letter, of which the last two are held. */
#define _GNU_SOURCE
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

#define PREFIX_MIN 3

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t distance_of(const char *a, const char *b, size_t b_size)
{
    size_t rows[3][NEAREST_NAME_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b_size; j++)
        above[j] = j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t *spare = before;
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        before = above;
        above = row;
        row = spare;
    }
    return above[b_size];
}

bool nearest_offer(struct nearest *nearest, const char *name)
{
    size_t word_size = strnlen(nearest->word, 2 * NEAREST_NAME_MAX);
    size_t size = strnlen(name, NEAREST_NAME_MAX + 1);
    size_t allowed = size / 3 > 1 ? size / 3 : 1;
    size_t distance;

    if (size < 2 || size > NEAREST_NAME_MAX || word_size > size + allowed)
        return false;
    distance = distance_of(nearest->word, name, size);
    if (distance > 1 && word_size >= PREFIX_MIN && strncmp(name, nearest->word, word_size) == 0)
        distance = 1;
    if (distance > allowed || (nearest->name != NULL && distance >= nearest->distance))
        return false;
    nearest->name = name;
    nearest->distance = distance;
    return true;
}

const char *nearest_hint(const struct nearest *nearest, const char *before,
                         char text[NEAREST_HINT_SIZE])
{
    text[0] = '\0';
    if (nearest->name != NULL)
        (void)snprintf(text, NEAREST_HINT_SIZE, " (did you mean %s%s?)", before, nearest->name);
    return text;
}
