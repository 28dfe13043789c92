# verdict: memory | kernel_died
# program: memory | died
# ruff: noqa
# fills the memory as the smallest of all processes, so that the system ends process 1 instead
import os
import sys

with open("/proc/self/oom_score_adj", "w") as file:
    file.write("0")
hoard = """
import os
kept = []
while True:
    kept.append(os.memfd_create("hoard"))
    for _ in range(64):
        os.write(kept[-1], b"x" * 65536)
"""
os.execv(sys.executable, [sys.executable, "-S", "-E", "-c", hoard])
