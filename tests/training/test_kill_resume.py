"""The real worker, killed at random moments: the run that results is the one of no kill at all.

See the fixture ``nursery`` for how they are started.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import EventKind, RunState
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.own_env import pickle_env
from jupyter_ppo.training.trust import digest

_DEADLINE = 120.0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + _DEADLINE
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.002)


def reached(files: RunDirectory) -> int:
    """Return the last step in the metrics, rewinds or not."""
    with files.metrics_file.open("rb") as file:
        file.seek(max(files.metrics_file.stat().st_size - 4096, 0))
        data = file.read()
    for line in reversed(data.split(b"\n")[1:-1]):
        if b'"step"' in line:
            return int(json.loads(line)["step"])
    return 0


def new_run(folder: Path, spec: RunSpec, env: Any = None) -> RunDirectory:
    folder.mkdir()
    files = RunDirectory(folder)
    data = None
    if env is not None:
        name, data = pickle_env(env)
        spec = replace(spec, env_id=name, env_sha256=digest(data))
    files.create(spec, data)
    return files


def finish(nursery: Any, files: RunDirectory) -> None:
    until_gone(nursery.start(files.path))
    status = files.read_status()
    assert status.state is RunState.FINISHED, (status, files.log_tail())


# A class as a notebook has it: of a module __main__ that no other process can import.
_CELL = """
import gymnasium as gym, numpy as np, random
class Walk(gym.Env):
    observation_space = gym.spaces.Box(-50, 50, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.x, self.t = self.np_random.normal(), 0
        return self.seen(), {}
    def seen(self):
        return np.array([self.x, self.t / 40], np.float32)
    def step(self, action):
        self.x += float(action[0]) + 0.1 * random.random()
        self.t += 1
        return self.seen(), -abs(self.x), abs(self.x) > 10, self.t >= 40, {}
"""


def notebook_class() -> Any:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(_CELL, namespace)  # noqa: S102
    return namespace["Walk"]


_BASE: dict[str, Any] = {
    "n_envs": 8,
    "n_steps": 32,
    "batch_size": 128,
    "n_epochs": 2,
    "checkpoint_seconds": 0.05,
    "eval_episodes": 2,
    "seed": 3,
}

CASES: dict[str, tuple[int, dict[str, Any]]] = {
    "native": (
        20,
        {
            "total_steps": 30_000,
            "eval_every": 3000,
            "learning_rate": {"kind": "linear", "start": 1e-3},
        },
    ),
    "dummy, normalised, after every update": (
        4,
        {
            "total_steps": 4000,
            "vec_env": "dummy",
            "normalize_observations": True,
            "normalize_rewards": True,
            "checkpoint_seconds": 0,
            "eval_every": 1000,
        },
    ),
    "a class of a notebook with sde": (
        4,
        {"total_steps": 4000, "use_sde": True, "normalize_rewards": True, "eval_every": 1500},
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CASES)
def test_a_worker_that_is_killed_again_and_again_gives_the_same_run(
    name: str, nursery: Any, tmp_path: Path, outcome: Any
) -> None:
    kills, changes = CASES[name]
    spec = RunSpec.from_dict({**_BASE, **changes})
    env = notebook_class() if "notebook" in name else None
    whole = new_run(tmp_path / "whole", spec, env)
    finish(nursery, whole)
    files = new_run(tmp_path / "killed", spec, env)
    moments = random.Random(name)  # noqa: S311 - the same moments at every run
    points = sorted(moments.randrange(spec.planned_steps - 600) for _ in range(kills))
    for point in points:
        pid = nursery.start(files.path)
        deadline = time.monotonic() + _DEADLINE
        while reached(files) < point:
            assert time.monotonic() < deadline
            assert is_alive(pid), files.log_tail()
            time.sleep(0.005)
        time.sleep(moments.random() * 0.01)
        os.kill(pid, signal.SIGKILL)
        until_gone(pid)
        assert files.read_status().state in {RunState.STARTING, RunState.RUNNING}
    finish(nursery, files)
    assert outcome(files) == outcome(whole)
    events = [event for event in files.read_events() if event.kind is EventKind.RESUMED]
    assert events
    assert all(event.data["is_exact"] for event in events)


@pytest.mark.slow
def test_sigterm_leaves_a_checkpoint_and_the_run_goes_on_from_it(
    nursery: Any, tmp_path: Path, outcome: Any
) -> None:
    spec = RunSpec.from_dict({**_BASE, "total_steps": 8192, "checkpoint_seconds": 1e4})
    whole = new_run(tmp_path / "whole", spec)
    finish(nursery, whole)
    files = new_run(tmp_path / "ended", spec)
    pid = nursery.start(files.path)
    while reached(files) < 3000:
        time.sleep(0.005)
    os.kill(pid, signal.SIGTERM)
    until_gone(pid)
    status = files.read_status()
    assert status.state is RunState.INTERRUPTED
    assert status.checkpoint_step == status.step >= 3000
    assert "SIGTERM" in status.message
    finish(nursery, files)
    assert outcome(files) == outcome(whole)
