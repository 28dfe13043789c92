"""Finding out that a run has diverged, when, and why. Loads torch: only workers import this."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import unwrap_vec_normalize

from jupyter_ppo.domain.errors import InvalidInputError

_HIGH_LEARNING_RATE = 1e-2
_LARGE_RETURN = 1e6
#: Its square, and so the loss of the critic, comes near the end of float32.
_OVERFLOWING_RETURN = 1e18
_LARGE_OBSERVATION = 1e4
_ODD_STD = (1e-4, 1e2)


def check_rollout(model: PPO, update: int, began_at: int, bad_end: int | None = None) -> None:
    """Raise ``InvalidInputError`` when a rollout holds what is not finite; weights are still good.

    ``update`` is the number of the update that it is for, ``began_at`` the step before it.
    ``bad_end`` is the row in which an episode was truncated with such an observation: SB3 adds the
    value of that to the reward, so the reward in the buffer says nothing.
    """
    buffer = model.rollout_buffer
    observations: Any = buffer.observations
    parts = observations.values() if isinstance(observations, dict) else (observations,)
    found = [(row, "an observation", "env_id") for row in map(_first_bad_row, parts) if row >= 0]
    # The observation of row t was returned by step t - 1, together with that step's reward.
    if not is_finite(model._last_obs):
        found.append((buffer.buffer_size, "an observation", "env_id"))
    if bad_end is not None:
        found.append((bad_end + 1, "an observation", "env_id"))
    row = _first_bad_row(buffer.rewards)
    if row >= 0 and row != bad_end:
        found.append((row + 1, "a reward", "env_id"))
    if found:
        row, what, field = min(found)
        step = began_at + row * buffer.n_envs
        _fail(
            update,
            model.num_timesteps,
            f"the environment returned {what} that is not finite (NaN or infinity) by step {step}. "
            "Look at divisions and square roots in its step() and reset()",
            field,
        )
    if _first_bad_row(buffer.advantages) >= 0:
        largest = float(np.abs(buffer.rewards).max())
        if largest > _LARGE_RETURN:
            what, field = (
                f"the returns overflow; rewards are as large as {largest:.3g}. Scale the rewards "
                "down, or set normalize_rewards",
                "normalize_rewards",
            )
        else:
            what, field = (
                "the critic's values overflow; observations are as large as "
                f"{_largest(observations):.3g}. Set normalize_observations, or lower learning_rate",
                "normalize_observations",
            )
        _fail(update, model.num_timesteps, what, field)


def check_update(model: PPO, update: int, loss: float, learning_rate: float) -> None:
    """Raise ``InvalidInputError`` with the likely cause when loss or weights are not finite."""
    weights = (weight.detach().numpy() for weight in model.policy.parameters())
    if np.isfinite(loss) and all(np.isfinite(weight).all() for weight in weights):
        return
    cause, field = _likely_cause(model, learning_rate)
    _fail(
        update,
        model.num_timesteps,
        f"the {'weights' if np.isfinite(loss) else 'loss'} became NaN or infinite. {cause}",
        field,
    )


def explain(model: PPO, update: int, began_at: int, error: Exception) -> None:
    """Raise what lies behind ``error``, which came out of a rollout, when numbers explain it."""
    buffer = model.rollout_buffer
    if not is_finite(model._last_obs):
        step = began_at + buffer.pos * buffer.n_envs
        try:
            _fail(
                update,
                model.num_timesteps,
                "the environment returned an observation that is not finite (NaN or infinity) by "
                f"step {step}. Look at divisions and square roots in its step() and reset()",
                "env_id",
            )
        except InvalidInputError as cause:
            raise cause from error


def _likely_cause(model: PPO, learning_rate: float) -> tuple[str, str]:
    buffer = model.rollout_buffer
    observations: Any = buffer.observations
    largest_return = float(np.abs(buffer.returns).max())
    largest_observation = _largest(observations)
    norm = unwrap_vec_normalize(model.env) if model.env is not None else None
    too_large = (
        f"Likely cause: returns as large as {largest_return:.3g}; scale the rewards down or "
        "set normalize_rewards",
        "normalize_rewards",
    )
    if largest_return > _OVERFLOWING_RETURN:  # no learning rate could follow that
        return too_large
    if learning_rate >= _HIGH_LEARNING_RATE:
        return (
            f"Likely cause: learning_rate is {learning_rate:g}, far above the usual 1e-5 to 1e-3; "
            "lower it",
            "learning_rate",
        )
    if largest_return > _LARGE_RETURN:
        return too_large
    if largest_observation > _LARGE_OBSERVATION and (norm is None or not norm.norm_obs):
        return (
            f"Likely cause: observations as large as {largest_observation:.3g}; set "
            "normalize_observations",
            "normalize_observations",
        )
    log_std = getattr(model.policy, "log_std", None)
    if log_std is not None:
        std = float(log_std.detach().exp().mean())
        if not _ODD_STD[0] <= std <= _ODD_STD[1]:
            return (
                f"Likely cause: the standard deviation of the actions went to {std:.3g}; lower "
                "ent_coef or learning_rate",
                "ent_coef",
            )
    return (
        f"Likely cause: too large steps; lower learning_rate ({learning_rate:g}) or max_grad_norm "
        f"({model.max_grad_norm:g})",
        "learning_rate",
    )


def is_finite(observations: Any) -> bool:
    """Whether a batch of observations, or each part of it, is finite."""
    parts = observations.values() if isinstance(observations, dict) else (observations,)
    return all(bool(np.isfinite(part).all()) for part in parts)


def _largest(observations: Any) -> float:
    parts = observations.values() if isinstance(observations, dict) else (observations,)
    return max(float(np.abs(part).max()) for part in parts)


def _first_bad_row(values: Any) -> int:
    """Return the first index along the first axis with a value that is not finite; -1: none."""
    finite = np.isfinite(values)
    if finite.all():
        return -1
    return int(np.argmin(finite.reshape(len(finite), -1).all(axis=1)))


def _fail(update: int, step: int, what: str, field: str) -> NoReturn:
    msg = f"Training diverged in update {update} at step {step}: {what}."
    raise InvalidInputError(msg, field=field)
