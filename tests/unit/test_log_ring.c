/* The ring of log lines: whole lines only, oldest first, as many as fit; and no more memory. */
#include "support.h"

#include "agent/log_ring.h"

#include <stdio.h>

struct copy {
    size_t size;
    char text[LOG_RING_SIZE + 1];
};

static void sink(void *context, const char *data, size_t size)
{
    struct copy *copy = context;

    assert_true(copy->size + size <= LOG_RING_SIZE);
    memcpy(copy->text + copy->size, data, size);
    copy->size += size;
}

/* Lines "N xxx...\n", of sizes that never divide the ring's. */
static size_t make_line(unsigned number, char line[256])
{
    size_t size = (size_t)snprintf(line, 256, "%u ", number);

    memset(line + size, 'x', number % 97);
    size += number % 97;
    line[size++] = '\n';
    return size;
}

static void test_keeps_the_last_lines(void **state)
{
    static struct copy copy;
    char line[256];
    unsigned number = 0;

    (void)state;
    while (number < 12000) {
        for (unsigned i = 0; i < 1 + number % 701; i++, number++)
            log_ring_add(line, make_line(number, line));
        copy.size = 0;
        log_ring_write(sink, &copy);
        copy.text[copy.size] = '\0';
        /* From some line on, each as it was, to the last one. */
        const char *at = copy.text;
        unsigned first = (unsigned)strtoul(at, NULL, 10);
        for (unsigned expected = first; expected < number; expected++) {
            size_t size = make_line(expected, line);
            assert_memory_equal(at, line, size);
            at += size;
        }
        assert_true(at == copy.text + copy.size);
        assert_true(first == 0 || copy.size > LOG_RING_SIZE - 2 * sizeof line);
    }
}

static void test_a_line_beyond_all_measure(void **state)
{
    static char huge[LOG_RING_SIZE + 1];
    static struct copy copy;

    (void)state;
    log_ring_add(huge, sizeof huge);
    log_ring_write(sink, &copy);
    assert_true(copy.size > 0);
    assert_null(memchr(copy.text, '\0', copy.size));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_the_last_lines),
        cmocka_unit_test(test_a_line_beyond_all_measure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
