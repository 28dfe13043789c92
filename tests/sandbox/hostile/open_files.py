# verdict: ran
# program: succeeded
# ruff: noqa
# opens files until it cannot
import os

opened = []
try:
    while True:
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    for descriptor in opened:
        os.close(descriptor)
assert len(opened) < 256
