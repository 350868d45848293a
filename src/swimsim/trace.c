/*
 * The story of a run. Lines are written as things happen; two sorts are held back until the next
 * line, because one cause has several happenings: whom a member asks for an indirect probe, and
 * where the network changes.
 *
 * A member's events are read right after the input that caused them. So the datagram delivered
 * last, at the same instant and to the same member, is why; without one it was a timer.
 */
#include "swimsim/trace_private.h"

#include "base/assert.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LIST_SHOWN 12 /* names in one line */

enum held_kind { HELD_NOTHING, HELD_ASKS, HELD_NETWORK };

/* A line that may grow yet. */
struct held {
    enum held_kind kind;
    uint64_t at_ns;
    uint32_t node;
    uint64_t target; /* ASKS: an id */
    uint32_t count;  /* names so far */
    struct line line;
};

struct trace {
    struct sim *sim;
    struct trace_config config;
    struct names names;
    struct held held;
    uint64_t noted_ns; /* when the runner last said something, or SIM_NEVER */
    /* The delivery that may be the cause of what a member says next. */
    uint64_t heard_ns;
    uint32_t heard_node;
    uint32_t heard_peer;
    /* One that goes on after a pause has several causes at once. */
    uint64_t woken_ns;
    uint32_t woken_node;
};

/* ---- Lines ------------------------------------------------------------------------------- */

static void clear(struct line *line)
{
    line->size = 0;
    line->text[0] = '\0';
}

void line_add(struct line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line->text + line->size, LINE_SIZE - line->size, format, arguments);
    va_end(arguments);
    if (size > 0) {
        line->size += (size_t)size;
        line->size = line->size < LINE_SIZE ? line->size : LINE_SIZE - 1;
    }
}

static void write_line(struct trace *trace, uint64_t at_ns, const char *who, const char *text)
{
    fprintf(trace->config.out, "%5llu.%03llu  %-5s  %s\n", (unsigned long long)(at_ns / SIM_SECOND),
            (unsigned long long)(at_ns % SIM_SECOND / SWIM_MS), who, text);
}

/* Writes what was held back: it came first. */
static void release(struct trace *trace)
{
    struct held *held = &trace->held;
    char name[NAME_SIZE] = "net";
    if (held->kind == HELD_NOTHING) {
        return;
    }
    if (held->count > LIST_SHOWN) {
        line_add(&held->line, " and %lu more", (unsigned long)(held->count - LIST_SHOWN));
    }
    if (held->kind == HELD_ASKS) {
        names_of_node(&trace->names, held->node, name);
    }
    write_line(trace, held->at_ns, name, held->line.text);
    held->kind = HELD_NOTHING;
}

static void say(struct trace *trace, uint32_t node, const struct line *line)
{
    char name[NAME_SIZE];
    release(trace);
    write_line(trace, sim_now(trace->sim), names_of_node(&trace->names, node, name), line->text);
}

static void say_text(struct trace *trace, uint32_t node, const char *text)
{
    struct line line;
    clear(&line);
    line_add(&line, "%s", text);
    say(trace, node, &line);
}

void trace_note(struct trace *trace, const char *text)
{
    release(trace);
    trace->noted_ns = sim_now(trace->sim);
    write_line(trace, trace->noted_ns, "--", text);
}

/* ---- Held lines -------------------------------------------------------------------------- */

static void hold(struct trace *trace, const struct held *held)
{
    release(trace);
    uint64_t at_ns = sim_now(trace->sim);
    trace->held.kind = held->kind;
    trace->held.at_ns = at_ns;
    trace->held.node = held->node;
    trace->held.target = held->target;
    trace->held.count = 0;
    clear(&trace->held.line);
}

static void hold_name(struct trace *trace, const char *name)
{
    struct held *held = &trace->held;
    if (held->count < LIST_SHOWN) {
        line_add(&held->line, "%s%s", held->count == 0 ? "" : ", ", name);
    }
    held->count++;
}

/* A PING_REQ is sent when the direct probe was not answered in time. */
static void on_asked(struct trace *trace, const struct sim_happening *happening, uint64_t target)
{
    struct held *held = &trace->held;
    char name[NAME_SIZE];
    if (held->kind != HELD_ASKS || held->at_ns != happening->at || held->node != happening->node ||
        held->target != target) {
        hold(trace, &(struct held){.kind = HELD_ASKS, .node = happening->node, .target = target});
        line_add(&held->line, "no answer from %s: asks ", names_of_id(&trace->names, target, name));
    }
    hold_name(trace, names_of_node(&trace->names, happening->peer, name));
}

static void on_network(struct trace *trace, const struct sim_happening *happening)
{
    struct held *held = &trace->held;
    char name[NAME_SIZE];
    char peer[NAME_SIZE];
    if (trace->noted_ns == happening->at) {
        return; /* the runner has said what it does */
    }
    if (held->kind != HELD_NETWORK || held->at_ns != happening->at) {
        hold(trace, &(struct held){.kind = HELD_NETWORK});
        line_add(&held->line, "changes");
    }
    if (happening->node == SIM_NOBODY) {
        return;
    }
    names_of_node(&trace->names, happening->node, name);
    struct line pair;
    clear(&pair);
    line_add(&pair, held->count == 0 ? " at " : "");
    line_add(&pair, "%s", name);
    if (happening->peer != SIM_NOBODY) {
        line_add(&pair, " to %s", names_of_node(&trace->names, happening->peer, peer));
    }
    hold_name(trace, pair.text);
}

/* ---- Datagrams --------------------------------------------------------------------------- */

static void say_datagram(struct trace *trace, const struct sim_happening *happening)
{
    struct line line;
    char peer[NAME_SIZE];
    uint32_t node = happening->node;
    clear(&line);
    names_of_node(&trace->names, happening->peer, peer);
    if (happening->kind == SIM_HAPPENED_SENT) {
        line_add(&line, "-> %s  ", peer);
    } else if (happening->kind == SIM_HAPPENED_DELIVERED) {
        line_add(&line, "<- %s  ", peer);
    } else {
        line_add(&line, "-x %s  lost (%s): ", peer, sim_drop_name(happening->drop));
    }
    datagram_describe(&trace->names, happening->data, happening->size, &line);
    say(trace, node, &line);
}

static void on_datagram(struct trace *trace, const struct sim_happening *happening)
{
    uint64_t target;
    if (happening->kind == SIM_HAPPENED_DELIVERED) {
        trace->heard_ns = happening->at;
        trace->heard_node = happening->node;
        trace->heard_peer = happening->peer;
    }
    if (trace->config.has_datagrams) {
        say_datagram(trace, happening);
    }
    if (happening->kind == SIM_HAPPENED_SENT &&
        datagram_target(happening->data, happening->size, &target)) {
        on_asked(trace, happening, target);
    }
}

/* ---- What members say -------------------------------------------------------------------- */

/* A sentence about a member: its name stands between the first two parts. */
struct word {
    const char *before;
    const char *after;
    const char *by_itself; /* why, if the member heard nothing: NULL for no reason at all */
};

static void add_reason(struct trace *trace, const struct sim_event *event, const struct word *word,
                       struct line *line)
{
    char name[NAME_SIZE];
    if (trace->woken_ns == event->at && trace->woken_node == event->node) {
        return;
    }
    if (trace->heard_ns != event->at || trace->heard_node != event->node) {
        line_add(line, "%s%s", word->by_itself != NULL ? ": " : "",
                 word->by_itself != NULL ? word->by_itself : "");
    } else if (trace->heard_peer == SIM_NOBODY) {
        line_add(line, ": told by a datagram out of nowhere");
    } else if (sim_id(trace->sim, trace->heard_peer) == event->id) {
        line_add(line, ": heard from it");
    } else {
        line_add(line, ": told by %s", names_of_node(&trace->names, trace->heard_peer, name));
    }
}

static void say_word(struct trace *trace, const struct sim_event *event, struct word word)
{
    struct line line;
    char name[NAME_SIZE];
    clear(&line);
    line_add(&line, "%s %s%s (incarnation %lu)", word.before,
             names_of_id(&trace->names, event->id, name), word.after,
             (unsigned long)event->incarnation);
    add_reason(trace, event, &word, &line);
    say(trace, event->node, &line);
}

static void on_own_event(struct trace *trace, const struct sim_event *event)
{
    struct line line;
    clear(&line);
    if (event->kind == SWIM_EVENT_REFUTED) {
        line_add(&line, "is alive, and says so: incarnation %lu",
                 (unsigned long)event->incarnation);
    } else if (event->kind == SWIM_EVENT_PAUSED) {
        line_add(&line, "notices a gap of %llu.%03llu s, and starts its timers anew",
                 (unsigned long long)(event->paused_for_ns / SIM_SECOND),
                 (unsigned long long)(event->paused_for_ns % SIM_SECOND / SWIM_MS));
    } else if (event->kind == SWIM_EVENT_ID_CHANGED) {
        names_give(&trace->names, event->node, event->id);
        line_add(&line, "has used up its incarnations, and takes a new id");
    } else if (event->kind == SWIM_EVENT_TABLE_FULL) {
        line_add(&line, "refuses a newcomer: its table is full");
    } else if (event->kind == SWIM_EVENT_LEAVE_DONE) {
        line_add(&line, "has told enough others that it leaves");
    } else {
        line_add(&line, "%s", swim_event_name(event->kind));
    }
    say(trace, event->node, &line);
}

static void on_event(struct trace *trace, const struct sim_event *event)
{
    static const struct word words[] = {
        [SWIM_EVENT_JOINED] = {"meets", "", NULL},
        [SWIM_EVENT_SUSPECTED] = {"suspects", "", "nothing answers its probe"},
        [SWIM_EVENT_RECOVERED] = {"trusts", " again", NULL},
        [SWIM_EVENT_FAILED] = {"marks", " dead", "the suspicion has run out"},
        [SWIM_EVENT_LEFT] = {"marks", " left", NULL},
        [SWIM_EVENT_UPDATED] = {"has a new record of", "", NULL},
        [SWIM_EVENT_FORGOTTEN] = {"forgets", "", NULL},
        [SWIM_EVENT_RESTARTED] = {"notices the restart of", "", NULL},
    };
    bool is_back = event->before == SWIM_DEAD || event->before == SWIM_LEFT;
    if (event->kind == SWIM_EVENT_JOINED && is_back) {
        say_word(trace, event, (struct word){"meets", " again", NULL});
    } else if (event->kind < sizeof words / sizeof words[0] && words[event->kind].before != NULL) {
        say_word(trace, event, words[event->kind]);
    } else {
        on_own_event(trace, event);
    }
}

/* ---- What is done to members ------------------------------------------------------------- */

static void on_started(struct trace *trace, uint32_t node)
{
    struct line line;
    uint32_t incarnation = sim_member_config(trace->sim, node)->incarnation;
    clear(&line);
    bool is_known = names_give(&trace->names, node, sim_id(trace->sim, node));
    line_add(&line, is_known ? "starts again under its old id" : "starts");
    if (sim_is_foreign(trace->sim, node)) {
        line_add(&line, ", a program that is not ours");
    } else if (is_known || incarnation > 0) {
        line_add(&line, " (incarnation %lu)", (unsigned long)incarnation);
    }
    say(trace, node, &line);
}

static void on_moved(struct trace *trace, uint32_t node)
{
    struct swim_addr addr = sim_addr(trace->sim, node);
    struct line line;
    clear(&line);
    if (addr.family == 4) {
        line_add(&line, "has the address %u.%u.%u.%u:%u", addr.ip[0], addr.ip[1], addr.ip[2],
                 addr.ip[3], addr.port);
    } else if (addr.family == 6) {
        line_add(&line, "has the address [");
        for (size_t i = 0; i < sizeof addr.ip; i += 2) {
            line_add(&line, "%s%x", i > 0 ? ":" : "", (unsigned)addr.ip[i] << 8 | addr.ip[i + 1]);
        }
        line_add(&line, "]:%u", addr.port);
    } else {
        line_add(&line, "has no address any more");
    }
    say(trace, node, &line);
}

static void on_fault(struct trace *trace, const struct sim_happening *happening)
{
    static const char *const texts[SIM_HAPPENINGS] = {
        [SIM_HAPPENED_CRASHED] = "crashes",
        [SIM_HAPPENED_LEAVING] = "begins to leave",
        [SIM_HAPPENED_LEFT] = "has left, and stops",
        [SIM_HAPPENED_PAUSED] = "is paused",
        [SIM_HAPPENED_RESUMED] = "goes on after its pause",
        [SIM_HAPPENED_BLOCKED] = "is blocked",
        [SIM_HAPPENED_UNBLOCKED] = "is not blocked any more",
        [SIM_HAPPENED_CLOCK] = "has another clock: it jumped, or has another rate",
    };
    if (happening->kind == SIM_HAPPENED_RESUMED || happening->kind == SIM_HAPPENED_UNBLOCKED) {
        trace->woken_ns = happening->at;
        trace->woken_node = happening->node;
    }
    if (happening->kind < SIM_HAPPENINGS && texts[happening->kind] != NULL) {
        say_text(trace, happening->node, texts[happening->kind]);
    }
}

static void watch(void *context, const struct sim *sim, const struct sim_happening *happening)
{
    struct trace *trace = context;
    (void)sim;
    switch (happening->kind) {
    case SIM_HAPPENED_SENT:
    case SIM_HAPPENED_DELIVERED:
    case SIM_HAPPENED_DROPPED: on_datagram(trace, happening); break;
    case SIM_HAPPENED_EVENT: on_event(trace, happening->event); break;
    case SIM_HAPPENED_STARTED: on_started(trace, happening->node); break;
    case SIM_HAPPENED_MOVED: on_moved(trace, happening->node); break;
    case SIM_HAPPENED_NETWORK: on_network(trace, happening); break;
    default: on_fault(trace, happening); break;
    }
}

/* ---- Beginning and end ------------------------------------------------------------------- */

struct trace *trace_new(struct sim *sim, const struct trace_config *config)
{
    ASSERT(config->out != NULL);
    struct trace *trace = collect_allocate(1, sizeof *trace);
    trace->sim = sim;
    trace->config = *config;
    trace->noted_ns = SIM_NEVER;
    trace->heard_ns = SIM_NEVER;
    trace->woken_ns = SIM_NEVER;
    for (uint32_t i = 0; i < sim_nodes(sim); i++) {
        if (sim_state(sim, i) != SIM_STOPPED) {
            names_give(&trace->names, i, sim_id(sim, i));
        }
    }
    sim_watch(sim, watch, trace);
    return trace;
}

void trace_free(struct trace *trace)
{
    if (trace == NULL) {
        return;
    }
    release(trace);
    fflush(trace->config.out);
    names_free(&trace->names);
    free(trace);
}
