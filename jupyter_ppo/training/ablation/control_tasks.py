"""CartPole, and a point that is pushed to a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv

from jupyter_ppo.training.ablation.batch_task import Array, BatchTask, Continuous, Discrete, Step
from jupyter_ppo.training.native_envs import NativeVecEnv


class CartPole(BatchTask):
    """Gymnasium's CartPole-v1: at most 500 steps, 1 for each."""

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        super().__init__(n_envs, rng)
        self.actions = Discrete(2)
        self.observation_shape = (4,)
        self._envs = NativeVecEnv(CartPoleVectorEnv(num_envs=n_envs, max_episode_steps=500))
        self._envs.seed(int(rng.integers(2**31)))

    def reset(self) -> Array:
        """Begin everywhere."""
        observations: Array = np.asarray(self._envs.reset())
        return observations

    def step(self, actions: Array) -> Step:
        """Push every cart to the left (0) or to the right (1)."""
        observations, rewards, dones, _ = self._envs.step(actions)
        self._count(rewards, dones)
        return Step(np.array(observations), np.asarray(rewards, dtype=np.float64), dones)


@dataclass(frozen=True, slots=True)
class ReacherRules:
    """What is made hard. Outliers are rare faults of a sensor: one number becomes very large."""

    dimensions: int = 2
    first_feature_scale: float = 1.0
    outlier_chance: float = 0.0  # of an observation
    outlier_size: float = 0.0  # that the first feature then has, in its own unit
    reward_scale: float = 1.0
    reward_outlier_chance: float = 0.0
    reward_outlier: float = 0.0


class Reacher(BatchTask):
    """A point with a velocity; actions are forces; the reward is minus the distance to a target.

    Episodes have 30 steps. The score is that of the task without faults, in the first unit.
    """

    _LENGTH = 30

    def __init__(self, n_envs: int, rng: np.random.Generator, rules: ReacherRules) -> None:
        super().__init__(n_envs, rng)
        self._rules = rules
        self.actions = Continuous(rules.dimensions)
        self.observation_shape = (3 * rules.dimensions,)
        shape = (n_envs, rules.dimensions)
        self._place, self._speed, self._target = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self._time = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Array:
        """Begin everywhere, at different times of the episode."""
        self._begin(np.ones(self.n_envs, dtype=bool))
        self._time = np.arange(self.n_envs) * self._LENGTH // self.n_envs
        return self._observe()

    def step(self, actions: Array) -> Step:
        """Push with forces between -1 and 1."""
        rules = self._rules
        self._speed = 0.8 * self._speed + 0.2 * np.clip(actions, -1.0, 1.0)
        self._place = np.clip(self._place + 0.3 * self._speed, -2.0, 2.0)
        rewards = -np.linalg.norm(self._target - self._place, axis=1)
        self._time += 1
        is_over = self._time >= self._LENGTH
        self._count(rewards, is_over)
        self._begin(is_over)
        seen = rewards * rules.reward_scale
        if rules.reward_outlier_chance:
            is_fault = self.rng.random(self.n_envs) < rules.reward_outlier_chance
            seen[is_fault] = rules.reward_outlier
        return Step(self._observe(), seen, is_over)

    def _begin(self, which: Array) -> None:
        count = int(which.sum())
        if count:
            shape = (count, self._rules.dimensions)
            self._place[which] = self.rng.uniform(-1, 1, shape)
            self._target[which] = self.rng.uniform(-1, 1, shape)
            self._speed[which] = 0.0
            self._time[which] = 0

    def _observe(self) -> Array:
        """Return the way to the target, the place and the velocity, (N, 3 * dimensions)."""
        rules = self._rules
        parts = (self._target - self._place, self._place, self._speed)
        observations = np.concatenate(parts, axis=1)
        if rules.outlier_chance:
            is_fault = self.rng.random(self.n_envs) < rules.outlier_chance
            observations[is_fault, 0] = rules.outlier_size
        observations[:, 0] *= rules.first_feature_scale
        return observations.astype(np.float32)
