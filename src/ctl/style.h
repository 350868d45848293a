/* Colours, where somebody looks: on a terminal, unless NO_COLOR is set (no-color.org) or the
 * terminal is a dumb one. */
#ifndef SWIM_CTL_STYLE_H
#define SWIM_CTL_STYLE_H

#include <stdbool.h>
#include <stdio.h>

enum style { STYLE_PLAIN, STYLE_HEAD, STYLE_GOOD, STYLE_DOUBT, STYLE_BAD, STYLE_FAINT };

/* Switches to a style, or back; nothing when colours may not be used. */
void style_begin(FILE *stream, enum style style);
void style_end(FILE *stream, enum style style);
/* Of a member's status by its name. */
enum style style_of_status(const char *status);

/* Columns of the terminal; 0 when the stream is none. */
size_t style_columns(FILE *stream);

#endif
