/*
 * Addresses: text, sockaddr and struct swim_addr, and back. The core folds IPv4-mapped addresses
 * (docs/protocol.md section 2); they are folded here too, so that logs show what members see.
 */
#define _GNU_SOURCE
#include "agent/address.h"

#include "base/assert.h"
#include "base/decimal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static void set_ipv6(struct swim_addr *addr, const uint8_t *ip)
{
    memset(addr, 0, sizeof *addr);
    if (memcmp(ip, mapped_prefix, sizeof mapped_prefix) == 0) {
        addr->family = 4;
        memcpy(addr->ip, ip + 12, 4);
    } else {
        addr->family = 6;
        memcpy(addr->ip, ip, 16);
    }
}

const char *address_parse_ip(const char *text, struct swim_addr *ret)
{
    uint8_t ip[16];
    struct swim_addr addr = {.family = 4};

    if (inet_pton(AF_INET, text, addr.ip) != 1) {
        if (strchr(text, '%') != NULL)
            return "addresses with a zone (%) can't be told to other machines";
        if (inet_pton(AF_INET6, text, ip) != 1)
            return "not an IPv4 or IPv6 address";
        set_ipv6(&addr, ip);
    }
    *ret = addr;
    return NULL;
}

static const char *parse_port(const char *text, uint16_t *ret)
{
    uint32_t port = 0;

    if (*text == '\0')
        return "the port is missing";
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return "the port is not a number";
        port = port * 10 + (uint32_t)(*at - '0');
        if (port > 65535)
            return "the port is above 65535";
    }
    *ret = (uint16_t)port;
    return NULL;
}

/* Splits at the colon before the port, and takes the brackets off. `no_port`: what to say where
 * there is none, for a name may stand in front of it in some places only. */
static const char *split(const char *text, const char *no_port, char host[HOST_NAME_MAX_SIZE],
                         uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    size_t size;

    if (colon == NULL || strchr(colon, ']') != NULL)
        return no_port;
    size = (size_t)(colon - text);
    if (text[0] == '[') {
        if (size < 2 || text[size - 1] != ']')
            return "the closing bracket is missing ([IPV6]:PORT)";
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return "an IPv6 address needs brackets ([IPV6]:PORT)";
    }
    if (size == 0)
        return "what stands in front of the port is missing";
    if (size >= HOST_NAME_MAX_SIZE)
        return "the name is too long";
    memcpy(host, text, size);
    host[size] = '\0';
    return parse_port(colon + 1, ret_port);
}

const char *address_parse(const char *text, struct swim_addr *ret)
{
    char host[HOST_NAME_MAX_SIZE];
    struct swim_addr addr;
    uint16_t port;
    const char *wrong = split(text, "the port is missing (ADDR:PORT)", host, &port);

    if (wrong == NULL)
        wrong = address_parse_ip(host, &addr);
    if (wrong == NULL && addr.family == 4 && text[0] == '[' && strchr(host, ':') == NULL)
        wrong = "brackets are for IPv6 addresses";
    if (wrong != NULL)
        return wrong;
    addr.port = port;
    *ret = addr;
    return NULL;
}

/* Letters, digits, '-', '_' and single dots; not all digits after the last dot, since that is
 * a mistyped address and not a name. */
static const char *check_name(const char *name)
{
    size_t label = 0;
    bool is_number = true;

    for (const char *at = name; *at != '\0'; at++) {
        bool is_digit = *at >= '0' && *at <= '9';
        bool is_letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (*at == '.') {
            if (label == 0)
                return "not a host name";
            if (at[1] == '\0')
                break;
            label = 0;
            is_number = true;
            continue;
        }
        if (!is_digit && !is_letter && *at != '-' && *at != '_')
            return "not a host name or address";
        if (++label > 63)
            return "not a host name (a part is longer than 63 characters)";
        is_number = is_number && is_digit;
    }
    return is_number ? "not an IPv4 address" : NULL;
}

const char *endpoint_parse(const char *text, struct endpoint *ret)
{
    struct endpoint endpoint = {.addr = {.family = 0}};
    uint16_t port;
    const char *wrong =
        split(text, "the port is missing (HOST:PORT, by address or name)", endpoint.name, &port);

    if (wrong != NULL)
        return wrong;
    if (port == 0)
        return "the port of a peer can't be 0";
    if (address_parse_ip(endpoint.name, &endpoint.addr) == NULL) {
        wrong = address_parse(text, &endpoint.addr);
        if (wrong == NULL && is_address_wildcard(&endpoint.addr))
            wrong = "a wildcard is not the address of a peer";
        if (wrong == NULL && is_address_shared(&endpoint.addr))
            wrong = "a multicast or broadcast address is not the address of a peer";
        memset(endpoint.name, 0, sizeof endpoint.name);
    } else {
        wrong = text[0] == '[' ? "not an IPv6 address" : check_name(endpoint.name);
        endpoint.addr.port = port;
    }
    if (wrong == NULL)
        *ret = endpoint;
    return wrong;
}

/* By hand: lists of members have thousands of them. */
static void put_ipv4(char *at, const struct swim_addr *addr)
{
    for (unsigned i = 0; i < 4; i++) {
        at = decimal_put(at, addr->ip[i]);
        *at++ = i < 3 ? '.' : ':';
    }
    *decimal_put(at, addr->port) = 0;
}

struct address_text address_text(const struct swim_addr *addr)
{
    struct address_text ret;
    char ip[INET6_ADDRSTRLEN] = "none";

    if (addr->family == 4) {
        put_ipv4(ret.text, addr);
        return ret;
    }
    if (addr->family == 6)
        (void)inet_ntop(AF_INET6, addr->ip, ip, sizeof ip);
    (void)snprintf(ret.text, sizeof ret.text, addr->family == 6 ? "[%s]:%u" : "%s:%u", ip,
                   (unsigned)addr->port);
    return ret;
}

void endpoint_format(const struct endpoint *endpoint, char *text, size_t cap)
{
    if (endpoint->addr.family != 0)
        (void)snprintf(text, cap, "%s", address_text(&endpoint->addr).text);
    else
        (void)snprintf(text, cap, "%s:%u", endpoint->name, (unsigned)endpoint->addr.port);
}

bool is_address_equal(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

bool is_address_shared(const struct swim_addr *addr)
{
    return addr->family == 4 ? addr->ip[0] >= 224 : addr->ip[0] == 0xFF;
}

bool is_address_wildcard(const struct swim_addr *addr)
{
    static const uint8_t zero[16];
    return memcmp(addr->ip, zero, sizeof zero) == 0;
}

bool is_address_loopback(const struct swim_addr *addr)
{
    static const uint8_t loopback[16] = {[15] = 1};
    return addr->family == 4 ? addr->ip[0] == 127
                             : memcmp(addr->ip, loopback, sizeof loopback) == 0;
}

socklen_t address_to_sockaddr(const struct swim_addr *addr, int family,
                              struct sockaddr_storage *ret)
{
    ASSERT(family == AF_INET || family == AF_INET6);
    if (family == AF_INET) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
        if (addr->family != 4)
            return 0;
        memcpy(&in.sin_addr, addr->ip, 4);
        memcpy(ret, &in, sizeof in);
        return sizeof in;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    if (addr->family == 4) {
        memcpy(&in6.sin6_addr, mapped_prefix, 12);
        memcpy((uint8_t *)&in6.sin6_addr + 12, addr->ip, 4);
    } else {
        memcpy(&in6.sin6_addr, addr->ip, 16);
    }
    memcpy(ret, &in6, sizeof in6);
    return sizeof in6;
}

bool address_from_sockaddr(const struct sockaddr *from, struct swim_addr *ret)
{
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        *ret = (struct swim_addr){.family = 4, .port = ntohs(in.sin_port)};
        memcpy(ret->ip, &in.sin_addr, 4);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        set_ipv6(ret, (const uint8_t *)&in6.sin6_addr);
        ret->port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}
