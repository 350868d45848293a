/*
 * Datagrams in words, for the trace: kind, probe's number, length and entries. Read from the bytes
 * by the public facts of docs/protocol.md, sections 1, 2, 6 and 10, for the simulator's tool does not
 * see the core's decoder. What is malformed is described as far as it makes sense.
 */
#include "swimsim/trace_private.h"

#define HEADER_SIZE 24
#define ENTRIES_SHOWN 6

enum {
    AT_VERSION = 0,
    AT_KIND = 1,
    AT_FLAGS = 20,
    AT_CAPABILITIES = 21,
};
enum { FLAG_EXTENDED = 2, CAPABLE = 1 };
enum {
    RECORD_PADDING = 0,
    RECORD_PROBE = 1,
    RECORD_ON_BEHALF = 2,
    RECORD_TOKEN = 7,
    RECORD_CLUSTER = 8,
};
enum { STATUS_CLUSTER = 255 };
enum { KIND_GOSSIP = 1, KIND_PING, KIND_ACK = 4, KIND_ANTI_ENTROPY = 6, KIND_SYNC = 8 };

static const char *const kind_names[] = {
    "unknown", "GOSSIP", "PING", "PING_REQ", "ACK", "LEAVE", "ANTI_ENTROPY", "NACK", "SYNC",
};
#define KIND_NAMES (sizeof kind_names / sizeof kind_names[0])

/* The rest of a datagram that is being read. */
struct rest {
    const uint8_t *at;
    size_t size;
};

static uint64_t number_at(const uint8_t *at, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* The next `size` bytes, or NULL if there are not as many. */
static const uint8_t *take(struct rest *rest, size_t size)
{
    const uint8_t *at = rest->at;
    if (size > rest->size) {
        rest->size = 0;
        return NULL;
    }
    rest->at += size;
    rest->size -= size;
    return at;
}

static bool is_datagram(const uint8_t *data, size_t size)
{
    return size >= HEADER_SIZE && data[AT_VERSION] == 1;
}

/* Takes the extension, if there is one: its records. */
static struct rest take_extension(const uint8_t *data, struct rest *payload)
{
    struct rest records = {.at = data, .size = 0};
    if ((data[AT_FLAGS] & FLAG_EXTENDED) == 0 || (data[AT_CAPABILITIES] & CAPABLE) == 0) {
        return records;
    }
    const uint8_t *length = take(payload, 2);
    size_t size = length != NULL ? (size_t)number_at(length, 2) : 0;
    const uint8_t *at = take(payload, size);
    if (at != NULL) {
        records = (struct rest){.at = at, .size = size};
    }
    return records;
}

static struct rest payload_of(const uint8_t *data, size_t size)
{
    return (struct rest){.at = data + HEADER_SIZE, .size = size - HEADER_SIZE};
}

static void add_cluster(uint64_t tag, struct line *line)
{
    if (tag == 0) {
        line_add(line, "no cluster");
    } else {
        line_add(line, "cluster %016llx", (unsigned long long)tag);
    }
}

static void describe_token(const uint8_t *value, size_t size, struct line *line)
{
    if (size == 0) {
        line_add(line, ", no room for a challenge");
    }
    if (size != 16) {
        return;
    }
    if (number_at(value, 8) != 0) {
        line_add(line, " challenge %016llx", (unsigned long long)number_at(value, 8));
    }
    if (number_at(value + 8, 8) != 0) {
        line_add(line, " echo %016llx", (unsigned long long)number_at(value + 8, 8));
    }
}

static void describe_record(const struct names *names, uint8_t type, const uint8_t *value,
                            size_t size, struct line *line)
{
    char name[NAME_SIZE];
    if (type == RECORD_PROBE && size == 4) {
        line_add(line, " #%llu", (unsigned long long)number_at(value, 4));
    } else if (type == RECORD_ON_BEHALF && size == 8) {
        line_add(line, " for %s", names_of_id(names, number_at(value, 8), name));
    } else if (type == RECORD_TOKEN) {
        describe_token(value, size, line);
    } else if (type == RECORD_CLUSTER && size == 8) {
        line_add(line, " ");
        add_cluster(number_at(value, 8), line);
    } else if (type == RECORD_PADDING) {
        line_add(line, " padding %lu", (unsigned long)size);
    }
}

static void describe_records(const struct names *names, struct rest records, struct line *line)
{
    const uint8_t *head;
    while ((head = take(&records, 3)) != NULL) {
        size_t size = (size_t)number_at(head + 1, 2);
        const uint8_t *value = take(&records, size);
        if (value == NULL) {
            return;
        }
        describe_record(names, head[0], value, size, line);
    }
}

static void describe_entry(const struct names *names, const uint8_t *entry, struct line *line)
{
    static const char *const statuses[] = {"alive", "suspect", "dead", "left"};
    char name[NAME_SIZE];
    if (entry[16] == STATUS_CLUSTER) {
        add_cluster(number_at(entry, 8), line);
        return;
    }
    const char *status = entry[16] < 4 ? statuses[entry[16]] : "?";
    line_add(line, "%s %s %llu", names_of_id(names, number_at(entry, 8), name), status,
             (unsigned long long)number_at(entry + 12, 4));
}

/* id 8, heartbeat 4, incarnation 4, status 1, family 1, address, port 2 */
static void describe_entries(const struct names *names, struct rest entries, struct line *line)
{
    const uint8_t *entry;
    uint32_t count = 0;
    while ((entry = take(&entries, 18)) != NULL &&
           take(&entries, (entry[17] == 6 ? 16 : 4) + 2) != NULL) {
        if (count < ENTRIES_SHOWN) {
            line_add(line, count == 0 ? ": " : ", ");
            describe_entry(names, entry, line);
        }
        count++;
    }
    if (count > ENTRIES_SHOWN) {
        line_add(line, " and %lu more", (unsigned long)(count - ENTRIES_SHOWN));
    }
}

bool datagram_target(const uint8_t *data, size_t size, uint64_t *ret_id)
{
    if (!is_datagram(data, size) || data[AT_KIND] != WIRE_KIND_PING_REQ) {
        return false;
    }
    struct rest payload = payload_of(data, size);
    take_extension(data, &payload);
    const uint8_t *id = take(&payload, 8);
    if (id == NULL) {
        return false;
    }
    *ret_id = number_at(id, 8);
    return true;
}

void datagram_describe(const struct names *names, const uint8_t *data, size_t size,
                       struct line *line)
{
    if (!is_datagram(data, size)) {
        line_add(line, "what is no datagram of version 1, of %lu bytes", (unsigned long)size);
        return;
    }
    uint8_t kind = data[AT_KIND];
    struct rest payload = payload_of(data, size);
    struct rest records = take_extension(data, &payload);
    line_add(line, "%s", kind_names[kind < KIND_NAMES ? kind : 0]);
    describe_records(names, records, line);
    uint64_t target;
    if (datagram_target(data, size, &target)) {
        char name[NAME_SIZE];
        line_add(line, " about %s", names_of_id(names, target, name));
    }
    line_add(line, " of %lu bytes", (unsigned long)size);
    if (kind == KIND_ANTI_ENTROPY) {
        take(&payload, 12); /* version of the table, chunk, chunks */
    }
    if (kind == KIND_GOSSIP || kind == KIND_PING || kind == KIND_ACK || kind == KIND_ANTI_ENTROPY ||
        kind == KIND_SYNC) {
        describe_entries(names, payload, line);
    }
}
