# verdict: ran
# program: succeeded
# ruff: noqa
# brings a library and loads it
import ctypes
import os
import shutil
import subprocess
import sys
import _ctypes

source = ctypes.util.find_library("c") if hasattr(ctypes, "util") else None
source = next(
    line.split()[-1] for line in open("/proc/self/maps") if "/libc.so" in line or "/libm.so" in line
)
for folder in ("/tmp", "/dev/shm", "/home/student"):
    path = shutil.copy(source, f"{folder}/own.so")
    try:
        ctypes.CDLL(path)
    except OSError:
        pass
    else:
        raise AssertionError(folder)
    said = subprocess.run(
        ["/bin/true"], env={"LD_PRELOAD": path}, stderr=subprocess.PIPE, check=True
    ).stderr
    assert b"cannot be preloaded" in said, said
