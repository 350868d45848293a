/* swimd: settings are put together and checked, then the agent runs. */
#define _GNU_SOURCE
#include "agent/agent.h"
#include "agent/config.h"
#include "agent/exit_code.h"
#include "agent/http_token.h"
#include "agent/keyfile.h"
#include "agent/memory.h"
#include "agent/options.h"
#include "agent/state_file.h"
#include "base/keygen.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The message may quote what it was given, so control bytes are taken out: it goes to a terminal. */
static enum exit_code complain(enum exit_code code, struct config_error *error)
{
    config_error_hide_keys(error);
    for (char *at = error->text; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7F)
            *at = '?';
    (void)fprintf(stderr, "swimd: %s\n", error->text);
    return code;
}

/* Without them, a socket could become "standard error", and log lines go out as datagrams. */
static void open_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

/* A mask is inherited: whoever started us with signals blocked would have a member that hears no
 * SIGTERM, and never learns of its program's end. */
static void unblock_signals(void)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static enum exit_code configure(const struct options *options, struct agent_config *config,
                                struct config_error *error)
{
    config_default(config);
    config_default_runtime(config, getenv("RUNTIME_DIRECTORY"));
    config_default_state(config, getenv("STATE_DIRECTORY"));
    if (options->config_path != NULL && !config_load(config, options->config_path, error))
        return EXIT_CODE_CONFIG;
    if (!options_apply(options, config, error))
        return EXIT_CODE_USAGE;
    return config_check_whole(config, error) ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

/* From here on keys are in locked memory only. *ret_keys stays NULL when there are none. */
static enum exit_code take_keys(struct options *options, struct agent_config *config,
                                struct keyset **ret_keys, struct config_error *error)
{
    bool ok = true;

    if (config_has_key(config)) {
        *ret_keys = keyset_new();
        if (*ret_keys == NULL) {
            (void)snprintf(error->text, sizeof error->text, "no memory for keys");
            return EXIT_CODE_FAILURE;
        }
        ok = keyset_load(*ret_keys, config, error);
    }
    config_wipe_key(config);
    options_wipe_key(options);
    return ok ? EXIT_CODE_OK : EXIT_CODE_CONFIG;
}

/* Whether or not it will be needed: a mistake shows at the start, or with --check-config. */
static bool check_token(const struct agent_config *config, struct config_error *error)
{
    struct http_token token;

    return http_token_load(&token, config, error);
}

static bool check_state(const struct agent_config *config, struct config_error *error)
{
    bool ok = config->state_dir[0] == '\0' || state_file_check(config->state_dir, error);

    if (!ok)
        config_error_place(error, config, &config->state_place);
    return ok;
}

static enum exit_code run(struct options *options, bool is_check_only)
{
    struct agent_config config;
    struct config_error error;
    struct keyset *keys = NULL;
    enum exit_code code = configure(options, &config, &error);

    if (code == EXIT_CODE_OK)
        code = take_keys(options, &config, &keys, &error);
    if (code == EXIT_CODE_OK && (!check_token(&config, &error) || !handler_check(&config, &error)))
        code = EXIT_CODE_CONFIG;
    if (code != EXIT_CODE_OK || is_check_only)
        keyset_free(keys);
    if (code != EXIT_CODE_OK)
        return complain(code, &error);
    if (is_check_only && !check_state(&config, &error))
        return complain(EXIT_CODE_CONFIG, &error);
    if (is_check_only) {
        (void)puts("the configuration is correct");
        return EXIT_CODE_OK;
    }
    return agent_run(&config, options, keys);
}

static enum exit_code generate_key(void)
{
    if (keygen_print("\n"))
        return EXIT_CODE_OK;
    (void)fputs("swimd: --generate-key: the key could not be written\n", stderr);
    return EXIT_CODE_FAILURE;
}

static enum exit_code act(int argc, char **argv)
{
    struct options options;
    struct config_error error;

    open_standard_streams();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a limit of files' sizes: as a full disk */
    unblock_signals();
    switch (options_parse(argc, argv, &options, &error)) {
    case OPTIONS_RUN: return run(&options, false);
    case OPTIONS_CHECK_CONFIG: return run(&options, true);
    case OPTIONS_GENERATE_KEY: return generate_key();
    case OPTIONS_VERSION:
        (void)printf("swimd %d.%d.%d (wire version 1)\n", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                     SWIM_VERSION_PATCH);
        return EXIT_CODE_OK;
    case OPTIONS_HELP: (void)fputs(options_help(), stdout); return EXIT_CODE_OK;
    case OPTIONS_WRONG: return complain(EXIT_CODE_USAGE, &error);
    case OPTIONS_REFUSED: break;
    }
    return complain(EXIT_CODE_CONFIG, &error);
}

int main(int argc, char **argv)
{
    enum exit_code code;

    memory_prepare();
    code = act(argc, argv);
    keyset_forget_all();
    return (int)code;
}
