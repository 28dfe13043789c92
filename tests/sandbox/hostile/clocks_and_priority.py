# verdict: ran
# program: succeeded
# ruff: noqa
# sets the clock and its own priority
import os
import resource
import time

for change in (
    lambda: time.clock_settime(time.CLOCK_REALTIME, 0),
    lambda: os.setpriority(os.PRIO_PROCESS, 0, -20),
    lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
    lambda: os.nice(-10),
    lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)),
    lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
    lambda: os.sched_setaffinity(0, {4095}),
):
    before = os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, 1)
    try:
        change()
    except OSError:
        continue
    now = os.getpriority(os.PRIO_PROCESS, 0), os.getpriority(os.PRIO_PROCESS, 1)
    assert now[0] >= before[0], change
