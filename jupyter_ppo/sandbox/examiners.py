"""The examiners' containers of a server: kept for the next submission of the same version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.sandbox import PoolStatus, SandboxLimits
from jupyter_ppo.sandbox.examiner_box import EXAMINER_LIMITS, ExaminerBox
from jupyter_ppo.sandbox.idle_boxes import IDLE_SECONDS, IdleBoxes

#: How many submissions a container serves at most.
_MOST_SERVED: Final = 200


class Examiners:
    """Keeps at most ``idle`` containers that wait, those that were used last.

    ``base_url`` is the container engine's address; None finds it. Safe to use from any thread.
    """

    def __init__(
        self,
        base_url: str | None = None,
        *,
        idle: int = 2,
        limits: SandboxLimits = EXAMINER_LIMITS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._base_url = base_url
        self._limits = limits
        self._idle: IdleBoxes[ExaminerBox] = IdleBoxes(
            idle, idle_seconds, "An examiner's container"
        )

    def take(
        self, key: str, modules: Iterable[str] = (), ending: Ending | None = None
    ) -> ExaminerBox:
        """Return a container for one submission of the version ``key``, a new one if none waits.

        An empty ``key`` always gets a new one. ``ending`` ends the start of a new one. Raises
        ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``. What was taken must
        be given back.
        """
        box = self._idle.take(key) if key else None
        if box is None:
            box = ExaminerBox.start(
                key, modules, limits=self._limits, base_url=self._base_url, ending=ending
            )
        box.served += 1
        return box

    def give_back(self, box: ExaminerBox) -> None:
        """Keep a container whose submission's process has ended, or close it; may block."""
        if box.key and box.served < _MOST_SERVED and box.is_alive:
            self._idle.keep(box, box.key)
        else:
            self._idle.close_boxes([box])

    def close(self) -> None:
        """Close all that wait; those that were taken are closed when they are given back."""
        self._idle.close()

    def status(self) -> PoolStatus:
        """Say how many wait, of how many that may."""
        return self._idle.status()
