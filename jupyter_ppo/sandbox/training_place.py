"""Training runs in containers, one for each: the port ``TrainingPlace`` (domain/run_records.py).

The folder on this side is the run: a container gets what it needs of it, works in memory, and what
it writes comes back at once (``run_intake``). So whatever ends a container, the engine or this
process, the folder can be gone on from.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.ending import Ending
from jupyter_ppo.domain.errors import InvalidInputError, PPOError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.sandbox import SandboxLimits
from jupyter_ppo.domain.training import EventKind, RunState, RunStatus
from jupyter_ppo.sandbox.pool import WarmPool
from jupyter_ppo.sandbox.removal import LEFTOVERS
from jupyter_ppo.sandbox.run_intake import RunIntake
from jupyter_ppo.sandbox.training_box import (
    TRAINING_LIMITS,
    TrainingBox,
    file_bytes_of,
    room_of,
)
from jupyter_ppo.sandbox.training_follower import TrainingFollower
from jupyter_ppo.training.documents import status_to_json
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import MetricWriter
from jupyter_ppo.training.minibatches import MinibatchLog

#: The longest commands.jsonl that is carried in, in bytes: about 40,000 commands.
_COMMAND_BYTES: Final = 8 * 2**20
#: How much of the end of the other files of lines is carried in, in bytes.
_LINES_BYTES: Final = 4 * 2**20

_log = logging.getLogger(__name__)


class ContainerPlace:
    """Starts workers in containers. Safe to use from several threads.

    ``limits`` are those of each container, ``base_url`` is the engine's address (None finds it).
    ``ready`` containers wait with torch imported, so that a run begins a second earlier; each holds
    about 200 MiB.
    """

    def __init__(
        self,
        limits: SandboxLimits = TRAINING_LIMITS,
        *,
        base_url: str | None = None,
        ready: int = 0,
    ) -> None:
        self._limits = limits
        self._base_url = base_url
        self._pool = WarmPool(self._start_box, ready, "training container")
        self._changing = threading.Lock()
        self._is_open = False
        if ready:
            self._open()

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> TrainingFollower:
        """Start or resume the run in ``folder``, which holds a spec; return when it has begun.

        ``disk_bytes``: the folder may grow to so many. Commands before the byte ``commands_from``
        of commands.jsonl were for earlier workers. Raises ``NotFoundError`` without a spec,
        ``ConflictError`` when a worker is at it, ``InvalidInputError`` when it is damaged,
        ``EngineUnavailableError``, ``ImageMissingError`` or ``SandboxError``.
        """
        self._open()
        files = RunDirectory(folder)
        spec = files.read_spec()
        with ExitStack() as stack:
            stack.enter_context(files.locked_for_worker())
            files.prepare_for_worker()
            checkpoint_step = _rewind(files)
            commands = LineReader(files.commands_file)
            parcel = list(_parcel(files, spec, checkpoint_step, commands))
            self._require_room(files, parcel)
            box = self._pool.take()
            if box is None:
                box = self._start_box(Ending())
            try:
                # The worker counts its own folder, in which what is measured already is missing.
                room = min(disk_bytes - files.size_bytes() + _size(parcel), room_of(self._limits))
                arguments = ["--commands-from", str(commands_from)]
                box.begin([*arguments, "--disk-bytes", str(max(room, 1))], parcel)
                files.mark_start()  # not before: without an engine the run is as it was
                intake = RunIntake(
                    files,
                    file_bytes=file_bytes_of(self._limits),
                    disk_bytes=disk_bytes,
                    keep=spec.checkpoint_keep,
                    checkpoint_step=checkpoint_step,
                )
            except BaseException:
                _close(box)
                raise
            follower = TrainingFollower(box, files, intake, commands)
            follower.start(stack.pop_all())
        return follower

    def close(self) -> None:
        """End the containers that wait; runs that were started are their holders' to end."""
        with self._changing:
            if not self._is_open:
                return
            self._is_open = False
        self._pool.stop()
        self._pool.close()
        LEFTOVERS.stop()

    def _open(self) -> None:
        """Begin to keep containers ready and to remove what is left over, once."""
        with self._changing:
            if not self._is_open:
                self._is_open = True
                LEFTOVERS.start()
                if self._pool.size:
                    self._pool.start()

    def _require_room(self, files: RunDirectory, parcel: list[tuple[str, bytes]]) -> None:
        size, room, longest = _size(parcel), room_of(self._limits), file_bytes_of(self._limits)
        if size > room or any(len(data) > longest for _, data in parcel):
            msg = (
                f"directory: the run in {files.path.name} needs {size / 2**20:.0f} MiB to begin, "
                f"and a container's folder holds {room / 2**20:.0f}, with files of at most "
                f"{longest / 2**20:.0f}. Raise disk_mb and file_mb of the training sandbox."
            )
            raise InvalidInputError(msg, field="directory")

    def _start_box(self, ending: Ending) -> TrainingBox:
        return TrainingBox.start(self._limits, base_url=self._base_url, ending=ending)


def _rewind(files: RunDirectory) -> int | None:
    """Find where the run goes on, and mark what was measured after that; None: at its beginning."""
    checkpoint = files.checkpoints().newest(set_aside=True)
    step = 0 if checkpoint is None else checkpoint.info.step
    for sentence in () if checkpoint is None else checkpoint.skipped:
        files.note(EventKind.WARNING, step, sentence)
    metrics = MetricWriter(files.metrics_file)
    try:
        metrics.rewind(step)
    finally:
        metrics.close()
    files.rewind_evaluations(step)
    MinibatchLog(files.minibatches_file).rewind(step)
    return None if checkpoint is None else step


def _parcel(
    files: RunDirectory, spec: RunSpec, checkpoint_step: int | None, commands: LineReader
) -> Iterator[tuple[str, bytes]]:
    """Yield what a worker is to find, by its name; points that were measured stay here."""
    yield "spec.json", files.spec_file.read_bytes()
    yield "state.json", _state(files)
    if spec.env_sha256 is not None:
        try:
            yield "env.pkl", files.env_file.read_bytes()
        except OSError as error:
            msg = f"directory: env.pkl in {files.path.name} cannot be read ({error.strerror})."
            raise InvalidInputError(msg, field="directory") from None
    if checkpoint_step is not None:
        path = files.checkpoints().path(checkpoint_step)
        yield f"checkpoints/{path.name}", path.read_bytes()
    for file in (files.events_file, files.evaluations_file):
        yield file.name, file.read_bytes()[-_LINES_BYTES:]
    data = commands.read_lines()
    if len(data) > _COMMAND_BYTES:
        msg = (
            f"commands: commands.jsonl in {files.path.name} is longer than "
            f"{_COMMAND_BYTES // 2**20} MiB. Start a new run."
        )
        raise InvalidInputError(msg, field="commands")
    yield "commands.jsonl", data
    yield files.minibatches_file.name, b""
    yield "metrics.jsonl", b""


def _state(files: RunDirectory) -> bytes:
    """Return the state that the worker begins with; how the one before ended is noted here."""
    try:
        status = replace(files.read_status(), state=RunState.STARTING, message="")
    except InvalidInputError:
        status = RunStatus(RunState.STARTING)
    return json.dumps(status_to_json(status)).encode()


def _size(parcel: list[tuple[str, bytes]]) -> int:
    return sum(len(data) for _, data in parcel)


def _close(box: TrainingBox) -> None:
    try:
        box.close()
    except PPOError as error:
        _log.warning("A training's container was perhaps not removed yet: %s", error.message)
