/* Fresh keys of a cluster, for swimd --generate-key and swimctl keygen. On libsodium; for hosts. */
#ifndef SWIM_BASE_KEYGEN_H
#define SWIM_BASE_KEYGEN_H

#include <stdbool.h>

/* Draws a key, and prints its 64 hex digits and `tail` on standard output, which is not buffered
 * from here on. False when it can't be drawn, or written. Nothing of it stays in memory. */
bool keygen_print(const char *tail);

#endif
