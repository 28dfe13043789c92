"""Evaluations: the first episode of every copy, on its own seed."""

from __future__ import annotations

import random
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import VecNormalize

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training import evaluating
from jupyter_ppo.training.env_state import normalisation_of
from jupyter_ppo.training.environments import make_evaluation_envs, make_training_envs
from jupyter_ppo.training.evaluating import Normaliser, evaluate, policy_predictor, seed_episodes
from jupyter_ppo.training.model import build_model


class Counting(gym.Env[Any, Any]):
    """An episode as long as its seed, one point for every step with action 1."""

    observation_space = gym.spaces.Box(-10, 10, (2,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        assert seed is not None
        self.left = seed
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        assert self.left > 0
        self.left -= 1
        return np.full(2, self.left, np.float32), float(action), False, self.left == 0, {}


def always_one(observations: Any) -> Any:
    return np.ones(len(observations), int)


def test_returns_and_lengths_are_of_the_first_episode_of_each_seed() -> None:
    envs = make_evaluation_envs(RunSpec(env_id="Counting"), Counting, 3, 5)
    found = evaluate(always_one, envs)
    assert found.lengths == (5, 6, 7)
    assert found.returns == (5.0, 6.0, 7.0)
    assert found.cut == 0


def test_native_cartpole_gives_what_single_ones_give() -> None:
    results = []
    for kind in ("native", "dummy"):
        envs = make_evaluation_envs(RunSpec(vec_env=kind), None, 5, 1_000_000)
        results.append(evaluate(lambda seen: (seen[:, 2] > 0).astype(int), envs))
    assert results[0] == results[1]
    assert len(set(results[0].lengths)) > 1


def test_an_episode_without_an_end_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluating, "LONGEST_EPISODE", 6)
    envs = make_evaluation_envs(RunSpec(env_id="Counting"), Counting, 3, 5)
    found = evaluate(always_one, envs)
    assert (found.lengths, found.cut) == ((5, 6, 6), 1)


def test_a_tick_before_every_step_may_end_it() -> None:
    calls = []

    def tick() -> None:
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt

    envs = make_evaluation_envs(RunSpec(env_id="Counting"), Counting, 1, 50)
    with pytest.raises(KeyboardInterrupt):
        evaluate(always_one, envs, tick)
    assert len(calls) == 4


def test_normalisation_is_frozen_and_that_of_sb3() -> None:
    spec = RunSpec(n_envs=2, normalize_observations=True)
    envs: Any = make_training_envs(spec, None, 1)
    assert isinstance(envs, VecNormalize)
    envs.reset()
    for _ in range(30):
        envs.step(np.ones(2, int))
    arrays = normalisation_of(envs)
    assert arrays is not None
    seen = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32) * 3
    assert np.array_equal(Normaliser(arrays).observations(seen), envs.normalize_obs(seen))


def test_drawn_actions_depend_on_the_seed_alone() -> None:
    spec = RunSpec(env_id="Pendulum-v1", use_sde=True)
    model = build_model(spec, make_training_envs(spec, None, 0))
    results = []
    for start in (1, 2):
        torch.manual_seed(start)
        random.seed(start)
        envs = make_evaluation_envs(spec, None, 2, 3)
        seed_episodes(model.policy, 3, 2)
        results.append(evaluate(policy_predictor(model.policy, None, False), envs).returns)
    assert results[0] == results[1]
