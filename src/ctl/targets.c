/* One after the other, whatever became of those before. */
#include "ctl/targets.h"

#include "ctl/json_out.h"
#include "ctl/text.h"

#define WORD_MAX 256

struct run {
    struct ctl *ctl;
    const struct ctl_target *target;
    struct json json;
};

static void put_json(struct run *run, const char *word, enum exit_code code, const json_t *answer)
{
    const char *key;
    json_t *value;

    json_object_begin(&run->json);
    json_key(&run->json, "member");
    json_text(&run->json, word);
    if (code != EXIT_CODE_OK) {
        json_key(&run->json, "error");
        json_text(&run->json, run->ctl->error);
    }
    json_object_foreach((json_t *)(uintptr_t)answer, key, value)
    {
        json_key(&run->json, key);
        json_out_value(&run->json, value);
    }
    json_object_end(&run->json);
}

static enum exit_code do_one(struct run *run, const char *word)
{
    struct ctl *ctl = run->ctl;
    char clean[WORD_MAX];
    char id[24];
    json_t *answer = NULL;
    enum exit_code code = ctl_find_member(ctl, word, id);

    if (code == EXIT_CODE_OK)
        code = run->target->ask(ctl, id, &answer);
    if (ctl->is_json)
        put_json(run, word, code, answer);
    else if (code == EXIT_CODE_OK)
        run->target->show(ctl, text_clean(word, clean, sizeof clean), answer);
    else
        (void)ctl_say(ctl, code);
    json_decref(answer);
    return code;
}

enum exit_code ctl_for_targets(struct ctl *ctl, const struct ctl_target *target)
{
    struct run run = {.ctl = ctl, .target = target};
    struct ctl_tally tally = {0};

    if (ctl->is_json) {
        json_out_init(&run.json, stdout);
        json_object_begin(&run.json);
        json_key(&run.json, "results");
        json_array_begin(&run.json);
    }
    for (int i = 0; i < ctl->word_count; i++)
        ctl_count(&tally, do_one(&run, ctl->words[i]));
    if (ctl->is_json) {
        json_array_end(&run.json);
        json_object_end(&run.json);
        (void)fputc('\n', stdout);
    }
    enum exit_code code = ctl_tally_code(&tally);
    /* In words, each failure was said as it came. */
    return ctl->is_json && tally.done == 0 ? ctl_say(ctl, code) : code;
}
