/*
 * What is given back to the kernel is nobody's any more, however the program was linked: under
 * link-time optimisation, calls vanish into their callers, whose frames can be large.
 */
#include "support.h"

#include "agent/memory.h"

#define FRAME_BYTES (200 * 1024)

static void callers_keep_their_stack(void **state)
{
    (void)state;
    unsigned char frame[FRAME_BYTES];
    volatile unsigned char *bytes = frame;

    for (size_t i = 0; i < sizeof(frame); i++)
        bytes[i] = (unsigned char)(i % 251 + 1);
    memory_trim();
    for (size_t i = 0; i < sizeof(frame); i++) {
        if (bytes[i] != (unsigned char)(i % 251 + 1))
            fail_msg("byte %zu of the caller's frame is %u", i, bytes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(callers_keep_their_stack)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
