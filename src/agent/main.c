/* swimd: settings are put together and checked, then the agent runs. */
#define _GNU_SOURCE
#include "agent/agent.h"
#include "agent/config.h"
#include "agent/exit_code.h"
#include "agent/options.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The message may quote what it was given, so control bytes are taken out: it goes to a terminal. */
static enum exit_code complain(enum exit_code code, struct config_error *error)
{
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

static enum exit_code run(const struct options *options, bool is_check_only)
{
    struct agent_config config;
    struct config_error error;

    config_default(&config);
    config_default_runtime(&config, getenv("RUNTIME_DIRECTORY"));
    if (options->config_path != NULL && !config_load(&config, options->config_path, &error))
        return complain(EXIT_CODE_CONFIG, &error);
    if (!options_apply(options, &config, &error))
        return complain(EXIT_CODE_USAGE, &error);
    if (!config_check_whole(&config, &error))
        return complain(EXIT_CODE_CONFIG, &error);
    if (is_check_only) {
        (void)puts("the configuration is correct");
        return EXIT_CODE_OK;
    }
    return agent_run(&config, options);
}

static enum exit_code act(int argc, char **argv)
{
    struct options options;
    struct config_error error;

    open_standard_streams();
    (void)signal(SIGPIPE, SIG_IGN);
    switch (options_parse(argc, argv, &options, &error)) {
    case OPTIONS_RUN: return run(&options, false);
    case OPTIONS_CHECK_CONFIG: return run(&options, true);
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
    return (int)act(argc, argv);
}
