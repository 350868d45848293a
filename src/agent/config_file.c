/*
 * The configuration file: one table of keys with their types and ranges, checked value by value.
 * Whatever the table doesn't know is an error: a mistyped key must not be a silent default.
 */
#define _GNU_SOURCE
#include "agent/config.h"

#include "base/assert.h"
#include "base/nearest.h"
#include "toml/swim_keys.h"
#include "toml/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* More than the parser needs for a sensible file, and far less than there is. */
#define PARSER_STACK (256 * 1024)

enum key_type {
    KEY_NUMBER, /* uint32_t at `offset`, min..max, or 0 when `zero_is_off` */
    KEY_MILLI,  /* a decimal fraction, kept in thousandths: uint32_t */
    KEY_BOOLEAN,
    KEY_TEXT,   /* given to `set` */
    KEY_TEXTS,  /* an array of strings, each given to `set` */
    KEY_SECRET, /* a string given to `set`, and never shown */
    KEY_TAGS,   /* a section of its own, of strings under any keys */
};

struct key {
    const char *section;
    const char *name;
    enum key_type type;
    bool zero_is_off;
    bool is_live; /* a running daemon takes a new value at SIGHUP */
    uint32_t min;
    uint32_t max;
    size_t offset; /* of the value in struct agent_config */
    size_t size;   /* of it, for comparing */
    config_setter *set;
    size_t count_offset; /* KEY_TEXTS: of the uint32_t that counts the values */
    const char *unit;
};

#define PLACE(field)                                                                               \
    .offset = offsetof(struct agent_config, field), .size = sizeof((struct agent_config *)0)->field
#define NUMBER(field, min_, max_) .type = KEY_NUMBER, .min = (min_), .max = (max_), PLACE(field)
#define MILLISECONDS(field, min_, max_) NUMBER(field, min_, max_), .unit = " (milliseconds)"
#define RATE(field) NUMBER(field, 1, 1000000), .unit = " (datagrams a second)"

/* The settings of struct swim_config, which the simulator knows by the same names. */
#define KEY_OF_NUMBER(section_, name_, field, min_, max_)                                          \
    {section_, name_, NUMBER(swim.field, min_, max_)},
#define KEY_OF_MS(section_, name_, field, min_, max_)                                              \
    {section_, name_, MILLISECONDS(swim.field, min_, max_)},
#define KEY_OF_MS_OFF(section_, name_, field, min_, max_)                                          \
    {section_, name_, .zero_is_off = true, MILLISECONDS(swim.field, min_, max_)},
#define KEY_OF_MILLI(section_, name_, field, min_, max_)                                           \
    {section_, name_, .type = KEY_MILLI, .min = (min_), .max = (max_), PLACE(swim.field)},
#define KEY_OF_BOOLEAN(section_, name_, field)                                                     \
    {section_, name_, .type = KEY_BOOLEAN, PLACE(swim.field)},

/* clang-format off */
static const struct key keys[] = {
    SWIM_KEYS_GOSSIP(KEY_OF_NUMBER, KEY_OF_MS, KEY_OF_MS_OFF, KEY_OF_MILLI, KEY_OF_BOOLEAN)

    {"network", "bind", .type = KEY_TEXT, .set = config_set_bind, PLACE(bind)},
    {"network", "advertise", .type = KEY_TEXT, .set = config_set_advertise, PLACE(advertise)},
    {"network", "peers", .type = KEY_TEXTS, .set = config_add_peer, .is_live = true, PLACE(peers),
     .count_offset = offsetof(struct agent_config, peer_count)},
    /* Changes of keys are told by their ids (guard.c), so two of these have no place to compare. */
    {"network", "cluster_key", .type = KEY_SECRET, .set = config_set_cluster_key, .is_live = true},
    {"network", "cluster_key_file", .type = KEY_SECRET, .set = config_set_key_file,
     .is_live = true},
    {"network", "encryption", .type = KEY_BOOLEAN, .is_live = true, PLACE(encryption)},
    {"network", "max_inbound_rate", .is_live = true, RATE(max_inbound_rate)},
    {"network", "inbound_peer_capacity", .is_live = true, NUMBER(inbound_peer_capacity, 1, 1000000),
     .unit = " (datagrams)"},
    {"network", "inbound_peer_refill_rate", .is_live = true, RATE(inbound_peer_refill_rate)},
    SWIM_KEYS_NETWORK(KEY_OF_NUMBER, KEY_OF_MS, KEY_OF_MS_OFF, KEY_OF_MILLI, KEY_OF_BOOLEAN)

    SWIM_KEYS_PROBES(KEY_OF_NUMBER, KEY_OF_MS, KEY_OF_MS_OFF, KEY_OF_MILLI, KEY_OF_BOOLEAN)

    SWIM_KEYS_LIFEGUARD(KEY_OF_NUMBER, KEY_OF_MS, KEY_OF_MS_OFF, KEY_OF_MILLI, KEY_OF_BOOLEAN)

    {"node", "cluster", .type = KEY_TEXT, .set = config_set_cluster, PLACE(cluster)},
    {"node", "state_dir", .type = KEY_TEXT, .set = config_set_state_dir, PLACE(state_dir)},

    {"node", "name", .type = KEY_TEXT, .set = config_set_name, .is_live = true, PLACE(meta.name)},

    {"tags", "", .type = KEY_TAGS, .is_live = true, PLACE(meta.tags)},

    {"security", "key_file", .type = KEY_SECRET, .set = config_set_key_file, .is_live = true,
     PLACE(key_file)},
    {"security", "envelope", NUMBER(envelope, SWIM_ENVELOPE_1, SWIM_ENVELOPE_2)},
    {"security", "plaintext", .type = KEY_TEXT, .set = config_set_plaintext, .is_live = true,
     PLACE(plaintext)},

    {"metrics", "log_interval_ms", .zero_is_off = true, .is_live = true,
     MILLISECONDS(log_interval_ms, 100, 86400000)},
    {"metrics", "server_port", .zero_is_off = true, NUMBER(metrics_port, 1, 65535)},
    {"metrics", "http_bind", .type = KEY_TEXT, .set = config_set_http_bind, PLACE(http_bind)},
    {"metrics", "http_hosts", .type = KEY_TEXTS, .set = config_add_http_host, .is_live = true,
     PLACE(http_hosts), .count_offset = offsetof(struct agent_config, http_host_count)},
    {"metrics", "http_token_file", .type = KEY_SECRET, .set = config_set_http_token_file,
     .is_live = true, PLACE(http_token_file)},

    {"metrics", "advertise", .type = KEY_TEXT, .set = config_set_metrics_advertise,
     .is_live = true, PLACE(metrics_advertise)},

    {"control", "socket", .type = KEY_TEXT, .set = config_set_control_socket,
     PLACE(control_socket)},

    {"events", "exec", .type = KEY_TEXTS, .set = config_add_exec, .is_live = true, PLACE(exec),
     .count_offset = offsetof(struct agent_config, exec_count)},
    {"events", "exec_timeout_ms", .is_live = true, MILLISECONDS(exec_timeout_ms, 100, 3600000)},
    {"events", "exec_batch_ms", .is_live = true, MILLISECONDS(exec_batch_ms, 1, 60000)},
    {"events", "heartbeat_ms", .is_live = true, MILLISECONDS(events_heartbeat_ms, 100, 300000)},

    {"log", "level", .type = KEY_TEXT, .set = config_set_log_level, .is_live = true,
     PLACE(log_level)},
    {"log", "format", .type = KEY_TEXT, .set = config_set_log_format, .is_live = true,
     PLACE(log_format)},
};
/* clang-format on */
#define KEY_COUNT (sizeof keys / sizeof keys[0])

static const char sections[] =
    "[gossip], [network], [probes], [lifeguard], [node], [tags], [security], "
    "[metrics], [control], [events], [log]";

struct loader {
    struct agent_config config;
    const char *path;
    struct config_error *error;
    bool has_failed;
    uint32_t lines[KEY_COUNT]; /* where each key was set; 0: it was not */
};

/* ---- Messages ---------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static bool fail(struct loader *loader, uint32_t line,
                                                       const char *format, ...)
{
    char *text = loader->error->text;
    size_t cap = sizeof loader->error->text;
    va_list arguments;
    int size = line == 0 ? snprintf(text, cap, "%s: ", loader->path)
                         : snprintf(text, cap, "%s:%u: ", loader->path, (unsigned)line);

    if (size > 0 && (size_t)size < cap) {
        va_start(arguments, format);
        (void)vsnprintf(text + size, cap - (size_t)size, format, arguments);
        va_end(arguments);
    }
    loader->has_failed = true;
    return false;
}

/* What is no TOML at all. */
static bool fail_syntax(struct loader *loader, const struct toml_error *error)
{
    if (error->line == 0)
        return fail(loader, 0, "%s", error->text);
    (void)snprintf(loader->error->text, sizeof loader->error->text, "%.320s:%u:%u: %s",
                   loader->path, (unsigned)error->line, (unsigned)error->column, error->text);
    loader->has_failed = true;
    return false;
}

static void describe_allowed(const struct key *key, char *text, size_t cap)
{
    const char *off = key->zero_is_off ? "0 (off) or " : "";
    const char *unit = key->unit != NULL ? key->unit : "";

    switch (key->type) {
    case KEY_NUMBER:
        (void)snprintf(text, cap, "%sa whole number from %u to %u%s", off, (unsigned)key->min,
                       (unsigned)key->max, unit);
        break;
    case KEY_MILLI:
        (void)snprintf(text, cap, "a number from %u to %u", (unsigned)key->min, (unsigned)key->max);
        break;
    case KEY_BOOLEAN: (void)snprintf(text, cap, "true or false"); break;
    case KEY_TAGS:
    case KEY_SECRET:
    case KEY_TEXT: (void)snprintf(text, cap, "a string"); break;
    case KEY_TEXTS: (void)snprintf(text, cap, "an array of strings ([\"...\", ...])"); break;
    }
}

static const char *type_name(enum toml_type type)
{
    switch (type) {
    case TOML_TYPE_TABLE: return "a table";
    case TOML_TYPE_ARRAY: return "an array";
    case TOML_TYPE_STRING: return "a string";
    case TOML_TYPE_INTEGER: return "a whole number";
    case TOML_TYPE_FLOAT: return "a fraction";
    case TOML_TYPE_BOOLEAN: return "true or false";
    case TOML_TYPE_DATE: break;
    }
    return "a date";
}

static bool fail_type(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    char allowed[128];

    describe_allowed(key, allowed, sizeof allowed);
    return fail(loader, item->line, "[%s] %s: must be %s, not %s", key->section, key->name, allowed,
                type_name(item->type));
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, name) == 0)
            return true;
    return false;
}

/* " (did you mean [section] name?)": a key of the same section with nearly this name, or one of
 * another with exactly this one. What stands in no section may be nearly any. */
static const char *hint_key(const struct toml_item *item, char text[NEAREST_HINT_SIZE])
{
    struct nearest nearest = {.word = item->key};
    const char *section = "";
    char before[32] = "";

    for (size_t i = 0; i < KEY_COUNT; i++)
        if ((item->section[0] == '\0' || strcmp(keys[i].section, item->section) == 0 ||
             strcmp(keys[i].name, item->key) == 0) &&
            nearest_offer(&nearest, keys[i].name))
            section = keys[i].section;
    if (strcmp(section, item->section) != 0)
        (void)snprintf(before, sizeof before, "[%s] ", section);
    return nearest_hint(&nearest, before, text);
}

static const char *hint_section(const char *section, char text[NEAREST_HINT_SIZE])
{
    struct nearest nearest = {.word = section};

    for (size_t i = 0; i < KEY_COUNT; i++)
        (void)nearest_offer(&nearest, keys[i].section);
    return nearest_hint(&nearest, "", text);
}

static bool fail_homeless(struct loader *loader, const struct toml_item *item)
{
    char hint[NEAREST_HINT_SIZE];

    if (is_section(item->key))
        return fail(loader, item->line, "%.64s: this is a section, and begins with a line [%.64s]",
                    item->key, item->key);
    return fail(loader, item->line, "%.64s: this key is in no section%s; the sections are %s",
                item->key, hint_key(item, hint), sections);
}

static bool fail_unknown(struct loader *loader, const struct toml_item *item)
{
    char hint[NEAREST_HINT_SIZE];
    char known[400] = "";
    size_t size = 0;

    if (item->section[0] == '\0')
        return fail_homeless(loader, item);
    if (!is_section(item->section))
        return fail(loader, item->line, "[%.64s]: unknown section%s; the sections are %s",
                    item->section, hint_section(item->section, hint), sections);
    for (size_t i = 0; i < KEY_COUNT && size < sizeof known; i++)
        if (strcmp(keys[i].section, item->section) == 0)
            size += (size_t)snprintf(known + size, sizeof known - size, "%s%s",
                                     size == 0 ? "" : ", ", keys[i].name);
    return fail(loader, item->line, "[%s] %.64s: unknown key%s; the keys here are %s",
                item->section, item->key, hint_key(item, hint), known);
}

/* ---- Values ------------------------------------------------------------------------------ */

static bool set_number(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    char allowed[128];
    bool is_off = key->zero_is_off && item->integer == 0;

    if (item->type != TOML_TYPE_INTEGER)
        return fail_type(loader, key, item);
    if (!is_off && (item->integer < key->min || item->integer > key->max)) {
        describe_allowed(key, allowed, sizeof allowed);
        return fail(loader, item->line, "[%s] %s = %lld: must be %s", key->section, key->name,
                    (long long)item->integer, allowed);
    }
    uint32_t value = (uint32_t)item->integer;
    memcpy((char *)&loader->config + key->offset, &value, sizeof value);
    return true;
}

static bool set_milli(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    double real = item->type == TOML_TYPE_INTEGER ? (double)item->integer : item->real;
    char allowed[128];

    if (item->type != TOML_TYPE_INTEGER && item->type != TOML_TYPE_FLOAT)
        return fail_type(loader, key, item);
    if (!(real >= key->min && real <= key->max)) { /* not-a-number fails too */
        describe_allowed(key, allowed, sizeof allowed);
        return fail(loader, item->line, "[%s] %s = %g: must be %s", key->section, key->name, real,
                    allowed);
    }
    uint32_t milli = (uint32_t)(real * 1000 + 0.5);
    memcpy((char *)&loader->config + key->offset, &milli, sizeof milli);
    return true;
}

static bool set_boolean(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    if (item->type != TOML_TYPE_BOOLEAN)
        return fail_type(loader, key, item);
    memcpy((char *)&loader->config + key->offset, &item->boolean, sizeof item->boolean);
    return true;
}

static bool set_text(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    const char *wrong;

    if (item->type != TOML_TYPE_STRING)
        return fail_type(loader, key, item);
    wrong = strlen(item->text) != item->text_size ? "there is a zero byte in it"
                                                  : key->set(&loader->config, item->text);
    if (wrong != NULL && key->type == KEY_SECRET)
        return fail(loader, item->line, "[%s] %s: %s", key->section, key->name, wrong);
    if (wrong != NULL)
        return fail(loader, item->line, "[%s] %s = \"%.128s\": %s", key->section, key->name,
                    item->text, wrong);
    return true;
}

/* The array itself empties the list; its elements fill it. */
static bool set_texts(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    uint32_t none = 0;

    if (item->is_element)
        return set_text(loader, key, item);
    if (item->type != TOML_TYPE_ARRAY)
        return fail_type(loader, key, item);
    memcpy((char *)&loader->config + key->count_offset, &none, sizeof none);
    memset((char *)&loader->config + key->offset, 0, key->size);
    return true;
}

/* The section itself, then whatever is in it: the key is the file's choice. */
static bool set_tag(struct loader *loader, const struct toml_item *item)
{
    const char *wrong = NULL;

    if (item->key[0] == '\0' && item->type == TOML_TYPE_TABLE && !item->is_element)
        return true;
    if (item->is_element)
        return true; /* of an array that was refused already */
    if (item->type != TOML_TYPE_STRING)
        return fail(loader, item->line, "[tags] %.64s: must be a string, not %s", item->key,
                    type_name(item->type));
    wrong = strlen(item->text) != item->text_size
                ? "there is a zero byte in it"
                : config_set_tag(&loader->config, item->key, item->text);
    return wrong == NULL || fail(loader, item->line, "[tags] %.64s: %s", item->key, wrong);
}

static bool set(struct loader *loader, const struct key *key, const struct toml_item *item)
{
    switch (key->type) {
    case KEY_NUMBER: return set_number(loader, key, item);
    case KEY_MILLI: return set_milli(loader, key, item);
    case KEY_BOOLEAN: return set_boolean(loader, key, item);
    case KEY_TEXTS: return set_texts(loader, key, item);
    case KEY_TAGS: return set_tag(loader, item);
    case KEY_SECRET:
    case KEY_TEXT: break;
    }
    return set_text(loader, key, item);
}

/* ---- The document ------------------------------------------------------------------------ */

static bool visit(void *context, const struct toml_item *item)
{
    struct loader *loader = context;
    bool is_known_section = false;

    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].section, item->section) != 0)
            continue;
        is_known_section = true;
        if (strcmp(keys[i].name, item->key) == 0 || keys[i].type == KEY_TAGS) {
            if (!item->is_element)
                loader->lines[i] = item->line;
            if (item->is_element && keys[i].type != KEY_TEXTS)
                return true; /* of an array that was refused already */
            return set(loader, &keys[i], item);
        }
    }
    if (is_known_section && item->key[0] == '\0')
        return true;
    return fail_unknown(loader, item);
}

static uint32_t line_of(const struct loader *loader, const char *section, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(keys[i].section, section) == 0 && strcmp(keys[i].name, name) == 0)
            return loader->lines[i];
    swim_panic("no such key", __FILE__, __LINE__);
}

static bool check_probes(struct loader *loader)
{
    const struct swim_config *swim = &loader->config.swim;
    uint32_t line = line_of(loader, "probes", "timeout_ms");

    if (swim->probe_timeout_ms < swim->probe_interval_ms)
        return true;
    if (line == 0)
        line = line_of(loader, "probes", "interval_ms");
    return fail(loader, line,
                "[probes] timeout_ms = %u: must be from 1 to %u, that is, less than "
                "interval_ms = %u",
                (unsigned)swim->probe_timeout_ms, (unsigned)swim->probe_interval_ms - 1,
                (unsigned)swim->probe_interval_ms);
}

/* One source of keys: which of two should win is not for us to guess. */
static bool check_keys(struct loader *loader)
{
    static const char *const names[][3] = {
        {"security", "key_file", "[security] key_file"},
        {"network", "cluster_key_file", "[network] cluster_key_file"},
        {"network", "cluster_key", "[network] cluster_key"}};
    const char *const *first = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t line = line_of(loader, names[i][0], names[i][1]);
        if (line != 0 && first != NULL)
            return fail(loader, line, "[%s] %s: the key is given by [%s] %s too, in line %u", //
                        names[i][0], names[i][1], first[0], first[1],
                        (unsigned)line_of(loader, first[0], first[1]));
        if (line == 0)
            continue;
        first = names[i];
        loader->config.key_place = (struct config_place){.line = line, .key = names[i][2]};
    }
    return true;
}

static bool read_document(struct loader *loader, const char *text, size_t size)
{
    struct toml_error error;

    if (!toml_read(text, size, visit, loader, &error))
        return fail_syntax(loader, &error);
    if (loader->has_failed || !check_probes(loader) || !check_keys(loader))
        return false;
    loader->config.path = loader->path;
    loader->config.encryption_line = line_of(loader, "network", "encryption");
    loader->config.plaintext_line = line_of(loader, "security", "plaintext");
    loader->config.exec_line = line_of(loader, "events", "exec");
    loader->config.state_place = (struct config_place){.line = line_of(loader, "node", "state_dir"),
                                                       .key = "[node] state_dir"};
    loader->config.token_place = (struct config_place){
        .line = line_of(loader, "metrics", "http_token_file"), .key = "[metrics] http_token_file"};
    return true;
}

static bool parse(struct agent_config *config, const char *path, const char *text,
                  struct config_error *ret_error, size_t size)
{
    struct loader loader = {.config = *config, .path = path, .error = ret_error};
    bool ok;

    /* The parser copies what it reads, a key too: what it frees is overwritten, and so is the part
     * of the stack that it has used. */
    (void)mallopt(M_PERTURB, 0xFF);
    ok = read_document(&loader, text, size);
    (void)mallopt(M_PERTURB, 0);
    sodium_stackzero(PARSER_STACK);
    if (ok)
        *config = loader.config;
    config_wipe_key(&loader.config);
    return ok;
}

bool config_parse(struct agent_config *config, const char *path, const char *text,
                  struct config_error *ret_error)
{
    return parse(config, path, text, ret_error, strlen(text));
}

static ssize_t read_all(const char *path, char *text, size_t cap)
{
    size_t size = 0;
    ssize_t got = 1;
    /* O_NONBLOCK: a FIFO must not stop a running daemon at SIGHUP. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat status;

    if (fd < 0)
        return -1;
    if (fstat(fd, &status) != 0 || S_ISFIFO(status.st_mode)) {
        (void)close(fd);
        errno = ESPIPE;
        return -1;
    }
    while (size < cap && got > 0) {
        do
            got = read(fd, text + size, cap - size);
        while (got < 0 && errno == EINTR);
        size += got > 0 ? (size_t)got : 0;
    }
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return got < 0 ? -1 : (ssize_t)size;
}

bool config_load(struct agent_config *config, const char *path, struct config_error *ret_error)
{
    char text[CONFIG_FILE_MAX + 1];
    ssize_t size = read_all(path, text, sizeof text);
    bool ok;

    if (size < 0) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%.512s: can't be read: %s", path,
                       errno == ESPIPE ? "a pipe could not be read again at SIGHUP; give a file"
                                       : strerror(errno));
        return false;
    }
    if (size > CONFIG_FILE_MAX) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "%.512s: longer than %u bytes",
                       path, (unsigned)CONFIG_FILE_MAX);
        explicit_bzero(text, sizeof text);
        return false;
    }
    ok = parse(config, path, text, ret_error, (size_t)size);
    explicit_bzero(text, sizeof text);
    return ok;
}

/* ---- Comparing --------------------------------------------------------------------------- */

void config_compare(const struct agent_config *a, const struct agent_config *b,
                    config_difference *visit_key, void *context)
{
    char name[80];

    for (size_t i = 0; i < KEY_COUNT; i++) {
        const struct key *key = &keys[i];
        size_t count = key->count_offset;
        bool is_equal =
            memcmp((const char *)a + key->offset, (const char *)b + key->offset, key->size) == 0;
        if (key->type == KEY_TEXTS)
            is_equal = is_equal && memcmp((const char *)a + count, (const char *)b + count,
                                          sizeof(uint32_t)) == 0;
        if (is_equal)
            continue;
        (void)snprintf(name, sizeof name, "%s%s%s", key->section, *key->name ? "." : "", key->name);
        visit_key(context, name, key->is_live);
    }
}
