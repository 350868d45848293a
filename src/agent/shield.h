/*
 * Against floods: a filter in the kernel that drops most of what strangers send before it takes a
 * place in the receive buffer, where it would displace what members send, and before it costs this
 * process any time.
 *
 *       datagram --> [filter] --> receive buffer --> limiter --> guard --> member
 *                       |
 *                       +-- source is a member's address: passes
 *                       +-- else: one of so many passes, drawn by the kernel
 *
 * It is up only while strangers send far more than the limiter would let through; then it lets
 * through about twice what the limiter does, so a newcomer's chances are no worse than without it.
 *
 * The filter holds the members' addresses as a bitmap under a secret hash. A stranger whose hash is
 * a member's passes, as it would without the filter; few do up to some thousands of members.
 */
#ifndef SWIM_AGENT_SHIELD_H
#define SWIM_AGENT_SHIELD_H

#include "swim/swim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sock_filter;

/* ---- The filter's program (shield_program.c) --------------------------------------------- */

/* Of 32 bits. A program has 4 instructions for each, and older kernels allow a socket 20 KiB in
 * all. At 800 members one stranger of ten passes, at 3,000 one of three. */
#define SHIELD_WORDS 256
#define SHIELD_PROGRAM_MAX 1100
#define SHIELD_KEEP_ALL UINT32_MAX

struct shield_map {
    uint32_t factors[7]; /* secret, odd */
    uint32_t words[SHIELD_WORDS];
};

/* An empty map under a hash that nobody else knows. */
void shield_map_init(struct shield_map *map, uint64_t secret);
void shield_map_clear(struct shield_map *map);
void shield_map_add(struct shield_map *map, const struct swim_addr *addr);
bool is_in_shield_map(const struct shield_map *map, const struct swim_addr *addr);
/* Writes a program that passes every datagram from an address in the map, and of the others `keep`
 * of 2^32. Returns its length, at most SHIELD_PROGRAM_MAX. */
size_t shield_program(const struct shield_map *map, uint32_t keep, struct sock_filter *ret);

/* ---- When it is up (shield.c) ------------------------------------------------------------ */

struct shield_stats {
    bool is_up;
    uint64_t raised; /* how often */
};

struct shield {
    int fd;
    const struct swim *swim;
    uint32_t rate;        /* datagrams a second that the limiter lets strangers send */
    uint32_t keep;        /* of 2^32, while it is up */
    uint32_t arrivals;    /* strangers' datagrams since `since_ns`, which can be yet to come */
    uint32_t quiet_ticks; /* in a row */
    uint64_t since_ns;
    struct shield_stats stats;
    struct shield_map map;
};

/* Guards the socket `fd` of a member with these limits. Down. */
void shield_init(struct shield *shield, int fd, const struct swim *swim, uint64_t secret);
/* From now on the limiter lets strangers send so many a second. */
void shield_configure(struct shield *shield, uint32_t strangers_rate);
/* A stranger's datagram has arrived. True when that was one too many, and the shield went up: then
 * shield_tick is due every SHIELD_TICK_MS, until it says otherwise. O(1), but for one of some
 * thousand, which walks the table. */
bool shield_note_stranger(struct shield *shield, uint64_t now_ns);
#define SHIELD_TICK_MS 1000
/* Brings the filter up to date with members and flood, or takes it down. True while it is up. */
bool shield_tick(struct shield *shield, uint64_t now_ns);

#endif
