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
 * What is opened at the start is in doors.h, who the member is in identity.h, how it joins in joining.h,
 * how it ends in leaving.h. Whatever woke the loop, loop_settle (loop.h) ends the turn: events are
 * reported, datagrams sent, the one timer armed for the core's deadline.
 */
#ifndef SWIM_AGENT_AGENT_H
#define SWIM_AGENT_AGENT_H

#include "agent/config.h"
#include "agent/control.h"
#include "agent/control_ping.h"
#include "agent/control_socket.h"
#include "agent/events.h"
#include "agent/guard.h"
#include "agent/handler.h"
#include "agent/http.h"
#include "agent/joining.h"
#include "agent/keeper.h"
#include "agent/leaving.h"
#include "agent/limiter.h"
#include "agent/loop.h"
#include "agent/options.h"
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
    struct service service;      /* the service manager's news */
    struct event_base *base;
    struct loop loop;
    struct joining joining;
    struct leaving leaving;
    struct event *report; /* the metrics line is due */
    uint32_t retagged;    /* in the time from `retagged_since` on */
    swim_time retagged_since;
    struct log_limit name_conflicts;
    uint32_t refutations; /* in the minute from `refutations_since` on */
    swim_time refutations_since;
};

/* Runs until the member has left. `config` holds the options already; `keys` (NULL: none) are taken
 * over, and wiped as soon as they are in use. */
enum exit_code agent_run(const struct agent_config *config, const struct options *options,
                         struct keyset *keys);

void agent_collect(void *agent, struct metrics *ret);

/* Log lines: report.c. */
void report_start(const struct agent *agent, const struct swim_addr *bound, const char *source);
/* How datagrams are protected: at the start, and when that has changed. */
void report_protection(const struct agent *agent);
void report_event(struct agent *agent, const struct swim_event *event);
/* The periodic metrics line. False: no memory. report_arm (re)starts it by the configured interval. */
bool report_open(struct agent *agent);
void report_close(struct agent *agent);
void report_arm(struct agent *agent);

/* Makes ready what the control socket answers with: control_host.c. */
void agent_offer_control(struct agent *agent);
/* Whether there are keys for the control socket to change: control_keys.c. To be called again
 * whenever that may have changed. */
void agent_offer_keys(struct agent *agent);

/* SIGHUP: reload.c. */
void reload(struct agent *agent);

#endif
