"""What the tasks of the ablations have in common: N copies that are stepped at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Discrete:
    """One of ``n`` actions, from 0: (N,) int64."""

    n: int


@dataclass(frozen=True, slots=True)
class MultiDiscrete:
    """Several of them at once, the k-th of ``sizes[k]``: (N, K) int64."""

    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Continuous:
    """``n`` numbers, each between -1 and 1: (N, n) float32."""

    n: int


Actions = Discrete | MultiDiscrete | Continuous


@dataclass(frozen=True, slots=True)
class Step:
    """What N actions led to. Where an episode ended, the observation is the next one's first."""

    observations: Array  # (N, ...)
    rewards: Array  # (N,) float64, as the learner gets them
    dones: Array  # (N,) bool, as the learner gets them


class BatchTask(ABC):
    """N copies of an environment. Finished copies begin anew in the same step."""

    actions: Actions
    observation_shape: tuple[int, ...]
    is_frames: bool = False

    def __init__(self, n_envs: int, rng: np.random.Generator) -> None:
        self.n_envs = n_envs
        self.rng = rng
        self._score = np.zeros(n_envs)
        self._ended: list[float] = []

    @abstractmethod
    def reset(self) -> Array:
        """Begin everywhere and return the observations, (N, ...)."""

    @abstractmethod
    def step(self, actions: Array) -> Step:
        """Act everywhere."""

    def allowed(self) -> Array | None:
        """Return which actions are allowed now, (N, A) bool; None: all of them."""
        return None

    def pop_scores(self) -> list[float]:
        """Return the true returns of the episodes that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended

    def _count(self, rewards: Array, is_over: Array) -> None:
        """Add to the true returns and keep those of the copies that are over."""
        self._score += rewards
        if is_over.any():
            self._ended.extend(self._score[is_over].tolist())
            self._score[is_over] = 0.0
