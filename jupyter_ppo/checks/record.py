"""What checks and exams write down. In the examiner somebody reads it; in a notebook nobody does.

The examiner sets ``Hooks`` before a test cell and takes what was written afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Line:
    """One check: its name, the points it gave of those it could give, and why it gave fewer."""

    name: str
    points: float
    max_points: float
    message: str = ""


class Hooks(Protocol):
    """What the examiner does around each check."""

    def entered(self) -> None:
        """Start the check's clock."""

    def text_of(self, error: BaseException) -> str:
        """Return an error's text, or nothing when it gives none."""

    def left(self) -> str | None:
        """Return why the check is lost, None if it is not; raise when the whole cell is."""


class _Recorder:
    hooks: Hooks | None = None

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.notes: list[dict[str, Any]] = []


_recorder = _Recorder()


def start(hooks: Hooks) -> None:
    """Begin to keep what a test cell writes."""
    take()
    _recorder.hooks = hooks


def take() -> tuple[list[Line], list[dict[str, Any]]]:
    """Return what was written since the last time, the checks and the notes."""
    kept = (_recorder.lines, _recorder.notes)
    _recorder.lines, _recorder.notes = [], []
    return kept


def is_kept() -> bool:
    """Whether somebody reads what is written."""
    return _recorder.hooks is not None


def note(values: Mapping[str, Any]) -> None:
    """Write something down for people, as plain values (an examined policy's returns)."""
    if _recorder.hooks is not None:
        _recorder.notes.append(dict(values))


def add(line: Line) -> None:
    """Write down how a check ended."""
    if _recorder.hooks is not None:
        _recorder.lines.append(line)


def entered() -> None:
    """Say that a check begins."""
    if _recorder.hooks is not None:
        _recorder.hooks.entered()


def text_of(error: BaseException) -> str:
    """Return an error's text, or nothing when it gives none."""
    if _recorder.hooks is not None:
        return _recorder.hooks.text_of(error)
    try:
        return str(error)
    except Exception:
        return ""


def left() -> str | None:
    """Say that a check is over; return why it is lost whatever it did, else None."""
    return None if _recorder.hooks is None else _recorder.hooks.left()
