/* See harness.h. */
#include "harness.h"

#include "core/clock.h"
#include "core/member.h"
#include "core/meta_value.h"
#include "core/proof.h"
#include "core/stranger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void harness_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    abort();
}

/* ---- Members ---- */

struct swim_addr addr4(uint32_t number)
{
    struct swim_addr addr = {.family = 4, .port = 7000};

    addr.ip[0] = 10;
    addr.ip[1] = (uint8_t)(number >> 16);
    addr.ip[2] = (uint8_t)(number >> 8);
    addr.ip[3] = (uint8_t)number;
    return addr;
}

uint32_t addr4_number(const struct swim_addr *addr)
{
    return addr->ip[1] * 65536u + addr->ip[2] * 256u + addr->ip[3];
}

struct swim_addr addr6(uint32_t number)
{
    struct swim_addr addr = {.family = 6, .port = 7000};

    addr.ip[0] = 0xFD;
    addr.ip[13] = (uint8_t)(number >> 16);
    addr.ip[14] = (uint8_t)(number >> 8);
    addr.ip[15] = (uint8_t)number;
    return addr;
}

struct swim_config config_of(uint32_t number)
{
    struct swim_config config;

    swim_config_default(&config);
    config.id = number;
    config.seed = number;
    config.addr = addr4(number);
    config.members_max = 1024;
    /* Enough for all that tests tell of names. Members are begun by the thousand, and a sanitizer marks
     * each byte of an arena. */
    config.meta_memory = 256 * 1024;
    return config;
}

struct swim_config quiet_config_of(uint32_t number)
{
    struct swim_config config = config_of(number);

    config.probe_interval_ms = 3600000;
    config.anti_entropy_interval_ms = 0;
    return config;
}

struct swim *member_begin(const struct swim_config *config, swim_time now)
{
    size_t size = swim_footprint(config);
    void *arena = calloc(1, size);

    DEMAND(arena);
    return swim_init(arena, size, config, now);
}

void member_end(struct swim *s)
{
    DEMAND(swim_check(s) == NULL);
    free(s);
}

/* ---- What a member hears ---- */

size_t message_write(const struct message *m, uint8_t *buf)
{
    struct wire_header header = {
        .kind = m->kind,
        .flags = m->request_ack ? WIRE_FLAG_REQUEST_ACK : 0,
        .capabilities = m->plain ? 0 : WIRE_CAPABLE,
        .sender_id = m->from,
        .heartbeat = m->heartbeat,
        .incarnation = m->incarnation,
    };
    struct wire_builder b;

    wire_begin(&b, buf, SWIM_DATAGRAM_MAX, &header);
    if (m->has_probe)
        DEMAND(wire_put_probe(&b, m->probe));
    if (m->has_on_behalf)
        DEMAND(wire_put_on_behalf(&b, m->on_behalf));
    if (m->challenge || m->echo)
        DEMAND(wire_put_token(&b, m->challenge, m->echo));
    if (m->cluster)
        DEMAND(wire_put_cluster(&b, m->cluster));
    if (m->suspicion_count)
        DEMAND(wire_put_suspicions(&b, m->suspicions, m->suspicion_count));
    if (m->meta_count) {
        uint8_t bytes[SWIM_DATAGRAM_MAX];
        struct writer value = writer_of(bytes, sizeof bytes);

        for (uint32_t i = 0; i < m->meta_count; i++)
            DEMAND(wire_write_meta(&value, &m->metas[i]));
        DEMAND(wire_put_record(&b, WIRE_EXT_META, bytes, (uint16_t)writer_size(&value)));
    }
    if (m->has_view)
        DEMAND(wire_put_view(&b, m->view_digest, m->view_count));
    if (m->kind == WIRE_PING_REQ)
        DEMAND(wire_put_target(&b, m->target, &m->target_addr));
    if (m->kind == WIRE_ANTI_ENTROPY)
        DEMAND(wire_put_chunk(&b, 1, m->chunk, m->chunks));
    for (uint32_t i = 0; i < m->entry_count; i++)
        DEMAND(wire_put_entry(&b, &m->entries[i]));
    return wire_finish(&b);
}

static enum swim_error hear_as_is(struct swim *s, swim_time now, const struct message *message,
                                  const struct swim_addr *from)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    size_t size = message_write(message, buf);

    return swim_receive(s, now, from, buf, size);
}

/* Heard as it is: from a proved address, no first word (a PING without anything) of a later life,
 * and not so late that what it says of others would be passed over. */
static bool has_proved(const struct swim *s, swim_time now, const struct message *m,
                       const struct swim_addr *from)
{
    uint32_t slot = member_find(s, m->from);
    const struct member *held = slot ? &members_of(s)[slot] : NULL;
    uint64_t ticks;

    if (!held || !is_proved(held) || !addr_equal(&held->record.addr, from))
        return false;
    if (m->plain)
        return true;
    if (m->incarnation != held->record.incarnation)
        return m->incarnation > held->record.incarnation && m->kind != WIRE_PING;
    ticks = (now - held->clock_at) / (s->config.heartbeat_interval_ms * SWIM_MS);
    return m->heartbeat + UINT64_C(10) >= held->clock_heartbeat + ticks;
}

uint64_t token_for(const struct swim *s, swim_time now, const struct swim_addr *addr, uint64_t id)
{
    struct swim *copy = malloc(sizeof *copy);
    uint64_t token;

    DEMAND(copy);
    *copy = *s;
    copy->now = now;
    token = proof_token(copy, addr, id);
    free(copy);
    return token;
}

enum swim_error hear_buckets(struct swim *s, swim_time now, uint32_t from, const uint8_t *value,
                             size_t size)
{
    struct wire_header header = {
        .kind = WIRE_SYNC, .capabilities = WIRE_CAPABLE, .sender_id = from, .heartbeat = 5};
    struct swim_addr at = addr4(from);
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    wire_begin(&b, buf, sizeof buf, &header);
    if (value)
        ASSERT(wire_put_record(&b, WIRE_EXT_BUCKETS, value, (uint16_t)size));
    return swim_receive(s, now, &at, buf, wire_finish(&b));
}

enum swim_error hear(struct swim *s, swim_time now, const struct message *message)
{
    struct swim_addr from = addr_fold(message->at.family ? &message->at : &(struct swim_addr){0});
    struct message m = *message;

    if (!from.family)
        from = addr4((uint32_t)message->from);
    if (m.unproved || m.from == 0 || has_proved(s, now, &m, &from))
        return hear_as_is(s, now, message, &from);
    if (!m.plain) {
        m.echo = token_for(s, now, &from, m.from);
        return hear_as_is(s, now, &m, &from);
    }
    stranger_expect(s, &from);
    if (m.kind != WIRE_ACK) {
        struct message ack = {.kind = WIRE_ACK,
                              .plain = true,
                              .from = m.from,
                              .incarnation = m.incarnation,
                              .heartbeat = m.heartbeat};
        (void)hear_as_is(s, now, &ack, &from);
    }
    return hear_as_is(s, now, message, &from);
}

void hear_entry(struct swim *s, swim_time now, uint64_t from, struct wire_entry entry)
{
    struct message gossip = {
        .kind = WIRE_GOSSIP, .from = from, .entries = &entry, .entry_count = 1};

    DEMAND(hear(s, now, &gossip) == SWIM_OK);
}

void hear_accusation(struct swim *s, swim_time now, uint64_t from, uint64_t target,
                     uint64_t accuser)
{
    struct wire_suspicion suspicion = {target, 0, accuser};
    struct message gossip = {
        .kind = WIRE_GOSSIP, .from = from, .suspicions = &suspicion, .suspicion_count = 1};

    DEMAND(hear(s, now, &gossip) == SWIM_OK);
}

struct wire_meta_part part_of(const struct said_meta *said, uint8_t number,
                              uint8_t content[WIRE_META_MAX])
{
    size_t size = meta_value_write(said->meta, content);

    return (struct wire_meta_part){
        .id = said->of,
        .key = {said->incarnation, said->version, meta_value_digest(content, size)},
        .size = (uint16_t)size,
        .number = number,
        .part_size = (uint16_t)wire_meta_part_size((uint32_t)size, number),
        .bytes = content + (size_t)number * WIRE_META_PART,
    };
}

void hear_meta(struct swim *s, swim_time now, uint64_t from, const struct said_meta *said)
{
    uint8_t content[WIRE_META_MAX];
    struct wire_meta_part part = part_of(said, 0, content);
    uint32_t parts = wire_meta_parts(part.size);

    for (uint8_t number = 0; number < parts; number++) {
        struct message gossip = {
            .kind = WIRE_GOSSIP, .from = from, .metas = &part, .meta_count = 1};

        part = part_of(said, number, content);
        DEMAND(hear(s, now, &gossip) == SWIM_OK);
    }
}

struct swim_meta meta_of(const char *name, const char *key, const char *value)
{
    struct swim_meta meta;

    DEMAND(swim_meta_init(&meta, name) == SWIM_META_OK);
    DEMAND(!key || swim_meta_set(&meta, key, value) == SWIM_META_OK);
    return meta;
}

struct wire_entry entry_of(uint32_t number)
{
    return (struct wire_entry){.id = number, .addr = addr4(number)};
}

void hear_members(struct swim *s, swim_time now, uint32_t first, uint32_t last)
{
    for (uint32_t number = first; number <= last; number++) {
        struct message gossip = {.kind = WIRE_GOSSIP, .from = number};

        DEMAND(hear(s, now, &gossip) == SWIM_OK);
    }
}

struct swim *member_among(const struct swim_config *config, uint32_t last, swim_time *ret_now)
{
    struct swim *s = member_begin(config, START);
    swim_time now = START + 600000 * SWIM_MS;

    DEMAND(config->probe_interval_ms == 3600000);
    hear_members(s, START, 2, last);
    settle(s, START, now);
    swim_advance(s, now);
    timer_start(s, TIMER_ROUND, 3600000 * SWIM_MS); /* began somewhere within that time */
    drain(s, now);
    drain_events(s);
    *ret_now = now;
    return s;
}

/* ---- What a member says ---- */

bool next_sent(struct swim *s, swim_time now, struct sent *ret)
{
    ret->size = swim_transmit(s, now, &ret->to, ret->bytes, sizeof ret->bytes);
    if (ret->size == 0)
        return false;
    DEMAND(wire_decode(ret->bytes, ret->size, &ret->dg) == SWIM_OK);
    return true;
}

bool next_sent_of(struct swim *s, swim_time now, uint8_t kind, struct sent *ret)
{
    while (next_sent(s, now, ret)) {
        if (ret->dg.header.kind == kind)
            return true;
    }
    return false;
}

uint32_t drain(struct swim *s, swim_time now)
{
    struct sent sent;
    uint32_t count = 0;

    while (next_sent(s, now, &sent))
        count++;
    return count;
}

bool sent_entry(const struct sent *sent, uint64_t id, struct wire_entry *ret)
{
    struct reader entries = sent->dg.entries;

    while (wire_next_entry(&entries, ret)) {
        if (ret->id == id)
            return true;
    }
    return false;
}

bool sent_meta(const struct sent *sent, uint64_t id, struct wire_meta_part *ret)
{
    struct reader metas = {0};

    if (sent->dg.metas)
        metas = reader_of(sent->dg.metas, sent->dg.metas_size);
    while (wire_next_meta(&metas, ret)) {
        if (ret->id == id)
            return true;
    }
    return false;
}

uint32_t drain_events(struct swim *s)
{
    struct swim_event event;
    uint32_t count = 0;

    while (swim_next_event(s, &event))
        count++;
    return count;
}

swim_time settle(struct swim *s, swim_time now, swim_time until)
{
    drain(s, now);
    while (stats_of(s).news_queued + stats_of(s).meta_queued > 0) {
        swim_time due = swim_deadline(s);

        if (due > until)
            break;
        now = due > now ? due : now;
        swim_advance(s, now);
        drain(s, now);
    }
    return now;
}

struct swim_stats stats_of(const struct swim *s)
{
    struct swim_stats stats;

    swim_stats(s, &stats);
    return stats;
}

int status_of(const struct swim *s, uint64_t id)
{
    struct swim_member member;

    return swim_member_find(s, id, &member) ? (int)member.status : -1;
}

/* ---- Several members ---- */

void net_begin(struct net *net, swim_time now)
{
    memset(net, 0, sizeof *net);
    net->now = now;
    net->capacity = 1 << 14;
    net->queue = malloc(net->capacity * sizeof *net->queue);
    DEMAND(net->queue);
}

uint32_t net_add(struct net *net, const struct swim_config *config)
{
    DEMAND(net->count < NET_MEMBERS_MAX);
    net->members[net->count] = member_begin(config, net->now);
    return net->count++;
}

static struct swim_addr net_addr(const struct net *net, uint32_t place)
{
    struct swim_member self;

    DEMAND(swim_member_at(net->members[place], 0, &self));
    return self.addr;
}

static void net_collect(struct net *net, uint32_t place)
{
    struct sent sent;

    while (next_sent(net->members[place], net->now, &sent)) {
        struct flying *flying = &net->queue[net->tail++ % net->capacity];

        DEMAND(net->tail - net->head <= net->capacity);
        flying->due = net->now + NET_DELAY;
        flying->from = net_addr(net, place);
        flying->to = sent.to;
        flying->size = sent.size;
        memcpy(flying->bytes, sent.bytes, sent.size);
        if (net->watch)
            net->watch(net->context, place, &sent);
    }
}

static void net_deliver(struct net *net, const struct flying *flying)
{
    for (uint32_t i = 0; i < net->count; i++) {
        struct swim_addr addr = net_addr(net, i);

        if (memcmp(addr.ip, flying->to.ip, 16) || addr.port != flying->to.port || net->cut[i])
            continue;
        (void)swim_receive(net->members[i], net->now, &flying->from, flying->bytes, flying->size);
        net_collect(net, i);
        return;
    }
}

/* The next moment at which something happens. */
static swim_time net_due(const struct net *net)
{
    swim_time due = net->head < net->tail ? net->queue[net->head % net->capacity].due : SWIM_NEVER;

    for (uint32_t i = 0; i < net->count; i++) {
        swim_time deadline = net->cut[i] ? SWIM_NEVER : swim_deadline(net->members[i]);

        due = deadline < due ? deadline : due;
    }
    return due;
}

void net_run(struct net *net, swim_time until)
{
    for (uint32_t i = 0; i < net->count; i++) {
        if (!net->cut[i])
            net_collect(net, i);
    }
    while (net_due(net) <= until) {
        swim_time due = net_due(net);

        net->now = due > net->now ? due : net->now;
        while (net->head < net->tail && net->queue[net->head % net->capacity].due <= net->now) {
            struct flying flying = net->queue[net->head++ % net->capacity];

            net_deliver(net, &flying);
        }
        for (uint32_t i = 0; i < net->count; i++) {
            if (net->cut[i] || swim_deadline(net->members[i]) > net->now)
                continue;
            swim_advance(net->members[i], net->now);
            net_collect(net, i);
        }
    }
    net->now = until;
}

void net_end(struct net *net)
{
    for (uint32_t i = 0; i < net->count; i++)
        member_end(net->members[i]);
    free(net->queue);
}
