"""What a run's folder says, for people.

A worker in a container wrote it, so nothing in it is taken on trust: sizes are bounded, what is
damaged counts as absent, nothing is unpickled and no link is followed.
"""

from __future__ import annotations

import difflib
import os
import stat
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.training import (
    CheckpointInfo,
    Evaluation,
    Metric,
    MetricPoint,
    Rewind,
    RunEvent,
    RunStatus,
)
from jupyter_ppo.training.decimate import min_max
from jupyter_ppo.training.documents import event_from_json
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import Column, MetricReader, apply_rewinds, read_columns

#: The most of a file that is read for one answer, in bytes.
MAX_BYTES = 1024 * 1024
#: A file of metrics larger than this is not drawn: 1,000,000 steps take about 10 MiB.
MAX_SERIES_BYTES = 256 * 1024 * 1024
MAX_ITEMS, MAX_POINTS, MAX_LOG_LINES = 10_000, 20_000, 2_000
#: Evaluations are read at once; each is one line of some hundred bytes.
_MAX_EVALUATIONS_BYTES = 16 * 1024 * 1024
_LONGEST_LOG_LINE = 2_000
#: Metrics that a message names; a loop of the user's own may have any number.
_MOST_NAMED = 30
_LONGEST_LINE = 16 * 1024 * 1024
#: Where the newest values are looked for.
_TAIL_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class MetricBatch:
    """Points and rewinds in the order of the file, and the cursor behind them."""

    items: tuple[MetricPoint | Rewind, ...]
    cursor: int


@dataclass(frozen=True, slots=True)
class SeriesBatch:
    """Columns of steps and values by metric, rewinds applied, decimated; and the cursor behind."""

    columns: Mapping[str, tuple[array[float], array[float]]]
    cursor: int


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events in order, and the cursor behind them."""

    items: tuple[RunEvent, ...]
    cursor: int


class RunReader:
    """Reads one run's folder, which need not be there yet. Keeps nothing; use it from any thread.

    Cursors are byte offsets behind whole lines; 0 is the beginning. One that is negative, behind
    the end or within a line raises ``InvalidInputError`` (field ``since``).
    """

    def __init__(self, folder: Path) -> None:
        self._files = RunDirectory(folder)

    def status(self) -> RunStatus | None:
        """Return what the worker said last; None when it has said nothing that can be read."""
        try:
            if not _is_file(self._files.state_file):
                return None
            return self._files.read_status()
        except InvalidInputError:
            return None

    def metrics(self, since: int = 0, *, limit: int = 1000) -> MetricBatch:
        """Return at most ``limit`` lines of what was measured after the cursor ``since``."""
        limit = _bounded("limit", limit, MAX_ITEMS)
        path = self._files.metrics_file
        end = _end_of_lines(path, since, limit)
        if end == since:
            return MetricBatch((), since)
        return MetricBatch(tuple(MetricReader(path, since).read(end - since)), end)

    def series(self, names: Sequence[str] | None = None, *, points: int = 1000) -> SeriesBatch:
        """Return at most ``points`` points of each metric, or of those named that there are.

        Points after the cursor are not in them. Raises ``InvalidInputError`` for the name of no
        metric (field ``names``), and when the file is too large to be drawn.
        """
        if not 4 <= points <= MAX_POINTS:
            msg = f"points: {points} is outside 4 to {MAX_POINTS}."
            raise InvalidInputError(msg, field="points")
        columns, cursor = self._columns()
        wanted = None if names is None else frozenset(names)
        check_names("names", names or (), columns)
        found = {}
        for name, (steps, values) in columns.items():
            if wanted is None or name in wanted:
                # A rewind takes points away, so steps never decrease.
                found[name] = min_max(steps, values, points)
        return SeriesBatch(found, cursor)

    @property
    def metrics_bytes(self) -> int:
        """The size of the file of metrics, 0 when there is none."""
        return _size(self._files.metrics_file)

    def latest(self) -> tuple[float | None, float | None]:
        """Return the newest mean return of training episodes and of an evaluation, if any.

        They are looked for at the end of the file only.
        """
        size = self.metrics_bytes
        if not size:
            return None, None
        reader = MetricReader(self._files.metrics_file, max(size - _TAIL_BYTES, 0))
        found: dict[str, float] = {}
        for point in apply_rewinds(reader.read(_TAIL_BYTES)):
            found.update(point.values)
        return found.get(Metric.MEAN_RETURN), found.get(Metric.EVAL_RETURN)

    def columns(self, names: Sequence[str]) -> tuple[Mapping[str, Column], frozenset[str]]:
        """Return every point of those of these metrics that there are, and the names of all.

        Raises ``InvalidInputError`` when the file is too large.
        """
        columns, _ = self._columns()
        return {name: columns[name] for name in names if name in columns}, frozenset(columns)

    def _columns(self) -> tuple[Mapping[str, Column], int]:
        """Return all columns, rewinds applied, and the cursor behind them."""
        path = self._files.metrics_file
        size = _size(path)
        if size > MAX_SERIES_BYTES:
            msg = (
                f"metrics: this run's file of {size // 2**20} MiB is too large to be drawn; at "
                f"most {MAX_SERIES_BYTES // 2**20} MiB are. Read it with a cursor."
            )
            raise InvalidInputError(msg, field="metrics")
        cursor = _last_line_end(path, size)
        return (read_columns(path, until=cursor) if cursor else {}), cursor

    def events(self, since: int = 0, *, limit: int = 1000) -> EventBatch:
        """Return at most ``limit`` lines of what happened after the cursor ``since``."""
        limit = _bounded("limit", limit, MAX_ITEMS)
        end = _end_of_lines(self._files.events_file, since, limit)
        if end == since:
            return EventBatch((), since)
        lines = LineReader(self._files.events_file, since).read(end - since)
        items = (event_from_json(data) for data in lines)
        return EventBatch(tuple(event for event in items if event is not None), end)

    def evaluations(self) -> tuple[Evaluation, ...]:
        """Return the evaluations that count, in order."""
        if not 0 < _size(self._files.evaluations_file) <= _MAX_EVALUATIONS_BYTES:
            return ()
        return tuple(self._files.read_evaluations())

    def checkpoints(self) -> tuple[CheckpointInfo, ...]:
        """Return the checkpoints that can be read, oldest first."""
        folder = self._files.checkpoints_folder
        if folder.is_symlink() or not folder.is_dir():
            return ()
        return tuple(self._files.checkpoints().list())

    def checkpoint_file(self, step: int) -> Path:
        """Return the file of a checkpoint; raise ``NotFoundError``."""
        if any(info.step == step for info in self.checkpoints()):
            path = self._files.checkpoints().path(step)
            if _is_file(path):
                return path
        msg = f"step: there is no checkpoint of step {step}."
        raise NotFoundError(msg, field="step")

    def model_file(self) -> Path:
        """Return the file of the trained model; raise ``NotFoundError``."""
        if _is_file(self._files.model_file):
            return self._files.model_file
        msg = "model: this run has no model yet. It is written when a run finishes or is stopped."
        raise NotFoundError(msg, field="model")

    def log_tail(self, *, lines: int = 100) -> str:
        """Return the last lines of what the worker printed; text of whoever wrote the program."""
        lines = _bounded("lines", lines, MAX_LOG_LINES)
        if not _is_file(self._files.log_file):
            return ""
        every = self._files.log_tail(MAX_BYTES).splitlines()[-lines:]
        return "\n".join(line[:_LONGEST_LOG_LINE] for line in every)


def _bounded(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        msg = f"{name}: {value} is outside 1 to {most}."
        raise InvalidInputError(msg, field=name)
    return value


def check_names(field: str, names: Sequence[str], measured: Iterable[str]) -> None:
    """Raise ``InvalidInputError`` for a metric that the run has not and no worker measures."""
    known = sorted({*measured, *Metric})
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            there = ", ".join(sorted(measured)[:_MOST_NAMED]) or "none yet"
            remedy = f"Did you mean {near[0]}?" if near else f"The run has {there}."
            msg = f"{field}: no metric is called {name[:80]!r}. {remedy}"
            raise InvalidInputError(msg, field=field)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _size(path: Path) -> int:
    return path.lstat().st_size if _is_file(path) else 0


def _end_of_lines(path: Path, since: int, limit: int) -> int:
    """Return the offset behind at most ``limit`` whole lines after ``since``."""
    size = _size(path)
    if not 0 <= since <= size:
        msg = f"since: {since} is not a cursor of this run, which is at {size}. Begin again with 0."
        raise InvalidInputError(msg, field="since")
    if not size:
        return 0
    with path.open("rb") as file:
        if since:
            file.seek(since - 1)
            if file.read(1) != b"\n":
                msg = f"since: {since} is within a line. Use a cursor as it was given, or 0."
                raise InvalidInputError(msg, field="since")
        data = file.read(MAX_BYTES)
    end = 0
    for _ in range(limit):
        found = data.find(b"\n", end)
        if found < 0:
            break
        end = found + 1
    if not end and len(data) == MAX_BYTES:  # no writer of ours writes such a line: pass over it
        return _behind_long_line(path, since)
    return since + end


def _behind_long_line(path: Path, since: int) -> int:
    """Return the offset behind the line at ``since``; ``since`` while its end is not in sight."""
    with path.open("rb") as file:
        file.seek(since)
        found = file.read(_LONGEST_LINE).find(b"\n")
    return since + found + 1


def _last_line_end(path: Path, size: int) -> int:
    """Return the offset behind the last whole line of the first ``size`` bytes."""
    if not size:
        return 0
    with path.open("rb") as file:
        end = size
        while end > 0:
            begin = max(end - MAX_BYTES, 0)
            file.seek(begin, os.SEEK_SET)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                return begin + found + 1
            end = begin
    return 0
