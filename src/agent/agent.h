/*
 * The daemon: one member of the core's, one UDP socket, one event loop.
 *
 *        UDP socket - udp - limiter-guard-+                  +-- httpd --- http
 *        names of peers ----- resolver ---+--- agent --------+-- report (log lines)
 *        signals, timer ------------------+      |           +-- reload (SIGHUP)
 *        Unix socket --- control ---------+  struct swim
 *                                                +---------- service -- notify (systemd)
 *                                                +---------- events - journal (/events)
 *                                                            handler -+ (a program)
 *
 * Whatever woke the loop, agent_settle ends the turn: events are reported, datagrams sent, the one
 * timer armed for the core's deadline.
 */
#ifndef SWIM_AGENT_AGENT_H
#define SWIM_AGENT_AGENT_H

#include "agent/config.h"
#include "agent/control.h"
#include "agent/control_ping.h"
#include "agent/control_socket.h"
#include "agent/events.h"
#include "agent/exit_code.h"
#include "agent/guard.h"
#include "agent/handler.h"
#include "agent/http.h"
#include "agent/keeper.h"
#include "agent/limiter.h"
#include "agent/options.h"
#include "agent/peers.h"
#include "agent/resolver.h"
#include "agent/service.h"
#include "agent/shield.h"
#include "agent/udp.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;

struct agent {
    struct agent_config config; /* as loaded */
    struct options options;     /* to be put over the file again at SIGHUP */
    struct swim_addr addr;      /* told to peers */
    double started;             /* process_start_time */
    struct swim_addr bound;     /* of the socket */
    swim_time running_since;
    struct swim *swim;
    size_t arena_size;
    struct keeper *keeper; /* NULL: nothing is kept */
    struct guard *guard;   /* every datagram of `swim` passes it */
    struct udp *udp;
    struct limiter limiter;
    struct shield shield;
    struct resolver *resolver;
    struct peers peers;      /* added at run time */
    struct events *events;   /* what happened, for those who listen */
    struct handler *handler; /* and for the program of [events] exec */
    struct httpd *httpd;     /* NULL: none wanted */
    struct http_source source;
    struct httpd *control; /* NULL: none wanted */
    struct control_socket control_socket;
    struct control_source control_source;
    struct control_keys control_keys;
    struct control_host control_host;
    struct control_pings pings;
    struct config_error unsaved; /* why the keys could not be saved the last time */
    bool is_leaving;
    bool is_send_blocked; /* until the socket is writable, or a while is over */
    enum exit_code exit_code;
    swim_time armed;        /* what `timer` waits for; SWIM_NEVER: nothing */
    struct service service; /* the service manager's news */
    struct event_base *base;
    struct event *readable;
    struct event *writable;
    struct event *timer;
    struct event *resend;
    struct event *report;
    struct event *give_up;
    struct event *signals[3];
    struct event *leave;    /* asked for by the control socket, which is answered first */
    struct event *shielded; /* runs while the shield is up */
    struct event *lonely;   /* runs until a peer has answered */
    struct log_limit seeds_full;
    uint32_t retagged; /* in the time from `retagged_since` on */
    swim_time retagged_since;
    struct log_limit name_conflicts;
    uint32_t refutations; /* in the minute from `refutations_since` on */
    swim_time refutations_since;
};

/* Runs until the member has left. `config` holds the options already; `keys` (NULL: none) are taken
 * over, and wiped as soon as they are in use. */
enum exit_code agent_run(const struct agent_config *config, const struct options *options,
                         struct keyset *keys);

/* The end of each turn of the loop. */
void agent_settle(struct agent *agent);
void agent_collect(void *agent, struct metrics *ret);

/* What this member says of itself: by its settings. */
void agent_introduce(struct agent *agent);
/* Peers: the numeric ones become seeds at once, names by way of the resolver. */
void agent_join_peers(struct agent *agent);
void agent_unjoin_peers(struct agent *agent);
/* Leaves gracefully, and then ends the loop; `reason` is for the log. A second time: ends at once. */
void agent_leave(struct agent *agent, const char *key, const char *reason);
/* (Re)starts the periodic metrics line by the configured interval. */
void agent_arm_report(struct agent *agent);

/* Log lines: report.c. */
void report_start(const struct agent *agent, const struct swim_addr *bound, const char *source);
/* How datagrams are protected: at the start, and when that has changed. */
void report_protection(const struct agent *agent);
void report_event(struct agent *agent, const struct swim_event *event);
void report_metrics(const struct agent *agent);

/* Makes ready what the control socket answers with: control_host.c. */
void agent_offer_control(struct agent *agent);
/* Whether there are keys for the control socket to change: control_keys.c. To be called again
 * whenever that may have changed. */
void agent_offer_keys(struct agent *agent);

/* SIGHUP: reload.c. */
void reload(struct agent *agent);

#endif
