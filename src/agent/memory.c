/*
 * Reading a TOML file takes a quarter of a megabyte of stack for a moment, and pages stay with a
 * process once they were used: without this, they are half of all that an idle member has for its own.
 */
#define _GNU_SOURCE
#include "agent/memory.h"

#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define LARGE_BYTES (32 * 1024)
/* What ordinary turns use again at once. */
#define STACK_KEPT_BYTES (24 * 1024)
/* Below that the kernel maps nothing else: it keeps a gap of 1 MiB beneath a stack. */
#define STACK_REACH_BYTES (512 * 1024)

void memory_prepare(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

/* A call of its own under link-time optimisation too: as a part of its caller, it would give back the
 * lower end of that one's frame. */
__attribute__((noinline)) void memory_trim(void)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - STACK_KEPT_BYTES) & ~(page - 1);

    /* Where the stack has not grown so far, that part is an error, and the rest is done. */
    (void)madvise((void *)(end - STACK_REACH_BYTES), STACK_REACH_BYTES, MADV_DONTNEED);
    (void)malloc_trim(0);
}
