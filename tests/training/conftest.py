"""Shared by the tests of training: runs in this process, which are quick to start and to leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import TIMING, RunCommand
from jupyter_ppo.training.control import Control
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.metric_log import current_points

_NURSERY = """
import os, sys, json, signal
import torch
import jupyter_ppo.training.trainer
from stable_baselines3 import PPO
torch.set_num_threads(1)
PPO("MlpPolicy", "CartPole-v1", n_steps=8, batch_size=8, device="cpu").learn(8)  # loads the rest
from jupyter_ppo.training import worker
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.environ["JUPYTER_DATA_DIR"] = order["data"]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        log = os.open(os.path.join(order["folder"], "worker.log"), flags, 0o600)
        os.dup2(log, 1), os.dup2(log, 2)
        os._exit(worker.main([order["folder"]]))
    print(pid, flush=True)
"""


class Nursery:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )
        self._read()

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line
        return line

    def start(self, folder: Path) -> int:
        assert self._process.stdin is not None
        order = {"folder": str(folder), "data": os.environ["JUPYTER_DATA_DIR"]}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Return what starts real workers from a process that has used torch already.

    That saves some seconds for each.
    """
    made = Nursery()
    yield made
    made.close()


class ScriptedControl(Control):
    """A control that gives commands, or ends the run, once a step is reached."""

    def __init__(self, commands: Path, script: list[tuple[int, RunCommand | str]]) -> None:
        super().__init__(commands)
        self.trainer: Any = None
        self._script = list(script)

    def commands(self) -> list[RunCommand]:
        found = super().commands()
        while self._script and self.trainer._model.num_timesteps >= self._script[0][0]:
            _, what = self._script.pop(0)
            if isinstance(what, str):
                self.end_reason = what  # as Control.end, without its timer
            else:
                found.append(what)
        return found


class Train(Protocol):
    def __call__(
        self,
        name: str,
        spec: RunSpec,
        *script: tuple[int, RunCommand | str],
        env: Callable[..., Any] | None = None,
    ) -> RunDirectory: ...


def _metrics(files: RunDirectory) -> list[tuple[int, dict[str, float | None]]]:
    """Return all that must be equal in two equal runs; NaN, which equals nothing, as None."""
    return [
        (
            point.step,
            {
                str(name): value if value == value else None
                for name, value in point.values.items()
                if name not in TIMING
            },
        )
        for point in current_points(files.metrics_file)
    ]


@pytest.fixture
def metrics_of() -> Callable[[RunDirectory], list[tuple[int, dict[str, float | None]]]]:
    return _metrics


@pytest.fixture
def outcome() -> Callable[[RunDirectory], object]:
    """Return what two equal runs have in common: weights and metrics."""

    def of(files: RunDirectory) -> object:
        newest = files.checkpoints().list()[-1]
        evaluations = [(one.step, one.returns, one.lengths) for one in files.read_evaluations()]
        return newest.step, newest.weights_sha256, _metrics(files), evaluations

    return of


@pytest.fixture
def train(tmp_path: Path) -> Iterator[Train]:
    """Return what trains in this process until the script or the spec ends the run."""
    import torch

    from jupyter_ppo.training.trainer import Trainer

    threads = torch.get_num_threads()

    def run(
        name: str,
        spec: RunSpec,
        *script: tuple[int, RunCommand | str],
        env: Callable[..., Any] | None = None,
    ) -> RunDirectory:
        files = RunDirectory(tmp_path / name)
        if not files.path.exists():
            files.path.mkdir()
            files.create(spec)
        control = ScriptedControl(files.commands_file, list(script))
        trainer = Trainer(files, spec, control, env)
        control.trainer = trainer
        assert trainer.run() is files.read_status().state
        assert files.read_status().state.has_ended
        return files

    yield run
    torch.set_num_threads(threads)


@pytest.fixture
def small_spec() -> Callable[..., RunSpec]:
    """Return small specs: eight updates on CartPole unless changed."""

    def make(**changes: Any) -> RunSpec:
        values: dict[str, Any] = {
            "n_envs": 4,
            "n_steps": 32,
            "batch_size": 64,
            "n_epochs": 2,
            "total_steps": 1024,
            "seed": 7,
            "checkpoint_seconds": 1e4,
        }
        return RunSpec.from_dict({**values, **changes})

    return make
