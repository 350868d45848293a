/*
 * What the simulator costs: clusters of 100 and 1,000 members (or of as many as the arguments
 * say, such as 10000) that know each other from the start live for 60 virtual seconds. 1 % as
 * many join them after ten seconds, in the 25th second 1 % are killed. Printed are datagrams and
 * CPU time by phase, and the memory of a member and node.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct world {
    struct sim *sim;
    uint32_t members;
    uint64_t nanoseconds; /* of CPU, so far */
    uint64_t datagrams;
};

/* The most memory that was ever resident, in bytes. */
static uint64_t peak_memory(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

static void report(struct world *world, const char *phase, uint64_t start_ns)
{
    uint64_t took_ns = bench_now_ns() - start_ns;
    uint64_t sent = sim_ledger(world->sim).sent;
    uint64_t datagrams = sent - world->datagrams;
    double seconds = (double)took_ns / 1e9;

    printf("  %-28s %9llu datagrams %8.2f s", phase, (unsigned long long)datagrams, seconds);
    if (datagrams > 0)
        printf(" %7.0f ns each, %8.0f a second", (double)took_ns / (double)datagrams,
               (double)datagrams / seconds);
    printf("\n");
    fflush(stdout);
    world->nanoseconds += took_ns;
    world->datagrams = sent;
}

static void run(struct world *world, const char *phase, uint64_t seconds)
{
    uint64_t start_ns = bench_now_ns();

    if (!sim_run(world->sim, seconds * SIM_SECOND)) {
        fprintf(stderr, "bench_sim: %s\n", sim_failure(world->sim));
        exit(1);
    }
    report(world, phase, start_ns);
}

static struct sim *new_world(uint32_t members)
{
    struct sim_config config;
    uint32_t nodes = members + members / 100;

    sim_config_default(&config, 1, nodes);
    config.member.members_max = nodes;
    config.keep_events = false;
    config.check_period_ns = SIM_NEVER;
    struct sim *sim = sim_new(&config);
    for (uint32_t i = 0; i < nodes; i++)
        sim_add(sim);
    return sim;
}

enum { LEAST = 3, MOST = 100000 };

static void bench(uint32_t members)
{
    struct world world = {.sim = new_world(members), .members = members};
    uint64_t memory = peak_memory();
    uint64_t start_ns = bench_now_ns();

    printf("%u members, 60 s\n", members);
    for (uint32_t i = 0; i < members; i++)
        sim_start(world.sim, i);
    sim_acquaint(world.sim);
    report(&world, "all know all", start_ns);
    run(&world, "10 s of steady state", 10);
    for (uint32_t i = 0; i < members / 100; i++) {
        sim_seed_node(world.sim, members + i, i);
        sim_start(world.sim, members + i);
    }
    run(&world, "1 % more join, 15 s", 15);
    for (uint32_t i = 0; i < members / 100; i++)
        sim_crash(world.sim, i * 97 % members + 1);
    run(&world, "1 % are killed, 20 s", 20);
    run(&world, "15 s of steady state", 15);
    memory = peak_memory() - memory;
    printf("  %.2f s in all; %.0f MiB, %.1f bytes for each member at each node; all see all: %s\n",
           (double)world.nanoseconds / 1e9, (double)memory / 1048576,
           (double)memory / members / members, sim_converged(world.sim, NULL) ? "yes" : "no");
    sim_free(world.sim);
}

int main(int argc, char **argv)
{
    uint32_t members;

    for (int i = 1; i < argc; i++) {
        if (!bench_read_number(argv[i], LEAST, MOST, &members)) {
            fprintf(stderr, "usage: bench_sim [MEMBERS(%d..%d)...]\n", LEAST, MOST);
            return 2;
        }
    }
    for (int i = 1; i < argc && bench_read_number(argv[i], LEAST, MOST, &members); i++)
        bench(members);
    if (argc == 1) {
        bench(100);
        bench(1000);
    }
    return 0;
}
