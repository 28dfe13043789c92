"""A thread of the worker that sees to what the training itself cannot.

An environment that hangs, an owner that is gone, a folder that grows too large, a log without end.
"""

from __future__ import annotations

import faulthandler
import os
import select
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.control import Control, Phase
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.guard import Guard

_TICK_SECONDS: Final = 0.25
_DISK_SECONDS: Final = 2.0
_OWNER_SECONDS: Final = 1.0
#: A process that was stopped (SIGSTOP, a frozen container) has not waited for its environment.
_LONGEST_TICK: Final = 1.0
#: When even this thread gets no turn for so much longer, C code holds the interpreter.
_HELD_SECONDS: Final = 60.0
_LOG_BYTES: Final = 4 * 1024 * 1024

_WHERE: Final = {Phase.ENV: "in training", Phase.EVAL: "in an evaluation"}


class Watchdog:
    """Watches until the process ends."""

    def __init__(
        self,
        files: RunDirectory,
        spec: RunSpec,
        control: Control,
        *,
        has_owner: bool,
        disk_bytes: int | None,
        give_up: Callable[[int], None] = os._exit,
    ) -> None:
        """Watch a run. ``has_owner``: end when standard input ends or the parent is another one."""
        self._files = files
        self._spec = spec
        self._control = control
        self._has_owner = has_owner
        self._disk_bytes = disk_bytes
        self._give_up = give_up
        self._parent = os.getppid()
        self._beat_at = control.beat_at
        self._waited = 0.0
        self._disk_at = 0.0
        self._owner_at = 0.0

    def start(self) -> None:
        """Begin to watch, in a thread that never keeps the process; before torch is loaded."""
        self._guard = Guard(self._spec.step_timeout + _HELD_SECONDS, self._fail_for_guard)
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        last = time.monotonic()
        while True:
            time.sleep(_TICK_SECONDS)
            now = time.monotonic()
            self.look(now - last)
            self._guard.beat(is_armed=self._control.phase in _WHERE)
            last = now

    def look(self, elapsed: float) -> None:
        """Look once at everything, ``elapsed`` seconds after the last time."""
        self._look_at_environment(min(elapsed, _LONGEST_TICK))
        now = time.monotonic()
        if self._has_owner and now - self._owner_at >= _OWNER_SECONDS:
            self._owner_at = now
            if _owner_is_gone(self._parent):
                self._has_owner = False
                self._control.end("The process that started the training ended.")
        trim_log(self._files)
        if self._disk_bytes is not None and now - self._disk_at >= _DISK_SECONDS:
            self._disk_at = now
            if self._files.size_bytes() > self._disk_bytes:
                self._control.end(
                    f"The run's folder is larger than the {self._disk_bytes / 1e6:.0f} MB it may "
                    "use. Delete other runs or ask for more room, then resume it."
                )

    def _look_at_environment(self, elapsed: float) -> None:
        beat_at, phase = self._control.beat_at, self._control.phase
        if beat_at != self._beat_at or phase not in _WHERE:
            self._beat_at, self._waited = beat_at, 0.0
        else:
            self._waited += elapsed
        if self._waited > self._spec.step_timeout:
            self._fail(
                f"The environment {self._spec.env_id} did not answer for "
                f"{self._spec.step_timeout:g} s {_WHERE[phase]}. Find out where it waits "
                "(worker.log shows it), or raise step_timeout."
            )

    def _fail_for_guard(self) -> None:
        """Write the end, in the guard's process."""
        status = self._files.read_status()
        message = (
            f"The environment {self._spec.env_id} did not answer for "
            f"{self._spec.step_timeout + _HELD_SECONDS:g} s and held the whole process: code of "
            "its own in C waits or never ends (worker.log shows where)."
        )
        self._files.announce(replace(status, state=RunState.FAILED, message=message))

    def _fail(self, message: str) -> None:
        try:
            faulthandler.dump_traceback(file=sys.__stderr__ or 2)
            status = self._files.read_status()
            self._files.announce(replace(status, state=RunState.FAILED, message=message))
            trim_log(self._files)
        finally:
            self._give_up(1)


def trim_log(files: RunDirectory) -> None:
    """Drop the older half of worker.log when it has become too long.

    Whoever prints has the file open for appending, so it may be cut under them.
    """
    try:
        if files.log_file.stat().st_size <= _LOG_BYTES:
            return
        kept = files.log_tail(_LOG_BYTES // 2)
        with files.log_file.open("r+b") as log:
            log.truncate(0)
        with files.log_file.open("ab") as log:
            log.write(b"(earlier output was dropped)\n" + kept.encode())
    except OSError:  # a log is not worth a training
        return


def _owner_is_gone(parent: int) -> bool:
    # A fork of the owner may hold the pipe open, so the parent is looked at as well.
    if os.getppid() != parent:
        return True
    readable, _, _ = select.select([0], [], [], 0)
    return bool(readable) and not os.read(0, 1024)
