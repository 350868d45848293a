/*
 * What it costs two members to come to agree, by how many of their members differ: the least that
 * it can be, sketches, whole buckets, and whole tables (docs/protocol.md section 8).
 *
 *     bench_sync [MEMBERS [SEEDS]]
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "sync_pair.h"

#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LEAST = 2, MOST = 1000000 };
/* Of an ANTI_ENTROPY datagram; and bytes of one besides. */
enum { PUSH_ENTRIES = 48, PUSH_HEAD = 36, ENTRY = 24, VIEW = 12 };

void swim_panic(const char *expression, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
    abort();
}

struct figures {
    size_t sketched, most, whole;
    uint32_t datagrams, turns, disagree;
    clock_t ticks; /* of both sides together */
    double cpu_us;
};

static struct figures measure(struct pair_plan *plan, uint32_t seeds)
{
    struct figures f = {0};

    for (plan->seed = 1; plan->seed <= seeds; plan->seed++) {
        struct pair pair = pair_begin(plan);
        size_t whole = pair_whole_bytes(&pair);
        clock_t began = clock();
        struct pair_cost cost = pair_run(&pair, NULL, NULL);
        size_t bytes = cost.bytes[0] + cost.bytes[1];

        f.ticks += clock() - began;
        f.whole += whole;
        f.sketched += bytes;
        f.most = bytes > f.most ? bytes : f.most;
        f.turns = cost.turns > f.turns ? cost.turns : f.turns;
        f.datagrams += cost.datagrams[0] + cost.datagrams[1];
        f.disagree += !pair_agrees(&pair);
        pair_end(&pair);
    }
    f.datagrams /= seeds;
    f.whole /= seeds;
    f.sketched /= seeds;
    f.cpu_us = 1e6 * (double)f.ticks / CLOCKS_PER_SEC / seeds;
    return f;
}

/* Each side pushes its table: what there would be without digests of buckets. */
static size_t push_bytes(uint32_t members)
{
    return 2 * ((size_t)members * ENTRY +
                (size_t)(members + PUSH_ENTRIES - 1) / PUSH_ENTRIES * PUSH_HEAD);
}

int main(int argc, char **argv)
{
    static const uint32_t sizes[] = {1, 10, 100, 1000};
    uint32_t members = 10000, seeds = 10;

    if (argc > 3 || (argc > 1 && !bench_read_number(argv[1], LEAST, MOST, &members)) ||
        (argc > 2 && !bench_read_number(argv[2], 1, MOST, &seeds))) {
        fprintf(stderr, "usage: bench_sync [MEMBERS(%d..%d) [SEEDS(1..%d)]]\n", LEAST, MOST, MOST);
        return 2;
    }
    printf("Two tables of %u, bytes both ways, mean of %u seeds; equal tables: %u\n\n", members,
           seeds, VIEW);
    printf("| who knows more | differ | least | sketches | at most | allowed | datagrams | "
           "round trips | µs of CPU | whole buckets | whole tables |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned kind = 0; kind < PAIR_KINDS; kind++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof *sizes && sizes[i] < members; i++) {
            struct pair_plan plan = {
                .members = members, .different = sizes[i], .kind = (enum pair_kind)kind};
            struct figures f = measure(&plan, seeds);

            printf("| %s | %u | %u | %zu | %zu | %u | %u | %u%s | %.0f | %zu | %zu |\n",
                   pair_kind_names[kind], sizes[i], sizes[i] * ENTRY, f.sketched, f.most,
                   2048 + sizes[i] * ENTRY * 2 * 16 / 10, f.datagrams, f.turns / 2,
                   f.turns % 2 ? ".5" : "", f.cpu_us, f.whole, push_bytes(members));
            if (f.disagree)
                printf("  %u of %u seeds did not agree after one synchronisation\n", f.disagree,
                       seeds);
        }
    }
    return EXIT_SUCCESS;
}
