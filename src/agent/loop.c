/*
 * What wakes the loop, and what each turn does: datagrams, the core's deadline, a socket that takes
 * datagrams again, the shield's clock. HTTP, name look-ups, signals and the metrics line are others'.
 */
#include "agent/loop.h"

#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/live_count.h"
#include "agent/timer.h"

/* Datagrams taken in one turn, and before a deadline is acted on late: an answer that waits in the
 * socket must be seen before its time-out fires. The second is a full receive buffer's worth. */
#define DRAIN_TURN 1024
#define DRAIN_DEADLINE 8192
#define DRAIN_PORTION 64
/* So late is a deadline only when the process stood still, or had much to do. */
#define LATE_NS (20 * SWIM_MS)
/* When the socket is writable and the interface's queue is full. */
#define RESEND_MS 10
#define SECOND_NS UINT64_C(1000000000)

/* ---- A turn ------------------------------------------------------------------------------ */

static void arm_shield(struct agent *agent)
{
    struct timeval wait = timer_wait_ms(SHIELD_TICK_MS);

    udp_set_filtered(agent->udp, agent->shield.stats.is_up);
    if (agent->shield.stats.is_up)
        (void)evtimer_add(agent->loop.shielded, &wait);
}

static void take_datagram(void *context, const struct swim_addr *from, const void *data,
                          size_t size)
{
    struct agent *agent = context;
    struct swim_member member;
    swim_time now = clock_now_ns();
    bool is_member = swim_member_find_addr(agent->swim, from, &member);

    if (!is_member && shield_note_stranger(&agent->shield, now))
        arm_shield(agent);
    if (limiter_allows(&agent->limiter, is_member ? from : NULL, now))
        guard_receive(agent->guard, now, from, data, size);
}

static size_t give_datagram(void *context, struct swim_addr *ret_to, void *buf, size_t cap)
{
    struct agent *agent = context;

    return guard_transmit(agent->guard, clock_now_ns(), ret_to, buf, cap);
}

static void send_all(struct agent *agent)
{
    struct timeval wait = timer_wait_ms(RESEND_MS);

    if (agent->loop.is_send_blocked)
        return;
    keeper_reserve(agent->keeper); /* what goes out must not be used again by the next run */
    switch (udp_flush(agent->udp, give_datagram, agent)) {
    case UDP_FLUSHED: return;
    case UDP_WAIT_WRITABLE:
        agent->loop.is_send_blocked = event_add(agent->loop.writable, NULL) == 0;
        return;
    case UDP_WAIT_A_WHILE:
        agent->loop.is_send_blocked = evtimer_add(agent->loop.resend, &wait) == 0;
        return;
    }
}

static struct timeval wait_until(const struct loop *loop, swim_time deadline, swim_time now)
{
    uint64_t wait_ns = deadline > now ? deadline - now : 0;

    /* What is due to be sent stays due while the socket is blocked: no reason to spin. */
    if (loop->is_send_blocked && wait_ns < RESEND_MS * SWIM_MS)
        wait_ns = RESEND_MS * SWIM_MS;
    return (struct timeval){
        .tv_sec = (time_t)(wait_ns / SECOND_NS),
        .tv_usec = (suseconds_t)((wait_ns % SECOND_NS + 999) / 1000)}; /* never too early */
}

static void arm_timer(struct agent *agent)
{
    swim_time deadline = swim_deadline(agent->swim);
    struct timeval wait;

    if (deadline == agent->loop.armed)
        return;
    agent->loop.armed = deadline;
    if (deadline == SWIM_NEVER) {
        (void)evtimer_del(agent->loop.timer);
        return;
    }
    /* Else it counts from the beginning of the turn: too early by what that took. */
    (void)event_base_update_cache_time(agent->base);
    wait = wait_until(&agent->loop, deadline, clock_now_ns());
    (void)evtimer_add(agent->loop.timer, &wait);
}

void loop_tell(struct agent *agent, const struct swim_event *event)
{
    report_event(agent, event);
    keeper_note(agent->keeper, event);
    events_note(agent->events, event);
    limiter_fit(&agent->limiter, live_count(agent->swim));
    if (event->kind == SWIM_EVENT_PONG)
        control_ping_answer(&agent->pings, event);
}

void loop_settle(struct agent *agent)
{
    struct swim_event event;

    send_all(agent);
    while (swim_next_event(agent->swim, &event))
        loop_tell(agent, &event);
    events_push(agent->events);
    handler_push(agent->handler);
    arm_timer(agent);
    service_settle(&agent->service);
    /* Once joined, for good: a lone survivor is isolated, not unready. */
    if (!agent->source.is_ready)
        agent->source.is_ready = is_joined(agent);
    if (agent->leaving.has_begun) {
        agent->source.is_ready = false;
        if (swim_has_left(agent->swim))
            (void)event_base_loopbreak(agent->base);
    }
}

/* ---- What wakes it ----------------------------------------------------------------------- */

/* Takes what has arrived, up to `limit`, and answers portion by portion: the core's outbox holds
 * the answers to a portion with room to spare, not those to a full receive buffer. */
static void take_all(struct agent *agent, size_t limit)
{
    size_t taken = 0;
    size_t got;

    do {
        got = udp_drain(agent->udp, DRAIN_PORTION, take_datagram, agent);
        taken += got;
        send_all(agent);
    } while (got >= DRAIN_PORTION && taken < limit);
    agent->loop.has_more = got >= DRAIN_PORTION;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    take_all(agent, DRAIN_TURN);
    loop_settle(agent);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;
    swim_time deadline = agent->loop.armed;

    (void)fd;
    (void)what;
    agent->loop.armed = SWIM_NEVER;
    /* In time, the loop has just found the socket empty, or emptied it: asking again is for nothing. */
    if (agent->loop.has_more || clock_now_ns() > deadline + LATE_NS)
        take_all(agent, DRAIN_DEADLINE);
    swim_advance(agent->swim, clock_now_ns());
    loop_settle(agent);
}

static void on_sendable(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    agent->loop.is_send_blocked = false;
    loop_settle(agent);
}

static void on_shielded(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    (void)shield_tick(&agent->shield, clock_now_ns());
    arm_shield(agent);
}

/* ---- Start and end ----------------------------------------------------------------------- */

/* By poll(2), with a precise clock. Where it uses epoll, libevent either keeps time by a clock that is
 * up to a tick behind, is late, and often wakes twice for a deadline; or it sets a timerfd before each
 * wait: a system call more in every turn. A member has a handful of descriptors, HTTP's are bounded. */
struct event_base *loop_new_base(void)
{
    struct event_config *config = event_config_new();
    struct event_base *base = NULL;

    if (config == NULL)
        return NULL;
    if (event_config_avoid_method(config, "epoll") == 0 &&
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0)
        base = event_base_new_with_config(config);
    event_config_free(config);
    return base;
}

bool loop_open(struct agent *agent)
{
    struct loop *loop = &agent->loop;
    int fd = udp_fd(agent->udp);

    loop->armed = SWIM_NEVER;
    loop->readable = event_new(agent->base, fd, EV_READ | EV_PERSIST, on_readable, agent);
    loop->writable = event_new(agent->base, fd, EV_WRITE, on_sendable, agent);
    loop->timer = evtimer_new(agent->base, on_deadline, agent);
    loop->resend = evtimer_new(agent->base, on_sendable, agent);
    loop->shielded = evtimer_new(agent->base, on_shielded, agent);
    return loop->readable != NULL && loop->writable != NULL && loop->timer != NULL &&
           loop->resend != NULL && loop->shielded != NULL && event_add(loop->readable, NULL) == 0;
}

void loop_close(struct loop *loop)
{
    timer_free(loop->readable);
    timer_free(loop->writable);
    timer_free(loop->timer);
    timer_free(loop->resend);
    timer_free(loop->shielded);
}
