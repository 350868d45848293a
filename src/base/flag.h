/* What the programs have to say, each in its own words, of a flag that getopt_long refused. */
#ifndef SWIM_BASE_FLAG_H
#define SWIM_BASE_FLAG_H

#include "base/nearest.h"

struct option;

/* Is the word the whole flag of that name, with or without "=value"? getopt_long takes
 * abbreviations as well, which a later version's new flag would break. */
bool flag_is_whole(const char *word, const char *name);

/* The word of the flag that getopt_long has just taken, whether its value was in it or behind it. */
const char *flag_taken(char *const *argv);

/* The word that getopt_long has just answered with '?': "-bind" too, of which it took "-b". */
const char *flag_refused(char *const *argv);

/* " (did you mean --name?)", of the flags up to the one without a name, or "". */
const char *flag_hint(const struct option *flags, const char *word, char text[NEAREST_HINT_SIZE]);

#endif
