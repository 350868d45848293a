/*
 * Defaults, and values given as text. The defaults of the protocol are the core's; those of the
 * daemon stand here. The meaning of each is in docs/configuration.md.
 */
#define _GNU_SOURCE
#include "agent/config.h"

#include "agent/keyfile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEX_DIGITS "0123456789abcdefABCDEF"

/* The host's name, if it is one that a member can have; else none. */
static void name_after_host(struct agent_config *config)
{
    char name[HOST_NAME_MAX + 1] = "";

    if (gethostname(name, sizeof name - 1) != 0 ||
        swim_meta_set_name(&config->meta, name) != SWIM_META_OK)
        (void)config_set_name(config, "");
}

void config_default(struct agent_config *config)
{
    *config = (struct agent_config){
        .bind = {.ip = {127, 0, 0, 1}, .family = 4},
        .max_inbound_rate = 500,
        .inbound_peer_capacity = 100,
        .inbound_peer_refill_rate = 50,
        .log_interval_ms = 10000,
        .http_bind = {.ip = {127, 0, 0, 1}, .family = 4},
        .metrics_advertise = "auto",
        .events_heartbeat_ms = 15000,
        .exec_timeout_ms = 30000,
        .exec_batch_ms = 100,
        .log_level = LOG_INFO,
        .log_format = LOG_AS_TEXT,
        .envelope = SWIM_ENVELOPE_2,
        .plaintext = PLAINTEXT_REFUSE,
    };
    swim_config_default(&config->swim);
    name_after_host(config);
}

void config_default_runtime(struct agent_config *config, const char *folder)
{
    char path[CONFIG_SOCKET_PATH_MAX];

    if (folder == NULL || *folder != '/')
        return;
    /* The first of several. */
    int size = snprintf(path, sizeof path, "%.*s/control.sock", (int)strcspn(folder, ":"), folder);
    if (size > 0 && (size_t)size < sizeof path)
        (void)config_set_control_socket(config, path);
}

void config_default_state(struct agent_config *config, const char *folder)
{
    char path[CONFIG_PATH_MAX];

    if (folder == NULL || *folder != '/')
        return;
    /* The first of several. */
    int size = snprintf(path, sizeof path, "%.*s", (int)strcspn(folder, ":"), folder);
    if (size > 0 && (size_t)size < sizeof path)
        (void)config_set_state_dir(config, path);
}

const char *config_set_bind(struct agent_config *config, const char *text)
{
    struct swim_addr addr;
    const char *wrong = address_parse(text, &addr);

    if (wrong == NULL && is_address_shared(&addr))
        wrong = "a multicast or broadcast address is not one that a member can have";
    if (wrong == NULL)
        config->bind = addr;
    return wrong;
}

const char *config_set_advertise(struct agent_config *config, const char *text)
{
    struct swim_addr addr;
    const char *wrong = address_parse_ip(text, &addr);

    if (wrong != NULL && strchr(text, ':') != NULL)
        wrong = address_parse(text, &addr);
    if (wrong == NULL && is_address_wildcard(&addr))
        wrong = "a wildcard is no address that peers can reach";
    if (wrong == NULL && is_address_shared(&addr))
        wrong = "a multicast or broadcast address is not one that a member can have";
    if (wrong == NULL)
        config->advertise = addr;
    return wrong;
}

const char *config_add_peer(struct agent_config *config, const char *text)
{
    if (config->peer_count == CONFIG_PEERS_MAX)
        return "more than 64 peers (a few are enough: each tells of all the others)";
    const char *wrong = endpoint_parse(text, &config->peers[config->peer_count]);
    if (wrong == NULL)
        config->peer_count++;
    return wrong;
}

static bool check_families(const struct agent_config *config, struct config_error *ret_error)
{
    bool is_dual = config->bind.family == 6 && is_address_wildcard(&config->bind);

    for (uint32_t i = 0; i < config->peer_count; i++) {
        const struct swim_addr *peer = &config->peers[i].addr;
        if (peer->family == 0 || is_dual || peer->family == config->bind.family)
            continue;
        (void)snprintf(ret_error->text, sizeof ret_error->text,
                       "the peer %s can't be reached from the bound address %s: one is IPv4, the "
                       "other IPv6; bind [::]:PORT for both",
                       address_text(peer).text, address_text(&config->bind).text);
        return false;
    }
    return true;
}

/* What the file says of encryption, against the key, wherever that is from. In doubt nothing
 * starts: a member that should be sealed must not run in plaintext by a slip. */
static bool check_security(const struct agent_config *config, struct config_error *ret_error)
{
    bool has_key = config_has_key(config);
    char *text = ret_error->text;
    size_t cap = sizeof ret_error->text;

    if (!has_key && config->encryption_line != 0 && config->encryption) {
        (void)snprintf(text, cap,
                       "%.400s:%u: [network] encryption = true: there is no key; give [security] "
                       "key_file (swimd --generate-key > FILE makes one)",
                       config->path, (unsigned)config->encryption_line);
        return false;
    }
    if (has_key && config->encryption_line != 0 && !config->encryption) {
        (void)snprintf(text, cap,
                       "%.400s:%u: [network] encryption = false: yet a key is given; remove the "
                       "key, or this line",
                       config->path, (unsigned)config->encryption_line);
        return false;
    }
    if (!has_key && config->plaintext_line != 0) {
        (void)snprintf(text, cap,
                       "%.400s:%u: [security] plaintext = \"%s\": there is no key, so all is "
                       "plaintext; give [security] key_file, or remove this line",
                       config->path, (unsigned)config->plaintext_line,
                       plaintext_mode_name(config->plaintext));
        return false;
    }
    return true;
}

bool config_check_whole(const struct agent_config *config, struct config_error *ret_error)
{
    return check_families(config, ret_error) && check_security(config, ret_error);
}

/* What is behind the text is cleared: settings are compared as a whole. */
static const char *set_text(char *to, size_t cap, const char *text, const char *too_long)
{
    size_t size = strlen(text);

    if (size >= cap)
        return too_long;
    memset(to, 0, cap);
    memcpy(to, text, size + 1);
    return NULL;
}

const char *config_set_http_bind(struct agent_config *config, const char *text)
{
    struct swim_addr addr;

    if (address_parse(text, &addr) == NULL)
        return "an address alone is wanted here; the port is [metrics] server_port, --metrics-port";
    return address_parse_ip(text, &config->http_bind);
}

const char *config_add_http_host(struct agent_config *config, const char *text)
{
    size_t size = strlen(text);

    if (config->http_host_count == CONFIG_HTTP_HOSTS_MAX)
        return "more than 16 host names";
    if (size == 0 || size >= HOST_NAME_MAX_SIZE || strpbrk(text, " \t:/") != NULL)
        return "not a host name (without port)";
    memcpy(config->http_hosts[config->http_host_count++], text, size + 1);
    return NULL;
}

/* The text is in no message: people put the token itself here. */
const char *config_set_http_token_file(struct agent_config *config, const char *text)
{
    if (*text == '\0')
        return "the name of the file is empty; without a token, leave this key out";
    return set_text(config->http_token_file, sizeof config->http_token_file, text,
                    "the name of the file is longer than 511 bytes");
}

const char *config_set_control_socket(struct agent_config *config, const char *text)
{
    return set_text(config->control_socket, sizeof config->control_socket, text,
                    "longer than the 107 bytes that the path of a Unix socket can have");
}

const char *config_set_metrics_advertise(struct agent_config *config, const char *text)
{
    struct endpoint endpoint;
    const char *wrong = NULL;

    if (strcmp(text, "auto") != 0 && strcmp(text, "off") != 0)
        wrong = endpoint_parse(text, &endpoint);
    if (wrong != NULL)
        return "must be \"auto\", \"off\", or HOST:PORT at which others reach HTTP here";
    memset(config->metrics_advertise, 0, sizeof config->metrics_advertise);
    memcpy(config->metrics_advertise, text, strlen(text) + 1);
    return NULL;
}

const char *config_add_exec(struct agent_config *config, const char *text)
{
    size_t size = strlen(text);

    if (config->exec_count == CONFIG_EXEC_MAX)
        return "more than 15 arguments";
    if (size >= CONFIG_EXEC_WORD_MAX)
        return "longer than 255 bytes";
    if (config->exec_count == 0 && *text != '/')
        return "the program must be given by its whole path: no shell looks for it";
    memcpy(config->exec[config->exec_count++], text, size + 1);
    return NULL;
}

const char *config_set_state_dir(struct agent_config *config, const char *text)
{
    return set_text(config->state_dir, sizeof config->state_dir, text,
                    "the name of the folder is longer than 511 bytes");
}

const char *config_set_log_level(struct agent_config *config, const char *text)
{
    return log_level_parse(text, &config->log_level) ? NULL : "must be error, warn, info or debug";
}

const char *config_set_log_format(struct agent_config *config, const char *text)
{
    return log_format_parse(text, &config->log_format) ? NULL : "must be text or json";
}

/* ---- Name and tags ------------------------------------------------------------------------- */

static const char *reason_of(enum swim_meta_error error)
{
    return error == SWIM_META_OK ? NULL : swim_meta_error_name(error);
}

const char *config_set_name(struct agent_config *config, const char *text)
{
    return reason_of(swim_meta_set_name(&config->meta, text));
}

const char *config_set_tag(struct agent_config *config, const char *key, const char *value)
{
    return reason_of(swim_meta_set(&config->meta, key, value));
}

const char *config_add_tag(struct agent_config *config, const char *text)
{
    char key[SWIM_TAG_KEY_MAX + 2];
    const char *equals = strchr(text, '=');

    if (equals == NULL)
        return "must be KEY=VALUE";
    /* What is too long is cut, and still too long. */
    (void)snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
    if (swim_meta_get(&config->meta, key) != NULL)
        return "this key is given twice";
    return config_set_tag(config, key, equals + 1);
}

void config_clear_tags(struct agent_config *config)
{
    struct swim_tag tag;

    while (swim_meta_tag(&config->meta, 0, &tag)) {
        char key[SWIM_TAG_KEY_MAX + 1];

        (void)snprintf(key, sizeof key, "%s", tag.key);
        (void)swim_meta_delete(&config->meta, key);
    }
}

/* ---- Datagram protection ----------------------------------------------------------------- */

bool config_has_key(const struct agent_config *config)
{
    return config->has_cluster_key || config->key_file[0] != '\0';
}

void config_wipe_key(struct agent_config *config)
{
    explicit_bzero(config->cluster_key, sizeof config->cluster_key);
}

const char *config_set_cluster(struct agent_config *config, const char *text)
{
    size_t size = strlen(text);

    if (size == 0 || size > SWIM_CLUSTER_MAX)
        return "must have 1 to 64 characters";
    if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] !=
        '\0')
        return "must be of letters, digits, '-', '_' and '.'";
    memset(config->cluster, 0, sizeof config->cluster); /* compared as a whole */
    memcpy(config->cluster, text, size);
    return NULL;
}

void config_error_hide_keys(struct config_error *error)
{
    static const char hidden[] = "(not shown: this may be a key)";
    char *at = error->text;

    while (*(at += strcspn(at, HEX_DIGITS)) != '\0') {
        size_t size = strspn(at, HEX_DIGITS);
        if (size >= KEY_HEX_SIZE) {
            memmove(at + sizeof hidden - 1, at + size, strlen(at + size) + 1);
            memcpy(at, hidden, sizeof hidden - 1);
            size = sizeof hidden - 1;
        }
        at += size;
    }
}

void config_error_place(struct config_error *error, const struct agent_config *config,
                        const struct config_place *place)
{
    struct config_error bare = *error;

    if (place->line != 0)
        (void)snprintf(error->text, sizeof error->text, "%.200s:%u: %s: %.400s", config->path,
                       (unsigned)place->line, place->key, bare.text);
}

/* The text is in no message: people put the key itself here. */
const char *config_set_key_file(struct agent_config *config, const char *text)
{
    size_t size = strlen(text);

    if (size == 0)
        return "the name of the file is empty";
    if (strspn(text, HEX_DIGITS) == size && size >= KEY_HEX_SIZE)
        return "this is a key, not the name of the file that holds it";
    return set_text(config->key_file, sizeof config->key_file, text,
                    "the name of the file is longer than 511 bytes");
}

const char *config_set_cluster_key(struct agent_config *config, const char *text)
{
    const char *wrong = key_parse(text, strlen(text), config->cluster_key);

    if (wrong == NULL)
        config->has_cluster_key = true;
    return wrong;
}

static const char *const plaintext_names[] = {
    [PLAINTEXT_REFUSE] = "refuse",
    [PLAINTEXT_ACCEPT] = "accept",
    [PLAINTEXT_SEND] = "send",
};

const char *plaintext_mode_name(enum plaintext_mode mode)
{
    return plaintext_names[mode];
}

const char *config_set_plaintext(struct agent_config *config, const char *text)
{
    for (size_t i = 0; i < sizeof plaintext_names / sizeof plaintext_names[0]; i++) {
        if (strcmp(plaintext_names[i], text) != 0)
            continue;
        config->plaintext = (enum plaintext_mode)i;
        return NULL;
    }
    return "must be \"refuse\", \"accept\" or \"send\"";
}
