/*
 * swimctl keys: rotation. A key comes from a file or from standard input, never from an argument,
 * which every user of the machine can read; and it goes to the daemon only, never to a terminal.
 */
#define _GNU_SOURCE
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY_DIGITS 64
#define FILE_MAX 16384

/* ---- Reading a key ----------------------------------------------------------------------- */

/* Reads all there is, up to `cap` - 1 bytes; -1 and errno on failure. */
static ssize_t read_all(int fd, char *text, size_t cap)
{
    size_t size = 0;

    while (size < cap - 1) {
        ssize_t got = read(fd, text + size, cap - 1 - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        size += (size_t)got;
    }
    text[size] = '\0';
    return (ssize_t)size;
}

/* The first line that is neither empty nor a comment: where a key file has its primary key. NULL
 * when it isn't 64 hex digits (and blanks, and a comment). */
static const char *find_key(const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text != '#')
            break;
        text += strcspn(text, "\n");
    }
    const char *end = text + strspn(text, "0123456789abcdefABCDEF");
    return end - text == KEY_DIGITS && strchr(" \t\r\n#", *end) != NULL ? text : NULL;
}

/* The key of a file, or of standard input, as {"key":"..."}. */
static enum exit_code read_key(struct ctl *ctl, const char *path, char ret_body[KEY_DIGITS + 16])
{
    char text[FILE_MAX];
    const char *name = path != NULL ? path : "standard input";
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    enum exit_code code = EXIT_CODE_OK;

    if (path == NULL && isatty(STDIN_FILENO) == 1)
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "a key is not typed in: swimctl keys install < FILE, or --key-file FILE");
    if (fd < 0)
        return ctl_fail(ctl, EXIT_CODE_CONFIG, "the key file %.300s: %s", name, strerror(errno));
    ssize_t size = read_all(fd, text, sizeof text);
    if (size < 0) {
        code = ctl_fail(ctl, EXIT_CODE_CONFIG, "the key file %.300s: %s", name, strerror(errno));
    } else {
        const char *key = find_key(text);
        if (key == NULL)
            code = ctl_fail(ctl, EXIT_CODE_CONFIG,
                            "%.300s: its first line that is no comment must be a key, 64 hex "
                            "digits; swimctl keygen draws one",
                            name);
        else
            (void)snprintf(ret_body, KEY_DIGITS + 16, "{\"key\":\"%.64s\"}", key);
    }
    explicit_bzero(text, sizeof text);
    if (path != NULL)
        (void)close(fd);
    return code;
}

/* ---- Showing ----------------------------------------------------------------------------- */

static enum exit_code show(struct ctl *ctl, const json_t *root)
{
    static const struct table_column columns[] = {{"KEY-ID", false, false, 0},
                                                  {"USE", false, false, 0}};
    const json_t *keys = json_object_get(root, "keys");
    const json_t *saved = json_object_get(root, "saved");

    if (ctl->is_json) {
        json_out_line(stdout, root);
        return EXIT_CODE_OK;
    }
    struct table *table = table_new(columns, 2);
    if (table == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        bool is_primary = json_is_true(json_object_get(key, "primary"));
        table_cell(table, ctl_text(key, "id"), STYLE_PLAIN);
        table_cell(table, is_primary ? "primary" : "accepted",
                   is_primary ? STYLE_GOOD : STYLE_PLAIN);
    }
    (void)table_print(table, stdout, style_columns(stdout));
    table_free(table);
    if (json_is_false(saved))
        (void)fprintf(stderr, "swimctl: done, but not saved: %s\n", ctl_text(root, "reason"));
    return EXIT_CODE_OK;
}

/* ---- Verbs ------------------------------------------------------------------------------- */

static enum exit_code change(struct ctl *ctl, const char *path, const char *body)
{
    json_t *root;
    enum exit_code code = ctl_post(ctl, path, body, &root);

    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    code = show(ctl, root);
    json_decref(root);
    return code;
}

static enum exit_code install(struct ctl *ctl)
{
    char body[KEY_DIGITS + 16];
    enum exit_code code = read_key(ctl, ctl_given(ctl, "key-file"), body);

    if (code == EXIT_CODE_OK)
        code = change(ctl, "/keys/install", body);
    explicit_bzero(body, sizeof body);
    return code;
}

static enum exit_code by_id(struct ctl *ctl, const char *path)
{
    const char *id = ctl->words[1];
    char body[32];

    if (strlen(id) != 8 || strspn(id, "0123456789abcdefABCDEF") != 8)
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "a key's id has 8 hex digits; swimctl keys list shows them");
    (void)snprintf(body, sizeof body, "{\"id\":\"%s\"}", id);
    return change(ctl, path, body);
}

static enum exit_code list(struct ctl *ctl)
{
    json_t *root;
    enum exit_code code = ctl_get(ctl, "/keys", &root);

    if (code != EXIT_CODE_OK)
        return ctl_say(ctl, code);
    code = show(ctl, root);
    json_decref(root);
    return code;
}

enum exit_code verb_keys(struct ctl *ctl)
{
    const char *what = ctl->words[0];
    bool is_use = strcmp(what, "use") == 0;
    bool is_remove = strcmp(what, "remove") == 0;
    bool is_install = strcmp(what, "install") == 0;
    int wanted = is_use || is_remove ? 2 : 1;

    if (!is_use && !is_remove && !is_install && strcmp(what, "list") != 0)
        return ctl_fail(ctl, EXIT_CODE_USAGE, "keys: list, install, use or remove, not %.100s",
                        what);
    if (is_install && ctl->word_count > 1)
        return ctl_fail(ctl, EXIT_CODE_USAGE,
                        "a key is never an argument, which every user can read: swimctl keys "
                        "install < FILE, or --key-file FILE");
    if (ctl->word_count != wanted)
        return ctl_fail(ctl, EXIT_CODE_USAGE, "keys %s takes %s", what,
                        wanted == 2 ? "the id of one key" : "no more words");
    if (is_install)
        return install(ctl);
    return is_use || is_remove ? by_id(ctl, is_use ? "/keys/use" : "/keys/remove") : list(ctl);
}
