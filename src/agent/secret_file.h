/*
 * Files that hold secrets: keys, tokens. They are read only if nobody else could have read or
 * changed them.
 */
#ifndef SWIM_AGENT_SECRET_FILE_H
#define SWIM_AGENT_SECRET_FILE_H

#include "agent/config.h"
#include "swim/swim.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Reads the whole of `path` into `text`, at most `cap` bytes, and returns its size. The file must
 * be a regular one (links to it are followed: secrets of containers come as links), of root or of
 * this process's user, that nobody else has any access to, be it by mode or by access list. -1 when it isn't, is longer, or can't be
 * read: *ret_error says so of "WHAT PATH", with the way out, and never repeats any of the file.
 * What was read into `text` is the caller's to wipe, also then. Never waits: not for a pipe either.
 */
SWIM_MUST_CHECK ssize_t secret_file_read(const char *what, const char *path, char *text, size_t cap,
                                         struct config_error *ret_error);

#endif
