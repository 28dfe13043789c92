# verdict: ran | memory
# program: succeeded | memory
# ruff: noqa
# lets its children allocate
import os

children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        hoard = []
        while True:
            hoard.append(bytearray(10**7))
    children.append(child)
for child in children:
    os.waitpid(child, 0)
