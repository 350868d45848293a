/* SipHash-2-4 against the test vectors of its authors: key and data count up from 0. */
#include "support.h"

#include "base/siphash.h"

static void test_published_vectors(void **state)
{
    static const struct {
        size_t size;
        uint64_t value;
    } vectors[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)}, {63, UINT64_C(0x958a324ceb064572)},
    };
    uint8_t key[SIPHASH_KEY_SIZE];
    uint8_t data[64];

    (void)state;
    for (uint8_t i = 0; i < sizeof data; i++)
        data[i] = i;
    memcpy(key, data, sizeof key);
    for (unsigned i = 0; i < COUNT_OF(vectors); i++)
        assert_true(siphash(key, data, vectors[i].size) == vectors[i].value);
}

static void test_every_bit_of_the_key_counts(void **state)
{
    uint8_t key[SIPHASH_KEY_SIZE] = {0};
    uint64_t value = siphash(key, "data", 4);

    (void)state;
    for (unsigned bit = 0; bit < 8 * sizeof key; bit++) {
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_true(siphash(key, "data", 4) != value);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(siphash(key, "data", 4) == value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_vectors),
        cmocka_unit_test(test_every_bit_of_the_key_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
