"""Start runs, watch them, steer them. Needs no widget and no kernel."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from jupyter_ppo.domain.errors import ConflictError, UnavailableError
from jupyter_ppo.domain.training import Command, MetricPoint, RunSpec, RunState, RunStatus
from jupyter_ppo.training.files import LineReader, RunDirectory, point_from_json

_POLL_SECONDS = 0.05
_WORKER = (sys.executable, "-X", "faulthandler", "-m", "jupyter_ppo.training.worker")
_EXIT_SECONDS = 30.0  # a worker needs far less, unless the machine is very busy
_ERROR_LINE = re.compile(r"[\w.]*(?:Error|Exception|Interrupt|Exit|NotFound)\b.*")

#: Workers that this process owns: a run lasts as long as this process, not as some variable.
_OWNED: dict[int, subprocess.Popen[bytes]] = {}


class Run:
    """One training run, seen from outside. Safe to use from several threads."""

    def __init__(
        self, directory: Path, spec: RunSpec, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.directory = directory
        self.spec = spec
        self._files = RunDirectory(directory)
        self._process = process
        self._reader = LineReader(self._files.metrics_file)
        self._points: list[MetricPoint] = []
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Run {self.spec.env_id} {self.state()} in {self.directory}>"

    @property
    def worker_pid(self) -> int | None:
        """The worker's process id while this process owns it and it lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def metrics(self, since: int = 0) -> tuple[MetricPoint, ...]:
        """Return all points measured so far, in order, without the first ``since``."""
        with self._lock:
            self._points += [point_from_json(data) for data in self._reader.read()]
            return tuple(self._points[since:])

    def status(self) -> RunStatus:
        """Return how far the run is. A worker that died is noticed here and the run is FAILED."""
        with self._lock:
            status = self._files.read_status()
            if not status.state.is_final and not self._worker_is_alive():
                # It may have written its end between the two looks.
                status = self._files.read_status()
                if not status.state.is_final:
                    status = self._record_death(status)
            if self._process is not None and self._process.poll() is not None:
                self._release()
            return status

    def state(self) -> RunState:
        """Return the state only."""
        return self.status().state

    def pause(self) -> None:
        """Ask for a pause; it begins within one update. Raises ``ConflictError`` after the end."""
        self._command(Command.PAUSE)

    def resume(self) -> None:
        """Ask a paused run to go on. Raises ``ConflictError`` after the end."""
        self._command(Command.RESUME)

    def stop(self) -> None:
        """Ask for the end; the model is saved as it is. Does nothing after the end."""
        if not self.state().is_final:
            self._files.append_command(Command.STOP)

    def wait(self, timeout: float | None = None) -> RunState:
        """Wait until the run ends, or ``timeout`` seconds; return the state reached by then."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not (state := self.state()).is_final:
            if deadline is not None and time.monotonic() >= deadline:
                return state
            time.sleep(_POLL_SECONDS)
        with self._lock:
            self._reap()
        return state

    def _worker_is_alive(self) -> bool:
        if self._process is not None:
            return self._process.poll() is None
        return self._files.worker_is_alive()

    def _command(self, command: Command) -> None:
        state = self.state()
        if state.is_final:
            msg = f"state: this run is {state}, so it cannot {command}. Start a new run."
            raise ConflictError(msg, field="state")
        self._files.append_command(command)

    def _record_death(self, status: RunStatus) -> RunStatus:
        reason = _reason_of_death(self._reap(), self._files.last_log_line())
        failed = RunStatus(
            RunState.FAILED, status.step, status.seconds, status.steps_per_second, reason
        )
        with contextlib.suppress(OSError):  # a directory we may only read
            self._files.write_status(failed)
            self._files.append_event(failed)
        return failed

    def _reap(self) -> int | None:
        """Wait for a process that has ended or is about to; return its exit status if known."""
        if self._process is None:
            return None
        try:
            self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:  # it has written its end: nothing is lost
            self._process.kill()
            self._process.wait()
        self._release()
        return self._process.returncode

    def _release(self) -> None:
        if self._process is not None:
            _OWNED.pop(self._process.pid, None)
            if self._process.stdin is not None:
                self._process.stdin.close()


def start_run(spec: RunSpec, directory: Path | str) -> Run:
    """Start a worker for ``spec`` in ``directory``, which is made if needed, and return at once.

    The worker ends by itself when this process does. Raises ``ConflictError`` when the directory
    holds a run already and ``UnavailableError`` when nothing can be written or started there.
    """
    path = Path(directory).resolve()
    files = RunDirectory(path)
    if files.spec_file.exists():
        msg = f"directory: {path} holds a run already. Choose a new directory."
        raise ConflictError(msg, field="directory")
    try:
        path.mkdir(parents=True, exist_ok=True)
        files.create(spec)
        with files.locked_for_worker() as lock, files.log_file.open("wb") as log:
            process = subprocess.Popen(
                [*_WORKER, "--lock-descriptor", str(lock), str(path)],
                stdin=subprocess.PIPE,  # never written to: its end tells the worker that we ended
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # interrupting a cell must not interrupt the training
                pass_fds=(lock,),
                env=_worker_environment(),
            )
    except OSError as error:
        msg = f"directory: no run can be started in {path} ({error.strerror or error})."
        raise UnavailableError(msg, field="directory") from error
    _OWNED[process.pid] = process
    return Run(path, spec, process)


def open_run(directory: Path | str) -> Run:
    """Return the run in ``directory``, running or ended, whoever started it.

    Raises ``NotFoundError`` if there is none and ``InvalidInputError`` if it is damaged.
    """
    path = Path(directory).resolve()
    return Run(path, RunDirectory(path).read_spec())


def _worker_environment() -> dict[str, str]:
    environment = dict(os.environ)
    # Two threads on a busy two-core machine are up to eight times slower than one.
    environment.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    root = Path(__file__).resolve().parents[2]
    if root.name not in {"site-packages", "dist-packages"}:  # a source tree: found as we found it
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else str(root)
    return environment


def _reason_of_death(exit_status: int | None, last_line: str) -> str:
    if exit_status is not None and exit_status < 0:
        name = signal.Signals(-exit_status).name
        hint = " The machine may have run out of memory." if name == "SIGKILL" else ""
        return f"The training process was killed ({name}).{hint}"
    if _ERROR_LINE.fullmatch(last_line):
        return f"The training process failed: {last_line}"
    return "The training process ended before the training did; worker.log may say why."


@atexit.register
def _end_owned_workers() -> None:
    """Ask all workers to stop, by closing their pipes, and kill those that do not."""
    processes = list(_OWNED.values())
    for process in processes:
        if process.stdin is not None:
            process.stdin.close()
    deadline = time.monotonic() + _EXIT_SECONDS
    for process in processes:
        try:
            process.wait(max(deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
