/*
 * The command line, by getopt_long. Flags win over the file, so they are only noted when parsed
 * and applied after the file was read.
 */
#define _GNU_SOURCE
#include "agent/options.h"

#include "agent/keyfile.h"
#include "base/flag.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum flag {
    FLAG_CONFIG = 256,
    FLAG_BIND,
    FLAG_PEERS,
    FLAG_ADVERTISE,
    FLAG_METRICS_PORT,
    FLAG_HTTP_BIND,
    FLAG_CONTROL_SOCKET,
    FLAG_STATE_DIR,
    FLAG_LOG_LEVEL,
    FLAG_LOG_FORMAT,
    FLAG_CHECK_CONFIG,
    FLAG_CLUSTER_KEY,
    FLAG_CLUSTER_KEY_FILE,
    FLAG_GENERATE_KEY,
    FLAG_NAME,
    FLAG_TAG,
};

static const struct option flags[] = {
    {"config", required_argument, NULL, FLAG_CONFIG},
    {"bind", required_argument, NULL, FLAG_BIND},
    {"peers", required_argument, NULL, FLAG_PEERS},
    {"advertise", required_argument, NULL, FLAG_ADVERTISE},
    {"name", required_argument, NULL, FLAG_NAME},
    {"tag", required_argument, NULL, FLAG_TAG},
    {"metrics-port", required_argument, NULL, FLAG_METRICS_PORT},
    {"http-bind", required_argument, NULL, FLAG_HTTP_BIND},
    {"control-socket", required_argument, NULL, FLAG_CONTROL_SOCKET},
    {"state-dir", required_argument, NULL, FLAG_STATE_DIR},
    {"log-level", required_argument, NULL, FLAG_LOG_LEVEL},
    {"log-format", required_argument, NULL, FLAG_LOG_FORMAT},
    {"check-config", no_argument, NULL, FLAG_CHECK_CONFIG},
    {"cluster-key", required_argument, NULL, FLAG_CLUSTER_KEY},
    {"cluster-key-file", required_argument, NULL, FLAG_CLUSTER_KEY_FILE},
    {"generate-key", no_argument, NULL, FLAG_GENERATE_KEY},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "Usage: swimd [OPTION]...\n"
    "Runs one member of a cluster that finds its members and their failures by gossip (SWIM).\n"
    "\n"
    "  --config FILE           settings in TOML; flags win over it\n"
    "  --bind ADDR:PORT        UDP address: 127.0.0.1:7000, [::1]:7000, [::]:7000 for IPv4 and\n"
    "                          IPv6; port 0 takes a free one (default 127.0.0.1:0)\n"
    "  --peers A,B,...         members to join by, HOST:PORT each; names are resolved again\n"
    "                          for as long as no one answers there\n"
    "  --advertise ADDR[:PORT] the address that peers are told, when it is not the bound one\n"
    "  --cluster-key-file FILE keys that datagrams are sealed with; for its owner alone\n"
    "  --cluster-key HEX       a key of 64 hex digits; every user of the machine can see it:\n"
    "                          better give a file\n"
    "  --name NAME             what this member is called, at most 128 bytes (default: the host's\n"
    "                          name)\n"
    "  --tag KEY=VALUE         a tag of this member; may be given several times; together they\n"
    "                          replace those of the file\n"
    "  --metrics-port N        HTTP: metrics, members, health; 0 = none (default)\n"
    "  --http-bind ADDR        where HTTP listens (default 127.0.0.1)\n"
    "  --control-socket PATH   Unix socket for its owner's commands; \"\" = none (default, but "
    "for\n"
    "                          services with a $RUNTIME_DIRECTORY)\n"
    "  --state-dir DIR         folder in which the node keeps who it is and whom it knows, over\n"
    "                          restarts; \"\" = none (default, but for services with a\n"
    "                          $STATE_DIRECTORY)\n"
    "  --log-level LEVEL       error, warn, info (default) or debug\n"
    "  --log-format FORMAT     text (default) or json\n"
    "  --check-config          check settings and flags, say so, and exit\n"
    "  --generate-key          print a fresh key and exit\n"
    "  --version, --help\n"
    "\n"
    "Signals: SIGTERM, SIGINT leave the cluster and exit, a second one exits at once;\n"
    "SIGHUP reads the file again.\n"
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 bad configuration, 4 cannot bind,\n"
    "or the state folder is in use.\n";

const char *options_help(void)
{
    return help;
}

/* A key whose flag was mistyped must not end up in somebody's log. */
static bool may_hold_key(const char *word)
{
    size_t digits = 0;

    for (; *word != '\0' && digits < SWIM_KEY_SIZE; word++)
        digits = strchr("0123456789abcdefABCDEF", *word) != NULL ? digits + 1 : 0;
    return digits == SWIM_KEY_SIZE;
}

static enum options_action wrong(struct config_error *ret_error, const char *what,
                                 const char *argument)
{
    if (may_hold_key(argument))
        argument = "(not shown: there is a key in it)";
    (void)snprintf(ret_error->text, sizeof ret_error->text, "%s%.200s (swimd --help lists them)",
                   what, argument);
    return OPTIONS_WRONG;
}

static enum options_action no_such_flag(const char *word, struct config_error *ret_error)
{
    char hint[NEAREST_HINT_SIZE];

    if (*flag_hint(flags, word, hint) == '\0' || may_hold_key(word))
        return wrong(ret_error, "no such flag: ", word);
    (void)snprintf(ret_error->text, sizeof ret_error->text, "no such flag: %.200s%s", word, hint);
    return OPTIONS_WRONG;
}

/* getopt_long answers '?' for no such flag, an ambiguous one, and one given a value it can't
 * take; ':' for a missing value. */
static enum options_action explain(int answer, char **argv, struct config_error *ret_error)
{
    const char *word = flag_refused(argv);

    if (answer == ':')
        return wrong(ret_error, "a value must follow the flag ", word);
    if (optopt >= 256 || optopt == 'V' || (optopt == 'h' && strchr(word, '=') != NULL))
        return wrong(ret_error, "no value can follow the flag ", word);
    return no_such_flag(word, ret_error);
}

static enum options_action take_config(struct options *options, struct config_error *ret_error)
{
    options->config_path = optarg;
    if (*optarg != '\0')
        return OPTIONS_RUN;
    (void)snprintf(ret_error->text, sizeof ret_error->text,
                   "--config: the name of the file is empty; without a file, leave --config out");
    return OPTIONS_WRONG;
}

static enum options_action note(int flag, struct options *options, struct config_error *ret_error)
{
    switch (flag) {
    case FLAG_CONFIG: return take_config(options, ret_error);
    case FLAG_BIND: options->bind = optarg; break;
    case FLAG_PEERS:
        if (options->peer_list_count == CONFIG_PEERS_MAX)
            return wrong(ret_error, "too many times: ", "--peers");
        options->peer_lists[options->peer_list_count++] = optarg;
        break;
    case FLAG_ADVERTISE: options->advertise = optarg; break;
    case FLAG_METRICS_PORT: options->metrics_port = optarg; break;
    case FLAG_NAME: options->name = optarg; break;
    case FLAG_TAG:
        if (options->tag_count == OPTIONS_TAGS_MAX)
            return wrong(ret_error, "too many times: ", "--tag");
        options->tags[options->tag_count++] = optarg;
        break;
    case FLAG_HTTP_BIND: options->http_bind = optarg; break;
    case FLAG_CONTROL_SOCKET: options->control_socket = optarg; break;
    case FLAG_STATE_DIR: options->state_dir = optarg; break;
    case FLAG_LOG_LEVEL: options->log_level = optarg; break;
    case FLAG_CLUSTER_KEY_FILE: options->key_file = optarg; break;
    default: options->log_format = optarg; break;
    }
    return OPTIONS_RUN;
}

static enum options_action take_key(struct options *options, char *text,
                                    struct config_error *ret_error)
{
    const char *reason = key_parse(text, strlen(text), options->cluster_key);

    memset(text, '*', strlen(text));
    options->has_cluster_key = true;
    if (reason == NULL)
        return OPTIONS_RUN;
    (void)snprintf(ret_error->text, sizeof ret_error->text, "--cluster-key: %s", reason);
    return OPTIONS_REFUSED;
}

void options_wipe_key(struct options *options)
{
    explicit_bzero(options->cluster_key, sizeof options->cluster_key);
}

enum options_action options_parse(int argc, char **argv, struct options *ret,
                                  struct config_error *ret_error)
{
    enum options_action action = OPTIONS_RUN;
    int flag;

    *ret = (struct options){0};
    optind = 0; /* glibc: start afresh */
    opterr = 0;
    for (;;) { /* '+': up to the first word that is no flag */
        int index = -1;

        flag = getopt_long(argc, argv, "+:hV", flags, &index);
        if (flag == -1)
            break;
        if (index >= 0 && !flag_is_whole(flag_taken(argv), flags[index].name))
            return no_such_flag(flag_taken(argv), ret_error);
        switch (flag) {
        case 'h': return OPTIONS_HELP;
        case 'V': return OPTIONS_VERSION;
        case '?':
        case ':': return explain(flag, argv, ret_error);
        case FLAG_CHECK_CONFIG: action = OPTIONS_CHECK_CONFIG; break;
        case FLAG_GENERATE_KEY: action = OPTIONS_GENERATE_KEY; break;
        case FLAG_CLUSTER_KEY:
            if (take_key(ret, optarg, ret_error) != OPTIONS_RUN)
                return OPTIONS_REFUSED;
            break;
        default:
            if (note(flag, ret, ret_error) != OPTIONS_RUN)
                return OPTIONS_WRONG;
        }
    }
    if (optind < argc)
        return wrong(ret_error, "only flags are understood, not the word ", argv[optind]);
    return action;
}

/* ---- Values ------------------------------------------------------------------------------ */

static bool apply_text(struct agent_config *config, const char *flag, const char *text,
                       config_setter *set, struct config_error *ret_error)
{
    const char *reason = text == NULL ? NULL : set(config, text);

    if (reason == NULL)
        return true;
    if (*text == '\0')
        text = "\"\"";
    (void)snprintf(ret_error->text, sizeof ret_error->text, "%s %.200s: %s", flag, text, reason);
    return false;
}

static const char *set_metrics_port(struct agent_config *config, const char *text)
{
    uint32_t port = 0;

    for (const char *at = text; *at >= '0' && *at <= '9' && port <= 65535; at++)
        port = port * 10 + (uint32_t)(*at - '0');
    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || port > 65535)
        return "must be a port from 1 to 65535, or 0 for none";
    config->metrics_port = port;
    return NULL;
}

static bool apply_peers(struct agent_config *config, const char *list,
                        struct config_error *ret_error)
{
    char one[300];

    for (;;) {
        size_t size = strcspn(list, ",");
        bool is_last = list[size] == '\0';

        /* A variable that was never set must not start a cluster of its own. */
        if (size == 0) {
            (void)snprintf(ret_error->text, sizeof ret_error->text,
                           "--peers: a peer is empty; a first node is started without --peers");
            return false;
        }
        (void)snprintf(one, sizeof one, "%.*s", (int)size, list);
        if (!apply_text(config, "--peers", one, config_add_peer, ret_error))
            return false;
        if (is_last)
            return true;
        list += size + 1;
    }
}

/* A flag's key replaces whatever the file gives. */
static bool apply_keys(const struct options *options, struct agent_config *config,
                       struct config_error *ret_error)
{
    const char *reason = NULL;

    if (options->has_cluster_key && options->key_file != NULL)
        reason = "--cluster-key is given too: give one of the two";
    if (options->has_cluster_key || options->key_file != NULL) {
        config->has_cluster_key = options->has_cluster_key;
        memcpy(config->cluster_key, options->cluster_key, sizeof config->cluster_key);
        memset(config->key_file, 0, sizeof config->key_file);
        config->key_place = (struct config_place){.line = 0};
    }
    if (options->key_file != NULL && reason == NULL)
        reason = config_set_key_file(config, options->key_file);
    if (reason == NULL)
        return true;
    (void)snprintf(ret_error->text, sizeof ret_error->text, "--cluster-key-file: %s", reason);
    return false;
}

bool options_apply(const struct options *options, struct agent_config *config,
                   struct config_error *ret_error)
{
    struct agent_config next = *config;
    bool ok;

    if (options->peer_list_count > 0) {
        next.peer_count = 0;
        memset(next.peers, 0, sizeof next.peers);
    }
    ok = apply_text(&next, "--bind", options->bind, config_set_bind, ret_error) &&
         apply_text(&next, "--advertise", options->advertise, config_set_advertise, ret_error) &&
         apply_text(&next, "--metrics-port", options->metrics_port, set_metrics_port, ret_error) &&
         apply_text(&next, "--http-bind", options->http_bind, config_set_http_bind, ret_error) &&
         apply_text(&next, "--control-socket", options->control_socket, config_set_control_socket,
                    ret_error) &&
         apply_text(&next, "--state-dir", options->state_dir, config_set_state_dir, ret_error) &&
         apply_text(&next, "--log-level", options->log_level, config_set_log_level, ret_error) &&
         apply_text(&next, "--log-format", options->log_format, config_set_log_format, ret_error);
    for (size_t i = 0; ok && i < options->peer_list_count; i++)
        ok = apply_peers(&next, options->peer_lists[i], ret_error);
    ok = ok && apply_text(&next, "--name", options->name, config_set_name, ret_error);
    if (options->state_dir != NULL)
        next.state_place = (struct config_place){.line = 0};
    if (options->tag_count > 0)
        config_clear_tags(&next);
    for (size_t i = 0; ok && i < options->tag_count; i++)
        ok = apply_text(&next, "--tag", options->tags[i], config_add_tag, ret_error);
    ok = ok && apply_keys(options, &next, ret_error);
    if (ok)
        *config = next;
    config_wipe_key(&next);
    return ok;
}
