/*
 * swimctl debug: what somebody who helps from afar would ask for, in one text: versions, what the
 * daemon says of itself, its settings without keys, peers, members, metrics, the log's last lines.
 * A part that can't be had is said to be missing, and the rest is written all the same.
 */
#define _GNU_SOURCE
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

struct part {
    const char *title;
    const char *path;
    bool may_lack; /* a member without keys says so: nothing is missing */
};

static const struct part parts[] = {
    {"info", "/info", false},       {"config", "/config", false}, {"peers", "/peers", false},
    {"tags", "/tags", false},       {"keys", "/keys", true},      {"members", "/members", false},
    {"metrics", "/metrics", false}, {"log", "/log", false},
};
#define PART_COUNT (sizeof parts / sizeof parts[0])

static void put_heading(FILE *out, const char *title)
{
    (void)fprintf(out, "\n==== %s\n", title);
}

static void put_machine(FILE *out)
{
    struct utsname machine;
    time_t now = time(NULL);
    struct tm utc = {0};
    char text[40] = "";

    (void)gmtime_r(&now, &utc);
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    (void)fprintf(out, "swimctl %d.%d.%d, %s\n", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                  SWIM_VERSION_PATCH, text);
    if (uname(&machine) == 0)
        (void)fprintf(out, "%s %s %s\n", machine.sysname, machine.release, machine.machine);
}

/* Texts of others are written as they are, but for what a terminal would act upon. */
static void put_body(FILE *out, const struct client_reply *reply)
{
    text_put_clean(out, reply->body, reply->size);
    if (reply->size > 0 && reply->body[reply->size - 1] != '\n')
        (void)fputc('\n', out);
}

static void put_missing(FILE *out, const char *why)
{
    char clean[2 * CLIENT_ERROR_MAX];

    (void)fprintf(out, "(missing: %s)\n", text_clean(why, clean, sizeof clean));
}

static enum exit_code write_text(struct ctl *ctl, FILE *out)
{
    struct ctl_tally tally = {0};

    put_machine(out);
    for (size_t i = 0; i < PART_COUNT; i++) {
        struct client_reply reply = {0};
        enum exit_code code = ctl_get_text(ctl, parts[i].path, &reply);
        put_heading(out, parts[i].title);
        if (code == EXIT_CODE_OK)
            put_body(out, &reply);
        else
            put_missing(out, ctl->error);
        client_reply_free(&reply);
        bool is_answer = parts[i].may_lack && code == EXIT_CODE_FAILURE;
        ctl_count(&tally, is_answer ? EXIT_CODE_OK : code);
        if (i == 0 && code != EXIT_CODE_OK)
            return code;
    }
    return ctl_tally_code(&tally);
}

/* One object, with what is JSON as JSON, and what is text as a string. */
static enum exit_code write_json(struct ctl *ctl, FILE *out)
{
    struct ctl_tally tally = {0};
    struct json json;

    json_out_init(&json, out);
    json_object_begin(&json);
    for (size_t i = 0; i < PART_COUNT; i++) {
        struct client_reply reply = {0};
        enum exit_code code = ctl_get_text(ctl, parts[i].path, &reply);
        json_t *value = code == EXIT_CODE_OK ? json_loadb(reply.body, reply.size, 0, NULL) : NULL;
        json_key(&json, parts[i].title);
        if (value != NULL)
            json_out_value(&json, value);
        else if (code == EXIT_CODE_OK)
            json_text_n(&json, reply.body, reply.size);
        else
            json_none(&json);
        json_decref(value);
        client_reply_free(&reply);
        bool is_answer = parts[i].may_lack && code == EXIT_CODE_FAILURE;
        ctl_count(&tally, is_answer ? EXIT_CODE_OK : code);
    }
    json_object_end(&json);
    (void)fputc('\n', out);
    return ctl_tally_code(&tally);
}

/* For its owner alone: it says much of a network. */
static FILE *open_bundle(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (out == NULL && fd >= 0)
        (void)close(fd);
    return out;
}

enum exit_code verb_debug(struct ctl *ctl)
{
    const char *path = ctl->word_count > 0 ? ctl->words[0] : NULL;
    FILE *out = path != NULL ? open_bundle(path) : stdout;
    enum exit_code code;

    if (out == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "%.300s: cannot be made: %s", path,
                        strerror(errno));
    code = ctl->is_json ? write_json(ctl, out) : write_text(ctl, out);
    if (path == NULL)
        return ctl_say(ctl, code);
    bool has_failed = ferror(out) != 0;
    has_failed = fclose(out) != 0 || has_failed;
    if (has_failed)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "%.300s: cannot be written: %s", path,
                        strerror(errno));
    if (code == EXIT_CODE_OK && !ctl->is_json)
        (void)printf("%s: written. It holds addresses, names and tags of members; no keys\n", path);
    return ctl_say(ctl, code);
}
