/* swimctl join: the daemon joins by all of them at once; this waits until somebody is met at each. */
#define _GNU_SOURCE
#include "ctl/verb.h"

#include "ctl/json_out.h"
#include "ctl/table.h"
#include "ctl/text.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOOK_AGAIN_MS 50

static char *make_body(struct ctl *ctl)
{
    struct json_body body;

    if (!json_body_begin(&body))
        return NULL;
    json_object_begin(&body.json);
    json_key(&body.json, "peers");
    json_array_begin(&body.json);
    for (int i = 0; i < ctl->word_count; i++)
        json_text(&body.json, ctl->words[i]);
    json_array_end(&body.json);
    json_object_end(&body.json);
    return json_body_end(&body);
}

/* NULL: the daemon writes it in another way, as it does with "::ffff:10.0.0.1". */
static const json_t *find_peer(const json_t *root, const char *word)
{
    const json_t *peers = json_object_get(root, "peers");

    for (size_t i = 0; i < json_array_size(peers); i++)
        if (strcasecmp(ctl_text(json_array_get(peers, i), "peer"), word) == 0)
            return json_array_get(peers, i);
    return NULL;
}

static bool is_met(const json_t *root, const char *word)
{
    return json_is_true(json_object_get(find_peer(root, word), "live"));
}

static bool are_all_met(const struct ctl *ctl, const json_t *root)
{
    for (int i = 0; i < ctl->word_count; i++)
        if (!is_met(root, ctl->words[i]))
            return false;
    return true;
}

/* Looks until all are met, or time is over. */
static enum exit_code await(struct ctl *ctl, json_t **root)
{
    uint64_t deadline_ms = client_now_ms() + ctl->client.timeout_ms;

    while (!are_all_met(ctl, *root) && client_now_ms() < deadline_ms) {
        json_t *next;
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
        enum exit_code code = ctl_get(ctl, "/peers", &next);
        if (code != EXIT_CODE_OK)
            return code;
        json_decref(*root);
        *root = next;
    }
    return EXIT_CODE_OK;
}

static void put_json(const struct ctl *ctl, const json_t *root)
{
    struct json json;

    json_out_init(&json, stdout);
    json_object_begin(&json);
    json_key(&json, "peers");
    json_array_begin(&json);
    for (int i = 0; i < ctl->word_count; i++) {
        json_object_begin(&json);
        json_key(&json, "peer");
        json_text(&json, ctl->words[i]);
        json_key(&json, "met");
        json_bool(&json, is_met(root, ctl->words[i]));
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    (void)fputc('\n', stdout);
}

static void put_words(const struct ctl *ctl, const json_t *root, bool has_waited)
{
    char clean[300];

    for (int i = 0; i < ctl->word_count; i++) {
        bool met = is_met(root, ctl->words[i]);
        const json_t *peer = find_peer(root, ctl->words[i]);
        bool is_unresolved = json_array_size(json_object_get(peer, "addresses")) == 0;
        (void)printf("%s: %s\n", text_clean(ctl->words[i], clean, sizeof clean),
                     met                             ? "met"
                     : !has_waited                   ? "asked"
                     : peer != NULL && is_unresolved ? "its name has no address yet; trying on"
                                                     : "nobody has answered there yet; trying on");
    }
}

enum exit_code verb_join(struct ctl *ctl)
{
    bool has_waited = ctl_given(ctl, "no-wait") == NULL;
    struct ctl_tally tally = {0};
    char *body = make_body(ctl);
    json_t *root = NULL;
    enum exit_code code;

    if (body == NULL)
        return ctl_fail(ctl, EXIT_CODE_FAILURE, "no memory");
    code = ctl_post(ctl, "/join", body, &root);
    free(body);
    if (code == EXIT_CODE_OK && has_waited)
        code = await(ctl, &root);
    if (code != EXIT_CODE_OK) {
        json_decref(root);
        return ctl_say(ctl, code);
    }
    for (int i = 0; i < ctl->word_count; i++)
        ctl_count(&tally,
                  !has_waited || is_met(root, ctl->words[i]) ? EXIT_CODE_OK : EXIT_CODE_TIMEOUT);
    if (ctl->is_json)
        put_json(ctl, root);
    else
        put_words(ctl, root, has_waited);
    json_decref(root);
    code = ctl_tally_code(&tally);
    if (code == EXIT_CODE_TIMEOUT)
        return ctl_fail(ctl, code, "nobody was met within %g s; the daemon goes on trying",
                        ctl->client.timeout_ms / 1000.0);
    return code;
}
