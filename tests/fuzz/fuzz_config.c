/*
 * The configuration file (docs/configuration.md): any text against the loader. It is taken whole or
 * not at all, what is wrong is said in words, and the same text gives the same result twice.
 */
#include "agent/config.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, const char *key, bool is_live)
{
    (void)is_live;
    ASSERT(strchr(key, '.') != NULL);
    (*(unsigned *)context)++;
}

static void check_refused(const struct agent_config *config, const struct config_error *error)
{
    struct agent_config before;

    config_default(&before);
    ASSERT(memcmp(&before, config, sizeof before) == 0);
    ASSERT(error->text[0] != '\0' && memchr(error->text, '\0', sizeof error->text) != NULL);
}

static void check_taken(const struct agent_config *config, const char *text)
{
    struct agent_config again;
    struct config_error error;
    unsigned differences = 0;

    config_default(&again);
    ASSERT(config_parse(&again, "fuzz.toml", text, &error));
    config_compare(config, &again, ignore, &differences);
    ASSERT(differences == 0);
    ASSERT(config->peer_count <= CONFIG_PEERS_MAX);
    ASSERT(config->http_host_count <= CONFIG_HTTP_HOSTS_MAX);
    (void)config_check_whole(config, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct agent_config config;
    struct config_error error = {.text = ""};
    char *text = malloc(size + 1);

    ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    config_default(&config);
    if (config_parse(&config, "fuzz.toml", text, &error))
        check_taken(&config, text);
    else
        check_refused(&config, &error);
    free(text);
    return 0;
}
