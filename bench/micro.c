/*
 * Runs benchmarks, one after the other, and writes what they took as JSON, a line each; bench/run.py
 * makes tables of it. Under callgrind each is run once, and its instructions are dumped under its
 * title (bench/compare.py).
 *
 *     micro [--list] [--count] [--budget-ms N] [NAME...]      NAME: a part of "name (n)"
 */
#define _POSIX_C_SOURCE 200809L
#include "micro.h"

#include "calibrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAS_CALLGRIND
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_DUMP_STATS_AT(name) ((void)(name))
#endif

enum { BATCHES_MIN = 5, BATCHES_MAX = 20000, TITLE_SIZE = 96, RESULTS_MAX = 256 };
enum { COUNTED_MAX = 10000 }; /* members, under callgrind: larger tables take minutes */

volatile uint64_t micro_sink;

struct options {
    bool is_list;
    bool is_count;      /* one batch each, for callgrind */
    uint64_t budget_ns; /* for each benchmark */
    char **names;
    int name_count;
};

struct result {
    char title[TITLE_SIZE];
    double ns;
};
static struct result results[RESULTS_MAX];
static unsigned result_count;
static double clock_ns;

_Noreturn void micro_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "bench: %s:%d: %s does not hold\n", file, line, condition);
    exit(1);
}

static bool is_chosen(const struct options *options, const char *title)
{
    for (int i = 0; i < options->name_count; i++) {
        if (strstr(title, options->names[i]))
            return true;
    }
    return options->name_count == 0;
}

/* ---- One benchmark ---- */

static double time_batch(const struct micro_case *c, void *context)
{
    uint64_t start;

    if (c->prepare)
        c->prepare(context);
    start = calibrate_now_ns();
    for (uint32_t i = 0; i < c->repeats; i++)
        c->run(context);
    return (double)(calibrate_now_ns() - start) - clock_ns;
}

/* The quickest batch. Large tables get quicker for a while, as the machine maps what is touched: the
 * budget begins anew whenever a tenth was gained. */
static double measure(const struct options *options, const struct micro_case *c, void *context)
{
    uint64_t start = calibrate_now_ns();
    double best = time_batch(c, context);
    double before = best;

    for (int i = 1; i < BATCHES_MAX; i++) {
        double took = time_batch(c, context);

        best = took < best ? took : best;
        if (best < 0.9 * before) {
            before = best;
            start = calibrate_now_ns();
        }
        if (i >= BATCHES_MIN && calibrate_now_ns() - start > options->budget_ns)
            break;
    }
    return best > 0 ? best / c->repeats : 0;
}

/* The second batch: the first one finds nothing in its place. */
static void count(const struct micro_case *c, void *context, const char *title)
{
    time_batch(c, context);
    if (c->prepare)
        c->prepare(context);
    CALLGRIND_TOGGLE_COLLECT;
    for (uint32_t i = 0; i < c->repeats; i++)
        c->run(context);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(title);
    printf("{\"name\":\"%s\",\"repeats\":%u}\n", title, c->repeats);
}

static double time_of(const char *title)
{
    for (unsigned i = 0; i < result_count; i++) {
        if (!strcmp(results[i].title, title))
            return results[i].ns;
    }
    return 0;
}

static double limit_ns(const struct micro_limit *limit)
{
    double ns = calibrate_sum_ns(limit->read_bytes) + calibrate_copy_ns(limit->write_bytes);

    if (limit->peer[0])
        return time_of(limit->peer);
    if (limit->loads)
        ns += limit->loads * calibrate_load_ns(limit->table_bytes);
    return ns;
}

/* What others published of it at this size, 0: nothing. */
static double published_ns(const struct micro_case *c, uint32_t n)
{
    if (c->published_ns > 0 && c->published_n == n)
        return c->published_ns;
    for (unsigned i = 0; c->others_ns && c->sizes[i]; i++) {
        if (c->sizes[i] == n)
            return c->others_ns[i];
    }
    return 0;
}

static void report(const struct micro_case *c, uint32_t n, double ns, double limit)
{
    struct result *result = &results[result_count++];

    MICRO_CHECK(result_count < RESULTS_MAX);
    snprintf(result->title, sizeof result->title, n ? "%s (%u)" : "%s", c->name, n);
    result->ns = ns;
    printf("{\"name\":\"%s\",\"n\":%u,\"ns\":%.2f,\"limit_ns\":%.2f", result->title, n, ns, limit);
    if (published_ns(c, n) > 0)
        printf(",\"published_ns\":%.1f,\"wanted\":%.0f", published_ns(c, n),
               c->published_n == n ? c->wanted : 0);
    printf("}\n");
    fflush(stdout);
}

static void run_case(const struct options *options, const struct micro_case *c, uint32_t n)
{
    struct micro_limit limit = {0};
    char title[TITLE_SIZE];
    void *context;

    snprintf(title, sizeof title, n ? "%s (%u)" : "%s", c->name, n);
    if (!is_chosen(options, title) || (options->is_count && n > COUNTED_MAX))
        return;
    if (options->is_list) {
        puts(title);
        return;
    }
    context = c->open(c, n, &limit);
    if (options->is_count)
        count(c, context, title);
    else
        report(c, n, measure(options, c, context), limit_ns(&limit));
    c->close(context);
}

static void run_list(const struct options *options, const struct micro_case *cases)
{
    static const uint32_t once[] = {0};

    for (const struct micro_case *c = cases; c->name; c++) {
        const uint32_t *n = c->sizes ? c->sizes : once;

        do
            run_case(options, c, *n);
        while (*n && *++n);
    }
}

static void run_memory(const struct options *options)
{
    static const uint32_t sizes[] = {10, 1000, 16384, 1000000};

    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char title[TITLE_SIZE];

        snprintf(title, sizeof title, "scale: memory of n members (%u)", sizes[i]);
        if (!is_chosen(options, title))
            continue;
        if (options->is_list)
            puts(title);
        else
            micro_memory(title, sizes[i]);
    }
}

/* What the limits are made of, for readers. */
static void report_machine(void)
{
    printf("{\"machine\":{\"load_32k_ns\":%.2f,\"load_512k_ns\":%.2f,\"load_16m_ns\":%.2f,"
           "\"load_256m_ns\":%.2f,\"copy_1400_ns\":%.2f,\"sum_1400_ns\":%.2f}}\n",
           calibrate_load_ns(32 << 10), calibrate_load_ns(512 << 10), calibrate_load_ns(16 << 20),
           calibrate_load_ns(256 << 20), calibrate_copy_ns(1400), calibrate_sum_ns(1400));
    fflush(stdout);
}

/* Instructions are compared with those of the same compiler. */
static void report_compiler(void)
{
#ifdef __clang__
    printf("{\"compiler\":\"clang %d.%d\"}\n", __clang_major__, __clang_minor__);
#else
    printf("{\"compiler\":\"gcc %d.%d\"}\n", __GNUC__, __GNUC_MINOR__);
#endif
}

static struct options parse(int argc, char **argv)
{
    struct options options = {.budget_ns = 100000000};
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (!strcmp(argv[i], "--list"))
            options.is_list = true;
        else if (!strcmp(argv[i], "--count"))
            options.is_count = true;
        else if (!strcmp(argv[i], "--budget-ms") && i + 1 < argc)
            options.budget_ns = strtoull(argv[++i], NULL, 10) * 1000000;
        else {
            fprintf(stderr, "usage: micro [--list] [--count] [--budget-ms N] [NAME...]\n");
            exit(2);
        }
    }
    options.names = argv + i;
    options.name_count = argc - i;
    return options;
}

int main(int argc, char **argv)
{
    struct options options = parse(argc, argv);

    clock_ns = calibrate_clock_ns();
    if (options.is_count)
        report_compiler();
    else if (!options.is_list)
        report_machine();
    run_list(&options, micro_wire_cases);
    run_list(&options, micro_table_cases);
    run_list(&options, micro_sync_cases);
    run_list(&options, micro_timer_cases);
#ifdef HAS_SEAL
    run_list(&options, micro_seal_cases);
#endif
#ifdef HAS_AGENT
    run_list(&options, micro_render_cases);
#endif
    run_list(&options, micro_scale_cases);
    if (!options.is_count)
        run_memory(&options);
    return 0;
}
