/* What top shows, asked for once a second; rates are differences of the daemon's counters. */
#define _GNU_SOURCE
#include "ctl/top.h"

#include "ctl/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const counters[TOP_RATE_COUNT] = {
    "bytes_recv", "bytes_sent", "datagrams_recv", "datagrams_sent", "pings_sent", "probe_failures"};

/* ---- Figures ----------------------------------------------------------------------------- */

/* A counter that went back is another daemon's. */
static void take_rates(struct top *top)
{
    uint64_t now_ms = client_now_ms();
    double seconds = (double)(now_ms - top->counted_ms) / 1000;

    for (int i = 0; i < TOP_RATE_COUNT; i++) {
        uint64_t value = ctl_number(top->metrics, counters[i]);
        bool is_comparable = top->counted_ms != 0 && seconds > 0 && value >= top->counter[i];
        top->rate[i] = is_comparable ? (double)(value - top->counter[i]) / seconds : 0;
        top->counter[i] = value;
    }
    top->counted_ms = now_ms;
}

static void replace(json_t **held, json_t *fresh)
{
    json_decref(*held);
    *held = fresh;
}

enum exit_code top_refresh(struct top *top, struct ctl *ctl)
{
    json_t *info = NULL;
    json_t *metrics = NULL;
    json_t *root = NULL;
    enum exit_code code = ctl_get(ctl, "/info", &info);

    if (code == EXIT_CODE_OK)
        code = ctl_get(ctl, "/metrics/json", &metrics);
    if (code == EXIT_CODE_OK)
        code = ctl_get(ctl, "/members", &root);
    top->is_lost = code != EXIT_CODE_OK;
    if (code != EXIT_CODE_OK) {
        json_decref(info);
        json_decref(metrics);
        return code;
    }
    replace(&top->info, info);
    replace(&top->metrics, metrics);
    replace(&top->members, json_incref(json_object_get(root, "members")));
    json_decref(root);
    take_rates(top);
    top_order(top);
    return code;
}

/* ---- Order ------------------------------------------------------------------------------- */

static int severity(const json_t *member)
{
    static const char *const names[] = {"suspect", "dead", "alive", "left"};
    const char *status = ctl_text(member, "status");
    int at = 0;

    while (at < 4 && strcmp(names[at], status) != 0)
        at++;
    return at;
}

static int compare_status(const void *a, const void *b)
{
    return severity(*(json_t *const *)a) - severity(*(json_t *const *)b);
}

/* The slowest first; those that were not measured last. */
static int compare_rtt(const void *a, const void *b)
{
    double left = ctl_real(*(json_t *const *)a, "rtt_seconds");
    double right = ctl_real(*(json_t *const *)b, "rtt_seconds");

    return (left < right) - (left > right);
}

void top_order(struct top *top)
{
    ctl_sort_members(top->members);
    if (top->sort == TOP_BY_STATUS)
        ctl_sort_members_by(top->members, compare_status);
    else if (top->sort == TOP_BY_RTT)
        ctl_sort_members_by(top->members, compare_rtt);
}

/* ---- Events ------------------------------------------------------------------------------ */

void top_take_event(struct top *top, const char *data, size_t size)
{
    struct top_event *event = &top->events[top->event_count % TOP_EVENTS_MAX];
    json_t *root = json_loadb(data, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *member = json_object_get(root, "member");
    const char *time = ctl_text(root, "time");
    const char *name = ctl_text(member, "name");
    char text[TOP_LINE_MAX];

    if (json_is_object(root)) {
        (void)snprintf(text, sizeof text, "%.8s  %-13s %s%s%s%s",
                       strlen(time) > 19 ? time + 11 : "-", ctl_text(root, "kind"), name,
                       *name != '\0' ? "  " : "", ctl_text(member, "addr"),
                       ctl_text(root, "reason"));
        (void)text_clean(text, event->text, sizeof event->text);
        (void)text_clean(ctl_text(root, "kind"), event->kind, sizeof event->kind);
        top->event_count++;
    }
    json_decref(root);
}

const struct top_event *top_event_at(const struct top *top, size_t back)
{
    if (back >= top->event_count || back >= TOP_EVENTS_MAX)
        return NULL;
    return &top->events[(top->event_count - 1 - back) % TOP_EVENTS_MAX];
}

void top_done(struct top *top)
{
    json_decref(top->info);
    json_decref(top->metrics);
    json_decref(top->members);
}
