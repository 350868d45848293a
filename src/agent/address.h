/*
 * Addresses and endpoints as people write them:
 *
 *     127.0.0.1:7000    [2001:db8::1]:7000    node-1.example.org:7000 (endpoints only)
 */
#ifndef SWIM_AGENT_ADDRESS_H
#define SWIM_AGENT_ADDRESS_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* "[" 45 characters "]:65535" and the final zero. */
#define ADDRESS_TEXT_MAX 56
#define HOST_NAME_MAX_SIZE 254

/* An address, or a name to be resolved: `addr.family` is 0 for a name; `addr.port` always set. */
struct endpoint {
    struct swim_addr addr;
    char name[HOST_NAME_MAX_SIZE];
};

/* The parsers return NULL when they succeeded, else what is wrong with the text (static), and
 * then leave *ret alone. IPv4-mapped IPv6 addresses become IPv4. */
const char *address_parse_ip(const char *text, struct swim_addr *ret); /* no port; sets it to 0 */
const char *address_parse(const char *text, struct swim_addr *ret);    /* port 0 is legal */
const char *endpoint_parse(const char *text, struct endpoint *ret);    /* port 1..65535 */

/* The text lives in ret->text: address_text(&addr).text is usable within one expression. */
struct address_text {
    char text[ADDRESS_TEXT_MAX];
};
struct address_text address_text(const struct swim_addr *addr);
/* "host:port" of a name, or the address. */
void endpoint_format(const struct endpoint *endpoint, char *text, size_t cap);

bool is_address_equal(const struct swim_addr *a, const struct swim_addr *b);
/* Multicast and broadcast: no one member's address. */
bool is_address_shared(const struct swim_addr *addr);
bool is_address_wildcard(const struct swim_addr *addr);
bool is_address_loopback(const struct swim_addr *addr);

/* For a socket of `family` (AF_INET or AF_INET6; the latter reaches IPv4 by mapped addresses).
 * Returns the length, or 0 when such a socket can't reach `addr`. */
socklen_t address_to_sockaddr(const struct swim_addr *addr, int family,
                              struct sockaddr_storage *ret);
/* False when it is neither IPv4 nor IPv6. */
bool address_from_sockaddr(const struct sockaddr *from, struct swim_addr *ret);

#endif
