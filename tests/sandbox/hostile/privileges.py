# verdict: ran
# program: succeeded
# ruff: noqa
# tries what only the system may do
import ctypes
import os
import platform
import socket

assert os.getuid() == os.geteuid() == 10001
status = open("/proc/self/status").read()
assert "CapEff:\t0000000000000000" in status
assert "CapBnd:\t0000000000000000" in status
assert "NoNewPrivs:\t1" in status
assert "Seccomp:\t2" in status
libc = ctypes.CDLL(None, use_errno=True)
assert libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1
assert libc.unshare(0x10000000) == -1
assert libc.ptrace(16, 1, 0, 0) == -1
for family, kind in ((socket.AF_INET, socket.SOCK_RAW), (socket.AF_PACKET, socket.SOCK_RAW)):
    try:
        socket.socket(family, kind)
    except OSError:
        continue
    raise AssertionError(family)
if platform.machine() == "x86_64":
    for family in (40, 38):  # AF_VSOCK, AF_ALG
        try:
            socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        raise AssertionError(family)
for path in ("/etc/x", "/opt/venv/x", "/usr/x", "/proc/sys/kernel/core_pattern"):
    try:
        open(path, "w")
    except OSError:
        continue
    raise AssertionError(path)
for path in (
    "/var/run/docker.sock",
    "/dev/kvm",
    "/dev/vda",
    "/dev/fuse",
    "/dev/kmsg",
    "/dev/net/tun",
):
    assert not os.path.exists(path), path
