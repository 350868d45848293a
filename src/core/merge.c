/*
 * The total order over records: one comparison, five fields, no special case, because a merge
 * that is not a join leaves replicas different for ever. docs/protocol.md section 4.
 */
#include "core/merge.h"

#include <string.h>

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

int merge_compare_clock(const struct record *a, const struct record *b)
{
    int order = compare_u32(a->incarnation, b->incarnation);
    return order ? order : compare_u32(a->heartbeat, b->heartbeat);
}

const struct record *merge_max(const struct record *a, const struct record *b)
{
    return merge_compare(a, b) >= 0 ? a : b;
}

bool merge_misleads(const struct record *stale, const struct record *held)
{
    if (stale->incarnation != held->incarnation)
        return true;
    if (is_terminal(stale->status) != is_terminal(held->status))
        return true;
    return stale->status == SWIM_SUSPECT && held->status == SWIM_ALIVE;
}

int addr_compare(const struct swim_addr *a, const struct swim_addr *b)
{
    int order = compare_u32(a->family, b->family);
    if (!order)
        order = memcmp(a->ip, b->ip, sizeof a->ip);
    return order ? order : compare_u32(a->port, b->port);
}

struct swim_addr addr_fold(const struct swim_addr *addr)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    struct swim_addr folded = *addr;

    if (addr->family == 6 && !memcmp(addr->ip, mapped, sizeof mapped)) {
        memcpy(folded.ip, addr->ip + 12, 4);
        memset(folded.ip + 4, 0, 12);
        folded.family = 4;
    } else if (addr->family == 4) {
        memset(folded.ip + 4, 0, 12);
    }
    return folded;
}
