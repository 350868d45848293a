/*
 * Files that are whole or not there, whatever crashes: what swimd writes, it writes through this.
 *
 *     write PATH.new -> fsync it -> rename it to PATH -> fsync the folder
 *
 * A crash, of the process or of the machine, at any moment leaves the old content or the new one
 * under the name, never a part and never nothing. A crash before the rename can leave PATH.new
 * behind; the next write replaces it.
 */
#ifndef SWIM_AGENT_ATOMIC_FILE_H
#define SWIM_AGENT_ATOMIC_FILE_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>

/* Each step that can fail, for messages. */
enum atomic_file_step {
    ATOMIC_FILE_DONE = 0,
    ATOMIC_FILE_NAME,   /* the path is empty, too long, or leads through what is no folder */
    ATOMIC_FILE_CREATE, /* of PATH.new, in the folder of PATH */
    ATOMIC_FILE_WRITE,  /* a full disk, a limit */
    ATOMIC_FILE_SYNC,   /* the content did not reach the disk */
    ATOMIC_FILE_RENAME,
    ATOMIC_FILE_SYNC_FOLDER, /* the new content is there, but a power cut may bring the old back */
};
#define ATOMIC_FILE_STEP_COUNT 7

/*
 * Replaces, or makes, the file `path` with `size` bytes of `data`. It gets `mode` exactly, whatever
 * the umask, and has it before the first byte is in it. A link is followed to the file that it
 * leads to, so that the link stays.
 *
 * Returns ATOMIC_FILE_DONE, or the step that failed, and errno says why. Up to and including
 * ATOMIC_FILE_RENAME the old file is untouched and PATH.new is gone. Blocks for as long as the disk
 * takes. `data` is not copied: what is secret in it is the caller's to wipe.
 *
 * The folder must be one that nobody else can write in. PATH.new is not followed if it is a link.
 * Of two writers of one file at the same time, the later one fails at ATOMIC_FILE_CREATE
 * (EWOULDBLOCK); so does one that finds a PATH.new of somebody else's, or with a second name (EPERM).
 */
SWIM_MUST_CHECK enum atomic_file_step atomic_file_write(const char *path, const void *data,
                                                        size_t size, unsigned mode);

/* What to say of it before errno's words: "can't be written". Static. */
const char *atomic_file_step_text(enum atomic_file_step step);

#endif
