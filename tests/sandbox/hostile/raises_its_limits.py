# verdict: ran
# program: succeeded
# ruff: noqa
# raises its own limits
import ctypes
import resource

for name in ("NOFILE", "FSIZE", "CORE", "MEMLOCK", "MSGQUEUE", "NPROC"):
    kind = getattr(resource, f"RLIMIT_{name}")
    hard = resource.getrlimit(kind)[1]
    assert hard != resource.RLIM_INFINITY, name
    try:
        resource.setrlimit(kind, (hard, hard + 1))
    except ValueError:
        continue
    raise AssertionError(name)
libc = ctypes.CDLL(None)
assert libc.mlockall(3) == -1
assert libc.mlock(ctypes.create_string_buffer(65536), 65536) == -1
