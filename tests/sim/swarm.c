/*
 * The swarm without the rest of the tool, so that it needs neither C++ nor TOML: the fixed minute of
 * `make test`, and what tools/check-bugs builds against a broken core.
 *
 *     swarm [--seed S] [--seeds N] [--wall SECONDS] [--hours H] [--max-nodes N] [--unreduced]
 *
 * Exit codes: 0 all is well, 1 a checker complained, 2 usage.
 */
#include "swimsim/swarm.h"

#include <stdlib.h>
#include <string.h>

static int usage(const char *what)
{
    fprintf(stderr,
            "swarm: %s; there are --seed S, --seeds N, --wall SECONDS, --hours H, --max-nodes N, "
            "each with a number, and --unreduced\n",
            what);
    return 2;
}

static bool set(struct swarm_options *options, const char *name, uint64_t value)
{
    if (strcmp(name, "--seed") == 0)
        options->seed = value;
    else if (strcmp(name, "--seeds") == 0)
        options->seeds = value;
    else if (strcmp(name, "--wall") == 0)
        options->wall_ns = value * SIM_SECOND;
    else if (strcmp(name, "--hours") == 0)
        options->virtual_ns = value * 3600 * SIM_SECOND;
    else if (strcmp(name, "--max-nodes") == 0)
        options->nodes_max = (uint32_t)value;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct swarm_options options;
    struct swarm_totals totals;

    swarm_options_default(&options);
    options.virtual_ns = 0;
    for (int i = 1; i < argc; i++) {
        char *end = "";

        if (strcmp(argv[i], "--unreduced") == 0) {
            options.is_unreduced = true;
            continue;
        }
        if (i + 1 == argc || !set(&options, argv[i], strtoull(argv[i + 1], &end, 10)) ||
            *end != '\0' || end == argv[i + 1])
            return usage(argv[i]);
        i++;
    }
    if (options.seeds == 0 && options.wall_ns == 0 && options.virtual_ns == 0)
        return usage("there is no end to it");
    return swarm_run(&options, stdout, &totals) ? 0 : 1;
}
