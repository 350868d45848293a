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

#endif
