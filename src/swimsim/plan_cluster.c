/*
 * Which cluster of a plan a node belongs to, and what that one is called (docs/simulator.md,
 * [start]).
 */
#include "swimsim/plan.h"

#include <string.h>

/* Clusters are equal ranges of nodes; those that join later go round and round. */
static uint32_t cluster_of(const struct plan *plan, uint32_t node)
{
    uint32_t clusters = plan->start.clusters;

    if (node >= plan->nodes)
        return (node - plan->nodes) % clusters;
    /* The last cluster that begins at `node` or before. */
    return (uint32_t)((((uint64_t)node + 1) * clusters - 1) / plan->nodes);
}

uint32_t plan_cluster_first(const struct plan *plan, uint32_t node)
{
    return (uint32_t)((uint64_t)cluster_of(plan, node) * plan->nodes / plan->start.clusters);
}

/* One name of a list. */
struct part {
    const char *at;
    size_t size;
};

/* Number `number` of the parts between commas, without the blanks around it. */
static struct part find_part(const char *list, uint32_t number)
{
    struct part part = {.at = list};

    for (; number > 0 && *part.at != '\0'; number--)
        part.at += strcspn(part.at, ",") + (strchr(part.at, ',') != NULL);
    part.at += strspn(part.at, " ");
    part.size = strcspn(part.at, ",");
    while (part.size > 0 && part.at[part.size - 1] == ' ')
        part.size--;
    return part;
}

static uint32_t count_parts(const char *list)
{
    uint32_t count = *list != '\0';

    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

bool plan_names_fit(const struct plan *plan)
{
    const char *names = plan->start.names;

    if (names[0] == '\0')
        return true;
    if (count_parts(names) != plan->start.clusters)
        return false;
    for (uint32_t i = 0; i < plan->start.clusters; i++) {
        size_t size = find_part(names, i).size;

        if (size == 0 || size > SWIM_CLUSTER_MAX)
            return false;
    }
    return true;
}

uint32_t plan_cluster_number(const struct plan *plan, uint32_t node)
{
    const char *names = plan->start.names;
    uint32_t own = cluster_of(plan, node);
    struct part part = find_part(names, own);

    for (uint32_t i = 0; i < own && names[0] != '\0'; i++) {
        struct part other = find_part(names, i);

        if (other.size == part.size && memcmp(other.at, part.at, part.size) == 0)
            return i;
    }
    return names[0] != '\0' ? own : 0;
}

void plan_cluster_name(const struct plan *plan, uint32_t node, char ret[SWIM_CLUSTER_MAX + 1])
{
    struct part part = find_part(plan->start.names, cluster_of(plan, node));
    size_t size = part.size < SWIM_CLUSTER_MAX ? part.size : SWIM_CLUSTER_MAX;

    memset(ret, 0, SWIM_CLUSTER_MAX + 1);
    memcpy(ret, part.at, size);
}
