"""Becomes a program within the system calls and limits that a unit allows it.

    confine.py SYSCALL,SYSCALL,... PROGRAM [ARGUMENT]...

The kernel refuses every other call with EPERM, as the units say (SystemCallErrorNumber=). By
libseccomp, as systemd does it.
"""

import ctypes
import errno
import os
import resource
import sys

SCMP_ACT_ALLOW = 0x7FFF0000
SCMP_ACT_ERRNO = 0x00050000
NO_SUCH_CALL = -1  # another architecture's


def confine(names):
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(SCMP_ACT_ERRNO | errno.EPERM)))
    for name in names:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number != NO_SUCH_CALL:
            seccomp.seccomp_rule_add(context, ctypes.c_uint32(SCMP_ACT_ALLOW), number, 0)
    if seccomp.seccomp_load(context) != 0:
        sys.exit("confine: the filter could not be loaded")


def main():
    names, program = sys.argv[1].split(","), sys.argv[2:]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 << 20, 8 << 20))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
    os.umask(0o077)
    confine(names)
    os.execv(program[0], program)


main()
