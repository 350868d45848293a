/* The eight colours that every terminal has, so that its owner's palette decides how they look. */
#define _GNU_SOURCE
#include "ctl/style.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80

/* May colours be used on this stream? */
static bool is_styled(FILE *stream)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return isatty(fileno(stream)) == 1 && (no_colour == NULL || *no_colour == '\0') &&
           terminal != NULL && strcmp(terminal, "dumb") != 0;
}

void style_begin(FILE *stream, enum style style)
{
    static const char *const codes[] = {"",         "\x1b[1m",  "\x1b[32m",
                                        "\x1b[33m", "\x1b[31m", "\x1b[2m"};

    if (style != STYLE_PLAIN && is_styled(stream))
        (void)fputs(codes[style], stream);
}

void style_end(FILE *stream, enum style style)
{
    if (style != STYLE_PLAIN && is_styled(stream))
        (void)fputs("\x1b[0m", stream);
}

enum style style_of_status(const char *status)
{
    static const struct {
        const char *status;
        enum style style;
    } styles[] = {{"alive", STYLE_GOOD},
                  {"suspect", STYLE_DOUBT},
                  {"dead", STYLE_BAD},
                  {"left", STYLE_FAINT}};

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(styles[i].status, status) == 0)
            return styles[i].style;
    return STYLE_PLAIN;
}

size_t style_columns(FILE *stream)
{
    struct winsize size;

    if (isatty(fileno(stream)) != 1)
        return 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col;
}
