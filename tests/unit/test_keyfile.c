/* Key files: what is read, what is refused and how it is told, what is written. */
#define _GNU_SOURCE
#include "support.h"

#include "agent/keyfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define KEY_A "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY_B "FEDCBA98765432100123456789abcdef0123456789abcdef0123456789abcdef"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static char folder[] = "/tmp/swim-keyfile-XXXXXX";
static char path[sizeof folder + 16];
static struct keyset *keys;

static int set_up(void **state)
{
    (void)state;
    keys = keyset_new();
    if (keys == NULL || mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/key", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    keyset_free(keys);
    keyset_forget_all(); /* for the leak checker, which looks into this process */
    (void)unlink(path);
    return rmdir(folder);
}

static void write_file(const char *text, size_t size, mode_t mode)
{
    FILE *file;

    (void)unlink(path);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static bool load_text(const char *text, struct config_error *error)
{
    write_file(text, strlen(text), 0600);
    return keyfile_load(keys, path, error);
}

static void must_load(const char *text, uint32_t count)
{
    struct config_error error;

    if (!load_text(text, &error))
        fail_msg("'%s': %s", text, error.text);
    assert_int_equal(keys->count, count);
}

static void assert_refused(const struct config_error *error, const char *what)
{
    if (strstr(error->text, what) == NULL)
        fail_msg("expected '%s' in: %s", what, error->text);
    assert_non_null(strstr(error->text, path));
    assert_null(strstr(error->text, "0123456789"));
    assert_int_equal(keys->count, 0);
}

static void must_fail(const char *text, const char *what)
{
    struct config_error error;

    if (load_text(text, &error))
        fail_msg("'%s' was accepted", text);
    assert_refused(&error, what);
}

static void test_keys(void **state)
{
    (void)state;

    must_load(KEY_A, 1);
    assert_int_equal(keys->key[0][0], 0x01);
    assert_int_equal(keys->key[0][31], 0xEF);
    must_load(KEY_A "\n", 1);
    must_load("# comment\n\n \t " KEY_B " # the new one\r\n\r\n" KEY_A "\t\n#" KEY_A "\n", 2);
    assert_int_equal(keys->key[0][0], 0xFE);
    assert_int_equal(keys->key[1][0], 0x01);
}

static void test_mistakes(void **state)
{
    (void)state;

    must_fail("", "no key in it");
    must_fail("\n# nothing\n", "no key in it");
    must_fail(KEY_A "\n" KEY_A "0\n", "line 2: not a key");
    must_fail("\n\n" KEY_A " " KEY_B "\n", "line 3: not a key");
    must_fail("0123456789abcdef\n", "line 1: not a key");
    must_fail("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg\n", "line 1: not");
    must_fail("0x" KEY_A "\n", "line 1: not a key");
    must_fail("key = \"" KEY_A "\"\n", "line 1: not a key");
    must_fail(KEY_B "\n" ZEROS "\n", "line 2: a key of zeros");
    must_fail(KEY_B "\n" KEY_A "\n" KEY_B "\n", "line 3: this key");
}

static void test_zero_byte(void **state)
{
    (void)state;
    static const char text[] = KEY_A "\0\n";
    struct config_error error;

    write_file(text, sizeof text - 1, 0600);
    assert_false(keyfile_load(keys, path, &error));
    assert_refused(&error, "line 1: not a key");
}

static void test_at_most_eight(void **state)
{
    (void)state;
    char text[10 * (KEY_HEX_SIZE + 1) + 1];

    for (unsigned count = 8; count <= 9; count++) {
        size_t size = 0;
        for (unsigned i = 0; i < count; i++)
            size += (size_t)snprintf(text + size, sizeof text - size, "%064x\n", i + 1);
        if (count == 8)
            must_load(text, 8);
        else
            must_fail(text, "line 9: more than 8 keys");
    }
}

static void test_long_file(void **state)
{
    (void)state;
    char *text = malloc(KEYFILE_MAX + 2);

    assert_non_null(text);
    memset(text, '\n', KEYFILE_MAX + 1);
    memcpy(text, KEY_A, KEY_HEX_SIZE);
    text[KEYFILE_MAX] = '\0';
    must_load(text, 1);
    text[KEYFILE_MAX] = '\n';
    text[KEYFILE_MAX + 1] = '\0';
    must_fail(text, "longer than 16384 bytes");
    free(text);
}

static void test_access(void **state)
{
    (void)state;
    struct config_error error;

    for (mode_t bit = 1; bit <= 0777; bit <<= 1) {
        write_file(KEY_A, KEY_HEX_SIZE, bit | 0400);
        bool is_safe = (bit & 077) == 0;
        assert_int_equal(keyfile_load(keys, path, &error), is_safe);
        if (!is_safe)
            assert_refused(&error, "chmod 600");
    }
    if (geteuid() != 0)
        return;
    write_file(KEY_A, KEY_HEX_SIZE, 0600);
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_false(keyfile_load(keys, path, &error));
    assert_refused(&error, "belongs to user 12345");
}

/* An access list as the kernel takes it: entries of tag, permissions, user or group. */
static bool set_acl(size_t count, uint32_t entries[][3])
{
    uint8_t list[4 + 8 * 9] = {2};

    assert_true(count <= 9);
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = list + 4 + 8 * i;
        at[0] = (uint8_t)entries[i][0];
        at[2] = (uint8_t)entries[i][1];
        for (size_t byte = 0; byte < 4; byte++)
            at[4 + byte] = (uint8_t)(entries[i][2] >> 8 * byte);
    }
    return setxattr(path, "system.posix_acl_access", list, 4 + 8 * count, 0) == 0;
}

enum { OWNER = 1, USER = 2, OWNERS = 4, GROUP = 8, MASK = 16, OTHER = 32, READ = 4 };
#define ANY UINT32_MAX

/* A file of systemd's LoadCredential=: of mode 0440, but for this user's eyes alone. */
static void test_access_lists(void **state)
{
    (void)state;
    struct config_error error;
    struct stat status;
    uint32_t me = geteuid();

    write_file(KEY_A, KEY_HEX_SIZE, 0400);
    if (!set_acl(5, (uint32_t[][3]){{OWNER, READ, ANY},
                                    {USER, READ, me},
                                    {OWNERS, 0, ANY},
                                    {MASK, READ, ANY},
                                    {OTHER, 0, ANY}}))
        skip(); /* a file system without access lists */
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0440);
    assert_true(keyfile_load(keys, path, &error));
    keyset_free(keys);
    keys = keyset_new();

    /* Another user, the owner's group, another group. */
    const uint32_t others[3][3] = {{USER, READ, me + 4321}, {OWNERS, READ, ANY}, {GROUP, READ, 5}};
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        uint32_t entries[6][3] = {{OWNER, READ, ANY}, {USER, READ, me},  {OWNERS, 0, ANY},
                                  {GROUP, 0, 7},      {MASK, READ, ANY}, {OTHER, 0, ANY}};
        for (size_t k = 0; k < COUNT_OF(entries); k++)
            if (entries[k][0] == others[i][0])
                memcpy(entries[k], others[i], sizeof entries[k]);
        assert_true(set_acl(COUNT_OF(entries), entries));
        assert_false(keyfile_load(keys, path, &error));
        assert_refused(&error, "chmod 600");
    }
}

static void test_other_files(void **state)
{
    (void)state;
    struct config_error error;
    char link[sizeof path + 8];

    (void)unlink(path);
    assert_false(keyfile_load(keys, path, &error));
    assert_refused(&error, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(keyfile_load(keys, path, &error)); /* and does not wait for a writer */
    assert_refused(&error, "not a regular file");
    assert_false(keyfile_load(keys, folder, &error));
    assert_non_null(strstr(error.text, "not a regular file"));
    assert_false(keyfile_load(keys, "/dev/zero", &error));
    assert_non_null(strstr(error.text, "not a regular file"));

    /* Links are followed: secrets of containers are links. What counts is where they lead. */
    write_file(KEY_A, KEY_HEX_SIZE, 0600);
    (void)snprintf(link, sizeof link, "%s.link", path);
    assert_int_equal(symlink(path, link), 0);
    assert_true(keyfile_load(keys, link, &error));
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(keyfile_load(keys, link, &error));
    assert_int_equal(unlink(link), 0);
}

static void test_sets(void **state)
{
    (void)state;
    uint8_t key[SWIM_KEY_SIZE] = {0};

    memset(keys, 0, sizeof *keys);
    for (uint8_t i = 1; i <= SWIM_KEYS_MAX; i++) {
        key[0] = i;
        assert_null(keyset_add(keys, key));
        assert_non_null(keyset_add(keys, key));
    }
    assert_int_equal(keyset_find(keys, swim_key_id(key)), SWIM_KEYS_MAX - 1);
    key[0] = 99;
    assert_int_equal(keyset_find(keys, swim_key_id(key)), SWIM_KEYS_MAX);
    keyset_use(keys, 2); /* 3 1 2 4 5 6 7 8 */
    assert_int_equal(keys->key[0][0], 3);
    assert_int_equal(keys->key[1][0], 1);
    assert_int_equal(keys->key[2][0], 2);
    assert_int_equal(keys->key[3][0], 4);
    keyset_use(keys, 0);
    assert_int_equal(keys->key[0][0], 3);
    keyset_remove(keys, SWIM_KEYS_MAX - 1);
    keyset_remove(keys, 1); /* 3 2 4 5 6 7 */
    assert_int_equal(keys->count, 6);
    assert_int_equal(keys->key[1][0], 2);
    assert_int_equal(keys->key[5][0], 7);
    for (uint32_t i = keys->count; i < SWIM_KEYS_MAX; i++)
        assert_int_equal(keys->key[i][0], 0); /* wiped */
}

/* What is written is read again, in order, and nobody else may read it. */
static void test_save(void **state)
{
    (void)state;
    struct config_error error;
    struct stat status;

    must_load(KEY_B "\n" KEY_A "\n", 2);
    assert_int_equal(chmod(path, 0400), 0);
    assert_true(keyfile_save(keys, path, &error));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    memset(keys, 0, sizeof *keys);
    assert_true(keyfile_load(keys, path, &error));
    assert_int_equal(keys->count, 2);
    assert_int_equal(keys->key[0][0], 0xFE);
    assert_int_equal(keys->key[1][31], 0xEF);

    memset(keys, 0, sizeof *keys);
    for (uint8_t i = 0; i < SWIM_KEYS_MAX; i++) {
        uint8_t key[SWIM_KEY_SIZE] = {(uint8_t)(i + 1)};
        assert_null(keyset_add(keys, key));
    }
    assert_true(keyfile_save(keys, path, &error));
    assert_true(keyfile_load(keys, path, &error));
    assert_int_equal(keys->count, SWIM_KEYS_MAX);
    assert_false(keyfile_save(keys, "/proc/nothing/key", &error));
    assert_non_null(strstr(error.text, "the key file /proc/nothing/key: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),         cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_zero_byte),    cmocka_unit_test(test_at_most_eight),
        cmocka_unit_test(test_long_file),    cmocka_unit_test(test_access),
        cmocka_unit_test(test_access_lists), cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_sets),         cmocka_unit_test(test_save),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
