/*
 * config_file.c the other way round. The keys of the member's own settings come from the same list
 * (toml/swim_keys.h); a test reads back what is written here, and compares.
 */
#include "agent/config_show.h"

#include "toml/swim_keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct page {
    json_sink *sink;
    void *context;
};

__attribute__((format(printf, 2, 3))) static void put(const struct page *page, const char *format,
                                                      ...)
{
    char text[256];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (size > 0)
        page->sink(page->context, text,
                   (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
}

/* A basic string of TOML. */
static void put_string(const struct page *page, const char *text)
{
    page->sink(page->context, "\"", 1);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\')
            put(page, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7F)
            put(page, "\\u%04x", (unsigned)byte);
        else
            page->sink(page->context, text, 1);
    }
    page->sink(page->context, "\"", 1);
}

static void put_text(const struct page *page, const char *key, const char *text)
{
    put(page, "%s = ", key);
    put_string(page, text);
    put(page, "\n");
}

static void put_number(const struct page *page, const char *key, uint32_t value)
{
    put(page, "%s = %u\n", key, (unsigned)value);
}

static void put_boolean(const struct page *page, const char *key, bool value)
{
    put(page, "%s = %s\n", key, value ? "true" : "false");
}

static void put_milli(const struct page *page, const char *key, uint32_t milli)
{
    put(page, "%s = %u.%03u\n", key, (unsigned)milli / 1000, (unsigned)milli % 1000);
}

#define PUT_NUMBER(section, name, field, min, max) put_number(page, name, swim->field);
#define PUT_MILLI(section, name, field, min, max) put_milli(page, name, swim->field);
#define PUT_BOOLEAN(section, name, field) put_boolean(page, name, swim->field);
#define PUT_ALL(KEYS) KEYS(PUT_NUMBER, PUT_NUMBER, PUT_NUMBER, PUT_MILLI, PUT_BOOLEAN)

/* An address without its port. */
static void put_ip(const struct page *page, const char *key, const struct swim_addr *addr)
{
    struct address_text text = address_text(addr); /* "ip:port", "[ip]:port" */
    char *ip = text.text;

    *strrchr(ip, ':') = '\0';
    if (addr->family == 6) {
        ip[strlen(ip) - 1] = '\0';
        ip++;
    }
    put_text(page, key, ip);
}

/* ---- Sections ---------------------------------------------------------------------------- */

static void put_peers(const struct page *page, const struct agent_config *config)
{
    char text[HOST_NAME_MAX_SIZE + 8];

    put(page, "peers = [");
    for (uint32_t i = 0; i < config->peer_count; i++) {
        endpoint_format(&config->peers[i], text, sizeof text);
        put(page, "%s", i > 0 ? ", " : "");
        put_string(page, text);
    }
    put(page, "]\n");
}

static void put_network(const struct page *page, const struct agent_config *config)
{
    const struct swim_config *swim = &config->swim;

    put(page, "[network]\n");
    put_text(page, "bind", address_text(&config->bind).text);
    if (config->advertise.family != 0)
        put_text(page, "advertise", address_text(&config->advertise).text);
    put_peers(page, config);
    put_number(page, "max_inbound_rate", config->max_inbound_rate);
    put_number(page, "inbound_peer_capacity", config->inbound_peer_capacity);
    put_number(page, "inbound_peer_refill_rate", config->inbound_peer_refill_rate);
    PUT_ALL(SWIM_KEYS_NETWORK)
    if (config->has_cluster_key)
        put(page, "# a key was given by itself: it is not shown\n");
}

static void put_tags(const struct page *page, const struct agent_config *config)
{
    struct swim_tag tag;

    put(page, "\n[tags]\n");
    for (uint32_t i = 0; swim_meta_tag(&config->meta, i, &tag); i++) {
        put_string(page, tag.key);
        put(page, " = ");
        put_string(page, tag.value);
        put(page, "\n");
    }
}

static void put_security(const struct page *page, const struct agent_config *config)
{
    put(page, "\n[security]\n");
    if (config->key_file[0] != '\0')
        put_text(page, "key_file", config->key_file);
    put_number(page, "envelope", config->envelope);
    /* Without a key there is nothing to say of plaintext, and saying it would be an error. */
    if (config->key_file[0] != '\0')
        put_text(page, "plaintext", plaintext_mode_name(config->plaintext));
}

static void put_metrics(const struct page *page, const struct agent_config *config)
{
    put(page, "\n[metrics]\n");
    put_number(page, "log_interval_ms", config->log_interval_ms);
    put_number(page, "server_port", config->metrics_port);
    put_ip(page, "http_bind", &config->http_bind);
    put(page, "http_hosts = [");
    for (uint32_t i = 0; i < config->http_host_count; i++) {
        put(page, "%s", i > 0 ? ", " : "");
        put_string(page, config->http_hosts[i]);
    }
    put(page, "]\n");
    put_text(page, "advertise", config->metrics_advertise);
    if (config->http_token_file[0] != '\0')
        put_text(page, "http_token_file", config->http_token_file);
}

static void put_events(const struct page *page, const struct agent_config *config)
{
    put(page, "\n[events]\nexec = [");
    for (uint32_t i = 0; i < config->exec_count; i++) {
        put(page, "%s", i > 0 ? ", " : "");
        put_string(page, config->exec[i]);
    }
    put(page, "]\n");
    put_number(page, "exec_timeout_ms", config->exec_timeout_ms);
    put_number(page, "exec_batch_ms", config->exec_batch_ms);
    put_number(page, "heartbeat_ms", config->events_heartbeat_ms);
}

void config_show(const struct agent_config *config, json_sink *sink, void *context)
{
    const struct page one = {.sink = sink, .context = context};
    const struct page *page = &one;
    const struct swim_config *swim = &config->swim;

    put_network(page, config);
    put(page, "\n[gossip]\n");
    PUT_ALL(SWIM_KEYS_GOSSIP)
    put(page, "\n[probes]\n");
    PUT_ALL(SWIM_KEYS_PROBES)
    put(page, "\n[lifeguard]\n");
    PUT_ALL(SWIM_KEYS_LIFEGUARD)
    put(page, "\n[node]\n");
    if (config->cluster[0] != '\0')
        put_text(page, "cluster", config->cluster);
    put_text(page, "state_dir", config->state_dir);
    put_text(page, "name", config->meta.name);
    put_tags(page, config);
    put_security(page, config);
    put_metrics(page, config);
    put(page, "\n[control]\n");
    put_text(page, "socket", config->control_socket);
    put_events(page, config);
    put(page, "\n[log]\n");
    put_text(page, "level", log_level_name(config->log_level));
    put_text(page, "format", config->log_format == LOG_AS_JSON ? "json" : "text");
}
