/*
 * A member never tells 0.0.0.0 of itself: nobody could reach it there. With a wildcard bound and
 * nothing advertised, the kernel is asked which address it would use towards the first numeric
 * peer; without one, the first interface that is up and not loopback gives its address.
 */
#define _GNU_SOURCE
#include "agent/advertise.h"

#include "agent/address.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

/* Can a socket bound to `bound` take datagrams sent to `addr`? [::] takes both families. */
static bool is_reachable(const struct swim_addr *bound, const struct swim_addr *addr)
{
    return bound->family == addr->family || (bound->family == 6 && is_address_wildcard(bound));
}

static bool source_towards(const struct swim_addr *peer, struct swim_addr *ret)
{
    struct sockaddr_storage name;
    int family = peer->family == 4 ? AF_INET : AF_INET6;
    socklen_t size = address_to_sockaddr(peer, family, &name);
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool found = false;

    if (fd < 0)
        return false;
    if (connect(fd, (struct sockaddr *)&name, size) == 0) { /* sends nothing */
        size = sizeof name;
        found = getsockname(fd, (struct sockaddr *)&name, &size) == 0 &&
                address_from_sockaddr((struct sockaddr *)&name, ret);
    }
    (void)close(fd);
    return found && !is_address_wildcard(ret);
}

static bool is_link_local(const struct swim_addr *addr)
{
    return addr->family == 6 ? addr->ip[0] == 0xFE && (addr->ip[1] & 0xC0) == 0x80
                             : addr->ip[0] == 169 && addr->ip[1] == 254;
}

/* IPv4 first: it is what most peers have. */
static bool interface_address(const struct swim_addr *bound, struct swim_addr *ret)
{
    struct ifaddrs *all;
    struct swim_addr found = {.family = 0};

    if (getifaddrs(&all) != 0)
        return false;
    for (const struct ifaddrs *at = all; at != NULL; at = at->ifa_next) {
        struct swim_addr addr;
        if (at->ifa_addr == NULL || (at->ifa_flags & IFF_UP) == 0 ||
            (at->ifa_flags & IFF_LOOPBACK) != 0 || !address_from_sockaddr(at->ifa_addr, &addr))
            continue;
        if (is_address_loopback(&addr) || is_link_local(&addr) || !is_reachable(bound, &addr))
            continue;
        if (found.family == 0 || (found.family == 6 && addr.family == 4))
            found = addr;
    }
    freeifaddrs(all);
    if (found.family == 0)
        return false;
    *ret = found;
    return true;
}

static bool derive(const struct agent_config *config, const struct swim_addr *bound,
                   struct swim_addr *ret_addr, const char **ret_source)
{
    for (uint32_t i = 0; i < config->peer_count; i++) {
        const struct swim_addr *peer = &config->peers[i].addr;
        if (peer->family == 0 || !is_reachable(bound, peer))
            continue;
        *ret_source = "the route to the first peer";
        if (source_towards(peer, ret_addr))
            return true;
        break;
    }
    *ret_source = "the first network interface";
    return interface_address(bound, ret_addr);
}

const char *advertise_choose(const struct agent_config *config, const struct swim_addr *bound,
                             struct swim_addr *ret_addr, const char **ret_source)
{
    struct swim_addr addr;
    const char *source = "--advertise";

    if (config->advertise.family != 0) {
        addr = config->advertise;
        if (!is_reachable(bound, &addr))
            return "the advertised address and the bound one are of different families "
                   "(IPv4, IPv6): bind [::]:PORT for both";
    } else if (!is_address_wildcard(bound)) {
        addr = *bound;
        source = "--bind";
    } else if (!derive(config, bound, &addr, &source)) {
        return "bound to every address (0.0.0.0 or [::]), and none was found that peers could be "
               "told: give one with --advertise ADDR";
    }
    if (config->advertise.family == 0 || addr.port == 0)
        addr.port = bound->port;
    *ret_addr = addr;
    *ret_source = source;
    return NULL;
}
