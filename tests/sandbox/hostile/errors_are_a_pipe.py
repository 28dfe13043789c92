# verdict: kernel_died
# program: died
# ruff: noqa
# crashes where its last words would be waited for at a pipe into which nobody writes
import os
import pathlib

folder = pathlib.Path("/tmp/.kernel")
if folder.exists():
    (folder / "stderr").unlink()
    os.mkfifo(folder / "stderr")
os.abort()
