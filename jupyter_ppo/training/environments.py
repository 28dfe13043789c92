"""Environments for training and for evaluations, checked before the first step.

Loads Stable-Baselines3 and so torch: only workers import this module.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.cartpole import CartPoleVectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecNormalize

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.hyperparameters import VecEnvKind
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.training.env_checks import Beat, check_environment, env_code, env_error
from jupyter_ppo.training.env_state import why_not_exact
from jupyter_ppo.training.native_envs import NativeVecEnv, native_vector_env, seed_each_cartpole

#: A class of the user's own, or a function that returns an environment.
EnvFactory = Callable[..., Any]


class ShapeCheck(gym.Wrapper[Any, Any, Any, Any]):
    """Refuses observations of another shape, which NumPy would stretch without a word."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        self._shape = space.shape if isinstance(space, spaces.Box) else None

    def reset(self, **options: Any) -> Any:
        """Reset, and check the observation."""
        result = self.env.reset(**options)
        self._check(result[0], "reset()")
        return result

    def step(self, action: Any) -> Any:
        """Step, and check the observation."""
        result = self.env.step(action)
        self._check(result[0], "step()")
        return result

    def _check(self, observation: Any, where: str) -> None:
        if self._shape is not None and np.shape(observation) != self._shape:
            msg = (
                f"env_id: {where} of the environment returned an observation of shape "
                f"{np.shape(observation)}, its observation_space says {self._shape}."
            )
            raise InvalidInputError(msg, field="env_id")


def make_env(spec: RunSpec, env: EnvFactory | None) -> gym.Env[Any, Any]:
    """Return one environment; raise ``InvalidInputError`` when it cannot be made."""
    made: Any
    try:
        if env is None:
            made = gym.make(spec.env_id, disable_env_checker=True, **spec.env_kwargs)
        else:
            made = env(**spec.env_kwargs)
    except gym.error.DependencyNotInstalled as error:
        msg = f"env_id: {spec.env_id} needs a package that is not installed: {error}"
        raise InvalidInputError(msg, field="env_id") from error
    except (gym.error.Error, ModuleNotFoundError) as error:
        msg = (
            f"env_id: Gymnasium cannot make {spec.env_id!r} ({str(error).strip()[:300]}). Use a "
            "registered id, 'module:Name-v0', or give the class itself."
        )
        raise InvalidInputError(msg, field="env_id") from error
    except (Exception, SystemExit) as error:
        problem = env_error("making the environment", error)
        raise problem from error
    if not isinstance(made, gym.Env):
        msg = (
            f"env_id: {spec.env_id} gives a {type(made).__name__}, not a gymnasium.Env. "
            "Let the class inherit from gymnasium.Env."
        )
        raise InvalidInputError(msg, field="env_id")
    return made if env is None else ShapeCheck(made)


def make_training_envs(
    spec: RunSpec,
    env: EnvFactory | None,
    seed: int,
    warn: Callable[[str], None] = lambda _: None,
    beat: Beat = lambda: None,
) -> VecEnv:
    """Return the copies to train in, normalised when the spec says so.

    ``warn`` is told in one sentence what is not as the spec asks. Raises ``InvalidInputError``
    when the environment cannot be used.
    """
    beat()
    envs = _native(spec, env, warn, beat) or _dummy(spec, env, seed, beat)
    envs.seed(seed)
    if not spec.normalizes:
        return envs
    try:
        return VecNormalize(
            envs,
            norm_obs=spec.normalize_observations,
            norm_reward=spec.normalize_rewards,
            clip_obs=spec.clip_observations,
            clip_reward=spec.clip_rewards,
            gamma=spec.gamma,
        )
    except ValueError as error:
        envs.close()
        msg = f"normalize_observations: the observations cannot be normalised ({error})."
        raise InvalidInputError(msg, field="normalize_observations") from error


def trial(spec: RunSpec, env: EnvFactory | None, envs: VecEnv, beat: Beat = lambda: None) -> str:
    """Try the environment out on a spare copy before a run; return why it is not exact, or "".

    Raises ``InvalidInputError`` naming what it returns wrongly. CartPole's native code is known.
    """
    base = envs.venv if isinstance(envs, VecNormalize) else envs
    if isinstance(base, NativeVecEnv):
        if isinstance(base.env, CartPoleVectorEnv):
            return ""
        beat()
        spare: Any = native_vector_env(spec)
        return why_not_exact(spare, beat)
    beat()
    spare = make_env(spec, env)
    try:
        check_environment(spare, beat)
        with env_code("stepping the environment"):
            return why_not_exact(spare, beat)
    finally:
        spare.close()


def _native(
    spec: RunSpec, env: EnvFactory | None, warn: Callable[[str], None], beat: Beat
) -> NativeVecEnv | None:
    if spec.vec_env is VecEnvKind.DUMMY:
        return None
    if env is not None:
        found: Any = "A class of your own has no vectorised code."
    else:
        found = native_vector_env(spec)
    if not isinstance(found, str):
        if spec.vec_env is VecEnvKind.NATIVE or isinstance(found, CartPoleVectorEnv):
            return NativeVecEnv(found)
        reason = why_not_exact(found, beat)
        if not reason:
            return NativeVecEnv(found)
        found.close()
        found = reason
    if spec.vec_env is VecEnvKind.NATIVE:
        warn(f"vec_env: {found} The copies are stepped one after another (dummy).")
    return None


class SteppedEnvs(DummyVecEnv):
    """SB3's copies in one process; ``beat`` is called before each of them is asked."""

    def __init__(self, makers: list[Callable[[], gym.Env[Any, Any]]], beat: Beat) -> None:
        super().__init__(makers)
        self._beat = beat

    def step_wait(self) -> Any:
        """Step all copies, as SB3 2.9 does."""
        for index, env in enumerate(self.envs):
            self._beat()
            seen, reward, terminated, truncated, info = env.step(self.actions[index])
            self.buf_rews[index] = reward
            self.buf_dones[index] = terminated or truncated
            info["TimeLimit.truncated"] = truncated and not terminated
            if self.buf_dones[index]:
                info["terminal_observation"] = seen
                self._beat()
                seen, self.reset_infos[index] = env.reset()
            self.buf_infos[index] = info
            self._save_obs(index, seen)
        infos = deepcopy(self.buf_infos)
        return self._obs_from_buf(), self.buf_rews.copy(), self.buf_dones.copy(), infos

    def reset(self) -> Any:
        """Reset all copies, with the seeds that they were given since the last time."""
        for index, env in enumerate(self.envs):
            self._beat()
            seen, self.reset_infos[index] = env.reset(seed=self._seeds[index])
            self._save_obs(index, seen)
        self._reset_seeds()
        return self._obs_from_buf()


def _dummy(spec: RunSpec, env: EnvFactory | None, seed: int, beat: Beat) -> DummyVecEnv:
    def maker(rank: int) -> Callable[[], gym.Env[Any, Any]]:
        def make() -> gym.Env[Any, Any]:
            beat()
            made = make_env(spec, env)
            made.action_space.seed(seed + rank)
            return Monitor(made)

        return make

    with env_code("making the environments"):
        return SteppedEnvs([maker(rank) for rank in range(spec.n_envs)], beat)


class EvaluationEnvs:
    """Copies for one episode each, copy i with the seed ``seed + i``; finished ones stand still."""

    def __init__(
        self, envs: Sequence[gym.Env[Any, Any]], seed: int, beat: Beat = lambda: None
    ) -> None:
        self._beat = beat
        self.num_envs = len(envs)
        self._envs = list(envs)
        self._seed = seed
        self._observations: list[Any] = []
        self._done = np.zeros(self.num_envs, dtype=bool)

    def reset(self) -> Any:
        """Begin the episodes and return all observations."""
        self._done[:] = False
        self._observations = []
        for index, env in enumerate(self._envs):
            self._beat()
            self._observations.append(env.reset(seed=self._seed + index)[0])
        return self._stacked()

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_]]:
        """Step the copies that are not finished; return observations, rewards and who is done."""
        rewards = np.zeros(self.num_envs)
        for index, env in enumerate(self._envs):
            if not self._done[index]:
                self._beat()
                observation, reward, terminated, truncated, _ = env.step(actions[index])
                self._observations[index] = observation
                rewards[index] = float(reward)
                self._done[index] = terminated or truncated
        return self._stacked(), rewards, self._done.copy()

    def close(self) -> None:
        """Close all copies."""
        for env in self._envs:
            env.close()

    def _stacked(self) -> Any:
        # In the type of the space, as the copies for training give them.
        space = self._envs[0].observation_space
        if isinstance(space, spaces.Dict):
            return {
                key: np.stack([one[key] for one in self._observations]).astype(part.dtype)
                for key, part in space.spaces.items()
            }
        return np.stack(self._observations).astype(space.dtype)


class CartPoleEvaluation(EvaluationEnvs):
    """The same for CartPole, all copies in one call."""

    def __init__(self, env: CartPoleVectorEnv, seed: int) -> None:
        super().__init__([], seed)
        self.num_envs = env.num_envs
        self._env = env
        self._done = np.zeros(env.num_envs, dtype=bool)

    def reset(self) -> Any:
        """Begin the episodes and return all observations."""
        self._done[:] = False
        return seed_each_cartpole(self._env, [self._seed + i for i in range(self.num_envs)])

    def step(self, actions: Any) -> tuple[Any, NDArray[np.float64], NDArray[np.bool_]]:
        """Step all copies; what finished ones do is not looked at."""
        before = self._done.copy()
        observations, rewards, terminated, truncated, _ = self._env.step(actions)
        self._done |= terminated | truncated
        return observations, np.where(before, 0.0, rewards), self._done.copy()

    def close(self) -> None:
        """Close the environment."""
        self._env.close()


def make_evaluation_envs(
    spec: RunSpec,
    env: EnvFactory | None,
    episodes: int,
    seed: int,
    beat: Beat = lambda: None,
) -> EvaluationEnvs:
    """Return ``episodes`` copies, seeded one by one; raise ``InvalidInputError``."""
    beat()
    if env is None and spec.vec_env is not VecEnvKind.DUMMY:
        found = native_vector_env(spec, episodes)
        if isinstance(found, CartPoleVectorEnv):
            return CartPoleEvaluation(found, seed)
        if not isinstance(found, str):
            found.close()
    made = []
    for _ in range(episodes):
        beat()
        made.append(make_env(spec, env))
    return EvaluationEnvs(made, seed, beat)
