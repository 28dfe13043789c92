"""What a list of runs says of each: read from its folder, again only where a file has changed."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS
from jupyter_ppo.domain.training import EventKind, Metric, MetricPoint, RunState, RunStatus
from jupyter_ppo.training.launch import open_run
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import item_of_line
from jupyter_ppo.training.own_loop import given_hyperparameters
from jupyter_ppo.training.run import Run

#: How far from the end of a file of metrics the newest ones are looked for, in bytes.
_TAIL_BYTES: Final = 32 * 1024
#: The size of a folder of a run that goes on is counted again after so many seconds.
_SIZE_SECONDS: Final = 10.0
_MARKED: Final = frozenset({EventKind.CHANGED, EventKind.EXTENDED, EventKind.RESUMED})
#: Runs of ``train(seeds=...)`` lie one level deeper than single ones.
_DEEPEST: Final = 2

#: What a setting is; the environment is one as well.
SETTINGS: Final = [
    *(
        {"name": name, "group": "", "unit": "", "meaning": meaning}
        for name, meaning in (
            ("env_kwargs", "what the environment is made with"),
            ("env_sha256", "digest of an environment of one's own"),
        )
    ),
    *(
        {"name": one.name, "group": one.group.value, "unit": one.unit, "meaning": one.meaning}
        for one in HYPERPARAMETERS.values()
    ),
]

_Stamp = tuple[tuple[int, int, int] | None, ...]
Row = dict[str, Any]


def run_folders(folder: Path, depth: int = _DEEPEST) -> Iterator[Path]:
    """Yield the folders of runs in a folder and, of groups of seeds, in those within it."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(
                entry.path for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            )
    except OSError:
        return
    for path in map(Path, found):
        if (path / "spec.json").exists():
            yield path
        elif depth > 1:
            yield from run_folders(path, depth - 1)


def run_labels(runs: Sequence[Run]) -> list[str]:
    """Return a different name for each: its folder's, with those above it as far as needed."""
    parts = [run.directory.parts for run in runs]
    depth = 1
    while depth < 20 and len({part[-depth:] for part in parts}) < len(set(parts)):
        depth += 1
    return ["/".join(part[-depth:]) for part in parts]


class RowReader:
    """Reads one run for the list. Not safe to use from several threads at once."""

    def __init__(self, run: Run, run_id: str, label: str, code: str) -> None:
        self.run = run
        self._fixed = {"id": run_id, "label": label, "code": code}
        self._stamp: _Stamp = ()
        self._row: Row = {}
        self._tail: int | None = None
        self._newest: dict[str, float | None] = {"meanReturn": None, "evalReturn": None}
        self._size, self._size_at = 0, -math.inf

    @property
    def state(self) -> RunState | None:
        """The state when the run was read last."""
        return RunState(self._row["state"]) if self._row else None

    def read(self) -> Row | None:
        """Return the run as the list shows it; None when nothing changed since the last call.

        Raises ``PPOError`` or ``OSError`` when it was removed or damaged.
        """
        files = self.run.files
        stamp = tuple(
            _stamp(path)
            for path in (
                files.spec_file,
                files.state_file,
                files.metrics_file,
                files.events_file,
                files.evaluations_file,
            )
        )
        goes_on = self.state is not None and not self.state.has_ended
        if stamp == self._stamp and not goes_on:
            return None
        status = self.run.status()  # notices a worker that was killed
        row = self._fixed | self._described() | self._progress(status)
        self._stamp = stamp
        if row == self._row:
            return None
        self._row = row
        return row

    def _described(self) -> Row:
        """Return what was said of the run, and what happened to it."""
        spec = self.run.files.read_spec()
        name, tags = self.run.files.read_labels()
        values = spec.to_dict()
        given = given_hyperparameters(self.run.directory)
        if given is not None:  # the others are not its author's, only our defaults
            values = {key: value for key, value in values.items() if key in given}
        values = {key: value for key, value in values.items() if value != {} and key != "env_id"}
        if values.get("env_sha256") is None:
            values.pop("env_sha256", None)
        events = self.run.events()
        return {
            "name": name,
            "tags": list(tags),
            "envId": spec.env_id,
            "seed": values.get("seed"),
            "hyperparameters": values,
            "startedAt": events[0].at.isoformat(timespec="seconds") if events else None,
            "changes": [
                {"step": event.step, "text": event.message}
                for event in events
                if event.kind in _MARKED
            ],
        }

    def _progress(self, status: RunStatus) -> Row:
        self._read_newest()
        now = time.monotonic()
        if status.state is not self.state or now - self._size_at > _SIZE_SECONDS:
            self._size, self._size_at = self.run.files.size_bytes(), now
        return {
            "state": status.state.value,
            "message": status.message,
            "step": status.step,
            "totalSteps": status.total_steps,
            "sizeBytes": self._size,
            **self._newest,
        }

    def _read_newest(self) -> None:
        """Note the newest returns: from the file's end, then from what was appended to it."""
        if self._tail is None:
            evaluations = self.run.evaluations()
            if evaluations:
                self._newest["evalReturn"] = _finite(evaluations[-1].mean_return)
            with contextlib.suppress(OSError):
                size = self.run.files.metrics_file.stat().st_size
                self._tail = max(size - _TAIL_BYTES, 0)
        lines = LineReader(self.run.files.metrics_file, self._tail or 0)
        for data in lines.read():
            item = item_of_line(data)
            values = item.values if isinstance(item, MetricPoint) else {}
            for key, metric in _RETURNS:
                if metric in values:
                    self._newest[key] = _finite(values[metric])
        self._tail = lines.offset


class RunList:
    """The runs of a folder, or some given runs, and how they change."""

    def __init__(self, given: Path | Sequence[Run]) -> None:
        """Take a folder, whose runs are looked for at each ``read``, or the runs themselves."""
        self._folder = given if isinstance(given, Path) else None
        self._readers: dict[str, RowReader] = {}
        if not isinstance(given, Path):
            for run, label in zip(given, run_labels(given), strict=True):
                self._add(run, label)

    @property
    def runs(self) -> dict[str, Run]:
        """The runs by their ids, as the last ``read`` found them."""
        readers = list(self._readers.items())  # at once: another thread may be reading the folder
        return {run_id: reader.run for run_id, reader in readers}

    def read(self) -> tuple[list[Row], list[str]]:
        """Return the rows that are new or changed, and the ids of runs that are gone."""
        self._look_into_folder()
        changed, gone = [], []
        for run_id, reader in list(self._readers.items()):
            # It may be written or deleted just now, or damaged: that must not hide the others.
            with contextlib.suppress(Exception):
                if not reader.run.files.spec_file.exists():
                    del self._readers[run_id]
                    gone.append(run_id)
                elif (row := reader.read()) is not None:
                    changed.append(row)
        return changed, gone

    def _look_into_folder(self) -> None:
        if self._folder is None:
            return
        for path in run_folders(self._folder):
            label = path.relative_to(self._folder).as_posix()
            if label not in self._readers:
                with contextlib.suppress(PPOError, OSError):
                    self._add(open_run(path), label)

    def _add(self, run: Run, label: str) -> None:
        code = f"LiveRun({json.dumps(_short(run.directory), ensure_ascii=False)})"
        self._readers[label] = RowReader(run, label, label, code)


_RETURNS: Final = (
    ("meanReturn", Metric.MEAN_RETURN),
    ("evalReturn", Metric.EVAL_RETURN),
)


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError, OSError):
        return path.relative_to(Path.cwd()).as_posix()
    return path.as_posix()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
