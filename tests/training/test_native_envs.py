"""Vectorised environments behind SB3's interface."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.env_util import make_vec_env

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.native_envs import NativeVecEnv, native_vector_env


class Same(SyncVectorEnv):
    """A vectorised environment that resets in the same step."""

    def __init__(self, num_envs: int = 1, max_episode_steps: int = 7, **_: Any) -> None:
        def make() -> gym.Env[Any, Any]:
            return gym.make("CartPole-v1", max_episode_steps=max_episode_steps)

        super().__init__([make] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)


class Next(SyncVectorEnv):
    def __init__(self, num_envs: int = 1, **_: Any) -> None:
        super().__init__([lambda: gym.make("CartPole-v1")] * num_envs)


@pytest.fixture(autouse=True)
def registered() -> Any:
    gym.register("TestSame-v0", vector_entry_point=Same, max_episode_steps=7)
    gym.register("TestNext-v0", vector_entry_point=Next)
    yield
    del gym.registry["TestSame-v0"], gym.registry["TestNext-v0"]


def native(env_id: str, n_envs: int = 3) -> NativeVecEnv:
    env = native_vector_env(RunSpec(env_id=env_id, n_envs=n_envs))
    assert not isinstance(env, str), env
    return NativeVecEnv(env)


def play(envs: NativeVecEnv, steps: int, seed: int = 5) -> list[Any]:
    """Push to the right and return every episode that ended."""
    envs.seed(seed)
    before = envs.reset()
    found = []
    for _ in range(steps):
        after, rewards, done, infos = envs.step(np.ones(envs.num_envs, int))
        assert rewards.dtype == np.float32
        for index in range(envs.num_envs):
            if done[index]:
                last = infos[index]["terminal_observation"]
                assert abs(after[index]).max() <= 0.05  # the first of a new episode
                assert not np.array_equal(last, after[index])
                found.append(infos[index])
            else:
                assert "episode" not in infos[index]
        before = after
    assert before.shape == (envs.num_envs, 4)
    return found


def test_cartpole_resets_in_the_same_step_and_episodes_are_counted() -> None:
    episodes = play(native("CartPole-v1"), 60)
    assert len(episodes) >= 12
    for info in episodes:
        assert 7 <= info["episode"]["l"] == info["episode"]["r"] <= 12
        assert info["TimeLimit.truncated"] is False
        assert abs(info["terminal_observation"][2]) > 0.2  # the angle at which it falls


def test_a_truncated_episode_says_so() -> None:
    env = native_vector_env(
        RunSpec(env_id="CartPole-v1", n_envs=2, env_kwargs={"max_episode_steps": 5})
    )
    episodes = play(NativeVecEnv(env), 12)  # type: ignore[arg-type]
    assert {info["episode"]["l"] for info in episodes} == {5}
    assert all(info["TimeLimit.truncated"] for info in episodes)


def test_environments_with_same_step_reset_are_taken() -> None:
    episodes = play(native("TestSame-v0"), 15)
    assert {info["episode"]["l"] for info in episodes} == {7}
    assert all(info["TimeLimit.truncated"] for info in episodes)


def test_next_step_reset_is_refused_and_named() -> None:
    why = native_vector_env(RunSpec(env_id="TestNext-v0", n_envs=2))
    assert isinstance(why, str)
    assert "NextStep" in why


def test_environments_without_vectorised_code_say_so() -> None:
    why = native_vector_env(RunSpec(env_id="Pendulum-v1", n_envs=2))
    assert isinstance(why, str)
    assert "no vectorised code" in why


def test_native_cartpole_moves_as_the_single_one_does() -> None:
    envs = native("CartPole-v1", 4)
    envs.seed(3)
    observations = envs.reset()
    single: Any = make_vec_env("CartPole-v1", 4)
    single.reset()
    for index, env in enumerate(single.envs):
        env.unwrapped.state = envs.env.unwrapped.state[:, index].copy()  # type: ignore[attr-defined]
    for step in range(6):  # no episode ends so early
        actions = np.array([step % 2, 1, 0, (step + 1) % 2])
        observations, rewards, done, _ = envs.step(actions)
        theirs = single.step(actions)
        assert np.allclose(observations, theirs[0], rtol=0, atol=1e-6)
        assert np.array_equal(rewards, theirs[1])
        assert np.array_equal(done, theirs[2])


def test_the_same_seed_gives_the_same_episodes() -> None:
    one, other = native("CartPole-v1"), native("CartPole-v1")
    lengths = [[info["episode"]["l"] for info in play(envs, 40)] for envs in (one, other)]
    assert lengths[0] == lengths[1]
    assert lengths[0] != [info["episode"]["l"] for info in play(one, 40, seed=6)]
