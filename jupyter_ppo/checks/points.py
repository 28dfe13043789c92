"""Several checks in one test cell, each with points and a message of its own.

::

    checks = Checks()
    with checks("shape", points=1):
        assert advantages.shape == rewards.shape
    with checks("by hand", points=2, message="Start from the last step and go backwards."):
        assert advantages[-1] == rewards[-1] - values[-1]
    checks.points

The last line is the cell's partial credit, for nbgrader too; the cell's points in its metadata
should be ``checks.max_points``.
"""

from __future__ import annotations

import math
from types import TracebackType

from jupyter_ppo.checks import record

_MAX_NAME = 200


class Checks:
    """The checks of one cell. A failing one gives no points, and those after it still run."""

    def __init__(self) -> None:
        self._lines: dict[str, record.Line | None] = {}

    def __call__(self, name: str, points: float = 1.0, message: str = "") -> _Check:
        """Return one check, for ``with``.

        ``message`` is what the student reads when it fails; without one, what the assertion says.
        Raises ``TypeError`` and ``ValueError`` for a name that is empty or was there before, and
        for points that are no finite number from 0.
        """
        texts: tuple[object, ...] = (name, message)
        if not all(isinstance(text, str) for text in texts):
            msg = "The name and the message of a check are texts."
            raise TypeError(msg)
        if isinstance(points, bool) or not isinstance(points, int | float):
            msg = f"The points of the check {name!r} are {points!r}; give a number."
            raise TypeError(msg)
        if not 0 < len(name.strip()) <= _MAX_NAME:
            msg = f"A check needs a name of 1 to {_MAX_NAME} characters, not {name!r}."
            raise ValueError(msg)
        if name in self._lines:
            msg = f"There are two checks of the name {name!r}; give each its own."
            raise ValueError(msg)
        if not math.isfinite(points) or points < 0:
            msg = f"The points of the check {name!r} are {points}; give a finite number from 0."
            raise ValueError(msg)
        return _Check(self._lines, record.Line(name, 0.0, float(points), message))

    @property
    def points(self) -> float:
        """The points of the checks that passed so far."""
        return math.fsum(line.points for line in self._lines.values() if line is not None)

    @property
    def max_points(self) -> float:
        """The points of all checks so far."""
        return math.fsum(line.max_points for line in self._lines.values() if line is not None)

    def __repr__(self) -> str:
        return f"Checks({self.points:g} of {self.max_points:g} points)"


class _Check:
    def __init__(self, lines: dict[str, record.Line | None], line: record.Line) -> None:
        self._lines = lines
        self._line = line

    def __enter__(self) -> None:
        self._lines[self._line.name] = None
        record.entered()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _: TracebackType | None,
    ) -> bool:
        # The check's clock runs until it is left: an object in the text may take its time.
        said = record.text_of(error) if isinstance(error, Exception) else ""
        lost = record.left()
        if lost is None and error is not None and not isinstance(error, Exception):
            return False  # an interrupt: not the check's to judge
        line = self._line
        if lost is None and error is None:
            ended = record.Line(line.name, line.max_points, line.max_points)
        else:
            name = type(error).__name__
            if not isinstance(error, AssertionError):
                said = f"{name}: {said}"
            ended = record.Line(
                line.name, 0.0, line.max_points, line.message or lost or said or name
            )
            if not record.is_kept():
                print(f"{line.name}: not passed ({ended.message})")  # noqa: T201 - in a notebook
        self._lines[line.name] = ended
        record.add(ended)
        return True
