# verdict: output_limit | memory
# program: output_limit
# ruff: noqa
# writes to file descriptor 1 for ever
import os

while True:
    os.write(1, b"y" * 65536)
