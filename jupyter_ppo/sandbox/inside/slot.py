"""A container that serves one kernel after another, where the administrator has turned that on.

Process 1 stays as it was when it had imported its modules: for each kernel it forks a relay, and
only that reads and writes what belongs to a submission. So the memory from which the next kernel is
forked holds nothing of the last one. The student's processes cannot read the relay (it is not
dumpable); who kills or stops it ends his own run, and the container with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import time
from typing import Any, Final

from jupyter_ppo.sandbox.frames import Channel
from jupyter_ppo.sandbox.inside import child, emptying, kernel
from jupyter_ppo.sandbox.inside.pipe import Pipe

_PR_SET_PDEATHSIG: Final = 1
#: How often process 1 looks whether the server is gone, in seconds.
_TICK: Final = 0.5
#: How much later than the relay process 1 ends a run, in seconds.
_GRACE_SECONDS: Final = 5.0
#: Exit codes of process 1: the relay did not end as it should, or something of the run has stayed.
_RELAY_LOST: Final = 75
_NOT_CLEAN: Final = 76


def run(pipe: Pipe, order: dict[str, Any]) -> None:
    """Run one kernel as ``kernel.run`` does, until it is over and the server has said ``end``.

    Returns when no process, file or IPC object of it is left, and has said ``ready`` again; else it
    ends the container.
    """
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        child.hide_this_process()
        kernel.run(_RelayPipe(pipe), order)
        os._exit(_RELAY_LOST)
    pipe.forget()
    family = child.Offspring(pid)
    seconds = order["seconds"]
    _wait(family, time.monotonic() + seconds + _GRACE_SECONDS if seconds else None)
    if family.status != 0:  # the stream may have been left in the middle of a frame
        os._exit(_RELAY_LOST)
    if not (family.kill_all(pipe.write) and emptying.empty()):
        os._exit(_NOT_CLEAN)
    pipe.tell(event="ready")


def _wait(family: child.Offspring, deadline: float | None) -> None:
    """Collect processes until the relay has ended, the server is gone, or the time is up."""
    poller = select.poll()
    poller.register(0, 0)  # only that the other side was closed; the relay reads
    ended = -1
    with contextlib.suppress(OSError, AttributeError):
        ended = os.pidfd_open(family.pid)
        poller.register(ended, select.POLLIN)
    while family.status is None:
        if any(number == 0 for number, _ in poller.poll(_TICK * 1000)):
            os._exit(0)
        family.reap()
        if deadline is not None and time.monotonic() > deadline:
            os._exit(_RELAY_LOST)
    if ended >= 0:
        os.close(ended)


class _RelayPipe(Pipe):
    """The stream while the relay has it. It is given back between two frames."""

    def __init__(self, pipe: Pipe) -> None:
        vars(self).update(vars(pipe))

    def leave(self, cause: str, code: int, detail: str = "") -> None:
        """Say how the kernel ended, and end when the server has said ``end`` and read it all."""
        self.tell(event="exit", cause=cause, code=code, detail=detail)
        is_told = False
        while True:
            while self.inbox and not is_told:
                frame = self.inbox.popleft()
                is_told = (
                    frame.channel is Channel.META and json.loads(frame.parts[0])["do"] == "end"
                )
            if is_told and not self.waiting:
                os._exit(0)
            select.select([] if is_told else [0], [1] if self.waiting else [], [])
            if not is_told:
                self.read()
            self.write()
