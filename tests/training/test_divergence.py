"""Runs that diverge end with the update and the likely cause."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import PPO

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec


def spoiled(
    *, after: int = 0, only: bool = False, observation: float = 1.0, reward: float = 1.0
) -> Any:
    """Return an environment that gives these values after so many steps, or only in that step."""

    class Spoiled(gym.Env[Any, Any]):
        observation_space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        steps = 0

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            super().reset(seed=seed)
            return np.zeros(2, np.float32), {}

        def step(self, action: Any) -> Any:
            self.steps += 1
            late = self.steps == after + 1 if only else self.steps > after
            seen = np.full(2, observation if late else 0.5, np.float32)
            return seen, reward if late else float(action[0]), False, self.steps % 10 == 0, {}

    return Spoiled


def failure(train: Any, spec: RunSpec, env: Any = None) -> InvalidInputError:
    with pytest.raises(InvalidInputError) as caught:
        train("run", spec, env=env)
    return caught.value


@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("what", ["observation", "reward"])
def test_an_environment_that_gives_nan_is_named_with_the_step(
    what: str, normalised: bool, train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(
        env_id="Spoiled", normalize_observations=normalised, normalize_rewards=normalised
    )
    error = failure(train, spec, spoiled(after=70, **{what: float("nan")}))
    assert "update 3" in error.message  # of 32 steps of each copy: the 71st
    assert what in error.message
    assert "not finite" in error.message
    assert f"by step {71 * 4}" in error.message
    assert error.field == "env_id"


@pytest.mark.parametrize(
    "step", [64, 40], ids=["the last of a rollout", "the end of a truncated episode"]
)
def test_a_single_observation_that_is_nan_is_not_blamed_on_rewards(
    step: int, train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    env = spoiled(after=step - 1, only=True, observation=float("nan"))
    error = failure(train, small_spec(env_id="Spoiled", n_steps=64), env)
    assert "update 1" in error.message
    assert f"an observation that is not finite (NaN or infinity) by step {step * 4}" in (
        error.message
    )
    assert error.field == "env_id"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rewards_that_overflow_are_named(train: Any, small_spec: Callable[..., RunSpec]) -> None:
    error = failure(train, small_spec(env_id="Spoiled"), spoiled(reward=3e38))
    assert "3e+38" in error.message
    assert error.field == "normalize_rewards"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_returns_that_overflow_in_the_loss_are_the_cause_whatever_the_learning_rate(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(env_id="Spoiled", learning_rate=1.0)
    error = failure(train, spec, spoiled(reward=1e25))
    assert "diverged in update 1" in error.message
    assert "Likely cause: returns as large as" in error.message
    assert error.field == "normalize_rewards"


def test_a_learning_rate_that_is_far_too_high_is_the_likely_cause(
    train: Any, small_spec: Callable[..., RunSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = PPO.train

    def diverge(model: PPO) -> None:
        learn(model)
        with torch.no_grad():
            next(model.policy.parameters()).fill_(float("nan"))  # as too large steps end

    monkeypatch.setattr(PPO, "train", diverge)
    error = failure(train, small_spec(env_id="Spoiled", learning_rate=1.0), spoiled())
    assert "diverged in update 1 at step 128: the weights became NaN" in error.message
    assert "learning_rate is 1" in error.message
    assert error.field == "learning_rate"


def test_the_last_good_checkpoint_is_still_there(
    train: Any, small_spec: Callable[..., RunSpec], tmp_path: Any
) -> None:
    from jupyter_ppo.training.files import RunDirectory

    spec = small_spec(env_id="Spoiled", checkpoint_seconds=0)
    failure(train, spec, spoiled(after=70, reward=float("nan")))
    assert RunDirectory(tmp_path / "run").checkpoints().list()[-1].step == 256
