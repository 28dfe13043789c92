"""One state, A actions: the policy as a softmax, its score, and REINFORCE; all in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import Floats, floats, same_shape


def softmax(theta: ArrayLike) -> Floats:
    """Return ``exp(theta) / sum(exp(theta))`` over the last axis, (..., A), also of large numbers.

    Source: Sutton and Barto 2018, "Reinforcement Learning", equation 2.11.
    """
    t = floats("theta", theta)
    if not t.ndim or not t.shape[-1]:
        msg = f"theta: the shape is {t.shape}. It must be (..., A) with at least one action."
        raise InvalidInputError(msg, field="theta")
    weights = np.exp(t - t.max(axis=-1, keepdims=True))  # a common factor cancels out
    probabilities: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return probabilities


def masked_softmax(logits: ArrayLike, mask: ArrayLike) -> Floats:
    """Return the softmax over the actions that ``mask`` allows; the others get exactly 0.

    ``logits`` are (A,), ``mask`` is (A,) bool and allows at least one action. Source: Huang and
    Ontañón 2022, "A Closer Look at Invalid Action Masking in Policy Gradient Algorithms"
    (auxiliary detail 4).
    """
    (scores,) = same_shape("(A,)", (1,), is_filled=True, logits=logits)
    allowed = np.asarray(mask, dtype=bool)
    if allowed.shape != scores.shape or not allowed.any():
        msg = f"mask: it must be {scores.shape} bool and allow at least one action."
        raise InvalidInputError(msg, field="mask")
    return softmax(np.where(allowed, scores, -np.inf))


def score(theta: ArrayLike, action: int) -> Floats:
    """Return the gradient of ``log softmax(theta)[action]`` by theta: one-hot - pi, (A,).

    Source: Sutton and Barto 2018, section 2.8.
    """
    (t,) = same_shape("(A,)", (1,), is_filled=True, theta=theta)
    _check_actions("action", np.asarray(action), len(t))
    gradient = -softmax(t)
    gradient[action] += 1.0
    return gradient


def entropy(probabilities: ArrayLike) -> float:
    """Return ``-sum(p * log p)`` in nats, of (A,); an action that never happens adds nothing."""
    (p,) = same_shape("(A,)", (1,), is_filled=True, probabilities=probabilities)
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())


def relative_entropy(entropy: float, n_actions: int) -> float:
    """Return the entropy as a share of the largest there is, ``log(n_actions)``.

    1 is a policy that does not care, 0 one that always does the same. Source: Jones 2021,
    "Debugging RL, Without the Agonizing Pain".
    """
    if n_actions < 2:
        msg = f"n_actions: {n_actions} leaves nothing to choose. Use at least 2."
        raise InvalidInputError(msg, field="n_actions")
    return entropy / math.log(n_actions)


def reinforce_bandit_grad(
    theta: ArrayLike, actions: ArrayLike, rewards: ArrayLike, baseline: float
) -> Floats:
    """Return the mean over n plays of ``(reward - baseline) * score``, (A,): uphill.

    ``actions`` are (n,) integers and ``rewards`` (n,). Source: Williams 1992, "Simple Statistical
    Gradient-Following Algorithms".
    """
    (t,) = same_shape("(A,)", (1,), is_filled=True, theta=theta)
    taken = np.asarray(actions)
    _check_actions("actions", taken, len(t))
    (r,) = same_shape("(n,)", (1,), is_filled=True, rewards=rewards)
    if taken.shape != r.shape:
        msg = f"actions: actions {taken.shape} and rewards {r.shape} must both be (n,)."
        raise InvalidInputError(msg, field="actions")
    scores = np.eye(len(t))[taken] - softmax(t)  # (n, A)
    gradient: Floats = ((r - baseline)[:, None] * scores).mean(axis=0)
    return gradient


def run_bandit(means: ArrayLike, lr: float, steps: int, rng: np.random.Generator) -> Floats:
    """Return the probabilities before each step of a gradient bandit, (steps, A).

    Arm a pays a normal number with mean ``means[a]`` and deviation 1. At each step ``rng`` first
    draws the action, then the reward; the baseline is the mean of the rewards before, 0 at first.
    Source: Sutton and Barto 2018, equation 2.12.
    """
    (m,) = same_shape("(A,)", (1,), is_filled=True, means=means)
    theta = np.zeros_like(m)
    history = np.zeros((steps, len(m)))
    total = 0.0
    for t in range(steps):
        history[t] = softmax(theta)
        action = int(rng.choice(len(m), p=history[t]))
        reward = rng.normal(m[action], 1.0)
        baseline = total / t if t else 0.0
        theta += lr * (reward - baseline) * score(theta, action)
        total += reward
    return history


def _check_actions(name: str, actions: NDArray[Any], n_actions: int) -> None:
    is_number = np.issubdtype(actions.dtype, np.integer)
    if not is_number or np.any(actions < 0) or np.any(actions >= n_actions):
        msg = f"{name}: actions are whole numbers from 0 to {n_actions - 1}."
        raise InvalidInputError(msg, field=name)
