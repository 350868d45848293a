/*
 * What protection costs a datagram: sealing and opening in both envelopes, beside what libsodium's
 * bare cipher takes for the same bytes in the same run, which is the limit (docs/protocol.md
 * section 3). Then what a stranger's worst datagrams cost: those that are refused last.
 */
#include "micro.h"
#include "seal/seal_private.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SENDER = 77 };

struct subject {
    struct swim_seal *from;
    struct swim_seal *to;
    size_t size;
    size_t sealed_size;
    enum swim_seal_error expected;
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    uint8_t sealed[SWIM_SEALED_MAX];
    uint8_t opened[SWIM_SEALED_MAX];
    struct swim_seal_opened ret;
};

static void install(struct swim_seal *seal, uint8_t number)
{
    uint8_t key[SWIM_KEY_SIZE];

    memset(key, number, sizeof key);
    MICRO_CHECK(swim_seal_key_install(seal, key) == SWIM_KEY_OK);
}

static struct swim_seal *new_seal(enum swim_envelope envelope, uint8_t number)
{
    struct swim_seal_config config = {
        .envelope = envelope, .cluster = "bench", .start = number, .members_max = 16384};
    memset(config.entropy, number, sizeof config.entropy);
    struct swim_seal *seal = swim_seal_new(&config);

    MICRO_CHECK(seal != NULL);
    install(seal, 1);
    return seal;
}

static void wrap(void *context)
{
    struct subject *s = context;

    s->sealed_size = swim_seal_wrap(s->from, s->datagram, s->size, s->sealed, sizeof s->sealed);
    MICRO_CHECK(s->sealed_size > s->size);
}

/* In envelope 2 the same datagram is new again: its window is set back, a copy of 136 bytes. */
static void unseal(void *context)
{
    struct subject *s = context;

    if (s->to->envelope == SWIM_ENVELOPE_2 && s->to->senders.heard.count > 0)
        window_begin(&s->to->senders.slots[1].window, s->ret.counter - 1);
    MICRO_CHECK(swim_seal_open(s->to, s->sealed, s->sealed_size, s->opened, sizeof s->opened,
                               &s->ret) == SWIM_SEAL_OK);
}

static void refuse(void *context)
{
    struct subject *s = context;

    MICRO_CHECK(swim_seal_open(s->to, s->sealed, s->sealed_size, s->opened, sizeof s->opened,
                               &s->ret) == s->expected);
}

static const uint8_t bare_key[SWIM_KEY_SIZE] = {1};
static const uint8_t bare_nonce[ENVELOPE_NONCE_SIZE] = {2};
static const uint8_t bare_clear[ENVELOPE2_CLEAR_SIZE] = {3}; /* as much as envelope 2 has */

static void bare_seal(void *context)
{
    struct subject *s = context;

    MICRO_CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(s->sealed, NULL, s->datagram, s->size,
                                                          bare_clear, sizeof bare_clear, NULL,
                                                          bare_nonce, bare_key) == 0);
}

static void bare_open(void *context)
{
    struct subject *s = context;

    MICRO_CHECK(crypto_aead_chacha20poly1305_ietf_decrypt(
                    s->opened, NULL, NULL, s->sealed, s->size + ENVELOPE_TAG_SIZE, bare_clear,
                    sizeof bare_clear, bare_nonce, bare_key) == 0);
}

static void *open_bare(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *s = calloc(1, sizeof *s);

    (void)self;
    (void)ret;
    MICRO_CHECK(s && sodium_init() >= 0);
    s->size = n;
    bare_seal(s);
    return s;
}

/* The case's argument is the envelope. */
static struct subject *new_subject(const struct micro_case *self, uint32_t size)
{
    struct subject *s = calloc(1, sizeof *s);

    MICRO_CHECK(s);
    s->from = new_seal((enum swim_envelope)self->argument, 1);
    s->to = new_seal((enum swim_envelope)self->argument, 2);
    s->size = size;
    s->datagram[ENVELOPE_INSIDE_SENDER + 7] = SENDER;
    s->from->next_counter = 1000000;
    wrap(s);
    unseal(s);
    swim_seal_admit(s->to, &s->ret);
    return s;
}

static void *open_envelope(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    const char *verb = self->run == wrap ? "seal" : "open";

    (void)snprintf(ret->peer, sizeof ret->peer, "%s, bare cipher, n bytes (%u)", verb, n);
    return new_subject(self, n);
}

static void close_envelope(void *context)
{
    struct subject *s = context;

    swim_seal_free(s->from);
    swim_seal_free(s->to);
    free(s);
}

/* ---- Refusals, of the largest datagrams ---- */

static void *open_repetition(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *s = new_subject(self, SWIM_DATAGRAM_MAX);

    (void)n;
    (void)ret;
    s->expected = SWIM_SEAL_DROP_REPLAY;
    unseal(s);
    return s;
}

static void *open_unknown_key(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *s = open_repetition(self, n, ret);

    s->sealed[1] ^= 1;
    s->expected = SWIM_SEAL_DROP_KEY;
    return s;
}

/* Another sender's: its subkey must be derived. */
static void *open_forgery(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *s = open_repetition(self, n, ret);

    s->sealed[2] ^= 1;
    s->expected = SWIM_SEAL_DROP_FORGED;
    return s;
}

static void *open_forgery1(const struct micro_case *self, uint32_t n, struct micro_limit *ret)
{
    struct subject *s = new_subject(self, SWIM_DATAGRAM_MAX);

    (void)ret;
    s->sealed[s->sealed_size - 1] ^= 1;
    s->expected = SWIM_SEAL_DROP_FORGED;
    for (uint8_t number = 2; number <= n; number++)
        install(s->to, number);
    return s;
}

static const uint32_t sizes[] = {64, 256, 1024, 1400, 0};
/* memberlist's for sealing as many bytes, with AES-GCM. */
static const double memberlist_ns[] = {1100, 0, 1800, 2400};
static const uint32_t keys[] = {1, SWIM_KEYS_MAX, 0};
#define SEAL .sizes = sizes, .repeats = 100, .close = close_envelope, .open = open_envelope
#define BARE .sizes = sizes, .repeats = 100, .close = free, .open = open_bare
#define REFUSE .repeats = 100, .close = close_envelope, .run = refuse

const struct micro_case micro_seal_cases[] = {
    {"seal, bare cipher, n bytes", BARE, .run = bare_seal},
    {"seal, envelope 1, n bytes", SEAL, .run = wrap, .argument = SWIM_ENVELOPE_1,
     .others_ns = memberlist_ns},
    {"seal, envelope 2, n bytes", SEAL, .run = wrap, .argument = SWIM_ENVELOPE_2,
     .others_ns = memberlist_ns},
    {"open, bare cipher, n bytes", BARE, .run = bare_open},
    {"open, envelope 1, n bytes", SEAL, .run = unseal, .argument = SWIM_ENVELOPE_1},
    {"open, envelope 2, n bytes", SEAL, .run = unseal, .argument = SWIM_ENVELOPE_2},
    {"refuse a repetition", REFUSE, .open = open_repetition, .argument = SWIM_ENVELOPE_2},
    {"refuse an unknown key", REFUSE, .open = open_unknown_key, .argument = SWIM_ENVELOPE_2},
    {"refuse a forgery, envelope 2", REFUSE, .open = open_forgery, .argument = SWIM_ENVELOPE_2},
    {"refuse a forgery, envelope 1, n keys", REFUSE, .sizes = keys, .open = open_forgery1,
     .argument = SWIM_ENVELOPE_1},
    {0},
};
