/* The verbs, each in a file of its own: verb_<name>.c. What each prints is in swimctl(1), and its
 * JSON in docs/swimctl-json.md. */
#ifndef SWIM_CTL_VERB_H
#define SWIM_CTL_VERB_H

#include "ctl/ctl.h"

ctl_verb verb_debug;
ctl_verb verb_force_leave;
ctl_verb verb_help;
ctl_verb verb_info;
ctl_verb verb_join;
ctl_verb verb_keygen;
ctl_verb verb_keys;
ctl_verb verb_leave;
ctl_verb verb_members;
ctl_verb verb_metrics;
ctl_verb verb_monitor;
ctl_verb verb_ping;
ctl_verb verb_rtt;
ctl_verb verb_tags;
ctl_verb verb_top;
ctl_verb verb_version;

#endif
