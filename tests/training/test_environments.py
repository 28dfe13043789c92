"""Environments are checked before a run, and made the way the spec says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.environments import (
    check_environment,
    make_env,
    make_evaluation_envs,
    make_training_envs,
)
from jupyter_ppo.training.native_envs import NativeVecEnv

BOX = gym.spaces.Box(-1, 1, (3,), np.float32)


class Good(gym.Env[Any, Any]):
    observation_space: Any = BOX
    action_space: Any = gym.spaces.Discrete(2)
    first: Any = np.zeros(3, np.float32)
    result: Any = (np.zeros(3, np.float32), 1.0, False, False, {})

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        return self.first, {}

    def step(self, action: Any) -> Any:
        return self.result


def refusal(**attributes: Any) -> str:
    kind = type("Bad", (Good,), attributes)
    with pytest.raises(InvalidInputError) as caught:
        check_environment(kind())
    assert caught.value.field == "env_id"
    return caught.value.message


def test_a_good_environment_passes() -> None:
    check_environment(Good())


OK = np.zeros(3, np.float32)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"first": np.zeros(4)}, "reset() returned an observation of shape (4,)"),
        ({"first": np.array([0, np.nan, 0])}, "not finite"),
        ({"first": None}, "not numbers"),
        ({"first": "abc"}, "not numbers"),
        ({"result": (OK, 1.0, False, {})}, "a tuple of 4"),
        ({"result": None}, "step() returned nothing"),
        ({"result": (np.zeros(1), 1.0, False, False, {})}, "shape (1,)"),
        ({"result": (OK, float("nan"), False, False, {})}, "the reward 'nan'"),
        ({"result": (OK, None, False, False, {})}, "the reward 'None'"),
        ({"result": (OK, np.zeros(2), False, False, {})}, "must be a finite number"),
        ({"result": (OK, 1.0, 0, False, {})}, "terminated='0'"),
        ({"result": (OK, 1.0, False, False, None)}, "nothing for info"),
        ({"action_space": gym.spaces.Box(-np.inf, np.inf, (1,))}, "no finite bounds"),
        ({"action_space": None}, "action_space"),
        ({"observation_space": gym.spaces.Tuple((BOX, BOX))}, "which PPO cannot use"),
        ({"observation_space": gym.spaces.Discrete(3), "first": 7}, "not in Discrete(3)"),
        ({"reset": lambda self, seed=None, options=None: OK}, "it must return (observation, info)"),
        ({"reset": lambda self: (OK, {})}, "raised TypeError"),
        ({"step": lambda self, action: 1 / 0}, "step() raised ZeroDivisionError"),
    ],
)
def test_what_does_not_fit_is_named(attributes: dict[str, Any], words: str) -> None:
    assert words in refusal(**attributes)


def test_an_unknown_id_and_a_class_that_is_none_are_named() -> None:
    with pytest.raises(InvalidInputError, match="CartPoll") as caught:
        make_env(RunSpec(env_id="CartPoll-v1"), None)
    assert caught.value.field == "env_id"
    with pytest.raises(InvalidInputError, match=r"not a gymnasium\.Env"):
        make_env(RunSpec(env_id="dict"), dict)
    with pytest.raises(InvalidInputError, match="raised TypeError"):
        make_env(RunSpec(env_id="Good", env_kwargs={"speed": 3}), Good)
    with pytest.raises(InvalidInputError, match="no_such_module"):
        make_env(RunSpec(env_id="no_such_module:Env-v0"), None)


def test_native_code_is_taken_where_there_is_some(small_spec: Callable[..., RunSpec]) -> None:
    warnings: list[str] = []
    envs = make_training_envs(small_spec(), None, 1, warnings.append)
    assert isinstance(envs, NativeVecEnv)
    envs = make_training_envs(small_spec(vec_env="dummy"), None, 1, warnings.append)
    assert isinstance(envs, DummyVecEnv)
    envs = make_training_envs(small_spec(env_id="Pendulum-v1"), None, 1, warnings.append)
    assert isinstance(envs, DummyVecEnv)
    assert warnings == []


@pytest.mark.parametrize("env", [None, Good])
def test_native_code_that_is_asked_for_and_is_not_there_is_warned_of(
    env: Any, small_spec: Callable[..., RunSpec]
) -> None:
    warnings: list[str] = []
    spec = small_spec(env_id="Pendulum-v1", vec_env="native")
    assert isinstance(make_training_envs(spec, env, 1, warnings.append), DummyVecEnv)
    (warning,) = warnings
    assert warning.startswith("vec_env: ")


def test_normalisation_is_that_of_the_spec(small_spec: Callable[..., RunSpec]) -> None:
    spec = small_spec(normalize_rewards=True, clip_rewards=3.0, gamma=0.9)
    envs = make_training_envs(spec, None, 1)
    assert isinstance(envs, VecNormalize)
    assert (envs.norm_obs, envs.norm_reward, envs.clip_reward, envs.gamma) == (False, True, 3, 0.9)
    spec = small_spec(env_id="Words", normalize_observations=True)
    kind = type("Words", (Good,), {"observation_space": gym.spaces.Discrete(3), "first": 0})
    with pytest.raises(InvalidInputError) as caught:
        make_training_envs(spec, kind, 1)
    assert caught.value.field == "normalize_observations"


class Counting(Good):
    """An episode as long as its seed says."""

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        self.left = 0 if seed is None else seed
        return self.first, {}

    def step(self, action: Any) -> Any:
        assert self.left > 0, "stepped after its end"
        self.left -= 1
        return self.first, 2.0, self.left == 0, False, {}


def test_evaluations_seed_each_copy_and_leave_the_finished_ones_alone() -> None:
    envs = make_evaluation_envs(RunSpec(env_id="Counting"), Counting, 3, 4)
    assert envs.reset().shape == (3, 3)
    total = np.zeros(3)
    for _ in range(6):
        observations, rewards, done = envs.step(np.zeros(3, int))
        assert observations.dtype == np.float32
        total += rewards
    assert total.tolist() == [8, 10, 12]
    assert done.all()


def test_an_evaluation_on_native_cartpole_begins_like_the_single_ones() -> None:
    native = make_evaluation_envs(RunSpec(), None, 4, 100)
    single = make_evaluation_envs(RunSpec(vec_env="dummy"), None, 4, 100)
    assert type(native) is not type(single)
    assert np.array_equal(native.reset(), single.reset())
    rewards = np.zeros(2)
    for _ in range(30):
        actions = np.ones(4, int)
        one, other = native.step(actions), single.step(actions)
        assert np.array_equal(one[2], other[2])
        rewards += [one[1].sum(), other[1].sum()]
    assert one[2].all()
    assert rewards[0] == rewards[1]
