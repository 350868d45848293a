/*
 * The folder that a node keeps its state in:
 *
 *     DIR/lock              held by the daemon that uses it, for as long as it runs
 *     DIR/state             state.h; written whole by atomic_file.h, for its owner alone
 *     DIR/state.damaged-1   what was set aside, likewise state.foreign-1; up to 100 of each
 */
#ifndef SWIM_AGENT_STATE_FILE_H
#define SWIM_AGENT_STATE_FILE_H

#include "agent/atomic_file.h"
#include "agent/config.h"
#include "agent/exit_code.h"
#include "agent/state.h"

#include <stdbool.h>

#define STATE_PATH_MAX (CONFIG_PATH_MAX + 32)

/* All zero: not opened, and nothing to close. */
struct state_file {
    char folder[CONFIG_PATH_MAX]; /* "": not open */
    char path[STATE_PATH_MAX];
    int lock;
};

/*
 * Makes the folder if there is none (its parent must be there), and takes it for this process.
 * EXIT_CODE_OK; EXIT_CODE_CONFIG when it can't be used (no folder, others may write in it, no
 * permission); EXIT_CODE_BIND when another daemon uses it. *ret_error names what and the way out.
 */
enum exit_code state_file_open(struct state_file *file, const char *folder,
                               struct config_error *ret_error);
/* Would it be opened, as far as can be told without making or changing anything? False: *ret_error as
 * above. For --check-config; whether another daemon uses it doesn't matter. */
bool state_file_check(const char *folder, struct config_error *ret_error);
/* Gives the folder back. */
void state_file_close(struct state_file *file);

enum state_found {
    STATE_FOUND,     /* *ret_state is filled in */
    STATE_NONE,      /* a first start */
    STATE_SET_ASIDE, /* it was no good: renamed, *ret_note says why and to what */
    STATE_UNREADABLE /* *ret_note says why; nothing was changed */
};
/* Reads the state; `cluster` is what the node is told to be a member of. */
enum state_found state_file_load(const struct state_file *file, const char *cluster,
                                 struct state *ret_state, struct config_error *ret_note);

/* The text of a state is written and on the disk, or *ret_step and errno say why it is not. */
bool state_file_write(const struct state_file *file, const char *text, size_t size,
                      enum atomic_file_step *ret_step);

#endif
