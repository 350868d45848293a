/*
 * The command line: options of swimctl's own, then a verb, then the verb's options and words, in
 * any order. By getopt_long.
 */
#ifndef SWIM_CTL_OPTIONS_H
#define SWIM_CTL_OPTIONS_H

#include "ctl/ctl.h"

#define OPTIONS_SOCKET_DEFAULT "/run/swim/control.sock"

enum options_result {
    OPTIONS_RUN,     /* ctl->verb */
    OPTIONS_HELP,    /* of ctl->verb, or the whole when that is NULL */
    OPTIONS_VERSION, /* of swimctl */
    OPTIONS_WRONG,   /* ret_error says what */
};

/* The options that every verb takes, for help and completions. The list ends as a verb's does. */
extern const struct ctl_option options_common[];

/* Takes the command line apart; `argv` is put in another order, and must outlive *ret. The socket
 * is --socket's, that of SWIM_SOCKET, the one in systemd's $RUNTIME_DIRECTORY where there is one,
 * or the default. */
enum options_result options_parse(int argc, char **argv, struct ctl *ret,
                                  char ret_error[CLIENT_ERROR_MAX]);

#endif
