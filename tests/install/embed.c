/*
 * The smallest program that embeds an installed libswim, compiled as C and as C++, against the
 * static and the shared library. It also defines a function that the core has inside, which must
 * not meet the core's; with an argument, it provokes a failed assertion.
 */
#include <swim/swim.h>

#include <stdio.h>
#include <stdlib.h>

int list_remove(int x);
int list_remove(int x)
{
    return x + 1;
}

#ifdef EMBED_OWN_PANIC
void swim_panic(const char *expression, const char *file, int line)
{
    (void)file;
    (void)line;
    printf("own panic: %s\n", expression);
    exit(42);
}
#endif

int main(int argc, char **argv)
{
    (void)argv;
    struct swim_config config;
    swim_config_default(&config);
    config.id = 7;
    config.seed = 7;
    config.addr.family = 4;
    config.addr.ip[0] = 127;
    config.addr.ip[3] = 1;
    config.addr.port = 7000;

    size_t size = swim_footprint(&config);
    struct swim *s = swim_init(calloc(1, size), size, &config, 1000);
    struct swim_addr seed = config.addr;
    seed.port = 7001;
    bool joined = swim_join(s, 1000, &seed);
    swim_advance(s, argc > 1 ? 0 : 1000 + 10000 * SWIM_MS);

    struct swim_addr to = config.addr;
    uint8_t datagram[SWIM_DATAGRAM_MAX];
    size_t written = swim_transmit(s, 1000 + 10000 * SWIM_MS, &to, datagram, sizeof datagram);
    bool ok = joined && written >= 24 && to.port == 7001 && list_remove(1) == 2;
    printf("%zu bytes to port %u: %s\n", written, (unsigned)to.port, ok ? "ok" : "wrong");
    return ok ? 0 : 1;
}
