"""A second seccomp filter for the kernel, on top of the engine's own. Runs inside the container.

Older engines' default profile lets through what a notebook never needs and what a network
namespace or a capability does not cover: AF_VSOCK, AF_ALG, io_uring, ptrace, userfaultfd, System V
memory, message queues, key rings. Nor does either keep processes of one user from changing each
other's limits and priorities, and process 1 has the student's user. The filter answers all of those
with an error; programs of a foreign architecture (32-bit ``int 0x80``) are killed. Source:
seccomp(2), linux/audit.h, moby's profiles/seccomp.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
from typing import Final

_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_SET_SECCOMP: Final = 22
_MODE_FILTER: Final = 2

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_OFFSET_NUMBER, _OFFSET_ARCH, _OFFSET_FIRST_ARGUMENT, _OFFSET_SECOND_ARGUMENT = 0, 4, 16, 24
_ARCH_X86_64: Final = 0xC000003E
_X32_BIT: Final = 0x40000000
_SOCKET: Final = 41

#: x86-64 system call -> errno.
_DENIED: Final = {
    101: errno.EPERM,  # ptrace
    310: errno.EPERM,  # process_vm_readv
    311: errno.EPERM,  # process_vm_writev
    312: errno.EPERM,  # kcmp
    425: errno.ENOSYS,  # io_uring_setup
    426: errno.ENOSYS,  # io_uring_enter
    427: errno.ENOSYS,  # io_uring_register
    323: errno.EPERM,  # userfaultfd
    321: errno.EPERM,  # bpf
    298: errno.EPERM,  # perf_event_open
    248: errno.EPERM,  # add_key
    249: errno.EPERM,  # request_key
    250: errno.EPERM,  # keyctl
    272: errno.EPERM,  # unshare
    308: errno.EPERM,  # setns
    165: errno.EPERM,  # mount
    447: errno.EPERM,  # memfd_secret
    240: errno.EPERM,  # mq_open
    29: errno.EPERM,  # shmget
    64: errno.EPERM,  # semget
    68: errno.EPERM,  # msgget
    434: errno.EPERM,  # pidfd_open
    438: errno.EPERM,  # pidfd_getfd
    135: errno.EPERM,  # personality
    440: errno.EPERM,  # process_madvise
    448: errno.EPERM,  # process_mrelease
}
#: Calls whose first argument is the process that they change (0 is the caller, who may) -> errno.
#: Every thread of libzmq names itself to sched_setscheduler, and ends the process when it fails; so
#: that one seems to work, and does nothing.
_PROCESS_FIRST: Final = {
    302: errno.EPERM,  # prlimit64
    142: errno.EPERM,  # sched_setparam
    144: 0,  # sched_setscheduler
    203: errno.EPERM,  # sched_setaffinity
    314: errno.EPERM,  # sched_setattr
    256: errno.EPERM,  # migrate_pages
    279: errno.EPERM,  # move_pages
}
#: Calls whose second argument is whom they change, of the kind that the first says -> the kind
#: "user", whose 0 is everyone.
_PROCESS_SECOND: Final = {
    141: 2,  # setpriority, PRIO_USER
    251: 3,  # ioprio_set, IOPRIO_WHO_USER
}
#: AF_UNIX, AF_INET, AF_INET6; AF_NETLINK because libzmq lists the interfaces with getifaddrs.
_FAMILIES: Final = (1, 2, 10, 16)


def program() -> bytes:
    """Return the filter as an array of ``struct sock_filter`` for x86-64."""
    code: list[bytes] = []

    def add(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> None:
        code.append(struct.pack("=HBBI", operation, if_true, if_false, value))

    add(_LOAD, _OFFSET_ARCH)
    add(_EQUAL, _ARCH_X86_64, 1, 0)
    add(_RETURN, _KILL)
    add(_LOAD, _OFFSET_NUMBER)
    add(_AT_LEAST, _X32_BIT, 0, 1)
    add(_RETURN, _ERRNO | errno.EPERM)
    for number, error in _DENIED.items():
        add(_EQUAL, number, 0, 1)
        add(_RETURN, _ERRNO | error)
    # Each of these arguments is an ``int``: the operating system drops the upper half as well.
    for number, error in _PROCESS_FIRST.items():
        add(_EQUAL, number, 0, 4)
        add(_LOAD, _OFFSET_FIRST_ARGUMENT)
        add(_EQUAL, 0, 0, 1)
        add(_RETURN, _ALLOW)
        add(_RETURN, _ERRNO | error)
    for number, everyone in _PROCESS_SECOND.items():
        add(_EQUAL, number, 0, 6)
        add(_LOAD, _OFFSET_FIRST_ARGUMENT)
        add(_EQUAL, everyone, 3, 0)
        add(_LOAD, _OFFSET_SECOND_ARGUMENT)
        add(_EQUAL, 0, 0, 1)
        add(_RETURN, _ALLOW)
        add(_RETURN, _ERRNO | errno.EPERM)
    add(_EQUAL, _SOCKET, 0, len(_FAMILIES) + 2)
    add(_LOAD, _OFFSET_FIRST_ARGUMENT)
    for position, family in enumerate(_FAMILIES):
        add(_EQUAL, family, len(_FAMILIES) - position, 0)
    add(_RETURN, _ERRNO | errno.EAFNOSUPPORT)
    add(_RETURN, _ALLOW)
    return b"".join(code)


def install() -> bool:
    """Install the filter in this process and all it starts; False where we have none.

    Raises ``OSError`` when the kernel refuses it.
    """
    if platform.machine() != "x86_64":
        return False
    code = program()

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    buffer = ctypes.create_string_buffer(code, len(code))
    argument = Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(argument), 0, 0):
        raise OSError(ctypes.get_errno(), "the seccomp filter was refused")
    return True
