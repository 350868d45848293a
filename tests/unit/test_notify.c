/* What a service manager is told, read from a socket of the test's own. */
#define _GNU_SOURCE
#include "support.h"

#include "agent/notify.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SECOND UINT64_C(1000000000)

struct world {
    int manager;
    char folder[32];
    char path[sizeof(struct sockaddr_un)]; /* as NOTIFY_SOCKET says it */
};

static void set(const char *name, const char *value)
{
    assert_int_equal(value != NULL ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void listen_at(struct world *world, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t size = strlen(path);

    assert_true(size < sizeof addr.sun_path);
    memcpy(addr.sun_path, path, size);
    if (path[0] == '@')
        addr.sun_path[0] = '\0';
    world->manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(world->manager, (struct sockaddr *)&addr,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
                     0);
    set("NOTIFY_SOCKET", path);
}

static int make_world(void **state)
{
    static struct world world;

    world = (struct world){.folder = "/tmp/swim-notify-XXXXXX"};
    if (mkdtemp(world.folder) == NULL)
        return -1;
    (void)snprintf(world.path, sizeof world.path, "%s/socket", world.folder);
    listen_at(&world, world.path);
    set("WATCHDOG_USEC", NULL);
    set("WATCHDOG_PID", NULL);
    *state = &world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;

    (void)close(world->manager);
    (void)unlink(world->path);
    (void)rmdir(world->folder);
    return 0;
}

/* The next message; "" when there is none. */
static const char *heard(const struct world *world)
{
    static char text[4096];
    ssize_t size = recv(world->manager, text, sizeof text - 1, 0);

    text[size > 0 ? size : 0] = '\0';
    return text;
}

static void test_life(void **state)
{
    struct world *world = *state;
    struct notify notify;
    unsigned long long reloaded;
    struct timespec now;

    assert_true(notify_open(&notify));
    assert_string_equal(heard(world), "");
    assert_true(notify_ready(&notify));
    assert_string_equal(heard(world), "READY=1");
    assert_true(notify_reloading(&notify));
    assert_int_equal(sscanf(heard(world), "RELOADING=1\nMONOTONIC_USEC=%llu", &reloaded), 1);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_true(reloaded > 0 && reloaded <= (unsigned long long)now.tv_sec * 1000000 +
                                                (unsigned long long)now.tv_nsec / 1000);
    notify_watchdog(&notify);
    assert_string_equal(heard(world), "WATCHDOG=1");
    assert_true(notify_stopping(&notify, 3000));
    assert_string_equal(heard(world), "STOPPING=1\nEXTEND_TIMEOUT_USEC=3000000");
    notify_close(&notify);
    assert_true(notify_ready(&notify));
    assert_string_equal(heard(world), "");
}

static void test_abstract_address(void **state)
{
    struct world *world = *state;
    struct notify notify;
    char name[64];

    (void)close(world->manager);
    (void)snprintf(name, sizeof name, "@swim-notify-%ld", (long)getpid());
    listen_at(world, name);
    assert_true(notify_open(&notify));
    assert_true(notify_ready(&notify));
    assert_string_equal(heard(world), "READY=1");
    notify_close(&notify);
}

static void test_environment_is_taken(void **state)
{
    struct notify notify;
    char pid[24];

    (void)state;
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    set("WATCHDOG_USEC", "3000000");
    set("WATCHDOG_PID", pid);
    assert_true(notify_open(&notify));
    assert_int_equal(notify.watchdog_ns, 3 * SECOND);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_null(getenv("WATCHDOG_USEC"));
    assert_null(getenv("WATCHDOG_PID"));
    notify_close(&notify);
}

static void test_watchdog_of_others(void **state)
{
    static const struct {
        const char *usec;
        const char *pid;
        uint64_t expected;
    } cases[] = {
        {"3000000", NULL, 3 * SECOND},
        {"3000000", "1", 0},
        {"3000000", "", 0},
        {"3000000", "x", 0},
        {"0", NULL, 0},
        {"", NULL, 0},
        {"3000000x", NULL, 0},
        {"-3", NULL, 0},
        {NULL, NULL, 0},
        {"99999999999999999999999999", NULL, 0},
    };
    struct world *world = *state;
    struct notify notify;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        set("NOTIFY_SOCKET", world->path);
        set("WATCHDOG_USEC", cases[i].usec);
        set("WATCHDOG_PID", cases[i].pid);
        assert_true(notify_open(&notify));
        assert_int_equal(notify.watchdog_ns, cases[i].expected);
        notify_close(&notify);
    }
}

static void test_no_manager(void **state)
{
    struct world *world = *state;
    struct notify notify;

    set("NOTIFY_SOCKET", NULL);
    set("WATCHDOG_USEC", "3000000");
    assert_true(notify_open(&notify));
    assert_int_equal(notify.fd, -1);
    assert_int_equal(notify.watchdog_ns, 0);
    assert_true(notify_ready(&notify));
    assert_int_equal(notify_status(&notify, SECOND, "3 alive"), 0);
    assert_string_equal(heard(world), "");
}

static void test_bad_addresses(void **state)
{
    char long_path[200];
    const char *bad[] = {"relative/path", "@", "/", "vsock:2:1234", long_path};
    struct notify notify;

    (void)state;
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[0] = '/';
    long_path[sizeof long_path - 1] = '\0';
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        set("NOTIFY_SOCKET", bad[i]);
        assert_false(notify_open(&notify));
        assert_int_equal(errno, EINVAL);
        assert_int_equal(notify.fd, -1);
        assert_null(getenv("NOTIFY_SOCKET"));
        assert_true(notify_ready(&notify));
    }
}

static void test_status_is_said_when_it_is_news(void **state)
{
    struct world *world = *state;
    struct notify notify;

    assert_true(notify_open(&notify));
    assert_int_equal(notify_status(&notify, 5 * SECOND, "1 alive"), 0);
    assert_string_equal(heard(world), "STATUS=1 alive");
    assert_int_equal(notify_status(&notify, 9 * SECOND, "1 alive"), 0);
    assert_string_equal(heard(world), "");
    assert_int_equal(notify_status(&notify, 10 * SECOND, "2 alive"), 0);
    assert_string_equal(heard(world), "STATUS=2 alive");
    /* Less than a second later: it waits, and only the last one is said. */
    assert_int_equal(notify_status(&notify, 10 * SECOND + SECOND / 4, "3 alive"), SECOND * 3 / 4);
    assert_int_equal(notify_status(&notify, 10 * SECOND + SECOND / 2, "4 alive"), SECOND / 2);
    assert_string_equal(heard(world), "");
    assert_int_equal(notify_status_again(&notify, 11 * SECOND - 1), 1);
    assert_int_equal(notify_status_again(&notify, 11 * SECOND), 0);
    assert_string_equal(heard(world), "STATUS=4 alive");
    /* There and back within the second: nothing to say. */
    assert_int_not_equal(notify_status(&notify, 11 * SECOND + 1, "5 alive"), 0);
    assert_int_equal(notify_status(&notify, 11 * SECOND + 2, "4 alive"), 0);
    assert_int_equal(notify_status_again(&notify, 20 * SECOND), 0);
    assert_string_equal(heard(world), "");
    notify_close(&notify);
}

static void test_status_is_one_line(void **state)
{
    struct world *world = *state;
    char text[NOTIFY_STATUS_MAX * 2];
    struct notify notify;

    assert_true(notify_open(&notify));
    assert_int_equal(notify_status(&notify, SECOND, "fine\nMAINPID=1"), 0);
    assert_string_equal(heard(world), "STATUS=fine");
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(notify_status(&notify, 9 * SECOND, text), 0);
    assert_int_equal(strlen(heard(world)), strlen("STATUS=") + NOTIFY_STATUS_MAX - 1);
    notify_close(&notify);
}

/* A manager that doesn't read costs a fifth of a second for a message of life, and nothing else. */
static void test_full_queue(void **state)
{
    struct world *world = *state;
    struct timespec begin, end;
    struct notify notify;
    int said = 0;

    assert_true(notify_open(&notify));
    while (said < 100000 && sendto(notify.fd, "x", 1, MSG_DONTWAIT,
                                   (struct sockaddr *)&notify.manager, notify.manager_size) == 1)
        said++;
    assert_in_range(said, 1, 99999);
    notify_watchdog(&notify);
    assert_int_equal(notify_status(&notify, SECOND, "1 alive"), NOTIFY_STATUS_NS);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &begin), 0);
    assert_false(notify_ready(&notify));
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &end), 0);
    assert_true(end.tv_sec - begin.tv_sec < 10);
    while (*heard(world) != '\0')
        ;
    assert_int_equal(notify_status_again(&notify, 2 * SECOND), 0);
    assert_string_equal(heard(world), "STATUS=1 alive");
    notify_close(&notify);
}

static void test_manager_is_gone(void **state)
{
    struct world *world = *state;
    struct notify notify;

    assert_true(notify_open(&notify));
    (void)close(world->manager);
    world->manager = -1;
    assert_false(notify_ready(&notify));
    notify_watchdog(&notify);
    assert_int_not_equal(notify_status(&notify, SECOND, "1 alive"), 0);
    notify_close(&notify);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_life),
        TEST(test_abstract_address),
        TEST(test_environment_is_taken),
        TEST(test_watchdog_of_others),
        TEST(test_no_manager),
        TEST(test_bad_addresses),
        TEST(test_status_is_said_when_it_is_news),
        TEST(test_status_is_one_line),
        TEST(test_full_queue),
        TEST(test_manager_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
