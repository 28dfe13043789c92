# verdict: ran
# ruff: noqa
# removes the kernel's own sockets
import os

for name in os.listdir("/tmp/.kernel"):
    os.unlink(f"/tmp/.kernel/{name}")
