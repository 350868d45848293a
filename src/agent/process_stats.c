/*
 * Figures of this process, read anew whenever they are asked for. All of /proc that is read here is
 * the process's own and stays readable when it is not dumpable (docs/configuration.md, "Keys").
 */
#define _GNU_SOURCE
#include "agent/process_stats.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define STAT_START_FIELD 22 /* proc(5): starttime, in ticks since boot */

static bool read_text(const char *path, char *text, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return false;
    size = read(fd, text, cap - 1);
    (void)close(fd);
    if (size <= 0)
        return false;
    text[size] = '\0';
    return true;
}

static double seconds_of(clockid_t clock)
{
    struct timespec t = {0};

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How long this process has run. Its name, the second field, may hold anything: the fields are
 * counted from the last parenthesis. */
static double age(void)
{
    char text[1024];
    const char *at = read_text("/proc/self/stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    double ticks = (double)sysconf(_SC_CLK_TCK);

    for (int field = 2; at != NULL && field < STAT_START_FIELD; field++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL)
        return 0;
    return seconds_of(CLOCK_BOOTTIME) - (double)strtoull(at, NULL, 10) / ticks;
}

double process_start_time(void)
{
    return seconds_of(CLOCK_REALTIME) - age();
}

static uint64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (dir == NULL)
        return 0;
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        count += isdigit((unsigned char)entry->d_name[0]) != 0;
    (void)closedir(dir);
    return count > 0 ? count - 1 : 0; /* the one that counts */
}

static uint64_t cpu_ns(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

struct process_stats process_stats(void)
{
    struct process_stats stats = {.cpu_ns = cpu_ns(), .open_fds = count_fds()};
    struct rlimit limit;
    char text[256];
    char *resident;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        stats.max_fds = limit.rlim_cur;
    if (read_text("/proc/self/statm", text, sizeof text)) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        stats.virtual_bytes = strtoull(text, &resident, 10) * page;
        stats.resident_bytes = strtoull(resident, NULL, 10) * page;
    }
    return stats;
}
