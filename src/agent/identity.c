/* Who this member is as it starts: its id, its address, its datagrams' size, its name and tags. */
#define _GNU_SOURCE
#include "agent/identity.h"

#include "agent/advertise.h"
#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/exit_code.h"
#include "agent/metrics_tag.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

static bool draw_identity(struct swim_config *config)
{
    do {
        if (getrandom(&config->id, sizeof config->id, 0) != (ssize_t)sizeof config->id ||
            getrandom(&config->seed, sizeof config->seed, 0) != (ssize_t)sizeof config->seed ||
            getrandom(config->secret, sizeof config->secret, 0) != (ssize_t)sizeof config->secret)
            return false;
    } while (config->id == 0);
    return true;
}

/* What fits through an Ethernet in one piece when it is sealed: a key may still come. */
static uint32_t largest_datagram(const struct swim_addr *bound)
{
    enum { SEALED_MAX_IPV4 = 1472, SEALED_MAX_IPV6 = 1452 };
    uint32_t size =
        (bound->family == 6 ? SEALED_MAX_IPV6 : SEALED_MAX_IPV4) - SWIM_SEAL_OVERHEAD_MAX;

    return size < SWIM_DATAGRAM_MAX ? size : SWIM_DATAGRAM_MAX;
}

enum exit_code identity_start(struct agent *agent, const char **ret_source)
{
    const struct swim_addr *bound = &agent->bound;
    struct swim_config config = agent->config.swim;
    const char *wrong = advertise_choose(&agent->config, bound, &agent->addr, ret_source);

    if (wrong != NULL)
        return exit_code_fail(EXIT_CODE_CONFIG, "%s", wrong);
    if (!draw_identity(&config))
        return exit_code_fail(EXIT_CODE_FAILURE, "no random numbers: %s", strerror(errno));
    keeper_identify(agent->keeper, &config);
    config.addr = agent->addr;
    config.addr_in_probes = !is_address_equal(&agent->addr, bound);
    memcpy(config.cluster, agent->config.cluster, sizeof config.cluster);
    config.datagram_max = largest_datagram(bound);
    wrong = swim_config_check(&config);
    if (wrong != NULL)
        return exit_code_fail(EXIT_CODE_CONFIG, "the setting %s is out of its range", wrong);
    agent->arena_size = swim_footprint(&config);
    void *arena = mmap(NULL, agent->arena_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (arena == MAP_FAILED)
        return exit_code_fail(EXIT_CODE_FAILURE, "no memory for %u members: %s",
                              (unsigned)config.members_max, strerror(errno));
    agent->swim = swim_init(arena, agent->arena_size, &config, clock_now_ns());
    return EXIT_CODE_OK;
}

void identity_introduce(struct agent *agent)
{
    struct swim_meta meta = agent->config.meta;

    metrics_tag_put(&meta, &agent->config, &agent->addr);
    swim_set_meta(agent->swim, clock_now_ns(), &meta);
}

/* That this changes what it says of itself is no news yet. */
void identity_introduce_first(struct agent *agent)
{
    struct swim_event event;

    identity_introduce(agent);
    while (swim_next_event(agent->swim, &event))
        if (event.kind != SWIM_EVENT_RETAGGED)
            loop_tell(agent, &event);
}

void identity_end(struct agent *agent)
{
    if (agent->swim != NULL)
        (void)munmap(agent->swim, agent->arena_size);
}
