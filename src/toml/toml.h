/*
 * toml.h - the values of a TOML document, one after the other, in the order of their lines. The
 * one bridge to the C++ parser: C on both sides, no exception leaves it.
 *
 * A document has keys at the top, sections ([section]), and lists of sections ([[section]]).
 * What is nested deeper is shown as one value of type table or array, without its contents, but
 * for the elements of an array of plain values.
 */
#ifndef SWIM_TOML_TOML_H
#define SWIM_TOML_TOML_H

#ifdef __cplusplus
extern "C" {
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum toml_type {
    TOML_TYPE_TABLE,
    TOML_TYPE_ARRAY,
    TOML_TYPE_STRING,
    TOML_TYPE_INTEGER,
    TOML_TYPE_FLOAT,
    TOML_TYPE_BOOLEAN,
    TOML_TYPE_DATE, /* any kind of date or time */
};

/*
 * All pointers live as long as the visit. Strings are zero-terminated; those with a zero byte
 * inside have text_size > strlen(text).
 *
 * A list of sections comes as an array `section` at the top level (section "", key its name),
 * then each of them as a table (its name as the section, key "", `index` from 0) with its keys.
 */
struct toml_item {
    const char *section; /* "" at the top level */
    const char *key;     /* "" for the section itself */
    enum toml_type type;
    bool is_element; /* of the array `key`, which was visited before */
    bool is_listed;  /* in a list of sections: `index` tells which */
    uint32_t index;
    bool boolean;
    int64_t integer;
    double real;
    const char *text;
    size_t text_size;
    uint32_t line;
    uint32_t column;
};

/* False ends the reading. */
typedef bool toml_visit(void *context, const struct toml_item *item);

struct toml_error {
    char text[256];
    uint32_t line; /* 0: not known */
    uint32_t column;
};

/* False when the document is malformed (*ret_error is set), else true, even when a visit ended
 * it early. */
bool toml_read(const char *document, size_t size, toml_visit *visit, void *context,
               struct toml_error *ret_error);

#ifdef __cplusplus
}
#endif

#endif
