/*
 * Names and tags as values, so that a host can build and read them without an instance, and one set
 * of rules decides what may be said and what is believed. See meta_value.h.
 */
#include "core/meta_value.h"

#include "base/assert.h"
#include "base/siphash.h"

#include <string.h>

/* Bytes of the string at `text`, at most `max`: max + 1 when it is longer. */
static size_t length_of(const char *text, size_t max)
{
    size_t length = 0;

    while (length <= max && text[length])
        length++;
    return length;
}

/* Of two strings, as unsigned bytes: < 0, 0, > 0. The core uses nothing of libc's but mem*. */
static int compare(const char *a, const char *b)
{
    size_t at = 0;

    while (a[at] && a[at] == b[at])
        at++;
    return (uint8_t)a[at] - (uint8_t)b[at];
}

static bool has_equals_sign(const char *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (text[at] == '=')
            return true;
    }
    return false;
}

/* Bytes of the UTF-8 character at the start of `text`, 0 if there is none. */
static size_t character(const uint8_t *text, size_t size, uint32_t *ret_code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = text[0];
    size_t count = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = count == 1 ? first : first & (0x7Fu >> count);

    if (count == 0 || count > size || first >= 0xF8)
        return 0;
    for (size_t i = 1; i < count; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    if (code < least[count] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return count;
}

static bool is_printable(const char *text, size_t size)
{
    const uint8_t *at = (const uint8_t *)text;

    while (size) {
        uint32_t code;
        size_t count = character(at, size, &code);

        if (!count || code < 0x20 || (code >= 0x7F && code <= 0x9F))
            return false;
        at += count;
        size -= count;
    }
    return true;
}

static enum swim_meta_error check_name(const char *name, size_t length)
{
    if (length > SWIM_NAME_MAX)
        return SWIM_META_NAME_LONG;
    return is_printable(name, length) ? SWIM_META_OK : SWIM_META_NAME_TEXT;
}

static enum swim_meta_error check_key(const char *key, size_t length)
{
    if (length == 0)
        return SWIM_META_KEY_EMPTY;
    if (length > SWIM_TAG_KEY_MAX)
        return SWIM_META_KEY_LONG;
    return is_printable(key, length) && !has_equals_sign(key, length) ? SWIM_META_OK
                                                                      : SWIM_META_KEY_TEXT;
}

/* The strings inside of *meta. */
static size_t held_length(const char *text)
{
    return length_of(text, SWIM_TAGS_MAX);
}

/* Where a tag of this key is, or would be. */
struct place {
    size_t at;
    size_t size; /* of the tag there, 0: there is none */
};

static struct place find(const struct swim_meta *meta, const char *key)
{
    struct place place = {0};

    while (place.at < meta->tags_size) {
        const char *held = meta->tags + place.at;
        size_t key_size = held_length(held) + 1;
        size_t size = key_size + held_length(held + key_size) + 1;
        int order = compare(held, key);

        if (order >= 0) {
            place.size = order == 0 ? size : 0;
            return place;
        }
        place.at += size;
    }
    return place;
}

/* What is behind the place moves to make it `size` bytes large. */
static void resize(struct swim_meta *meta, struct place place, size_t size)
{
    size_t behind = place.at + place.size;

    memmove(meta->tags + place.at + size, meta->tags + behind, meta->tags_size - behind);
    meta->tags_size = (uint16_t)(meta->tags_size - place.size + size);
    memset(meta->tags + meta->tags_size, 0, sizeof meta->tags - meta->tags_size);
}

enum swim_meta_error swim_meta_set_name(struct swim_meta *meta, const char *name)
{
    size_t length;
    enum swim_meta_error error;

    ASSERT(meta && name);
    length = length_of(name, SWIM_NAME_MAX);
    error = check_name(name, length);
    if (!error) {
        memmove(meta->name, name, length);
        memset(meta->name + length, 0, sizeof meta->name - length);
    }
    return error;
}

enum swim_meta_error swim_meta_init(struct swim_meta *meta, const char *name)
{
    struct swim_meta fresh = {0};
    enum swim_meta_error error = swim_meta_set_name(&fresh, name);

    ASSERT(meta);
    if (!error)
        *meta = fresh;
    return error;
}

enum swim_meta_error swim_meta_set(struct swim_meta *meta, const char *key, const char *value)
{
    size_t key_length, value_length, size;
    enum swim_meta_error error;
    struct place place;

    ASSERT(meta && key && value);
    key_length = length_of(key, SWIM_TAG_KEY_MAX);
    value_length = length_of(value, SWIM_TAGS_MAX);
    error = check_key(key, key_length);
    if (error)
        return error;
    if (value_length > SWIM_TAGS_MAX)
        return SWIM_META_TAGS_FULL;
    if (!is_printable(value, value_length))
        return SWIM_META_VALUE_TEXT;
    place = find(meta, key);
    size = key_length + 1 + value_length + 1;
    if (meta->tags_size - place.size + size > SWIM_TAGS_MAX)
        return SWIM_META_TAGS_FULL;
    resize(meta, place, size);
    memcpy(meta->tags + place.at, key, key_length + 1);
    memcpy(meta->tags + place.at + key_length + 1, value, value_length + 1);
    return SWIM_META_OK;
}

bool swim_meta_delete(struct swim_meta *meta, const char *key)
{
    struct place place;

    ASSERT(meta && key);
    place = find(meta, key);
    resize(meta, place, 0);
    return place.size != 0;
}

const char *swim_meta_get(const struct swim_meta *meta, const char *key)
{
    struct place place;

    ASSERT(meta && key);
    place = find(meta, key);
    return place.size ? meta->tags + place.at + held_length(key) + 1 : NULL;
}

bool swim_meta_tag(const struct swim_meta *meta, uint32_t index, struct swim_tag *ret)
{
    ASSERT(meta && ret);
    for (size_t at = 0; at < meta->tags_size;) {
        const char *key = meta->tags + at;
        const char *value = key + held_length(key) + 1;

        if (index-- == 0) {
            *ret = (struct swim_tag){key, value};
            return true;
        }
        at = (size_t)(value - meta->tags) + held_length(value) + 1;
    }
    return false;
}

uint32_t swim_meta_count(const struct swim_meta *meta)
{
    uint32_t zeros = 0;

    ASSERT(meta);
    for (size_t at = 0; at < meta->tags_size; at++)
        zeros += meta->tags[at] == 0;
    return zeros / 2;
}

bool swim_meta_equal(const struct swim_meta *a, const struct swim_meta *b)
{
    ASSERT(a && b);
    return !compare(a->name, b->name) && a->tags_size == b->tags_size &&
           !memcmp(a->tags, b->tags, a->tags_size);
}

const char *swim_meta_error_name(enum swim_meta_error error)
{
    static const char *const names[] = {
        [SWIM_META_OK] = "ok",
        [SWIM_META_NAME_LONG] = "the name is longer than 128 bytes",
        [SWIM_META_NAME_TEXT] = "the name is not printable UTF-8",
        [SWIM_META_KEY_EMPTY] = "the tag's key is empty",
        [SWIM_META_KEY_LONG] = "the tag's key is longer than 255 bytes",
        [SWIM_META_KEY_TEXT] = "the tag's key is not printable UTF-8 without '='",
        [SWIM_META_VALUE_TEXT] = "the tag's value is not printable UTF-8",
        [SWIM_META_TAGS_FULL] = "all tags together are more than 4096 bytes",
    };

    return (unsigned)error < sizeof names / sizeof *names ? names[error] : "unknown";
}

/* ---- As bytes ---- */

/* Size of the string at the start of `text`, its zero included; 0 if there is no zero. */
static size_t string_size(const char *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (!text[at])
            return at + 1;
    }
    return 0;
}

static bool are_tags_wellformed(const char *tags, size_t size)
{
    const char *before = NULL;

    while (size) {
        size_t key_size = string_size(tags, size);
        size_t value_size = key_size ? string_size(tags + key_size, size - key_size) : 0;

        if (!value_size || check_key(tags, key_size - 1) ||
            !is_printable(tags + key_size, value_size - 1) ||
            (before && compare(before, tags) >= 0))
            return false;
        before = tags;
        tags += key_size + value_size;
        size -= key_size + value_size;
    }
    return true;
}

bool meta_value_is_wellformed(const uint8_t *content, size_t size)
{
    const char *name = (const char *)content;
    size_t name_size = string_size(name, size);

    return name_size && !check_name(name, name_size - 1) && size - name_size <= SWIM_TAGS_MAX &&
           are_tags_wellformed(name + name_size, size - name_size);
}

void meta_value_read(const uint8_t *content, size_t size, struct swim_meta *ret)
{
    const char *name = (const char *)content;
    size_t name_size = string_size(name, size);

    ASSERT(name_size && name_size <= sizeof ret->name && size - name_size <= sizeof ret->tags);
    memset(ret, 0, sizeof *ret);
    memcpy(ret->name, name, name_size);
    memcpy(ret->tags, name + name_size, size - name_size);
    ret->tags_size = (uint16_t)(size - name_size);
}

size_t meta_value_write(const struct swim_meta *meta, uint8_t ret_content[META_CONTENT_MAX])
{
    size_t name_size = string_size(meta->name, sizeof meta->name);

    ASSERT(name_size && meta->tags_size <= sizeof meta->tags);
    memcpy(ret_content, meta->name, name_size);
    memcpy(ret_content + name_size, meta->tags, meta->tags_size);
    ASSERT(meta_value_is_wellformed(ret_content, name_size + meta->tags_size));
    return name_size + meta->tags_size;
}

uint64_t meta_value_digest(const uint8_t *content, size_t size)
{
    static const uint8_t key[SIPHASH_KEY_SIZE] = {'s', 'w', 'i', 'm', ' ', 'm', 'e', 't',
                                                  'a', ' ', 'd', 'i', 'g', 'e', 's', 't'};

    return siphash(key, content, size);
}
