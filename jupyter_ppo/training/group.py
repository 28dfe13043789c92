"""Several runs that differ in their seed, a few of them at the same time; and where runs go."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, PPOError
from jupyter_ppo.domain.presets import default_preset, spec_from_preset
from jupyter_ppo.domain.run_records import MAX_SEEDS
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.env_ids import check_env_id, check_env_package
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.launch import create_run
from jupyter_ppo.training.own_env import pickle_env
from jupyter_ppo.training.run import Run

#: Runs of a group that train at the same time; more would only slow each other down.
AT_ONCE: Final = 2
_POLL_SECONDS = 0.2

Environment = str | type | Callable[..., Any]


def make_spec(env: Environment, preset: str | None, **values: Any) -> RunSpec:
    """Return what to train: a preset, by default the one for ``env``, with ``values`` changed.

    Raises ``InvalidInputError`` naming the value, also for an environment that Gymnasium does not
    know or whose package is not installed here.
    """
    env_id = env if isinstance(env, str) else pickle_env(env)[0]
    if preset is None:
        preset = default_preset(env_id if isinstance(env, str) else "")
    spec = spec_from_preset(preset, **values, env_id=env_id)
    if isinstance(env, str):
        check_env_id(spec)
        check_env_package(spec)
    return spec


class RunGroup:
    """Runs of one folder; at most ``at_once`` train at the same time, the others are QUEUED.

    They are started, in order, by a thread of this process: when the process ends, those that wait
    stay QUEUED, and ``Run.resume`` starts them.
    """

    def __init__(self, runs: Sequence[Run], *, at_once: int = AT_ONCE) -> None:
        self.runs = tuple(runs)
        self._at_once = at_once
        self._stopped = threading.Event()
        self._starter = threading.Thread(target=self._start_all, name="ppo-group", daemon=True)
        self._starter.start()

    def pause(self) -> None:
        """Pause those that train; none is started in their place."""
        for run in self._in_state(RunState.STARTING, RunState.RUNNING):
            with contextlib.suppress(ConflictError):  # it has just ended
                run.pause()

    def resume(self) -> None:
        """Let those that are paused go on."""
        for run in self._in_state(RunState.PAUSED):
            with contextlib.suppress(ConflictError):
                run.resume()

    def stop(self) -> None:
        """End all, also those that wait."""
        self._stopped.set()
        self._starter.join()
        for run in self.runs:
            run.stop()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all have ended, or ``timeout`` seconds; return whether all have."""
        deadline = None if timeout is None else time.monotonic() + timeout
        for run in self.runs:
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            if not run.wait(left).has_ended:
                return False
        return True

    def _in_state(self, *states: RunState) -> list[Run]:
        return [run for run in self.runs if run.state() in states]

    def _start_all(self) -> None:
        for run in self.runs:
            while self._count() >= self._at_once:
                if self._stopped.wait(_POLL_SECONDS):
                    return
            if self._stopped.is_set():
                return
            self._start(run)

    @staticmethod
    def _start(run: Run) -> None:
        """Start a run that waits; what keeps it from starting does not keep the others."""
        try:
            status = run.status()
            if status.state is not RunState.QUEUED:  # somebody else was first
                return
            try:
                run.resume()
            except PPOError as error:
                failed = replace(status, state=RunState.FAILED, message=error.message)
                run.files.announce(failed)
        except (PPOError, OSError):  # its folder was removed or damaged: its status says so
            return

    def _count(self) -> int:
        count = 0
        for run in self.runs:
            with contextlib.suppress(PPOError, OSError):  # its folder was removed
                state = run.state()
                count += not state.has_ended and state is not RunState.QUEUED
        return count


def start_group(
    spec: RunSpec,
    seeds: Iterable[int],
    directory: Path,
    *,
    env: Callable[..., Any] | None = None,
    name: str = "",
    tags: Sequence[str] = (),
    at_once: int = AT_ONCE,
) -> RunGroup:
    """Make one run for each seed in folders ``seed-N`` of ``directory`` and start the first ones.

    Raises ``InvalidInputError`` for seeds that are none, ``ConflictError`` when one of the folders
    holds a run already, ``UnavailableError`` when they cannot be made.
    """
    specs = [spec.changed(seed=seed) for seed in _checked(seeds)]
    folders = [directory.resolve() / f"seed-{one.seed}" for one in specs]
    for folder in folders:  # all or none
        if RunDirectory(folder).spec_file.exists():
            msg = f"directory: {folder} holds a run already. Choose a new directory."
            raise ConflictError(msg, field="directory")
    runs = [
        create_run(one, folder, env=env, name=name, tags=tags)
        for one, folder in zip(specs, folders, strict=True)
    ]
    return RunGroup(runs, at_once=at_once)


def _checked(seeds: Iterable[int]) -> list[int]:
    found = list(seeds)
    if not found or len(found) > MAX_SEEDS or len(set(found)) != len(found):
        msg = f"seeds: use 1 to {MAX_SEEDS} different whole numbers, such as [0, 1, 2]."
        raise InvalidInputError(msg, field="seeds")
    return found


@contextlib.contextmanager
def run_directory(env_id: str, given: Path | str | None) -> Iterator[Path]:
    """Give the folder that was named, or a new one; an error leaves no empty one behind."""
    if given is not None:
        yield Path(given)
        return
    folder = new_directory(env_id)
    try:
        yield folder
    except BaseException:
        with contextlib.suppress(OSError):  # there is something in it
            folder.rmdir()
        raise


def new_directory(env_id: str) -> Path:
    """Return a new folder in ./runs, or in the temporary folder where ./ cannot be written."""
    name = re.sub(r"[^\w.-]+", "-", env_id)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    parent = Path.cwd() / "runs"
    try:
        parent.mkdir(exist_ok=True)
        if os.access(parent, os.W_OK | os.X_OK):
            return Path(tempfile.mkdtemp(prefix=f"{name}-{stamp}-", dir=parent))
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix=f"{name}-{stamp}-"))
