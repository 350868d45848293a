/*
 * Batches of datagrams by recvmmsg and sendmmsg. Nothing here allocates or blocks; a datagram
 * that the kernel won't take now is kept, and no other is taken from the core until it went.
 */
#define _GNU_SOURCE
#include "agent/udp.h"

#include "agent/address.h"
#include "base/assert.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH 32
/* One byte more than any legal datagram would do; a power of two is as good. */
#define RECEIVE_SIZE 2048

struct slot {
    struct sockaddr_storage name;
    struct iovec part;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))];
};

struct udp {
    int fd;
    int family; /* AF_INET, AF_INET6 */
    bool is_dual;
    uint32_t overflow_last; /* the kernel's wrapping count */
    bool is_filtered;
    bool was_filtered; /* and what that dropped has not been seen yet */
    struct udp_stats stats;
    /* Datagrams taken from the core and not yet taken by the kernel: out[sent..pending). */
    uint32_t pending;
    uint32_t sent;
    struct mmsghdr in[BATCH];
    struct mmsghdr out[BATCH];
    struct slot in_slot[BATCH];
    struct slot out_slot[BATCH];
    uint8_t in_data[BATCH][RECEIVE_SIZE];
    uint8_t out_data[BATCH][SWIM_SEALED_MAX];
};

static void enlarge_buffers(struct udp *udp)
{
    int wanted = UDP_BUFFER_WANTED;
    int granted = 0;
    socklen_t size = sizeof granted;

    /* Past the administrator's limit when privileged, else up to it. */
    if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0)
        (void)setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
    if (getsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &granted, &size) == 0 && granted > 0)
        udp->stats.receive_buffer_bytes = (uint64_t)granted / 2; /* the kernel tells the double */
}

static bool bind_socket(struct udp *udp, const struct swim_addr *bind_to,
                        struct swim_addr *ret_bound)
{
    struct sockaddr_storage name;
    socklen_t size = address_to_sockaddr(bind_to, udp->family, &name);
    int on = 1;
    int off = 0;

    if (udp->family == AF_INET6 &&
        setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return false;
    (void)setsockopt(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
    if (bind(udp->fd, (struct sockaddr *)&name, size) != 0)
        return false;
    size = sizeof name;
    return getsockname(udp->fd, (struct sockaddr *)&name, &size) == 0 &&
           address_from_sockaddr((struct sockaddr *)&name, ret_bound);
}

/* One place of the batch, for the kernel to say again how much it has written there. */
static void make_ready(struct udp *udp, size_t i)
{
    udp->in[i].msg_hdr.msg_namelen = sizeof udp->in_slot[i].name;
    udp->in[i].msg_hdr.msg_controllen = sizeof udp->in_slot[i].control;
}

static void init_slots(struct udp *udp)
{
    for (size_t i = 0; i < BATCH; i++) {
        udp->in_slot[i].part = (struct iovec){udp->in_data[i], RECEIVE_SIZE};
        udp->in[i].msg_hdr = (struct msghdr){.msg_name = &udp->in_slot[i].name,
                                             .msg_iov = &udp->in_slot[i].part,
                                             .msg_iovlen = 1,
                                             .msg_control = udp->in_slot[i].control};
        make_ready(udp, i);
        udp->out_slot[i].part = (struct iovec){udp->out_data[i], 0};
        udp->out[i].msg_hdr = (struct msghdr){
            .msg_name = &udp->out_slot[i].name, .msg_iov = &udp->out_slot[i].part, .msg_iovlen = 1};
    }
}

struct udp *udp_open(const struct swim_addr *bind_to, struct swim_addr *ret_bound)
{
    struct udp *udp = calloc(1, sizeof *udp);

    if (udp == NULL)
        return NULL;
    udp->family = bind_to->family == 6 ? AF_INET6 : AF_INET;
    udp->is_dual = udp->family == AF_INET6 && is_address_wildcard(bind_to);
    udp->fd = socket(udp->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (udp->fd < 0 || !bind_socket(udp, bind_to, ret_bound)) {
        int cause = errno;
        udp_close(udp);
        errno = cause;
        return NULL;
    }
    enlarge_buffers(udp);
    init_slots(udp);
    return udp;
}

void udp_close(struct udp *udp)
{
    if (udp == NULL)
        return;
    if (udp->fd >= 0)
        (void)close(udp->fd);
    free(udp);
}

int udp_fd(const struct udp *udp)
{
    return udp->fd;
}

int udp_family(const struct udp *udp)
{
    return udp->is_dual ? AF_UNSPEC : udp->family;
}

struct udp_stats udp_stats(const struct udp *udp)
{
    return udp->stats;
}

/* ---- In ---------------------------------------------------------------------------------- */

void udp_set_filtered(struct udp *udp, bool is_filtered)
{
    udp->was_filtered = udp->is_filtered && !is_filtered;
    udp->is_filtered = is_filtered;
}

static void note_overflow(struct udp *udp, struct msghdr *message)
{
    uint64_t *dropped = udp->is_filtered || udp->was_filtered ? &udp->stats.receive_filtered
                                                              : &udp->stats.receive_overflows;

    udp->was_filtered = false;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at != NULL; at = CMSG_NXTHDR(message, at)) {
        uint32_t count;
        if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SO_RXQ_OVFL)
            continue;
        memcpy(&count, CMSG_DATA(at), sizeof count);
        *dropped += (uint32_t)(count - udp->overflow_last);
        udp->overflow_last = count;
    }
}

size_t udp_drain(struct udp *udp, size_t limit, udp_receive *receive, void *context)
{
    size_t total = 0;
    unsigned errors = 0;

    while (total < limit) {
        int count = recvmmsg(udp->fd, udp->in, BATCH, MSG_DONTWAIT, NULL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (count < 0) {
            udp->stats.receive_errors++; /* of an earlier send, mostly; reported once each */
            if (++errors == BATCH)
                break;
            continue;
        }
        for (int i = 0; i < count; i++) {
            struct swim_addr from;
            note_overflow(udp, &udp->in[i].msg_hdr);
            if (address_from_sockaddr((struct sockaddr *)&udp->in_slot[i].name, &from))
                receive(context, &from, udp->in_data[i], udp->in[i].msg_len);
            make_ready(udp, (size_t)i);
        }
        total += (size_t)count;
        if (count < BATCH)
            break;
    }
    return total;
}

/* ---- Out --------------------------------------------------------------------------------- */

static void fill(struct udp *udp, udp_source *source, void *context)
{
    ASSERT(udp->sent == udp->pending);
    udp->sent = 0;
    udp->pending = 0;
    while (udp->pending < BATCH) {
        struct slot *slot = &udp->out_slot[udp->pending];
        struct swim_addr to;
        size_t size = source(context, &to, slot->part.iov_base, SWIM_SEALED_MAX);
        if (size == 0)
            break;
        ASSERT(size <= SWIM_SEALED_MAX);
        socklen_t length = address_to_sockaddr(&to, udp->family, &slot->name);
        if (length == 0) {
            udp->stats.send_unreachable++;
            continue;
        }
        slot->part.iov_len = size;
        udp->out[udp->pending++].msg_hdr.msg_namelen = length;
    }
}

/* Counts the cause; the datagram at the head is given up where that is the only way on. */
static enum udp_flush explain(struct udp *udp, int cause)
{
    switch (cause) {
    case EINTR: return UDP_FLUSHED;
    case EAGAIN: udp->stats.send_would_block++; return UDP_WAIT_WRITABLE;
    case ENOBUFS:
    case ENOMEM: udp->stats.send_no_buffers++; return UDP_WAIT_A_WHILE;
    case ECONNREFUSED:
        udp->stats.send_refused++; /* someone else's error, reported once: this one is unsent */
        return UDP_FLUSHED;
    case EMSGSIZE: udp->stats.send_too_large++; break;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT: udp->stats.send_unreachable++; break;
    case EPERM:
    case EACCES: udp->stats.send_forbidden++; break;
    default: udp->stats.send_other++; break;
    }
    udp->sent++;
    return UDP_FLUSHED;
}

/* How many of out[sent..pending) the kernel took, at least 1; else as sendmmsg. Most often there is a
 * single one, for which sendto costs half. */
static int send_some(const struct udp *udp, struct mmsghdr *first)
{
    const struct msghdr *message = &first->msg_hdr;
    unsigned count = udp->pending - udp->sent;

    if (count > 1)
        return sendmmsg(udp->fd, first, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sendto(udp->fd, message->msg_iov->iov_base, message->msg_iov->iov_len,
                  MSG_DONTWAIT | MSG_NOSIGNAL, message->msg_name, message->msg_namelen) < 0
               ? -1
               : 1;
}

enum udp_flush udp_flush(struct udp *udp, udp_source *source, void *context)
{
    unsigned refusals = 0;

    for (;;) {
        if (udp->sent == udp->pending)
            fill(udp, source, context);
        if (udp->pending == 0)
            return UDP_FLUSHED;
        int count = send_some(udp, &udp->out[udp->sent]);
        if (count > 0) {
            udp->sent += (uint32_t)count;
            continue;
        }
        int cause = count == 0 ? EAGAIN : errno;
        enum udp_flush wait = explain(udp, cause);
        if (wait != UDP_FLUSHED)
            return wait;
        if (cause == ECONNREFUSED && ++refusals == BATCH)
            return UDP_WAIT_A_WHILE;
    }
}
