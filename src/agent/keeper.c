/*
 * The order of things is what counts: an incarnation is on the disk before it is on the wire, so
 * whatever is killed whenever, the next run begins with one that nobody has heard of. To write
 * rarely, several are reserved at a time; what a crash skips is not missed.
 */
#define _GNU_SOURCE
#include "agent/keeper.h"

#include "agent/clock.h"
#include "agent/live_count.h"
#include "agent/log.h"
#include "agent/state_file.h"
#include "agent/timer.h"

#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RESERVE_MIN = 16,     /* incarnations at a time; twice as many whenever they last no second, */
    RESERVE_MAX = 4096,   /* up to this */
    KEEP_LOST = 64,       /* lost members remembered beside few live ones */
    BATCH_MS = 1000,      /* from a change to its write, and between two writes */
    RETRY_MAX_MS = 60000, /* after a failed one: doubled each time, up to this */
    WARN_MS = 60000,
    STARTS_PER_RUN = 1000, /* a run with its clock behind counts on from the last start: so many
                              changes of keys are told apart from the next run's */
    GRACE_MS = 2000, /* how long the configured peers have before the remembered ones are tried */
    ALONE_MS = 1000,
    ALONE_TRIES = 8, /* addresses at a time, while nobody else is known */
    COMPANY_MS = 5000,
    COMPANY_PASSES = 2, /* over the list, in company: others may have met without us */
};

struct keeper {
    struct state_file file;
    struct state state; /* what shall be on the disk */
    bool was_found;
    const struct swim *swim; /* NULL: not started */
    struct keeper_host host;
    struct event *batch;
    struct event *search;
    struct keeper_stats stats;
    struct log_limit failing;
    swim_time written; /* when the last write ended, well or not */
    uint32_t block;
    uint32_t grace_ms; /* before remembered members are tried */
    uint32_t retry_ms; /* 0: the last write went well */
    uint32_t cursor;   /* of the search */
    uint32_t passes;
    uint32_t tried_count;
    struct swim_addr tried[ALONE_TRIES];        /* seeds, until the next try */
    struct swim_addr before[STATE_MEMBERS_MAX]; /* scratch, for list_members */
    size_t saved_size;
    char saved[STATE_TEXT_MAX]; /* what is on the disk */
    char text[STATE_TEXT_MAX];
};

/* ---- Writing ----------------------------------------------------------------------------- */

static uint64_t now_since_1970_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void arm(struct event *event, uint64_t wait_ms)
{
    struct timeval wait = timer_wait_ms(wait_ms);

    (void)evtimer_add(event, &wait);
}

static void note_failure(struct keeper *keeper, enum atomic_file_step step, int cause)
{
    uint64_t held_back;

    keeper->stats.failures++;
    keeper->retry_ms = keeper->retry_ms == 0                 ? BATCH_MS
                       : keeper->retry_ms * 2 < RETRY_MAX_MS ? keeper->retry_ms * 2
                                                             : RETRY_MAX_MS;
    if (log_limit_allows(&keeper->failing, clock_now_ns(), WARN_MS, &held_back))
        LOG(LOG_WARN,
            "the state is not saved, and tried again; until then a restart may repeat an "
            "incarnation and forget members",
            LOG_TEXT("file", keeper->file.path), LOG_TEXT("step", atomic_file_step_text(step)),
            LOG_TEXT("cause", strerror(cause)), LOG_NUMBER("held_back", held_back));
}

/* The state as it is now is on the disk, unless it is there already. */
static bool save(struct keeper *keeper)
{
    swim_time began = clock_now_ns();
    enum atomic_file_step step;
    size_t size = state_render(&keeper->state, keeper->text, sizeof keeper->text);
    bool ok;

    if (size == keeper->saved_size && memcmp(keeper->text, keeper->saved, size) == 0)
        return true;
    ok = state_file_write(&keeper->file, keeper->text, size, &step);
    int cause = errno;
    keeper->written = clock_now_ns();
    keeper->stats.write_ns += keeper->written - began;
    if (!ok) {
        keeper->saved_size = 0; /* whatever is there now */
        note_failure(keeper, step, cause);
        return false;
    }
    if (keeper->retry_ms != 0)
        LOG(LOG_INFO, "the state is saved again", LOG_TEXT("file", keeper->file.path));
    keeper->retry_ms = 0;
    keeper->stats.writes++;
    keeper->saved_size = size;
    memcpy(keeper->saved, keeper->text, size);
    return true;
}

/* Soon, but not before a second has passed since the last time. */
static void save_soon(struct keeper *keeper)
{
    swim_time now = clock_now_ns();
    swim_time due = keeper->written + keeper->retry_ms * SWIM_MS;
    uint64_t wait_ms = due > now ? (due - now) / SWIM_MS + 1 : 0;

    if (!evtimer_pending(keeper->batch, NULL))
        arm(keeper->batch, wait_ms > BATCH_MS ? wait_ms : BATCH_MS);
}

/* ---- Incarnations ------------------------------------------------------------------------ */

static struct swim_member self_of(const struct keeper *keeper)
{
    struct swim_member self = {0};

    (void)swim_member_at(keeper->swim, 0, &self);
    return self;
}

/* Two are always left: the clock alone may take one while a datagram is being written. */
static bool is_reserved(const struct keeper *keeper, const struct swim_member *self)
{
    return self->id == keeper->state.id &&
           (uint64_t)self->incarnation + 2 <= keeper->state.incarnation;
}

/* More at a time while they don't last a second, fewer again when they do. */
static void size_block(struct keeper *keeper, bool is_often)
{
    uint32_t size = is_often ? keeper->block * 2 : keeper->block / 2;

    size = size > RESERVE_MIN ? size : RESERVE_MIN;
    keeper->block = size < RESERVE_MAX ? size : RESERVE_MAX;
}

static void reserve(struct keeper *keeper, const struct swim_member *self)
{
    uint64_t next = (uint64_t)self->incarnation + keeper->block;

    keeper->state.id = self->id;
    keeper->state.incarnation = next < UINT32_MAX ? (uint32_t)next : UINT32_MAX;
    keeper->state.start =
        now_since_1970_ms() > keeper->state.start ? now_since_1970_ms() : keeper->state.start + 1;
}

/* The largest block lasts for 4,096 doubts, and yet not for a second: somebody leads this member on
 * by leaps (a liar with the cluster's key, or in a cluster without). He shall not have two fsyncs for
 * a datagram, so the disk follows within a second, as if it had failed for so long. */
void keeper_reserve(struct keeper *keeper)
{
    struct swim_member self;
    bool is_often;
    bool is_led_on;

    if (keeper == NULL)
        return;
    self = self_of(keeper);
    if (is_reserved(keeper, &self) || self.incarnation >= UINT32_MAX - 2)
        return;
    is_often = keeper->written != 0 && clock_now_ns() - keeper->written < BATCH_MS * SWIM_MS;
    is_led_on = is_often && keeper->block == RESERVE_MAX;
    size_block(keeper, is_often);
    reserve(keeper, &self);
    if (is_led_on || !save(keeper))
        save_soon(keeper);
}

/* ---- Members ----------------------------------------------------------------------------- */

static bool is_live_at(const struct keeper *keeper, const struct swim_addr *addr)
{
    struct swim_member member;

    return swim_member_find_addr(keeper->swim, addr, &member);
}

/* The live ones, then, while those are few, the ones that were lost. Who is alone keeps them all. */
static void list_members(struct keeper *keeper)
{
    struct swim_addr *before = keeper->before;
    struct state *state = &keeper->state;
    uint32_t before_count = state->member_count;
    uint32_t slots = swim_member_slots(keeper->swim);
    uint32_t max = live_count(keeper->swim) > 1 ? KEEP_LOST : STATE_MEMBERS_MAX;
    struct swim_member member;

    memcpy(before, state->members, before_count * sizeof before[0]);
    state->member_count = 0;
    for (uint32_t i = 1; i < slots && state->member_count < STATE_MEMBERS_MAX; i++)
        if (swim_member_at(keeper->swim, i, &member) && member.status <= SWIM_SUSPECT)
            state->members[state->member_count++] = member.addr;
    for (uint32_t i = 0; i < before_count && state->member_count < max; i++)
        if (!is_live_at(keeper, &before[i]))
            state->members[state->member_count++] = before[i];
}

/* Who has left will not be there. */
static void drop(struct keeper *keeper, const struct swim_addr *addr)
{
    struct state *state = &keeper->state;

    for (uint32_t i = 0; i < state->member_count; i++) {
        if (!is_address_equal(&state->members[i], addr))
            continue;
        memmove(&state->members[i], &state->members[i + 1],
                (state->member_count - i - 1) * sizeof state->members[0]);
        state->member_count--;
        return;
    }
}

void keeper_note(struct keeper *keeper, const struct swim_event *event)
{
    const struct swim_member *member = &event->member;

    if (keeper == NULL || member->is_self || event->kind == SWIM_EVENT_SUSPECTED ||
        event->kind == SWIM_EVENT_RECOVERED || event->kind == SWIM_EVENT_PONG)
        return;
    if (member->status == SWIM_LEFT)
        drop(keeper, &member->addr);
    save_soon(keeper);
    if (live_count(keeper->swim) == 1 && !evtimer_pending(keeper->search, NULL)) {
        keeper->passes = 0;
        arm(keeper->search, ALONE_MS);
    }
}

static void on_batch(evutil_socket_t fd, short what, void *context)
{
    struct keeper *keeper = context;

    (void)fd;
    (void)what;
    list_members(keeper);
    if (!save(keeper))
        save_soon(keeper);
}

/* ---- Remembered members, tried ------------------------------------------------------------- */

static void end_try(struct keeper *keeper)
{
    for (uint32_t i = 0; i < keeper->tried_count; i++)
        keeper->host.unjoin(keeper->host.context, &keeper->tried[i]);
    keeper->tried_count = 0;
}

/* The next few of the list where nobody is held; false: there are none. */
static bool begin_try(struct keeper *keeper, uint32_t count)
{
    const struct state *state = &keeper->state;

    for (uint32_t i = 0; i < state->member_count && keeper->tried_count < count; i++) {
        if (keeper->cursor >= state->member_count) {
            keeper->cursor = 0;
            keeper->passes++;
        }
        const struct swim_addr *addr = &state->members[keeper->cursor++];
        if (!is_live_at(keeper, addr) && keeper->host.join(keeper->host.context, addr))
            keeper->tried[keeper->tried_count++] = *addr;
    }
    return keeper->tried_count > 0;
}

/* While nobody is known, again and again; in company until the list was gone through, for those that
 * have met each other, and not us. */
static void on_search(evutil_socket_t fd, short what, void *context)
{
    struct keeper *keeper = context;
    bool is_alone = live_count(keeper->swim) == 1;

    (void)fd;
    (void)what;
    end_try(keeper);
    if (is_alone)
        keeper->passes = 0;
    if (keeper->passes >= COMPANY_PASSES)
        return;
    if (begin_try(keeper, is_alone ? ALONE_TRIES : 1))
        arm(keeper->search, is_alone ? ALONE_MS : COMPANY_MS);
    keeper->host.settle(keeper->host.context);
}

/* ---- Life -------------------------------------------------------------------------------- */

/* The last incarnations are as good as none: such an id is not worth keeping. */
static bool is_used_up(const struct state *state)
{
    return state->incarnation >= UINT32_MAX - RESERVE_MAX;
}

enum exit_code keeper_open(struct keeper **ret, const struct agent_config *config,
                           struct config_error *ret_error)
{
    struct keeper *keeper;
    enum exit_code code;

    if (config->state_dir[0] == '\0')
        return EXIT_CODE_OK;
    keeper = calloc(1, sizeof *keeper);
    if (keeper == NULL) {
        (void)snprintf(ret_error->text, sizeof ret_error->text, "no memory for the state");
        return EXIT_CODE_FAILURE;
    }
    code = state_file_open(&keeper->file, config->state_dir, ret_error);
    if (code != EXIT_CODE_OK) {
        free(keeper);
        return code;
    }
    switch (state_file_load(&keeper->file, config->cluster, &keeper->state, ret_error)) {
    case STATE_FOUND:
        keeper->was_found = !is_used_up(&keeper->state);
        keeper->state.start += STARTS_PER_RUN;
        break;
    case STATE_SET_ASIDE:
        keeper->state = (struct state){0};
        log_message(LOG_WARN, "%s", ret_error->text);
        break;
    case STATE_NONE: break;
    case STATE_UNREADABLE:
        state_file_close(&keeper->file);
        free(keeper);
        return EXIT_CODE_CONFIG;
    }
    keeper->grace_ms = config->peer_count > 0 ? GRACE_MS : 0;
    memcpy(keeper->state.cluster, config->cluster, sizeof keeper->state.cluster);
    *ret = keeper;
    return EXIT_CODE_OK;
}

void keeper_identify(struct keeper *keeper, struct swim_config *config)
{
    if (keeper == NULL || !keeper->was_found)
        return;
    config->id = keeper->state.id;
    config->incarnation = keeper->state.incarnation;
}

uint64_t keeper_last_start(const struct keeper *keeper)
{
    return keeper == NULL ? 0 : keeper->state.start;
}

bool keeper_begin(struct keeper *keeper, struct event_base *base, const struct swim *swim,
                  const struct keeper_host *host)
{
    struct swim_member self;

    if (keeper == NULL)
        return true;
    keeper->swim = swim;
    keeper->host = *host;
    keeper->batch = evtimer_new(base, on_batch, keeper);
    keeper->search = evtimer_new(base, on_search, keeper);
    if (keeper->batch == NULL || keeper->search == NULL)
        return false;
    self = self_of(keeper);
    LOG(LOG_INFO, keeper->was_found ? "this node is who it was" : "this node is a new one",
        LOG_TEXT("state", keeper->file.path), LOG_NUMBER("incarnation", self.incarnation),
        LOG_NUMBER("remembered", keeper->state.member_count));
    size_block(keeper, false);
    reserve(keeper, &self);
    if (!save(keeper))
        save_soon(keeper);
    if (keeper->state.member_count > 0)
        arm(keeper->search, keeper->grace_ms);
    return true;
}

struct keeper_stats keeper_stats(const struct keeper *keeper)
{
    return keeper == NULL ? (struct keeper_stats){0} : keeper->stats;
}

/* In an orderly end nothing is skipped: the next run has the very next incarnation. */
static void save_last(struct keeper *keeper)
{
    struct swim_member self = self_of(keeper);

    list_members(keeper);
    keeper->state.id = self.id;
    if (self.incarnation < UINT32_MAX)
        keeper->state.incarnation = self.incarnation + 1;
    (void)save(keeper);
}

void keeper_close(struct keeper *keeper)
{
    if (keeper == NULL)
        return;
    if (keeper->swim != NULL)
        save_last(keeper);
    timer_free(keeper->batch);
    timer_free(keeper->search);
    state_file_close(&keeper->file);
    free(keeper);
}
