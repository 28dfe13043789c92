"""Environments that raise, hang, change their shapes or print a lot, in a real worker."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState, RunStatus
from jupyter_ppo.training.files import RunDirectory
from jupyter_ppo.training.own_env import pickle_env
from jupyter_ppo.training.trust import digest

_CELL = """
import gymnasium as gym, numpy as np, time, sys, warnings
class Bad(gym.Env):
    observation_space = gym.spaces.Box(-1, 1, (3,), np.float32)
    action_space = gym.spaces.Discrete(2)
    t = 0
    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(3, np.float32), {}
    def step(self, action):
        self.t += 1
        if self.t > 150:
            return self.bad()
        return np.zeros(3, np.float32), 1.0, self.t % 10 == 0, False, {}
"""

BAD = {
    "raises": "raise RuntimeError('the motor is hot\\nvery')",
    "hangs": "time.sleep(600)",
    "another shape": "return np.zeros(5, np.float32), 1.0, False, False, {}",
    "a shape that numpy stretches": "return np.zeros(1, np.float32), 1.0, False, False, {}",
    "too few values": "return np.zeros(3, np.float32), 1.0, False, {}",
    "exits": "sys.exit(3)",
    "prints": (
        "print('x' * 50_000); time.sleep(0.01); "
        "return np.zeros(3, np.float32), 1.0, False, False, {}"
    ),
}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def end_of(nursery: Any, folder: Path, kind: str, **changes: Any) -> tuple[RunStatus, RunDirectory]:
    body = f"{_CELL}    def bad(self):\n        {BAD[kind]}\n"
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(body, namespace)  # noqa: S102
    name, data = pickle_env(namespace["Bad"])
    values = {"n_envs": 2, "n_steps": 16, "batch_size": 32, "n_epochs": 1, "total_steps": 640}
    spec = RunSpec.from_dict({**values, **changes})
    spec = replace(spec, env_id=name, env_sha256=digest(data))
    files = RunDirectory(folder)
    files.create(spec, data)
    pid = nursery.start(folder)
    deadline = time.monotonic() + 150
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return files.read_status(), files


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("raises", ["RuntimeError: the motor is hot", "step", "worker.log"]),
        ("another shape", ["shape (5,)", "(3,)"]),
        ("a shape that numpy stretches", ["shape (1,)", "(3,)"]),
        ("too few values", ["ValueError"]),
        ("exits", ["SystemExit: 3", "step"]),
    ],
)
def test_what_an_environment_does_wrong_is_named(
    kind: str, words: list[str], nursery: Any, tmp_path: Path
) -> None:
    status, files = end_of(nursery, tmp_path, kind)
    assert status.state is RunState.FAILED
    assert "\n" not in status.message
    for word in words:
        assert word in status.message
    assert 0 < status.step < 640
    assert "Traceback" in files.log_tail()


@pytest.mark.slow
def test_an_environment_that_hangs_ends_the_run_with_the_limit_named(
    nursery: Any, tmp_path: Path
) -> None:
    status, _ = end_of(nursery, tmp_path, "hangs", step_timeout=1.5)
    assert status.state is RunState.FAILED
    assert "1.5" in status.message


@pytest.mark.slow
def test_an_environment_that_prints_a_lot_is_trained_in_and_the_log_stays_small(
    nursery: Any,
    tmp_path: Path,
) -> None:
    status, files = end_of(nursery, tmp_path, "prints")
    assert status.state is RunState.FINISHED, status
    assert files.log_file.stat().st_size <= 4 * 1024 * 1024  # 17 MB were printed
