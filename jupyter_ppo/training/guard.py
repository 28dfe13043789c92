"""A second process that ends a worker in which C code never gives the interpreter back.

No thread of the worker can see to that: none gets a turn. The guard is a fork from before anything
is loaded. It counts the seconds in which both were running, so that a computer that was asleep or
a process that was stopped (SIGSTOP) loses nothing.
"""

from __future__ import annotations

import ctypes
import faulthandler
import mmap
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICK_SECONDS: Final = 0.5
#: A longer tick: the guard itself was stopped.
_LONGEST_TICK: Final = 1.0
_SET_DEATH_SIGNAL: Final = 1  # prctl(2)


class Guard:
    """What the watched process sees of its guard."""

    def __init__(self, limit: float, on_end: Callable[[], None]) -> None:
        """Fork; the guard calls ``on_end`` and ends this process after ``limit`` seconds.

        Those are seconds without a ``beat`` while ``beat`` last said that there is something to
        wait for.
        """
        faulthandler.enable(file=sys.__stderr__ or 2)  # SIGABRT then says where it was
        self._shared = mmap.mmap(-1, 2)
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(BaseException):
                _stand_alone(parent)
                self._watch(parent, limit, on_end)
            os._exit(0)

    def beat(self, *, is_armed: bool) -> None:
        """Say that the interpreter is not held, and whether it must go on saying so."""
        self._shared[0] = (self._shared[0] + 1) % 256
        self._shared[1] = is_armed

    def _watch(self, parent: int, limit: float, on_end: Callable[[], None]) -> None:
        seen, waited, last = self._shared[0], 0.0, time.monotonic()
        while os.getppid() == parent:
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
            if self._shared[0] != seen or not self._shared[1]:
                seen, waited = self._shared[0], 0.0
            elif not _is_stopped(parent):
                waited += min(now - last, _LONGEST_TICK)
            last = now
            if waited > limit:
                try:
                    on_end()
                finally:
                    os.kill(parent, signal.SIGABRT)
                time.sleep(_TICK_SECONDS)
                os.kill(parent, signal.SIGKILL)
                return


def _stand_alone(parent: int) -> None:
    """Keep nothing of the watched process open, and end with it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _is_stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in {"T", "t"}
    except (OSError, IndexError):
        return False
