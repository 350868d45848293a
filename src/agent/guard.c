/*
 * What is sealed and what is opened, by which keys: docs/protocol.md section 3, from the daemon's
 * side. Each datagram is copied once, by the cipher: into the socket's buffer on its way out, out
 * of it on its way in.
 */
#define _GNU_SOURCE
#include "agent/guard.h"

#include "agent/address.h"
#include "agent/knock.h"
#include "agent/log.h"
#include "base/assert.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define HEADER_SIZE 24
/* Datagrams taken before their answers are written (agent.c's DRAIN_PORTION), each worth two answers
 * at most. */
#define UNPROVED_MAX 128

struct guard {
    struct swim *swim;
    struct swim_seal *seal; /* NULL: without a key */
    struct keyset *keys;    /* what `seal` holds, in order; NULL likewise */
    enum plaintext_mode plaintext;
    enum swim_envelope envelope;
    char cluster[SWIM_CLUSTER_MAX + 1];
    uint32_t members_max;
    uint64_t last_start;                     /* starts grow, whatever the clock does */
    struct swim_addr unproved[UNPROVED_MAX]; /* to be answered as they spoke: in plaintext */
    uint32_t unproved_next;
    uint64_t plaintext_refused;
    uint64_t plaintext_received;
    struct knocks knocks;
};

/* Why somebody is not let in. Those of swim_seal_open come first, by their own numbers. */
enum refusal {
    REFUSED_PLAINTEXT = SWIM_SEAL_ERROR_COUNT,
    REFUSED_CLUSTER,
    REFUSED_UNREADABLE,
    REFUSAL_COUNT,
};

static const char *const refusals[REFUSAL_COUNT] = {
    [SWIM_SEAL_DROP_SIZE] = "no datagram of this cluster's: its size is wrong",
    [SWIM_SEAL_DROP_VERSION] = "not sealed by the envelope that this cluster uses",
    [SWIM_SEAL_DROP_KEY] = "sealed with a key that is not held here",
    [SWIM_SEAL_DROP_FORGED] = "opens with no key held here: another key or cluster, or forged",
    [SWIM_SEAL_DROP_SENDER] = "speaks for another member than its envelope says",
    [SWIM_SEAL_DROP_REPLAY] = "repeats what was heard before",
    [REFUSED_PLAINTEXT] = "in plaintext, which is refused here",
    [REFUSED_CLUSTER] = "from a cluster of another name",
    [REFUSED_UNREADABLE] = "can't be read: sealed, perhaps, but there is no key here",
};

/* ---- Life -------------------------------------------------------------------------------- */

static void drop_keys(struct guard *guard)
{
    swim_seal_free(guard->seal);
    keyset_free(guard->keys);
    guard->seal = NULL;
    guard->keys = NULL;
}

void guard_free(struct guard *guard)
{
    if (guard == NULL)
        return;
    drop_keys(guard);
    free(guard);
}

/* ---- Out --------------------------------------------------------------------------------- */

static bool is_proved(const struct guard *guard, const struct swim_addr *addr)
{
    struct swim_member member;

    return swim_member_find_addr(guard->swim, addr, &member) && member.is_proved;
}

/* While both are accepted, strangers are answered as they spoke: an envelope would make the answer
 * larger than the question (protocol.md section 10), and they may not be able to open it. */
static void expect_plaintext(struct guard *guard, const struct swim_addr *from)
{
    if (guard->plaintext != PLAINTEXT_ACCEPT || is_proved(guard, from))
        return;
    for (int i = 0; i < 2; i++)
        guard->unproved[guard->unproved_next++ % UNPROVED_MAX] = *from;
}

/* One answer less is owed. */
static bool wants_plaintext(struct guard *guard, const struct swim_addr *to)
{
    if (guard->plaintext != PLAINTEXT_ACCEPT || is_proved(guard, to))
        return false;
    for (uint32_t i = 0; i < UNPROVED_MAX; i++) {
        if (!is_address_equal(&guard->unproved[i], to))
            continue;
        guard->unproved[i] = (struct swim_addr){0};
        return true;
    }
    return false;
}

size_t guard_transmit(struct guard *guard, swim_time now, struct swim_addr *ret_to, void *buf,
                      size_t cap)
{
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    size_t size;

    ASSERT(cap >= SWIM_SEALED_MAX);
    if (guard->seal == NULL || guard->plaintext == PLAINTEXT_SEND)
        return swim_transmit(guard->swim, now, ret_to, buf, cap);
    size = swim_transmit(guard->swim, now, ret_to, datagram, sizeof datagram);
    if (size == 0)
        return 0;
    if (wants_plaintext(guard, ret_to)) {
        memcpy(buf, datagram, size);
        return size;
    }
    return swim_seal_wrap(guard->seal, datagram, size, buf, cap);
}

/* ---- In ---------------------------------------------------------------------------------- */

static void note(struct guard *guard, swim_time now, const struct swim_addr *from, uint32_t why)
{
    uint64_t held_back;

    if (!knock_is_news(&guard->knocks, from, why, now, &held_back))
        return;
    if (held_back > 0)
        LOG(LOG_WARN, "datagram refused", LOG_TEXT("from", address_text(from).text),
            LOG_TEXT("cause", refusals[why]), LOG_NUMBER("others", held_back));
    else
        LOG(LOG_WARN, "datagram refused", LOG_TEXT("from", address_text(from).text),
            LOG_TEXT("cause", refusals[why]));
}

/* Networks double datagrams now and then: nothing to tell of those whose address we know. */
static void note_unopened(struct guard *guard, swim_time now, const struct swim_addr *from,
                          enum swim_seal_error error)
{
    struct swim_member member;

    if (error == SWIM_SEAL_DROP_REPLAY && swim_member_find_addr(guard->swim, from, &member))
        return;
    note(guard, now, from, error);
}

static void receive_plain(struct guard *guard, swim_time now, const struct swim_addr *from,
                          const void *data, size_t size)
{
    enum swim_error error = swim_receive(guard->swim, now, from, data, size);

    if (error == SWIM_DROP_VERSION && guard->seal == NULL)
        note(guard, now, from, REFUSED_UNREADABLE);
    else if (error == SWIM_DROP_CLUSTER)
        note(guard, now, from, REFUSED_CLUSTER);
}

static void refuse_plain(struct guard *guard, swim_time now, const struct swim_addr *from)
{
    guard->plaintext_refused++;
    note(guard, now, from, REFUSED_PLAINTEXT);
}

static void receive_opened(struct guard *guard, swim_time now, const struct swim_addr *from,
                           const void *data, const struct swim_seal_opened *opened)
{
    enum swim_error error = opened->is_fresh
                                ? swim_receive(guard->swim, now, from, data, opened->size)
                                : swim_receive_unproved(guard->swim, now, from, data, opened->size);

    if (error == SWIM_OK && !opened->is_fresh)
        swim_seal_admit(guard->seal, opened);
    else if (error == SWIM_DROP_CLUSTER)
        note(guard, now, from, REFUSED_CLUSTER);
}

/* By its header alone: version 1, a known kind, and the length that it has. Envelope 2 opens with
 * another byte; one of envelope 1 looks so once in two hundred million times, and is lost then. */
static bool looks_plain(const uint8_t *data, size_t size)
{
    return size >= HEADER_SIZE && data[0] == 1 && data[1] >= 1 && data[1] <= 8 &&
           (size_t)((data[2] << 8) | data[3]) == size - HEADER_SIZE;
}

void guard_receive(struct guard *guard, swim_time now, const struct swim_addr *from,
                   const void *data, size_t size)
{
    uint8_t datagram[SWIM_RECEIVE_MAX];
    struct swim_seal_opened opened;
    enum swim_seal_error error = SWIM_SEAL_DROP_SIZE;
    bool is_plain = looks_plain(data, size);

    if (guard->seal == NULL) {
        receive_plain(guard, now, from, data, size);
        return;
    }
    if (is_plain && guard->plaintext != PLAINTEXT_REFUSE) {
        guard->plaintext_received++;
        expect_plaintext(guard, from);
        receive_plain(guard, now, from, data, size);
        return;
    }
    if (is_plain && guard->envelope == SWIM_ENVELOPE_2) {
        refuse_plain(guard, now, from);
        return;
    }
    if (size <= sizeof datagram)
        error = swim_seal_open(guard->seal, data, size, datagram, sizeof datagram, &opened);
    if (error == SWIM_SEAL_OK) {
        receive_opened(guard, now, from, datagram, &opened);
        return;
    }
    if (is_plain)
        refuse_plain(guard, now, from);
    else
        note_unopened(guard, now, from, error);
}

/* ---- Keys -------------------------------------------------------------------------------- */

struct key_id_text key_id_text(uint32_t key_id)
{
    struct key_id_text ret;

    (void)snprintf(ret.text, sizeof ret.text, "%08x", (unsigned)key_id);
    return ret;
}

static uint64_t now_since_1970_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000) % SWIM_SEAL_START_MAX;
}

static uint64_t next_start(struct guard *guard)
{
    uint64_t now = now_since_1970_ms();

    guard->last_start = now > guard->last_start ? now : guard->last_start + 1;
    return guard->last_start;
}

static struct swim_seal *make_seal(struct guard *guard)
{
    struct swim_seal_config config = {.envelope = guard->envelope,
                                      .cluster = guard->cluster,
                                      .start = next_start(guard),
                                      .members_max = guard->members_max};
    struct swim_seal *seal = NULL;

    if (getrandom(config.entropy, sizeof config.entropy, 0) == (ssize_t)sizeof config.entropy)
        seal = swim_seal_new(&config);
    explicit_bzero(&config, sizeof config);
    return seal;
}

/* Adds them all to a seal that holds none of them yet. */
static bool install(struct swim_seal *seal, const struct keyset *keys, uint32_t from)
{
    for (uint32_t i = from; i < keys->count; i++)
        if (swim_seal_key_install(seal, keys->key[i]) != SWIM_KEY_OK)
            return false;
    return true;
}

static const char *install_first(struct guard *guard, const struct keyset *keys)
{
    guard->keys = keyset_new();
    guard->seal = make_seal(guard);
    if (guard->keys != NULL && guard->seal != NULL && install(guard->seal, keys, 0)) {
        *guard->keys = *keys;
        return NULL;
    }
    drop_keys(guard);
    return "the keys can't be set up: no memory, or no random numbers";
}

struct guard *guard_new(const struct agent_config *config, struct swim *swim, uint64_t last_start,
                        const struct keyset *keys)
{
    struct guard *guard = calloc(1, sizeof *guard);

    if (guard == NULL)
        return NULL;
    if (getrandom(&guard->knocks.seed, sizeof guard->knocks.seed, 0) !=
        (ssize_t)sizeof guard->knocks.seed) {
        free(guard);
        return NULL;
    }
    guard->swim = swim;
    guard->last_start = last_start;
    guard->plaintext = config->plaintext;
    guard->envelope = (enum swim_envelope)config->envelope;
    guard->members_max = config->swim.members_max;
    memcpy(guard->cluster, config->cluster, sizeof guard->cluster);
    if (keys == NULL || install_first(guard, keys) == NULL)
        return guard;
    guard_free(guard);
    return NULL;
}

/* Another key under the id of one that is held: once in 2^32, so there is no more to it. */
static bool has_double(const struct keyset *held, const struct keyset *keys)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        uint32_t at = keyset_find(held, swim_key_id(keys->key[i]));
        if (at < held->count && sodium_memcmp(held->key[at], keys->key[i], SWIM_KEY_SIZE) != 0)
            return true;
    }
    return false;
}

/* Holds exactly `keys` in the end. All but the primary one are taken out first, so that there is
 * room for those that come: within this call nobody misses them. */
static const char *exchange(struct guard *guard, const struct keyset *keys)
{
    const struct keyset *held = guard->keys;

    ASSERT(held != NULL && held->count > 0 && keys->count > 0);
    uint32_t old_id = swim_key_id(held->key[0]);
    uint32_t new_id = swim_key_id(keys->key[0]);
    bool ok = true;

    if (has_double(held, keys))
        return "a key has the id of another one that is held; draw a new one";
    for (uint32_t i = 1; i < held->count; i++)
        ok = ok && swim_seal_key_remove(guard->seal, swim_key_id(held->key[i])) == SWIM_KEY_OK;
    ok = ok && swim_seal_key_install(guard->seal, keys->key[0]) == SWIM_KEY_OK &&
         swim_seal_key_use(guard->seal, new_id) == SWIM_KEY_OK;
    if (old_id != new_id)
        ok = ok && swim_seal_key_remove(guard->seal, old_id) == SWIM_KEY_OK;
    ok = ok && install(guard->seal, keys, 1);
    ASSERT(ok); /* nothing was left that could be in the way */
    *guard->keys = *keys;
    return NULL;
}

static void tell_key(const char *what, uint32_t id)
{
    LOG(LOG_INFO, what, LOG_TEXT("key", key_id_text(id).text));
}

static bool has_key(const struct keyset *keys, uint32_t id)
{
    return keyset_find(keys, id) < keys->count;
}

static void tell_changes(const struct keyset *before, const struct keyset *after)
{
    for (uint32_t i = 0; i < after->count; i++)
        if (!has_key(before, swim_key_id(after->key[i])))
            tell_key("key accepted from now on", swim_key_id(after->key[i]));
    if (after->count > 0 &&
        (before->count == 0 || swim_key_id(before->key[0]) != swim_key_id(after->key[0])))
        tell_key("this key is the primary one from now on", swim_key_id(after->key[0]));
    for (uint32_t i = 0; i < before->count; i++)
        if (!has_key(after, swim_key_id(before->key[i])))
            tell_key("key no longer accepted", swim_key_id(before->key[i]));
}

const char *guard_set_keys(struct guard *guard, const struct keyset *keys)
{
    static const struct keyset none;
    struct keyset *before = NULL;
    const char *wrong = NULL;

    ASSERT(keys->count <= SWIM_KEYS_MAX);
    if (guard->keys != NULL) {
        before = keyset_new();
        if (before == NULL)
            return "no memory for keys";
        *before = *guard->keys;
    }
    if (keys->count == 0)
        drop_keys(guard);
    else if (guard->seal == NULL)
        wrong = install_first(guard, keys);
    else
        wrong = exchange(guard, keys);
    if (wrong == NULL)
        tell_changes(before != NULL ? before : &none, keys);
    keyset_free(before);
    return wrong;
}

const struct keyset *guard_keys(const struct guard *guard)
{
    return guard->keys;
}

enum swim_envelope guard_envelope(const struct guard *guard)
{
    return guard->envelope;
}

const char *guard_cluster(const struct guard *guard)
{
    return guard->cluster;
}

void guard_set_plaintext(struct guard *guard, enum plaintext_mode mode)
{
    guard->plaintext = mode;
}

enum plaintext_mode guard_plaintext(const struct guard *guard)
{
    return guard->plaintext;
}

struct guard_stats guard_stats(const struct guard *guard)
{
    struct guard_stats stats = {.keys = guard->keys != NULL ? guard->keys->count : 0,
                                .plaintext_refused = guard->plaintext_refused,
                                .plaintext_received = guard->plaintext_received};

    if (guard->seal != NULL)
        swim_seal_stats(guard->seal, &stats.seal);
    return stats;
}
