"""Acting in N environments at once, by Gymnasium's own vector environments.

``rollout.Collector`` does the same for PPO here, but on Stable-Baselines3's environments, as every
run of this package does, and without storing what can follow in one batch.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from numpy.typing import ArrayLike, NDArray

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.given_arrays import same_shape

Array = NDArray[Any]
#: ``act(observations)``, of (N, ...), gives actions (N, ...), log probabilities and values (N,).
Act = Callable[[Array], tuple[Array, Array, Array]]
#: The next observations, (N, ...), and whether they begin an episode, (N,).
Carry = tuple[Array, Array]


def make_vec(env_id: str, n_envs: int, seed: int) -> SyncVectorEnv:
    """Return N environments that begin a new episode within the step that ended one.

    Gymnasium's default begins it at the next step, which ignores the action and rewards nothing.
    They were reset with ``seed``, ``seed + 1``, and so on. Source: [H] core detail 1.
    """
    if n_envs < 1:
        msg = f"n_envs: {n_envs} is not a number of environments. Use at least 1."
        raise InvalidInputError(msg, field="n_envs")
    makers = [partial(gymnasium.make, env_id) for _ in range(n_envs)]
    envs = SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)
    envs.reset(seed=seed)
    return envs


def collect_rollout(
    envs: VectorEnv[Any, Any, Any], act: Act, n_steps: int, carry: Carry
) -> tuple[dict[str, Array], Carry]:
    """Take T = ``n_steps`` steps in N environments; return them, and from where to go on.

    The rollout holds observations (T, N, ...), actions (T, N, ...), log_probs, rewards, values and
    dones (T, N) float32, terminated and truncated (T, N) bool, and final_observations (T, N, ...):
    the last of an episode where one ended, zeros elsewhere. ``dones[t]`` is 1 where observation t
    begins an episode. Source: [H] core detail 1.
    """
    if envs.metadata.get("autoreset_mode") is not AutoresetMode.SAME_STEP:
        msg = "envs: they must begin a new episode in the step that ended one (SAME_STEP)."
        raise InvalidInputError(msg, field="envs")
    if n_steps < 1:
        msg = f"n_steps: {n_steps} is too few. Use at least 1."
        raise InvalidInputError(msg, field="n_steps")
    observations, dones = np.asarray(carry[0]), np.asarray(carry[1], dtype=np.float32)
    names = (
        *("observations", "actions", "log_probs", "rewards", "values", "dones"),
        *("terminated", "truncated", "final_observations"),
    )
    columns: dict[str, list[Array]] = {name: [] for name in names}
    for _ in range(n_steps):
        actions, log_probs, values = act(observations)
        following, rewards, terminated, truncated, infos = envs.step(actions)
        last = np.zeros_like(observations)
        for i in np.flatnonzero(terminated | truncated):
            last[i] = infos["final_obs"][i]
        row = (observations, actions, log_probs, rewards, values, dones)
        for name, item in zip(names, (*row, terminated, truncated, last), strict=True):
            columns[name].append(np.array(item))
        observations, dones = following, (terminated | truncated).astype(np.float32)
    rollout = {name: np.stack(items) for name, items in columns.items()}
    for name in ("log_probs", "rewards", "values"):
        rollout[name] = rollout[name].astype(np.float32)
    return rollout, (observations, dones)


def flatten_batch(array: ArrayLike) -> Array:
    """Return (T, N, ...) as (T * N, ...): row ``t * N + n`` is step t of environment n."""
    found = np.asarray(array)
    if found.ndim < 2:
        msg = f"array: the shape is {found.shape}. It must be (T, N, ...)."
        raise InvalidInputError(msg, field="array")
    return found.reshape(found.shape[0] * found.shape[1], *found.shape[2:])


def minibatch_indices(
    rng: np.random.Generator, batch_size: int, minibatch_size: int
) -> list[NDArray[np.int64]]:
    """Return the numbers 0 to B - 1, shuffled, in pieces of ``minibatch_size``: one epoch.

    Every sample is in exactly one piece. Source: [H] core detail 6.
    """
    if not 1 <= minibatch_size <= batch_size or batch_size % minibatch_size:
        msg = f"minibatch_size: {minibatch_size} does not divide {batch_size} samples."
        raise InvalidInputError(msg, field="minibatch_size")
    order = rng.permutation(batch_size).astype(np.int64)
    return np.split(order, batch_size // minibatch_size)


def count_phantoms(dones: ArrayLike, carried_done: ArrayLike) -> int:
    """Return how many of T * N steps only began an episode, where that takes a step of its own.

    ``dones``, (T, N), are 1 where a step ended an episode; ``carried_done``, (N,), where the step
    before the first did. In Gymnasium's mode NEXT_STEP the step after an end takes no action.
    """
    (ended,) = same_shape("(T, N)", (2,), dones=dones)
    (carried,) = same_shape("(N,)", (1,), carried_done=carried_done)
    if carried.shape != ended.shape[1:]:
        msg = f"carried_done: {carried.shape} must be {ended.shape[1:]}, one for each environment."
        raise InvalidInputError(msg, field="carried_done")
    if not len(ended):
        return 0
    return int(np.count_nonzero(carried) + np.count_nonzero(ended[:-1]))
