"""metrics.jsonl: points and rewinds, one JSON object per line, only ever appended to.

::

    {"step":1024,"seconds":0.41,"return":23.0,"length":23.0}     a point; null is NaN
    {"rewind":51200}                                            points after that step do not count

The byte offset behind a line is a cursor: reading from it again gives what came after. A run that
was killed goes on from its last checkpoint and measures the steps since then again, hence rewinds.
"""

from __future__ import annotations

import json
import math
import os
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.training import Metric, MetricPoint, Rewind, metric_name
from jupyter_ppo.training.lines import LineReader, end_torn_line, parsed

_STEP, _SECONDS, _REWIND = "step", "seconds", "rewind"
_NOT_MEASURED: Final = frozenset({_STEP, _SECONDS})
_TAIL_BYTES: Final = 64 * 1024
#: The largest step that a float64 column holds exactly.
_LARGEST_STEP: Final = 2**53

#: Steps and values of one metric, float64.
Column = tuple["array[float]", "array[float]"]


class MetricWriter:
    """Appends to the file; one writer at a time, which the worker's lock sees to.

    Points are kept until ``flush``. When the disk is full ``flush`` raises ``OSError`` and what was
    not written stays for the next call.
    """

    def __init__(self, path: Path) -> None:
        end_torn_line(path)
        self._path = path
        self._waiting = bytearray()
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    @property
    def offset(self) -> int:
        """The file's size: the cursor behind all that was flushed."""
        return os.fstat(self._descriptor).st_size

    def add(self, point: MetricPoint) -> None:
        """Keep a point for the next flush."""
        self._waiting += point_line(point).encode() + b"\n"

    def flush(self, durable: bool = False) -> None:
        """Write what was kept; ``durable`` also waits until it is on disk."""
        while self._waiting:
            del self._waiting[: os.write(self._descriptor, self._waiting)]
        if durable:
            os.fsync(self._descriptor)

    def rewind(self, step: int) -> None:
        """Mark that the run goes on from ``step``; nothing is written when nothing is newer."""
        self.flush()
        if _last_step(self._path) > step:
            self._waiting += json.dumps({_REWIND: step}).encode() + b"\n"
            self.flush()

    def close(self) -> None:
        """Write what was kept and close the file."""
        if self._descriptor >= 0:
            try:
                self.flush()
            finally:
                os.close(self._descriptor)
                self._descriptor = -1


class MetricReader:
    """Reads what was appended since the last call, from a cursor on."""

    def __init__(self, path: Path, cursor: int = 0) -> None:
        self._lines = LineReader(path, cursor)

    @property
    def cursor(self) -> int:
        """The byte offset behind what was read; a reader that begins there goes on from here."""
        return self._lines.offset

    def read(self, limit_bytes: int | None = None) -> list[MetricPoint | Rewind]:
        """Return new points and rewinds, oldest first, of about ``limit_bytes`` of the file."""
        found = []
        for data in self._lines.read(limit_bytes):
            item = item_of_line(data)
            if item is not None:
                found.append(item)
        return found


def point_line(point: MetricPoint) -> str:
    """Return a point as its line, without the line end. JSON has no NaN: it becomes null."""
    data: dict[str, Any] = {_STEP: point.step, _SECONDS: round(point.seconds, 6)}
    for name, value in point.values.items():
        data[str(name)] = value if math.isfinite(value) else None
    return json.dumps(data, separators=(",", ":"))


def item_of_line(data: dict[str, Any]) -> MetricPoint | Rewind | None:
    """Return what a parsed line says; None when it is of no writer of ours."""
    step = data.get(_STEP)
    if type(step) is not int or not 0 <= step <= _LARGEST_STEP:
        back = data.get(_REWIND)
        return Rewind(back) if type(back) is int and back >= 0 else None
    seconds = data.get(_SECONDS, 0.0)
    if type(seconds) not in {int, float} or not math.isfinite(seconds):
        seconds = 0.0
    values = {}
    for name, value in data.items():
        number = _number(value)
        if number is not None and name not in _NOT_MEASURED and _is_name(name):
            values[name] = number
    return MetricPoint(step, float(seconds), values)


def apply_rewinds(items: Iterable[MetricPoint | Rewind]) -> list[MetricPoint]:
    """Return the points that count."""
    points: list[MetricPoint] = []
    for item in items:
        if isinstance(item, Rewind):
            points = [point for point in points if point.step <= item.step]
        else:
            points.append(item)
    return points


def current_points(path: Path) -> list[MetricPoint]:
    """Return all points of a file that count, in order; raise ``FileNotFoundError``."""
    path.stat()
    return apply_rewinds(MetricReader(path).read())


def read_columns(path: Path, until: int | None = None) -> dict[str, Column]:
    """Return the steps and values of each metric, rewinds applied: the fast way to draw a run.

    ``until`` is the cursor where to stop; without it all of the file is read.
    """
    lists: dict[str, tuple[list[int], list[float]]] = {}
    for data in parsed(_lines_until(path, until)):
        step = data.get(_STEP)
        if type(step) is not int or not 0 <= step <= _LARGEST_STEP:
            item = item_of_line(data)
            if isinstance(item, Rewind):
                lists = {name: _until(*column, item.step) for name, column in lists.items()}
            continue
        for name, value in data.items():
            column = lists.get(name)
            if column is None:
                if name in _NOT_MEASURED or not _is_name(name):
                    continue
                column = lists[name] = ([], [])
            number = value if type(value) is float else _number(value)
            if number is not None:
                column[0].append(step)
                column[1].append(number)
    return {
        name: (array("d", steps), array("d", values))
        for name, (steps, values) in lists.items()
        if steps
    }


def _lines_until(path: Path, until: int | None) -> bytes:
    if until is None:
        return LineReader(path).read_lines()
    try:
        with path.open("rb") as file:
            data = file.read(max(until, 0))
    except FileNotFoundError:
        return b""
    return data[: data.rfind(b"\n") + 1]


def _until(steps: list[int], values: list[float], last: int) -> tuple[list[int], list[float]]:
    kept = [number for number, step in enumerate(steps) if step <= last]
    return [steps[number] for number in kept], [values[number] for number in kept]


def _number(value: Any) -> float | None:
    if value is None:
        return math.nan
    if type(value) is float or type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return math.nan
    return None


_KNOWN: set[str] = {metric.value for metric in Metric}
_KNOWN_AT_MOST: Final = 1000


def _is_name(name: str) -> bool:
    if name in _KNOWN:
        return True
    try:
        metric_name(name)
    except InvalidInputError:
        return False
    if len(_KNOWN) < _KNOWN_AT_MOST:
        _KNOWN.add(name)
    return True


def _last_step(path: Path) -> int:
    """Return the largest step that counts, as far as the file's end shows it; -1 for none.

    Steps only grow between two rewinds, so the last line decides.
    """
    size = path.stat().st_size
    reader = LineReader(path, max(size - _TAIL_BYTES, 0))
    for data in reversed(reader.read()):
        item = item_of_line(data)
        if item is not None:
            return item.step
    return -1
