/*
 * The key file (docs/configuration.md, "Keys"): any bytes against the loader, and beside it a
 * reading of the same bytes that goes character by character. The file is taken whole or not at
 * all, and what is wrong is said without any digits of the file.
 */
#define _GNU_SOURCE
#include "agent/keyfile.h"

#include "base/assert.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char path[] = "keys";

/* ---- The second reading ---- */

struct reading {
    const uint8_t *at;
    const uint8_t *end;
    unsigned count;
    uint8_t keys[SWIM_KEYS_MAX][SWIM_KEY_SIZE];
};

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int value_of(int c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == 0 ? NULL : strchr(digits, c);

    return at == NULL ? -1 : (int)((at - digits) % 16);
}

static int peek(const struct reading *r)
{
    return r->at < r->end ? *r->at : '\n';
}

static bool add(struct reading *r, const uint8_t *key)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < SWIM_KEY_SIZE; i++)
        sum += key[i];
    if (sum == 0 || r->count == SWIM_KEYS_MAX)
        return false;
    for (unsigned i = 0; i < r->count; i++)
        if (memcmp(r->keys[i], key, SWIM_KEY_SIZE) == 0)
            return false;
    memcpy(r->keys[r->count++], key, SWIM_KEY_SIZE);
    return true;
}

/* From the first digit to the end of the line. */
static bool read_key(struct reading *r)
{
    uint8_t key[SWIM_KEY_SIZE] = {0};

    for (unsigned i = 0; i < KEY_HEX_SIZE; i++) {
        int value = value_of(peek(r));
        if (value < 0)
            return false;
        key[i / 2] = (uint8_t)(key[i / 2] * 16 + value);
        r->at++;
    }
    while (is_blank(peek(r)))
        r->at++;
    return (peek(r) == '\n' || peek(r) == '#') && add(r, key);
}

static bool read_line(struct reading *r)
{
    while (is_blank(peek(r)))
        r->at++;
    if (peek(r) != '\n' && peek(r) != '#' && !read_key(r))
        return false;
    while (peek(r) != '\n')
        r->at++;
    r->at++;
    return true;
}

static bool read_naively(const uint8_t *data, size_t size, struct reading *r)
{
    *r = (struct reading){.at = data, .end = data + size};
    while (r->at < r->end)
        if (!read_line(r))
            return false;
    return r->count > 0;
}

/* ---- The comparison ---- */

static void check_keys(const struct keyset *keys, const struct reading *reading)
{
    ASSERT(keys->count == reading->count);
    ASSERT(memcmp(keys->key, reading->keys, keys->count * sizeof keys->key[0]) == 0);
}

/* No sixteen hex digits of the file are in it. */
static void check_message(const struct config_error *error, const uint8_t *data, size_t size)
{
    const char *words = strstr(error->text, path);

    ASSERT(words != NULL && memchr(error->text, '\0', sizeof error->text) != NULL);
    words += strlen(path);
    for (size_t i = 0; i + KEY_HEX_SIZE / 4 <= size; i++) {
        bool is_hex = true;
        for (size_t j = 0; j < KEY_HEX_SIZE / 4 && is_hex; j++)
            is_hex = value_of(data[i + j]) >= 0;
        ASSERT(!is_hex || memmem(words, strlen(words), data + i, KEY_HEX_SIZE / 4) == NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyset *keys;
    static struct reading reading;
    struct config_error error = {.text = ""};
    bool is_taken;

    if (keys == NULL)
        keys = keyset_new();
    ASSERT(keys != NULL);
    is_taken = keyfile_parse(keys, path, (const char *)data, size, &error);
    ASSERT(is_taken == read_naively(data, size, &reading));
    if (is_taken) {
        check_keys(keys, &reading);
    } else {
        ASSERT(keys->count == 0);
        check_message(&error, data, size);
    }
    return 0;
}
