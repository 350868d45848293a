/*
 * How the daemon ends: told by a signal or by the control socket, it leaves the cluster, and the loop
 * ends when the core is done with it. SIGHUP comes in here with the other signals.
 */
#include "agent/leaving.h"

#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/memory.h"
#include "agent/timer.h"

#include <signal.h>

/* Beyond what the core promises for its leave; reached only if a bug broke the promise. */
#define LEAVE_GRACE_MS 1000

static void on_give_up(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    log_message(LOG_WARN, "leaving took too long: exiting without the last acknowledgements");
    (void)event_base_loopbreak(agent->base);
}

static void leave(struct agent *agent, const char *key, const char *reason)
{
    const struct swim_config *config = &agent->config.swim;
    uint64_t bound_ms =
        (uint64_t)config->reliable_ack_timeout_ms * (config->reliable_max_retries + 1);
    struct timeval wait = timer_wait_ms(bound_ms + LEAVE_GRACE_MS);

    if (agent->leaving.has_begun) {
        LOG(LOG_WARN, "exiting at once, without having left", LOG_TEXT(key, reason));
        agent->leaving.exit_code = EXIT_CODE_FAILURE;
        (void)event_base_loopbreak(agent->base);
        return;
    }
    LOG(LOG_INFO, "leaving the cluster", LOG_TEXT(key, reason));
    agent->leaving.has_begun = true;
    service_stop(&agent->service, bound_ms + LEAVE_GRACE_MS);
    swim_leave(agent->swim, clock_now_ns());
    (void)evtimer_add(agent->leaving.give_up, &wait);
}

static void on_asked(evutil_socket_t fd, short what, void *context)
{
    struct agent *agent = context;

    (void)fd;
    (void)what;
    if (!agent->leaving.has_begun)
        leave(agent, "by", "the control socket");
    loop_settle(agent);
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct agent *agent = context;

    (void)what;
    if (number == SIGHUP) {
        service_reload_begin(&agent->service);
        reload(agent);
        memory_trim();
        service_reload_end(&agent->service);
    } else {
        leave(agent, "signal", number == SIGINT ? "SIGINT" : "SIGTERM");
    }
    loop_settle(agent);
}

void leaving_ask(struct agent *agent)
{
    struct timeval at_once = {0};

    (void)evtimer_add(agent->leaving.asked, &at_once);
}

bool leaving_open(struct agent *agent)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct leaving *leaving = &agent->leaving;
    bool ok;

    leaving->asked = evtimer_new(agent->base, on_asked, agent);
    leaving->give_up = evtimer_new(agent->base, on_give_up, agent);
    ok = leaving->asked != NULL && leaving->give_up != NULL;
    for (size_t i = 0; ok && i < sizeof numbers / sizeof numbers[0]; i++) {
        leaving->signals[i] = evsignal_new(agent->base, numbers[i], on_signal, agent);
        ok = leaving->signals[i] != NULL && event_add(leaving->signals[i], NULL) == 0;
    }
    return ok;
}

void leaving_close(struct leaving *leaving)
{
    timer_free(leaving->asked);
    timer_free(leaving->give_up);
    for (size_t i = 0; i < sizeof leaving->signals / sizeof leaving->signals[0]; i++)
        timer_free(leaving->signals[i]);
}
