# verdict: ran
# program: succeeded
# ruff: noqa
# looks into process 1, which holds the way to the server
import os

for name in ("environ", "mem", "maps", "smaps", "syscall", "stack", "io", "auxv", "pagemap"):
    try:
        open(f"/proc/1/{name}", "rb").read(1)
    except (PermissionError, FileNotFoundError):
        continue
    raise AssertionError(name)
for name in ("fd", "root", "cwd", "exe", "fdinfo", "map_files", "ns/net"):
    path = f"/proc/1/{name}"
    try:
        os.listdir(path) if name in {"fd", "fdinfo", "map_files"} else os.readlink(path)
    except PermissionError:
        continue
    raise AssertionError(name)
for name in ("oom_score_adj", "comm", "clear_refs", "timerslack_ns"):
    try:
        os.write(os.open(f"/proc/1/{name}", os.O_WRONLY), b"1")
    except (PermissionError, FileNotFoundError):
        continue
    raise AssertionError(name)
