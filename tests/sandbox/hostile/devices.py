# verdict: ran
# program: succeeded
# ruff: noqa
# looks for devices and for a way to become another user
import os
import stat

usual = {
    "null",
    "zero",
    "full",
    "random",
    "urandom",
    "tty",
    "console",
    "ptmx",
    "pts",
    "shm",
    "core",
}
usual |= {"fd", "stdin", "stdout", "stderr", "mqueue"}
assert set(os.listdir("/dev")) <= usual, os.listdir("/dev")
for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/podman", "/run/containerd"):
    assert not os.path.exists(path), path
for change in (
    lambda: os.setuid(0),
    lambda: os.setresuid(0, 0, 0),
    lambda: os.setgid(0),
    lambda: os.setgroups([0]),
    lambda: os.chown("/tmp", 0, 0),
):
    try:
        change()
    except PermissionError:
        continue
    raise AssertionError
assert set(os.getgroups()) <= {10001}
os.chmod(os.open("/tmp/own", os.O_CREAT | os.O_WRONLY), 0o6755)
for program in ("/bin/su", "/usr/bin/su", "/usr/bin/passwd", "/bin/mount"):
    if os.path.exists(program) and os.stat(program).st_mode & stat.S_ISUID:
        assert "NoNewPrivs:\t1" in open("/proc/self/status").read()
