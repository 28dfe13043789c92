# verdict: memory
# program: memory
# ruff: noqa
# keeps its hoard in files that have no name
import errno
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
files = []
while True:
    files.append(os.memfd_create("hoard"))
    written = 0
    try:
        while True:
            written += os.write(files[-1], b"x" * 2**20)
    except OSError as error:
        assert error.errno == errno.EFBIG, error
    assert written <= 8 * 2**20
