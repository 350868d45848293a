/*
 * What the daemon opens as it starts. Where that fails, why is on standard error, and what to do; the
 * exit code is EXIT_CODE_BIND where another program or a right is in the way.
 */
#ifndef SWIM_AGENT_DOORS_H
#define SWIM_AGENT_DOORS_H

#include "agent/exit_code.h"

struct agent;

enum exit_code doors_open_state(struct agent *agent);
enum exit_code doors_open_socket(struct agent *agent);
/* Both need the member, and open nothing where the settings want none. */
enum exit_code doors_open_http(struct agent *agent);
enum exit_code doors_open_control(struct agent *agent);

#endif
