# verdict: ran
# program: succeeded
# ruff: noqa
# lets process 1 wait for a processor: last in every queue, on one CPU, as an idle task
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
attributes = ctypes.create_string_buffer(56)
attributes[0] = b"\x38"
attributes[4] = b"\x05"  # SCHED_IDLE
for change in (
    lambda: os.setpriority(os.PRIO_PROCESS, 1, 19),
    lambda: os.setpriority(os.PRIO_PGRP, 1, 19),
    lambda: os.setpriority(os.PRIO_USER, 0, 19),
    lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19),
    lambda: os.sched_setparam(1, os.sched_param(0)),
    lambda: os.sched_setaffinity(1, {0}),
):
    try:
        change()
    except PermissionError:
        continue
    raise AssertionError("process 1 was changed")
for number, *arguments in (
    (314, 1, attributes, 0),  # sched_setattr
    (251, 1, 1, 3 << 13),  # ioprio_set, to idle
    (251, 3, 0, 3 << 13),
    (256, 1, 8, None, None),  # migrate_pages
    (279, 1, 0, None, None, None, 0),  # move_pages
    (440, 0, None, 0, 4, 0),  # process_madvise
    (448, 0, 0),  # process_mrelease
):
    assert libc.syscall(number, *arguments) == -1, number
    assert ctypes.get_errno() == 1, (number, ctypes.get_errno())
os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))  # seems to work
assert os.sched_getscheduler(1) == os.SCHED_OTHER
os.sched_setaffinity(0, os.sched_getaffinity(0))  # its own it may set, as libraries do
assert os.getpriority(os.PRIO_PROCESS, 1) == 0
