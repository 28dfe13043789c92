"""The run's folder: the one format that workers write and everybody reads.

::

    spec.json          {"format_version": 2, "spec": ..., "name": "", "tags": []}
    spec.sig           signature of its env_id, when that names a module to import (see trust)
    env.pkl, env.sig   the user's environment class, pickled, when spec.env_sha256 is set
    state.json         the newest RunStatus; replaced atomically
    metrics.jsonl      points and rewinds (see metric_log); only ever appended to
    events.jsonl       one RunEvent per line, the time in UTC
    evaluations.jsonl  one Evaluation per line, and rewinds
    minibatches.jsonl  one Minibatch per line, and rewinds (see minibatches)
    commands.jsonl     one RunCommand per line; readers of the run write it, the worker reads it
    checkpoints/       see checkpoints
    model.zip          the trained model (stable_baselines3.PPO.load), complete or absent
    model.sig          its signature (see trust)
    normalisation.npz  running statistics of observations and rewards, when the run has them
    worker.log         what the worker and its libraries printed; at most 4 MiB
    worker.lock        locked for as long as a worker lives; its process id
    own_loop           there when no worker but the user's own loop writes the run
    .reserve           64 KiB that are given up so that a run can say that the disk is full

JSON has no NaN: a value that is not finite is null. Format 1 (without checkpoints) is read as well.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Evaluation,
    EventKind,
    RunCommand,
    RunEvent,
    RunState,
    RunStatus,
)
from jupyter_ppo.training import trust
from jupyter_ppo.training.checkpoints import CheckpointStore
from jupyter_ppo.training.documents import (
    evaluation_from_json,
    evaluation_to_json,
    event_from_json,
    event_to_json,
    spec_of_format_1,
    status_from_json,
    status_to_json,
)
from jupyter_ppo.training.lines import (
    NO_ROOM,
    LineReader,
    append_line,
    end_torn_line,
    replace_file,
    sweep_temporary,
)
from jupyter_ppo.training.worker_lock import holder, is_locked, locked

FORMAT_VERSION: Final = 2

_RESERVE_BYTES: Final = 64 * 1024
_LARGEST_DOCUMENT: Final = 1024 * 1024


class RunDirectory:
    """Paths and formats of one run's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spec_file = path / "spec.json"
        self.spec_signature_file = path / "spec.sig"
        self.env_file = path / "env.pkl"
        self.env_signature_file = path / "env.sig"
        self.state_file = path / "state.json"
        self.metrics_file = path / "metrics.jsonl"
        self.events_file = path / "events.jsonl"
        self.evaluations_file = path / "evaluations.jsonl"
        self.minibatches_file = path / "minibatches.jsonl"
        self.commands_file = path / "commands.jsonl"
        self.checkpoints_folder = path / "checkpoints"
        self.model_file = path / "model.zip"
        self.model_signature_file = path / "model.sig"
        self.normalisation_file = path / "normalisation.npz"
        self.log_file = path / "worker.log"
        self.lock_file = path / "worker.lock"
        self.own_loop_file = path / "own_loop"
        self.reserve_file = path / ".reserve"

    def create(
        self,
        spec: RunSpec,
        env: bytes | None = None,
        *,
        name: str = "",
        tags: Sequence[str] = (),
        state: RunState = RunState.STARTING,
    ) -> None:
        """Write a new run into the folder, which must exist and hold none.

        ``env`` is the pickled environment that ``spec.env_sha256`` is the digest of. Raises
        ``InvalidInputError`` when the two do not belong together, and ``OSError``.
        """
        if (None if env is None else trust.digest(env)) != spec.env_sha256:
            msg = "env_sha256: this is not the digest of the environment that comes with the spec."
            raise InvalidInputError(msg, field="env_sha256")
        if env is not None:
            replace_file(self.env_file, env)
            trust.write_signature(env, self.env_signature_file, trust.Purpose.ENV)
        elif names_module(spec):
            trust.sign_spec(spec, self.spec_signature_file)
        for file in (
            self.metrics_file,
            self.events_file,
            self.evaluations_file,
            self.minibatches_file,
            self.commands_file,
            self.lock_file,
        ):
            file.touch()
        self.write_status(RunStatus(state, total_steps=spec.planned_steps))
        document = {
            "format_version": FORMAT_VERSION,
            "spec": spec.to_dict(),
            "name": name,
            "tags": list(tags),
        }
        # Last: a folder with a spec is a run.
        replace_file(self.spec_file, json.dumps(document, indent=2).encode())

    def read_spec(self) -> RunSpec:
        """Return the spec; raise ``NotFoundError``, or ``InvalidInputError`` naming the file."""
        document = self._document()
        spec = document["spec"]
        if document["format_version"] == 1:
            spec = spec_of_format_1(spec)
        try:
            return RunSpec.from_dict(spec)
        except InvalidInputError as error:
            msg = f"spec.json in {self.path}: {error.message}"
            raise InvalidInputError(msg, field=error.field) from None

    def read_labels(self) -> tuple[str, tuple[str, ...]]:
        """Return the run's name and tags; raises as ``read_spec``."""
        document = self._document()
        name, tags = document.get("name", ""), document.get("tags", [])
        return (
            name if isinstance(name, str) else "",
            tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        )

    def write_labels(self, name: str, tags: Sequence[str]) -> None:
        """Give the run another name and other tags; raises as ``read_spec``."""
        document = {**self._document(), "name": name, "tags": list(tags)}
        replace_file(self.spec_file, json.dumps(document, indent=2).encode())

    def write_status(self, status: RunStatus) -> None:
        """Replace state.json; what the run reached last must survive a power cut.

        On a full disk the reserve is given up for it.
        """
        data = status_to_json(status)
        durable = status.state.has_ended
        text = json.dumps(data).encode()
        self._even_if_full(lambda: replace_file(self.state_file, text, durable=durable))

    def read_status(self) -> RunStatus:
        """Return the newest status that was written, STARTING when there is none.

        Raises ``InvalidInputError`` if it is damaged.
        """
        try:
            return status_from_json(json.loads(self.state_file.read_bytes()))
        except FileNotFoundError:
            return RunStatus(RunState.STARTING)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            msg = (
                f"state.json in {self.path} cannot be read ({error}). Delete that file: the run "
                "can then be opened and resumed."
            )
            raise InvalidInputError(msg, field="directory") from None

    def announce(self, status: RunStatus) -> None:
        """Write a change of state, and note it as an event."""
        event = RunEvent(
            datetime.now(UTC),
            EventKind.STATE,
            status.step,
            status.message,
            {"state": status.state.value},
        )
        self._even_if_full(lambda: self.append_event(event))
        self.write_status(status)

    def append_event(self, event: RunEvent) -> None:
        """Note an event."""
        append_line(self.events_file, event_to_json(event))

    def note(self, kind: EventKind, step: int, message: str = "", **data: Any) -> None:
        """Note an event that happens now."""
        self.append_event(RunEvent(datetime.now(UTC), kind, step, message, data))

    def read_events(self, since: int = 0) -> list[RunEvent]:
        """Return the events, oldest first, without the first ``since``."""
        return self.read_events_from(0)[0][since:]

    def read_events_from(
        self, offset: int, limit_bytes: int | None = None
    ) -> tuple[list[RunEvent], int]:
        """Return the events behind a byte offset, and the offset behind them."""
        reader = LineReader(self.events_file, offset)
        found = [
            event
            for data in reader.read(limit_bytes)
            if (event := event_from_json(data)) is not None
        ]
        return found, reader.offset

    def append_evaluation(self, evaluation: Evaluation) -> None:
        """Keep the result of an evaluation."""
        append_line(self.evaluations_file, evaluation_to_json(evaluation))

    def rewind_evaluations(self, step: int) -> None:
        """Mark that the run goes on from ``step``, if an evaluation after it is there."""
        if any(evaluation.step > step for evaluation in self.read_evaluations()):
            append_line(self.evaluations_file, {"rewind": step})

    def read_evaluations(self) -> list[Evaluation]:
        """Return the evaluations that count, oldest first."""
        found: list[Evaluation] = []
        for data in LineReader(self.evaluations_file).read():
            back = data.get("rewind")
            if type(back) is int:
                found = [evaluation for evaluation in found if evaluation.step <= back]
            elif (evaluation := evaluation_from_json(data)) is not None:
                found.append(evaluation)
        return found

    def append_command(self, command: RunCommand) -> str:
        """Ask the worker for something; return the command's id, a new one if it has none."""
        command = replace(command, id=command.id or new_id().hex)
        append_line(self.commands_file, command.to_dict())
        return command.id

    def is_own_loop(self) -> bool:
        """Whether a loop of the user's own writes this run, so that no worker can go on with it."""
        return self.own_loop_file.exists()

    def checkpoints(self) -> CheckpointStore:
        """Return the run's checkpoints."""
        return CheckpointStore(self.checkpoints_folder)

    @contextmanager
    def locked_for_worker(self) -> Iterator[int]:
        """Hold the worker's lock and yield its file descriptor, to be inherited by a worker.

        The lock belongs to the open file, which the worker shares, so it is free exactly when the
        last of the two has closed it or died, however it died. Raises ``ConflictError`` naming the
        process that holds it.
        """
        with locked(self.lock_file) as descriptor:
            yield descriptor

    def worker_is_alive(self) -> bool:
        """Whether a worker process holds this run."""
        return is_locked(self.lock_file)

    def worker_pid(self) -> int | None:
        """Return the id of the process that holds this run, as that process sees it."""
        return holder(self.lock_file) if self.worker_is_alive() else None

    def mark_start(self) -> None:
        """Set the state to STARTING, keeping the progress; only for who holds the lock.

        A worker that was killed left no word, so that is noted first.
        """
        try:
            status = self.read_status()
        except InvalidInputError:
            status = RunStatus(RunState.STARTING)
        if status.state in {RunState.RUNNING, RunState.PAUSED}:
            message = "The training process before this one was killed."
            self.announce(replace(status, state=RunState.INTERRUPTED, message=message))
        self.write_status(replace(status, state=RunState.STARTING, message=""))

    def prepare_for_worker(self) -> None:
        """Put right what a killed worker left; only for who holds the lock."""
        sweep_temporary(self.path)
        if self.checkpoints_folder.is_dir():
            sweep_temporary(self.checkpoints_folder)
        for file in (
            self.events_file,
            self.evaluations_file,
            self.minibatches_file,
            self.metrics_file,
        ):
            end_torn_line(file)
        with contextlib.suppress(OSError):
            if not self.reserve_file.exists():
                self.reserve_file.write_bytes(bytes(_RESERVE_BYTES))

    def size_bytes(self) -> int:
        """Return the size of all files in the folder."""
        total = 0
        for folder, _, names in os.walk(self.path):
            for name in names:
                with contextlib.suppress(OSError):  # gone since
                    total += os.lstat(os.path.join(folder, name)).st_size
        return total

    def log_tail(self, limit_bytes: int = 64 * 1024) -> str:
        """Return the end of what the worker printed, from the beginning of a line."""
        try:
            with self.log_file.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(size - limit_bytes, 0))
                data = log.read(limit_bytes)
        except OSError:
            return ""
        if size > limit_bytes:
            data = data[data.find(b"\n") + 1 :]
        return data.decode(errors="replace")

    def last_log_line(self) -> str:
        """Return the last line that the worker printed, cut to 300 characters; "" if none."""
        lines = self.log_tail(4096).split("\n")
        return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

    def _even_if_full(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            if error.errno not in NO_ROOM or not self.reserve_file.exists():
                raise
            self.reserve_file.unlink(missing_ok=True)
            write()

    def _document(self) -> dict[str, Any]:
        try:
            with self.spec_file.open("rb") as file:
                document = json.loads(file.read(_LARGEST_DOCUMENT))
            version = document["format_version"]
            if not isinstance(document["spec"], dict):
                raise TypeError
        except (FileNotFoundError, NotADirectoryError):
            msg = f"directory: {self.path} holds no training run (spec.json is missing)."
            raise NotFoundError(msg, field="directory") from None
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            msg = (
                f"directory: spec.json in {self.path} is damaged. Put its old content back, or "
                "start the run again in another folder."
            )
            raise InvalidInputError(msg, field="directory") from None
        if version not in {1, FORMAT_VERSION} or isinstance(version, bool):
            msg = (
                f"directory: {self.path} has format {str(version)[:20]}, this version of "
                f"jupyter_ppo reads formats 1 and {FORMAT_VERSION}. Open it with the version that "
                "wrote it."
            )
            raise InvalidInputError(msg, field="directory")
        return dict(document)


def names_module(spec: RunSpec) -> bool:
    """Whether making the environment imports a module that env_id names."""
    return spec.env_sha256 is None and ":" in spec.env_id


def first_log_line() -> str:
    """Return the line that begins a worker's part of worker.log."""
    return f"--- {datetime.now(UTC).isoformat(timespec='seconds')} a training process begins"
