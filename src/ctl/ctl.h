/*
 * What every verb of swimctl shares: the command line, taken apart, the way to the daemon, and the
 * way to say that something failed.
 *
 *     main -> options -> verb_*.c -> ctl_get, ctl_post -> client -> the daemon's control socket
 *                                 -> table, text, style, or json_out -> standard output
 */
#ifndef SWIM_CTL_CTL_H
#define SWIM_CTL_CTL_H

#include "base/nearest.h"
#include "ctl/client.h"
#include "ctl/exit_code.h"
#include "swim/swim.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_GIVEN_MAX 64
#define CTL_PATH_MAX 8192
#define CTL_TIMEOUT_DEFAULT_MS 10000

struct ctl;
typedef enum exit_code ctl_verb(struct ctl *ctl);

/* An option of one verb: "status" is --status. */
struct ctl_option {
    const char *name;  /* NULL ends a list */
    const char *value; /* what its value is called; NULL: it has none */
    const char *help;
    const char *complete; /* what completes its value, of `swimctl --complete`; NULL: nothing */
};

struct verb {
    const char *name;
    ctl_verb *run;
    const char *help;
    const char *words; /* what may follow, for the usage line; "" for nothing */
    int words_min;
    int words_max;        /* -1: any number */
    const char *complete; /* what completes the words; NULL: nothing */
    const struct ctl_option *options;
};
/* The table of verbs, in the order of the documents; verbs.c. */
extern const struct verb ctl_verbs[];
extern const size_t ctl_verb_count;
/* NULL: there is none of that name. */
const struct verb *ctl_verb_find(const char *name);
/* " (did you mean NAME?)", or "" where no verb has nearly that name. */
const char *ctl_verb_hint(const char *name, char text[NEAREST_HINT_SIZE]);
/* `swimctl --complete WHAT ...`: complete.c. */
enum exit_code ctl_complete(int argc, char **argv);
/* The list that `help`, and --help, print; of one verb: all that there is to say of it. */
void ctl_print_help(void);
void ctl_print_verb(const struct verb *verb);

struct ctl {
    struct client client;
    bool is_json;
    char error[2 * CLIENT_ERROR_MAX]; /* the failure that was noted last */
    const struct verb *verb;
    struct {
        const char *name; /* of the option, as in the verb's list */
        const char *value;
    } given[CTL_GIVEN_MAX];
    size_t given_count;
    char **words; /* what follows the verb, options taken out */
    int word_count;
};

/* The value of the verb's option; the last one where it was given several times. NULL: not given.
 * An option without a value has "" when given. */
const char *ctl_given(const struct ctl *ctl, const char *name);

/* ---- Failures ---------------------------------------------------------------------------- */

/* Notes in ctl->error what failed; returns `code`. Nothing is printed yet. */
__attribute__((format(printf, 3, 4))) enum exit_code ctl_note(struct ctl *ctl, enum exit_code code,
                                                              const char *format, ...);
/* Says on standard error what was noted, unless `code` is EXIT_CODE_OK: as "swimctl: ..." or, with
 * --json, {"error":"...","code":n}; control characters are taken out. Returns `code`. */
enum exit_code ctl_say(const struct ctl *ctl, enum exit_code code);
/* Both at once. */
__attribute__((format(printf, 3, 4))) enum exit_code ctl_fail(struct ctl *ctl, enum exit_code code,
                                                              const char *format, ...);
/* Notes what the client says. */
enum exit_code ctl_note_client(struct ctl *ctl, enum client_result result);
/* After everything was printed: standard output may have been closed or full. */
enum exit_code ctl_finish(struct ctl *ctl, enum exit_code code);

/* What becomes of several things, of which some may fail: a zero-filled tally, then one ctl_count each. */
struct ctl_tally {
    size_t done;
    size_t failed;
    enum exit_code last; /* of those that failed */
};
void ctl_count(struct ctl_tally *tally, enum exit_code code);
/* OK when all are done, PARTIAL when some are, else the code of the last. */
enum exit_code ctl_tally_code(const struct ctl_tally *tally);

/* ---- The daemon -------------------------------------------------------------------------- */

/* GET, POST with a body, and their answer as JSON. On EXIT_CODE_OK a reference to *ret is the
 * caller's; else the failure is noted, and for the caller to say. */
SWIM_MUST_CHECK enum exit_code ctl_get(struct ctl *ctl, const char *path, json_t **ret);
SWIM_MUST_CHECK enum exit_code ctl_post(struct ctl *ctl, const char *path, const char *body,
                                        json_t **ret);
/* GET of a text; *ret is the caller's: client_reply_free. */
SWIM_MUST_CHECK enum exit_code ctl_get_text(struct ctl *ctl, const char *path,
                                            struct client_reply *ret);

/* What the answer must have: "" and 0 where it doesn't. */
const char *ctl_text(const json_t *object, const char *key);
uint64_t ctl_number(const json_t *object, const char *key);
double ctl_real(const json_t *object, const char *key);

/* ---- Members ----------------------------------------------------------------------------- */

/*
 * The member that `text` means: an id in digits, or the name of one live member, or of one that is
 * no longer live when there is no such. *ret_id is its id in digits. A failure is noted.
 */
SWIM_MUST_CHECK enum exit_code ctl_find_member(struct ctl *ctl, const char *text, char ret_id[24]);
/* Sorts an array of members by name, address and id, numbers in them by value. */
void ctl_sort_members(json_t *members);
/* Sorts them by `compare`, of pointers to json_t *; those that are equal stay in order. */
void ctl_sort_members_by(json_t *members, int (*compare)(const void *a, const void *b));

#endif
