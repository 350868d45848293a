/*
 * The smallest program that protects its datagrams with an installed libswim-seal, compiled as C
 * and as C++, against the static and the shared library. It also defines functions that both
 * libraries have inside, which must not meet theirs.
 */
#include <swim/seal.h>
#include <swim/swim.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int window_mark(int x);
int window_mark(int x)
{
    return x + 1;
}

int list_remove(int x);
int list_remove(int x)
{
    return x + 1;
}

static struct swim_seal *seal_begin(uint8_t number)
{
    struct swim_seal_config config;
    uint8_t key[SWIM_KEY_SIZE];

    memset(&config, 0, sizeof config);
    memset(key, 42, sizeof key);
    memset(config.entropy, number, sizeof config.entropy);
    config.envelope = SWIM_ENVELOPE_2;
    config.cluster = "installed";
    config.start = number;
    config.members_max = 16;
    struct swim_seal *seal = swim_seal_new(&config);
    return seal != NULL && swim_seal_key_install(seal, key) == SWIM_KEY_OK ? seal : NULL;
}

int main(int argc, char **argv)
{
    (void)argv;
    struct swim_seal *from = seal_begin(1);
    struct swim_seal *to = seal_begin(2);
    uint8_t datagram[24] = {1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};
    uint8_t sealed[SWIM_SEALED_MAX];
    uint8_t opened[SWIM_SEALED_MAX];
    struct swim_seal_opened about;

    if (from == NULL || to == NULL)
        return 1;
    size_t size = swim_seal_wrap(from, datagram, sizeof datagram, sealed,
                                 argc > 1 ? sizeof datagram : sizeof sealed);
    enum swim_seal_error first = swim_seal_open(to, sealed, size, opened, sizeof opened, &about);
    bool is_first = first == SWIM_SEAL_OK && !about.is_fresh && about.sender == 7 &&
                    memcmp(opened, datagram, sizeof datagram) == 0;

    swim_seal_admit(to, &about);
    bool is_last =
        swim_seal_open(to, sealed, size, opened, sizeof opened, &about) == SWIM_SEAL_DROP_REPLAY;
    bool ok = size == sizeof datagram + SWIM_SEAL_OVERHEAD_2 && is_first && is_last &&
              window_mark(1) + list_remove(1) == 4;

    swim_seal_free(from);
    swim_seal_free(to);
    printf("%zu bytes: %s\n", size, ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
