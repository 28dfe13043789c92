"""One run and its worker, from the place in the queue to the end: followed, bounded, recorded."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto

from jupyter_ppo.domain.errors import (
    BusyError,
    ConflictError,
    EngineUnavailableError,
    ImageMissingError,
    LeaseLostError,
    PPOError,
    SandboxError,
    StorageFullError,
    UnavailableError,
)
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.run_records import (
    PlacedRun,
    RunProgress,
    RunStore,
    TrainingPlace,
    TrainingQuota,
    TrainingRun,
)
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.services.training_commands import (
    commands_bytes,
    commands_to_answer,
    extend_folder,
    follow_late,
)
from jupyter_ppo.services.training_folders import RunFolders
from jupyter_ppo.services.training_reading import RunReader
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import NO_ROOM

_log = logging.getLogger(__name__)

_MIB = 2**20
#: A worker whose server was killed writes its checkpoint before it leaves the folder.
_LEAVING_SECONDS = 60.0
_RETRY_SECONDS = 1.0
_SAME_SIGNAL_SECONDS = 2.0
#: Tries to write to the database while the server stops.
_LAST_TRIES = 3
#: Starts that fail through the sandbox's fault before the run is given up.
_TRIES = 3
#: Why no run at all can be started now. Any other reason is of the one run that met it.
_NOTHING_STARTS = (EngineUnavailableError, ImageMissingError, BusyError, StorageFullError)
_STILL_HELD = (
    "A worker of a server that is gone still holds this run. Resume it when that has ended."
)
_NO_START = "The worker could not be started. The server's log says why; resume it to try again."


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an attendant looks and writes, in seconds.

    ``poll``: at the worker; ``record``: into the record at least; ``measure``: the folder and the
    quotas; ``end``: the longest that a worker may take for its last checkpoint; ``park``: after so
    long a pause its place is given up.
    """

    poll: float = 0.3
    record: float = 2.0
    measure: float = 5.0
    end: float = 30.0
    park: float = 600.0


class _Leave(Enum):
    """Why the worker was asked to end."""

    QUOTA = auto()
    CLOSED = auto()  # the server stops
    PARKED = auto()
    HUNG = auto()  # it wrote its end and did not go
    LOST = auto()  # another process has the run


class Attendant:
    """Starts a worker for ``run``, which the process ``worker`` has taken, and follows it.

    ``closed`` is set when the server stops: then the worker writes a checkpoint and the run is
    given back. ``on_unavailable`` hears that nothing can be started now.
    """

    def __init__(
        self,
        run: TrainingRun,
        *,
        runs: RunStore,
        place: TrainingPlace,
        folders: RunFolders,
        quota: TrainingQuota,
        worker: str,
        pace: Pace,
        closed: threading.Event,
        on_unavailable: Callable[[PPOError], None],
    ) -> None:
        self._run = run
        self._runs = runs
        self._place = place
        self._folders = folders
        self._quota = quota
        self._worker = worker
        self._pace = pace
        self._closed = closed
        self._on_unavailable = on_unavailable
        self._reader = RunReader(folders.path(run.id))
        self._stood = RunStatus(RunState.STARTING, run.step, total_steps=run.total_steps)
        self._began: float | None = None  # its worker; waiting for a place is nobody's time
        self._disk_bytes = run.disk_bytes
        self._cpu_seconds = 0.0
        self._written: tuple[float, RunState | None] = (-math.inf, None)
        self._measured_at = -math.inf
        self._paused_at: float | None = None
        self._commands_bytes = 0  # when the pause began
        self._ended_at: float | None = None  # when the worker wrote its end
        self._over = ""  # the quota that is used up, as a sentence

    def attend(self) -> None:
        """Do all of it; never raises."""
        try:
            files = self._folders.make(self._run)
            allowed = self._allowed_bytes()
            self._open_for_commands()
            placed = self._start(files, allowed)
            if placed is None:
                return
            try:
                leave = self._follow(placed)
                if leave is not None:
                    self._end(placed, 1.0 if leave is _Leave.LOST else self._pace.end)
                self._cpu_seconds = placed.cpu_seconds
            finally:
                placed.close()
            if leave is not _Leave.LOST:
                self._finish(files, leave)
        except LeaseLostError:
            _log.warning("Another process has the training run %s now.", self._run.id)
        except UnavailableError as error:  # an engine, the database, or the folder of all runs
            if error.field == "directory":
                self._give_up(RunState.INTERRUPTED, error.message)
            else:
                self._put_back(error)
        except OSError as error:
            if error.errno in NO_ROOM:
                self._put_back(StorageFullError("The disk is full. Free some space."))
            else:
                self._give_up(RunState.INTERRUPTED, _why_unusable(error))
        except SandboxError as error:
            self._give_up(RunState.INTERRUPTED, error.message)
        except PPOError as error:
            self._give_up(RunState.FAILED, error.message)
        except Exception:
            _log.exception("The training run %s failed.", self._run.id)
            self._give_up(RunState.FAILED, _NO_START)

    # -- the worker ------------------------------------------------------------------------------

    def _allowed_bytes(self) -> int:
        """Return to how many bytes the run's folder may grow."""
        others = self._runs.usage(self._run.user).disk_bytes - self._run.disk_bytes
        return max(self._quota.disk_mb * _MIB - others, _MIB)

    def _open_for_commands(self) -> None:
        """Take back the end that an earlier worker wrote: commands are for the next one now."""
        said = self._reader.status()
        if said is not None and said.state.has_ended:
            queued = replace(said, state=RunState.QUEUED, message="")
            self._folders.files(self._run.id).write_status(queued)

    def _start(self, files: RunDirectory, allowed: int) -> PlacedRun | None:
        """Return the worker; None when the server stops first, or the run cannot be used."""
        run = self._run
        extend_folder(files, run.spec.total_steps, new_id().hex)
        give_up = time.monotonic() + _LEAVING_SECONDS
        tries = 0
        while not self._closed.is_set():
            began = time.monotonic()
            try:
                placed = self._place.start(
                    files.path,
                    disk_bytes=allowed,
                    commands_from=commands_to_answer(files, run.commands_from),
                )
                self._began = began
                return placed
            except ConflictError:
                if time.monotonic() >= give_up:
                    self._give_up(RunState.INTERRUPTED, _STILL_HELD)
                    return None
            except _NOTHING_STARTS:
                raise
            except UnavailableError as error:
                self._give_up(RunState.INTERRUPTED, error.message)
                return None
            except SandboxError:
                tries += 1
                if tries == _TRIES:
                    raise
            self._closed.wait(_RETRY_SECONDS)
        self._give_back("")
        return None

    def _follow(self, placed: PlacedRun) -> _Leave | None:
        """Return when the worker has ended, or must end and why."""
        while placed.is_alive:
            if self._closed.is_set():
                return _Leave.CLOSED
            self._cpu_seconds = placed.cpu_seconds
            status = self._said()
            try:
                self._record(_while_alive(status))
                leave = self._bound(status)
            except LeaseLostError:
                _log.warning("Another process has the training run %s now.", self._run.id)
                return _Leave.LOST
            except UnavailableError:  # the worker goes on without the database for a while
                leave = None
            if leave is not None:
                return leave
            self._closed.wait(self._pace.poll)
        return None

    def _end(self, placed: PlacedRun, seconds: float) -> None:
        try:
            placed.end(seconds)
        except PPOError:  # it is taken away all the same
            _log.exception("The worker of training run %s did not end in order.", self._run.id)

    def _bound(self, status: RunStatus) -> _Leave | None:
        """Return why the worker must end now, if it must."""
        now = time.monotonic()
        if not status.state.has_ended:
            self._ended_at = None
        elif self._ended_at is None:
            self._ended_at = now
        elif now - self._ended_at >= self._pace.end:
            return _Leave.HUNG
        if status.state is not RunState.PAUSED:
            self._paused_at = None
        elif self._paused_at is None:
            self._paused_at = now
            self._commands_bytes = commands_bytes(self._folders.files(self._run.id))
        elif now - self._paused_at >= self._pace.park:
            return _Leave.PARKED
        if self._wall_seconds() >= self._quota.wall_seconds:
            self._over = (
                f"wall_seconds: the {self._quota.wall_seconds:g} s that one run may take are used. "
                "Its checkpoint is kept; start a new run to train for longer."
            )
        elif now - self._measured_at >= self._pace.measure:
            self._measured_at = now
            self._disk_bytes = self._folders.files(self._run.id).size_bytes()
            self._check_shared()
        return _Leave.QUOTA if self._over else None

    def _check_shared(self) -> None:
        """Notice when all runs of the person together have used too much."""
        quota, used = self._quota, self._runs.usage(self._run.user)
        if used.cpu_seconds_today >= quota.cpu_seconds_per_day:
            self._over = (
                f"cpu_seconds_per_day: the {quota.cpu_seconds_per_day:g} s of processor time that "
                "your runs may use in 24 hours are used. Resume it tomorrow."
            )
        elif used.disk_bytes > quota.disk_mb * _MIB:
            self._over = (
                f"disk_mb: your runs take more than {quota.disk_mb} MiB. Delete some, then resume "
                "this one."
            )

    # -- the record ------------------------------------------------------------------------------

    def _finish(self, files: RunDirectory, leave: _Leave | None) -> None:
        """Record how the worker ended."""
        self._disk_bytes = files.size_bytes()
        status = self._said()
        if leave is None and status.state is RunState.INTERRUPTED:
            # Who stops the server may send its workers the same signal, a moment earlier.
            leave = _Leave.CLOSED if self._closed.wait(_SAME_SIGNAL_SECONDS) else None
        has_own_end = status.state.has_ended and status.state is not RunState.INTERRUPTED
        if not has_own_end and leave in {_Leave.CLOSED, _Leave.PARKED}:
            state = RunState.PAUSED if self._stays_paused(files) else RunState.RUNNING
            self._insist(lambda: self._record(replace(status, state=state, message=""), True))
            self._give_back("")
            return
        if not status.state.has_ended:
            status = replace(status, state=RunState.INTERRUPTED, message=_why_gone(files))
            with contextlib.suppress(OSError):
                files.announce(status)
        if leave is _Leave.QUOTA and not has_own_end:
            status = replace(status, message=self._over)
        self._insist(lambda: self._record(status, True))
        # Only now: who writes a command from here on sees that the run is not held any more.
        follow_late(files, self._run, status, runs=self._runs, quota=self._quota)

    def _stays_paused(self, files: RunDirectory) -> bool:
        """Whether it was paused, and nobody has asked for anything since the worker saw that."""
        return self._paused_at is not None and commands_bytes(files) == self._commands_bytes

    def _said(self) -> RunStatus:
        """Return what the worker said last; where that cannot be read, where the run stood."""
        said = self._reader.status()
        if said is not None:
            self._stood = replace(said, state=RunState.STARTING, message="")
        return said or self._stood

    def _record(self, status: RunStatus, must: bool = False) -> None:
        now = time.monotonic()
        written_at, state = self._written
        if not must and status.state is state and now - written_at < self._pace.record:
            return
        self._runs.record(
            self._run.id,
            self._worker,
            RunProgress(
                state=status.state,
                step=max(status.step, 0),
                total_steps=max(status.total_steps, 0),
                message=status.message,
                cpu_seconds=self._run.cpu_seconds + max(self._cpu_seconds, 0.0),
                wall_seconds=self._wall_seconds(),
                disk_bytes=self._disk_bytes,
            ),
        )
        self._written = now, status.state

    def _wall_seconds(self) -> float:
        took = 0.0 if self._began is None else time.monotonic() - self._began
        return self._run.wall_seconds + took

    def _give_up(self, state: RunState, message: str) -> None:
        status = self._said()
        ended = replace(status, state=state, message=message)
        self._insist(lambda: self._record(ended, True))

    def _put_back(self, error: PPOError) -> None:
        self._on_unavailable(error)
        self._give_back(f"It waits: {error.message}")

    def _give_back(self, message: str) -> None:
        self._insist(lambda: self._runs.give_back(self._run.id, self._worker, message))

    def _insist(self, write: Callable[[], None]) -> None:
        """Write to the database, again and again while it does not answer.

        What a stopping server cannot write, the next one finds: this process is gone then.
        """
        tries = 0
        while tries < _LAST_TRIES:
            try:
                write()
            except LeaseLostError:
                return
            except UnavailableError:
                _log.warning("The end of training run %s is not recorded yet.", self._run.id)
                time.sleep(_RETRY_SECONDS)
                tries += self._closed.is_set()
            else:
                return


def _while_alive(status: RunStatus) -> RunStatus:
    """Return what is recorded of a worker that is there: its end only once it has gone."""
    if status.state.has_ended or status.state is RunState.QUEUED:
        return replace(status, state=RunState.STARTING, message="")
    return status


def _why_unusable(error: OSError) -> str:
    return (
        f"The folder of this run cannot be used ({error.strerror or error}). Resume it when that "
        "is mended."
    )


def _why_gone(files: RunDirectory) -> str:
    line = files.last_log_line()
    said = f" It printed last: {line}" if line else ""
    return (
        "The worker is gone without a word: it was killed, or ran out of memory. Resume it to go "
        f"on from the last checkpoint.{said}"
    )
