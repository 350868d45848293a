/*
 * Keys never lie in memory that can be swapped or dumped: the file is read into, and written from,
 * pages that libsodium locks and wipes. docs/configuration.md, section "Keys".
 */
#define _GNU_SOURCE
#include "agent/keyfile.h"

#include "agent/atomic_file.h"
#include "agent/secret_file.h"
#include "base/assert.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define BLANKS " \t\r"
/* What a written file opens with, and room for all keys. */
#define SAVED_HEAD "# Keys of the cluster, written by swimd. The first one is the primary key.\n"
#define SAVED_MAX (sizeof SAVED_HEAD + SWIM_KEYS_MAX * (KEY_HEX_SIZE + 1))

/* ---- Sets -------------------------------------------------------------------------------- */

/* The hard limit stays: a child of ours has its own to lower. */
static void hide_process(void)
{
    struct rlimit limit = {.rlim_cur = 0};

    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void keyset_forget_all(void)
{
    (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

struct keyset *keyset_new(void)
{
    struct keyset *keys;

    if (sodium_init() < 0)
        return NULL;
    hide_process();
    keys = sodium_malloc(sizeof *keys); /* ends at a page's end: aligned as its size is */
    if (keys != NULL)
        sodium_memzero(keys, sizeof *keys);
    return keys;
}

void keyset_free(struct keyset *keys)
{
    sodium_free(keys);
}

const char *keyset_add(struct keyset *keys, const uint8_t key[SWIM_KEY_SIZE])
{
    ASSERT(keys->count <= SWIM_KEYS_MAX);
    if (sodium_is_zero(key, SWIM_KEY_SIZE))
        return "a key of zeros only is no secret; draw one with swimd --generate-key";
    if (keyset_find(keys, swim_key_id(key)) != keys->count)
        return "this key, or one with the same id, is there already";
    if (keys->count == SWIM_KEYS_MAX)
        return "more than 8 keys";
    memcpy(keys->key[keys->count++], key, SWIM_KEY_SIZE);
    return NULL;
}

uint32_t keyset_find(const struct keyset *keys, uint32_t key_id)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (swim_key_id(keys->key[i]) == key_id)
            return i;
    return keys->count;
}

void keyset_use(struct keyset *keys, uint32_t at)
{
    uint8_t key[SWIM_KEY_SIZE];

    ASSERT(at < keys->count);
    memcpy(key, keys->key[at], sizeof key);
    memmove(keys->key[1], keys->key[0], at * sizeof keys->key[0]);
    memcpy(keys->key[0], key, sizeof key);
    sodium_memzero(key, sizeof key);
}

void keyset_remove(struct keyset *keys, uint32_t at)
{
    ASSERT(at < keys->count);
    keys->count--;
    memmove(keys->key[at], keys->key[at + 1 < SWIM_KEYS_MAX ? at + 1 : at],
            (keys->count - at) * sizeof keys->key[0]);
    sodium_memzero(keys->key[keys->count], sizeof keys->key[0]);
}

/* ---- One key ----------------------------------------------------------------------------- */

const char *key_parse(const char *text, size_t size, uint8_t ret_key[SWIM_KEY_SIZE])
{
    uint8_t key[SWIM_KEY_SIZE];
    size_t key_size = 0;
    bool ok = size == KEY_HEX_SIZE &&
              sodium_hex2bin(key, sizeof key, text, size, NULL, &key_size, NULL) == 0 &&
              key_size == sizeof key;

    if (ok)
        memcpy(ret_key, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return ok ? NULL : "not a key: a key has 64 hex digits (swimd --generate-key prints one)";
}

/* ---- Reading ----------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static bool fail(struct config_error *ret_error,
                                                       const char *path, const char *format, ...)
{
    va_list arguments;
    int size = snprintf(ret_error->text, sizeof ret_error->text, "the key file %.400s: ", path);

    ASSERT(size > 0 && (size_t)size < sizeof ret_error->text);
    va_start(arguments, format);
    (void)vsnprintf(ret_error->text + size, sizeof ret_error->text - (size_t)size, format,
                    arguments);
    va_end(arguments);
    return false;
}

/* A line without blanks around it and without its comment: its first `*ret_size` bytes. */
static const char *strip(const char *line, size_t size, size_t *ret_size)
{
    const char *comment = memchr(line, '#', size);

    if (comment != NULL)
        size = (size_t)(comment - line);
    while (size > 0 && strchr(BLANKS, line[size - 1]) != NULL && line[size - 1] != '\0')
        size--;
    while (size > 0 && strchr(BLANKS, *line) != NULL && *line != '\0') {
        line++;
        size--;
    }
    *ret_size = size;
    return line;
}

static const char *take_line(struct keyset *keys, const char *line, size_t size)
{
    uint8_t key[SWIM_KEY_SIZE];
    const char *wrong;

    line = strip(line, size, &size);
    if (size == 0)
        return NULL;
    wrong = key_parse(line, size, key);
    if (wrong == NULL)
        wrong = keyset_add(keys, key);
    sodium_memzero(key, sizeof key);
    return wrong;
}

static bool take_lines(struct keyset *keys, const char *path, const char *text, size_t size,
                       struct config_error *ret_error)
{
    const char *wrong = NULL;
    unsigned line = 0;

    while (size > 0 && wrong == NULL) {
        const char *end = memchr(text, '\n', size);
        size_t length = end != NULL ? (size_t)(end - text) : size;
        line++;
        wrong = take_line(keys, text, length);
        if (end != NULL)
            length++;
        text += length;
        size -= length;
    }
    if (wrong != NULL)
        return fail(ret_error, path, "line %u: %s", line, wrong);
    if (keys->count == 0)
        return fail(ret_error, path,
                    "there is no key in it; swimd --generate-key > FILE makes one");
    return true;
}

bool keyfile_parse(struct keyset *keys, const char *path, const char *text, size_t size,
                   struct config_error *ret_error)
{
    bool ok;

    sodium_memzero(keys, sizeof *keys);
    ok = take_lines(keys, path, text, size, ret_error);
    if (!ok)
        sodium_memzero(keys, sizeof *keys);
    return ok;
}

bool keyfile_load(struct keyset *keys, const char *path, struct config_error *ret_error)
{
    char *text = sodium_malloc(KEYFILE_MAX);
    ssize_t size = -1;
    bool ok;

    sodium_memzero(keys, sizeof *keys);
    if (text == NULL)
        return fail(ret_error, path, "no memory to read it");
    size = secret_file_read("the key file", path, text, KEYFILE_MAX, ret_error);
    ok = size >= 0 && keyfile_parse(keys, path, text, (size_t)size, ret_error);
    sodium_free(text);
    return ok;
}

static bool take_cluster_key(struct keyset *keys, const struct agent_config *config,
                             struct config_error *ret_error)
{
    const char *wrong;

    sodium_memzero(keys, sizeof *keys);
    wrong = keyset_add(keys, config->cluster_key);
    if (wrong == NULL)
        return true;
    (void)snprintf(ret_error->text, sizeof ret_error->text, "the cluster key: %s", wrong);
    return false;
}

bool keyset_load(struct keyset *keys, const struct agent_config *config,
                 struct config_error *ret_error)
{
    bool ok = config->has_cluster_key ? take_cluster_key(keys, config, ret_error)
                                      : keyfile_load(keys, config->key_file, ret_error);

    if (!ok)
        config_error_place(ret_error, config, &config->key_place);
    return ok;
}

/* ---- Writing ----------------------------------------------------------------------------- */

static size_t render(const struct keyset *keys, char *text)
{
    size_t size = sizeof SAVED_HEAD - 1;

    memcpy(text, SAVED_HEAD, size);
    for (uint32_t i = 0; i < keys->count; i++) {
        (void)sodium_bin2hex(text + size, KEY_HEX_SIZE + 1, keys->key[i], SWIM_KEY_SIZE);
        size += KEY_HEX_SIZE;
        text[size++] = '\n'; /* over the terminating zero */
    }
    return size;
}

bool keyfile_save(const struct keyset *keys, const char *path, struct config_error *ret_error)
{
    char *text = sodium_malloc(SAVED_MAX);
    enum atomic_file_step step;

    if (text == NULL)
        return fail(ret_error, path, "no memory to write it");
    step = atomic_file_write(path, text, render(keys, text), 0600);
    int cause = errno;
    sodium_free(text);
    return step == ATOMIC_FILE_DONE ||
           fail(ret_error, path, "%s: %s", atomic_file_step_text(step), strerror(cause));
}
