/*
 * The story of a crowd (crowd.h), measured:
 *
 *     crowd [--threads N] [--idle SECONDS] [--bound SECONDS] [--port FIRST] [--memory KIB] [--slack MS]
 *           [--json] MEMBERS
 *
 * Timers wait for the next multiple of --slack milliseconds (20), so that members share wake-ups.
 * They start at once with one seed. Until all see all; when it has become quiet, processor time,
 * datagrams and memory a member; a death (a socket is closed), and its return. Exits with 1 when
 * anything of it did not come about, a member that lived was declared dead, or one takes more memory
 * than --memory allows.
 */
#define _GNU_SOURCE
#include "crowd.h"

#include "../bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { MEMBERS_MOST = 40000, SLACK_MOST_MS = 100 };

/* Datagrams a member and second: a probe, its answer, and hardly anything else; nor do many probe more
 * slowly because they have missed answers. */
#define QUIET_LEAST 1.8
#define QUIET_MOST 2.3

struct options {
    uint32_t members;
    uint32_t threads;
    uint32_t idle;  /* seconds */
    uint32_t bound; /* seconds */
    uint32_t port;
    uint32_t memory; /* KiB a member, at most; 0: no limit */
    uint32_t slack;  /* milliseconds: crowd.h */
    bool json;
    bool help;
};

/* Seconds; negative: it did not happen. */
struct figures {
    double all_see_all;
    double start_sent; /* datagrams a member until then */
    double start_ms;   /* processor time a member until then */
    double user_ms;    /* processor time a member and second */
    double kernel_ms;
    double sent; /* datagrams a member and second */
    double turns;
    double memory_kib; /* a member */
    double first_failed;
    double all_failed;
    double return_seen;
    uint32_t false_deaths;
};

/* ---- What the system says ---- */

struct usage {
    swim_time at;
    double user_ms;
    double kernel_ms;
    uint64_t sent;
    uint64_t turns;
};

static double milliseconds(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static struct usage usage_of(const struct crowd *crowd)
{
    struct rusage r;
    struct usage usage = {.at = crowd_now()};

    (void)getrusage(RUSAGE_SELF, &r);
    usage.user_ms = milliseconds(r.ru_utime);
    usage.kernel_ms = milliseconds(r.ru_stime);
    for (uint32_t i = 0; i < crowd->threads; i++) {
        usage.sent += crowd->loops[i].sent;
        usage.turns += crowd->loops[i].turns;
    }
    return usage;
}

/* KiB of memory of its own: without the program, which all members share. */
static double own_memory(void)
{
    unsigned long kib = 0;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %lu", &kib) == 1)
            break;
    (void)fclose(file);
    return (double)kib;
}

/* As soon as it is known: a crowd that is too large takes minutes to tell. */
static void tell(const struct options *o, const char *what, double value, const char *unit)
{
    if (o->json)
        return;
    if (value < 0)
        printf("%-32s     never\n", what);
    else
        printf("%-32s %9.3f %s\n", what, value, unit);
    (void)fflush(stdout);
}

/* ---- The story ---- */

static uint32_t total(const struct crowd *crowd, bool of_failed)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < crowd->threads; i++)
        sum += atomic_load(of_failed ? &crowd->loops[i].failed : &crowd->loops[i].complete);
    return sum;
}

static bool all_see_all(const struct crowd *crowd)
{
    return total(crowd, false) == crowd->count;
}

static bool all_say_failed(const struct crowd *crowd)
{
    return total(crowd, true) >= crowd->count - 1;
}

/* Seconds until it holds; negative: it did not within `bound`. */
static double await(struct crowd *crowd, crowd_condition *holds, uint32_t bound)
{
    swim_time began = crowd_now();

    if (!crowd_run(crowd, holds, bound * SECOND))
        return -1;
    return (double)(crowd_now() - began) / (double)SECOND;
}

/* Until a second passes with nothing to tell, and all probe. */
static void await_quiet(struct crowd *crowd, uint32_t bound)
{
    for (uint32_t i = 0; i < bound; i++) {
        uint64_t before = usage_of(crowd).sent;

        (void)crowd_run(crowd, NULL, SECOND);
        double sent = (double)(usage_of(crowd).sent - before) / crowd->count;
        if (sent > QUIET_LEAST && sent < QUIET_MOST)
            return;
    }
}

static void measure_idle(struct crowd *crowd, uint32_t seconds, struct figures *ret)
{
    struct usage before = usage_of(crowd);

    (void)crowd_run(crowd, NULL, seconds * SECOND);
    struct usage after = usage_of(crowd);
    double each = crowd->count * ((double)(after.at - before.at) / (double)SECOND);
    ret->user_ms = (after.user_ms - before.user_ms) / each;
    ret->kernel_ms = (after.kernel_ms - before.kernel_ms) / each;
    ret->sent = (double)(after.sent - before.sent) / each;
    ret->turns = (double)(after.turns - before.turns) / each;
}

static double first_failed(const struct crowd *crowd, swim_time began)
{
    swim_time first = 0;

    for (uint32_t i = 0; i < crowd->threads; i++) {
        swim_time at = crowd->loops[i].first_failed;
        if (at && (!first || at < first))
            first = at;
    }
    return first ? (double)(first - began) / (double)SECOND : -1;
}

static void die_and_return(struct crowd *crowd, uint32_t bound, struct figures *ret)
{
    struct host *victim = &crowd->hosts[crowd->count / 2];
    swim_time began = crowd_now();

    crowd->victim_port = victim->port;
    host_kill(crowd, victim);
    ret->all_failed = await(crowd, all_say_failed, bound);
    ret->first_failed = first_failed(crowd, began);
    host_start(crowd, victim);
    ret->return_seen = await(crowd, all_see_all, bound);
}

/* What they have counted and how many they know, on average. */
struct experience {
    double others_known;
    double synchronisations;
    double refuted; /* suspects that lived */
};

static struct experience experience_of(const struct crowd *crowd)
{
    struct experience e = {0};

    for (uint32_t i = 0; i < crowd->count; i++) {
        struct swim_stats stats;

        swim_stats(crowd->hosts[i].swim, &stats);
        e.others_known += crowd->hosts[i].alive / (double)crowd->count;
        e.synchronisations += (double)stats.syncs_started / crowd->count;
        e.refuted += (double)stats.suspicions_refuted / crowd->count;
    }
    return e;
}

static void meet(struct crowd *crowd, const struct options *o, struct figures *ret)
{
    swim_time began = crowd_now();
    double more;

    for (uint32_t i = 0; i < crowd->count; i++)
        host_start(crowd, &crowd->hosts[i]);
    ret->all_see_all = (double)(crowd_now() - began) / (double)SECOND;
    more = await(crowd, all_see_all, o->bound);
    ret->all_see_all = more < 0 ? -1 : ret->all_see_all + more;
    struct usage start = usage_of(crowd);
    struct experience e = experience_of(crowd);
    ret->start_sent = (double)start.sent / crowd->count;
    ret->start_ms = (start.user_ms + start.kernel_ms) / crowd->count;
    tell(o, "all see all, from the start", ret->all_see_all, "s");
    tell(o, "until then: datagrams sent", ret->start_sent, "a member");
    tell(o, "until then: processor time", ret->start_ms, "ms a member");
    tell(o, "until then: synchronisations", e.synchronisations, "begun by a member");
    tell(o, "until then: suspects who lived", e.refuted, "a member");
    if (ret->all_see_all < 0)
        tell(o, "others known by now", e.others_known, "a member");
}

static void live_on(struct crowd *crowd, const struct options *o, double memory_before,
                    struct figures *ret)
{
    await_quiet(crowd, o->bound);
    measure_idle(crowd, o->idle, ret);
    ret->memory_kib = (own_memory() - memory_before) / crowd->count;
    tell(o, "memory", ret->memory_kib, "KiB a member");
    tell(o, "idle: processor time", ret->user_ms + ret->kernel_ms, "ms a member and second");
    tell(o, "idle: of it, in the program", ret->user_ms, "ms a member and second");
    tell(o, "idle: datagrams sent", ret->sent, "a member and second");
    tell(o, "idle: turns of the loop", ret->turns, "a member and second");
    die_and_return(crowd, o->bound, ret);
    tell(o, "death: the first says failed", ret->first_failed, "s");
    tell(o, "death: all say failed", ret->all_failed, "s");
    tell(o, "return: seen by all", ret->return_seen, "s");
}

/* Where they don't come to see each other, there is no more to measure. */
static struct figures play(struct crowd *crowd, const struct options *o)
{
    struct figures f = {.first_failed = -1, .all_failed = -1, .return_seen = -1};
    double before = own_memory();

    if (!o->json)
        printf("%u members in one process, %u thread%s\n", o->members, o->threads,
               o->threads > 1 ? "s" : "");
    meet(crowd, o, &f);
    if (f.all_see_all >= 0)
        live_on(crowd, o, before, &f);
    for (uint32_t i = 0; i < crowd->threads; i++)
        f.false_deaths += crowd->loops[i].false_deaths;
    if (!o->json)
        printf("%-32s %9u\n", "said dead, of who lived", f.false_deaths);
    return f;
}

static void print_json(const struct options *o, const struct figures *f)
{
    printf("{\"members\":%u,\"threads\":%u,\"all_see_all_s\":%.3f,\"start_sent\":%.1f,"
           "\"start_ms\":%.2f,\"user_ms\":%.4f,"
           "\"kernel_ms\":%.4f,\"sent\":%.3f,\"turns\":%.3f,\"memory_kib\":%.2f,"
           "\"first_failed_s\":%.3f,\"all_failed_s\":%.3f,\"return_seen_s\":%.3f,"
           "\"false_deaths\":%u}\n",
           o->members, o->threads, f->all_see_all, f->start_sent, f->start_ms, f->user_ms,
           f->kernel_ms, f->sent, f->turns, f->memory_kib, f->first_failed, f->all_failed,
           f->return_seen, f->false_deaths);
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"help", 0, NULL, 'h'},   {"threads", 1, NULL, 't'}, {"idle", 1, NULL, 'i'},
        {"bound", 1, NULL, 'b'},  {"port", 1, NULL, 'p'},    {"json", 0, NULL, 'j'},
        {"memory", 1, NULL, 'm'}, {"slack", 1, NULL, 's'},   {0}};
    int letter;

    *o = (struct options){
        .members = 100, .threads = 1, .idle = 20, .bound = 120, .port = 21000, .slack = 20};
    while ((letter = getopt_long(argc, argv, "", known, NULL)) != -1) {
        uint32_t value = 0;

        if (optarg && !bench_read_number(optarg, 0, UINT32_MAX, &value))
            return false;
        switch (letter) {
        case 't': o->threads = value; break;
        case 'i': o->idle = value; break;
        case 'b': o->bound = value; break;
        case 'p': o->port = value; break;
        case 'm': o->memory = value; break;
        case 's': o->slack = value; break;
        case 'j': o->json = true; break;
        case 'h': o->help = true; return true;
        default: return false;
        }
    }
    if (optind < argc && !bench_read_number(argv[optind++], 3, MEMBERS_MOST, &o->members))
        return false;
    return optind == argc && o->threads >= 1 && o->threads <= THREADS_MOST && o->idle >= 1 &&
           o->bound >= 1 && o->port >= 1024 && o->port <= 65535 && o->port + o->members <= 65535 &&
           o->slack >= 1 && o->slack <= SLACK_MOST_MS;
}

static void print_usage(FILE *to)
{
    fprintf(to,
            "usage: crowd [OPTION]... [MEMBERS]\n"
            "How MEMBERS (3..%d; 100) of libswim in one process, over UDP on loopback, come to see "
            "each\n"
            "other, are idle, and take a death and a return.\n"
            "  --threads N     1..%d (1)\n"
            "  --idle SECONDS  how long what is idle is measured (20)\n"
            "  --bound SECONDS how long each of the other steps may take (120)\n"
            "  --port FIRST    they are bound to this port and those after it (21000)\n"
            "  --slack MS      timers wait for the next multiple of it, 1..%d (20)\n"
            "  --memory KIB    fail when a member takes more (0: no limit)\n"
            "  --json          one object, at the end\n"
            "Exit codes: 0 all came about and nobody who lived was said dead, 1 not so, 2 usage.\n",
            MEMBERS_MOST, THREADS_MOST, SLACK_MOST_MS);
}

int main(int argc, char **argv)
{
    struct options options;
    struct crowd crowd;

    if (!read_options(argc, argv, &options)) {
        print_usage(stderr);
        return 2;
    }
    if (options.help) {
        print_usage(stdout);
        return 0;
    }
    crowd_open(&crowd, options.members, options.threads, (uint16_t)options.port);
    crowd.slack = options.slack * SWIM_MS;
    struct figures f = play(&crowd, &options);
    if (options.json)
        print_json(&options, &f);
    crowd_close(&crowd);
    return f.all_see_all < 0 || f.first_failed < 0 || f.all_failed < 0 || f.return_seen < 0 ||
           f.false_deaths > 0 || (options.memory > 0 && f.memory_kib > options.memory);
}
