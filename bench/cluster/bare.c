/*
 * The least that a probe a second can cost a process: once a second a datagram to one of the others,
 * drawn at random, an answer to each that comes, and nothing else. No protocol, no table, no check.
 * What an agent takes beyond this is its own.
 *
 *     bare PORT FIRST-PORT COUNT      all on 127.0.0.1; it ends when it is killed
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { PROBE_BYTES = 64, INTERVAL_MS = 1000, DATAGRAM_MAX = 1500 };

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void probe(int fd, struct sockaddr_in *to, unsigned first, unsigned count)
{
    char bytes[PROBE_BYTES] = "?";

    to->sin_port = htons((uint16_t)(first + (unsigned)rand() % count));
    sendto(fd, bytes, sizeof bytes, 0, (struct sockaddr *)to, sizeof *to);
}

static void answer(int fd)
{
    char bytes[DATAGRAM_MAX];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);

    if (n > 0 && bytes[0] == '?') {
        bytes[0] = '!';
        sendto(fd, bytes, (size_t)n, 0, (struct sockaddr *)&from, sizeof from);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    long next;

    if (argc != 4 || fd < 0 || epoll < 0) {
        fprintf(stderr, "usage: bare PORT FIRST-PORT COUNT\n");
        return 2;
    }
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons((uint16_t)atoi(argv[1]));
    if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("bare");
        return 1;
    }
    srand((unsigned)atoi(argv[1]));
    for (next = now_ms() + rand() % INTERVAL_MS;;) {
        long now = now_ms();

        if (now >= next) {
            probe(fd, &at, (unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
            next += INTERVAL_MS;
        }
        if (epoll_wait(epoll, &event, 1, next > now ? (int)(next - now) : 0) > 0)
            answer(fd);
    }
}
