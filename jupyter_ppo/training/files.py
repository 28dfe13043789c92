"""The run directory: the one format that workers write and everybody reads.

::

    spec.json       what to train; written once, before the worker starts
    state.json      the newest RunStatus; replaced atomically
    metrics.jsonl   one MetricPoint per line; only ever appended to
    events.jsonl    one line for each change of state, with the time in UTC
    commands.jsonl  one line for each Command, oldest first
    worker.log      what the worker and its libraries printed
    worker.lock     locked for as long as the worker lives
    model.zip       the trained model (stable_baselines3.PPO.load), complete or absent

JSON has no NaN: a value that is not finite is null.
"""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.training import Command, Metric, MetricPoint, RunSpec, RunState, RunStatus

FORMAT_VERSION = 1


class RunDirectory:
    """Paths and formats of one run directory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec_file = path / "spec.json"
        self.state_file = path / "state.json"
        self.metrics_file = path / "metrics.jsonl"
        self.events_file = path / "events.jsonl"
        self.commands_file = path / "commands.jsonl"
        self.log_file = path / "worker.log"
        self.lock_file = path / "worker.lock"
        self.model_file = path / "model.zip"

    def create(self, spec: RunSpec) -> None:
        """Write a new run into the directory, which must exist."""
        for file in (self.metrics_file, self.events_file, self.commands_file, self.lock_file):
            file.touch()
        self.write_status(RunStatus(RunState.STARTING))
        document = {"format_version": FORMAT_VERSION, "spec": spec.to_dict()}
        replace_file(self.spec_file, json.dumps(document, indent=2).encode())

    def read_spec(self) -> RunSpec:
        """Return the spec; raise ``NotFoundError`` or ``InvalidInputError``."""
        try:
            document = json.loads(self.spec_file.read_bytes())
            version, data = document["format_version"], dict(document["spec"])
        except FileNotFoundError:
            msg = f"directory: {self.path} holds no training run (spec.json is missing)."
            raise NotFoundError(msg, field="directory") from None
        except (ValueError, KeyError, TypeError):
            msg = f"directory: spec.json in {self.path} is damaged; start the run again."
            raise InvalidInputError(msg, field="directory") from None
        if version != FORMAT_VERSION:
            msg = (
                f"directory: {self.path} has format {version!r}, this version of jupyter_ppo reads "
                f"format {FORMAT_VERSION}. Open it with the version that wrote it."
            )
            raise InvalidInputError(msg, field="directory")
        return RunSpec.from_dict(data)

    def write_status(self, status: RunStatus) -> None:
        """Replace state.json; what the run reached last must survive a power cut."""
        data = {
            "state": status.state.value,
            "step": status.step,
            "seconds": round(status.seconds, 6),
            "steps_per_second": round(status.steps_per_second, 3),
            "message": status.message,
        }
        replace_file(self.state_file, json.dumps(data).encode(), durable=status.state.is_final)

    def read_status(self) -> RunStatus:
        """Return the newest status that was written; raise ``InvalidInputError`` if damaged."""
        try:
            data = json.loads(self.state_file.read_bytes())
            return RunStatus(**{**data, "state": RunState(data["state"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = f"directory: state.json in {self.path} cannot be read ({error})."
            raise InvalidInputError(msg, field="directory") from None

    def append_event(self, status: RunStatus) -> None:
        """Note a change of state."""
        event = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "state": status.state.value,
            "step": status.step,
            "message": status.message,
        }
        _append(self.events_file, event)

    def append_command(self, command: Command) -> None:
        """Ask the worker for something."""
        _append(self.commands_file, {"command": command.value})

    @contextmanager
    def locked_for_worker(self) -> Iterator[int]:
        """Hold the worker's lock and yield its file descriptor, to be inherited by the worker.

        The lock belongs to the open file, which the worker shares, so it is free exactly when the
        last of the two has closed it or died, however it died.
        """
        descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def worker_is_alive(self) -> bool:
        """Whether a worker process holds this run."""
        descriptor = os.open(self.lock_file, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def last_log_line(self) -> str:
        """Return the last line that the worker printed, cut to 300 characters; "" if none."""
        try:
            with self.log_file.open("rb") as log:
                log.seek(0, os.SEEK_END)
                log.seek(max(log.tell() - 4096, 0))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")


class LineReader:
    """Reads the JSON lines that were completed since the last call; a cut last line is not one.

    Lines that are not JSON objects are skipped: only a damaged disk makes them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[dict[str, Any]]:
        """Return the new objects, oldest first."""
        if os.stat(self._path).st_size == self._offset:  # asked at every step of a training
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        end = data.rfind(b"\n") + 1
        self._offset += end
        found = []
        for line in data[:end].splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                found.append(value)
        return found


def point_to_json(point: MetricPoint) -> str:
    """Return one line of metrics.jsonl, without its line end."""
    data: dict[str, Any] = {"step": point.step, "seconds": round(point.seconds, 6)}
    for metric, value in point.values.items():
        data[metric.value] = value if math.isfinite(value) else None
    return json.dumps(data)


def point_from_json(data: dict[str, Any]) -> MetricPoint:
    """Return the point of a parsed line; names from later versions are left out."""
    values = {
        metric: math.nan if data[metric.value] is None else float(data[metric.value])
        for metric in Metric
        if metric.value in data
    }
    return MetricPoint(int(data["step"]), float(data["seconds"]), values)


def replace_file(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Give ``path`` new contents so that a reader sees the old ones or the new ones, never a mix.

    ``durable`` also waits until they are on disk.
    """
    with replacing(path, durable=durable) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of ``path`` at the end; an error leaves ``path`` alone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _append(path: Path, data: dict[str, Any]) -> None:
    # One write in append mode: lines of several writers never mix.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        os.write(descriptor, json.dumps(data).encode() + b"\n")
    finally:
        os.close(descriptor)
