"""What an environment may do wrong, told in words. Loads no torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from jupyter_ppo.domain.errors import InvalidInputError

#: Called before everything that an environment is asked for, which may take ``step_timeout`` each.
Beat = Callable[[], None]

_ACTIONS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
_OBSERVATIONS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def env_error(what: str, error: BaseException) -> InvalidInputError:
    """Return the error for an exception that came out of an environment."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    about = f"{type(error).__name__}: {lines[0][:300]}" if lines else type(error).__name__
    msg = f"env_id: {what} raised {about}. worker.log shows where; correct the environment."
    return InvalidInputError(msg, field="env_id")


@contextmanager
def env_code(what: str) -> Iterator[None]:
    """Turn whatever the code of an environment raises into an error that says so."""
    try:
        yield
    except InvalidInputError:
        raise
    except (Exception, SystemExit) as error:
        problem = env_error(what, error)
        raise problem from error


def check_environment(env: gym.Env[Any, Any], beat: Beat = lambda: None) -> None:
    """Reset and step once; raise ``InvalidInputError`` naming what does not fit its spaces."""
    _check_spaces(env)
    beat()
    with env_code("reset(seed=0)"):
        result: Any = env.reset(seed=0)
    if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], dict)):
        _refuse(f"reset() returned {_kind(result)}; it must return (observation, info).")
    _check_observation(result[0], env.observation_space, "reset()")
    beat()
    with env_code("step()"):
        result = env.step(env.action_space.sample())
    if not (isinstance(result, tuple) and len(result) == 5):
        _refuse(
            f"step() returned {_kind(result)}; it must return (observation, reward, terminated, "
            "truncated, info)."
        )
    observation, reward, terminated, truncated, info = result
    _check_observation(observation, env.observation_space, "step()")
    is_number = isinstance(reward, Real | np.ndarray) and np.ndim(np.asarray(reward)) == 0
    if not is_number or not math.isfinite(float(reward)):
        _refuse(f"step() returned the reward {str(reward)[:80]!r}; it must be a finite number.")
    for name, flag in (("terminated", terminated), ("truncated", truncated)):
        if not isinstance(flag, bool | np.bool_):
            _refuse(f"step() returned {name}={str(flag)[:80]!r}; it must be True or False.")
    if not isinstance(info, dict):
        _refuse(f"step() returned {_kind(info)} for info; it must be a dictionary.")


def _check_spaces(env: gym.Env[Any, Any]) -> None:
    for name, allowed in (("action_space", _ACTIONS), ("observation_space", _OBSERVATIONS)):
        space = getattr(env, name, None)
        parts = {"": space}
        if name == "observation_space" and isinstance(space, spaces.Dict):
            parts = dict(space.spaces)
        for key, part in parts.items():
            if not isinstance(part, allowed):
                where = f"{name}[{key!r}]" if key else name
                _refuse(f"its {where} is {_kind(part)}, which PPO cannot use.")
    space = env.action_space
    if isinstance(space, spaces.Box) and not (
        np.isfinite(space.low).all() and np.isfinite(space.high).all()
    ):
        _refuse("its action_space has no finite bounds; give low and high.")


def _check_observation(observation: Any, space: spaces.Space[Any], where: str) -> None:
    if isinstance(space, spaces.Dict):
        if not isinstance(observation, dict) or set(observation) != set(space.spaces):
            _refuse(f"{where} returned {_kind(observation)}; expected keys {list(space.spaces)}.")
        for key, part in space.spaces.items():
            _check_observation(observation[key], part, f"{where} in {key!r}")
        return
    try:
        value = np.asarray(observation)
        number = value.dtype.kind in "biuf"
    except ValueError:
        number = False
    if not number:
        _refuse(f"{where} returned {_kind(observation)} as observation, not numbers.")
    shape = space.shape or ()
    if value.shape != shape:
        _refuse(
            f"{where} returned an observation of shape {value.shape}, its observation_space says "
            f"{shape}."
        )
    if not np.isfinite(value).all():
        _refuse(f"{where} returned an observation that is not finite (NaN or infinity).")
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary) and not (
        space.contains(value.astype(space.dtype) if value.ndim else int(value))
    ):
        _refuse(f"{where} returned {str(observation)[:80]}, which is not in {space}.")


def _refuse(what: str) -> None:
    msg = f"env_id: the environment cannot be trained in: {what}"
    raise InvalidInputError(msg, field="env_id")


def _kind(value: Any) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return "nothing" if value is None else f"a {type(value).__name__}"
