"""Episodes of a policy on held-out seeds, many copies at once. Training is not touched by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import set_random_seed

from jupyter_ppo.training.environments import EvaluationEnvs

#: An episode that has not ended by then is cut; only one without a time limit gets there.
LONGEST_EPISODE: Final = 100_000

#: Takes a batch of observations as the environments return them, gives a batch of actions.
Predictor = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Episodes:
    """What one evaluation gave; ``cut`` episodes were ended after ``LONGEST_EPISODE`` steps."""

    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    cut: int


class Normaliser:
    """Running statistics, frozen: what ``VecNormalize.normalize_obs`` does outside of training."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Use the arrays of normalisation.npz."""
        self._arrays = dict(arrays)

    @classmethod
    def from_bytes(cls, data: bytes) -> Normaliser:
        """Return the one of a stored normalisation.npz; nothing is unpickled."""
        from jupyter_ppo.training.snapshot import from_npz

        return cls(from_npz(data))

    def observations(self, batch: Any) -> Any:
        """Return normalised observations; those without statistics as they are."""
        if isinstance(batch, dict):
            return {key: self._normalised(value, f"/{key}") for key, value in batch.items()}
        return self._normalised(batch, "")

    def _normalised(self, batch: NDArray[Any], end: str) -> NDArray[Any]:
        arrays = self._arrays
        if f"obs_mean{end}" not in arrays:
            return batch
        deviation = np.sqrt(arrays[f"obs_var{end}"] + float(arrays["epsilon"]))
        bound = float(arrays["clip_obs"])
        scaled = (batch - arrays[f"obs_mean{end}"]) / deviation
        return np.asarray(np.clip(scaled, -bound, bound), dtype=np.float32)


def policy_predictor(
    policy: BasePolicy, normaliser: Normaliser | None, deterministic: bool
) -> Predictor:
    """Return what chooses actions for a batch of observations."""

    def predict(observations: Any) -> Any:
        if normaliser is not None:
            observations = normaliser.observations(observations)
        return policy.predict(observations, deterministic=deterministic)[0]

    return predict


def seed_episodes(policy: BasePolicy, seed: int, episodes: int) -> None:
    """Seed all global generators, so that drawn actions depend on the seed and nothing else."""
    set_random_seed(seed)
    if getattr(policy, "use_sde", False):
        policy.reset_noise(episodes)  # type: ignore[operator]


def evaluate(
    predict: Predictor, envs: EvaluationEnvs, tick: Callable[[], None] = lambda: None
) -> Episodes:
    """Play the first episode of every copy; ``tick`` is called before each step and may raise."""
    returns = np.zeros(envs.num_envs)
    lengths = np.zeros(envs.num_envs, dtype=np.int64)
    done = np.zeros(envs.num_envs, dtype=bool)
    tick()
    observations = envs.reset()
    for _ in range(LONGEST_EPISODE):
        tick()
        actions = predict(observations)
        lengths += ~done
        observations, rewards, done = envs.step(actions)
        returns += rewards
        if done.all():
            break
    return Episodes(
        tuple(float(value) for value in returns),
        tuple(int(value) for value in lengths),
        int((~done).sum()),
    )
