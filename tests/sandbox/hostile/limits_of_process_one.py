# verdict: ran
# program: succeeded
# ruff: noqa
# takes from process 1 what it needs to live: files, time and memory
import ctypes
import resource

for name in ("NOFILE", "CPU", "AS", "FSIZE", "STACK", "DATA", "NPROC"):
    kind = getattr(resource, f"RLIMIT_{name}")
    for limit in ((0, 0), (1, 1)):
        try:
            resource.prlimit(1, kind, limit)
        except PermissionError:
            continue
        raise AssertionError(name)
libc = ctypes.CDLL(None, use_errno=True)
nothing = (ctypes.c_uint64 * 2)(0, 0)
for pid in (1, 1 | 5 << 32):  # the upper half does not count
    assert libc.syscall(302, ctypes.c_uint64(pid), 7, ctypes.byref(nothing), None) == -1
    assert ctypes.get_errno() == 1
assert resource.prlimit(0, resource.RLIMIT_NOFILE) == resource.getrlimit(resource.RLIMIT_NOFILE)
