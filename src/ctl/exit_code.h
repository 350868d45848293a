/* How swimctl ends: swimctl(1), section "EXIT STATUS". Scripts rely on the numbers. */
#ifndef SWIM_CTL_EXIT_CODE_H
#define SWIM_CTL_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILURE = 1,     /* the daemon, or the system, said no */
    EXIT_CODE_USAGE = 2,       /* the command line is wrong: nothing was asked */
    EXIT_CODE_CONFIG = 3,      /* a file that was named is wrong: nothing was asked */
    EXIT_CODE_UNREACHABLE = 5, /* no daemon answers at the socket */
    EXIT_CODE_PARTIAL = 6,     /* of several things wanted, some failed */
    EXIT_CODE_TIMEOUT = 7,     /* no answer, or no effect, in time */
};

#endif
