# verdict: ran | memory
# ruff: noqa
# has a child that allocates for ever
import os

if os.fork() == 0:
    hoard = []
    while True:
        hoard.append(bytearray(10**7))
os.wait()
