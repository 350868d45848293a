/* SipHash-2-4: see siphash.h. Reads words as little-endian on every platform, as its paper says. */
#include "base/siphash.h"

struct state {
    uint64_t v[4];
};

static uint64_t load_le(const uint8_t *at, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)at[i] << 8 * i;
    return word;
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void round_once(struct state *s)
{
    uint64_t *v = s->v;

    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void absorb(struct state *s, uint64_t word)
{
    s->v[3] ^= word;
    round_once(s);
    round_once(s);
    s->v[0] ^= word;
}

uint64_t siphash(const uint8_t key[SIPHASH_KEY_SIZE], const void *data, size_t size)
{
    const uint8_t *at = data;
    const uint64_t k0 = load_le(key, 8);
    const uint64_t k1 = load_le(key + 8, 8);
    struct state s = {{k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                       k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)}};
    size_t left = size;

    for (; left >= 8; left -= 8, at += 8)
        absorb(&s, load_le(at, 8));
    absorb(&s, (uint64_t)size << 56 | load_le(at, left));
    s.v[2] ^= 0xff;
    for (unsigned i = 0; i < 4; i++)
        round_once(&s);
    return s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3];
}
