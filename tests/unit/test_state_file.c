/*
 * The state on its disk (src/agent/state_file.h): killed at every and at random calls of the way to
 * it, and powered off after every one, with whatever the disk then makes of what was not brought to
 * it. A reader finds the state before or the state after, and what was reported as written. The
 * linker puts this test in front of write, ftruncate, fsync and rename.
 */
#define _GNU_SOURCE
#include "sanitized.h"
#include "support.h"

#include "agent/state_file.h"
#include "base/prng.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* To fork takes a sanitized process a tenth of a second. */
enum { KILLS = IS_SANITIZED ? 150 : 1200 };

static char folder[64];
static char path[96];

/* ---- In front of libc -------------------------------------------------------------------- */

ssize_t __real_write(int fd, const void *data, size_t size);
int __real_ftruncate(int fd, off_t size);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

enum step { STEP_WRITE, STEP_TRUNCATE, STEP_SYNC_FILE, STEP_RENAME, STEP_SYNC_FOLDER };

struct noted {
    enum step step;
    size_t size; /* of a write */
};

static bool is_watching;
static uint32_t call_count;
static uint32_t kill_call;   /* counted from 1; 0: none */
static size_t kill_after;    /* so many bytes of a write, then */
static size_t write_portion; /* at most so many bytes a call; 0: all */
static struct noted noted[256];

static void note(enum step step, size_t size)
{
    if (!is_watching)
        return;
    assert_true(call_count < COUNT_OF(noted));
    noted[call_count++] = (struct noted){step, size};
    if (call_count == kill_call && step != STEP_WRITE)
        (void)raise(SIGKILL);
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
    if (!is_watching)
        return __real_write(fd, data, size);
    size = write_portion > 0 && size > write_portion ? write_portion : size;
    note(STEP_WRITE, size);
    if (call_count != kill_call)
        return __real_write(fd, data, size);
    (void)__real_write(fd, data, kill_after < size ? kill_after : size);
    (void)raise(SIGKILL);
    return -1;
}

int __wrap_ftruncate(int fd, off_t size)
{
    note(STEP_TRUNCATE, 0);
    return __real_ftruncate(fd, size);
}

int __wrap_fsync(int fd)
{
    struct stat held;

    assert_int_equal(fstat(fd, &held), 0);
    note(S_ISDIR(held.st_mode) ? STEP_SYNC_FOLDER : STEP_SYNC_FILE, 0);
    return __real_fsync(fd);
}

int __wrap_rename(const char *from, const char *to)
{
    note(STEP_RENAME, 0);
    return __real_rename(from, to);
}

/* ---- A folder ---------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/swim-state-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/state", folder);
    is_watching = false;
    call_count = kill_call = 0;
    write_portion = 0;
    return 0;
}

static int tear_down(void **state)
{
    char command[96];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void opened(struct state_file *file)
{
    struct config_error error;

    if (state_file_open(file, folder, &error) != EXIT_CODE_OK)
        fail_msg("%s", error.text);
}

/* As many members as the incarnation says, so that texts differ in size. */
static struct state state_of(uint32_t incarnation)
{
    struct state state = {.id = 42, .incarnation = incarnation, .start = incarnation};

    state.member_count = incarnation % 50;
    for (uint32_t i = 0; i < state.member_count; i++)
        state.members[i] =
            (struct swim_addr){.ip = {10, 0, 0, (uint8_t)i}, .port = 7000, .family = 4};
    return state;
}

static bool put(const struct state_file *file, uint32_t incarnation)
{
    static char text[STATE_TEXT_MAX];
    struct state state = state_of(incarnation);
    enum atomic_file_step step;

    return state_file_write(file, text, state_render(&state, text, sizeof text), &step);
}

/* The incarnation on the disk; the whole state must be the one that belongs to it. */
static uint32_t on_disk(void)
{
    struct state_file file;
    struct state read;
    struct state expected;
    struct config_error note_text;

    opened(&file);
    if (state_file_load(&file, "", &read, &note_text) != STATE_FOUND)
        fail_msg("no state: %s", note_text.text);
    state_file_close(&file);
    expected = state_of(read.incarnation);
    assert_memory_equal(&read, &expected, sizeof read);
    return read.incarnation;
}

/* ---- Kills ------------------------------------------------------------------------------- */

/* A run of a node: reads its state, and writes the next ones until it is killed, or has written
 * `writes` of them. Tells by `pipe` which it has reported as saved: those it would use. */
static void live(int told, uint32_t writes)
{
    struct state_file file;
    struct state state;
    struct config_error error;

    if (state_file_open(&file, folder, &error) != EXIT_CODE_OK)
        _exit(3);
    if (state_file_load(&file, "", &state, &error) != STATE_FOUND)
        _exit(4);
    is_watching = true;
    for (uint32_t i = 1; i <= writes; i++) {
        uint32_t next = state.incarnation + i;
        if (!put(&file, next))
            _exit(5);
        is_watching = false;
        (void)!__real_write(told, &next, sizeof next);
        is_watching = true;
    }
    _exit(0);
}

/* Returns how it ended; *ret_saved is the last incarnation that it reported, or as it was. */
static int run_life(uint32_t writes, uint32_t *ret_saved)
{
    int told[2];
    int status;
    uint32_t saved;
    pid_t child;

    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        live(told[1], writes);
    (void)close(told[1]);
    while (read(told[0], &saved, sizeof saved) == (ssize_t)sizeof saved)
        *ret_saved = saved;
    (void)close(told[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void begin_with(uint32_t incarnation)
{
    struct state_file file;

    opened(&file);
    assert_true(put(&file, incarnation));
    state_file_close(&file);
}

/* Nothing that was reported is lost, nothing is damaged, and nothing comes after what was begun. */
static void expect_survived(uint32_t saved)
{
    uint32_t found = on_disk();

    assert_in_range(found, saved, saved + 1);
}

static void test_killed_at_every_call(void **state)
{
    uint32_t saved = 100;
    uint32_t killed = 0;

    (void)state;
    begin_with(saved);
    write_portion = 64;
    for (kill_call = 1;; kill_call++) {
        for (kill_after = 0; kill_after <= 64; kill_after += 32) {
            saved = on_disk();
            int status = run_life(1, &saved);
            expect_survived(saved);
            if (WIFEXITED(status)) {
                assert_int_equal(WEXITSTATUS(status), 0);
                printf("  %u kills\n", (unsigned)killed);
                assert_true(killed >= 3 * 5);
                return;
            }
            assert_int_equal(WTERMSIG(status), SIGKILL);
            killed++;
        }
    }
}

static void test_killed_at_random(void **state)
{
    uint32_t saved = 100;
    uint32_t killed = 0;
    struct prng prng;

    (void)state;
    prng_init(&prng, test_seed("state file"));
    begin_with(saved);
    while (killed < KILLS) {
        uint32_t before = on_disk();

        saved = before;
        write_portion = 1 + prng_below(&prng, 400);
        kill_call = 1 + prng_below(&prng, 60);
        kill_after = prng_below(&prng, 400);
        killed += WIFSIGNALED(run_life(5, &saved)) != 0;
        assert_true(saved >= before);
        expect_survived(saved);
    }
    printf("  %u kills, incarnation %u\n", (unsigned)killed, (unsigned)on_disk());
}

/* ---- Power cuts -------------------------------------------------------------------------- */

/* What one write does, and what each call makes sure of. A power cut keeps all that was brought to the
 * disk, and of the rest whatever it likes: a part of the content or other bytes in its place, and the
 * new name or the old one. */
struct cut {
    size_t written;       /* bytes of state.new so far */
    size_t durable;       /* of these, on the disk for sure */
    bool is_renamed;      /* the name leads to the new file */
    bool is_name_durable; /* and does so after a cut */
};

static struct cut cut_after(uint32_t calls, bool are_files_synced)
{
    struct cut cut = {0};

    for (uint32_t i = 0; i < calls; i++) {
        switch (noted[i].step) {
        case STEP_TRUNCATE: cut.written = cut.durable = 0; break;
        case STEP_WRITE: cut.written += noted[i].size; break;
        case STEP_SYNC_FILE: cut.durable = are_files_synced ? cut.written : cut.durable; break;
        case STEP_RENAME: cut.is_renamed = true; break;
        case STEP_SYNC_FOLDER: cut.is_name_durable = cut.is_renamed; break;
        }
    }
    return cut;
}

static void put_file(const char *text, size_t size, size_t good, char rest)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        (void)fputc(i < good ? text[i] : rest, file);
    assert_int_equal(fclose(file), 0);
}

struct texts {
    size_t old_size, new_size;
    char old[STATE_TEXT_MAX], fresh[STATE_TEXT_MAX];
};

/* True when a reader finds the old or the new state; `must_be_new`: the new one alone. */
static bool is_whole(uint32_t old, bool must_be_new)
{
    static struct state read;
    struct state_file file;
    struct config_error error;
    enum state_found found;

    opened(&file);
    found = state_file_load(&file, "", &read, &error);
    state_file_close(&file);
    return found == STATE_FOUND &&
           (read.incarnation == old + 1 || (!must_be_new && read.incarnation == old));
}

/* All that a disk may make of a cut there. Returns how many of these are no state. */
static uint32_t try_cut(const struct texts *texts, const struct cut *cut, uint32_t old,
                        bool was_reported)
{
    static const char rests[] = {'\0', '\n', 'm'};
    uint32_t broken = 0;

    if (!cut->is_name_durable) {
        put_file(texts->old, texts->old_size, texts->old_size, 0);
        broken += !is_whole(old, was_reported);
    }
    if (!cut->is_renamed)
        return broken;
    for (size_t size = cut->durable; size <= cut->written; size += 13) {
        for (size_t r = 0; r < sizeof rests; r++) {
            put_file(texts->fresh, size, cut->durable, rests[r]);
            broken += !is_whole(old, was_reported);
        }
    }
    put_file(texts->fresh, cut->written, cut->written, 0);
    broken += !is_whole(old, was_reported);
    return broken;
}

static uint32_t power_cuts(bool are_files_synced, uint32_t *ret_outcomes)
{
    static struct texts texts;
    struct state old = state_of(149);
    struct state fresh = state_of(150);
    struct state_file file;
    uint32_t broken = 0;
    uint32_t calls;

    begin_with(149);
    texts.old_size = state_render(&old, texts.old, sizeof texts.old);
    texts.new_size = state_render(&fresh, texts.fresh, sizeof texts.fresh);
    call_count = 0;
    write_portion = 40;
    opened(&file);
    is_watching = true;
    assert_true(put(&file, 150));
    is_watching = false;
    state_file_close(&file);
    calls = call_count;
    for (uint32_t after = 0; after <= calls; after++) {
        struct cut cut = cut_after(after, are_files_synced);
        broken += try_cut(&texts, &cut, 149, after == calls);
        ++*ret_outcomes;
    }
    return broken;
}

static void test_powered_off_after_every_call(void **state)
{
    uint32_t outcomes = 0;

    (void)state;
    assert_int_equal(power_cuts(true, &outcomes), 0);
    assert_true(outcomes > 5);
}

/* The model finds what it is there to find: a content that was never brought to the disk. */
static void test_the_model_finds_a_missing_fsync(void **state)
{
    uint32_t outcomes = 0;

    (void)state;
    assert_true(power_cuts(false, &outcomes) > 0);
}

/* ---- Folders and files that are no good ---------------------------------------------------- */

static void write_text(const char *name, const char *text)
{
    char full[160];
    FILE *file;

    (void)snprintf(full, sizeof full, "%s/%s", folder, name);
    file = fopen(full, "wb");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static bool is_there(const char *name)
{
    char full[160];

    (void)snprintf(full, sizeof full, "%s/%s", folder, name);
    return access(full, F_OK) == 0;
}

static void expect_aside(const char *text, const char *cluster, const char *aside)
{
    struct state_file file;
    struct state read;
    struct config_error error = {""};

    if (text != NULL)
        write_text("state", text);
    opened(&file);
    assert_int_equal(state_file_load(&file, cluster, &read, &error), STATE_SET_ASIDE);
    assert_non_null(strstr(error.text, aside));
    assert_non_null(strstr(error.text, path));
    assert_true(is_there(aside));
    assert_false(is_there("state"));
    assert_int_equal(state_file_load(&file, cluster, &read, &error), STATE_NONE);
    state_file_close(&file);
}

static void test_what_is_no_good_is_set_aside(void **state)
{
    char *long_text = malloc(STATE_TEXT_MAX + 10);

    (void)state;
    assert_non_null(long_text);
    memset(long_text, 's', STATE_TEXT_MAX + 9);
    long_text[STATE_TEXT_MAX + 9] = '\0';
    expect_aside("swim-state 1\nid 5\n", "", "state.damaged-1");
    expect_aside("", "", "state.damaged-2");
    expect_aside("hello\n", "", "state.foreign-1");
    expect_aside(long_text, "", "state.damaged-3");
    begin_with(7);
    expect_aside(NULL, "blue", "state.foreign-2"); /* of a cluster without a name */
    free(long_text);
}

static void test_the_places_for_what_is_set_aside_are_bounded(void **state)
{
    char name[32];

    (void)state;
    for (int i = 1; i <= 100; i++) {
        (void)snprintf(name, sizeof name, "state.damaged-%d", i);
        write_text(name, "x");
    }
    expect_aside("", "", "state.damaged-100");
    assert_false(is_there("state.damaged-101"));
}

static void test_what_is_no_file_stops_the_start(void **state)
{
    struct state_file file;
    struct state read;
    struct config_error error;

    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    opened(&file);
    assert_int_equal(state_file_load(&file, "", &read, &error), STATE_UNREADABLE);
    assert_non_null(strstr(error.text, path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink("/etc/hostname", path), 0);
    assert_int_equal(state_file_load(&file, "", &read, &error), STATE_UNREADABLE);
    state_file_close(&file);
}

static void test_one_folder_one_daemon(void **state)
{
    struct state_file first;
    struct state_file second;
    struct config_error error;

    (void)state;
    opened(&first);
    assert_int_equal(state_file_open(&second, folder, &error), EXIT_CODE_BIND);
    assert_non_null(strstr(error.text, folder));
    state_file_close(&second); /* nothing */
    state_file_close(&first);
    opened(&second);
    state_file_close(&second);
}

/* Says what opening would say, and leaves no trace. */
static void test_checked_without_a_trace(void **state)
{
    struct config_error error;
    struct state_file file;
    char inner[128];

    (void)state;
    (void)snprintf(inner, sizeof inner, "%s/inner/", folder);
    assert_true(state_file_check(inner, &error));
    assert_int_equal(access(inner, F_OK), -1);
    assert_true(state_file_check(folder, &error));
    assert_false(is_there("lock"));
    (void)snprintf(inner, sizeof inner, "%s/deep/er", folder);
    assert_false(state_file_check(inner, &error));
    assert_non_null(strstr(error.text, "can't be made"));
    opened(&file);
    assert_true(state_file_check(folder, &error)); /* in use: that is no mistake in the settings */
    state_file_close(&file);
    (void)snprintf(inner, sizeof inner, "%s/lock", folder);
    assert_false(state_file_check(inner, &error));
    assert_non_null(strstr(error.text, "is no folder"));
    (void)snprintf(inner, sizeof inner, "%s/lock/x", folder);
    assert_false(state_file_check(inner, &error));
    assert_int_equal(chmod(folder, 0777), 0);
    assert_false(state_file_check(folder, &error));
    assert_non_null(strstr(error.text, "chmod o-w"));
    assert_int_equal(chmod(folder, 0700), 0);
}

static void test_folders(void **state)
{
    struct state_file file;
    struct config_error error;
    struct stat held;
    char inner[128];
    char deep[160];

    (void)state;
    (void)snprintf(inner, sizeof inner, "%s/inner", folder);
    (void)snprintf(deep, sizeof deep, "%s/deep/er", folder);
    assert_int_equal(state_file_open(&file, inner, &error), EXIT_CODE_OK);
    state_file_close(&file);
    assert_int_equal(stat(inner, &held), 0);
    assert_int_equal(held.st_mode & 0777, 0700 & ~umask(umask(0)));
    assert_int_equal(state_file_open(&file, deep, &error), EXIT_CODE_CONFIG);
    assert_non_null(strstr(error.text, deep));
    assert_int_equal(chmod(inner, 0777), 0);
    assert_int_equal(state_file_open(&file, inner, &error), EXIT_CODE_CONFIG);
    assert_non_null(strstr(error.text, "chmod"));
    write_text("flat", "x");
    (void)snprintf(inner, sizeof inner, "%s/flat", folder);
    assert_int_equal(state_file_open(&file, inner, &error), EXIT_CODE_CONFIG);
    assert_int_equal(state_file_open(&file, "", &error), EXIT_CODE_CONFIG);
}

static void test_it_is_its_owners_alone(void **state)
{
    struct stat held;

    (void)state;
    begin_with(3);
    assert_int_equal(stat(path, &held), 0);
    assert_int_equal(held.st_mode & 0777, 0600);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_killed_at_every_call),
        TEST(test_killed_at_random),
        TEST(test_powered_off_after_every_call),
        TEST(test_the_model_finds_a_missing_fsync),
        TEST(test_what_is_no_good_is_set_aside),
        TEST(test_the_places_for_what_is_set_aside_are_bounded),
        TEST(test_what_is_no_file_stops_the_start),
        TEST(test_checked_without_a_trace),
        TEST(test_one_folder_one_daemon),
        TEST(test_folders),
        TEST(test_it_is_its_owners_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
