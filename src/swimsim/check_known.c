/*
 * What the checker remembers. Two hash tables with open addressing, which are only looked up, never
 * walked, so that their order can't matter; and who knows whose address.
 */
#include "swimsim/check_private.h"

#include "base/hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(uint64_t count, size_t size)
{
    void *memory = calloc((size_t)count, size);

    if (memory == NULL) {
        fprintf(stderr, "swimsim: out of memory\n");
        abort();
    }
    return memory;
}

bool known_self(const struct check *check, uint32_t node, struct swim_member *ret)
{
    const struct swim *member = sim_member(check->sim, node);

    return member != NULL && swim_member_at(member, 0, ret);
}

/* ---- Identities -------------------------------------------------------------------------- */

static struct identity *find_identity(struct identity *table, uint32_t mask, uint64_t id)
{
    uint32_t place = (uint32_t)hash_u64(id) & mask;

    while (table[place].id != 0 && table[place].id != id)
        place = (place + 1) & mask;
    return &table[place];
}

static void grow_identities(struct check *check)
{
    struct identity *old = check->identities;
    uint32_t size = old == NULL ? 0 : check->identity_mask + 1;
    uint32_t mask = size == 0 ? 255 : 2 * size - 1;
    struct identity *table = allocate((uint64_t)mask + 1, sizeof *table);

    for (uint32_t i = 0; i < size; i++) {
        if (old[i].id != 0)
            *find_identity(table, mask, old[i].id) = old[i];
    }
    free(old);
    check->identities = table;
    check->identity_mask = mask;
}

struct identity *known_identity(struct check *check, uint64_t id)
{
    struct identity *identity;

    if (check->identities == NULL || id == 0)
        return NULL;
    identity = find_identity(check->identities, check->identity_mask, id);
    return identity->id != 0 ? identity : NULL;
}

struct identity *known_identity_add(struct check *check, uint64_t id, uint32_t node)
{
    struct identity *identity;

    if (check->identities == NULL || 2 * check->identity_count > check->identity_mask)
        grow_identities(check);
    identity = find_identity(check->identities, check->identity_mask, id);
    if (identity->id == 0) {
        identity->id = id;
        check->identity_count++;
    }
    identity->node = node;
    return identity;
}

/* ---- What observers hold ----------------------------------------------------------------- */

static struct held *find_held(struct held *table, uint64_t mask, uint32_t observer, uint64_t id)
{
    uint64_t place = hash_combine(id, observer) & mask;

    while (table[place].id != 0 && (table[place].id != id || table[place].observer != observer))
        place = (place + 1) & mask;
    return &table[place];
}

static void grow_helds(struct check *check)
{
    struct held *old = check->helds;
    uint64_t size = old == NULL ? 0 : check->held_mask + 1;
    uint64_t mask = size == 0 ? 1023 : 2 * size - 1;
    struct held *table = allocate(mask + 1, sizeof *table);

    for (uint64_t i = 0; i < size; i++) {
        if (old[i].id != 0)
            *find_held(table, mask, old[i].observer, old[i].id) = old[i];
    }
    free(old);
    check->helds = table;
    check->held_mask = mask;
}

struct held *known_held(struct check *check, uint32_t observer, uint64_t id)
{
    uint32_t life = check->seats[observer].life;
    struct held *held;

    if (check->helds == NULL || 2 * check->held_count > check->held_mask)
        grow_helds(check);
    held = find_held(check->helds, check->held_mask, observer, id);
    check->held_count += held->id == 0;
    if (held->id == 0 || held->life != life) {
        memset(held, 0, sizeof *held);
        held->id = id;
        held->observer = observer;
        held->life = life;
        held->told = TOLD_NOTHING;
    }
    return held;
}

/* ---- Who can find whom ------------------------------------------------------------------- */

/* A life of the one, and an address of the other. */
static uint64_t stamp(const struct check *check, uint32_t node, uint32_t peer)
{
    return (uint64_t)check->seats[node].life << 32 | (check->seats[peer].moves + 1);
}

void known_reach(struct check *check, uint32_t node, uint32_t peer, bool is_reached)
{
    if (!check->follows_all || peer == SIM_NOBODY)
        return;
    if (check->reached == NULL)
        check->reached = allocate((uint64_t)check->nodes_max * check->nodes_max, sizeof(uint64_t));
    check->reached[(size_t)node * check->nodes_max + peer] =
        is_reached ? stamp(check, node, peer) : 0;
}

static bool knows(const struct check *check, uint32_t node, uint32_t peer)
{
    return check->reached[(size_t)node * check->nodes_max + peer] == stamp(check, node, peer);
}

static uint32_t root_of(const uint32_t *parents, uint32_t node)
{
    while (parents[node] != node)
        node = parents[node];
    return node;
}

/* The first that is expected, of the cluster of one that is. */
static uint32_t first_beside(const struct check *check, uint32_t node)
{
    uint32_t first = 0;

    while (!check_is_expected(check, first) || check_is_strange(check, node, first))
        first++;
    return first;
}

bool known_is_connected(const struct check *check)
{
    uint32_t nodes = sim_nodes(check->sim);
    uint32_t *parents;
    uint32_t apart = 0;

    if (!check->follows_all)
        return true;
    if (check->reached == NULL)
        return false;
    parents = allocate(nodes, sizeof *parents);
    for (uint32_t i = 0; i < nodes; i++)
        parents[i] = i;
    for (uint32_t i = 0; i < nodes; i++) {
        for (uint32_t k = 0; k < nodes; k++) {
            if (check_is_expected(check, i) && check_is_expected(check, k) && knows(check, i, k) &&
                !check_is_strange(check, i, k))
                parents[root_of(parents, i)] = root_of(parents, k);
        }
    }
    for (uint32_t i = 0; i < nodes; i++)
        apart += check_is_expected(check, i) &&
                 root_of(parents, i) != root_of(parents, first_beside(check, i));
    free(parents);
    return apart == 0;
}
