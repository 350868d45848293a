/* The process's exit codes: docs/configuration.md, section "Exit codes". */
#ifndef SWIM_AGENT_EXIT_CODE_H
#define SWIM_AGENT_EXIT_CODE_H

enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_FAILURE = 1,
    EXIT_CODE_USAGE = 2,
    EXIT_CODE_CONFIG = 3,
    EXIT_CODE_BIND = 4,
};

/* Says on standard error why the daemon can't start. Returns `code`. */
__attribute__((format(printf, 2, 3))) enum exit_code exit_code_fail(enum exit_code code,
                                                                    const char *format, ...);

#endif
