"""Three small tasks: remembering a cue, setting dials, and choosing among allowed actions."""

from __future__ import annotations

import numpy as np

from jupyter_ppo.training.ablation.batch_task import (
    Array,
    BatchTask,
    Discrete,
    MultiDiscrete,
    Step,
)


class Recall(BatchTask):
    """A cue is seen once; some steps later, when asked, the action must name it.

    An observation has the cue (-1 or 1 in the first step, else 0), whether it is asked now, and a
    number without meaning. An episode ends with the answer after 4 to 8 steps: reward 1 when right,
    -1 when wrong. What is done before does not matter.
    """

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        super().__init__(n_envs, rng)
        self.actions = Discrete(2)
        self.observation_shape = (3,)
        self._cue = np.zeros(n_envs)
        self._left = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Array:
        """Begin everywhere."""
        return self._observe(self._begin(np.ones(self.n_envs, dtype=bool)))

    def step(self, actions: Array) -> Step:
        """Name the cue: 0 for -1 and 1 for 1."""
        is_over = self._left == 0
        is_right = (actions == 1) == (self._cue > 0)
        rewards = np.where(is_over, np.where(is_right, 1.0, -1.0), 0.0)
        self._count(rewards, is_over)
        self._left -= 1
        return Step(self._observe(self._begin(is_over)), rewards, is_over)

    def _begin(self, which: Array) -> Array:
        count = int(which.sum())
        self._cue[which] = self.rng.choice([-1.0, 1.0], count)
        self._left[which] = self.rng.integers(3, 8, count)
        return which

    def _observe(self, is_first: Array) -> Array:
        noise = self.rng.uniform(-1, 1, self.n_envs)
        columns = (self._cue * is_first, self._left == 0, noise)
        return np.stack(columns, axis=1).astype(np.float32)


class Dials(BatchTask):
    """Four dials of five positions each; the reward is the share of dials that are set as shown.

    An episode is ten such settings.
    """

    _SIZES = (5, 5, 5, 5)
    _LENGTH = 10

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        super().__init__(n_envs, rng)
        self.actions = MultiDiscrete(self._SIZES)
        self.observation_shape = (sum(self._SIZES),)
        self._wanted = np.zeros((n_envs, len(self._SIZES)), dtype=np.int64)
        self._time = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Array:
        """Begin everywhere."""
        return self._draw()

    def step(self, actions: Array) -> Step:
        """Set the dials, (N, 4) int64."""
        rewards = (actions == self._wanted).mean(axis=1)
        self._time += 1
        is_over = self._time >= self._LENGTH
        self._count(rewards, is_over)
        self._time[is_over] = 0
        return Step(self._draw(), rewards, is_over)

    def _draw(self) -> Array:
        self._wanted = self.rng.integers(0, self._SIZES, self._wanted.shape)
        seen = np.eye(self._SIZES[0], dtype=np.float32)[self._wanted]
        return seen.reshape(self.n_envs, -1)


class Doors(BatchTask):
    """Forty doors, of which three can be opened; the one with the prize is the right one.

    An observation says where the prize is (40 numbers, one of them 1). Trying a door that cannot
    be opened costs 0.1 and nothing else happens; the prize is worth 1. Otherwise new doors are
    drawn. An episode is ten tries.
    """

    N_DOORS = 40
    _LENGTH = 10

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        super().__init__(n_envs, rng)
        self.actions = Discrete(self.N_DOORS)
        self.observation_shape = (self.N_DOORS,)
        self._can_open = np.zeros((n_envs, self.N_DOORS), dtype=bool)
        self._prize = np.zeros(n_envs, dtype=np.int64)
        self._time = np.zeros(n_envs, dtype=np.int64)

    def reset(self) -> Array:
        """Begin everywhere."""
        self._draw(np.ones(self.n_envs, dtype=bool))
        return self._observe()

    def step(self, actions: Array) -> Step:
        """Try a door, (N,) int64."""
        rows = np.arange(self.n_envs)
        is_open = self._can_open[rows, actions]
        rewards = np.where(actions == self._prize, 1.0, np.where(is_open, 0.0, -0.1))
        self._draw(is_open)
        self._time += 1
        is_over = self._time >= self._LENGTH
        self._count(rewards, is_over)
        self._draw(is_over & ~is_open)
        self._time[is_over] = 0
        return Step(self._observe(), rewards, is_over)

    def allowed(self) -> Array:
        """Return which doors can be opened, (N, 40) bool."""
        return self._can_open.copy()

    def _draw(self, which: Array) -> None:
        for row in np.flatnonzero(which):
            doors = self.rng.choice(self.N_DOORS, 3, replace=False)
            self._can_open[row] = False
            self._can_open[row, doors] = True
            self._prize[row] = doors[0]

    def _observe(self) -> Array:
        return np.eye(self.N_DOORS, dtype=np.float32)[self._prize]
