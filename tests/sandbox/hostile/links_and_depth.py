# verdict: ran
# program: succeeded
# ruff: noqa
# leaves symbolic links and a very deep folder behind
import os

for target in ("/etc/passwd", "/proc/1/root", "/"):
    os.symlink(target, f"/tmp/link{target.replace('/', '_')}")
os.chdir("/tmp")
for _ in range(100):
    os.mkdir("d")
    os.chdir("d")
