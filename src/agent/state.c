/*
 * The text of a node's state. Strict to read: what a crash, a disk or an editor has changed must
 * not become an identity.
 */
#include "agent/state.h"

#include "agent/address.h"
#include "base/siphash.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char MAGIC[] = "swim-state ";
static const char VERSION[] = "1\n";
static const char CHECKSUM[] = "checksum ";
/* Against accidents, not against people: who can write the file can write a checksum. */
static const uint8_t CHECKSUM_KEY[SIPHASH_KEY_SIZE] = "swim state file";

/* Far from now, and from the end of what a start can be (swim/seal.h). */
static const uint64_t START_MAX = UINT64_C(1) << 47;

enum { CHECKSUM_LINE = sizeof CHECKSUM - 1 + 16 + 1 };

/* ---- Writing ----------------------------------------------------------------------------- */

struct out {
    char *text;
    size_t cap;
    size_t size; /* over `cap`: it did not fit */
};

__attribute__((format(printf, 2, 3))) static void put(struct out *out, const char *format, ...)
{
    size_t left = out->size < out->cap ? out->cap - out->size : 0;
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(out->text + (out->cap - left), left, format, arguments);
    va_end(arguments);
    out->size += size > 0 ? (size_t)size : 0;
}

size_t state_render(const struct state *state, char *text, size_t cap)
{
    struct out out = {text, cap, 0};

    put(&out, "%s%s", MAGIC, VERSION);
    if (state->cluster[0] != '\0')
        put(&out, "cluster %s\n", state->cluster);
    put(&out, "id %" PRIu64 "\nincarnation %" PRIu32 "\nstart %" PRIu64 "\n", state->id,
        state->incarnation, state->start);
    for (uint32_t i = 0; i < state->member_count; i++)
        put(&out, "member %s\n", address_text(&state->members[i]).text);
    if (out.size < cap)
        put(&out, "%s%016" PRIx64 "\n", CHECKSUM, siphash(CHECKSUM_KEY, text, out.size));
    return out.size < cap ? out.size : 0; /* vsnprintf wants a byte more */
}

/* ---- Reading ----------------------------------------------------------------------------- */

struct in {
    const char *at;
    const char *end;
};

static bool starts_with(const struct in *in, const char *word)
{
    size_t size = strlen(word);

    return (size_t)(in->end - in->at) >= size && memcmp(in->at, word, size) == 0;
}

/* The rest of a line that begins with `word`, into `value`; false when it is another line. */
static bool take_line(struct in *in, const char *word, char *value, size_t cap)
{
    const char *from = in->at + strlen(word);
    const char *newline;

    if (!starts_with(in, word))
        return false;
    newline = memchr(from, '\n', (size_t)(in->end - from));
    if (newline == NULL || (size_t)(newline - from) >= cap ||
        memchr(from, '\0', (size_t)(newline - from)) != NULL)
        return false;
    memcpy(value, from, (size_t)(newline - from));
    value[newline - from] = '\0';
    in->at = newline + 1;
    return true;
}

/* Decimal, as it is written: no sign, no leading zero. */
static bool take_number(struct in *in, const char *word, uint64_t max, uint64_t *ret)
{
    char text[24];
    uint64_t value = 0;

    if (!take_line(in, word, text, sizeof text) || text[0] == '\0' ||
        (text[0] == '0' && text[1] != '\0'))
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (*at < '0' || *at > '9' || value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}

static bool is_cluster_name(const char *text)
{
    return text[0] != '\0' &&
           text[strspn(
               text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static bool take_members(struct in *in, struct state *state)
{
    char text[ADDRESS_TEXT_MAX];
    struct swim_addr addr;

    while (starts_with(in, "member ")) {
        if (state->member_count == STATE_MEMBERS_MAX ||
            !take_line(in, "member ", text, sizeof text) || address_parse(text, &addr) != NULL ||
            addr.port == 0 || strcmp(address_text(&addr).text, text) != 0)
            return false;
        state->members[state->member_count++] = addr;
    }
    return true;
}

static const char *take_all(struct in *in, struct state *state)
{
    uint64_t incarnation = 0;

    if (starts_with(in, "cluster ") &&
        (!take_line(in, "cluster ", state->cluster, sizeof state->cluster) ||
         !is_cluster_name(state->cluster)))
        return "the line of the cluster is wrong";
    if (!take_number(in, "id ", UINT64_MAX, &state->id) || state->id == 0)
        return "the line of the id is missing or wrong";
    if (!take_number(in, "incarnation ", UINT32_MAX, &incarnation))
        return "the line of the incarnation is missing or wrong";
    state->incarnation = (uint32_t)incarnation;
    if (!take_number(in, "start ", START_MAX, &state->start))
        return "the line of the start is missing or wrong";
    if (!take_members(in, state))
        return "a member's line is wrong";
    return in->at == in->end ? NULL : "there is a line too many";
}

static bool has_checksum(const char *text, size_t size)
{
    char line[CHECKSUM_LINE + 1];

    if (size < CHECKSUM_LINE)
        return false;
    (void)snprintf(line, sizeof line, "%s%016" PRIx64 "\n", CHECKSUM,
                   siphash(CHECKSUM_KEY, text, size - CHECKSUM_LINE));
    return memcmp(line, text + size - CHECKSUM_LINE, CHECKSUM_LINE) == 0;
}

enum state_verdict state_parse(const char *text, size_t size, struct state *ret,
                               const char **ret_wrong)
{
    struct in in = {text, text + size};
    struct state state = {0};

    if (size > 0 && !starts_with(&in, MAGIC)) {
        *ret_wrong = "it is no state of swimd's";
        return STATE_FOREIGN;
    }
    in.at += size > 0 ? sizeof MAGIC - 1 : 0;
    if (!has_checksum(text, size)) {
        *ret_wrong = size == 0 ? "it is empty" : "its checksum is wrong, or missing";
        return STATE_DAMAGED;
    }
    if (!starts_with(&in, VERSION)) {
        *ret_wrong = "it is of another version of swimd";
        return STATE_FOREIGN;
    }
    in.at += sizeof VERSION - 1;
    in.end -= CHECKSUM_LINE;
    *ret_wrong = take_all(&in, &state);
    if (*ret_wrong != NULL)
        return STATE_DAMAGED;
    *ret = state;
    return STATE_GOOD;
}
