/*
 * A plain version-1 peer, see plain_v1.h. docs/protocol.md sections 1, 2 and the remarks about
 * known implementations in section 4 and 5.
 */
#include "plain/plain_v1.h"

#include <stdlib.h>
#include <string.h>

#define MS SWIM_MS
#define PROBE_INTERVAL_MS 1000
#define PROBE_TIMEOUT_MS 500
#define GOSSIP_INTERVAL_MS 200
#define HEARTBEAT_INTERVAL_MS 500
#define SYNC_INTERVAL_MS 10000
#define DEAD_RETENTION_MS 15000
#define SUSPECT_TIMEOUT_MS 3000
#define SEED_TRIES_MS 12000
#define FANOUT 50
#define PIGGYBACK 6
#define INDIRECT_K 2
#define RATE_PER_SECOND 50
#define RATE_BURST 100
#define CHUNK_ENTRIES                                                                              \
    ((WIRE_SYNC_DATAGRAM_MAX - WIRE_HEADER_SIZE - WIRE_CHUNK_HEADER_SIZE) / WIRE_ENTRY6_SIZE)

struct plain *plain_new(uint64_t id, const struct swim_addr *addr, uint64_t seed, swim_time now)
{
    struct plain *plain = calloc(1, sizeof *plain);

    if (plain == NULL)
        abort();
    plain->id = id;
    plain->addr = *addr;
    prng_init(&plain->prng, seed);
    plain->started = now;
    plain->next_probe = now;
    plain->next_gossip = now + GOSSIP_INTERVAL_MS * MS;
    plain->next_heartbeat = now + HEARTBEAT_INTERVAL_MS * MS;
    plain->next_sync = now + SYNC_INTERVAL_MS * MS;
    return plain;
}

void plain_free(struct plain *plain)
{
    if (plain == NULL)
        return;
    for (uint32_t i = 0; i < PLAIN_ASSEMBLIES_MAX; i++)
        free(plain->assemblies[i]);
    free(plain);
}

static bool is_same_addr(const struct swim_addr *a, const struct swim_addr *b)
{
    return a->family == b->family && a->port == b->port && memcmp(a->ip, b->ip, 16) == 0;
}

void plain_join(struct plain *plain, const struct swim_addr *addr)
{
    if (!is_same_addr(addr, &plain->addr) && plain->seed_count < PLAIN_SEEDS_MAX)
        plain->seeds[plain->seed_count++] = *addr;
}

/* ---- The table --------------------------------------------------------------------------- */

static struct plain_member *find(struct plain *plain, uint64_t id)
{
    for (uint32_t i = 0; i < plain->member_count; i++) {
        if (plain->members[i].entry.id == id)
            return &plain->members[i];
    }
    return NULL;
}

static uint32_t count_live(const struct plain *plain)
{
    uint32_t count = 1;

    for (uint32_t i = 0; i < plain->member_count; i++)
        count += plain->members[i].entry.status != SWIM_DEAD;
    return count;
}

static uint32_t log2_up(uint32_t n)
{
    uint32_t log = 0;

    while ((1u << log) < n)
        log++;
    return log;
}

static void set_status(struct plain_member *member, uint8_t status, swim_time now)
{
    if (member->entry.status != status)
        member->changed = now;
    member->entry.status = status;
    if (status == SWIM_DEAD)
        member->probe = 0;
}

/* Pairwise, with the known fault: a death that carries a lower heartbeat is thrown away. */
static bool is_newer(const struct wire_entry *entry, const struct wire_entry *held)
{
    if (entry->incarnation != held->incarnation)
        return entry->incarnation > held->incarnation;
    if (held->status == SWIM_DEAD)
        return false;
    if (entry->heartbeat != held->heartbeat)
        return entry->heartbeat > held->heartbeat;
    return entry->status > held->status;
}

static void merge(struct plain *plain, const struct wire_entry *entry, swim_time now)
{
    struct plain_member *member;

    if (entry->status > SWIM_DEAD || entry->id == 0)
        return;
    if (entry->id == plain->id) {
        /* With the known fault: one above its own, not above the accuser's. */
        if (entry->status != SWIM_ALIVE && entry->incarnation >= plain->incarnation)
            plain->incarnation++;
        return;
    }
    member = find(plain, entry->id);
    if (member == NULL) {
        /* With the known fault: the dead are learnt as new, again and again. */
        if (plain->member_count == PLAIN_MEMBERS_MAX)
            return;
        member = &plain->members[plain->member_count++];
        memset(member, 0, sizeof *member);
        member->entry = *entry;
        member->changed = now;
        return;
    }
    if (is_newer(entry, &member->entry)) {
        uint8_t status = member->entry.status;

        member->entry = *entry;
        member->entry.status = status;
        set_status(member, entry->status, now);
    }
}

/* Any datagram of a member says that it lives, and clears a probe: the known fault. */
static void refresh(struct plain *plain, const struct wire_header *header,
                    const struct swim_addr *from, swim_time now)
{
    struct wire_entry entry = {.id = header->sender_id,
                               .heartbeat = header->heartbeat,
                               .incarnation = header->incarnation,
                               .status = SWIM_ALIVE,
                               .addr = *from};
    struct plain_member *member;

    merge(plain, &entry, now);
    member = find(plain, entry.id);
    if (member != NULL && member->entry.status != SWIM_DEAD &&
        entry.incarnation >= member->entry.incarnation) {
        member->probe = 0;
        set_status(member, SWIM_ALIVE, now);
    }
}

/* ---- Sending ----------------------------------------------------------------------------- */

static void begin(const struct plain *plain, struct wire_builder *b, uint8_t *buf, uint8_t kind)
{
    struct wire_header header = {.kind = kind,
                                 .sender_id = plain->id,
                                 .heartbeat = plain->heartbeat,
                                 .incarnation = plain->incarnation};

    wire_begin(b, buf, SWIM_DATAGRAM_MAX, &header);
}

static void post(struct plain *plain, struct wire_builder *b, const uint8_t *buf,
                 const struct swim_addr *to)
{
    size_t size = wire_finish(b);
    struct plain_packet *packet;

    if (plain->outbox_count == PLAIN_OUTBOX_MAX)
        return;
    packet = &plain->outbox[(plain->outbox_at + plain->outbox_count++) % PLAIN_OUTBOX_MAX];
    packet->to = *to;
    packet->size = (uint16_t)size;
    memcpy(packet->data, buf, size);
}

/* Itself, then its table from a random place on: what is dead included. */
static void put_entries(struct plain *plain, struct wire_builder *b, uint32_t max)
{
    struct wire_entry self = {.id = plain->id,
                              .heartbeat = plain->heartbeat,
                              .incarnation = plain->incarnation,
                              .status = SWIM_ALIVE,
                              .addr = plain->addr};
    uint32_t count = plain->member_count;
    uint32_t from = count > 0 ? prng_below(&plain->prng, count) : 0;

    if (max == 0 || !wire_put_entry(b, &self))
        return;
    for (uint32_t i = 0; i < count && i + 1 < max; i++) {
        if (!wire_put_entry(b, &plain->members[(from + i) % count].entry))
            return;
    }
}

static void send_entries(struct plain *plain, uint8_t kind, const struct swim_addr *to,
                         uint32_t max)
{
    uint8_t buf[SWIM_DATAGRAM_MAX];
    struct wire_builder b;

    begin(plain, &b, buf, kind);
    put_entries(plain, &b, max);
    post(plain, &b, buf, to);
}

static struct plain_member *random_live(struct plain *plain, uint64_t but)
{
    uint32_t count = plain->member_count;
    uint32_t from = count > 0 ? prng_below(&plain->prng, count) : 0;

    for (uint32_t i = 0; i < count; i++) {
        struct plain_member *member = &plain->members[(from + i) % count];

        if (member->entry.status != SWIM_DEAD && member->entry.id != but)
            return member;
    }
    return NULL;
}

static void send_sync(struct plain *plain, const struct swim_addr *to)
{
    uint32_t total = plain->member_count + 1;
    uint32_t chunks = (total + CHUNK_ENTRIES - 1) / CHUNK_ENTRIES;

    plain->table_version++;
    for (uint32_t c = 0; c < chunks; c++) {
        uint8_t buf[SWIM_DATAGRAM_MAX];
        struct wire_builder b;

        begin(plain, &b, buf, WIRE_ANTI_ENTROPY);
        wire_put_chunk(&b, plain->table_version, (uint16_t)c, (uint16_t)chunks);
        for (uint32_t i = c * CHUNK_ENTRIES; i < (c + 1) * CHUNK_ENTRIES && i < total; i++) {
            struct wire_entry self = {.id = plain->id,
                                      .heartbeat = plain->heartbeat,
                                      .incarnation = plain->incarnation,
                                      .addr = plain->addr};

            wire_put_entry(&b, i == 0 ? &self : &plain->members[i - 1].entry);
        }
        post(plain, &b, buf, to);
    }
}

/* ---- Receiving --------------------------------------------------------------------------- */

static bool is_limited(struct plain *plain, const struct swim_addr *from, swim_time now)
{
    struct plain_source *source = NULL;

    for (uint32_t i = 0; i < plain->source_count && source == NULL; i++) {
        if (is_same_addr(&plain->sources[i].addr, from))
            source = &plain->sources[i];
    }
    if (source == NULL) {
        if (plain->source_count == PLAIN_SOURCES_MAX)
            return false;
        source = &plain->sources[plain->source_count++];
        *source = (struct plain_source){*from, RATE_BURST * 1000, now};
    }
    source->milli_tokens += (now - source->filled) * RATE_PER_SECOND / MS;
    if (source->milli_tokens > RATE_BURST * 1000)
        source->milli_tokens = RATE_BURST * 1000;
    source->filled = now;
    if (source->milli_tokens < 1000)
        return true;
    source->milli_tokens -= 1000;
    return false;
}

static void accuse(struct plain *plain, const char *violation)
{
    if (plain->now >= plain->tolerant_until)
        plain->violation = violation;
}

static void drop(struct plain *plain)
{
    plain->dropped += plain->now >= plain->tolerant_until;
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

/* The plain decoder: it knows six kinds and one flag. Everything else that a peer of ours might
 * say is noted as a violation: it must not be said to a plain peer. */
static bool decode(struct plain *plain, const uint8_t *data, size_t size, struct wire_header *ret)
{
    struct reader r = reader_of(data, size);

    if (size < WIRE_HEADER_SIZE || data[0] != WIRE_VERSION ||
        get_u16(data + 2) != size - WIRE_HEADER_SIZE || wire_checksum(data, size) != 0) {
        drop(plain);
        return false;
    }
    if (data[1] > WIRE_ANTI_ENTROPY)
        accuse(plain, "a kind above 0x06");
    else if ((data[20] & (uint8_t)~WIRE_FLAG_REQUEST_ACK) != 0)
        accuse(plain, "a flag other than REQUEST_ACK");
    else if (size > WIRE_HEADER_SIZE + WIRE_PAYLOAD_MAX)
        accuse(plain, "a payload above 1,400 bytes");
    else if (data[1] == WIRE_ANTI_ENTROPY && size > WIRE_SYNC_DATAGRAM_MAX)
        accuse(plain, "an ANTI_ENTROPY datagram above 1,200 bytes");
    if (data[1] == 0 || data[1] > WIRE_ANTI_ENTROPY) {
        drop(plain);
        return false;
    }
    (void)read_bytes(&r, 4);
    ret->kind = data[1];
    ret->flags = data[20];
    ret->sender_id = read_u64(&r);
    ret->heartbeat = read_u32(&r);
    ret->incarnation = read_u32(&r);
    plain->received[ret->kind]++;
    return ret->sender_id != plain->id;
}

/* To one that was never heard, and may be anything, a leave is told in two entries: as a leave, and
 * then as a death. Plain decoders skip the first. */
static bool is_told_dead_too(const uint8_t *entry, size_t entry_size, size_t left)
{
    return left >= 2 * entry_size && memcmp(entry, entry + entry_size, 8) == 0 &&
           entry[entry_size + 16] == SWIM_DEAD;
}

/* Whole entries to the end, or nothing. */
static bool read_entries(struct plain *plain, const uint8_t *data, size_t size, struct reader *ret)
{
    for (size_t at = 0; at < size;) {
        size_t entry_size = 0;

        if (size - at >= WIRE_ENTRY4_SIZE)
            entry_size = data[at + 17] == 4   ? WIRE_ENTRY4_SIZE
                         : data[at + 17] == 6 ? WIRE_ENTRY6_SIZE
                                              : 0;
        if (entry_size == 0 || size - at < entry_size) {
            drop(plain);
            return false;
        }
        if (data[at + 16] == SWIM_LEFT && !is_told_dead_too(data + at, entry_size, size - at))
            accuse(plain, "an entry with status left");
        at += entry_size;
    }
    *ret = reader_of(data, size);
    return true;
}

static void merge_entries(struct plain *plain, const uint8_t *data, size_t size, swim_time now)
{
    struct wire_entry entry;
    struct reader entries;

    if (!read_entries(plain, data, size, &entries))
        return;
    while (wire_next_entry(&entries, &entry))
        merge(plain, &entry, now);
}

static struct plain_assembly *assembly_of(struct plain *plain, uint64_t sender, uint64_t version,
                                          uint16_t count)
{
    struct plain_assembly *assembly;

    for (uint32_t i = 0; i < PLAIN_ASSEMBLIES_MAX; i++) {
        assembly = plain->assemblies[i];
        if (assembly != NULL && assembly->sender == sender && assembly->version == version)
            return assembly->count == count ? assembly : NULL;
    }
    assembly = plain->assemblies[plain->next_assembly];
    if (assembly == NULL)
        assembly = malloc(sizeof *assembly);
    if (assembly == NULL)
        abort();
    memset(assembly, 0, offsetof(struct plain_assembly, entries));
    plain->assemblies[plain->next_assembly] = assembly;
    plain->next_assembly = (plain->next_assembly + 1) % PLAIN_ASSEMBLIES_MAX;
    assembly->sender = sender;
    assembly->version = version;
    assembly->count = count;
    return assembly;
}

/* Nothing is merged before the last chunk has come. */
static void assemble(struct plain *plain, uint64_t sender, const uint8_t *data, size_t size,
                     swim_time now)
{
    struct reader r = reader_of(data, size);
    uint64_t version = read_u64(&r);
    uint16_t index = read_u16(&r);
    uint16_t count = read_u16(&r);
    struct plain_assembly *assembly;
    struct reader entries;

    if (r.failed || index >= count || count > PLAIN_CHUNKS_MAX ||
        !read_entries(plain, data + WIRE_CHUNK_HEADER_SIZE, size - WIRE_CHUNK_HEADER_SIZE,
                      &entries))
        return;
    assembly = assembly_of(plain, sender, version, count);
    if (assembly == NULL || assembly->has[index])
        return;
    assembly->has[index] = true;
    while (assembly->entry_count < PLAIN_MEMBERS_MAX &&
           wire_next_entry(&entries, &assembly->entries[assembly->entry_count]))
        assembly->entry_count++;
    if (++assembly->have < count)
        return;
    plain->syncs_complete++;
    for (uint32_t i = 0; i < assembly->entry_count; i++)
        merge(plain, &assembly->entries[i], now);
}

/* Pings the target, and tells nobody what came of it. */
static void serve_ping_req(struct plain *plain, const uint8_t *data, size_t size)
{
    struct swim_addr addr = {0};

    if (size != 15 && size != 27) {
        drop(plain);
        return;
    }
    addr.family = data[8];
    memcpy(addr.ip, data + 9, size == 15 ? 4 : 16);
    addr.port = get_u16(data + size - 2);
    send_entries(plain, WIRE_PING, &addr, PIGGYBACK);
}

static void receive(void *state, swim_time now, const struct swim_addr *from, const void *data,
                    size_t size)
{
    struct plain *plain = state;
    const uint8_t *payload = (const uint8_t *)data + WIRE_HEADER_SIZE;
    size_t payload_size = size - WIRE_HEADER_SIZE;
    struct wire_header header = {0};

    plain->now = now;
    if (plain->has_left)
        return;
    if (is_limited(plain, from, now)) {
        plain->limited++;
        return;
    }
    if (!decode(plain, data, size, &header))
        return;
    if (header.kind == WIRE_LEAVE) {
        struct plain_member *member = find(plain, header.sender_id);

        if (member != NULL && header.incarnation >= member->entry.incarnation) {
            member->entry.incarnation = header.incarnation;
            set_status(member, SWIM_DEAD, now);
        }
    } else {
        refresh(plain, &header, from, now);
    }
    if (header.kind == WIRE_GOSSIP || header.kind == WIRE_PING || header.kind == WIRE_ACK)
        merge_entries(plain, payload, payload_size, now);
    else if (header.kind == WIRE_PING_REQ)
        serve_ping_req(plain, payload, payload_size);
    else if (header.kind == WIRE_ANTI_ENTROPY)
        assemble(plain, header.sender_id, payload, payload_size, now);
    if (header.kind == WIRE_PING || (header.flags & WIRE_FLAG_REQUEST_ACK))
        send_entries(plain, WIRE_ACK, from, PIGGYBACK);
}

/* ---- Time -------------------------------------------------------------------------------- */

static void suspect(struct plain_member *member, swim_time now)
{
    member->probe = 0;
    if (member->entry.status == SWIM_ALIVE)
        set_status(member, SWIM_SUSPECT, now);
}

/* Everything is looked at on the one-second tick only. */
static void check_probes(struct plain *plain, swim_time now)
{
    for (uint32_t i = 0; i < plain->member_count; i++) {
        struct plain_member *member = &plain->members[i];

        if (member->probe == 2 && now - member->probed >= 2 * PROBE_TIMEOUT_MS * MS)
            suspect(member, now);
        if (member->probe != 1 || now - member->probed < PROBE_TIMEOUT_MS * MS)
            continue;
        member->probe = 2;
        for (uint32_t k = 0; k < INDIRECT_K; k++) {
            struct plain_member *helper = random_live(plain, member->entry.id);
            uint8_t buf[SWIM_DATAGRAM_MAX];
            struct wire_builder b;

            if (helper == NULL)
                break;
            begin(plain, &b, buf, WIRE_PING_REQ);
            wire_put_target(&b, member->entry.id, &member->entry.addr);
            post(plain, &b, buf, &helper->entry.addr);
        }
    }
}

static void check_members(struct plain *plain, swim_time now)
{
    uint64_t suspicion_ms =
        SUSPECT_TIMEOUT_MS + SUSPECT_TIMEOUT_MS / 2 * (uint64_t)log2_up(count_live(plain));

    for (uint32_t i = 0; i < plain->member_count;) {
        struct plain_member *member = &plain->members[i];
        uint64_t age_ms = (now - member->changed) / MS;

        if (member->entry.status == SWIM_SUSPECT && age_ms >= suspicion_ms)
            set_status(member, SWIM_DEAD, now);
        if (member->entry.status == SWIM_DEAD && age_ms >= DEAD_RETENTION_MS &&
            member->changed != now) {
            *member = plain->members[--plain->member_count];
            continue;
        }
        i++;
    }
}

static void probe_tick(struct plain *plain, swim_time now)
{
    struct plain_member *target;

    check_probes(plain, now);
    check_members(plain, now);
    if (now - plain->started < SEED_TRIES_MS * MS && plain->member_count == 0) {
        for (uint32_t i = 0; i < plain->seed_count; i++)
            send_entries(plain, WIRE_PING, &plain->seeds[i], 1);
    }
    target = random_live(plain, 0);
    if (target == NULL)
        return;
    if (target->probe == 0) {
        target->probe = 1;
        target->probed = now;
    }
    send_entries(plain, WIRE_PING, &target->entry.addr, PIGGYBACK);
}

static void gossip_tick(struct plain *plain)
{
    uint32_t log = log2_up(count_live(plain));
    uint32_t sends = log > 0 ? log : 1;

    for (uint32_t i = 0; i < sends; i++) {
        struct plain_member *to = random_live(plain, 0);

        if (to != NULL)
            send_entries(plain, WIRE_GOSSIP, &to->entry.addr, FANOUT * sends);
    }
}

static void sync_tick(struct plain *plain)
{
    struct plain_member *to = random_live(plain, 0);

    if (to != NULL)
        send_sync(plain, &to->entry.addr);
}

/* Moves `*due` on by whole intervals; a pause fires once, not once for each that was missed. */
static bool is_due(swim_time *due, swim_time now, uint64_t interval_ms)
{
    if (now < *due)
        return false;
    *due += interval_ms * MS * ((now - *due) / (interval_ms * MS) + 1);
    return true;
}

static void advance(void *state, swim_time now)
{
    struct plain *plain = state;

    if (plain->has_left)
        return;
    if (is_due(&plain->next_heartbeat, now, HEARTBEAT_INTERVAL_MS))
        plain->heartbeat++;
    if (is_due(&plain->next_probe, now, PROBE_INTERVAL_MS))
        probe_tick(plain, now);
    if (is_due(&plain->next_gossip, now, GOSSIP_INTERVAL_MS))
        gossip_tick(plain);
    if (is_due(&plain->next_sync, now, SYNC_INTERVAL_MS))
        sync_tick(plain);
}

static swim_time deadline(const void *state)
{
    const struct plain *plain = state;
    swim_time first = plain->next_heartbeat;

    if (plain->has_left)
        return SWIM_NEVER;
    first = plain->next_probe < first ? plain->next_probe : first;
    first = plain->next_gossip < first ? plain->next_gossip : first;
    return plain->next_sync < first ? plain->next_sync : first;
}

static size_t transmit(void *state, swim_time now, struct swim_addr *ret_to, void *buf, size_t cap)
{
    struct plain *plain = state;
    const struct plain_packet *packet = &plain->outbox[plain->outbox_at];

    (void)now;
    if (plain->outbox_count == 0 || packet->size > cap)
        return 0;
    plain->outbox_at = (plain->outbox_at + 1) % PLAIN_OUTBOX_MAX;
    plain->outbox_count--;
    *ret_to = packet->to;
    memcpy(buf, packet->data, packet->size);
    return packet->size;
}

void plain_leave(struct plain *plain)
{
    plain->heartbeat++;
    for (uint32_t i = 0; i < 2 * INDIRECT_K; i++) {
        struct plain_member *to = random_live(plain, 0);
        uint8_t buf[SWIM_DATAGRAM_MAX];
        struct wire_builder b;

        if (to == NULL)
            break;
        begin(plain, &b, buf, WIRE_LEAVE);
        post(plain, &b, buf, &to->entry.addr);
    }
    plain->has_left = true;
}

static const char *check(const void *state)
{
    return ((const struct plain *)state)->violation;
}

static bool find_status(const void *state, uint64_t id, enum swim_status *ret_status)
{
    const struct plain *plain = state;

    if (id == plain->id) {
        *ret_status = SWIM_ALIVE;
        return true;
    }
    for (uint32_t i = 0; i < plain->member_count; i++) {
        if (plain->members[i].entry.id == id) {
            *ret_status = (enum swim_status)plain->members[i].entry.status;
            return true;
        }
    }
    return false;
}

static uint32_t count_status(const void *state, enum swim_status status)
{
    const struct plain *plain = state;
    uint32_t count = status == SWIM_ALIVE;

    for (uint32_t i = 0; i < plain->member_count; i++)
        count += plain->members[i].entry.status == (uint8_t)status;
    return count;
}

const struct sim_peer_ops plain_ops = {
    .receive = receive,
    .advance = advance,
    .transmit = transmit,
    .deadline = deadline,
    .check = check,
    .find = find_status,
    .count = count_status,
};
