/*
 * What the control socket does to the keys: the change is made in a copy of those held, given to
 * the guard, and written to the key file, in this order. docs/configuration.md, section "Rotating
 * keys".
 */
#include "agent/agent.h"

#include "agent/control.h"
#include "agent/keyfile.h"
#include "agent/log.h"

#include <sodium.h>
#include <stdio.h>

static uint32_t list(void *context, uint32_t ret_ids[SWIM_KEYS_MAX])
{
    const struct agent *agent = context;
    const struct keyset *keys = guard_keys(agent->guard);
    uint32_t count = keys != NULL ? keys->count : 0;

    for (uint32_t i = 0; i < count; i++)
        ret_ids[i] = swim_key_id(keys->key[i]);
    return count;
}

/* NULL when the keys are in the file, else why not. */
static const char *save(struct agent *agent)
{
    if (agent->config.key_file[0] == '\0')
        return "there is no key file: the change lasts until the next restart";
    if (keyfile_save(guard_keys(agent->guard), agent->config.key_file, &agent->unsaved))
        return NULL;
    LOG(LOG_WARN, "the keys were changed, but not saved", LOG_TEXT("cause", agent->unsaved.text));
    return agent->unsaved.text;
}

enum verb { INSTALL, USE, REMOVE };

static enum swim_key_error edit(struct keyset *keys, enum verb verb, const uint8_t *key,
                                uint32_t key_id)
{
    uint32_t at = keyset_find(keys, key_id);

    if (verb == INSTALL && at < keys->count)
        return sodium_memcmp(keys->key[at], key, SWIM_KEY_SIZE) == 0 ? SWIM_KEY_OK : SWIM_KEY_WEAK;
    if (verb == INSTALL && keys->count == SWIM_KEYS_MAX)
        return SWIM_KEY_FULL;
    if (verb == INSTALL)
        return keyset_add(keys, key) == NULL ? SWIM_KEY_OK : SWIM_KEY_WEAK;
    if (at == keys->count)
        return SWIM_KEY_UNKNOWN;
    if (verb == USE)
        keyset_use(keys, at);
    else if (at == 0)
        return SWIM_KEY_PRIMARY;
    else
        keyset_remove(keys, at);
    return SWIM_KEY_OK;
}

static enum swim_key_error change(struct agent *agent, enum verb verb, const uint8_t *key,
                                  uint32_t key_id, const char **ret_unsaved)
{
    const struct keyset *held = guard_keys(agent->guard);
    struct keyset *keys;
    enum swim_key_error error;

    if (held == NULL)
        return SWIM_KEY_UNKNOWN;
    keys = keyset_new();
    if (keys == NULL) {
        log_message(LOG_ERROR, "no memory for keys");
        return SWIM_KEY_FULL;
    }
    *keys = *held;
    error = edit(keys, verb, key, key_id);
    if (error == SWIM_KEY_OK && guard_set_keys(agent->guard, keys) != NULL)
        error = SWIM_KEY_FULL; /* of memory */
    keyset_free(keys);
    if (error == SWIM_KEY_OK)
        *ret_unsaved = save(agent);
    return error;
}

static enum swim_key_error install(void *context, const uint8_t key[SWIM_KEY_SIZE],
                                   const char **ret_unsaved)
{
    return change(context, INSTALL, key, swim_key_id(key), ret_unsaved);
}

static enum swim_key_error use(void *context, uint32_t key_id, const char **ret_unsaved)
{
    return change(context, USE, NULL, key_id, ret_unsaved);
}

static enum swim_key_error take_out(void *context, uint32_t key_id, const char **ret_unsaved)
{
    return change(context, REMOVE, NULL, key_id, ret_unsaved);
}

void agent_offer_keys(struct agent *agent)
{
    agent->control_keys = (struct control_keys){.context = agent,
                                                .envelope = (int)guard_envelope(agent->guard),
                                                .list = list,
                                                .install = install,
                                                .use = use,
                                                .remove = take_out};
    agent->control_source.keys = guard_keys(agent->guard) != NULL ? &agent->control_keys : NULL;
}
