/* swimctl info: what the daemon says of itself, a line each. */
#include "ctl/verb.h"

#include "ctl/duration.h"
#include "ctl/json_out.h"
#include "ctl/text.h"

#include <string.h>

#define TEXT_MAX 1100

static void put_line(const char *title, const char *text)
{
    char clean[TEXT_MAX];

    if (*text != '\0')
        (void)printf("%-14s %s\n", title, text_clean(text, clean, sizeof clean));
}

static void put_texts(const json_t *info)
{
    static const struct {
        const char *title;
        const char *key;
    } lines[] = {
        {"name", "name"},         {"id", "id"},         {"address", "addr"},
        {"listening on", "bind"}, {"http", "http"},     {"cluster", "cluster"},
        {"version", "version"},   {"digest", "digest"}, {"configuration", "config_file"},
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        put_line(lines[i].title, ctl_text(info, lines[i].key));
}

static void put_encryption(const json_t *info)
{
    const json_t *encryption = json_object_get(info, "encryption");
    char text[TEXT_MAX];

    if (!json_is_object(encryption)) {
        put_line("encryption", "none: datagrams are in plaintext");
        return;
    }
    (void)snprintf(
        text, sizeof text, "envelope %llu, primary key %s of %llu; plaintext: %s",
        (unsigned long long)ctl_number(encryption, "envelope"), ctl_text(encryption, "primary"),
        (unsigned long long)ctl_number(encryption, "keys"), ctl_text(encryption, "plaintext"));
    put_line("encryption", text);
}

static void put_members(const json_t *info)
{
    const json_t *members = json_object_get(info, "members");
    char text[TEXT_MAX];

    (void)snprintf(text, sizeof text, "%llu alive, %llu suspect, %llu dead, %llu left",
                   (unsigned long long)ctl_number(members, "alive"),
                   (unsigned long long)ctl_number(members, "suspect"),
                   (unsigned long long)ctl_number(members, "dead"),
                   (unsigned long long)ctl_number(members, "left"));
    put_line("members", text);
}

static void put_tags(const json_t *info)
{
    char text[TEXT_MAX];
    const char *key;
    json_t *value;

    json_object_foreach(json_object_get(info, "tags"), key, value)
    {
        const char *shown = json_string_value(value);
        (void)snprintf(text, sizeof text, "%s=%s", key, shown != NULL ? shown : "");
        put_line("tag", text);
    }
}

static void show(const json_t *info)
{
    uint64_t health = ctl_number(info, "local_health");
    char text[TEXT_MAX];

    put_texts(info);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)ctl_number(info, "incarnation"));
    put_line("incarnation", text);
    duration_of_seconds(ctl_number(info, "uptime_ms") / 1000, text, sizeof text);
    put_line("running for", text);
    (void)snprintf(text, sizeof text, "%llu of %llu%s", (unsigned long long)health,
                   (unsigned long long)ctl_number(info, "local_health_max"),
                   health == 0 ? " (good)" : "");
    put_line("local health", text);
    put_line("state", json_is_true(json_object_get(info, "leaving")) ? "leaving"
                      : json_is_true(json_object_get(info, "ready")) ? "ready"
                                                                     : "joining");
    put_encryption(info);
    put_members(info);
    put_tags(info);
}

enum exit_code verb_info(struct ctl *ctl)
{
    json_t *root;
    enum exit_code code = ctl_get(ctl, "/info", &root);

    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    if (ctl->is_json)
        json_out_line(stdout, root);
    else
        show(root);
    json_decref(root);
    return code;
}
