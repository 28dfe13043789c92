"""A run seen from outside: watch it, steer it. Needs no widget and no kernel."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import ConflictError, PPOError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.training import (
    CheckpointInfo,
    Command,
    Evaluation,
    MetricPoint,
    Minibatch,
    Rewind,
    RunCommand,
    RunEvent,
    RunState,
    RunStatus,
)
from jupyter_ppo.training import trust
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import MetricReader
from jupyter_ppo.training.minibatches import current_minibatches
from jupyter_ppo.training.worker_process import EXIT_SECONDS, WorkerProcess, start_worker

_POLL_SECONDS: Final = 0.05
_ERROR_LINE: Final = re.compile(r"[\w.]*(?:Error|Exception|Interrupt|Exit|NotFound)\b.*")
#: In these states a worker is at the run, or it was killed.
_AT_WORK: Final = frozenset({RunState.STARTING, RunState.RUNNING, RunState.PAUSED})


class Run:
    """One training run. Safe to use from several threads; any process may have one."""

    def __init__(self, directory: Path, process: WorkerProcess | None = None) -> None:
        """Open the run in a folder; raise ``NotFoundError`` or ``InvalidInputError``."""
        self.directory = directory
        self.files = RunDirectory(directory)
        self.spec = self.files.read_spec()
        self.name, self.tags = self.files.read_labels()
        self._process = process
        self._reader = MetricReader(self.files.metrics_file)
        self._points: list[MetricPoint] = []
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<Run {self.spec.env_id} {self.state()} in {self.directory}>"

    @property
    def process(self) -> WorkerProcess | None:
        """The worker if this object started it, running or ended."""
        return self._process

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while it lives."""
        process = self._process
        if process is not None and process.is_alive:
            return process.pid
        return self.files.worker_pid()

    def status(self) -> RunStatus:
        """Return how far the run is. A worker that died is noticed here: the run is INTERRUPTED.

        Raises ``InvalidInputError`` when state.json is damaged.
        """
        with self._lock:
            status = self.files.read_status()
            if status.state in _AT_WORK and not self._worker_is_alive():
                # It may have written its end between the two looks.
                status = self.files.read_status()
                if status.state in _AT_WORK:
                    status = self._record_death(status)
            return status

    def state(self) -> RunState:
        """Return the state only."""
        return self.status().state

    def metrics(self, since: int = 0) -> tuple[MetricPoint, ...]:
        """Return all points that count so far, in order, without the first ``since``.

        What a killed worker measured after its last checkpoint is taken back when the run is
        resumed, so there may be fewer points than before.
        """
        with self._lock:
            for item in self._reader.read():
                if isinstance(item, Rewind):
                    self._points = [point for point in self._points if point.step <= item.step]
                else:
                    self._points.append(item)
            return tuple(self._points[since:])

    def reader(self, cursor: int = 0) -> MetricReader:
        """Return a reader of points and rewinds from a cursor on."""
        return MetricReader(self.files.metrics_file, cursor)

    def events(self, since: int = 0) -> list[RunEvent]:
        """Return what happened, oldest first, without the first ``since``."""
        return self.files.read_events(since)

    def evaluations(self) -> list[Evaluation]:
        """Return the evaluations, oldest first."""
        return self.files.read_evaluations()

    def minibatches(self) -> list[Minibatch]:
        """Return samples of the updates, oldest first; none for a run of an older version."""
        return current_minibatches(self.files.minibatches_file)

    def checkpoints(self) -> list[CheckpointInfo]:
        """Return the checkpoints, oldest first."""
        return self.files.checkpoints().list()

    def log_tail(self, limit_bytes: int = 64 * 1024) -> str:
        """Return the end of what the worker printed."""
        return self.files.log_tail(limit_bytes)

    def trust(self) -> list[str]:
        """Trust the run's files, which somebody else wrote; return their names."""
        return trust.trust_run(self.directory)

    def command(self, command: RunCommand) -> str:
        """Ask for something; return the command's id, which the event of its effect carries.

        RESUME and EXTEND of an ended or waiting run start a worker. Raises ``ConflictError`` when
        the run's state does not allow it; STOP after the end does nothing.
        """
        command = replace(command, id=command.id or new_id().hex)
        match command.command:
            case Command.RESUME:
                self._resume(command, detached=False)
            case Command.EXTEND:
                self._extend(command, detached=False)
            case Command.STOP:
                self._stop(command)
            case _:
                self._tell(command)
        return command.id

    def pause(self) -> str:
        """Ask for a pause; it begins within one update. Raises ``ConflictError`` after the end."""
        return self.command(RunCommand(Command.PAUSE))

    def resume(self, *, detached: bool = False) -> None:
        """Let a paused run go on, or start a worker for one that ended before its plan or waits.

        A run that goes on from a checkpoint gives the same as one that was never interrupted; where
        that cannot be, an event says so. Raises ``ConflictError`` when the run has finished, or
        another process works on it, and what ``start_worker`` raises.
        """
        self._resume(RunCommand(Command.RESUME, id=new_id().hex), detached=detached)

    def stop(self) -> str:
        """Ask for the end; the model is saved as it is. Does nothing after the end."""
        return self.command(RunCommand(Command.STOP))

    def extend(self, total_steps: int, *, detached: bool = False) -> str:
        """Set a later end; an ended run goes on. Raises ``ConflictError`` when it is not later."""
        command = RunCommand(Command.EXTEND, {"total_steps": total_steps}, new_id().hex)
        self._extend(command, detached=detached)
        return command.id

    def change(self, **live: Any) -> str:
        """Change what may be changed while the run goes on (``LIVE``), from the next update on.

        Raises ``InvalidInputError`` naming the value, ``ConflictError`` after the end.
        """
        return self.command(RunCommand(Command.SET, live))

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait until the run ends, or ``timeout`` seconds; return the state reached by then."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (state := self.state()).has_ended:
            if deadline is not None and time.monotonic() >= deadline:
                return state
            time.sleep(_POLL_SECONDS)
        self._reap()
        return state

    def rename(self, name: str, tags: Sequence[str] | None = None) -> None:
        """Give the run another name, and other tags if given."""
        with self._lock:
            tags = self.tags if tags is None else tuple(tags)
            self.files.write_labels(name, tags)
            self.name, self.tags = name, tags

    def delete(self) -> None:
        """Delete the run's folder. Raises ``ConflictError`` while a worker is at it."""
        with self.files.locked_for_worker():
            # Under another name at once: what is half deleted is no damaged run.
            grave = self.directory.with_name(f".deleted-{self.directory.name}-{os.getpid()}")
            self.directory.replace(grave)
            shutil.rmtree(grave, ignore_errors=True)

    def _resume(self, command: RunCommand, *, detached: bool) -> None:
        status = self.status()
        if status.state is RunState.FINISHED:
            msg = (
                f"state: this run has finished after {status.step} steps. "
                "extend(total_steps) trains it further."
            )
            raise ConflictError(msg, field="state")
        if status.state.has_ended or status.state is RunState.QUEUED:
            self._start(detached=detached)
        else:
            self._tell(command)

    def _extend(self, command: RunCommand, *, detached: bool) -> None:
        status = self.status()
        plan = max(status.total_steps, status.step) or self.spec.planned_steps
        if command.values["total_steps"] <= plan:
            msg = f"total_steps: this run goes to {plan} steps already. Give a greater number."
            raise ConflictError(msg, field="total_steps")
        if status.state.has_ended:
            self._start(command, detached=detached)
        elif not self._tell(command):
            # The command is in the folder: the next worker follows it first.
            self._start(detached=detached)

    def _stop(self, command: RunCommand) -> None:
        status = self.status()
        if status.state is RunState.QUEUED:
            with self.files.locked_for_worker():
                message = "Stopped before it began."
                self.files.announce(replace(status, state=RunState.STOPPED, message=message))
        elif not status.state.has_ended:
            self._append(command)

    def _tell(self, command: RunCommand) -> bool:
        """Write a command for the worker; return False when it has ended without reading it.

        Only for an EXTEND: anything else has come too late then, which is a ``ConflictError``.
        """
        self._append(command)
        if not self._was_missed(command):
            return True
        if command.command is Command.EXTEND:
            return False
        raise self._too_late(command, self.state())

    def _append(self, command: RunCommand) -> None:
        if self.files.is_own_loop():
            msg = "state: this run is a loop of your own, which takes no commands; end it there."
            raise ConflictError(msg, field="state")
        state = self.state()
        if state.has_ended:
            raise self._too_late(command, state)
        self.files.append_command(command)

    def _too_late(self, command: RunCommand, state: RunState) -> ConflictError:
        if state is RunState.FINISHED:
            remedy = "extend(total_steps), or `jupyter ppo resume FOLDER --steps N`, trains it on."
        else:
            remedy = "resume(), or `jupyter ppo resume FOLDER`, lets it go on."
        word = "change" if command.command is Command.SET else command.command.value
        msg = f"state: this run is {state}, so it cannot {word} now. {remedy}"
        return ConflictError(msg, field="state")

    def _was_missed(self, command: RunCommand) -> bool:
        """Whether the run has ended, as it looks now, without what was just written for it.

        A worker looks again after it has written its end, so that one of the two sees the other.
        """
        if not self.state().has_ended:
            return False
        deadline = time.monotonic() + EXIT_SECONDS
        while self._worker_is_alive() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if not self.state().has_ended:
            return False
        return all(event.data.get("id") != command.id for event in self.events())

    def _start(self, *commands: RunCommand, detached: bool) -> None:
        with self._lock:
            self._reap()
            self._process = start_worker(self.files, detached=detached, commands=commands)

    def _worker_is_alive(self) -> bool:
        process = self._process
        return (process is not None and process.is_alive) or self.files.worker_is_alive()

    def _record_death(self, status: RunStatus) -> RunStatus:
        exit_status = None if self._process is None else self._process.exit_status
        last_line = self.files.last_log_line()
        is_broken = status.state is RunState.STARTING and _ERROR_LINE.fullmatch(last_line)
        if is_broken:
            reason = f"The training process failed: {last_line}"
        else:
            reason = f"{_reason_of_death(exit_status)} {self._way_on()}"
        state = RunState.FAILED if is_broken else RunState.INTERRUPTED
        ended = replace(status, state=state, message=reason)
        # Only under the lock: somebody may be resuming the run at this moment.
        with contextlib.suppress(OSError, PPOError), self.files.locked_for_worker():
            now = self.files.read_status()
            if now != status:
                return now
            self.files.announce(ended)
        return ended

    def _way_on(self) -> str:
        if self.files.is_own_loop():
            return "This run is a loop of your own: start that again."
        newest = self.checkpoints()[-1:]
        if newest:
            return f"It can be resumed from step {newest[0].step}."
        return "It has no checkpoint yet: resuming starts it from the beginning."

    def _reap(self) -> None:
        """Wait for a process that has written its end."""
        process = self._process
        if process is not None and not process.wait(EXIT_SECONDS):
            process.close()  # nothing is lost: the end was written


def _reason_of_death(exit_status: int | None) -> str:
    if exit_status is None:
        return "The training process is gone: it was killed, or the machine was switched off."
    if exit_status < 0:
        try:
            name = signal.Signals(-exit_status).name
        except ValueError:  # a real-time signal has none
            name = f"signal {-exit_status}"
        hint = " The machine may have run out of memory." if name == "SIGKILL" else ""
        return f"The training process was killed ({name}).{hint}"
    return "The training process ended before the training did; worker.log may say why."
