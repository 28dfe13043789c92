# verdict: ran
# program: succeeded
# ruff: noqa
# reads and steers other processes
import ctypes
import errno
import platform

libc = ctypes.CDLL(None, use_errno=True)


def refused(number, *arguments):
    """Whether the kernel refuses a call as if it were not there or not permitted."""
    ctypes.set_errno(0)
    assert libc.syscall(number, *arguments) == -1, number
    return ctypes.get_errno() in {errno.EPERM, errno.EACCES, errno.ENOSYS}


import os

if platform.machine() == "x86_64":
    child = os.fork()
    if child == 0:
        import time

        time.sleep(1000)
    buffer = ctypes.create_string_buffer(64)
    none = ctypes.c_void_p(None)
    for target in (1, child):
        assert refused(101, 16, target, none, none)  # ptrace, attach
        assert refused(101, 0x4206, target, none, none)  # ptrace, seize
        assert refused(310, target, buffer, 1, buffer, 1, 0)  # process_vm_readv
        assert refused(311, target, buffer, 1, buffer, 1, 0)  # process_vm_writev
        assert refused(312, target, os.getpid(), 0, 0, 0)  # kcmp
        assert refused(434, target, 0)  # pidfd_open
    assert refused(438, 0, 0, 0)  # pidfd_getfd
    os.kill(child, 9)
    os.waitpid(child, 0)
