/*
 * Preloaded into a process: counts what it asks of the allocator and of the kernel's memory, in a file
 * that is mapped, so that a test can read the counts while the process runs. $ALLOCATIONS names the
 * file: four 64-bit counts, of allocations, reallocations, releases and mappings.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What glibc's own names stand for. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

enum { GOT, RESIZED, RELEASED, MAPPED, COUNTS };

static _Atomic uint64_t unseen[COUNTS]; /* until the file is there, and without one */
static _Atomic uint64_t *counts = unseen;

__attribute__((constructor)) static void open_counts(void)
{
    const char *path = getenv("ALLOCATIONS");
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *memory;

    if (fd < 0 || ftruncate(fd, sizeof unseen) != 0)
        return;
    memory = mmap(NULL, sizeof unseen, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory != MAP_FAILED)
        counts = memory;
    (void)close(fd);
}

void *malloc(size_t size)
{
    counts[GOT]++;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counts[GOT]++;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    counts[RESIZED]++;
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    counts[GOT]++;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    counts[GOT]++;
    *ret = __libc_memalign(alignment, size);
    return *ret == NULL ? ENOMEM : 0;
}

void free(void *memory)
{
    counts[RELEASED] += memory != NULL;
    __libc_free(memory);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    counts[MAPPED]++;
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}
