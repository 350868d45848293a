/*
 * The last log lines, in memory of a fixed size, for GET /log of the control socket: what was said
 * before somebody came to look. As bounded as it is small; lines hold no keys, here or elsewhere.
 */
#ifndef SWIM_AGENT_LOG_RING_H
#define SWIM_AGENT_LOG_RING_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

#define LOG_RING_SIZE ((size_t)128 * 1024)

/* Adds a line, with its newline; the oldest ones make room. Longer ones than the ring are left
 * out. */
void log_ring_add(const char *line, size_t size);
/* Hands all lines that are still there to the sink, oldest first. */
void log_ring_write(json_sink *sink, void *context);

#endif
