/*
 * What protection costs a datagram: sealing and opening in both envelopes, of small, middling and
 * the largest datagrams, beside what libsodium's bare cipher takes for the same bytes in the same
 * run (docs/protocol.md section 3). Then what a stranger's worst datagrams cost: those that are
 * refused last.
 */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"
#include "seal/seal_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 20000
#define SENDER 77
#define NEVER_FAILS(expression) ((expression) ? (void)0 : abort())

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
    NEVER_FAILS(swim_seal_key_install(seal, key) == SWIM_KEY_OK);
}

static struct swim_seal *seal_begin(enum swim_envelope envelope, uint8_t number)
{
    struct swim_seal_config config = {
        .envelope = envelope, .cluster = "bench", .start = number, .members_max = 16384};
    memset(config.entropy, number, sizeof config.entropy);
    struct swim_seal *seal = swim_seal_new(&config);

    NEVER_FAILS(seal != NULL);
    install(seal, 1);
    return seal;
}

static void wrap(void *context)
{
    struct subject *s = context;

    s->sealed_size = swim_seal_wrap(s->from, s->datagram, s->size, s->sealed, sizeof s->sealed);
    NEVER_FAILS(s->sealed_size > s->size);
}

/* In envelope 2 the same datagram is new again: its window is set back, a copy of 136 bytes. */
static void unseal(void *context)
{
    struct subject *s = context;

    if (s->to->envelope == SWIM_ENVELOPE_2 && s->to->senders.heard.count > 0)
        window_begin(&s->to->senders.slots[1].window, s->ret.counter - 1);
    NEVER_FAILS(swim_seal_open(s->to, s->sealed, s->sealed_size, s->opened, sizeof s->opened,
                               &s->ret) == SWIM_SEAL_OK);
}

static void refuse(void *context)
{
    struct subject *s = context;

    NEVER_FAILS(swim_seal_open(s->to, s->sealed, s->sealed_size, s->opened, sizeof s->opened,
                               &s->ret) == s->expected);
}

static const uint8_t bare_key[SWIM_KEY_SIZE] = {1};
static const uint8_t bare_nonce[ENVELOPE_NONCE_SIZE] = {2};
static const uint8_t bare_clear[ENVELOPE2_CLEAR_SIZE] = {3}; /* as much as envelope 2 has */

static void bare_seal(void *context)
{
    struct subject *s = context;

    NEVER_FAILS(crypto_aead_chacha20poly1305_ietf_encrypt(s->sealed, NULL, s->datagram, s->size,
                                                          bare_clear, sizeof bare_clear, NULL,
                                                          bare_nonce, bare_key) == 0);
}

static void bare_open(void *context)
{
    struct subject *s = context;

    NEVER_FAILS(crypto_aead_chacha20poly1305_ietf_decrypt(
                    s->opened, NULL, NULL, s->sealed, s->size + ENVELOPE_TAG_SIZE, bare_clear,
                    sizeof bare_clear, bare_nonce, bare_key) == 0);
}

static void run(const char *what, size_t size, void (*operation)(void *), struct subject *subject)
{
    char name[64];

    (void)snprintf(name, sizeof name, "%s, %zu bytes", what, size);
    bench_run(name, COUNT, operation, subject);
}

static struct subject subject_begin(enum swim_envelope envelope, size_t size)
{
    struct subject s = {
        .from = seal_begin(envelope, 1), .to = seal_begin(envelope, 2), .size = size};

    s.datagram[ENVELOPE_INSIDE_SENDER + 7] = SENDER;
    s.from->next_counter = 1000000;
    wrap(&s);
    unseal(&s);
    swim_seal_admit(s.to, &s.ret);
    return s;
}

static void subject_end(struct subject *s)
{
    swim_seal_free(s->from);
    swim_seal_free(s->to);
}

static void bench_size(size_t size)
{
    struct subject first = subject_begin(SWIM_ENVELOPE_1, size);
    struct subject second = subject_begin(SWIM_ENVELOPE_2, size);
    struct subject bare = {.size = size};

    run("seal, bare cipher", size, bare_seal, &bare);
    run("seal, envelope 1", size, wrap, &first);
    run("seal, envelope 2", size, wrap, &second);
    run("open, bare cipher", size, bare_open, &bare);
    run("open, envelope 1", size, unseal, &first);
    run("open, envelope 2", size, unseal, &second);
    subject_end(&first);
    subject_end(&second);
}

/* The largest datagrams, and the reasons for which they are refused, the cheapest first. */
static void bench_refused(void)
{
    struct subject second = subject_begin(SWIM_ENVELOPE_2, SWIM_DATAGRAM_MAX);
    struct subject first = subject_begin(SWIM_ENVELOPE_1, SWIM_DATAGRAM_MAX);

    second.expected = SWIM_SEAL_DROP_REPLAY;
    unseal(&second);
    run("refuse a repetition", second.sealed_size, refuse, &second);
    second.sealed[1] ^= 1;
    second.expected = SWIM_SEAL_DROP_KEY;
    run("refuse an unknown key", second.sealed_size, refuse, &second);
    second.sealed[1] ^= 1;
    second.sealed[2] ^= 1; /* another sender's: its subkey must be derived */
    second.expected = SWIM_SEAL_DROP_FORGED;
    run("refuse a forgery, envelope 2", second.sealed_size, refuse, &second);

    first.sealed[first.sealed_size - 1] ^= 1;
    first.expected = SWIM_SEAL_DROP_FORGED;
    run("refuse a forgery, envelope 1, 1 key", first.sealed_size, refuse, &first);
    for (uint8_t number = 2; number <= SWIM_KEYS_MAX; number++)
        install(first.to, number);
    run("refuse a forgery, envelope 1, 8 keys", first.sealed_size, refuse, &first);
    subject_end(&first);
    subject_end(&second);
}

int main(void)
{
    const size_t sizes[] = {64, 256, 1400};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        bench_size(sizes[i]);
    bench_refused();
    return 0;
}
