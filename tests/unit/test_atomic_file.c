/*
 * Files are whole or not there: the order of the steps, each step failing, a crash between any two,
 * two writers, links, modes. The linker puts this test in front of write, fsync and rename.
 */
#define _GNU_SOURCE
#include "support.h"

#include "agent/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];
static char path[96];
static char fresh[104];

/* ---- In front of libc -------------------------------------------------------------------- */

ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static bool is_watching;
static char calls[64];    /* "wfrf": in the order in which they came */
static size_t fail_call;  /* counted from 1; 0: none */
static size_t crash_call; /* before it does anything */
static int fail_errno;
static size_t write_portion; /* at most so many bytes a call; 0: all */

/* Notes the call; true when it must fail. */
static bool intercept(char name)
{
    size_t number;

    if (!is_watching)
        return false;
    number = strlen(calls) + 1;
    assert_true(number < sizeof calls);
    calls[number - 1] = name;
    if (number == crash_call)
        _exit(42);
    if (number == fail_call)
        errno = fail_errno;
    return number == fail_call;
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    if (intercept('w'))
        return -1;
    return __real_write(fd, data, write_portion > 0 && size > write_portion ? write_portion : size);
}

int __wrap_fsync(int fd)
{
    return intercept('f') ? -1 : __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    return intercept('r') ? -1 : __real_rename(from, to);
}

static enum atomic_file_step put(const char *name, const char *text, unsigned mode)
{
    memset(calls, 0, sizeof calls);
    is_watching = true;
    enum atomic_file_step step = atomic_file_write(name, text, strlen(text), mode);
    int cause = errno;
    is_watching = false;
    errno = cause;
    return step;
}

/* ---- Looking ----------------------------------------------------------------------------- */

static void assert_content(const char *name, const char *expected)
{
    char text[256] = "";
    int fd = open(name, O_RDONLY | O_NOFOLLOW);

    if (expected == NULL) {
        assert_int_equal(fd, -1);
        assert_int_equal(errno, ENOENT);
        return;
    }
    if (fd < 0)
        fail_msg("%s: %s", name, strerror(errno));
    ssize_t size = read(fd, text, sizeof text - 1);
    (void)close(fd);
    assert_true(size >= 0);
    assert_string_equal(text, expected);
}

static unsigned mode_of(const char *name)
{
    struct stat status;

    assert_int_equal(lstat(name, &status), 0);
    return status.st_mode & 07777;
}

static int make_folder(void **state)
{
    (void)state;
    (void)strcpy(folder, "/tmp/swim-atomic-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/keys", folder);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    fail_call = crash_call = write_portion = 0;
    fail_errno = EIO;
    return 0;
}

static int remove_folder(void **state)
{
    char link[96];

    (void)state;
    (void)snprintf(link, sizeof link, "%s/link", folder);
    (void)unlink(link);
    (void)unlink(path);
    (void)rmdir(fresh);
    (void)unlink(fresh);
    return rmdir(folder);
}

/* ---- Tests ------------------------------------------------------------------------------- */

static void test_writes_whole(void **state)
{
    (void)state;
    mode_t before = umask(077);

    assert_int_equal(put(path, "one\n", 0644), ATOMIC_FILE_DONE);
    assert_string_equal(calls, "wfrf"); /* content, to the disk, under its name, to the disk */
    assert_content(path, "one\n");
    assert_int_equal(mode_of(path), 0644);
    (void)umask(0);
    write_portion = 3;
    assert_int_equal(put(path, "another\n", 0600), ATOMIC_FILE_DONE);
    assert_string_equal(calls, "wwwfrf");
    assert_content(path, "another\n");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(put(path, "", 0600), ATOMIC_FILE_DONE);
    assert_content(path, "");
    assert_content(fresh, NULL);
    (void)umask(before);
}

static void test_each_step_can_fail(void **state)
{
    (void)state;
    static const enum atomic_file_step steps[] = {ATOMIC_FILE_WRITE, ATOMIC_FILE_SYNC,
                                                  ATOMIC_FILE_RENAME};

    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        fail_call = i + 1;
        fail_errno = i == 0 ? ENOSPC : EIO;
        assert_int_equal(put(path, "new\n", 0600), steps[i]);
        assert_int_equal(errno, fail_errno);
        assert_content(path, "old\n");
        assert_content(fresh, NULL);
    }
    fail_call = 4;
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_SYNC_FOLDER);
    assert_content(path, "new\n");
    fail_call = 0;
    for (int step = 0; step < ATOMIC_FILE_STEP_COUNT; step++)
        assert_non_null(atomic_file_step_text((enum atomic_file_step)step));
}

/* Before each call in turn, and what the next start finds. */
static void test_a_crash_leaves_the_old_or_the_new(void **state)
{
    (void)state;
    for (size_t at = 1; at <= 4; at++) {
        int status = 0;
        assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
        crash_call = at;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)put(path, "new, and longer\n", 0600);
            _exit(0);
        }
        crash_call = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 42);
        assert_content(path, at <= 3 ? "old\n" : "new, and longer\n");
        /* What it left behind is in nobody's way. */
        assert_int_equal(put(path, "next\n", 0640), ATOMIC_FILE_DONE);
        assert_content(path, "next\n");
        assert_int_equal(mode_of(path), 0640);
        assert_content(fresh, NULL);
    }
}

/* For real: the kernel refuses the rest of the file. */
static void test_full_disk(void **state)
{
    (void)state;
    struct rlimit before;
    struct rlimit small;
    static char large[20000];

    memset(large, 'x', sizeof large - 1);
    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 8192;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum atomic_file_step step = put(path, large, 0600);
    int cause = errno;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(step, ATOMIC_FILE_WRITE);
    assert_int_equal(cause, EFBIG);
    assert_string_equal(calls, "ww"); /* a part was written, and nobody will see it */
    assert_content(path, "old\n");
    assert_content(fresh, NULL);
}

static void test_folders_that_refuse(void **state)
{
    (void)state;
    char name[200];
    static char long_name[5000];

    (void)snprintf(name, sizeof name, "%s/none/keys", folder);
    assert_int_equal(put(name, "x", 0600), ATOMIC_FILE_CREATE);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(put("", "x", 0600), ATOMIC_FILE_NAME);
    memset(long_name, 'x', sizeof long_name - 1);
    assert_int_equal(put(long_name, "x", 0600), ATOMIC_FILE_NAME);
    assert_int_equal(errno, ENAMETOOLONG);

    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    assert_int_equal(mkdir(fresh, 0700), 0);
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_CREATE);
    assert_int_equal(rmdir(fresh), 0);
    assert_content(path, "old\n");

    assert_int_equal(chmod(folder, 0555), 0);
    if (getuid() == 0) /* whom no mode stops */
        assert_int_equal(seteuid(65534), 0);
    enum atomic_file_step step = put(path, "new\n", 0600);
    int cause = errno;
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_true(step == ATOMIC_FILE_CREATE);
    assert_int_equal(cause, EACCES);
    assert_content(path, "old\n");
}

static void test_links(void **state)
{
    (void)state;
    char link[96];
    struct stat status;

    (void)snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(put(link, "new\n", 0600), ATOMIC_FILE_DONE);
    assert_content(path, "new\n");
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    /* A link in the place of the temporary file could lead anywhere. */
    assert_int_equal(symlink(link, fresh), 0);
    assert_int_equal(put(path, "evil\n", 0600), ATOMIC_FILE_CREATE);
    assert_int_equal(errno, ELOOP);
    assert_content(path, "new\n");
}

static void test_two_writers(void **state)
{
    (void)state;
    int other;

    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    other = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(other >= 0);
    assert_int_equal(flock(other, LOCK_EX), 0);
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_CREATE);
    assert_int_equal(errno, EWOULDBLOCK);
    assert_content(fresh, ""); /* the other's, untouched */
    (void)close(other);
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_DONE);
    assert_content(path, "new\n");
}

/* What somebody else has put there, and may still have open, is not written to. */
static void test_leftovers_of_others(void **state)
{
    (void)state;
    char other[sizeof fresh + 8];
    int fd;

    assert_int_equal(put(path, "old\n", 0600), ATOMIC_FILE_DONE);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(other, sizeof other, "%s.other", fresh);
    assert_int_equal(link(fresh, other), 0);
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_CREATE);
    assert_int_equal(errno, EPERM);
    assert_content(other, "");
    assert_int_equal(unlink(other), 0);
    if (geteuid() == 0) {
        assert_int_equal(chown(fresh, 65534, 65534), 0);
        assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_CREATE);
        assert_int_equal(errno, EPERM);
        assert_content(fresh, "");
        assert_int_equal(unlink(fresh), 0);
    }
    assert_content(path, "old\n");
    assert_int_equal(put(path, "new\n", 0600), ATOMIC_FILE_DONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_writes_whole),
        TEST(test_each_step_can_fail),
        TEST(test_a_crash_leaves_the_old_or_the_new),
        TEST(test_full_disk),
        TEST(test_folders_that_refuse),
        TEST(test_links),
        TEST(test_two_writers),
        TEST(test_leftovers_of_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
