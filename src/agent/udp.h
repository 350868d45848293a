/*
 * The UDP socket: datagrams in and out in batches, never blocking, every refusal of the kernel
 * counted by its cause. Used from one thread.
 */
#ifndef SWIM_AGENT_UDP_H
#define SWIM_AGENT_UDP_H

#include "swim/seal.h"
#include "swim/swim.h"

#include <stddef.h>
#include <stdint.h>

#define UDP_BUFFER_WANTED (4 * 1024 * 1024)

/* Datagrams that the kernel didn't send, by cause; all but the first two are lost. */
#define UDP_SEND_ERRORS(X)                                                                         \
    X(would_block) /* the socket's buffer is full: sent later */                                   \
    X(no_buffers)  /* the interface's queue is full: sent later */                                 \
    X(refused)     /* an earlier datagram's port was closed: sent again at once */                 \
    X(too_large)   /* for the path */                                                              \
    X(unreachable) /* no route, no such network, or an address of the other family */              \
    X(forbidden)   /* by a firewall here */                                                        \
    X(other)

struct udp_stats {
#define UDP_STATS_FIELD(name) uint64_t send_##name;
    UDP_SEND_ERRORS(UDP_STATS_FIELD)
#undef UDP_STATS_FIELD
    uint64_t receive_overflows; /* datagrams that found the receive buffer full */
    uint64_t receive_filtered;  /* datagrams dropped by a filter of ours: udp_set_filtered */
    uint64_t receive_errors;
    uint64_t receive_buffer_bytes; /* gauge: what the kernel granted */
};

struct udp;

/* Opens and binds. On failure NULL, and errno says why. *ret_bound is the real address, with its
 * port. [::] takes IPv4 too. */
struct udp *udp_open(const struct swim_addr *bind_to, struct swim_addr *ret_bound);
void udp_close(struct udp *udp);
int udp_fd(const struct udp *udp);
/* AF_UNSPEC when the socket reaches IPv4 and IPv6, else the one that it does. */
int udp_family(const struct udp *udp);
struct udp_stats udp_stats(const struct udp *udp);
/* The kernel counts all that it drops as one: while there is a filter on the socket, and until the
 * next datagram after that, it is taken for the filter's doing. */
void udp_set_filtered(struct udp *udp, bool is_filtered);

typedef void udp_receive(void *context, const struct swim_addr *from, const void *data,
                         size_t size);
/* Hands over what has arrived, at most about `limit` datagrams. Returns how many. */
size_t udp_drain(struct udp *udp, size_t limit, udp_receive *receive, void *context);

/* cap >= SWIM_SEALED_MAX. */
typedef size_t udp_source(void *context, struct swim_addr *ret_to, void *buf, size_t cap);
enum udp_flush {
    UDP_FLUSHED,       /* nothing is left */
    UDP_WAIT_WRITABLE, /* call again when the socket is writable */
    UDP_WAIT_A_WHILE,  /* it is writable and yet takes nothing: call again some milliseconds on */
};
/* Sends everything that `source` gives until it returns 0. */
enum udp_flush udp_flush(struct udp *udp, udp_source *source, void *context);

#endif
