/* The command line: docs/configuration.md, section "Command line". */
#ifndef SWIM_AGENT_OPTIONS_H
#define SWIM_AGENT_OPTIONS_H

#include "agent/config.h"

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_TAGS_MAX 128

enum options_action {
    OPTIONS_RUN,
    OPTIONS_CHECK_CONFIG,
    OPTIONS_GENERATE_KEY,
    OPTIONS_VERSION,
    OPTIONS_HELP,
    OPTIONS_WRONG,   /* *ret_error says what; exit code 2 */
    OPTIONS_REFUSED, /* *ret_error says why; exit code 3 */
};

/* What was given, as it was given: NULL where it was not. Strings are argv's. */
struct options {
    const char *config_path;
    const char *key_file;
    bool has_cluster_key;
    uint8_t cluster_key[SWIM_KEY_SIZE]; /* here until options_wipe_key */
    const char *bind;
    const char *advertise;
    const char *metrics_port;
    const char *http_bind;
    const char *control_socket;
    const char *state_dir;
    const char *log_level;
    const char *log_format;
    const char *name;
    size_t tag_count;
    const char *tags[OPTIONS_TAGS_MAX]; /* each "KEY=VALUE" */
    size_t peer_list_count;
    const char *peer_lists[CONFIG_PEERS_MAX]; /* each "A,B,C" */
};

/* Overwrites the value of --cluster-key in argv, which every user of the machine can see. */
enum options_action options_parse(int argc, char **argv, struct options *ret,
                                  struct config_error *ret_error);

/* Puts the flags' values over *config. False on a bad one: *ret_error names flag and way out,
 * and *config is as before. */
bool options_apply(const struct options *options, struct agent_config *config,
                   struct config_error *ret_error);

/* Overwrites the key; has_cluster_key stays. */
void options_wipe_key(struct options *options);

const char *options_help(void);

#endif
