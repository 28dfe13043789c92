"""PPO's formulas in NumPy, as in the course; the reference for exercises and for tests.

The same formulas stand in ``teaching.update`` once more, in PyTorch and for the fast way through a
minibatch: there they are differentiated. The tests hold the two against each other.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import Floats, floats, same_shape


def compute_gae(
    rewards: ArrayLike,
    values: ArrayLike,
    dones: ArrayLike,
    last_value: ArrayLike,
    last_done: ArrayLike,
    gamma: float,
    gae_lambda: float,
) -> tuple[Floats, Floats]:
    """Return advantages and returns, both shaped like ``rewards``: (T,) or (T, N).

    ``dones[t]`` is 1 when observation t begins a new episode, so nothing after step t - 1 counts
    for the steps before it. ``last_value`` and ``last_done``, shaped () or (N,), belong to the
    observation after the last step. Returns are advantages + values.

    Source: Schulman et al. 2016, "High-Dimensional Continuous Control Using Generalized Advantage
    Estimation", equation 16. Raises ``InvalidInputError`` when shapes do not fit.
    """
    r, v, d = same_shape("(T,) or (T, N)", (1, 2), rewards=rewards, values=values, dones=dones)
    next_value, next_done = floats("last_value", last_value), floats("last_done", last_done)
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


def normalize_advantages(advantages: ArrayLike, eps: float = 1e-8) -> Floats:
    """Return ``(A - mean) / (standard deviation + eps)`` of a minibatch, (B,).

    The deviation divides by B - 1, as ``torch.std`` does. One number has no deviation, and is
    returned as it is. Source: Huang et al. 2022, "The 37 Implementation Details of Proximal Policy
    Optimization", detail 7.
    """
    (a,) = same_shape("(B,)", (1,), is_filled=True, advantages=advantages)
    if len(a) == 1:
        return a.copy()
    normalized: Floats = (a - a.mean()) / (a.std(ddof=1) + eps)
    return normalized


def clipped_surrogate_loss(
    logratio: ArrayLike, advantages: ArrayLike, clip_range: float
) -> np.float64:
    """Return ``-mean(min(ratio * A, clip(ratio, 1 - clip_range, 1 + clip_range) * A))``.

    ``logratio`` is the log probability of each action under the new policy minus that under the old
    one; both arrays are (B,). Source: Schulman et al. 2017, "Proximal Policy Optimization
    Algorithms", equation 7, negated to be minimised. Raises ``InvalidInputError`` when the arrays
    are empty or differ in shape, which would otherwise broadcast silently.
    """
    log_ratio, a = same_shape("(B,)", is_filled=True, logratio=logratio, advantages=advantages)
    ratio = np.exp(log_ratio)
    clipped = np.clip(ratio, 1.0 - clip_range, 1.0 + clip_range)
    return np.float64(-np.minimum(ratio * a, clipped * a).mean())


def clip_gradient_mask(
    logratio: ArrayLike, advantages: ArrayLike, clip_range: float
) -> NDArray[np.bool_]:
    """Return whether the clipped objective gives each sample a gradient, (B,) bool.

    It gives none where the ratio has left the range in the direction that the advantage rewards:
    above it with A > 0, or below it with A < 0; nor where the advantage is 0. Follows from equation
    7 of Schulman et al. 2017: there the minimum is a term that is constant in the policy.
    """
    log_ratio, a = same_shape("(B,)", (1,), logratio=logratio, advantages=advantages)
    ratio = np.exp(log_ratio)
    may_rise = (a > 0) & (ratio < 1.0 + clip_range)
    may_fall = (a < 0) & (ratio > 1.0 - clip_range)
    mask: NDArray[np.bool_] = may_rise | may_fall
    return mask


def squared_value_loss(values: ArrayLike, returns: ArrayLike) -> np.float64:
    """Return ``mean((V - R)**2) / 2``; both arrays are (B,).

    Source: Schulman et al. 2017, equation 9, with the half that the original code takes (Huang et
    al. 2022, detail 9). Stable-Baselines3 and ``teaching.update`` go without it: there ``vf_coef``
    weighs twice as much.
    """
    v, r = same_shape("(B,)", (1,), is_filled=True, values=values, returns=returns)
    return np.float64(0.5 * np.square(v - r).mean())


def clipped_value_loss(
    values: ArrayLike, old_values: ArrayLike, returns: ArrayLike, clip_range: float | None
) -> np.float64:
    """Return ``mean(max((V - R)**2, (V_clip - R)**2)) / 2``; the three arrays are (B,).

    ``V_clip`` is V, but at most ``clip_range`` away from the value when the data were collected;
    None does not clip.
    Source: Huang et al. 2022, detail 9. Stable-Baselines3 and ``teaching.update`` take the clipped
    term alone, without the maximum and the half.
    """
    v, old, r = same_shape(
        "(B,)", (1,), is_filled=True, values=values, old_values=old_values, returns=returns
    )
    bound = np.inf if clip_range is None else clip_range
    clipped = old + np.clip(v - old, -bound, bound)
    worse = np.maximum(np.square(v - r), np.square(clipped - r))
    return np.float64(0.5 * worse.mean())


def total_loss(
    policy_loss: float, value_loss: float, entropy: float, vf_coef: float, ent_coef: float
) -> float:
    """Return ``policy_loss + vf_coef * value_loss - ent_coef * entropy``, to be minimised.

    Source: Schulman et al. 2017, equation 9, negated; Huang et al. 2022, detail 10.
    """
    return policy_loss + vf_coef * value_loss - ent_coef * entropy


def approx_kl_k1(logratio: ArrayLike) -> np.float64:
    """Return ``mean(-logratio)``, (B,) to a scalar in nats: unbiased for KL(old || new), and noisy.

    Source: Schulman 2020, "Approximating KL Divergence", estimator k1.
    """
    (log_ratio,) = same_shape("(B,)", (1,), is_filled=True, logratio=logratio)
    return np.float64(-log_ratio.mean())


def approx_kl_k3(logratio: ArrayLike) -> np.float64:
    """Return ``mean((ratio - 1) - logratio)``, (B,) to a scalar in nats.

    Unbiased as k1, never negative, and of less variance. Source: Schulman 2020, estimator k3.
    """
    (log_ratio,) = same_shape("(B,)", (1,), is_filled=True, logratio=logratio)
    return np.float64((np.expm1(log_ratio) - log_ratio).mean())


def clip_fraction(logratio: ArrayLike, clip_range: float) -> np.float64:
    """Return the share of samples, (B,), whose ratio is more than ``clip_range`` away from 1.

    Source: Huang et al. 2022, detail 12.
    """
    (log_ratio,) = same_shape("(B,)", (1,), is_filled=True, logratio=logratio)
    return np.float64((np.abs(np.exp(log_ratio) - 1.0) > clip_range).mean())


def residual_variance(returns: ArrayLike, values: ArrayLike) -> float:
    """Return ``var(R - V) / var(R)``; both arrays are (B,). NaN when all returns are the same.

    Source: Jones 2021, "Debugging RL, Without the Agonizing Pain".
    """
    r, v = same_shape("(B,)", (1,), is_filled=True, returns=returns, values=values)
    # Rounding leaves a variance to equal numbers such as three of 0.1.
    return float((r - v).var() / r.var()) if r.max() > r.min() else math.nan


def explained_variance(returns: ArrayLike, values: ArrayLike) -> float:
    """Return the share of the returns' variance that the values explain, at most 1; both (B,).

    0 is as good as a constant, below 0 is worse. NaN when all returns are the same. Source: Huang
    et al. 2022, detail 12.
    """
    return 1.0 - residual_variance(returns, values)


def diagnostics(
    logratio: ArrayLike, clip_range: float, returns: ArrayLike, values: ArrayLike
) -> dict[str, float]:
    """Return what to watch of an update: k1, k3, clip_fraction and explained_variance.

    All arrays are (B,). Source: Huang et al. 2022, detail 12.
    """
    return {
        "k1": float(approx_kl_k1(logratio)),
        "k3": float(approx_kl_k3(logratio)),
        "clip_fraction": float(clip_fraction(logratio, clip_range)),
        "explained_variance": explained_variance(returns, values),
    }
