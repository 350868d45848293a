/*
 * What the node remembers over its restarts: who it is, which incarnations it has used, where the
 * others are. Kept in the state folder ([node] state_dir); without one, nothing is.
 *
 *     start         keeper_open -> keeper_identify -> (the member starts) -> keeper_begin
 *     each turn     keeper_reserve, before anything is sent; keeper_note for each event
 *     end           keeper_close
 *
 * Writing blocks the loop for as long as the disk takes for two fsyncs. So it is rare: at the start,
 * when the reserved incarnations run out (once a second, when somebody makes that happen all the
 * time), at most once a second when the list of members has changed, at the end; and never when the
 * text is the same as on the disk.
 */
#ifndef SWIM_AGENT_KEEPER_H
#define SWIM_AGENT_KEEPER_H

#include "agent/config.h"
#include "agent/exit_code.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct keeper;

struct keeper_stats {
    uint64_t writes;
    uint64_t failures;
    uint64_t write_ns; /* time spent in both */
};

/* What the keeper makes the agent do. */
struct keeper_host {
    void *context;
    bool (*join)(void *context, const struct swim_addr *addr); /* false: no place for it */
    void (*unjoin)(void *context, const struct swim_addr *addr);
    void (*settle)(void *context); /* the end of a turn of the loop */
};

/* Reads what the folder holds. *ret stays NULL where no folder is configured. Exit codes as
 * state_file_open; *ret_error then says why. What was set aside is a warning in the log. */
enum exit_code keeper_open(struct keeper **ret, const struct agent_config *config,
                           struct config_error *ret_error);
/* The id and the incarnation that were remembered, if any, in place of those of `config`. */
void keeper_identify(struct keeper *keeper, struct swim_config *config);
/* The latest start of a sealing sender that was remembered, 0: none (swim/seal.h). */
uint64_t keeper_last_start(const struct keeper *keeper);
/* The member has started, and nothing was sent yet: reserves incarnations, on the disk, and sees to
 * it that remembered members are tried for as long as they are missed. False: no memory. */
bool keeper_begin(struct keeper *keeper, struct event_base *base, const struct swim *swim,
                  const struct keeper_host *host);

/* To be called before datagrams are written: if this member's incarnation or id is one that the disk
 * does not know of, it is told first. Cheap otherwise. */
void keeper_reserve(struct keeper *keeper);
void keeper_note(struct keeper *keeper, const struct swim_event *event);
struct keeper_stats keeper_stats(const struct keeper *keeper);

/* Writes what the node leaves behind, and gives the folder back. All of these take NULL. */
void keeper_close(struct keeper *keeper);

#endif
