# verdict: ran | kernel_died
# program: succeeded | died
# ruff: noqa
# leaves a process behind that kills the kernel a moment later
import os
import time

kernel = os.getpid()
if os.fork() == 0:
    time.sleep(0.05)
    os.kill(kernel, 9)
    os._exit(0)
