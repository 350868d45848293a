/*
 * A program for the kernel's packet filter (classic BPF: loads, arithmetic, forward jumps). It has
 * no memory of its own, so the bitmap is written out as code: a binary search over the words that
 * are not empty, which ends in the one word that holds the address's bit. docs/security.md, "Floods".
 */
#define _GNU_SOURCE
#include "agent/shield.h"

#include "base/assert.h"

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <string.h>

/* A hash is 32 bits: the upper 8 choose the word, the next 5 the bit. */
#define WORD_SHIFT 24
#define BIT_SHIFT 19
_Static_assert(SHIELD_WORDS == 1 << (32 - WORD_SHIFT), "every word can be chosen");
_Static_assert(SHIELD_PROGRAM_MAX <= BPF_MAXINSNS, "the kernel's limit");
_Static_assert(SHIELD_PROGRAM_MAX >= 4 * SHIELD_WORDS + 60, "a full map fits");

/* Offsets in the network header. */
#define IPV4_SOURCE 12
#define IPV6_SOURCE 8

/* The filter's scratch memory. */
#define HASH_CELL 0
#define WORD_CELL 1

/* ---- The map ----------------------------------------------------------------------------- */

void shield_map_init(struct shield_map *map, uint64_t secret)
{
    *map = (struct shield_map){0};
    for (size_t i = 0; i < sizeof map->factors / sizeof map->factors[0]; i++) {
        secret = secret * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        map->factors[i] = (uint32_t)(secret >> 32) | 1;
    }
}

void shield_map_clear(struct shield_map *map)
{
    memset(map->words, 0, sizeof map->words);
}

static uint32_t word_at(const uint8_t *ip)
{
    return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

/* The same in C and in the program: sums of words times secret factors, mixed once more. */
static uint32_t hash(const struct shield_map *map, const struct swim_addr *addr)
{
    const uint32_t *factors = map->factors;
    uint32_t sum = addr->port * factors[0];
    size_t words = addr->family == 6 ? 4 : 1;

    for (size_t i = 0; i < words; i++)
        sum ^= word_at(addr->ip + 4 * i) * factors[i + 1];
    sum ^= sum >> 15;
    return sum * factors[5] + factors[6];
}

void shield_map_add(struct shield_map *map, const struct swim_addr *addr)
{
    uint32_t at = hash(map, addr);

    map->words[at >> WORD_SHIFT] |= UINT32_C(1) << (at >> BIT_SHIFT & 31);
}

bool is_in_shield_map(const struct shield_map *map, const struct swim_addr *addr)
{
    uint32_t at = hash(map, addr);

    return (map->words[at >> WORD_SHIFT] >> (at >> BIT_SHIFT & 31) & 1) != 0;
}

/* ---- The program ------------------------------------------------------------------------- */

struct program {
    struct sock_filter *code;
    size_t size;
};

static size_t put(struct program *program, unsigned code, uint32_t k)
{
    ASSERT(program->size < SHIELD_PROGRAM_MAX);
    program->code[program->size] = (struct sock_filter){.code = (uint16_t)code, .k = k};
    return program->size++;
}

/* The next `then` instructions are skipped when it holds, else the next `otherwise`. */
static void put_jump(struct program *program, unsigned test, uint32_t k, uint8_t then,
                     uint8_t otherwise)
{
    size_t at = put(program, BPF_JMP | BPF_K | test, k);

    program->code[at].jt = then;
    program->code[at].jf = otherwise;
}

/* A jump to what will be the next instruction when land() is called. */
static size_t put_leap(struct program *program)
{
    return put(program, BPF_JMP | BPF_JA, 0);
}

static void land(struct program *program, size_t leap)
{
    program->code[leap].k = (uint32_t)(program->size - leap - 1);
}

/* A ^= word * factor, where X keeps the sum. */
static void put_sum(struct program *program, uint32_t offset, uint32_t factor)
{
    (void)put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + offset);
    (void)put(program, BPF_ALU | BPF_MUL | BPF_K, factor);
    (void)put(program, BPF_ALU | BPF_XOR | BPF_X, 0);
    (void)put(program, BPF_MISC | BPF_TAX, 0);
}

/* Leaves the hash in its cell. The program begins at the UDP header, hence at the source port. */
static void put_hash(struct program *program, const uint32_t *factors)
{
    size_t end;

    (void)put(program, BPF_LD | BPF_H | BPF_ABS, 0);
    (void)put(program, BPF_ALU | BPF_MUL | BPF_K, factors[0]);
    (void)put(program, BPF_MISC | BPF_TAX, 0);
    (void)put(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
    put_jump(program, BPF_JEQ, ETH_P_IPV6, 5, 0); /* over IPv4: a sum and a leap */
    put_sum(program, IPV4_SOURCE, factors[1]);
    end = put_leap(program);
    for (uint32_t i = 0; i < 4; i++)
        put_sum(program, IPV6_SOURCE + 4 * i, factors[i + 1]);
    land(program, end);
    (void)put(program, BPF_MISC | BPF_TXA, 0);
    (void)put(program, BPF_ALU | BPF_RSH | BPF_K, 15);
    (void)put(program, BPF_ALU | BPF_XOR | BPF_X, 0);
    (void)put(program, BPF_ALU | BPF_MUL | BPF_K, factors[5]);
    (void)put(program, BPF_ALU | BPF_ADD, factors[6]); /* BPF_K: 0 as well */
    (void)put(program, BPF_ST, HASH_CELL);
}

static bool is_empty(const struct shield_map *map, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++)
        if (map->words[i] != 0)
            return false;
    return true;
}

/*
 * A is the number of a word in begin..end; leaves that word in A. Depth-first, without recursion:
 * the parts to the right wait on a stack, each with the leap that leads to it, and every leaf leaps
 * to the end.
 */
static void put_search(struct program *program, const struct shield_map *map)
{
    struct {
        uint32_t begin;
        uint32_t end;
        size_t leap;
    } right[16];
    static const size_t none = SHIELD_PROGRAM_MAX;
    size_t leaps[SHIELD_WORDS];
    size_t leap_count = 0;
    size_t waiting = 0;
    uint32_t begin = 0;
    uint32_t end = SHIELD_WORDS;

    for (;;) {
        if (end - begin > 1 && !is_empty(map, begin, end)) {
            uint32_t middle = begin + (end - begin) / 2;
            put_jump(program, BPF_JGE, middle, 0, 1);
            right[waiting].begin = middle;
            right[waiting].end = end;
            right[waiting++].leap = put_leap(program);
            end = middle;
            continue;
        }
        (void)put(program, BPF_LD | BPF_IMM, end - begin > 1 ? 0 : map->words[begin]);
        leaps[leap_count++] = waiting > 0 ? put_leap(program) : none;
        if (waiting == 0)
            break;
        waiting--;
        begin = right[waiting].begin;
        end = right[waiting].end;
        land(program, right[waiting].leap);
    }
    for (size_t i = 0; i < leap_count; i++)
        if (leaps[i] != none)
            land(program, leaps[i]);
}

size_t shield_program(const struct shield_map *map, uint32_t keep, struct sock_filter *ret)
{
    struct program program = {.code = ret};

    put_hash(&program, map->factors);
    (void)put(&program, BPF_ALU | BPF_RSH | BPF_K, WORD_SHIFT);
    put_search(&program, map);
    (void)put(&program, BPF_ST, WORD_CELL);
    (void)put(&program, BPF_LD | BPF_MEM, HASH_CELL);
    (void)put(&program, BPF_ALU | BPF_RSH | BPF_K, BIT_SHIFT);
    (void)put(&program, BPF_ALU | BPF_AND | BPF_K, 31);
    (void)put(&program, BPF_MISC | BPF_TAX, 0);
    (void)put(&program, BPF_LD | BPF_MEM, WORD_CELL);
    (void)put(&program, BPF_ALU | BPF_RSH | BPF_X, 0);
    put_jump(&program, BPF_JSET, 1, 2, 0);
    (void)put(&program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM));
    put_jump(&program, BPF_JGT, keep, 1, 0);
    (void)put(&program, BPF_RET | BPF_K, UINT32_MAX);
    (void)put(&program, BPF_RET | BPF_K, 0);
    return program.size;
}
