"""Training runs under a service: whose they are, where they wait, what a person may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState

if TYPE_CHECKING:
    # Readers of a run's folder use this module too, and need no ports.
    from jupyter_ppo.domain.ports import Page

MAX_NAME, MAX_TAGS, MAX_TAG = 200, 20, 50
#: The most seeds of one request; each becomes a run.
MAX_SEEDS = 50


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run of one person.

    The database knows whose it is and whether it waits or has a worker; how far it is, is in its
    folder (``RunStatus``), which the record follows. Runs of one request share ``group_id``.
    ``position`` counts from 1 in the queue and is None outside of it. ``cpu_seconds`` are those of
    all its workers, ``disk_bytes`` those of its folder when last measured.
    """

    id: UUID
    user: str
    group_id: UUID
    name: str
    tags: tuple[str, ...]
    spec: RunSpec
    state: RunState
    step: int
    total_steps: int
    message: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cpu_seconds: float
    wall_seconds: float
    disk_bytes: int
    position: int | None = None
    is_held: bool = False
    commands_from: int = 0


@dataclass(frozen=True, slots=True)
class TrainingQuota:
    """What one person may use; a run over a bound of time or disk is stopped with its checkpoint.

    ``running`` at the same time, ``queued`` more that wait, ``cpu_seconds_per_day`` of the last 24
    hours, ``wall_seconds`` of one run (all its workers, pauses included), ``disk_mb`` of all kept
    runs, ``runs`` that are kept.
    """

    running: int = 2
    queued: int = 50
    cpu_seconds_per_day: float = 8 * 3600.0
    wall_seconds: float = 12 * 3600.0
    disk_mb: int = 2048
    runs: int = 500


@dataclass(frozen=True, slots=True)
class TrainingUsage:
    """What one person uses now."""

    running: int
    queued: int
    cpu_seconds_today: float
    disk_bytes: int
    runs: int


@dataclass(frozen=True, slots=True)
class RunProgress:
    """What the supervisor writes into a record from the run's folder and its worker."""

    state: RunState
    step: int
    total_steps: int
    message: str
    cpu_seconds: float
    wall_seconds: float
    disk_bytes: int


@dataclass(frozen=True, slots=True)
class CreatedRuns:
    """The runs of one request; ``is_repeat``: it was sent before, and they were made then."""

    runs: tuple[TrainingRun, ...]
    is_repeat: bool = False


class RunStore(Protocol):
    """Records of runs. Every method is one transaction."""

    def create(
        self,
        user: str,
        name: str,
        tags: tuple[str, ...],
        specs: tuple[RunSpec, ...],
        quota: TrainingQuota,
        *,
        request_key: str | None = None,
        request_digest: str = "",
    ) -> CreatedRuns:
        """Queue one run per spec; raise ``TooManyRequestsError`` naming the quota; all or none.

        A key that the person used before gives the runs made then, and ``ConflictError`` when the
        digest of the request is another one.
        """

    def run(self, run_id: UUID) -> TrainingRun:
        """Return a run with its position; raise ``NotFoundError``."""

    def runs(
        self,
        user: str | None,
        *,
        state: RunState | None,
        tag: str | None,
        group_id: UUID | None,
        offset: int,
        limit: int,
    ) -> Page[TrainingRun]:
        """Return runs, newest first; ``user`` None: everybody's."""

    def rename(self, run_id: UUID, name: str, tags: tuple[str, ...]) -> TrainingRun:
        """Give a run another name and other tags."""

    def requeue(
        self, run_id: UUID, *, quota: TrainingQuota, total_steps: int | None, commands_from: int
    ) -> TrainingRun:
        """Queue an ended or parked run again, at the end of the queue.

        ``total_steps`` replaces those of its spec. Raises ``ConflictError`` when it waits or is
        held, or has used its time, and ``TooManyRequestsError`` over a quota.
        """

    def extend(self, run_id: UUID, total_steps: int) -> TrainingRun:
        """Give a run that waits or is parked more steps; raise ``ConflictError`` for others."""

    def stop_waiting(self, run_id: UUID, message: str) -> bool:
        """Stop a run that waits or is parked; False when it is held or has ended."""

    def delete(self, run_id: UUID) -> None:
        """Forget a run that is not held; what it used today still counts.

        Raises ``ConflictError``.
        """

    def take_next(self, worker: str, quota: TrainingQuota) -> TrainingRun | None:
        """Give the oldest queued run whose person has a place to the process ``worker``."""

    def record(self, run_id: UUID, worker: str, progress: RunProgress) -> None:
        """Write progress; an ended run is held no more.

        Raises ``LeaseLostError`` when another process has the run.
        """

    def give_back(self, run_id: UUID, worker: str, message: str = "") -> None:
        """Queue a run again, in its old place, that ``worker`` cannot go on with.

        A paused one is parked. Nothing happens when another process has the run.
        """

    def reclaim(self, worker: str) -> int:
        """Give back what processes that are gone hold; return how many runs those were."""

    def usage(self, user: str) -> TrainingUsage:
        """Return what a person uses now."""


class PlacedRun(Protocol):
    """A worker at a run's folder, wherever it is. Safe to use from several threads."""

    @property
    def is_alive(self) -> bool:
        """Whether it is at the run."""

    @property
    def cpu_seconds(self) -> float:
        """Seconds of processor time it has used."""

    def end(self, seconds: float) -> None:
        """Let it write a checkpoint and end; kill it after ``seconds``. The run is INTERRUPTED."""

    def close(self) -> None:
        """Take away what is left of it; more than once does no harm."""


class TrainingPlace(Protocol):
    """Where workers are: beside the server, or each in a container of its own."""

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> PlacedRun:
        """Start or resume the run in ``folder``, which holds a spec; return when it has begun.

        ``disk_bytes``: the folder may grow to so many. ``commands_from``: the byte of its file of
        commands from which on they are for this worker. Raises ``ConflictError`` when a worker is
        at it, ``InvalidInputError`` when it is damaged, and ``UnavailableError`` or
        ``SandboxError``.
        """

    def close(self) -> None:
        """End what is kept ready."""
