# verdict: ran
# program: succeeded
# ruff: noqa
# brings a program and starts it
import os
import shutil
import subprocess

for folder in ("/tmp", "/dev/shm", "/home/student"):
    path = shutil.copy("/bin/true", f"{folder}/own")
    os.chmod(path, 0o755)
    try:
        subprocess.run([path], check=True)
    except PermissionError:
        continue
    raise AssertionError(folder)
