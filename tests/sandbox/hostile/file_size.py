# verdict: ran
# program: succeeded
# ruff: noqa
# makes files larger than allowed
import os
import signal

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for file in (open("/tmp/sparse", "wb"), os.fdopen(os.memfd_create("large"), "wb")):
    try:
        file.truncate(2**40)
    except OSError:
        continue
    raise AssertionError(file)
