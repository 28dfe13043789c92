"""A service that trains, whose workers are threads that count."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.access import Caller
from jupyter_ppo.domain.errors import (
    PPOError,
)
from jupyter_ppo.domain.run_records import TrainingQuota, TrainingRun
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import (
    Command,
    EventKind,
    MetricPoint,
    RunCommand,
    RunState,
    RunStatus,
)
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.training_attendant import Pace
from jupyter_ppo.services.training_queue import TrainingQueue
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.database import Database, open_database, sqlite_url
from jupyter_ppo.storage.training_runs import TrainingRuns
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import LineReader
from jupyter_ppo.training.metric_log import MetricWriter

ADA = Caller("ada")
FAST = Pace(poll=0.01, record=0.02, measure=0.05, end=5.0, park=60.0)
SPEC = RunSpec(total_steps=10_000, n_steps=100, batch_size=50)


class ThreadRun:
    """A worker that counts: 100 steps every millisecond, from where the run stands."""

    def __init__(self, files: RunDirectory, commands_from: int, place: ThreadPlace) -> None:
        self.files, self.place = files, place
        self._commands = LineReader(files.commands_file, commands_from)
        self._must_end, self._is_killed = threading.Event(), threading.Event()
        self._began, self._first_step = time.monotonic(), files.read_status().step
        self._thread = threading.Thread(target=self._train)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """A process is there for a while after it has written its end."""
        return self._thread.is_alive() or self.place.leaves_late.is_set()

    @property
    def cpu_seconds(self) -> float:
        return (time.monotonic() - self._began) * self.place.cpu_rate

    def end(self, seconds: float) -> None:
        self._must_end.set()
        self._thread.join(seconds)

    def kill(self) -> None:
        self._is_killed.set()
        self._thread.join()

    def close(self) -> None:
        self.kill()
        self.place.closed += 1

    def _train(self) -> None:
        total, step = self.files.read_spec().total_steps, self._first_step
        state, metrics = RunState.RUNNING, MetricWriter(self.files.metrics_file)
        for data in LineReader(self.files.commands_file).read():
            if data["command"] == Command.EXTEND:
                total = max(total, data["values"]["total_steps"])
        while not self._is_killed.is_set():
            for data in self._commands.read():
                command = RunCommand.from_dict(data)
                if command.command is Command.PAUSE:
                    state = RunState.PAUSED
                elif command.command is Command.RESUME:
                    state = RunState.RUNNING
                elif command.command is Command.EXTEND:
                    total = max(total, command.values["total_steps"])
                    self.files.note(EventKind.EXTENDED, step, id=command.id)
                elif command.command is Command.STOP:
                    self.files.announce(RunStatus(RunState.STOPPED, step, message="You did."))
                    return
            if self._must_end.is_set():
                self.files.announce(RunStatus(RunState.INTERRUPTED, step, message="Asked to."))
                return
            if state is RunState.RUNNING and step < total:
                step += 100
                metrics.add(MetricPoint(step, step / 1000, {"return": float(step)}))
                metrics.flush()
            if step >= total and not self.place.lingers:
                self.files.announce(RunStatus(RunState.FINISHED, step, total_steps=total))
                return
            self.files.write_status(RunStatus(state, step, total_steps=total))
            time.sleep(0.001)


@dataclass
class ThreadPlace:
    """Starts workers that are threads; ``errors`` are what the next starts raise, ``unusable``
    what a folder of that name raises always, ``leaves_late``: ended workers are not gone yet.
    """

    cpu_rate: float = 0.0
    lingers: bool = False
    errors: list[PPOError] = field(default_factory=list)
    started: list[ThreadRun] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    closed: int = 0
    unusable: dict[str, Exception] = field(default_factory=dict)
    leaves_late: threading.Event = field(default_factory=threading.Event)

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> ThreadRun:
        if folder.name in self.unusable:
            raise self.unusable[folder.name]
        if self.errors:
            raise self.errors.pop(0)
        self.asked.append((disk_bytes, commands_from))
        self.started.append(ThreadRun(RunDirectory(folder), commands_from, self))
        return self.started[-1]

    def close(self) -> None:
        for run in self.started:
            run.kill()


@dataclass
class Server:
    """One server process: its queue and its use cases, on a database and a folder."""

    service: TrainingService
    queue: TrainingQueue
    place: ThreadPlace
    runs: TrainingRuns

    def add(self, count: int = 1, caller: Caller = ADA, spec: RunSpec = SPEC) -> TrainingRun:
        specs = tuple(spec.changed(seed=seed) for seed in range(count))
        return self.service.create(caller, specs).runs[0]

    def wait(self, condition: Callable[[], bool], seconds: float = 20.0) -> None:
        wait(condition, seconds)

    def until(self, run: TrainingRun, *states: RunState, caller: Caller = ADA) -> TrainingRun:
        def reached() -> bool:
            return self.service.run(caller, run.id).state in states

        wait(reached)
        return self.service.run(caller, run.id)


def wait(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this in time"
        time.sleep(0.01)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Iterator[Database]:
    shutil.copy(empty_database, tmp_path / "course.sqlite")
    opened = open_database(sqlite_url(tmp_path / "course.sqlite"))
    yield opened
    opened.close()


@pytest.fixture
def serve(database: Database, folder: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def serve(
        *,
        workers: int = 2,
        quota: TrainingQuota | None = None,
        pace: Pace = FAST,
        worker: str = "me",
        place: ThreadPlace | None = None,
        **how: Any,
    ) -> Server:
        quota, place = quota or TrainingQuota(), place or ThreadPlace(**how)
        runs = TrainingRuns(database, is_gone=lambda owner: owner == "dead")
        queue = TrainingQueue(
            runs=runs,
            place=place,
            folder=folder,
            quota=quota,
            worker=worker,
            workers=workers,
            pace=pace,
        )
        service = TrainingService(
            runs=runs, folder=folder, quota=quota, audit=Audit(database), on_queued=queue.wake
        )
        servers.append(Server(service, queue, place, runs))
        queue.start()
        return servers[-1]

    yield serve
    for server in servers:
        server.queue.stop()
        server.place.close()
