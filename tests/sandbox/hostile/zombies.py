# verdict: ran
# program: succeeded
# ruff: noqa
# collects none of its dead children
import errno
import os

made = 0
try:
    while made < 1000:
        if os.fork() == 0:
            os._exit(0)
        made += 1
except OSError as error:
    assert error.errno == errno.EAGAIN, error
assert made < 64
