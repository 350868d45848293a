/*
 * Names for the members in a trace. An id says nothing to a reader; which node it lives on does, and
 * a second life on the same node must not be taken for the first.
 */
#include "swimsim/trace_private.h"

#include <stdlib.h>
#include <string.h>

static void make_room(struct names *names, uint32_t node)
{
    if (names->ids.count >= names->capacity) {
        uint32_t capacity = 2 * names->capacity + 64;
        names->nodes = collect_grow(names->nodes, names->capacity, capacity, sizeof(uint32_t));
        names->lives = collect_grow(names->lives, names->capacity, capacity, sizeof(uint32_t));
        names->capacity = capacity;
    }
    if (node >= names->node_capacity) {
        uint32_t before = names->node_capacity;
        uint32_t capacity = 2 * node + 64;
        names->present = collect_grow(names->present, before, capacity, sizeof(uint32_t));
        names->life_count = collect_grow(names->life_count, before, capacity, sizeof(uint32_t));
        names->node_capacity = capacity;
    }
}

bool names_give(struct names *names, uint32_t node, uint64_t id)
{
    make_room(names, node);
    uint32_t before = names->ids.count;
    uint32_t number = ids_add(&names->ids, id);
    bool is_known = number < before && names->nodes[number] == node;
    names->present[node] = number;
    if (!is_known) {
        names->nodes[number] = node;
        names->lives[number] = ++names->life_count[node];
    }
    return is_known;
}

static const char *write_name(const struct names *names, uint32_t number, char ret[NAME_SIZE])
{
    if (names->lives[number] == 1) {
        snprintf(ret, NAME_SIZE, "n%lu", (unsigned long)names->nodes[number]);
    } else {
        snprintf(ret, NAME_SIZE, "n%lu/%lu", (unsigned long)names->nodes[number],
                 (unsigned long)names->lives[number]);
    }
    return ret;
}

const char *names_of_id(const struct names *names, uint64_t id, char ret[NAME_SIZE])
{
    uint32_t number = ids_find(&names->ids, id);
    if (number != IDS_NONE) {
        return write_name(names, number, ret);
    }
    snprintf(ret, NAME_SIZE, "id:%016llx", (unsigned long long)id);
    return ret;
}

const char *names_of_node(const struct names *names, uint32_t node, char ret[NAME_SIZE])
{
    if (node == SIM_NOBODY) {
        memcpy(ret, "nobody", sizeof "nobody");
    } else if (node < names->node_capacity && names->life_count[node] > 0) {
        write_name(names, names->present[node], ret);
    } else {
        snprintf(ret, NAME_SIZE, "n%lu", (unsigned long)node);
    }
    return ret;
}

void names_free(struct names *names)
{
    ids_free(&names->ids);
    free(names->nodes);
    free(names->lives);
    free(names->present);
    free(names->life_count);
    memset(names, 0, sizeof *names);
}
