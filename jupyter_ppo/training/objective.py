"""PPO's two formulas in NumPy, as in the course; the reference for exercises and for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError


def compute_gae(
    rewards: ArrayLike,
    values: ArrayLike,
    dones: ArrayLike,
    last_value: ArrayLike,
    last_done: ArrayLike,
    gamma: float,
    gae_lambda: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return advantages and returns, both shaped like ``rewards``: (T,) or (T, N).

    ``dones[t]`` is 1 when observation t begins a new episode, so nothing after step t - 1 counts
    for the steps before it. ``last_value`` and ``last_done``, shaped () or (N,), belong to the
    observation after the last step. Returns are advantages + values.

    Source: Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage
    Estimation", equation 16. Raises ``InvalidInputError`` when shapes do not fit.
    """
    r, v, d = (_array(name, x) for name, x in _named(rewards=rewards, values=values, dones=dones))
    if r.ndim not in {1, 2} or not v.shape == d.shape == r.shape:
        msg = (
            f"rewards: rewards {r.shape}, values {v.shape} and dones {d.shape} must have the same "
            "shape, (T,) or (T, N)."
        )
        raise InvalidInputError(msg, field="rewards")
    next_value, next_done = _array("last_value", last_value), _array("last_done", last_done)
    if not next_value.shape == next_done.shape == r.shape[1:]:
        msg = (
            f"last_value: last_value {next_value.shape} and last_done {next_done.shape} must have "
            f"the shape {r.shape[1:]} of one step."
        )
        raise InvalidInputError(msg, field="last_value")
    advantages = np.zeros_like(r)
    advantage = np.zeros(r.shape[1:])
    for t in reversed(range(len(r))):
        alive = 1.0 - next_done
        delta = r[t] + gamma * next_value * alive - v[t]
        advantage = delta + gamma * gae_lambda * alive * advantage
        advantages[t] = advantage
        next_value, next_done = v[t], d[t]
    return advantages, advantages + v


def clipped_surrogate_loss(
    logratio: ArrayLike, advantages: ArrayLike, clip_range: float
) -> np.float64:
    """Return ``-mean(min(ratio * A, clip(ratio, 1 - clip_range, 1 + clip_range) * A))``.

    ``logratio`` is the log probability of each action under the new policy minus that under the old
    one; both arrays are (B,). Source: Schulman et al. 2017, "Proximal Policy Optimization
    Algorithms", equation 7, negated to be minimised. Raises ``InvalidInputError`` when the arrays
    are empty or differ in shape, which would otherwise broadcast silently.
    """
    log_ratio, a = _array("logratio", logratio), _array("advantages", advantages)
    if log_ratio.shape != a.shape or not a.size:
        msg = f"logratio: logratio {log_ratio.shape} and advantages {a.shape} must both be (B,)."
        raise InvalidInputError(msg, field="logratio")
    ratio = np.exp(log_ratio)
    clipped = np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return np.float64(-np.minimum(ratio * a, clipped * a).mean())


def _named(**arrays: ArrayLike) -> list[tuple[str, ArrayLike]]:
    return list(arrays.items())


def _array(name: str, value: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        msg = f"{name}: this is not an array of numbers."
        raise InvalidInputError(msg, field=name) from None
