# verdict: ran
# program: succeeded
# ruff: noqa
# writes to the files that steer the machine
import errno
import glob
import os

for path in (
    "/proc/sysrq-trigger",
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/kernel/modprobe",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/self/uid_map",
    "/proc/self/gid_map",
    "/proc/irq/default_smp_affinity",
    "/sys/kernel/uevent_helper",
    "/sys/power/state",
    "/etc/passwd",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/opt/venv/bin/python",
    *glob.glob("/sys/fs/cgroup/**/release_agent", recursive=True),
    *glob.glob("/sys/fs/cgroup/**/*limit_in_bytes", recursive=True),
    *glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True),
    *glob.glob("/sys/fs/cgroup/**/*.max", recursive=True),
):
    try:
        os.write(os.open(path, os.O_WRONLY), b"1")
    except OSError as error:
        expected = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EIO}
        assert error.errno in expected, (path, error)
        continue
    raise AssertionError(path)
for path in ("/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/latency_stats", "/proc/timer_list"):
    try:
        assert not open(path, "rb").read(64), path
    except OSError:
        continue
try:
    os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")
except PermissionError:
    pass
else:
    raise AssertionError("oom_score_adj")
