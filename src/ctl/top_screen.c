/*
 * The screen, in 80 by 24 or whatever there is; nothing is drawn that doesn't fit:
 *
 *     who and where, the time           members: name, address, status, round trip, since
 *     state, health                     ...
 *     members by status                 the last events, the newest at the bottom
 *     traffic, probes                   keys
 */
#define _GNU_SOURCE
#define NCURSES_NOMACROS
#include "ctl/top.h"

#include "ctl/duration.h"
#include "ctl/style.h"
#include "ctl/text.h"

#include <locale.h>
#include <ncurses.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HEAD_LINES 5 /* with the head of the table */
#define EVENTS_MIN 2
#define EVENTS_SHOWN_MAX 10
#define WIDE 100 /* columns from which on ids are shown */
#define CELL_MAX 256

enum pair { PAIR_GOOD = 1, PAIR_DOUBT, PAIR_BAD };

static SCREEN *screen;
static bool has_pairs;

bool top_screen_begin(void)
{
    const char *no_colour = getenv("NO_COLOR");

    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL)
        return false;
    (void)set_escdelay(25);
    (void)cbreak();
    (void)noecho();
    (void)curs_set(0);
    (void)keypad(stdscr, true);
    (void)nodelay(stdscr, true);
    has_pairs = has_colors() && (no_colour == NULL || *no_colour == '\0') && start_color() == OK;
    if (has_pairs) {
        (void)use_default_colors();
        (void)init_pair(PAIR_GOOD, COLOR_GREEN, -1);
        (void)init_pair(PAIR_DOUBT, COLOR_YELLOW, -1);
        (void)init_pair(PAIR_BAD, COLOR_RED, -1);
    }
    return true;
}

void top_screen_end(void)
{
    (void)endwin();
    delscreen(screen);
}

int top_screen_key(void)
{
    return wgetch(stdscr);
}

/* ---- Pieces ------------------------------------------------------------------------------ */

static chtype attribute_of(enum style style)
{
    switch (style) {
    case STYLE_HEAD: return A_BOLD;
    case STYLE_GOOD: return has_pairs ? (chtype)COLOR_PAIR(PAIR_GOOD) : A_NORMAL;
    case STYLE_DOUBT: return has_pairs ? (chtype)COLOR_PAIR(PAIR_DOUBT) : A_BOLD;
    case STYLE_BAD: return has_pairs ? (chtype)COLOR_PAIR(PAIR_BAD) : A_BOLD;
    case STYLE_FAINT: return A_DIM;
    case STYLE_PLAIN: break;
    }
    return A_NORMAL;
}

/* At most `width` columns of `text`, at (y, x); nothing outside of the screen. */
static void put(int y, int x, int width, const char *text, enum style style)
{
    char fitted[CELL_MAX + 8];
    int room = COLS - x < width ? COLS - x : width;

    if (y < 0 || y >= LINES || room <= 0)
        return;
    (void)text_clean(text, fitted, CELL_MAX);
    text_fit(fitted, sizeof fitted, (size_t)room);
    (void)wattron(stdscr, (int)attribute_of(style));
    (void)mvwaddstr(stdscr, y, x, fitted);
    (void)wattroff(stdscr, (int)attribute_of(style));
}

__attribute__((format(printf, 4, 5))) static int print(int y, int x, enum style style,
                                                       const char *format, ...)
{
    char text[CELL_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put(y, x, COLS, text, style);
    return x + (int)text_width(text);
}

static void bytes_text(double bytes, char *text, size_t cap)
{
    static const char *const units[] = {"B", "kB", "MB", "GB"};
    size_t unit = 0;

    while (bytes >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        unit++;
    }
    (void)snprintf(text, cap, "%.*f %s/s", unit > 0 && bytes < 99.95 ? 1 : 0, bytes, units[unit]);
}

/* ---- The head ---------------------------------------------------------------------------- */

static void draw_title(const struct top *top)
{
    const char *name = ctl_text(top->info, "name");
    time_t now = time(NULL);
    struct tm local = {0};
    char clock[16] = "";

    (void)localtime_r(&now, &local);
    (void)strftime(clock, sizeof clock, "%H:%M:%S", &local);
    int x = print(0, 0, STYLE_HEAD, "swim ");
    x = print(0, x, STYLE_HEAD, "%s%s%s ", name, *name != '\0' ? " " : "",
              ctl_text(top->info, "addr"));
    if (x + 20 + 9 < COLS)
        put(0, x, 21, ctl_text(top->info, "id"), STYLE_FAINT);
    put(0, COLS - 8, 8, clock, STYLE_PLAIN);
}

static void draw_state(const struct top *top)
{
    uint64_t health = ctl_number(top->info, "local_health");
    bool is_ready = json_is_true(json_object_get(top->info, "ready"));
    bool is_leaving = json_is_true(json_object_get(top->info, "leaving"));
    char up[32];
    int x;

    if (top->is_lost) {
        put(1, 0, COLS, "the daemon doesn't answer: this is old; trying again", STYLE_BAD);
        return;
    }
    duration_of_seconds(ctl_number(top->info, "uptime_ms") / 1000, up, sizeof up);
    x = print(1, 0, is_ready ? STYLE_GOOD : STYLE_DOUBT, "%s",
              is_leaving ? "leaving"
              : is_ready ? "ready"
                         : "joining");
    x = print(1, x, STYLE_PLAIN, "  up %s  incarnation %llu  local health ", up,
              (unsigned long long)ctl_number(top->info, "incarnation"));
    (void)print(1, x,
                health == 0  ? STYLE_GOOD
                : health < 4 ? STYLE_DOUBT
                             : STYLE_BAD,
                "%llu of %llu%s", (unsigned long long)health,
                (unsigned long long)ctl_number(top->info, "local_health_max"),
                health == 0 ? " (good)" : "");
}

static void draw_members_by_status(const struct top *top)
{
    static const char *const names[] = {"alive", "suspect", "dead", "left"};
    const json_t *members = json_object_get(top->info, "members");
    int x = print(2, 0, STYLE_PLAIN, "members");

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint64_t count = ctl_number(members, names[i]);
        x = print(2, x, count > 0 ? style_of_status(names[i]) : STYLE_FAINT, "  %llu %s",
                  (unsigned long long)count, names[i]);
    }
    (void)print(2, x, STYLE_FAINT, "  view %.8s", ctl_text(top->info, "digest"));
}

static void draw_traffic(const struct top *top)
{
    char in[32];
    char out[32];

    bytes_text(top->rate[TOP_BYTES_IN], in, sizeof in);
    bytes_text(top->rate[TOP_BYTES_OUT], out, sizeof out);
    (void)print(3, 0, STYLE_PLAIN,
                "in %s %.0f/s  out %s %.0f/s  probes %.1f/s, %llu failed  queue %llu", in,
                top->rate[TOP_DATAGRAMS_IN], out, top->rate[TOP_DATAGRAMS_OUT],
                top->rate[TOP_PROBES], (unsigned long long)top->counter[TOP_PROBE_FAILURES],
                (unsigned long long)ctl_number(top->metrics, "gossip_queue_depth"));
}

/* ---- The list ---------------------------------------------------------------------------- */

struct columns {
    int name, addr, status, rtt, since, id; /* widths; 0: not shown */
};

static struct columns settle_columns(void)
{
    struct columns columns = {.addr = 21, .status = 8, .rtt = 9, .since = 8};

    if (COLS >= WIDE)
        columns.id = 20;
    if (COLS < 60)
        columns.since = 0;
    if (COLS < 48)
        columns.rtt = 0;
    columns.name = COLS - columns.addr - columns.status - columns.rtt - columns.since - columns.id -
                   (columns.id > 0 ? 5 : 4);
    if (columns.name < 8)
        columns.name = 8;
    return columns;
}

static void put_cell(int y, int *x, int width, const char *text, enum style style)
{
    if (width == 0)
        return;
    put(y, *x, width, text, style);
    *x += width + 1;
}

/* How long ago a time in RFC 3339 was. */
static void age_text(const char *time_text, char *text, size_t cap)
{
    struct tm parts = {0};
    time_t now = time(NULL);

    *text = '\0';
    if (strptime(time_text, "%Y-%m-%dT%H:%M:%S", &parts) == NULL)
        return;
    time_t then = timegm(&parts);
    duration_of_seconds(now > then ? (uint64_t)(now - then) : 0, text, cap);
}

static void draw_member(int y, const struct columns *columns, const json_t *member)
{
    const char *status = ctl_text(member, "status");
    const char *name = ctl_text(member, "name");
    bool is_self = json_is_true(json_object_get(member, "self"));
    char rtt[32];
    char age[32];
    int x = 0;

    duration_of(ctl_real(member, "rtt_seconds"), rtt, sizeof rtt);
    age_text(ctl_text(member, "changed"), age, sizeof age);
    put_cell(y, &x, columns->name, *name != '\0' ? name : "-", is_self ? STYLE_HEAD : STYLE_PLAIN);
    put_cell(y, &x, columns->addr, ctl_text(member, "addr"), STYLE_PLAIN);
    put_cell(y, &x, columns->status, status, style_of_status(status));
    put_cell(y, &x, columns->rtt, is_self ? "self" : *rtt != '\0' ? rtt : "-", STYLE_PLAIN);
    put_cell(y, &x, columns->since, age, STYLE_PLAIN);
    put_cell(y, &x, columns->id, ctl_text(member, "id"), STYLE_FAINT);
}

static size_t event_lines(void)
{
    int third = (LINES - HEAD_LINES) / 3;

    if (third < EVENTS_MIN)
        return 0;
    return (size_t)(third < EVENTS_SHOWN_MAX ? third : EVENTS_SHOWN_MAX);
}

/* The list has what the head, the events with their title, and the keys leave. */
size_t top_screen_page(void)
{
    int lines = LINES - HEAD_LINES - 2 - (int)event_lines();

    return lines > 1 ? (size_t)lines : 1;
}

static void draw_bar(int y, const char *text)
{
    if (y >= LINES)
        return;
    (void)wattron(stdscr, A_REVERSE);
    (void)mvwhline(stdscr, y, 0, ' ', COLS);
    put(y, 0, COLS, text, STYLE_PLAIN);
    (void)wattroff(stdscr, A_REVERSE);
}

static void draw_list(struct top *top)
{
    struct columns columns = settle_columns();
    size_t count = json_array_size(top->members);
    size_t page = top_screen_page();
    char head[CELL_MAX];

    (void)snprintf(head, sizeof head, "%-*s %-*s %-*s%s%-*s%s%-*s%s%-*s", columns.name, "NAME",
                   columns.addr, "ADDRESS", columns.status, "STATUS", columns.rtt > 0 ? " " : "",
                   columns.rtt, columns.rtt > 0 ? "RTT" : "", columns.since > 0 ? " " : "",
                   columns.since, columns.since > 0 ? "SINCE" : "", columns.id > 0 ? " " : "",
                   columns.id, columns.id > 0 ? "ID" : "");
    draw_bar(HEAD_LINES - 1, head);
    if (top->first + page > count)
        top->first = count > page ? count - page : 0;
    for (size_t i = 0; i < page && top->first + i < count; i++)
        draw_member(HEAD_LINES + (int)i, &columns, json_array_get(top->members, top->first + i));
}

/* ---- The foot ---------------------------------------------------------------------------- */

static enum style style_of_event(const char *kind)
{
    if (strcmp(kind, "failed") == 0 || strcmp(kind, "missed") == 0)
        return STYLE_BAD;
    return strcmp(kind, "suspected") == 0 ? STYLE_DOUBT : STYLE_PLAIN;
}

static void draw_events(const struct top *top)
{
    size_t lines = event_lines();

    if (lines == 0)
        return;
    draw_bar(LINES - 2 - (int)lines, "EVENTS");
    for (size_t back = 0; back < lines; back++) {
        const struct top_event *event = top_event_at(top, back);
        if (event != NULL)
            put(LINES - 2 - (int)back, 0, COLS, event->text, style_of_event(event->kind));
    }
}

static void draw_keys(const struct top *top)
{
    static const char *const sorts[] = {"name", "status", "round trip"};
    size_t count = json_array_size(top->members);
    size_t last = top->first + top_screen_page();

    (void)print(LINES - 1, 0, STYLE_FAINT,
                "q quit  arrows, page keys scroll  s sort: %s  %zu-%zu of %zu", sorts[top->sort],
                count > 0 ? top->first + 1 : 0, last < count ? last : count, count);
}

void top_screen_draw(struct top *top)
{
    (void)werase(stdscr);
    draw_title(top);
    draw_state(top);
    draw_members_by_status(top);
    draw_traffic(top);
    draw_list(top);
    draw_events(top);
    draw_keys(top);
    (void)wrefresh(stdscr);
}
