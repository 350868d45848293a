/*
 * The kernel's filter: what passes and what doesn't, by an interpreter of its own here and by the
 * kernel itself, for maps of every size; the program stays within its limits.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/shield.h"
#include "base/prng.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sock_filter code[SHIELD_PROGRAM_MAX];

/* ---- An interpreter ---------------------------------------------------------------------- */

struct machine {
    uint32_t a;
    uint32_t x;
    uint32_t cells[BPF_MEMWORDS];
    uint32_t random;
    const struct swim_addr *from;
};

static uint32_t load(const struct machine *machine, uint32_t offset, unsigned size)
{
    const struct swim_addr *from = machine->from;
    uint32_t network = (uint32_t)SKF_NET_OFF;
    uint32_t word;

    if (offset == 0 && size == BPF_H)
        return from->port;
    if (offset == (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL))
        return from->family == 6 ? ETH_P_IPV6 : ETH_P_IP;
    if (offset == (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM))
        return machine->random;
    uint32_t at = offset - network - (from->family == 6 ? 8 : 12);
    assert_true(size == BPF_W && at % 4 == 0 && at < (from->family == 6 ? 16 : 4));
    memcpy(&word, from->ip + at, 4);
    return ntohl(word);
}

static uint32_t calculate(const struct machine *machine, const struct sock_filter *at)
{
    uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;

    switch (BPF_OP(at->code)) {
    case BPF_MUL: return machine->a * operand;
    case BPF_XOR: return machine->a ^ operand;
    case BPF_ADD: return machine->a + operand;
    case BPF_AND: return machine->a & operand;
    case BPF_RSH: assert_true(operand < 32); return machine->a >> operand;
    default: fail_msg("operation %x", at->code); return 0;
    }
}

static size_t jump(const struct machine *machine, const struct sock_filter *at)
{
    switch (BPF_OP(at->code)) {
    case BPF_JA: return at->k;
    case BPF_JEQ: return machine->a == at->k ? at->jt : at->jf;
    case BPF_JGT: return machine->a > at->k ? at->jt : at->jf;
    case BPF_JGE: return machine->a >= at->k ? at->jt : at->jf;
    case BPF_JSET: return (machine->a & at->k) != 0 ? at->jt : at->jf;
    default: fail_msg("jump %x", at->code); return 0;
    }
}

/* Does the program pass a datagram from there? Every jump goes forward, so it ends. */
static bool passes(size_t size, const struct swim_addr *from, uint32_t random)
{
    struct machine machine = {.from = from, .random = random};

    for (size_t i = 0; i < size; i++) {
        const struct sock_filter *at = &code[i];
        switch (BPF_CLASS(at->code)) {
        case BPF_LD:
            machine.a = BPF_MODE(at->code) == BPF_IMM   ? at->k
                        : BPF_MODE(at->code) == BPF_MEM ? machine.cells[at->k]
                                                        : load(&machine, at->k, BPF_SIZE(at->code));
            break;
        case BPF_ST: machine.cells[at->k] = machine.a; break;
        case BPF_ALU: machine.a = calculate(&machine, at); break;
        case BPF_JMP: i += jump(&machine, at); break;
        case BPF_MISC:
            if (BPF_MISCOP(at->code) == BPF_TAX)
                machine.x = machine.a;
            else
                machine.a = machine.x;
            break;
        case BPF_RET: return at->k != 0;
        default: fail_msg("instruction %x", at->code);
        }
    }
    fail_msg("it runs off its end");
    return false;
}

/* ---- Tests ------------------------------------------------------------------------------- */

static struct swim_addr random_addr(struct prng *prng)
{
    struct swim_addr addr = {.family = prng_below(prng, 2) == 0 ? 4 : 6};

    for (size_t i = 0; i < (addr.family == 6 ? 16U : 4U); i++)
        addr.ip[i] = (uint8_t)prng_below(prng, 256);
    addr.port = (uint16_t)prng_below(prng, 65536);
    return addr;
}

static void test_maps_of_every_size(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {0, 1, 2, 5, 50, 800, 3000, 20000};
    static struct swim_addr members[20000];
    struct shield_map map;
    struct prng prng;

    prng_init(&prng, test_seed("shield"));
    for (size_t s = 0; s < COUNT_OF(sizes); s++) {
        unsigned taken_for_members = 0;
        shield_map_init(&map, prng_next(&prng));
        for (uint32_t i = 0; i < sizes[s]; i++) {
            members[i] = random_addr(&prng);
            shield_map_add(&map, &members[i]);
        }
        size_t size = shield_program(&map, 1000000, code);
        assert_true(size <= SHIELD_PROGRAM_MAX);
        for (uint32_t i = 0; i < sizes[s]; i++)
            assert_true(passes(size, &members[i], UINT32_MAX));
        for (int i = 0; i < 3000; i++) {
            struct swim_addr stranger = random_addr(&prng);
            bool is_in = is_in_shield_map(&map, &stranger);
            taken_for_members += is_in;
            assert_int_equal(passes(size, &stranger, UINT32_MAX), is_in);
            assert_int_equal(passes(size, &stranger, 1000001), is_in);
            assert_true(passes(size, &stranger, 1000000));
        }
        printf("%u members: %zu instructions, %.1f %% of strangers pass\n", sizes[s], size,
               taken_for_members / 30.0);
        assert_true(sizes[s] > 800 || taken_for_members < 450);
        shield_map_clear(&map);
        if (sizes[s] > 0)
            assert_false(is_in_shield_map(&map, &members[0]));
    }
}

/* Neighbours, as members of one network are: addresses and ports in a row. */
static void test_neighbours(void **state)
{
    (void)state;
    struct shield_map map;
    unsigned taken_for_members = 0;

    shield_map_init(&map, test_seed("neighbours"));
    for (uint8_t i = 0; i < 100; i++)
        shield_map_add(&map, &(struct swim_addr){.ip = {10, 0, 0, i}, .port = 7000, .family = 4});
    for (unsigned i = 0; i < 10000; i++)
        taken_for_members += is_in_shield_map(
            &map, &(struct swim_addr){.ip = {10, 0, 0, 200}, .port = (uint16_t)i, .family = 4});
    assert_true(taken_for_members < 500); /* 100 bits of 8,192 are set: 122 are expected */
}

static int open_socket(int family, struct sockaddr_in6 *ret_name)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, name, size) != 0 || getsockname(fd, name, &size) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    memset(ret_name, 0, sizeof *ret_name);
    memcpy(ret_name, name, size);
    return fd;
}

static struct swim_addr addr_of(const struct sockaddr_in6 *name)
{
    struct swim_addr addr = {.port = ntohs(name->sin6_port), .family = 6};
    struct sockaddr_in v4;

    memcpy(addr.ip, &name->sin6_addr, 16);
    if (name->sin6_family == AF_INET) {
        memcpy(&v4, name, sizeof v4);
        addr = (struct swim_addr){.port = ntohs(v4.sin_port), .family = 4};
        memcpy(addr.ip, &v4.sin_addr, 4);
    }
    return addr;
}

/* The kernel takes the program, and does with it what the interpreter says. */
static void try_kernel(int family)
{
    static struct shield_map map;
    struct sockaddr_in6 to;
    struct sockaddr_in6 names[2];
    struct sock_fprog program = {.filter = code};
    int target = open_socket(family, &to);
    int senders[2] = {open_socket(family, &names[0]), open_socket(family, &names[1])};
    char text[8];
    struct prng prng;

    if (target < 0)
        skip();
    struct swim_addr member = addr_of(&names[0]);
    struct swim_addr stranger = addr_of(&names[1]);
    prng_init(&prng, test_seed("kernel"));
    do { /* a map of many members, but the second sender isn't taken for one */
        shield_map_init(&map, prng_next(&prng));
        for (int i = 0; i < 800; i++) {
            struct swim_addr other = random_addr(&prng);
            shield_map_add(&map, &other);
        }
        shield_map_add(&map, &member);
    } while (is_in_shield_map(&map, &stranger));
    program.len = (unsigned short)shield_program(&map, 0, code);
    assert_int_equal(setsockopt(target, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
    for (int i = 0; i < 10; i++)
        for (int s = 1; s >= 0; s--)
            assert_int_equal(
                sendto(senders[s], s == 0 ? "mem" : "str", 3, 0, (struct sockaddr *)&to, sizeof to),
                3);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(recv(target, text, sizeof text, 0), 3);
        assert_memory_equal(text, "mem", 3);
    }
    assert_int_equal(recv(target, text, sizeof text, 0), -1);
    (void)close(target);
    (void)close(senders[0]);
    (void)close(senders[1]);
}

static void test_kernel_ipv4(void **state)
{
    (void)state;
    try_kernel(AF_INET);
}

static void test_kernel_ipv6(void **state)
{
    (void)state;
    try_kernel(AF_INET6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_of_every_size),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_kernel_ipv4),
        cmocka_unit_test(test_kernel_ipv6),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
