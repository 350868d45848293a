/*
 * What a member keeps of each other one: the arena that n need, and the pages of it that were touched
 * when all are known, have proved their address, and nothing is left to tell. The host takes events and
 * datagrams after each that it passes in, as hosts do.
 */
#define _DEFAULT_SOURCE
#include "micro.h"
#include "subject.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t footprint(uint32_t members)
{
    struct swim_config config;

    swim_config_default(&config);
    config.members_max = members;
    return swim_footprint(&config);
}

static size_t touched(const struct subject *subject)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (subject->size + page - 1) / page;
    unsigned char *resident = malloc(pages);
    size_t count = 0;

    MICRO_CHECK(resident && mincore(subject->arena, subject->size, resident) == 0);
    for (size_t i = 0; i < pages; i++)
        count += resident[i] & 1;
    free(resident);
    return count * page;
}

void micro_memory(const char *title, uint32_t members)
{
    struct subject *subject = subject_new(members);
    size_t fixed = footprint(SWIM_MEMBERS_MIN);
    size_t before = touched(subject);

    subject_fill(subject);
    printf("{\"name\":\"%s\",\"n\":%u,\"footprint\":%zu,\"per_member\":%.2f,\"touched\":%zu,"
           "\"touched_per_member\":%.2f}\n",
           title, members, footprint(members),
           (double)(footprint(members) - fixed) / (members - SWIM_MEMBERS_MIN), touched(subject),
           (double)(touched(subject) - before) / members);
    subject_free(subject);
}
