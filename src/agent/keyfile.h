/*
 * The cluster's keys: in memory that is locked and wiped, and as the lines of a file.
 *
 *     # Primary key first: what this member sends is sealed with it.
 *     8f0c...64 hex digits...
 *     17aa...64 hex digits...      # accepted too
 *
 * Nothing here, and no message that comes from here, ever repeats a key or a line of the file.
 */
#ifndef SWIM_AGENT_KEYFILE_H
#define SWIM_AGENT_KEYFILE_H

#include "agent/config.h"
#include "swim/seal.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer file is refused unread. */
#define KEYFILE_MAX (16 * 1024)
#define KEY_HEX_SIZE (2 * SWIM_KEY_SIZE)

struct keyset {
    uint32_t count;                            /* at most SWIM_KEYS_MAX */
    uint8_t key[SWIM_KEYS_MAX][SWIM_KEY_SIZE]; /* the primary one first */
};

/* An empty set, in locked memory between guard pages, left out of core dumps. From here on this
 * process leaves no core dumps, and other processes of the same user can't look into it. NULL when
 * there is no memory, or libsodium can't start. */
SWIM_MUST_CHECK struct keyset *keyset_new(void);
/* Wipes it. NULL is allowed. */
void keyset_free(struct keyset *keys);
/* Keys are gone, all of them: the process may be looked into again (keyset_new). */
void keyset_forget_all(void);

/* Adds a key at the end. NULL when done, else what is wrong (static), and nothing has changed. */
SWIM_MUST_CHECK const char *keyset_add(struct keyset *keys, const uint8_t key[SWIM_KEY_SIZE]);
/* The place of the key with this id; keys->count when there is none. */
uint32_t keyset_find(const struct keyset *keys, uint32_t key_id);
/* Makes the key at `at` the primary one; the others stay in order. */
void keyset_use(struct keyset *keys, uint32_t at);
/* Takes the key at `at` out, and wipes it. */
void keyset_remove(struct keyset *keys, uint32_t at);

/* 64 hex digits, of either case. NULL when read, else what is wrong (static). Takes the same time
 * for every key. */
SWIM_MUST_CHECK const char *key_parse(const char *text, size_t size,
                                      uint8_t ret_key[SWIM_KEY_SIZE]);

/* The keys that the configuration gives, in whatever way, over *keys. False when there is something
 * wrong with them: see keyfile_load; *ret_error also names the line that gives them. */
SWIM_MUST_CHECK bool keyset_load(struct keyset *keys, const struct agent_config *config,
                                 struct config_error *ret_error);

/*
 * Reads the keys of `path` over *keys. The file must be a regular one (links to it are followed:
 * secrets of containers come as links), of root or of this process's user, that nobody else has
 * any access to. False when it isn't, can't be read, or has a mistake: *ret_error names the file,
 * the line and the way out, and *keys is empty.
 */
SWIM_MUST_CHECK bool keyfile_load(struct keyset *keys, const char *path,
                                  struct config_error *ret_error);
/* The same with the file's text at hand; `path` is for the messages. Wiping the text is the
 * caller's. */
SWIM_MUST_CHECK bool keyfile_parse(struct keyset *keys, const char *path, const char *text,
                                   size_t size, struct config_error *ret_error);
/*
 * Replaces the file by one that holds these keys. Comments in it are lost, for it is written anew.
 * A crash leaves the old file or the new one, never a part. False when it couldn't be written: the
 * old one is still there, and *ret_error says why.
 */
SWIM_MUST_CHECK bool keyfile_save(const struct keyset *keys, const char *path,
                                  struct config_error *ret_error);

#endif
