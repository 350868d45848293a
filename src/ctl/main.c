/* swimctl: takes the command line apart, and runs one verb. swimctl(1). */
#define _GNU_SOURCE
#include "ctl/options.h"
#include "ctl/text.h"
#include "swim/swim.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Without them, a connection could become "standard output". */
static void open_standard_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        (void)close(fd);
}

/* `swimctl --complete WHAT`, for the shells' completions: not in the help, for nobody types it. */
static bool is_completion(int argc, char **argv)
{
    return argc >= 3 && strcmp(argv[1], "--complete") == 0;
}

static enum exit_code run(int argc, char **argv)
{
    struct ctl ctl;
    char error[CLIENT_ERROR_MAX];

    switch (options_parse(argc, argv, &ctl, error)) {
    case OPTIONS_RUN: return ctl_finish(&ctl, ctl.verb->run(&ctl));
    case OPTIONS_VERSION:
        (void)printf("swimctl %d.%d.%d\n", SWIM_VERSION_MAJOR, SWIM_VERSION_MINOR,
                     SWIM_VERSION_PATCH);
        break;
    case OPTIONS_HELP:
        if (ctl.verb != NULL)
            ctl_print_verb(ctl.verb);
        else
            ctl_print_help();
        break;
    case OPTIONS_WRONG: return ctl_fail(&ctl, EXIT_CODE_USAGE, "%s", error);
    }
    return ctl_finish(&ctl, EXIT_CODE_OK);
}

int main(int argc, char **argv)
{
    open_standard_streams();
    text_init();
    if (is_completion(argc, argv))
        return (int)ctl_complete(argc, argv);
    return (int)run(argc, argv);
}
