"""Worker processes: how one is started, watched and ended from outside."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, UnavailableError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunCommand
from jupyter_ppo.training.files import RunDirectory, first_log_line
from jupyter_ppo.training.worker_lock import write_holder

#: A worker needs far less to end, unless the machine is very busy.
EXIT_SECONDS: Final = 30.0

_WORKER: Final = (sys.executable, "-X", "faulthandler", "-m", "jupyter_ppo.training.worker")

#: Processes that this process started and has not yet seen the end of. They last as long as it
#: does, not as some variable; those that are not detached are ended with it.
_STARTED: dict[int, WorkerProcess] = {}


class WorkerProcess:
    """A worker that this process started. Safe to use from several threads."""

    def __init__(self, process: subprocess.Popen[bytes], *, detached: bool) -> None:
        self.detached = detached
        self._process = process
        self._started_by = os.getpid()
        self._lock = threading.Lock()
        self._cpu_seconds = 0.0

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.exit_status is None

    @property
    def exit_status(self) -> int | None:
        """What it returned, minus the signal that killed it, or None while it runs."""
        with self._lock:
            if self._process.returncode is None:
                self._cpu_seconds = _cpu_seconds(self.pid) or self._cpu_seconds
                if self._process.poll() is not None:
                    self._forget()
            return self._process.returncode

    @property
    def cpu_seconds(self) -> float:
        """Seconds of processor time it has used, its children that ended included."""
        _ = self.exit_status
        return self._cpu_seconds

    def terminate(self) -> None:
        """Ask it to write a checkpoint and end (SIGTERM)."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; return whether it came in time."""
        deadline = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        return True

    def close(self) -> None:
        """Kill it if it runs, and take its end; more than once does no harm."""
        if self.is_alive:
            self.kill()
            self.wait(EXIT_SECONDS)

    def let_go(self) -> None:
        """Tell it that its owner is gone, as the owner's end does."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def is_of_this_process(self) -> bool:
        """Whether this process started it, and not the one that this is a fork of."""
        return self._started_by == os.getpid()

    def _signal(self, number: int) -> None:
        with self._lock:
            if self._process.returncode is None:
                self._process.send_signal(number)

    def _forget(self) -> None:
        _STARTED.pop(self.pid, None)
        self.let_go()


def start_worker(
    files: RunDirectory,
    *,
    detached: bool = False,
    disk_bytes: int | None = None,
    commands: Sequence[RunCommand] = (),
    commands_from: int | None = None,
) -> WorkerProcess:
    """Start or resume the run in a folder that holds a spec, and return at once.

    ``commands`` are the first ones for this worker. Those in the folder count from the byte
    ``commands_from`` on, by default from their end. Unless ``detached`` the worker ends, with a
    checkpoint, when this process does. ``disk_bytes`` bounds the folder.

    Raises ``ConflictError`` naming the process when a worker is at the run already or the run is a
    loop of the user's own, ``NotFoundError`` or ``InvalidInputError`` when the folder holds no run
    or a damaged one, ``UnavailableError`` when no process can be started.
    """
    spec = files.read_spec()
    if files.is_own_loop():
        msg = (
            "state: this run was logged by a loop of your own, so no worker can go on with it. "
            "Start your loop again in a new folder."
        )
        raise ConflictError(msg, field="state")
    try:
        with files.locked_for_worker() as lock:
            return spawn(
                files,
                spec,
                lock,
                detached=detached,
                disk_bytes=disk_bytes,
                commands=commands,
                commands_from=commands_from,
            )
    except OSError as error:
        raise cannot_start(files.path, error) from error


def spawn(
    files: RunDirectory,
    spec: RunSpec,
    lock: int,
    *,
    detached: bool = False,
    disk_bytes: int | None = None,
    commands: Sequence[RunCommand] = (),
    commands_from: int | None = None,
) -> WorkerProcess:
    """Start a worker that takes over ``lock``, which is held; raise ``OSError``."""
    try:
        before = files.read_status()
    except InvalidInputError:
        before = None
    if commands_from is None:
        commands_from = files.commands_file.stat().st_size if files.commands_file.exists() else 0
    for command in commands:
        files.append_command(command)
    options = ["--lock-descriptor", str(lock), "--commands-from", str(commands_from)]
    if detached:
        options.append("--detached")
    if disk_bytes is not None:
        options += ["--disk-bytes", str(disk_bytes)]
    files.mark_start()  # so that nobody takes the old end for the new one
    try:
        with files.log_file.open("ab") as log:
            log.write(first_log_line().encode() + b"\n")
            log.flush()
            process = subprocess.Popen(
                [*_WORKER, *options, str(files.path)],
                # Never written to: its end tells the worker that we ended.
                stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # interrupting a cell must not interrupt the training
                pass_fds=(lock,),
                env=_environment(spec.torch_threads),
            )
    except OSError:
        if before is not None:
            files.write_status(before)
        raise
    write_holder(lock, process.pid)
    worker = WorkerProcess(process, detached=detached)
    _STARTED[process.pid] = worker
    return worker


def cannot_start(path: Path, error: OSError) -> UnavailableError:
    """Return the error of a folder where no run can be started."""
    msg = f"directory: no run can be started in {path} ({error.strerror or error})."
    return UnavailableError(msg, field="directory")


def _environment(threads: int) -> dict[str, str]:
    environment = dict(os.environ)
    # More threads than a spec asks for are up to eight times slower on a busy machine.
    environment.update(OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads))
    root = Path(__file__).resolve().parents[2]
    if root.name not in {"site-packages", "dist-packages"}:  # a source tree: found as we found it
        known = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{root}{os.pathsep}{known}" if known else str(root)
    return environment


def _cpu_seconds(pid: int) -> float:
    """Return the processor time of a process that has not been waited for; 0 if it is not told."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    # proc(5): utime, stime, cutime, cstime are fields 14 to 17; the name is the second.
    return sum(int(word) for word in words[11:15]) / os.sysconf("SC_CLK_TCK")


@atexit.register
def _end_owned_workers() -> None:
    """Ask all owned workers to end, by closing their pipes, and kill those that do not."""
    owned = [
        worker
        for worker in list(_STARTED.values())
        if not worker.detached and worker.is_of_this_process()
    ]
    for worker in owned:
        worker.let_go()
    deadline = time.monotonic() + EXIT_SECONDS
    for worker in owned:
        if not worker.wait(max(deadline - time.monotonic(), 0.01)):
            worker.close()
