/*
 * What is examined is the file that was opened, not its name, which could lead elsewhere by then.
 * docs/configuration.md, sections "Keys" and "HTTP".
 */
#define _GNU_SOURCE
#include "agent/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* For messages. */
struct file {
    const char *what;
    const char *path;
    struct config_error *error;
};

__attribute__((format(printf, 2, 3))) static bool fail(const struct file *file, const char *format,
                                                       ...)
{
    char *text = file->error->text;
    size_t cap = sizeof file->error->text;
    int size = snprintf(text, cap, "%s %.400s: ", file->what, file->path);
    va_list arguments;

    va_start(arguments, format);
    if (size > 0 && (size_t)size < cap)
        (void)vsnprintf(text + size, cap - (size_t)size, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- Access lists ------------------------------------------------------------------------ */

/* An entry as the kernel writes it: tag and permissions of two bytes, a user or group of four, all
 * little-endian. The first four bytes of the list are its version. */
#define ACL_HEAD 4
#define ACL_ENTRY 8
#define ACL_ENTRIES_MAX 8
enum acl_tag { ACL_OWNER = 0x01, ACL_USER = 0x02, ACL_MASK = 0x10 };

static uint32_t number_at(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0;

    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

/* The owner and the mask are in the mode; of the others, only this process's own user and root may
 * have any access. */
static bool is_entry_ours(const uint8_t *entry)
{
    uint32_t tag = number_at(entry, 2);
    uint32_t id = number_at(entry + 4, 4);

    if (tag == ACL_OWNER || tag == ACL_MASK || number_at(entry + 2, 2) == 0)
        return true;
    return tag == ACL_USER && (id == 0 || id == geteuid());
}

/*
 * systemd gives a service its credentials (LoadCredential=) as files of root's with an access list
 * that lets the service's user read. In the mode that shows as access of the group.
 */
static bool is_credential(int fd, mode_t mode)
{
    uint8_t list[ACL_HEAD + ACL_ENTRIES_MAX * ACL_ENTRY];
    ssize_t size;

    if ((mode & 077) != S_IRGRP)
        return false;
    size = fgetxattr(fd, "system.posix_acl_access", list, sizeof list);
    if (size < ACL_HEAD + ACL_ENTRY || (size - ACL_HEAD) % ACL_ENTRY != 0 ||
        number_at(list, ACL_HEAD) != 2)
        return false;
    for (ssize_t at = ACL_HEAD; at < size; at += ACL_ENTRY)
        if (!is_entry_ours(list + at))
            return false;
    return true;
}

/* ---- The file ---------------------------------------------------------------------------- */

static bool check_status(const struct file *file, int fd, size_t cap)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return fail(file, "can't be examined: %s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fail(file, "is not a regular file");
    if (status.st_uid != 0 && status.st_uid != geteuid())
        return fail(file, "belongs to user %u, who could change it; it must be root's or user %u's",
                    (unsigned)status.st_uid, (unsigned)geteuid());
    if ((status.st_mode & 077) != 0 && !is_credential(fd, status.st_mode))
        return fail(file, "others have access to it (mode %04o); let its owner alone: chmod 600",
                    (unsigned)(status.st_mode & 07777));
    if (status.st_size < 0 || (uintmax_t)status.st_size > cap)
        return fail(file, "is longer than %zu bytes", cap);
    return true;
}

/* It may have grown since it was examined: one byte too many is looked for, and shows. */
static ssize_t read_whole(const struct file *file, int fd, char *text, size_t cap)
{
    size_t size = 0;
    ssize_t got = 1;
    char beyond;

    while (got > 0 && size < cap) {
        do
            got = read(fd, text + size, cap - size);
        while (got < 0 && errno == EINTR);
        size += got > 0 ? (size_t)got : 0;
    }
    if (got > 0)
        got = read(fd, &beyond, 1);
    if (got < 0)
        (void)fail(file, "can't be read: %s", strerror(errno));
    else if (got > 0)
        (void)fail(file, "is longer than %zu bytes", cap);
    return got == 0 ? (ssize_t)size : -1;
}

ssize_t secret_file_read(const char *what, const char *path, char *text, size_t cap,
                         struct config_error *ret_error)
{
    struct file file = {.what = what, .path = path, .error = ret_error};
    /* O_NONBLOCK: a FIFO must not stop a running daemon at SIGHUP. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t size = -1;

    if (fd < 0) {
        (void)fail(&file, "can't be opened: %s", strerror(errno));
        return -1;
    }
    if (check_status(&file, fd, cap))
        size = read_whole(&file, fd, text, cap);
    (void)close(fd);
    return size;
}
