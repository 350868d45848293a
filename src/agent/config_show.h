/* The settings in force, as a file that --check-config would accept: for GET /config of the control
 * socket, and so for support bundles. Keys and secrets are never in it, files that hold them are
 * named. */
#ifndef SWIM_AGENT_CONFIG_SHOW_H
#define SWIM_AGENT_CONFIG_SHOW_H

#include "agent/config.h"
#include "base/json.h"

void config_show(const struct agent_config *config, json_sink *sink, void *context);

#endif
