/* Decoding is by hand, so that what passes doesn't depend on the locale; only widths do. */
#define _GNU_SOURCE
#include "ctl/text.h"

#include "base/assert.h"

#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static bool is_utf8;

/* An unset or C locale says nothing of the terminal, and terminals are UTF-8 by now. */
void text_init(void)
{
    const char *name = setlocale(LC_CTYPE, "");

    if (name == NULL || strcmp(name, "C") == 0 || strcmp(name, "POSIX") == 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* What stands for something left out: "…", or "~" where that can't be shown. */
static const char *ellipsis(void)
{
    return is_utf8 ? "\xE2\x80\xA6" : "~";
}

/* Decodes one character; returns its bytes, 0 when there is none of UTF-8. */
static size_t decode(const char *text, uint32_t *ret)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};
    unsigned char first = (unsigned char)*text;

    for (size_t more = 0; more < sizeof forms / sizeof forms[0]; more++) {
        if ((first & forms[more].mask) != forms[more].lead)
            continue;
        uint32_t value = first & (unsigned char)~forms[more].mask;
        for (size_t i = 1; i <= more; i++) {
            if (((unsigned char)text[i] & 0xC0) != 0x80)
                return 0;
            value = value << 6 | ((unsigned char)text[i] & 0x3F);
        }
        if (value < forms[more].least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
            return 0;
        *ret = value;
        return more + 1;
    }
    return 0;
}

/* What a terminal would act upon instead of showing it, or what hides or turns what follows. */
static bool is_acted_upon(uint32_t value)
{
    return value < 0x20 || (value >= 0x7F && value < 0xA0) || value == 0xAD || value == 0x61C ||
           (value >= 0x200B && value <= 0x200F) || (value >= 0x2028 && value <= 0x202E) ||
           (value >= 0x2060 && value <= 0x206F) || value == 0xFEFF ||
           (value >= 0xFFF9 && value <= 0xFFFB) || (value >= 0xE0000 && value <= 0xE007F);
}

/* The bytes of the character at `text`; *ret_shown: it may be written as it is. */
static size_t judge(const char *text, bool *ret_shown)
{
    uint32_t value = 0;
    size_t bytes = decode(text, &value);

    *ret_shown = bytes > 0 && !is_acted_upon(value) && (is_utf8 || value < 0x80);
    return bytes > 0 ? bytes : 1;
}

char *text_clean(const char *text, char *out, size_t cap)
{
    size_t size = 0;

    ASSERT(cap > 0);
    while (*text != '\0') {
        bool is_shown;
        size_t bytes = judge(text, &is_shown);
        size_t written = is_shown ? bytes : 1;
        if (size + written >= cap)
            break;
        memcpy(out + size, is_shown ? text : "?", written);
        size += written;
        text += bytes;
    }
    out[size] = '\0';
    return out;
}

void text_put_clean(FILE *out, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        bool is_shown;
        size_t bytes = judge(text, &is_shown);
        is_shown = is_shown || *text == '\n' || *text == '\t';
        (void)fwrite(is_shown ? text : "?", 1, is_shown ? bytes : 1, out);
        text += bytes;
    }
}

/* Of the character at `text`; *ret_columns is how wide it is. */
static size_t measure(const char *text, size_t *ret_columns)
{
    uint32_t value = 0;
    size_t bytes = decode(text, &value);
    int columns = bytes > 0 ? wcwidth((wchar_t)value) : 1;

    *ret_columns = columns < 0 ? 1 : (size_t)columns;
    return bytes > 0 ? bytes : 1;
}

size_t text_width(const char *text)
{
    size_t width = 0;
    size_t columns;

    while (*text != '\0') {
        text += measure(text, &columns);
        width += columns;
    }
    return width;
}

void text_fit(char *text, size_t cap, size_t columns)
{
    size_t width = 0;
    size_t at = 0;
    size_t one = 0;

    if (text_width(text) <= columns)
        return;
    while (text[at] != '\0') {
        size_t bytes = measure(text + at, &one);
        if (width + one + 1 > columns)
            break;
        width += one;
        at += bytes;
    }
    text[at] = '\0';
    if (columns > 0)
        (void)snprintf(text + at, cap - at, "%s", ellipsis());
}
