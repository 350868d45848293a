/*
 * Defaults, and values given as text. The defaults of the protocol are the core's; those of the
 * daemon stand here. The meaning of each is in docs/configuration.md.
 */
#include "agent/config.h"

#include <stdio.h>
#include <string.h>

void config_default(struct agent_config *config)
{
    *config = (struct agent_config){
        .bind = {.ip = {127, 0, 0, 1}, .family = 4},
        .max_inbound_rate = 500,
        .inbound_peer_capacity = 100,
        .inbound_peer_refill_rate = 50,
        .log_interval_ms = 10000,
        .http_bind = {.ip = {127, 0, 0, 1}, .family = 4},
        .log_level = LOG_INFO,
        .log_format = LOG_AS_TEXT,
    };
    swim_config_default(&config->swim);
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

    if (wrong != NULL)
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

bool config_check_whole(const struct agent_config *config, struct config_error *ret_error)
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

const char *config_set_http_bind(struct agent_config *config, const char *text)
{
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

const char *config_set_control_socket(struct agent_config *config, const char *text)
{
    size_t size = strlen(text);

    if (size >= CONFIG_SOCKET_PATH_MAX)
        return "longer than the 107 bytes that the path of a Unix socket can have";
    memset(config->control_socket, 0, sizeof config->control_socket);
    memcpy(config->control_socket, text, size);
    return NULL;
}

const char *config_set_log_level(struct agent_config *config, const char *text)
{
    return log_level_parse(text, &config->log_level) ? NULL : "must be error, warn, info or debug";
}

const char *config_set_log_format(struct agent_config *config, const char *text)
{
    return log_format_parse(text, &config->log_format) ? NULL : "must be text or json";
}
