"""What processes that are not ours alone have in common: how they are born, how they end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from jupyter_ppo.sandbox.inside import seccomp

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
#: How long killed processes may take to go.
_KILL_SECONDS: Final = 30.0
_OOM_FILES: Final = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")


def hide_this_process() -> None:
    """Make this process unreadable and untraceable for the student's, which have the same user."""
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # Process 1 gets only the signals that it handles, and Python handles this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def become_student(descriptors: tuple[int, int, int]) -> None:
    """Turn this fork into a process of the student, with these files as 0, 1 and 2.

    The stream to the server ends here: nothing of it stays open. Under memory pressure this process
    goes first, and process 1 stays to say so.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, own in enumerate(descriptors):
        os.dup2(own, number)
    for own in {*descriptors} - {0, 1, 2}:
        os.close(own)
    Path("/proc/self/oom_score_adj").write_text("1000")
    seccomp.install()


def oom_kills() -> int:
    """How often the kernel's out-of-memory killer struck here (control groups v1 or v2)."""
    for name in _OOM_FILES:
        with contextlib.suppress(OSError, ValueError), open(name) as file:
            for line in file:
                if line.startswith("oom_kill "):
                    return int(line.split()[1])
    return 0


class Offspring:
    """All processes but process 1, of which ``pid`` is the one that matters.

    ``status`` is its exit code as in subprocess, once it has ended; ``peak_kb`` the most memory
    that one of those that were collected has had, in KiB.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.status: int | None = None
        self.peak_kb = 0

    def reap(self) -> bool:
        """Collect every process that ended; False when there is none at all."""
        try:
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return True
                self.peak_kb = max(self.peak_kb, usage.ru_maxrss)
                if pid == self.pid:
                    self.status = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False

    def kill_all(self, meanwhile: Callable[[], None]) -> bool:
        """End every process and collect it; False when some do not go.

        ``meanwhile`` is called again and again while they go.
        """
        end = time.monotonic() + _KILL_SECONDS
        while self.reap():
            if time.monotonic() > end:
                return False
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # all but process 1
            meanwhile()
            time.sleep(0.001)
        return True
