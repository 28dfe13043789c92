"""Finished runs of several kinds, trained here in this process in well under a second each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import RunState
from jupyter_ppo.training.control import Control
from jupyter_ppo.training.launch import create_run, open_run
from jupyter_ppo.training.own_env import load_env
from jupyter_ppo.training.run import Run
from jupyter_ppo.training.trainer import Trainer

Trained = Callable[..., Run]

OBSERVATIONS: dict[str, spaces.Space[Any]] = {
    "box": spaces.Box(-2.0, 2.0, (3,), np.float32),
    "discrete": spaces.Discrete(5),
    "multi": spaces.MultiDiscrete([2, 3, 4]),
    "binary": spaces.MultiBinary(4),
    "dict": spaces.Dict(
        {"far": spaces.Box(-10.0, 10.0, (2,), np.float32), "near": spaces.Box(0.0, 1.0, (3,))}
    ),
    "image": spaces.Box(0, 255, (40, 36, 3), np.uint8),
}
ACTIONS: dict[str, spaces.Space[Any]] = {
    "discrete": spaces.Discrete(3),
    "multi": spaces.MultiDiscrete([2, 4]),
    "binary": spaces.MultiBinary(3),
    "box": spaces.Box(np.array([-0.2, 0.0], np.float32), np.array([0.2, 0.4], np.float32)),
}


class AnySpaces(gym.Env[Any, Any]):
    """Shows what its space draws, for eight steps; a reward that depends on the action."""

    def __init__(self, observations: str = "box", actions: str = "discrete") -> None:
        self.observation_space = OBSERVATIONS[observations]
        self.action_space = ACTIONS[actions]
        self._steps = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self._steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self._steps += 1
        reward = float(np.sum(action))
        return self.observation_space.sample(), reward, False, self._steps >= 8, {}


@pytest.fixture
def any_spaces() -> type[AnySpaces]:
    return AnySpaces


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    """Train a run to its end and open it."""

    def train(name: str = "run", *, env: Any = None, **values: Any) -> Run:
        small = {"total_steps": 128, "n_steps": 32, "n_envs": 2, "batch_size": 32, "n_epochs": 2}
        spec = RunSpec.from_dict(small | {"checkpoint_seconds": 0.0} | values)
        made = create_run(spec, tmp_path / "runs" / name, env=env, name=f"the {name}")
        with made.files.locked_for_worker():
            control = Control(made.files.commands_file)
            ended = Trainer(made.files, made.spec, control, load_env(made.files, made.spec)).run()
        assert ended is RunState.FINISHED
        return open_run(made.directory)

    return train
