/* What the kernel says of this process: for the metrics that every Prometheus client library has. */
#ifndef SWIM_AGENT_PROCESS_STATS_H
#define SWIM_AGENT_PROCESS_STATS_H

#include <stdint.h>

struct process_stats {
    uint64_t cpu_ns;         /* user and system time */
    uint64_t resident_bytes; /* 0: not known here, as for all of these */
    uint64_t virtual_bytes;
    uint64_t open_fds;
    uint64_t max_fds;
};

/* When the process started, in seconds of the Unix epoch, by the clock on the wall as it is now: to
 * be asked once, so that it never changes. */
double process_start_time(void);
/* Reads /proc and never fails: what cannot be read is 0. */
struct process_stats process_stats(void);

#endif
