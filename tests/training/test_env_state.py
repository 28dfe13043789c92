"""The state of environments is taken whole, or it is said why not."""

from __future__ import annotations

import os
import random
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils import EzPickle
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.env_state import (
    capture_envs,
    normalisation_of,
    pickled,
    restore_envs,
    restore_normalisation,
    unpickled,
    why_not_exact,
)
from jupyter_ppo.training.environments import make_training_envs


def play(envs: Any, steps: int) -> list[Any]:
    found = []
    for step in range(steps):
        observations, rewards, done, _ = envs.step(np.full(envs.num_envs, step % 2))
        found.append((observations.tobytes(), rewards.tobytes(), done.tobytes()))
    return found


@settings(max_examples=10)
@given(before=st.integers(0, 40), seed=st.integers(0, 1000))
@pytest.mark.parametrize("kind", ["dummy", "native"])
def test_environments_go_on_as_if_nothing_had_happened(kind: str, before: int, seed: int) -> None:
    spec = RunSpec.from_dict(
        {"n_envs": 3, "vec_env": kind, "normalize_observations": True, "normalize_rewards": True}
    )
    envs = make_training_envs(spec, None, seed)
    envs.reset()
    play(envs, before)
    state, why = capture_envs(envs)
    assert why == ""
    assert state is not None
    arrays = normalisation_of(envs)
    assert arrays is not None
    expected = play(envs, 40)
    other = make_training_envs(spec, None, seed + 1)
    restore_envs(other, state)
    restore_normalisation(other, arrays)
    assert play(other, 40) == expected


def test_normalisation_is_plain_arrays() -> None:
    envs: Any = VecNormalize(make_vec_env("CartPole-v1", 2))
    envs.reset()
    arrays = normalisation_of(envs)
    assert arrays is not None
    assert all(value.dtype.kind in "fiu" for value in arrays.values())
    assert normalisation_of(envs.venv) is None


def test_state_of_another_kind_is_refused() -> None:
    dummy = make_training_envs(RunSpec(vec_env="dummy"), None, 1)
    native = make_training_envs(RunSpec(), None, 1)
    native.reset()
    state, _ = capture_envs(native)
    assert state is not None
    with pytest.raises(ValueError, match="another kind"):
        restore_envs(dummy, state)


class Base(gym.Env[Any, Any]):
    observation_space = gym.spaces.Box(-10, 10, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self) -> None:
        self.t = 0

    def noise(self) -> float:
        return float(self.np_random.random())

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.t = 0
        return np.array([self.noise()], np.float32), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return np.array([self.t + self.noise()], np.float32), 1.0, self.t > 9, False, {}


class Arguments(Base, EzPickle):
    """Pickles only its arguments, as Gymnasium's Box2D and MuJoCo environments do."""

    def __init__(self) -> None:
        Base.__init__(self)
        EzPickle.__init__(self)


class Restless(Base):
    def noise(self) -> float:
        return os.urandom(1)[0] / 256


_HIDDEN = iter(range(10**9))


class Hidden(Base):
    def noise(self) -> float:
        return float(next(_HIDDEN) % 101)


class Global(Base):
    def noise(self) -> float:
        return random.random() + np.random.random()  # noqa: S311


class Handle(Base):
    def __init__(self) -> None:
        super().__init__()
        self.descriptor = (byte for byte in b"")


@pytest.mark.parametrize("kind", [Base, Arguments, Global])
def test_what_can_go_on_exactly_is_recognised(kind: type[Base]) -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    assert why_not_exact(kind()) == ""
    assert before == (random.getstate(), np.random.get_state()[1].tolist())  # type: ignore[index, union-attr]


def test_ez_pickle_keeps_its_state_here() -> None:
    env = Arguments()
    env.reset(seed=1)
    env.step(0)
    assert unpickled(pickled(env)).t == 1


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Restless, "does not go on like the original"),
        (Hidden, "does not go on like the original"),
        (Handle, "cannot be copied (TypeError"),
    ],
)
def test_what_cannot_go_on_exactly_is_named(kind: type[Base], words: str) -> None:
    assert words in why_not_exact(kind())


def test_the_history_of_monitors_does_not_grow_checkpoints() -> None:
    envs = make_training_envs(RunSpec(vec_env="dummy"), None, 1)
    assert isinstance(envs, DummyVecEnv)
    envs.reset()
    sizes = []
    for _ in range(3):
        play(envs, 500)
        state, _ = capture_envs(envs)
        assert state is not None
        sizes.append(len(state["envs"]))
    assert max(sizes) - min(sizes) < 400
