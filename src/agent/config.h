/*
 * Everything the daemon can be told, from the defaults, one TOML file and the command line, in
 * this order. docs/configuration.md is the reference for its readers; the table of keys in
 * config_file.c is the one for the program.
 */
#ifndef SWIM_AGENT_CONFIG_H
#define SWIM_AGENT_CONFIG_H

#include "agent/address.h"
#include "agent/log.h"
#include "swim/seal.h"
#include "swim/swim.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFIG_PEERS_MAX 64
_Static_assert(CONFIG_PEERS_MAX <= SWIM_SEEDS_MAX, "every numeric peer can be a seed");
#define CONFIG_HTTP_HOSTS_MAX 16
#define CONFIG_SOCKET_PATH_MAX 108 /* what the address of a Unix socket holds */
/* A longer file is refused unread: deep keys overflow the TOML parser's stack. */
#define CONFIG_FILE_MAX (32 * 1024)

#define CONFIG_PATH_MAX 512
#define CONFIG_ENDPOINT_MAX (HOST_NAME_MAX_SIZE + 8)
#define CONFIG_EXEC_MAX 16
#define CONFIG_EXEC_WORD_MAX 256

/* What happens to datagrams in plaintext, where there is a key. */
enum plaintext_mode {
    PLAINTEXT_REFUSE, /* sealed ones alone are sent and heard */
    PLAINTEXT_ACCEPT, /* sealed ones are sent, both kinds heard */
    PLAINTEXT_SEND,   /* plaintext is sent, both kinds heard */
};

/* Where the file set something that shows to be wrong only later; line 0: it did not. */
struct config_place {
    uint32_t line;
    const char *key; /* "[section] name" */
};

struct agent_config {
    struct swim_config swim; /* all but id, seed and addr, which are found at the start */
    struct swim_addr bind;
    struct swim_addr advertise; /* family 0: not given; port 0: that of the socket */
    uint32_t peer_count;
    struct endpoint peers[CONFIG_PEERS_MAX];
    /* Inbound limits: datagrams a second from all strangers together; datagrams at once, and a
     * second, from each member. */
    uint32_t max_inbound_rate;
    uint32_t inbound_peer_capacity;
    uint32_t inbound_peer_refill_rate;
    uint32_t log_interval_ms; /* of the console metrics line; 0 = none */
    uint32_t metrics_port;    /* 0 = no HTTP */
    struct swim_addr http_bind;
    uint32_t http_host_count;
    char http_hosts[CONFIG_HTTP_HOSTS_MAX][HOST_NAME_MAX_SIZE]; /* accepted in Host; "*" = any */
    char state_dir[CONFIG_PATH_MAX];                            /* "": nothing is kept */
    char control_socket[CONFIG_SOCKET_PATH_MAX];                /* "": none */
    char http_token_file[CONFIG_PATH_MAX];                      /* "": none */
    char metrics_advertise[CONFIG_ENDPOINT_MAX];                /* "auto", "off", or "host:port" */
    uint32_t events_heartbeat_ms;
    uint32_t exec_count;                              /* 0: no program for events */
    char exec[CONFIG_EXEC_MAX][CONFIG_EXEC_WORD_MAX]; /* its path, and its arguments */
    uint32_t exec_timeout_ms;
    uint32_t exec_batch_ms;
    enum log_level log_level;
    enum log_format log_format;
    /* Datagram protection. The key by itself is here until it is in locked memory: then
     * config_wipe_key. */
    char cluster[SWIM_CLUSTER_MAX + 1]; /* "": none */
    struct swim_meta meta;              /* this member's name and tags; its version is not used */
    char key_file[CONFIG_PATH_MAX];     /* "": none */
    bool has_cluster_key;
    uint8_t cluster_key[SWIM_KEY_SIZE];
    bool encryption;   /* counts only if it was given: encryption_line */
    uint32_t envelope; /* 1 or 2 */
    enum plaintext_mode plaintext;
    /* Where the file set what only the whole shows to be wrong; line 0: it did not. */
    const char *path;
    uint32_t encryption_line;
    uint32_t plaintext_line;
    uint32_t exec_line;
    struct config_place key_place; /* of the key, or of the file that holds it */
    struct config_place token_place;
    struct config_place state_place;
};

struct config_error {
    char text[640];
};

/* Takes out what may be a key (64 hex digits or more in a row), before anybody reads the message:
 * messages quote what they find wrong, and a key may stand anywhere by mistake. */
void config_error_hide_keys(struct config_error *error);

/* Puts in front of the message where the file has what is wrong, if it has it. */
void config_error_place(struct config_error *error, const struct agent_config *config,
                        const struct config_place *place);

void config_default(struct agent_config *config);
/* More defaults, for a service that systemd gave a folder for what lives as long as it runs
 * ($RUNTIME_DIRECTORY; NULL: it gave none). */
void config_default_runtime(struct agent_config *config, const char *folder);
/* The same for what outlives it ($STATE_DIRECTORY). */
void config_default_state(struct agent_config *config, const char *folder);

/* Values written as text, in the file or on the command line. NULL when set, else what is wrong
 * (static), and then *config is as before. */
typedef const char *config_setter(struct agent_config *config, const char *text);
config_setter config_set_bind;
config_setter config_set_advertise;
config_setter config_add_peer;
config_setter config_set_http_bind;
config_setter config_add_http_host;
config_setter config_set_http_token_file;
config_setter config_set_metrics_advertise;
config_setter config_set_control_socket;
config_setter config_add_exec;
config_setter config_set_state_dir;
config_setter config_set_log_level;
config_setter config_set_log_format;
config_setter config_set_cluster;
config_setter config_set_name;
config_setter config_add_tag; /* KEY=VALUE */
config_setter config_set_key_file;
config_setter config_set_cluster_key;
config_setter config_set_plaintext;

/* A tag of this member. NULL when set, else what is wrong (static). */
const char *config_set_tag(struct agent_config *config, const char *key, const char *value);
/* No tags any more. */
void config_clear_tags(struct agent_config *config);

const char *plaintext_mode_name(enum plaintext_mode mode);
/* Is a key given, in whatever way? */
bool config_has_key(const struct agent_config *config);
/* Overwrites the key; has_cluster_key stays. */
void config_wipe_key(struct agent_config *config);

/* Reads `path`, which must outlive *config, over *config. False, with *config as before, when it can't be read or any of it
 * is wrong; *ret_error then names file, line, key and what would be allowed. */
bool config_load(struct agent_config *config, const char *path, struct config_error *ret_error);
/* The same with the file's text at hand; `path` is for the messages. */
bool config_parse(struct agent_config *config, const char *path, const char *text,
                  struct config_error *ret_error);

/* What no single value shows: settings that can't work together. False, and *ret_error names
 * both and the way out. For --check-config and before a start. */
bool config_check_whole(const struct agent_config *config, struct config_error *ret_error);

/* Visits the keys whose values differ: "section.name", and whether a running daemon can take
 * the new one. */
typedef void config_difference(void *context, const char *key, bool is_live);
void config_compare(const struct agent_config *a, const struct agent_config *b,
                    config_difference *visit, void *context);

#endif
