# verdict: ran
# program: succeeded
# ruff: noqa
# looks for other people's processes, sockets and files
import os
import socket

mine = {os.getpid(), 1}
for name in os.listdir("/proc"):
    if name.isdigit() and int(name) not in mine:
        parents, process = set(), int(name)
        while process > 1 and process not in parents:
            parents.add(process)
            try:
                stat = open(f"/proc/{process}/stat").read()
            except OSError:
                break
            process = int(stat.rpartition(")")[2].split()[1])
        assert os.stat(f"/proc/{name}").st_uid == 10001, name
assert socket.gethostname() == "sandbox"
for line in open("/proc/net/tcp").read().splitlines()[1:]:
    assert line.split()[1].startswith("0100007F"), line
names = [line.split()[7] for line in open("/proc/net/unix") if len(line.split()) > 7]
assert all(name.startswith(("Path", "/tmp/")) for name in names), names
for line in open("/proc/self/mountinfo"):
    point, kind = line.split()[4], line.split(" - ")[1].split()[0]
    assert (
        point == "/"
        or kind not in {"ext4", "xfs", "btrfs", "9p", "virtiofs"}
        or (point in {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})
    ), line
try:
    os.kill(2**22 - 1, 0)
except ProcessLookupError:
    pass
