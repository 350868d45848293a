/* What the daemon says of itself and of its members: one line an event, in the log's format. */
#include "agent/address.h"
#include "agent/agent.h"
#include "agent/clock.h"
#include "agent/log.h"
#include "agent/timer.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>

#define ID_TEXT_MAX 24

struct phrase {
    enum swim_event_kind kind;
    enum log_level level;
    const char *text;
};

static const struct phrase phrases[] = {
    {SWIM_EVENT_JOINED, LOG_INFO, "member joined"},
    {SWIM_EVENT_SUSPECTED, LOG_WARN, "member suspected"},
    {SWIM_EVENT_RECOVERED, LOG_INFO, "member recovered"},
    {SWIM_EVENT_FAILED, LOG_WARN, "member failed"},
    {SWIM_EVENT_LEFT, LOG_INFO, "member left"},
    {SWIM_EVENT_UPDATED, LOG_INFO, "member updated"},
    {SWIM_EVENT_FORGOTTEN, LOG_DEBUG, "member forgotten"},
    {SWIM_EVENT_REFUTED, LOG_INFO, "refuted a claim about this member"},
    {SWIM_EVENT_ID_CHANGED, LOG_WARN, "this member's incarnations were used up: it has a new id"},
    {SWIM_EVENT_TABLE_FULL, LOG_WARN,
     "the member table is full: newcomers are refused; raise [gossip] members_max"},
    {SWIM_EVENT_PAUSED, LOG_WARN, "this process was paused: all timers start again"},
    {SWIM_EVENT_LEAVE_DONE, LOG_INFO, "left the cluster"},
    {SWIM_EVENT_RESTARTED, LOG_INFO, "member restarted"},
    {SWIM_EVENT_PONG, LOG_DEBUG, "member pinged"},
    {SWIM_EVENT_RETAGGED, LOG_INFO, "member changed its name or tags"},
    {SWIM_EVENT_NAME_CONFLICT, LOG_WARN,
     "two live members have the same name; give one another, with --name"},
};

/* Whoever changes his tags in a loop shall not fill everybody's disk. */
enum { RETAGGED_MAX = 100, RETAGGED_MS = 10000, NAME_CONFLICT_MS = 1000 };
enum { REFUTATIONS_MANY = 3, REFUTATIONS_WITHIN_MS = 60000 };

/* So many lines in so long, which is everybody once in a cluster of that size. */
static bool may_report_retagged(struct agent *agent)
{
    uint64_t now = clock_now_ns();

    if (now - agent->retagged_since >= RETAGGED_MS * SWIM_MS) {
        if (agent->retagged > RETAGGED_MAX)
            LOG(LOG_INFO, "members retagged, not logged one by one",
                LOG_NUMBER("held_back", agent->retagged - RETAGGED_MAX));
        agent->retagged_since = now;
        agent->retagged = 0;
    }
    return ++agent->retagged <= RETAGGED_MAX;
}

static void report_member(const struct swim_event *event, const struct phrase *phrase,
                          const struct swim_meta *meta)
{
    const struct swim_member *member = &event->member;
    char id[ID_TEXT_MAX];

    (void)snprintf(id, sizeof id, "%" PRIu64, member->id);
    if (meta == NULL)
        LOG(phrase->level, phrase->text, LOG_TEXT("id", id),
            LOG_TEXT("addr", address_text(&member->addr).text),
            LOG_TEXT("status", swim_status_name(member->status)),
            LOG_NUMBER("incarnation", member->incarnation));
    else
        LOG(phrase->level, phrase->text, LOG_TEXT("id", id),
            LOG_TEXT("addr", address_text(&member->addr).text),
            LOG_TEXT("status", swim_status_name(member->status)),
            LOG_NUMBER("incarnation", member->incarnation), LOG_TEXT("name", meta->name),
            LOG_NUMBER("tags", swim_meta_count(meta)));
}

static void report_conflict(struct agent *agent, const struct swim_event *event,
                            const struct phrase *phrase, const char *name)
{
    char id[ID_TEXT_MAX], other[ID_TEXT_MAX];
    uint64_t held_back;

    if (!log_limit_allows(&agent->name_conflicts, clock_now_ns(), NAME_CONFLICT_MS, &held_back))
        return;
    (void)snprintf(id, sizeof id, "%" PRIu64, event->member.id);
    (void)snprintf(other, sizeof other, "%" PRIu64, event->other);
    LOG(phrase->level, phrase->text, LOG_TEXT("name", name), LOG_TEXT("id", id),
        LOG_TEXT("addr", address_text(&event->member.addr).text), LOG_TEXT("other", other),
        LOG_NUMBER("held_back", held_back));
}

/* Doubted again and again: most likely its datagrams go out, and none can come in. */
static void note_refutation(struct agent *agent)
{
    swim_time now = clock_now_ns();

    if (now - agent->refutations_since > REFUTATIONS_WITHIN_MS * SWIM_MS) {
        agent->refutations_since = now;
        agent->refutations = 0;
    }
    if (++agent->refutations == REFUTATIONS_MANY)
        LOG(LOG_WARN,
            "others lose this member again and again: can all of them send to its address? "
            "(--advertise, firewalls, IPv4 and IPv6)",
            LOG_TEXT("addr", address_text(&agent->addr).text));
}

void report_event(struct agent *agent, const struct swim_event *event)
{
    const struct phrase *phrase = NULL;
    struct swim_meta meta = {0};
    bool has_meta = swim_member_meta(agent->swim, event->member.id, &meta);

    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++)
        if (phrases[i].kind == event->kind)
            phrase = &phrases[i];
    ASSERT(phrase != NULL);
    if (event->kind == SWIM_EVENT_PAUSED)
        LOG(phrase->level, phrase->text, LOG_NUMBER("paused_ms", event->paused_for / SWIM_MS));
    else if (event->kind == SWIM_EVENT_NAME_CONFLICT)
        report_conflict(agent, event, phrase, meta.name);
    else if (event->kind != SWIM_EVENT_RETAGGED || may_report_retagged(agent))
        report_member(event, phrase, has_meta ? &meta : NULL);
    if (event->kind == SWIM_EVENT_REFUTED)
        note_refutation(agent);
}

void report_start(const struct agent *agent, const struct swim_addr *bound, const char *source)
{
    const struct agent_config *config = &agent->config;
    struct swim_member self;
    uint64_t granted = udp_stats(agent->udp).receive_buffer_bytes;

    if (!swim_member_at(agent->swim, 0, &self))
        return;
    log_message(LOG_INFO, "swimd %d.%d.%d id=%" PRIu64 " listening on %s", SWIM_VERSION_MAJOR,
                SWIM_VERSION_MINOR, SWIM_VERSION_PATCH, self.id, address_text(bound).text);
    if (agent->options.has_cluster_key)
        LOG(LOG_WARN,
            "a key on the command line can be seen by every user of the machine; put it "
            "into a file",
            LOG_TEXT("flag", "--cluster-key-file"));
    if (!is_address_equal(bound, &agent->addr))
        LOG(LOG_INFO, "peers are told another address",
            LOG_TEXT("addr", address_text(&agent->addr).text), LOG_TEXT("from", source));
    if (agent->httpd != NULL) {
        struct swim_addr http = config->http_bind;
        http.port = (uint16_t)config->metrics_port;
        log_message(LOG_INFO, "HTTP on http://%s/", address_text(&http).text);
        if (!is_address_loopback(&http) && !agent->source.token.is_set)
            LOG(LOG_WARN,
                "HTTP answers whoever can reach this address; ask for a token, or listen on "
                "loopback",
                LOG_TEXT("setting", "metrics.http_token_file"));
    }
    if (agent->control_socket.path[0] != '\0')
        LOG(LOG_INFO, "control socket", LOG_TEXT("path", agent->control_socket.path));
    if (granted < UDP_BUFFER_WANTED / 2)
        LOG(LOG_WARN,
            "small receive buffer: bursts may be lost; raise the sysctl net.core.rmem_max",
            LOG_NUMBER("bytes", granted), LOG_NUMBER("wanted", UDP_BUFFER_WANTED));
}

static const char *text_or(const char *text, const char *other)
{
    return *text != '\0' ? text : other;
}

static void report_sealed(const struct guard *guard)
{
    const struct keyset *keys = guard_keys(guard);
    enum plaintext_mode plaintext = guard_plaintext(guard);
    bool is_sealing = plaintext != PLAINTEXT_SEND;

    LOG(is_sealing ? LOG_INFO : LOG_WARN,
        is_sealing ? "datagrams are sealed"
                   : "datagrams are still sent in plaintext, though there is a key",
        LOG_NUMBER("envelope", guard_envelope(guard)),
        LOG_TEXT("key", key_id_text(swim_key_id(keys->key[0])).text),
        LOG_NUMBER("keys", keys->count), LOG_TEXT("plaintext", plaintext_mode_name(plaintext)),
        LOG_TEXT("cluster", text_or(guard_cluster(guard), "(no name)")));
}

void report_protection(const struct agent *agent)
{
    if (guard_keys(agent->guard) != NULL)
        report_sealed(agent->guard);
    else if (!is_address_loopback(&agent->addr))
        LOG(LOG_WARN,
            "datagrams are in plaintext: whoever can send one here can speak for any member; "
            "give a key",
            LOG_TEXT("flag", "--cluster-key-file"));
}

static void on_due(evutil_socket_t fd, short what, void *context)
{
    const struct agent *agent = context;
    struct swim_stats stats;

    (void)fd;
    (void)what;
    swim_stats(agent->swim, &stats);
    LOG(LOG_INFO, "metrics", LOG_NUMBER("alive", stats.members[SWIM_ALIVE]),
        LOG_NUMBER("suspect", stats.members[SWIM_SUSPECT]),
        LOG_NUMBER("dead", stats.members[SWIM_DEAD]), LOG_NUMBER("left", stats.members[SWIM_LEFT]),
        LOG_NUMBER("datagrams_sent", stats.datagrams_sent),
        LOG_NUMBER("datagrams_recv", stats.datagrams_recv),
        LOG_NUMBER("bytes_sent", stats.bytes_sent), LOG_NUMBER("bytes_recv", stats.bytes_recv),
        LOG_NUMBER("pings_sent", stats.pings_sent), LOG_NUMBER("acks_recv", stats.acks_recv),
        LOG_NUMBER("probe_failures", stats.probe_failures),
        LOG_NUMBER("gossip_sent", stats.gossip_sent), LOG_NUMBER("gossip_recv", stats.gossip_recv),
        LOG_NUMBER("rate_limited", agent->limiter.limited));
}

bool report_open(struct agent *agent)
{
    agent->report = event_new(agent->base, -1, EV_PERSIST, on_due, agent);
    return agent->report != NULL;
}

void report_close(struct agent *agent)
{
    timer_free(agent->report);
}

void report_arm(struct agent *agent)
{
    struct timeval wait = timer_wait_ms(agent->config.log_interval_ms);

    (void)event_del(agent->report);
    if (agent->config.log_interval_ms != 0)
        (void)event_add(agent->report, &wait);
}
