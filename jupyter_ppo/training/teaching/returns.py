"""What an action was worth: returns, errors of values, and the weights of GAE; all in NumPy.

Here ``dones[t]`` is 1 when step t ended its episode for good. In a rollout (``compute_gae``) it is
1 when observation t begins an episode; there an end shows one row later.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import Floats, floats, fraction, of_shape, same_shape


def reward_to_go(rewards: ArrayLike, dones: ArrayLike, gamma: float) -> Floats:
    """Return the discounted sum of the rewards from each step to the end of its episode, (T,).

    ``rewards`` and ``dones`` are (T,): several episodes end to end. Source: Sutton and Barto 2018,
    "Reinforcement Learning", equation 3.8; that earlier rewards may be left out: Williams 1992,
    "Simple Statistical Gradient-Following Algorithms".
    """
    r, d = same_shape("(T,)", (1,), rewards=rewards, dones=dones)
    discount = fraction("gamma", gamma)
    found = np.zeros_like(r)
    rest = 0.0
    for t in reversed(range(len(r))):
        rest = r[t] + discount * (1.0 - d[t]) * rest
        found[t] = rest
    return found


def mc_returns(rewards: ArrayLike, gamma: float) -> Floats:
    """Return the discounted return from each step of one episode, (T,) to (T,).

    Source: Sutton and Barto 2018, equation 3.8.
    """
    (r,) = same_shape("(T,)", (1,), rewards=rewards)
    return reward_to_go(r, np.zeros_like(r), gamma)


def discounted_return(rewards: ArrayLike, gamma: float) -> float:
    """Return the discounted return of an episode's rewards, (T,); 0 of none."""
    returns = mc_returns(rewards, gamma)
    return float(returns[0]) if len(returns) else 0.0


def is_bootstrap_needed(terminated: bool, truncated: bool) -> bool:
    """Whether the value of the observation after this step counts.

    It does while the episode goes on and also when a time limit cut it off; only after a true end
    there is nothing more to be had. Source: Pardo et al. 2018, "Time Limits in Reinforcement
    Learning", section 3.
    """
    del truncated  # it ends the episode, not what there is to be had
    return not terminated


def td_errors(
    rewards: ArrayLike, values: ArrayLike, next_values: ArrayLike, dones: ArrayLike, gamma: float
) -> Floats:
    """Return ``r + gamma * V(next) * (1 - done) - V``, shaped like all four arrays: (T,) or (T, N).

    It is the TD error, and the advantage of an actor-critic that looks one step ahead. Source:
    Sutton and Barto 2018, equation 6.5.
    """
    r, v, following, d = same_shape(
        "(T,) or (T, N)",
        (1, 2),
        rewards=rewards,
        values=values,
        next_values=next_values,
        dones=dones,
    )
    return r + fraction("gamma", gamma) * following * (1.0 - d) - v


def nstep_return(
    rewards: ArrayLike, values: ArrayLike, t: int, n: int, gamma: float, dones: ArrayLike
) -> float:
    """Return at most ``n`` rewards from step ``t``, and the value of where they lead; discounted.

    ``rewards`` and ``dones`` are (T,), ``values`` are (T + 1,): one for each observation, the last
    included. Nothing counts after a step that ended the episode; where the steps run out, the last
    value does. Source: Sutton and Barto 2018, equation 7.1.
    """
    r, d = same_shape("(T,)", (1,), rewards=rewards, dones=dones)
    v = of_shape("values", values, (len(r) + 1,))
    for name, number, least, most in (("t", t, 0, len(r) - 1), ("n", n, 1, math.inf)):
        if not least <= number <= most:
            msg = f"{name}: {number} is not within {least} and {most}."
            raise InvalidInputError(msg, field=name)
    total, weight = 0.0, 1.0
    last = min(t + n, len(r))
    for step in range(t, last):
        total += weight * r[step]
        weight *= gamma
        if d[step]:
            return float(total)
    return float(total + weight * v[last])


def gae_matrix(n_steps: int, gamma: float, gae_lambda: float) -> Floats:
    """Return W, (T, T), with which the advantages are W @ TD errors, for steps of one episode.

    ``W[t, k]`` is ``(gamma * gae_lambda)**(k - t)`` for k >= t and 0 before. Source: Schulman et
    al. 2016, equation 16.
    """
    if n_steps < 0:
        msg = f"n_steps: {n_steps} is less than 0."
        raise InvalidInputError(msg, field="n_steps")
    steps = np.arange(n_steps)
    ahead = steps[None, :] - steps[:, None]
    decay = fraction("gamma", gamma) * fraction("gae_lambda", gae_lambda)
    weights: Floats = np.where(ahead >= 0, decay ** np.maximum(ahead, 0), 0.0)
    return weights


def add_truncation_bootstrap(
    rewards: ArrayLike,
    truncated: ArrayLike,
    terminated: ArrayLike,
    final_values: ArrayLike,
    gamma: float,
) -> Floats:
    """Return rewards with ``gamma * V`` of the last observation added where time alone ran out.

    All arrays are (T,) or (T, N). ``final_values`` count only where an episode was cut off and did
    not end at the same step; elsewhere they may be anything, NaN too. Source: Pardo et al. 2018,
    section 3. ``teaching.rollout`` does the same for the few steps concerned only.
    """
    r, cut, end, v = same_shape(
        "(T,) or (T, N)",
        (1, 2),
        rewards=rewards,
        truncated=truncated,
        terminated=terminated,
        final_values=final_values,
    )
    is_cut_off = (cut != 0) & (end == 0)
    return r + fraction("gamma", gamma) * np.where(is_cut_off, v, 0.0)


def policy_evaluation(
    transitions: ArrayLike, rewards: ArrayLike, policy: ArrayLike, gamma: float, tol: float = 1e-10
) -> Floats:
    """Return V of a policy in a known world, (S,), at most ``tol`` from the truth.

    ``transitions`` are P(next state | state, action), (S, A, S); ``rewards`` the expected reward,
    (S, A); ``policy`` is pi(action | state), (S, A). Sweeps until the values settle. Source: Sutton
    and Barto 2018, section 4.1.
    """
    p = floats("transitions", transitions)
    if p.ndim != 3 or p.shape[0] != p.shape[2] or not p.size:
        msg = f"transitions: the shape is {p.shape}. It must be (S, A, S)."
        raise InvalidInputError(msg, field="transitions")
    r, pi = of_shape("rewards", rewards, p.shape[:2]), of_shape("policy", policy, p.shape[:2])
    if not 0.0 <= gamma < 1.0:
        msg = f"gamma: {gamma} is not within 0 and 1; of 1, the values might never settle."
        raise InvalidInputError(msg, field="gamma")
    if not tol > 0:
        msg = f"tol: {tol} is not above 0."
        raise InvalidInputError(msg, field="tol")
    v = np.zeros(len(p))
    # k sweeps leave an error of at most gamma**k times this, whatever rounding does.
    scale = max(float(np.abs(r).max()) / (1.0 - gamma), tol)
    most = 1 if gamma == 0 else math.ceil(math.log(tol / scale) / math.log(gamma)) + 1
    for _ in range(most):
        before = v
        v = (pi * (r + gamma * (p @ before))).sum(axis=1)
        if gamma * np.abs(v - before).max() <= tol * (1.0 - gamma):
            break
    return v
