from __future__ import annotations

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import NormalizeObservation, NormalizeReward
from gymnasium.wrappers.utils import RunningMeanStd
from hypothesis import given, settings
from hypothesis import strategies as st
from stable_baselines3.common.running_mean_std import RunningMeanStd as RunningMeanStdOfSb3
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.normalizing import RewardScaler, RunningNormalizer


class Stream(gymnasium.Env):
    """Shows and pays numbers drawn with its seed, in episodes of a length."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = spaces.Discrete(2)

    def __init__(self, length):
        self._length = length
        self._rng = np.random.default_rng(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._t = 0
        return self._rng.normal(5, 3, size=2), {}

    def step(self, action):
        self._t += 1
        seen, reward = self._rng.normal(5, 3, size=2), float(self._rng.normal(1, 2))
        return seen, reward, self._t == self._length, False, {}


@pytest.mark.parametrize("cuts", [[], [1], [2], [1, 2]])
def test_mean_and_variance_have_the_golden_numbers_however_they_came_in(cuts):
    numbers = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]])
    found = RunningNormalizer((2,))
    for part in np.split(numbers, cuts):
        found.update(part)
    np.testing.assert_allclose(found.mean, [3, 5])
    np.testing.assert_allclose(found.var, [2.666667, 8.666667], atol=1e-6)
    assert found.count == 3


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_many_batches_are_as_one(seed, sizes):
    rng = np.random.default_rng(seed)
    batches = [rng.normal(1e3, 2, size=(size, 3)) for size in sizes]
    found = RunningNormalizer((3,))
    for rows in batches:
        found.update(rows)
    if found.count:
        every = np.concatenate(batches)
        np.testing.assert_allclose(found.mean, every.mean(axis=0), rtol=1e-9)
        np.testing.assert_allclose(found.var, every.var(axis=0), rtol=1e-6, atol=1e-9)
    else:
        assert not found.mean.any()


def test_observations_are_cut_off_at_ten_deviations():
    found = RunningNormalizer((1,))
    found.update([[0.0], [2.0]])
    np.testing.assert_allclose(found([[1.0], [2.0], [1e9], [-1e9]]).ravel(), [0, 1, 10, -10])
    np.testing.assert_allclose(RunningNormalizer((1,))([[3.0]]), [[3.0]])  # nothing seen yet


def test_observations_are_those_of_gymnasium_that_begins_with_nothing():
    env = NormalizeObservation(Stream(7))
    env.obs_rms = RunningMeanStd(epsilon=0.0, shape=(2,))  # by default it counts 1e-4 of an N(0, 1)
    plain, found = Stream(7), RunningNormalizer((2,))
    for _ in range(4):
        (theirs, _), (ours, _) = env.reset(), plain.reset()
        for _ in range(7):
            found.update(ours[None])
            if found.count > 1:  # one number has no deviation
                np.testing.assert_allclose(found(ours), theirs, rtol=1e-5, atol=1e-6)
            theirs, *_ = env.step(0)
            ours, *_ = plain.step(0)
        found.update(ours[None])


def test_rewards_are_those_of_gymnasium_while_no_episode_ends():
    env = NormalizeReward(Stream(10**9), gamma=0.9)
    env.return_rms = RunningMeanStd(epsilon=0.0)
    plain, scaler = Stream(10**9), RewardScaler(1, 0.9, clip=1e9)
    env.reset()
    plain.reset()
    for _ in range(30):
        theirs = env.step(0)[1]
        (ours,) = scaler([plain.step(0)[1]], [0])
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_rewards_are_those_of_stable_baselines3_over_ends_too():
    envs = VecNormalize(
        DummyVecEnv([lambda: Stream(5), lambda: Stream(8)]), norm_obs=False, gamma=0.9
    )
    envs.ret_rms = RunningMeanStdOfSb3(epsilon=0.0, shape=())
    envs.reset()
    scaler = RewardScaler(2, 0.9)
    for _ in range(40):
        _, theirs, dones, _ = envs.step([0, 0])
        ours = scaler(envs.get_original_reward(), dones)
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    envs.close()


def test_scaled_rewards_keep_their_sign_and_are_cut_off():
    scaler = RewardScaler(1, 0.99)
    rewards = np.random.default_rng(0).normal(3, 1, size=200)
    scaled = np.array([scaler([reward], [0])[0] for reward in rewards])
    assert (np.sign(scaled) == np.sign(rewards)).all()
    assert scaler([1e9], [0])[0] == pytest.approx(10, abs=10)
    assert abs(scaler([-1e12], [0])[0]) <= 10


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: RunningNormalizer((2,)).update([1.0, 2.0]), "batch"),
        (lambda: RunningNormalizer((2,)).update([[1.0]]), "batch"),
        (lambda: RunningNormalizer((2,))([[1.0]]), "observations"),
        (lambda: RunningNormalizer((2, 2))([1.0]), "observations"),
        (lambda: RewardScaler(0, 0.9), "n_envs"),
        (lambda: RewardScaler(1, 2.0), "gamma"),
        (lambda: RewardScaler(2, 0.9)([1.0], [0, 0]), "rewards"),
        (lambda: RewardScaler(2, 0.9)([1.0, 2.0], [[0, 0]]), "dones"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, field):
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert caught.value.field == field
