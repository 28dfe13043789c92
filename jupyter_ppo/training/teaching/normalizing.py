"""Observations and rewards brought to a common scale while they come in; in NumPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import Floats, floats, fraction, of_shape


class RunningNormalizer:
    """Mean and variance of all numbers so far; brings observations to mean 0 and deviation 1.

    The result does not depend on how the numbers were cut into batches. Source: [H] continuous
    details 6 and 7; Chan et al. 1983, "Algorithms for Computing the Sample Variance".
    """

    def __init__(self, shape: tuple[int, ...], clip: float = 10.0, eps: float = 1e-8) -> None:
        self.mean: Floats = np.zeros(shape)
        self.var: Floats = np.ones(shape)  # divided by n, not by n - 1
        self.count = 0
        self._clip = clip
        self._eps = eps

    def update(self, batch: ArrayLike) -> None:
        """Take (B, *shape) numbers into account."""
        x = floats("batch", batch)
        if x.ndim != self.mean.ndim + 1 or x.shape[1:] != self.mean.shape:
            msg = f"batch: the shape is {x.shape}. It must be (B, *{self.mean.shape})."
            raise InvalidInputError(msg, field="batch")
        if not len(x):
            return
        total = self.count + len(x)
        shift = x.mean(axis=0) - self.mean
        squares = self.count * self.var + len(x) * x.var(axis=0)
        # Two heaps of numbers around different means lie apart by the shift as well.
        squares = squares + np.square(shift) * (self.count * len(x) / total)
        self.mean = self.mean + shift * (len(x) / total)
        self.var = squares / total
        self.count = total

    def __call__(self, observations: ArrayLike) -> Floats:
        """Return ``(x - mean) / sqrt(var + eps)`` within +-clip, of (..., *shape)."""
        x = floats("observations", observations)
        kept = len(self.mean.shape)
        if x.shape[x.ndim - kept :] != self.mean.shape:
            msg = f"observations: the shape is {x.shape}. It must be (..., *{self.mean.shape})."
            raise InvalidInputError(msg, field="observations")
        scaled: Floats = (x - self.mean) / np.sqrt(self.var + self._eps)
        return np.clip(scaled, -self._clip, self._clip)


class RewardScaler:
    """Divides rewards by the deviation of the discounted return that they build up.

    The mean is not taken off: that would make a reward of a punishment. Source: [H] continuous
    details 8 and 9. Gymnasium 1.4's ``NormalizeReward`` forgets an episode one step earlier, before
    its last reward.
    """

    def __init__(self, n_envs: int, gamma: float, clip: float = 10.0, eps: float = 1e-8) -> None:
        if n_envs < 1:
            msg = f"n_envs: {n_envs} is not a number of environments. Use at least 1."
            raise InvalidInputError(msg, field="n_envs")
        self._returns = np.zeros(n_envs)
        self._gamma = fraction("gamma", gamma)
        self._seen = RunningNormalizer(())
        self._clip = clip
        self._eps = eps

    def __call__(self, rewards: ArrayLike, dones: ArrayLike) -> Floats:
        """Return the scaled rewards of one step, (N,); ``dones`` are 1 where it ended one."""
        r = of_shape("rewards", rewards, self._returns.shape)
        ended = of_shape("dones", dones, self._returns.shape)
        self._returns = self._gamma * self._returns + r
        self._seen.update(self._returns)
        self._returns = self._returns * (ended == 0)
        scaled: Floats = r / np.sqrt(self._seen.var + self._eps)
        return np.clip(scaled, -self._clip, self._clip)
