/* What lies between a verb and the client: an answer is JSON and not an error, or the failure is
 * said once, in one form, with one exit code. */
#define _GNU_SOURCE
#include "ctl/ctl.h"

#include "ctl/json_in.h"
#include "ctl/json_out.h"
#include "ctl/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Failures ---------------------------------------------------------------------------- */

static enum exit_code note(struct ctl *ctl, enum exit_code code, const char *format,
                           va_list arguments)
{
    (void)vsnprintf(ctl->error, sizeof ctl->error, format, arguments);
    return code;
}

enum exit_code ctl_note(struct ctl *ctl, enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)note(ctl, code, format, arguments);
    va_end(arguments);
    return code;
}

enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)note(ctl, code, format, arguments);
    va_end(arguments);
    return ctl_say(ctl, code);
}

enum exit_code ctl_say(const struct ctl *ctl, enum exit_code code)
{
    char clean[sizeof ctl->error];
    struct json json;

    if (code == EXIT_CODE_OK)
        return code;
    (void)fflush(stdout);
    if (!ctl->is_json) {
        (void)fprintf(stderr, "swimctl: %s\n", text_clean(ctl->error, clean, sizeof clean));
        return code;
    }
    json_out_init(&json, stderr);
    json_object_begin(&json);
    json_key(&json, "error");
    json_text(&json, ctl->error);
    json_key(&json, "code");
    json_i64(&json, code);
    json_object_end(&json);
    (void)fputc('\n', stderr);
    return code;
}

enum exit_code ctl_note_client(struct ctl *ctl, enum client_result result)
{
    enum exit_code code = EXIT_CODE_FAILURE;

    if (result == CLIENT_UNREACHABLE)
        code = EXIT_CODE_UNREACHABLE;
    else if (result == CLIENT_MISUSED)
        code = EXIT_CODE_USAGE;
    else if (result == CLIENT_TIMEOUT)
        code = EXIT_CODE_TIMEOUT;
    return ctl_note(ctl, code, "%s", ctl->client.error);
}

enum exit_code ctl_finish(struct ctl *ctl, enum exit_code code)
{
    bool has_failed = ferror(stdout) != 0;

    if (fflush(stdout) != 0 || has_failed)
        return ctl_fail(ctl, code != EXIT_CODE_OK ? code : EXIT_CODE_FAILURE,
                        "standard output can't be written: %s", strerror(errno));
    return code;
}

void ctl_count(struct ctl_tally *tally, enum exit_code code)
{
    if (code == EXIT_CODE_OK) {
        tally->done++;
        return;
    }
    tally->failed++;
    tally->last = code;
}

enum exit_code ctl_tally_code(const struct ctl_tally *tally)
{
    if (tally->failed == 0)
        return EXIT_CODE_OK;
    return tally->done > 0 ? EXIT_CODE_PARTIAL : tally->last;
}

/* ---- Answers ----------------------------------------------------------------------------- */

static const char *reason_of(const json_t *root, char *buffer, size_t cap, int status)
{
    const char *reason = json_string_value(json_object_get(root, "error"));

    if (reason != NULL)
        return reason;
    (void)snprintf(buffer, cap, "it answered with status %d%s", status,
                   status == 404 || status == 405 ? ": swimctl and swimd are of different versions"
                                                  : "");
    return buffer;
}

static enum exit_code refuse(struct ctl *ctl, const struct client_reply *reply)
{
    char buffer[128];
    bool is_late;
    json_t *root = json_in_parse(reply->body, reply->size, reply->deadline_ms, &is_late);
    enum exit_code code = reply->status == 504 ? EXIT_CODE_TIMEOUT : EXIT_CODE_FAILURE;

    code = ctl_note(ctl, code, "swimd: %s", reason_of(root, buffer, sizeof buffer, reply->status));
    json_decref(root);
    return code;
}

static enum exit_code ask(struct ctl *ctl, const struct client_request *request,
                          struct client_reply *ret)
{
    enum client_result result = client_ask(&ctl->client, request, ret);

    if (result != CLIENT_OK)
        return ctl_note_client(ctl, result);
    if (ret->status == 200)
        return EXIT_CODE_OK;
    enum exit_code code = refuse(ctl, ret);
    client_reply_free(ret);
    return code;
}

static enum exit_code ask_json(struct ctl *ctl, const struct client_request *request, json_t **ret)
{
    struct client_reply reply;
    bool is_late;
    enum exit_code code = ask(ctl, request, &reply);

    if (code != EXIT_CODE_OK)
        return code;
    json_t *root = json_in_parse(reply.body, reply.size, reply.deadline_ms, &is_late);
    client_reply_free(&reply);
    if (is_late)
        return ctl_note(ctl, EXIT_CODE_TIMEOUT,
                        "%.200s: the answer to %.100s was too long to be read within %g s",
                        ctl->client.socket, request->path, ctl->client.timeout_ms / 1000.0);
    if (root == NULL)
        return ctl_note(ctl, EXIT_CODE_FAILURE, "%.200s: the answer to %.100s is no JSON",
                        ctl->client.socket, request->path);
    *ret = root;
    return EXIT_CODE_OK;
}

enum exit_code ctl_get(struct ctl *ctl, const char *path, json_t **ret)
{
    return ask_json(ctl, &(struct client_request){.path = path}, ret);
}

enum exit_code ctl_post(struct ctl *ctl, const char *path, const char *body, json_t **ret)
{
    return ask_json(ctl, &(struct client_request){.path = path, .body = body}, ret);
}

enum exit_code ctl_get_text(struct ctl *ctl, const char *path, struct client_reply *ret)
{
    return ask(ctl, &(struct client_request){.path = path}, ret);
}

const char *ctl_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

uint64_t ctl_number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

double ctl_real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}
