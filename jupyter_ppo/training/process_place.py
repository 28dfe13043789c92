"""Workers as processes beside the server: for whoever runs the server, and nobody else."""

from __future__ import annotations

import errno
from pathlib import Path

from jupyter_ppo.domain.errors import BusyError, StorageFullError, UnavailableError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.env_ids import check_env_id
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.lines import NO_ROOM
from jupyter_ppo.training.worker_process import WorkerProcess, start_worker

_KILLED_SECONDS = 5.0
_BUSY_SECONDS = 15.0
#: Too many processes or open files, or no memory for one more.
_TOO_MANY = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class PlacedProcess:
    """``domain.run_records.PlacedRun``: a process of this user on this machine."""

    def __init__(self, process: WorkerProcess) -> None:
        self._process = process

    @property
    def is_alive(self) -> bool:
        """Whether it is at the run."""
        return self._process.is_alive

    @property
    def cpu_seconds(self) -> float:
        """Seconds of processor time it has used."""
        return self._process.cpu_seconds

    def end(self, seconds: float) -> None:
        """Let it write a checkpoint and end; kill it after ``seconds``."""
        self._process.terminate()
        if not self._process.wait(seconds):
            self._process.kill()
            self._process.wait(_KILLED_SECONDS)

    def close(self) -> None:
        """Kill what is left of it; more than once does no harm."""
        if self._process.is_alive:
            self._process.kill()
            self._process.wait(_KILLED_SECONDS)
        self._process.close()


class ProcessPlace:
    """``domain.run_records.TrainingPlace``: a run's environments can do what this user can."""

    def start(self, folder: Path, *, disk_bytes: int, commands_from: int = 0) -> PlacedProcess:
        """Start or resume the run in ``folder``; return once its process is there.

        Raises ``ConflictError``, ``NotFoundError``, ``InvalidInputError`` and ``UnavailableError``
        as ``start_worker`` does, ``StorageFullError`` when the disk is full, and ``BusyError`` when
        the machine has no room for a process.
        """
        try:
            process = start_worker(
                RunDirectory(folder), disk_bytes=disk_bytes, commands_from=commands_from
            )
        except UnavailableError as error:
            number = getattr(error.__cause__, "errno", None)
            if number in NO_ROOM:
                msg = "The disk is full: no worker can be started. Free some space."
                raise StorageFullError(msg) from error
            if number in _TOO_MANY:
                msg = "The machine has no room for another process now."
                raise BusyError(msg, retry_after=_BUSY_SECONDS) from error
            raise
        return PlacedProcess(process)

    def check(self, spec: RunSpec) -> None:
        """Raise ``InvalidInputError`` when workers here would not know the environment."""
        check_env_id(spec)

    def close(self) -> None:
        """Nothing is kept ready."""
