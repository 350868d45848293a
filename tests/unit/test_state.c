/* The text of a node's state (src/agent/state.h): there and back, and nothing but what was written. */
#include "support.h"

#include "agent/address.h"
#include "agent/state.h"
#include "base/prng.h"
#include "base/siphash.h"

static struct swim_addr addr_of(const char *text)
{
    struct swim_addr addr;

    assert_null(address_parse(text, &addr));
    return addr;
}

static struct state example(void)
{
    struct state state = {.id = 11400714819323198485U,
                          .incarnation = 48,
                          .start = 1700000000000,
                          .cluster = "blue",
                          .member_count = 2};

    state.members[0] = addr_of("10.0.0.7:7000");
    state.members[1] = addr_of("[2001:db8::7]:7000");
    return state;
}

static char text[STATE_TEXT_MAX];

static size_t rendered(const struct state *state)
{
    size_t size = state_render(state, text, sizeof text);

    assert_true(size > 0 && size < sizeof text);
    return size;
}

/* What this version writes, byte for byte: later ones must read it. */
static void test_the_format(void **state)
{
    static const char expected[] = "swim-state 1\n"
                                   "cluster blue\n"
                                   "id 11400714819323198485\n"
                                   "incarnation 48\n"
                                   "start 1700000000000\n"
                                   "member 10.0.0.7:7000\n"
                                   "member [2001:db8::7]:7000\n"
                                   "checksum ";
    struct state written = example();
    size_t size = rendered(&written);

    (void)state;
    assert_int_equal(size, sizeof expected - 1 + 17);
    assert_memory_equal(text, expected, sizeof expected - 1);
    assert_int_equal(text[size - 1], '\n');
}

static void test_there_and_back(void **state)
{
    struct prng prng;
    struct state written;
    struct state read;
    const char *wrong;

    (void)state;
    prng_init(&prng, test_seed("state"));
    for (unsigned round = 0; round < 200; round++) {
        memset(&written, 0, sizeof written);
        written.id = prng_next(&prng) | 1;
        written.incarnation = (uint32_t)prng_next(&prng);
        written.start = prng_next(&prng) >> 17;
        if (round % 2)
            (void)snprintf(written.cluster, sizeof written.cluster, "c-%u.x_y", round);
        written.member_count = round == 7 ? STATE_MEMBERS_MAX : prng_below(&prng, 50);
        for (uint32_t i = 0; i < written.member_count; i++) {
            struct swim_addr *addr = &written.members[i];
            addr->family = round == 7 || prng_below(&prng, 2) ? 6 : 4;
            for (unsigned k = 0; k < (addr->family == 6 ? 16U : 4U); k++)
                addr->ip[k] = (uint8_t)(0x80 | prng_below(&prng, 128));
            addr->port = (uint16_t)(60000 + prng_below(&prng, 5536));
        }
        assert_int_equal(state_parse(text, rendered(&written), &read, &wrong), STATE_GOOD);
        assert_memory_equal(&read, &written, sizeof read);
    }
}

/* Cut off anywhere, or any byte another: never good. */
static void test_damage(void **state)
{
    struct state written = example();
    size_t size = rendered(&written);
    struct state read = {.id = 77};
    const char *wrong = NULL;

    (void)state;
    for (size_t cut = 0; cut < size; cut++)
        assert_int_not_equal(state_parse(text, cut, &read, &wrong), STATE_GOOD);
    for (size_t at = 0; at < size; at++) {
        for (unsigned change = 1; change < 256; change++) {
            text[at] = (char)(text[at] ^ (char)change);
            assert_int_not_equal(state_parse(text, size, &read, &wrong), STATE_GOOD);
            text[at] = (char)(text[at] ^ (char)change);
        }
    }
    text[size] = '\n';
    assert_int_equal(state_parse(text, size + 1, &read, &wrong), STATE_DAMAGED);
    assert_int_equal(read.id, 77);
    assert_int_equal(state_parse("", 0, &read, &wrong), STATE_DAMAGED);
    assert_string_equal(wrong, "it is empty");
}

static void test_foreign(void **state)
{
    static const char other[] = "[network]\nbind = \"127.0.0.1:7000\"\n";
    struct state read;
    const char *wrong;

    (void)state;
    assert_int_equal(state_parse(other, sizeof other - 1, &read, &wrong), STATE_FOREIGN);
    assert_int_equal(state_parse("\0\0\0\0", 4, &read, &wrong), STATE_FOREIGN);
    assert_int_equal(state_parse("swim-state 1\n", 13, &read, &wrong), STATE_DAMAGED);
}

/* The right checksum, and yet nothing that this program would write. */
static void expect_wrong(const char *from, const char *to, enum state_verdict verdict)
{
    struct state written = example();
    struct state read;
    const char *wrong;
    char body[1024];
    size_t size = rendered(&written);

    text[size - 26] = '\0';
    char *at = strstr(text, from);
    assert_non_null(at);
    (void)snprintf(body, sizeof body, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));

    (void)snprintf(
        text, sizeof text, "%schecksum %016llx\n", body,
        (unsigned long long)siphash((const uint8_t *)"swim state file", body, strlen(body)));
    assert_int_equal(state_parse(text, strlen(text), &read, &wrong), verdict);
}

static void test_what_is_never_written_is_not_read(void **state)
{
    static const char *const changes[][2] = {
        {"id 11400714819323198485", "id 0"},
        {"id 11400714819323198485", "id 18446744073709551616"},
        {"id 11400714819323198485", "id 011"},
        {"id 11400714819323198485", "id -1"},
        {"id 11400714819323198485", "id "},
        {"incarnation 48", "incarnation 4294967296"},
        {"incarnation 48\n", ""},
        {"start 1700000000000", "start 140737488355329"},
        {"cluster blue", "cluster "},
        {"cluster blue", "cluster bl ue"},
        {"10.0.0.7:7000", "10.0.0.7:0"},
        {"10.0.0.7:7000", "10.0.0.7"},
        {"10.0.0.7:7000", "010.0.0.7:7000"},
        {"10.0.0.7:7000", "node-1.example.org:7000"},
        {"[2001:db8::7]", "[2001:0db8::7]"},
        {"member 10", "members 10"},
        {"start 1700000000000", "start 1700000000000\nid 5"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++)
        expect_wrong(changes[i][0], changes[i][1], STATE_DAMAGED);
    expect_wrong("swim-state 1\n", "swim-state 2\n", STATE_FOREIGN);
    expect_wrong("incarnation 48", "incarnation 47", STATE_GOOD); /* the helper itself */
}

static void test_what_does_not_fit(void **state)
{
    struct state written = example();
    char small[512];
    size_t size = rendered(&written);

    (void)state;
    for (size_t cap = 0; cap <= size; cap++)
        assert_int_equal(state_render(&written, small, cap), 0);
    assert_int_equal(state_render(&written, small, size + 1), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_format),
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_what_is_never_written_is_not_read),
        cmocka_unit_test(test_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
