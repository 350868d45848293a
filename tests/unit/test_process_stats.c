/* Figures of this very process, against what it does to them. */
#define _GNU_SOURCE
#include "support.h"

#include "agent/process_stats.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void test_descriptors(void **state)
{
    uint64_t before = process_stats().open_fds;
    int fds[7];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(process_stats().open_fds, before + COUNT_OF(fds));
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        assert_int_equal(close(fds[i]), 0);
    assert_int_equal(process_stats().open_fds, before); /* its own is not counted, nor left open */
}

static void test_memory(void **state)
{
    enum { SIZE = 64 << 20 };
    struct process_stats before = process_stats();
    char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(memory != MAP_FAILED);
    assert_true(process_stats().virtual_bytes >= before.virtual_bytes + SIZE);
    for (size_t i = 0; i < SIZE; i += 4096)
        memory[i] = 1;
    assert_true(process_stats().resident_bytes >= before.resident_bytes + SIZE / 2);
    (void)munmap(memory, SIZE);
}

static void test_processor(void **state)
{
    uint64_t before = process_stats().cpu_ns;
    clock_t begin = clock();

    (void)state;
    while (clock() - begin < CLOCKS_PER_SEC / 20)
        continue;
    assert_true(process_stats().cpu_ns >= before + 49000000);
}

static void test_start_and_limit(void **state)
{
    double now = (double)time(NULL);
    double started = process_start_time();
    struct rlimit limit;

    (void)state;
    assert_true(started > now - 600 && started < now + 2);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(process_stats().max_fds, limit.rlim_cur);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_processor),
        cmocka_unit_test(test_start_and_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
