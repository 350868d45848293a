/*
 * When the filter goes up, how much it lets through, and when it comes down. It follows the flood
 * once a second; what it costs, a walk over the table and a program for the kernel, it costs only
 * while there is a flood. docs/security.md, "Floods".
 */
#define _GNU_SOURCE
#include "agent/shield.h"

#include "agent/limiter.h"
#include "agent/log.h"

#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#define SECOND_NS UINT64_C(1000000000)
/* Raised at so many times what the limiter lets through, and not below its burst. */
#define RAISE_FACTOR 4
#define RAISE_MIN (2 * LIMITER_STRANGERS_BURST)
/* Twice the limiter's rate comes through, so that the limiter goes on being the one that decides. */
#define KEEP_FACTOR 2
/* One of 100,000: what comes through must stay enough to tell how large the flood is. */
#define KEEP_MIN 42950
/* What waits in the receive buffer has passed the filter as it was before. */
#define BACKLOG_NS (SECOND_NS / 10)
#define RELAX_FACTOR 2
#define QUIET_TICKS 5

void shield_init(struct shield *shield, int fd, const struct swim *swim, uint64_t secret)
{
    *shield = (struct shield){.fd = fd, .swim = swim};
    shield_map_init(&shield->map, secret);
}

void shield_configure(struct shield *shield, uint32_t strangers_rate)
{
    shield->rate = strangers_rate;
}

static uint64_t raise_at(const struct shield *shield)
{
    uint64_t at = (uint64_t)shield->rate * RAISE_FACTOR;

    return at > RAISE_MIN ? at : RAISE_MIN;
}

/* ---- The socket -------------------------------------------------------------------------- */

static void map_members(struct shield *shield)
{
    struct swim_member member;

    shield_map_clear(&shield->map);
    for (uint32_t slot = 0; slot < swim_member_slots(shield->swim); slot++)
        if (swim_member_at(shield->swim, slot, &member) && !member.is_self &&
            (member.status == SWIM_ALIVE || member.status == SWIM_SUSPECT))
            shield_map_add(&shield->map, &member.addr);
}

static bool attach(struct shield *shield)
{
    static struct sock_filter code[SHIELD_PROGRAM_MAX];
    struct sock_fprog program = {.filter = code};

    map_members(shield);
    program.len = (unsigned short)shield_program(&shield->map, shield->keep, code);
    return setsockopt(shield->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static void detach(const struct shield *shield)
{
    int unused = 0;

    (void)setsockopt(shield->fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

/* ---- The flood --------------------------------------------------------------------------- */

/* How many of 2^32 to keep, so that of `total` a second as many come through as wanted. */
static uint32_t keep_of(const struct shield *shield, uint64_t total)
{
    uint64_t wanted = (uint64_t)shield->rate * KEEP_FACTOR;

    uint64_t keep = total <= wanted ? SHIELD_KEEP_ALL : (wanted << 32) / total;

    return keep > KEEP_MIN ? (uint32_t)keep : KEEP_MIN;
}

static void begin_window(struct shield *shield, uint64_t now_ns)
{
    shield->since_ns = now_ns;
    shield->arrivals = 0;
}

/* A second of the flood, from what came through. */
static uint64_t total_of(const struct shield *shield, uint64_t now_ns)
{
    uint64_t took_ns = now_ns > shield->since_ns ? now_ns - shield->since_ns : 1;
    double through = (double)shield->arrivals * (double)SECOND_NS / (double)took_ns;

    return (uint64_t)(through * 4294967296.0 / ((double)shield->keep + 1));
}

static bool raise(struct shield *shield, uint64_t now_ns)
{
    uint64_t total;

    shield->keep = SHIELD_KEEP_ALL;
    total = total_of(shield, now_ns);
    shield->keep = keep_of(shield, total);
    begin_window(shield, now_ns + BACKLOG_NS);
    shield->quiet_ticks = 0;
    if (!attach(shield))
        return false; /* without it, the limiter does what it can */
    shield->stats.is_up = true;
    shield->stats.raised++;
    LOG(LOG_WARN, "flooded by unknown addresses: most of it is dropped by the kernel from now on",
        LOG_NUMBER("datagrams_a_second", total));
    return true;
}

/* More came through in a part of a second than should in a whole one. */
static void tighten(struct shield *shield, uint64_t now_ns)
{
    shield->keep = keep_of(shield, total_of(shield, now_ns));
    begin_window(shield, now_ns + BACKLOG_NS);
    detach(shield);
    (void)attach(shield); /* or the next tick finds that there is none */
}

bool shield_note_stranger(struct shield *shield, uint64_t now_ns)
{
    if (shield->stats.is_up && now_ns < shield->since_ns)
        return false;
    if (!shield->stats.is_up && now_ns - shield->since_ns >= SECOND_NS)
        begin_window(shield, now_ns);
    if (++shield->arrivals < raise_at(shield))
        return false;
    if (!shield->stats.is_up)
        return raise(shield, now_ns);
    tighten(shield, now_ns);
    return false;
}

/* At most doubled: a flood that pauses for a moment doesn't find the gate open. */
static uint32_t relax(const struct shield *shield, uint64_t total)
{
    uint32_t keep = keep_of(shield, total);
    uint32_t most = shield->keep > SHIELD_KEEP_ALL / RELAX_FACTOR ? SHIELD_KEEP_ALL
                                                                  : shield->keep * RELAX_FACTOR;

    return keep < most ? keep : most;
}

bool shield_tick(struct shield *shield, uint64_t now_ns)
{
    uint64_t total = total_of(shield, now_ns);

    if (!shield->stats.is_up)
        return false;
    shield->quiet_ticks = total < raise_at(shield) / 2 ? shield->quiet_ticks + 1 : 0;
    shield->keep = relax(shield, total);
    begin_window(shield, now_ns);
    detach(shield); /* the kernel would count both programs against the socket's memory */
    if (shield->quiet_ticks < QUIET_TICKS && attach(shield))
        return true;
    shield->stats.is_up = false;
    LOG(LOG_INFO, "the flood is over: everything is received again",
        LOG_NUMBER("datagrams_a_second", total));
    return false;
}
