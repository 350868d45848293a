/*
 * Token buckets without tokens: a bucket is the time at which it will be full, each datagram
 * moves that time on by its cost, and one that would move it further ahead than the bucket is
 * deep is refused (the generic cell rate algorithm). Member buckets live in sets of four, chosen
 * by a hash of the address.
 */
#define _GNU_SOURCE
#include "agent/limiter.h"

#include "base/assert.h"
#include "base/hash.h"

#include <string.h>
#include <sys/mman.h>

#define SET_SIZE 4
/* So many members' buckets are one page. */
#define FIT_MIN 128
#define SECOND_NS UINT64_C(1000000000)

static size_t limiter_size(const struct limiter *limiter)
{
    return limiter->sets_max * SET_SIZE * sizeof(struct bucket);
}

/* Half empty: full sets are rare. */
static size_t sets_for(uint32_t members)
{
    size_t sets = 1;

    while (sets * SET_SIZE < (size_t)members * 2)
        sets *= 2;
    return sets;
}

void limiter_fit(struct limiter *limiter, uint32_t members)
{
    size_t sets = sets_for(members > FIT_MIN ? members : FIT_MIN);

    if (sets > limiter->sets_max)
        sets = limiter->sets_max;
    if (sets > limiter->set_mask + 1 || limiter->set_mask == 0)
        limiter->set_mask = sets - 1;
}

bool limiter_init(struct limiter *limiter, const struct limiter_config *config)
{
    *limiter = (struct limiter){.sets_max = sets_for(config->members_max)};
    limiter_fit(limiter, 1);
    limiter->seed = config->seed;
    limiter_configure(limiter, config);
    void *memory = mmap(NULL, limiter_size(limiter), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    limiter->buckets = memory;
    return true;
}

void limiter_done(struct limiter *limiter)
{
    if (limiter->buckets != NULL)
        (void)munmap(limiter->buckets, limiter_size(limiter));
    limiter->buckets = NULL;
}

void limiter_configure(struct limiter *limiter, const struct limiter_config *config)
{
    ASSERT(config->strangers_rate > 0 && config->member_rate > 0 && config->member_capacity > 0);
    limiter->strangers_cost_ns = SECOND_NS / config->strangers_rate;
    limiter->strangers_depth_ns = limiter->strangers_cost_ns * LIMITER_STRANGERS_BURST;
    limiter->member_cost_ns = SECOND_NS / config->member_rate;
    limiter->member_depth_ns = limiter->member_cost_ns * config->member_capacity;
}

static bool take(uint64_t *full_at_ns, uint64_t now_ns, uint64_t cost_ns, uint64_t depth_ns)
{
    uint64_t from = *full_at_ns > now_ns ? *full_at_ns : now_ns;

    if (from + cost_ns - now_ns > depth_ns)
        return false;
    *full_at_ns = from + cost_ns;
    return true;
}

static uint64_t key_of(const struct limiter *limiter, const struct swim_addr *addr)
{
    uint64_t high;
    uint64_t low;

    memcpy(&high, addr->ip, sizeof high);
    memcpy(&low, addr->ip + 8, sizeof low);
    uint64_t key = hash_combine(hash_combine(limiter->seed, high), low);
    key = hash_combine(key, ((uint64_t)addr->family << 16) | addr->port);
    return key != 0 ? key : 1;
}

/* The bucket of this key, or the one of its set that is the fullest, made its own: what is lost
 * with that one is the least there is, and mostly nothing. */
static struct bucket *find(struct limiter *limiter, uint64_t key)
{
    struct bucket *set = &limiter->buckets[(key & limiter->set_mask) * SET_SIZE];
    struct bucket *fullest = set;

    for (size_t i = 0; i < SET_SIZE; i++) {
        if (set[i].key == key)
            return &set[i];
        if (set[i].full_at_ns < fullest->full_at_ns)
            fullest = &set[i];
    }
    *fullest = (struct bucket){.key = key};
    return fullest;
}

static bool member_allows(struct limiter *limiter, const struct swim_addr *member, uint64_t now_ns)
{
    struct bucket *bucket = find(limiter, key_of(limiter, member));

    return take(&bucket->full_at_ns, now_ns, limiter->member_cost_ns, limiter->member_depth_ns);
}

bool limiter_allows(struct limiter *limiter, const struct swim_addr *member, uint64_t now_ns)
{
    if (member != NULL && member_allows(limiter, member, now_ns))
        return true;
    if (take(&limiter->strangers_full_at_ns, now_ns, limiter->strangers_cost_ns,
             limiter->strangers_depth_ns))
        return true;
    limiter->limited++;
    limiter->limited_members += member != NULL;
    return false;
}
