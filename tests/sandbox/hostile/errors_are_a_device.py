# verdict: kernel_died
# program: died
# ruff: noqa
# crashes where its last words would be looked for in an endless device
import os
import pathlib

folder = pathlib.Path("/tmp/.kernel")
if folder.exists():
    (folder / "stderr").unlink()
    (folder / "stderr").symlink_to("/dev/zero")
os.abort()
