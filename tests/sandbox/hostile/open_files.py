# verdict: cell_timeout | kernel_died | ran
# ruff: noqa
# uses up its file descriptors
import os

try:
    while True:
        os.open("/dev/null", 0)
except OSError:
    pass
