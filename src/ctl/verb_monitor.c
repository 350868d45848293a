/*
 * swimctl monitor: events as they happen, a line each. When the daemon restarts, or drops this
 * listener, it goes on where it was: no event twice, and where some are lost, a line says so.
 */
#define _GNU_SOURCE
#include "ctl/verb.h"

#include "ctl/duration.h"
#include "ctl/feed.h"
#include "ctl/filter.h"
#include "ctl/json_out.h"
#include "ctl/style.h"
#include "ctl/text.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define FIELD_MAX 300

struct monitor {
    struct ctl *ctl;
    struct feed feed;
    uint64_t left; /* events still wanted; UINT64_MAX: any number */
    bool is_told;  /* that the daemon is gone */
};

/* ---- Lines ------------------------------------------------------------------------------- */

static enum style style_of_kind(const char *kind)
{
    static const struct {
        const char *kind;
        enum style style;
    } styles[] = {{"joined", STYLE_GOOD},      {"recovered", STYLE_GOOD}, {"restarted", STYLE_GOOD},
                  {"suspected", STYLE_DOUBT},  {"failed", STYLE_BAD},     {"left", STYLE_FAINT},
                  {"forgotten", STYLE_FAINT},  {"missed", STYLE_BAD},     {"dropped", STYLE_BAD},
                  {"name-conflict", STYLE_BAD}};

    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++)
        if (strcmp(styles[i].kind, kind) == 0)
            return styles[i].style;
    return STYLE_PLAIN;
}

static void put_word(const char *text)
{
    char clean[FIELD_MAX];

    if (*text != '\0')
        (void)printf(" %s", text_clean(text, clean, sizeof clean));
}

/* Nothing where the event doesn't say it. */
static void put_seconds(const json_t *event, const char *key, const char *lead)
{
    char text[32];

    duration_of(ctl_real(event, key), text, sizeof text);
    if (*text != '\0')
        (void)printf("%s %s", lead, text);
    else if (json_is_null(json_object_get(event, key)))
        (void)fputs(" has not answered", stdout);
}

static void put_change(const json_t *event)
{
    const json_t *member = json_object_get(event, "member");
    const char *before = ctl_text(event, "before");
    const char *after = ctl_text(member, "status");
    char clean[FIELD_MAX];

    if (*before != '\0' && strcmp(before, after) != 0)
        (void)printf(" (was %s)", text_clean(before, clean, sizeof clean));
    if (*ctl_text(event, "other") != '\0')
        (void)printf(" and %s", text_clean(ctl_text(event, "other"), clean, sizeof clean));
    put_seconds(event, "rtt_seconds", " answered after");
    put_seconds(event, "paused_seconds", " for");
    const json_t *missed = json_object_get(event, "missed");
    if (json_is_integer(missed))
        (void)printf(": %llu events are lost", (unsigned long long)json_integer_value(missed));
    put_word(ctl_text(event, "reason"));
}

static void put_line(const json_t *event, const char *kind)
{
    const json_t *member = json_object_get(event, "member");
    const char *time = ctl_text(event, "time");
    enum style style = style_of_kind(kind);
    char clean[FIELD_MAX];

    (void)printf("%s ", *time != '\0' ? text_clean(time, clean, sizeof clean) : "-");
    style_begin(stdout, style);
    (void)printf("%-13s", text_clean(kind, clean, sizeof clean));
    style_end(stdout, style);
    put_word(ctl_text(member, "name"));
    put_word(ctl_text(member, "addr"));
    put_word(ctl_text(member, "id"));
    put_change(event);
    (void)fputc('\n', stdout);
}

/* Says once that the daemon is gone, and once that it is back: before the first event then. */
static void tell(struct monitor *monitor, bool is_connected)
{
    if (monitor->is_told != is_connected)
        return;
    monitor->is_told = !is_connected;
    if (monitor->ctl->is_json)
        (void)printf("{\"kind\":\"%s\"}\n", is_connected ? "connected" : "disconnected");
    else
        (void)fprintf(stderr, "swimctl: %s\n",
                      is_connected ? "the daemon is back: going on"
                                   : "the daemon is gone: waiting for it");
}

static void on_event(void *context, const struct sse_event *event)
{
    struct monitor *monitor = context;
    json_t *root;

    tell(monitor, true);
    if (monitor->left == 0)
        return;
    root = json_loadb(event->data, event->size, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(root)) {
        json_decref(root);
        return;
    }
    if (json_object_get(root, "kind") == NULL)
        (void)json_object_set_new(root, "kind", json_string(event->kind));
    if (monitor->ctl->is_json)
        json_out_line(stdout, root);
    else
        put_line(root, event->kind);
    json_decref(root);
    if (monitor->left != UINT64_MAX)
        monitor->left--;
}

/* ---- The connection ---------------------------------------------------------------------- */

static int wait_ms(const struct monitor *monitor)
{
    uint64_t now_ms = client_now_ms();

    if (monitor->feed.state == FEED_OPEN)
        return -1;
    return monitor->feed.retry_at_ms > now_ms ? (int)(monitor->feed.retry_at_ms - now_ms) : 0;
}

/* One turn: a portion of events, or another try. */
static void turn(struct monitor *monitor)
{
    struct feed *feed = &monitor->feed;
    struct pollfd wait = {.fd = feed_fd(feed), .events = POLLIN};
    int ready = poll(&wait, 1, wait_ms(monitor));

    if (ready < 0 && errno == EINTR)
        return;
    if (feed->state == FEED_CLOSED) {
        if (client_now_ms() >= feed->retry_at_ms && feed_open(feed) == EXIT_CODE_OK)
            tell(monitor, true);
    } else if (ready > 0 && !feed_read(feed) && monitor->left > 0) {
        tell(monitor, false);
    }
}

static bool parse_count(const char *text, uint64_t *ret)
{
    char *end = NULL;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text < '1' || *text > '9' || *end != '\0' || errno != 0)
        return false;
    *ret = value;
    return true;
}

static enum exit_code prepare(struct monitor *monitor, struct ctl *ctl)
{
    const char *count = ctl_given(ctl, "count");
    const char *since = ctl_given(ctl, "since");
    char path[CTL_PATH_MAX] = "/events";
    enum exit_code code = ctl_filter(ctl, path);

    if (code != EXIT_CODE_OK)
        return code;
    if (count != NULL && !parse_count(count, &monitor->left))
        return ctl_note(ctl, EXIT_CODE_USAGE, "--count %.50s: must be a number from 1 on", count);
    if (since != NULL && (*since == '\0' || strlen(since) >= SSE_FIELD_MAX ||
                          strspn(since, "0123456789abcdef-") != strlen(since)))
        return ctl_note(ctl, EXIT_CODE_USAGE,
                        "--since %.100s: must be the id of an event, or 0 for the oldest held",
                        since);
    feed_init(&monitor->feed, ctl, path, since, on_event, monitor);
    return feed_open(&monitor->feed);
}

enum exit_code verb_monitor(struct ctl *ctl)
{
    struct monitor *monitor = calloc(1, sizeof *monitor);
    enum exit_code code;

    if (monitor == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    monitor->ctl = ctl;
    monitor->left = UINT64_MAX;
    code = prepare(monitor, ctl);
    while (code == EXIT_CODE_OK && monitor->left > 0 && fflush(stdout) == 0)
        turn(monitor);
    feed_close(&monitor->feed);
    free(monitor);
    return ctl_say(ctl, code);
}
