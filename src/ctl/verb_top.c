/*
 * swimctl top: a live view, refreshed once a second and at each event. Ends at q, Ctrl-C or any
 * signal that ends programs, and gives the terminal back as it was.
 */
#define _GNU_SOURCE
#define NCURSES_NOMACROS
#include "ctl/verb.h"

#include "ctl/feed.h"
#include "ctl/json_out.h"
#include "ctl/top.h"

#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define REFRESH_MS 1000
/* After an event, but no sooner after the last time: a storm of them is one picture. */
#define HURRY_MS 250
/* A daemon that hangs must not make the keys hang for longer. */
#define PATIENCE_MS 1000

struct view {
    struct ctl *ctl;
    struct top top;
    struct feed feed;
    uint64_t refreshed_ms;
    uint64_t refresh_at_ms;
    bool is_over;
};

static volatile sig_atomic_t ended_by;

static void on_signal(int number)
{
    ended_by = number;
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = on_signal};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        (void)sigaction(numbers[i], &action, NULL);
}

static void on_event(void *context, const struct sse_event *event)
{
    struct view *view = context;

    top_take_event(&view->top, event->data, event->size);
    view->refresh_at_ms = view->refreshed_ms + HURRY_MS;
}

/* ---- Keys -------------------------------------------------------------------------------- */

static void scroll_by(struct top *top, long lines)
{
    long first = (long)top->first + lines;

    top->first = first > 0 ? (size_t)first : 0;
}

static void take_key(struct view *view, int key)
{
    struct top *top = &view->top;
    long page = (long)top_screen_page();

    switch (key) {
    case 'q':
    case 'Q': view->is_over = true; break;
    case 's':
        top->sort = (enum top_sort)((top->sort + 1) % TOP_SORT_COUNT);
        top_order(top);
        break;
    case 'k':
    case KEY_UP: scroll_by(top, -1); break;
    case 'j':
    case KEY_DOWN: scroll_by(top, 1); break;
    case KEY_PPAGE: scroll_by(top, -page); break;
    case ' ':
    case KEY_NPAGE: scroll_by(top, page); break;
    case 'g':
    case KEY_HOME: top->first = 0; break;
    case 'G':
    case KEY_END: top->first = json_array_size(top->members); break;
    default: break; /* KEY_RESIZE among them: what follows draws anew */
    }
}

/* ---- The loop ---------------------------------------------------------------------------- */

static void refresh_if_due(struct view *view)
{
    uint64_t now_ms = client_now_ms();

    if (now_ms < view->refresh_at_ms)
        return;
    if (view->feed.state == FEED_CLOSED && now_ms >= view->feed.retry_at_ms)
        (void)(feed_open(&view->feed) == EXIT_CODE_OK);
    (void)(top_refresh(&view->top, view->ctl) == EXIT_CODE_OK); /* it shows that it is old */
    view->refreshed_ms = client_now_ms();
    view->refresh_at_ms = view->refreshed_ms + REFRESH_MS;
}

static void turn(struct view *view)
{
    uint64_t now_ms = client_now_ms();
    int wait = view->refresh_at_ms > now_ms ? (int)(view->refresh_at_ms - now_ms) : 0;
    struct pollfd wanted[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                              {.fd = feed_fd(&view->feed), .events = POLLIN}};
    int ready = poll(wanted, 2, wait);
    int key;

    if (ready > 0 && wanted[1].revents != 0)
        (void)feed_read(&view->feed);
    if (ready > 0 && (wanted[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        ended_by = SIGHUP; /* the terminal is gone, whether a signal says so or not */
    while ((key = top_screen_key()) != ERR)
        take_key(view, key);
    refresh_if_due(view);
}

static enum exit_code run(struct view *view)
{
    if (!top_screen_begin())
        return ctl_note(view->ctl, EXIT_CODE_FAILURE,
                        "this terminal can't be used: TERM is unset, or names none that is known");
    while (!view->is_over && ended_by == 0) {
        top_screen_draw(&view->top);
        turn(view);
    }
    top_screen_end();
    return EXIT_CODE_OK;
}

/* For programs: what the first screen would be made of. */
static void put_json(const struct top *top)
{
    struct json json;

    json_out_init(&json, stdout);
    json_object_begin(&json);
    json_key(&json, "info");
    json_out_value(&json, top->info);
    json_key(&json, "metrics");
    json_out_value(&json, top->metrics);
    json_key(&json, "members");
    json_out_value(&json, top->members);
    json_object_end(&json);
    (void)fputc('\n', stdout);
}

static enum exit_code look(struct view *view)
{
    struct ctl *ctl = view->ctl;
    enum exit_code code = top_refresh(&view->top, ctl);

    if (code != EXIT_CODE_OK)
        return code;
    if (ctl->is_json) {
        put_json(&view->top);
        return EXIT_CODE_OK;
    }
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return ctl_note(ctl, EXIT_CODE_FAILURE,
                        "top needs a terminal; swimctl members, and monitor, are for scripts");
    if (ctl->client.timeout_ms > PATIENCE_MS)
        ctl->client.timeout_ms = PATIENCE_MS;
    feed_init(&view->feed, ctl, "/events", "0", on_event, view);
    catch_signals();
    code = run(view);
    feed_close(&view->feed);
    return code;
}

enum exit_code verb_top(struct ctl *ctl)
{
    struct view *view = calloc(1, sizeof *view);
    enum exit_code code;

    if (view == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    view->ctl = ctl;
    code = look(view);
    top_done(&view->top);
    free(view);
    if (ended_by != 0 && ended_by != SIGINT) { /* as if it had not been caught */
        (void)signal(ended_by, SIG_DFL);
        (void)raise(ended_by);
    }
    return ctl_say(ctl, code);
}
