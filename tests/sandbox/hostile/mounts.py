# verdict: ran
# program: succeeded
# ruff: noqa
# mounts, makes devices and looks for another root
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
import stat

if platform.machine() == "x86_64":
    none = ctypes.c_void_p(None)
    here = b"/tmp"
    assert refused(165, b"none", here, b"tmpfs", 0, none)  # mount
    assert refused(166, here, 0)  # umount2
    assert refused(161, here)  # chroot
    assert refused(155, here, here)  # pivot_root
    assert refused(430, b"tmpfs", 0)  # fsopen
    assert refused(428, -100, here, 1)  # open_tree, clone
    assert refused(429, -1, b"", -1, b"", 0)  # move_mount
    assert refused(442, -100, here, 0, none, 0)  # mount_setattr
    assert refused(167, b"/dev/null", 0)  # swapon
for name in ("user", "mnt", "net", "pid"):
    with open(f"/proc/self/ns/{name}") as file:
        assert libc.setns(file.fileno(), 0) == -1
for flag in (0x00020000, 0x02000000, 0x04000000, 0x10000000, 0x20000000, 0x40000000):
    assert libc.unshare(flag) == -1, flag
for kind in (stat.S_IFBLK, stat.S_IFCHR):
    try:
        os.mknod("/tmp/device", kind | 0o600, os.makedev(8, 0))
    except PermissionError:
        continue
    raise AssertionError(kind)
