"""What a trainer sees of the outside: commands, a reason to end, and a watch over the environment.

Everything here is cheap enough to be asked at every step.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.training import Command, RunCommand
from jupyter_ppo.training.lines import LineReader

#: How long an update may take to end when the worker must end.
GRACE_SECONDS: Final = 30.0


class Phase(StrEnum):
    """What the worker is at. In ENV and EVAL the user's code runs, which may hang."""

    START = "start"
    ENV = "env"
    UPDATE = "update"
    EVAL = "eval"
    PAUSED = "paused"


class Control:
    """Commands from outside, and the reason to end. Made by the worker, asked by the trainer."""

    def __init__(
        self,
        commands: Path,
        commands_from: int = 0,
        on_refused: Callable[[str], None] | None = None,
        give_up: Callable[[int], None] = os._exit,
        *,
        followed: int | None = None,
    ) -> None:
        """Read ``commands`` from a byte offset on: older ones were for workers before this one.

        Of those from ``followed`` on (by default none) nothing is in the checkpoint that this
        worker goes on from, so SET and EXTEND among them come first; pauses and stops are over.
        ``on_refused`` is told, in one sentence, of a command that cannot be understood.
        """
        self.end_reason = ""
        self.phase = Phase.START
        self.beat_at = time.monotonic()
        self._reader = LineReader(commands, commands_from)
        self._on_refused = on_refused
        self._give_up = give_up
        self.followed = commands_from if followed is None else followed
        self._first = _changes_between(commands, self.followed, commands_from)

    @property
    def offset(self) -> int:
        """How far commands were read, in bytes; checkpoints keep it as ``commands_offset``."""
        return self._reader.offset

    def beat(self, phase: Phase) -> None:
        """Say what comes next; called before everything that runs the environment's code."""
        self.phase = phase
        self.beat_at = time.monotonic()

    def commands(self) -> list[RunCommand]:
        """Return the commands that came since the last call, oldest first.

        The first call begins with the changes that an earlier worker took with it; an EXTEND that
        does not go beyond the plan is to be ignored.
        """
        found, self._first = self._first, []
        for data in self._reader.read():
            try:
                found.append(RunCommand.from_dict(data))
            except InvalidInputError as error:
                if self._on_refused is not None:
                    self._on_refused(f"A command was not understood: {error.message}")
        return found

    def end(self, reason: str) -> None:
        """Ask the trainer to write a checkpoint and end; the first reason counts.

        When it has not done so after the grace time, the process ends as if it had been killed.
        """
        if self.end_reason:
            return
        self.end_reason = reason
        deadline = threading.Timer(GRACE_SECONDS, self._give_up, args=(1,))
        deadline.daemon = True
        deadline.start()


def _changes_between(commands: Path, begin: int, end: int) -> list[RunCommand]:
    """Return the changes, and nothing else, that were asked for between two byte offsets."""
    found: list[RunCommand] = []
    if end <= begin:
        return found
    for data in LineReader(commands, begin).read(end - begin):
        with contextlib.suppress(InvalidInputError):
            command = RunCommand.from_dict(data)
            if command.command in {Command.SET, Command.EXTEND}:
                found.append(command)
    return found
