"""Environments that step all copies in one call, behind SB3's ``VecEnv``.

SB3 expects the step that ends an episode to return the first observation of the next one
("same-step" reset). Gymnasium's vectorised CartPole resets one step later, which SB3 would learn
from as if it were a step; here its finished copies are reset at once. Other vectorised
environments are taken when they reset in the same step by themselves (Gymnasium 1.2,
``AutoresetMode.SAME_STEP``). What ``Monitor`` does for single environments is done here as well.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from jupyter_ppo.domain.run_spec import RunSpec

_ACTION_SPACES = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)


def native_vector_env(spec: RunSpec, num_envs: int | None = None) -> VectorEnv[Any, Any, Any] | str:
    """Return the environment's own vectorised code, or why it cannot be used, one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env = gym.make_vec(
                spec.env_id,
                num_envs=num_envs or spec.n_envs,
                vectorization_mode="vector_entry_point",
                **spec.env_kwargs,
            )
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return f"{spec.env_id} has no vectorised code that can be used here ({lines[0][:200]})."
    if type(env.unwrapped) is CartPoleVectorEnv:
        return env.unwrapped
    reason = ""
    mode = env.metadata.get("autoreset_mode")
    if mode is not AutoresetMode.SAME_STEP:
        name = mode.value if isinstance(mode, AutoresetMode) else "an unknown"
        reason = (
            f"The vectorised code of {spec.env_id} has {name} autoreset, which PPO would learn "
            "from as if resets were steps."
        )
    elif not isinstance(env.single_observation_space, spaces.Box) or not isinstance(
        env.single_action_space, _ACTION_SPACES
    ):
        reason = f"The spaces of the vectorised code of {spec.env_id} cannot be used with PPO."
    if reason:
        env.close()
        return reason
    return env


class NativeVecEnv(VecEnv):
    """SB3's view of a vectorised environment with same-step reset, and of its episodes."""

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self.env = env
        self.episode_returns: NDArray[np.float64] = np.zeros(env.num_envs)
        self.episode_lengths: NDArray[np.int64] = np.zeros(env.num_envs, np.int64)
        self._cartpole = env if isinstance(env, CartPoleVectorEnv) else None
        self._actions: Any = None
        self._next_seed: int | None = None
        self._nothing: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """Use ``seed`` at the next reset; all copies share one generator."""
        self._next_seed = seed
        return [seed] * self.num_envs

    def reset(self) -> Any:
        """Reset all copies and return their observations."""
        observations, _ = self.env.reset(seed=self._next_seed)
        self._next_seed = None
        self.episode_returns[:] = 0
        self.episode_lengths[:] = 0
        return np.array(observations)

    def step_async(self, actions: Any) -> None:
        """Keep the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Step all copies; the finished ones return the first observation of a new episode."""
        observations, rewards, terminated, truncated, extra = self.env.step(self._actions)
        done = terminated | truncated
        self.episode_returns += rewards
        self.episode_lengths += 1
        if self._cartpole is None:  # arrays that the environment may use again
            observations = np.array(observations)
            rewards = np.array(rewards, dtype=np.float32)
        if not done.any():
            return observations, rewards, done, self._nothing
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        finished = np.flatnonzero(done)
        last = observations if self._cartpole is not None else extra["final_obs"]
        for index in finished:
            infos[index] = {
                "terminal_observation": np.array(last[index]),
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
                "episode": {
                    "r": float(self.episode_returns[index]),
                    "l": int(self.episode_lengths[index]),
                },
            }
        self.episode_returns[finished] = 0
        self.episode_lengths[finished] = 0
        if self._cartpole is not None:
            _reset_cartpoles(self._cartpole, finished, observations)
        return observations, rewards, done, infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of the environment, once per copy."""
        return [getattr(self.env, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of the environment, for all copies."""
        setattr(self.env, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the environment, once per copy."""
        method = getattr(self.env, method_name)
        return [method(*method_args, **method_kwargs) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Return that no copy is wrapped."""
        return [False for _ in self._get_indices(indices)]

    def get_images(self) -> Sequence[NDArray[Any] | None]:
        """Return nothing: native environments are not drawn."""
        return [None] * self.num_envs


def _reset_cartpoles(
    env: CartPoleVectorEnv, finished: NDArray[np.intp], observations: NDArray[np.float32]
) -> None:
    """Begin new episodes in some copies, and write their first observations in place."""
    state: Any = env.state
    state[:, finished] = env.np_random.uniform(low=env.low, high=env.high, size=(4, len(finished)))
    env.steps[finished] = 0
    env.prev_done[finished] = False
    observations[finished] = state[:, finished].T.astype(np.float32)


def seed_each_cartpole(env: CartPoleVectorEnv, seeds: Sequence[int]) -> NDArray[np.float32]:
    """Reset every copy as a single CartPole with its own seed is reset; return observations."""
    env.reset(seed=seeds[0])
    state: Any = env.state
    for column, seed in enumerate(seeds):
        generator, _ = seeding.np_random(seed)
        state[:, column] = generator.uniform(low=env.low, high=env.high, size=(4,))
    return np.asarray(state.T.astype(np.float32))


def cartpole_state(env: CartPoleVectorEnv) -> dict[str, Any]:
    """Return all that decides how the copies go on."""
    return {
        "state": np.array(env.state),
        "steps": env.steps.copy(),
        "prev_done": env.prev_done.copy(),
        "generator": env.np_random.bit_generator.state,
        "low": env.low,
        "high": env.high,
    }


def set_cartpole_state(env: CartPoleVectorEnv, state: dict[str, Any]) -> None:
    """Go on from ``cartpole_state``; the environment must have been reset once."""
    env.state = np.array(state["state"])  # type: ignore[assignment]
    env.steps = np.array(state["steps"])
    env.prev_done = np.array(state["prev_done"])
    env.np_random.bit_generator.state = state["generator"]
    env.low, env.high = state["low"], state["high"]
