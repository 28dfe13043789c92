"""The state of environments, so that a run goes on as if it had not been interrupted.

Single environments are pickled whole. Whether that is enough is not believed but tried once, when
a run starts: a copy must go on exactly as the original does.
"""

from __future__ import annotations

import copy
import io
import pickle
import random
import time
from collections.abc import Callable
from typing import Any

import cloudpickle
import gymnasium as gym
import numpy as np
from gymnasium.utils import EzPickle
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecEnv,
    VecEnvWrapper,
    VecNormalize,
    unwrap_vec_normalize,
)

from jupyter_ppo.training.native_envs import NativeVecEnv, cartpole_state, set_cartpole_state

#: How far a copy is followed, whichever comes first.
_TRIAL_STEPS = 64
_TRIAL_SECONDS = 0.25


def random_state() -> dict[str, Any]:
    """Return the state of Python's and NumPy's global generators."""
    return {"python": random.getstate(), "numpy": np.random.get_state()}


def set_random_state(state: dict[str, Any]) -> None:
    """Go on from ``random_state``."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])


def innermost(envs: VecEnv) -> VecEnv:
    """Return the vector environment below all wrappers."""
    while isinstance(envs, VecEnvWrapper):
        envs = envs.venv
    return envs


def capture_envs(envs: VecEnv) -> tuple[dict[str, Any] | None, str]:
    """Return the state of all copies below the wrappers, or None and why it cannot be had."""
    base = innermost(envs)
    try:
        if isinstance(base, DummyVecEnv):
            for env in base.envs:
                _forget_history(env)
            buffers = {key: value.copy() for key, value in base.buf_obs.items()}
            return {"kind": "dummy", "envs": pickled(base.envs), "buffers": buffers}, ""
        if isinstance(base, NativeVecEnv):
            cartpole = base._cartpole
            return {
                "kind": "native",
                "cartpole": None if cartpole is None else cartpole_state(cartpole),
                "env": pickled(base.env) if cartpole is None else None,
                "returns": base.episode_returns.copy(),
                "lengths": base.episode_lengths.copy(),
            }, ""
    except Exception as error:  # whatever a class of the user's own does when it is pickled
        return None, _cannot_be_copied(error)
    return None, f"The state of {type(base).__name__} cannot be read."


def restore_envs(envs: VecEnv, state: dict[str, Any]) -> None:
    """Go on from ``capture_envs``; raise whatever unpickling raises when it does not fit."""
    base = innermost(envs)
    if state["kind"] == "dummy" and isinstance(base, DummyVecEnv):
        fresh = base.envs
        base.envs = unpickled(state["envs"])
        for key, value in state["buffers"].items():
            base.buf_obs[key] = value.copy()
        for env in fresh:
            env.close()
        return
    if state["kind"] == "native" and isinstance(base, NativeVecEnv):
        if base._cartpole is not None and state["cartpole"] is not None:
            base.reset()
            set_cartpole_state(base._cartpole, state["cartpole"])
        else:
            base.env = unpickled(state["env"])
        base.episode_returns[:] = state["returns"]
        base.episode_lengths[:] = state["lengths"]
        return
    msg = f"the checkpoint has environments of another kind ({state['kind']})"
    raise ValueError(msg)


def normalisation_of(envs: VecEnv) -> dict[str, NDArray[Any]] | None:
    """Return the running statistics of ``VecNormalize`` as plain arrays; None without it."""
    norm = unwrap_vec_normalize(envs)
    if norm is None:
        return None
    found: dict[str, Any] = {
        "returns": norm.returns,
        "clip_obs": norm.clip_obs,
        "clip_reward": norm.clip_reward,
        "epsilon": norm.epsilon,
        "gamma": norm.gamma,
    }
    for name, statistics in _statistics(norm).items():
        prefix, _, key = name.partition("/")
        end = f"/{key}" if key else ""
        found[f"{prefix}_mean{end}"] = statistics.mean
        found[f"{prefix}_var{end}"] = statistics.var
        found[f"{prefix}_count{end}"] = statistics.count
    return {name: np.array(value) for name, value in found.items()}


def restore_normalisation(envs: VecEnv, arrays: dict[str, NDArray[Any]]) -> None:
    """Go on from ``normalisation_of``."""
    norm = unwrap_vec_normalize(envs)
    if norm is None:
        return
    norm.returns = np.array(arrays["returns"])
    for name, statistics in _statistics(norm).items():
        prefix, _, key = name.partition("/")
        end = f"/{key}" if key else ""
        statistics.mean = np.array(arrays[f"{prefix}_mean{end}"])
        statistics.var = np.array(arrays[f"{prefix}_var{end}"])
        statistics.count = float(arrays[f"{prefix}_count{end}"])


def _statistics(norm: VecNormalize) -> dict[str, RunningMeanStd]:
    found: dict[str, RunningMeanStd] = {"ret": norm.ret_rms}
    if norm.norm_obs:
        statistics: Any = norm.obs_rms
        if isinstance(statistics, dict):
            found |= {f"obs/{key}": value for key, value in statistics.items()}
        else:
            found["obs"] = statistics
    return found


def why_not_exact(
    env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any], beat: Callable[[], None] = lambda: None
) -> str:
    """Return why a run with ``env`` cannot go on bit for bit; empty when it can.

    Steps the environment and a copy of it in the same way and compares what they return. Global
    random generators are left as they were; the environment is not. ``beat`` is called before it
    is asked for anything.
    """
    before = random_state()
    try:
        space = copy.deepcopy(env.action_space)
        space.seed(0)
        beat()
        env.reset(seed=0)
        _trace(env, [space.sample() for _ in range(5)], beat)
        actions = [space.sample() for _ in range(_TRIAL_STEPS)]
        try:
            twin = unpickled(pickled(env))
        except Exception as error:
            return _cannot_be_copied(error)
        here = random_state()
        beat()  # the state may be large
        original = _trace(env, actions, beat)
        set_random_state(here)
        copied = _trace(twin, actions[: len(original)], beat, limit=False)
        if not all(map(_same, original, copied)):
            return (
                "A copy of the environment does not go on like the original: some of its state or "
                "randomness is not in its attributes."
            )
        return ""
    finally:
        set_random_state(before)


def _trace(
    env: Any, actions: list[Any], beat: Callable[[], None], *, limit: bool = True
) -> list[Any]:
    deadline = time.monotonic() + _TRIAL_SECONDS
    found: list[Any] = []
    for action in actions:
        beat()
        observation, reward, terminated, truncated, _ = env.step(action)
        seen = [copy.deepcopy((observation, reward, terminated, truncated))]
        if not isinstance(env, VectorEnv) and (terminated or truncated):
            beat()
            seen.append(copy.deepcopy(env.reset()[0]))
        found.append(tuple(seen))
        if limit and time.monotonic() > deadline:
            break
    return found


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    first, second = np.asarray(one), np.asarray(other)
    return first.shape == second.shape and first.tobytes() == second.tobytes()


class _EnvPickler(cloudpickle.Pickler):
    """Pickles what an environment is now; ``EzPickle`` would keep its constructor's arguments."""

    def reducer_override(self, value: Any) -> Any:
        if (
            isinstance(value, EzPickle)
            and type(value).__getstate__ is EzPickle.__getstate__
            and type(value).__reduce_ex__ is object.__reduce_ex__
        ):
            return _bare, (type(value),), dict(value.__dict__), None, None, _set_attributes
        return super().reducer_override(value)


def pickled(value: Any) -> bytes:
    """Return ``value`` with classes of the notebook inside; raise what pickling raises."""
    file = io.BytesIO()
    _EnvPickler(file).dump(value)
    return file.getvalue()


def unpickled(data: bytes) -> Any:
    """Return the value of ``pickled``; only for our own bytes."""
    return pickle.loads(data)  # noqa: S301 - the caller has checked the signature


def _bare(kind: type[Any]) -> Any:
    return object.__new__(kind)


def _set_attributes(value: Any, attributes: dict[str, Any]) -> None:
    value.__dict__.update(attributes)


def _forget_history(env: Any) -> None:
    """Empty the lists of all past episodes that ``Monitor`` keeps and nobody reads."""
    while isinstance(env, gym.Wrapper):
        if isinstance(env, Monitor):
            env.episode_returns.clear()
            env.episode_lengths.clear()
            env.episode_times.clear()
        env = env.env


def _cannot_be_copied(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    about = f"{type(error).__name__}: {lines[0][:200]}".rstrip(": ")
    return f"The environment's state cannot be copied ({about})."
