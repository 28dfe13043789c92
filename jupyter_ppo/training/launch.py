"""Make runs, start them, find them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError, PPOError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training import trust
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.own_env import pickle_env
from jupyter_ppo.training.run import Run
from jupyter_ppo.training.worker_process import WorkerProcess, cannot_start, spawn, start_worker

__all__ = ["create_run", "damaged_runs", "list_runs", "open_run", "start_run", "start_worker"]


def create_run(
    spec: RunSpec,
    directory: Path | str,
    *,
    env: Callable[..., Any] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
) -> Run:
    """Write a run that waits, QUEUED, until ``resume`` starts it; raises as ``start_run``."""
    return _make(spec, directory, env, name, tags, start=False, detached=False)


def start_run(
    spec: RunSpec,
    directory: Path | str,
    *,
    env: Callable[..., Any] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    detached: bool = False,
) -> Run:
    """Start a worker for ``spec`` in ``directory``, which is made if needed, and return at once.

    ``env`` is an environment class, or a function that makes an environment, for what no Gymnasium
    id stands for; ``env_kwargs`` of the spec are given to it. The worker ends by itself, with a
    checkpoint, when this process does, unless it is ``detached``.

    Raises ``ConflictError`` when the directory holds a run already, ``InvalidInputError`` when
    ``env`` cannot be sent to the worker, and ``UnavailableError`` when nothing can be written or
    started there.
    """
    return _make(spec, directory, env, name, tags, start=True, detached=detached)


def open_run(directory: Path | str) -> Run:
    """Return the run in ``directory``, running or ended, whoever started it.

    Raises ``NotFoundError`` if there is none and ``InvalidInputError`` if it is damaged.
    """
    return Run(Path(directory).resolve())


def list_runs(folder: Path | str) -> list[Run]:
    """Return the runs in a folder, the one that changed last first, without damaged ones."""
    found = []
    for path in _folders(folder):
        try:
            run = Run(path)
            found.append((run.files.state_file.stat().st_mtime, str(path), run))
        except (PPOError, OSError):
            continue
    return [run for _, _, run in sorted(found, key=lambda item: item[:2], reverse=True)]


def damaged_runs(folder: Path | str) -> dict[Path, str]:
    """Return, for each run in a folder that cannot be opened, why not and what to do."""
    found = {}
    for path in _folders(folder):
        try:
            Run(path).status()
        except (PPOError, OSError) as error:
            found[path] = str(error)
    return found


def _folders(folder: Path | str) -> list[Path]:
    try:
        paths = sorted(Path(folder).resolve().iterdir())
    except NotADirectoryError:
        msg = f"folder: {folder} is a file. Give the folder that the runs are in."
        raise InvalidInputError(msg, field="folder") from None
    except FileNotFoundError:
        return []
    except OSError as error:
        msg = f"folder: {folder} cannot be read ({error.strerror})."
        raise NotFoundError(msg, field="folder") from None
    return [
        path
        for path in paths
        if not path.name.startswith(".")
        and ((path / "spec.json").exists() or (path / "metrics.jsonl").exists())
    ]


def _make(
    spec: RunSpec,
    directory: Path | str,
    env: Callable[..., Any] | None,
    name: str,
    tags: Sequence[str],
    *,
    start: bool,
    detached: bool,
) -> Run:
    path = Path(directory).resolve()
    files = RunDirectory(path)
    data = None
    if env is not None:
        env_name, data = pickle_env(env)
        spec = spec.changed(env_id=env_name, env_sha256=trust.digest(data))
    _refuse_used(files)
    process: WorkerProcess | None = None
    try:
        path.mkdir(parents=True, exist_ok=True)
        with files.locked_for_worker() as lock:
            _refuse_used(files)  # somebody else may have been first
            state = RunState.STARTING if start else RunState.QUEUED
            files.create(spec, data, name=name, tags=tags, state=state)
            if start:
                process = spawn(files, spec, lock, detached=detached)
    except OSError as error:
        raise cannot_start(path, error) from error
    return Run(path, process)


def _refuse_used(files: RunDirectory) -> None:
    if files.spec_file.exists():
        msg = f"directory: {files.path} holds a run already. Choose a new directory."
        raise ConflictError(msg, field="directory")
