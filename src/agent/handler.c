/*
 * The program gets nothing of ours: no descriptor but its standard streams, no environment but a
 * few words on this member, no memory (posix_spawn runs it at once), signals as they were born. Its
 * input is a file in memory, so that one that doesn't read holds nobody up; its output goes
 * nowhere. It is the first of a process group of its own, and whatever it leaves running in that
 * group ends with it.
 */
#define _GNU_SOURCE
#include "agent/handler.h"

#include "agent/buffer_sink.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/member_json.h"
#include "agent/timer.h"
#include "base/json.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TROUBLE_WARN_MS 60000
/* Where the kernel (before 5.11) can't close a range. */
#define DESCRIPTORS_LOOKED_AT 1024
#define CLOSE_RANGE_ON_EXEC 4 /* CLOSE_RANGE_CLOEXEC, which older headers lack */
#define VARIABLES_MAX 6

struct handler {
    const struct swim *swim;
    const struct journal *journal;
    const struct agent_config *config;
    struct event *timer; /* gathering; running: for how long; asked to end: for how long */
    struct event *child; /* SIGCHLD */
    bool is_gathering;
    pid_t pid; /* 0: none runs */
    bool is_ended_by_us;
    uint64_t next;   /* event to be handed over */
    uint64_t missed; /* events before it that were lost, since the last run */
    struct handler_stats stats;
    struct log_limit trouble;
};

/* ---- The input --------------------------------------------------------------------------- */

static void put_self(struct json *json, const struct handler *handler)
{
    struct member_clock clock = member_clock_now();
    struct swim_member self;

    if (!swim_member_at(handler->swim, 0, &self))
        return;
    json_key(json, "self");
    member_json_put(json, handler->swim, &self, &clock);
}

/* Notes what the journal has given up since the last look. */
static void skip_lost(struct handler *handler)
{
    uint64_t first = journal_first(handler->journal);

    if (handler->next >= first)
        return;
    handler->missed += first - handler->next;
    handler->stats.missed += first - handler->next;
    handler->next = first;
}

/* The events from `next` on, ready JSON each; returns how many. */
static uint32_t put_events(struct handler *handler, struct evbuffer *text)
{
    size_t limit = evbuffer_get_length(text) + HANDLER_BYTES_MAX;
    uint32_t count = 0;

    while (handler->next <= journal_last(handler->journal) && count < HANDLER_EVENTS_MAX) {
        const struct journal_event *event = journal_at(handler->journal, handler->next);
        if (count > 0 && evbuffer_get_length(text) + event->size > limit)
            break;
        if (count++ > 0)
            buffer_sink(text, ",", 1);
        buffer_sink(text, event->json, event->size);
        handler->next++;
    }
    return count;
}

/* {"self":{...},"missed":0,"events":[...]} and a newline. Returns how many events are in it. */
static uint32_t put_input(struct handler *handler, struct evbuffer *text)
{
    static const char events_key[] = ",\"events\":[";
    struct json json;
    uint32_t count;

    json_init(&json, buffer_sink, text);
    json_object_begin(&json);
    put_self(&json, handler);
    json_key(&json, "missed");
    json_u64(&json, handler->missed);
    buffer_sink(text, events_key, sizeof events_key - 1); /* what follows is JSON already */
    count = put_events(handler, text);
    buffer_sink(text, "]", 1);
    json_object_end(&json);
    buffer_sink(text, "\n", 1);
    handler->missed = 0;
    return count;
}

/* A file in memory, to be read from its beginning. -1 and errno on failure. */
static int make_file(struct evbuffer *text)
{
    int fd = memfd_create("swim-events", MFD_CLOEXEC);
    int cause;

    while (fd >= 0 && evbuffer_get_length(text) > 0) {
        if (evbuffer_write(text, fd) > 0 || errno == EINTR)
            continue;
        cause = errno;
        (void)close(fd);
        errno = cause;
        return -1;
    }
    if (fd >= 0)
        (void)lseek(fd, 0, SEEK_SET);
    return fd;
}

/* ---- Starting it ------------------------------------------------------------------------- */

/* Descriptors that swimd was born with need not be close-on-exec; one of them may be a key file. */
static void close_all_on_exec(void)
{
    if (syscall(SYS_close_range, STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_ON_EXEC) == 0)
        return;
    for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_LOOKED_AT; fd++)
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

struct environment {
    char texts[VARIABLES_MAX][256];
    char *list[VARIABLES_MAX + 1];
    uint32_t count;
};

__attribute__((format(printf, 2, 3))) static void put_variable(struct environment *environment,
                                                               const char *format, ...)
{
    char *text = environment->texts[environment->count];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof environment->texts[0], format, arguments);
    va_end(arguments);
    environment->list[environment->count++] = text;
    environment->list[environment->count] = NULL;
}

static void fill_environment(const struct handler *handler, uint32_t events,
                             struct environment *ret)
{
    struct swim_member self;
    struct swim_meta meta;

    ret->count = 0;
    put_variable(ret, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    put_variable(ret, "LC_ALL=C.UTF-8");
    put_variable(ret, "SWIM_EVENTS=%u", (unsigned)events);
    if (!swim_member_at(handler->swim, 0, &self))
        return;
    put_variable(ret, "SWIM_ID=%" PRIu64, self.id);
    put_variable(ret, "SWIM_ADDR=%s", address_text(&self.addr).text);
    if (swim_member_meta(handler->swim, self.id, &meta))
        put_variable(ret, "SWIM_NAME=%s", meta.name);
}

/* As a program finds the world that nobody has touched. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)posix_spawnattr_setsigmask(attributes, &none);
    (void)posix_spawnattr_setsigdefault(attributes, &all);
    (void)posix_spawnattr_setpgroup(attributes, 0);
    return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
}

/* Returns 0, or an errno. */
static int spawn(const struct handler *handler, int input, uint32_t events, pid_t *ret_pid)
{
    const struct agent_config *config = handler->config;
    char *arguments[CONFIG_EXEC_MAX + 1] = {NULL};
    struct environment environment;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error;

    for (uint32_t i = 0; i < config->exec_count; i++)
        arguments[i] =
            (char *)(uintptr_t)config->exec[i]; /* execve takes them so, and reads only */
    fill_environment(handler, events, &environment);
    if (posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    if (posix_spawnattr_init(&attributes) != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return ENOMEM;
    }
    error = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    for (int fd = STDOUT_FILENO; error == 0 && fd <= STDERR_FILENO; fd++)
        error = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = set_attributes(&attributes);
    close_all_on_exec();
    if (error == 0)
        error =
            posix_spawn(ret_pid, arguments[0], &actions, &attributes, arguments, environment.list);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

static void arm(struct handler *handler, uint32_t wait_ms)
{
    struct timeval wait = timer_wait_ms(wait_ms);

    (void)evtimer_add(handler->timer, &wait);
}

static void report(struct handler *handler, const char *message, const char *key, uint64_t number)
{
    uint64_t held_back;

    if (log_limit_allows(&handler->trouble, clock_now_ns(), TROUBLE_WARN_MS, &held_back))
        LOG(LOG_WARN, message, LOG_TEXT("program", handler->config->exec[0]),
            LOG_NUMBER(key, number), LOG_NUMBER("more", held_back));
}

/* With what there is. */
static void run(struct handler *handler)
{
    struct evbuffer *text = evbuffer_new();
    uint64_t missed;
    uint32_t count = 0;
    int error = ENOMEM;
    int input;

    skip_lost(handler);
    missed = handler->missed;
    if (text != NULL) {
        count = put_input(handler, text);
        input = make_file(text);
        error = input < 0 ? errno : spawn(handler, input, count, &handler->pid);
        if (input >= 0)
            (void)close(input);
        evbuffer_free(text);
    }
    if (error == 0) {
        handler->is_ended_by_us = false;
        arm(handler, handler->config->exec_timeout_ms);
        return;
    }
    handler->pid = 0;
    handler->missed = missed + count;
    handler->stats.missed += count;
    handler->stats.not_started++;
    report(handler, "the program for events can't be started", "errno", (uint64_t)error);
}

/* ---- Its end ----------------------------------------------------------------------------- */

static void signal_group(const struct handler *handler, int number)
{
    if (kill(-handler->pid, number) != 0)
        (void)kill(handler->pid, number);
}

/* Its time is over; or it has been over, and it does not end. */
static void end_it(struct handler *handler)
{
    if (handler->is_ended_by_us) {
        signal_group(handler, SIGKILL);
        return;
    }
    handler->is_ended_by_us = true;
    report(handler, "the program for events takes too long, and is ended", "timeout_ms",
           handler->config->exec_timeout_ms);
    signal_group(handler, SIGTERM);
    arm(handler, HANDLER_GRACE_MS);
}

static void note_end(struct handler *handler, const siginfo_t *info)
{
    if (handler->is_ended_by_us) {
        handler->stats.timed_out++;
    } else if (info->si_code != CLD_EXITED) {
        handler->stats.failed++;
        report(handler, "the program for events was ended by a signal", "signal",
               (uint64_t)info->si_status);
    } else if (info->si_status != 0) {
        handler->stats.failed++;
        report(handler, "the program for events failed", "exit_code", (uint64_t)info->si_status);
    } else {
        handler->stats.ok++;
    }
}

/* Looks before it reaps: until then the group's number is nobody else's. */
static void on_child(evutil_socket_t number, short what, void *context)
{
    struct handler *handler = context;
    siginfo_t info = {0};

    (void)number;
    (void)what;
    if (handler->pid == 0 ||
        waitid(P_PID, (id_t)handler->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        info.si_pid == 0)
        return;
    (void)kill(-handler->pid, SIGKILL);
    (void)waitid(P_PID, (id_t)handler->pid, &info, WEXITED | WNOHANG);
    (void)evtimer_del(handler->timer);
    note_end(handler, &info);
    handler->pid = 0;
    handler_push(handler);
}

/* ---- The whole --------------------------------------------------------------------------- */

static void on_timer(evutil_socket_t fd, short what, void *context)
{
    struct handler *handler = context;

    (void)fd;
    (void)what;
    if (handler->pid != 0) {
        end_it(handler);
        return;
    }
    handler->is_gathering = false;
    if (handler->config->exec_count > 0)
        run(handler);
    handler_push(handler);
}

void handler_push(struct handler *handler)
{
    if (handler->config->exec_count == 0) {
        handler->next = journal_last(handler->journal) + 1; /* not for one that comes later */
        handler->missed = 0;
        return;
    }
    if (handler->pid != 0 || handler->is_gathering ||
        handler->next > journal_last(handler->journal))
        return;
    handler->is_gathering = true;
    arm(handler, handler->config->exec_batch_ms);
}

struct handler *handler_new(struct event_base *base, const struct swim *swim,
                            const struct journal *journal, const struct agent_config *config)
{
    struct handler *handler = calloc(1, sizeof *handler);

    if (handler == NULL)
        return NULL;
    *handler = (struct handler){.swim = swim, .journal = journal, .config = config, .next = 1};
    handler->timer = evtimer_new(base, on_timer, handler);
    handler->child = evsignal_new(base, SIGCHLD, on_child, handler);
    if (handler->timer == NULL || handler->child == NULL || event_add(handler->child, NULL) != 0) {
        handler_free(handler);
        return NULL;
    }
    return handler;
}

void handler_free(struct handler *handler)
{
    if (handler == NULL)
        return;
    if (handler->pid != 0)
        signal_group(handler, SIGTERM);
    timer_free(handler->timer);
    timer_free(handler->child);
    free(handler);
}

struct handler_stats handler_stats(const struct handler *handler)
{
    struct handler_stats stats = handler->stats;

    stats.is_running = handler->pid != 0;
    return stats;
}

bool handler_check(const struct agent_config *config, struct config_error *ret_error)
{
    const char *path = config->exec[0];
    const char *wrong = NULL;
    struct stat status;

    if (config->exec_count == 0)
        return true;
    if (stat(path, &status) != 0)
        wrong = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        wrong = "this is no file";
    else if (access(path, X_OK) != 0)
        wrong = "swimd may not execute it: chmod +x";
    else if ((status.st_mode & S_IWOTH) != 0)
        wrong = "everybody can write to it: chmod o-w";
    if (wrong == NULL)
        return true;
    (void)snprintf(ret_error->text, sizeof ret_error->text, "%.250s:%u: [events] exec: %s: %s",
                   config->path, (unsigned)config->exec_line, path, wrong);
    return false;
}
