# verdict: ran
# program: succeeded
# ruff: noqa
# hoards what the kernel counts per user: watches, signals, pipes, timers
import ctypes
import os
import select
import signal

libc = ctypes.CDLL(None)
opened = []
while (watch := libc.inotify_init()) >= 0:
    opened.append(watch)
for descriptor in opened:
    os.close(descriptor)
opened = []
try:
    while True:
        opened += os.pipe()
        os.set_blocking(opened[-1], False)
        os.write(opened[-1], bytes(65536))
except OSError:
    pass
for descriptor in opened:
    os.close(descriptor)
# Not in this process: its other threads would take the signals.
reading, writing = os.pipe()
if os.fork() == 0:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGRTMAX})
    queued = 0
    while queued < 200_000 and libc.sigqueue(os.getpid(), signal.SIGRTMAX, None) == 0:
        queued += 1
    os.write(writing, b"full")
    signal.pause()
assert os.read(reading, 4) == b"full"
