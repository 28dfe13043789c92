# verdict: ran
# program: succeeded
# ruff: noqa
# removes the sockets and the folder that it is reached through
import os
import shutil

for name in os.listdir("/tmp"):
    path = os.path.join("/tmp", name)
    shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
