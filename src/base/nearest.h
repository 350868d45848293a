/*
 * "Did you mean": of the names that are offered, the one nearest to a word that somebody mistyped.
 * How near is a number of letters to insert, to leave out, to change, or to swap with their
 * neighbour. One in three may be wrong, and at least one; a word that a name begins with is as near
 * as with one wrong letter.
 */
#ifndef SWIM_BASE_NEAREST_H
#define SWIM_BASE_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

#define NEAREST_NAME_MAX 32 /* longer names, and such of one letter, are nobody's meaning */
#define NEAREST_HINT_SIZE (NEAREST_NAME_MAX + 64)

/* Starts with the word alone. */
struct nearest {
    const char *word;
    const char *name; /* NULL: none that was offered is near */
    size_t distance;
};

/* Is it nearer than those before it? It is kept then, by its pointer. */
bool nearest_offer(struct nearest *nearest, const char *name);

/* " (did you mean BEFORE name?)", where BEFORE are the strings that stand in front of it, or "". */
const char *nearest_hint(const struct nearest *nearest, const char *before,
                         char text[NEAREST_HINT_SIZE]);

#endif
