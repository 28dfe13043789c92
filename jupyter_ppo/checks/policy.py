"""Examine a policy: environments and seeds on the test's side, observations in, actions out.

In the examiner the policy is a proxy to the student's kernel, so that nothing which decides the
returns (the environment, its random numbers, the count of steps) is in the student's reach. All
episodes run side by side: one call of the policy per time step, whatever the number of episodes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from jupyter_ppo.checks import record

DEFAULT_EPISODES = 20
MAX_EPISODES = 1000
_DEFAULT_SEED = 20_260_101
_OBSERVATIONS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
_WHOLE_ACTIONS = (spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
_NUMBERS = frozenset({bool, int, float, *(np.dtype(code).type for code in "?bhilqBHILQefdg")})


class PolicyError(ValueError):
    """What the policy returned cannot be used as actions; the message says how it should be."""


@dataclass(frozen=True, slots=True)
class PolicyReport:
    """What a policy reached.

    ``returns`` are the undiscounted sums of rewards, ``lengths`` the steps, one per episode.
    ``low`` to ``high`` is the 95 % confidence interval of the mean (Student's t).
    """

    env_id: str
    returns: tuple[float, ...]
    lengths: tuple[int, ...]
    mean: float
    low: float
    high: float

    @property
    def episodes(self) -> int:
        """How many episodes were run."""
        return len(self.returns)

    @property
    def records(self) -> dict[str, Any]:
        """The same as plain data, as a grade keeps it. Seeds are not in it."""
        return {
            "env_id": self.env_id,
            "episodes": self.episodes,
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "returns": list(self.returns),
            "lengths": list(self.lengths),
        }

    def __str__(self) -> str:
        return (
            f"{self.env_id}: mean return {self.mean:.1f} over {self.episodes} episodes "
            f"(95 % confidence interval {self.low:.1f} to {self.high:.1f})"
        )

    __repr__ = __str__


def examine_policy(
    policy: Any,
    env_id: str,
    episodes: int | None = None,
    seeds: int | Sequence[int] | None = None,
    *,
    max_steps: int | None = None,
    deterministic: bool = True,
    env_kwargs: Mapping[str, Any] | None = None,
) -> PolicyReport:
    """Run ``policy`` in ``env_id`` and return what it reached; a grade shows it too.

    ``policy`` is a function of a batch of observations, shape ``(n, *observation_shape)``, that
    returns ``n`` actions, or an object with Stable-Baselines3's ``predict``, which is also told
    ``deterministic``. Episodes that have ended drop out of the batch, so row ``i`` is not always
    episode ``i``. Actions of a ``Box`` are cast to its type and clipped to its bounds, as
    Stable-Baselines3 does; any other action outside the space is an error.

    There are 20 ``episodes``, or as many as ``seeds``: one for the reset of each environment, or a
    single number from which they are made. Keep them in a hidden test: a policy can be fitted to
    known ones. ``max_steps`` replaces the time limit that the environment is registered with.

    Raises ``PolicyError`` for actions that cannot be used, ``TypeError`` and ``ValueError`` for
    arguments that cannot, and whatever the policy raises.
    """
    act = _actor(policy, deterministic=deterministic)
    numbers = _seeds(episodes, seeds)
    options = dict(env_kwargs or {})
    if max_steps is not None:
        options["max_episode_steps"] = _whole("max_steps", max_steps, 1, sys.maxsize)
    with ExitStack() as stack:
        envs = [stack.enter_context(gym.make(env_id, **options)) for _ in numbers]
        returns, lengths = _episodes(act, envs, numbers)
    if not all(map(math.isfinite, returns)):
        msg = f"{env_id} gave a return that is not finite; look at its rewards"
        raise ValueError(msg)
    mean, half = mean_and_half_width(returns)
    report = PolicyReport(
        str(env_id), tuple(returns), tuple(lengths), mean, mean - half, mean + half
    )
    record.note(report.records)
    return report


def _episodes(
    act: Callable[[NDArray[Any]], object], envs: Sequence[gym.Env[Any, Any]], seeds: Sequence[int]
) -> tuple[list[float], list[int]]:
    """Run one episode in each environment; return their returns and lengths."""
    seen, wanted = envs[0].observation_space, envs[0].action_space
    if not isinstance(seen, _OBSERVATIONS):
        msg = f"observations of the kind {type(seen).__name__} cannot be stacked into one array; "
        raise TypeError(msg + "wrap the environment in gymnasium's FlattenObservation")
    returns, lengths = [0.0] * len(envs), [0] * len(envs)
    observations = [env.reset(seed=seed)[0] for env, seed in zip(envs, seeds, strict=True)]
    running = list(range(len(envs)))
    while running:
        # A new array each time: what the policy does to it stays without effect.
        batch = np.stack([np.asarray(observations[i], dtype=seen.dtype) for i in running])
        actions = checked_actions(act(batch), wanted, len(running))
        still = []
        for i, action in zip(running, actions, strict=True):
            observations[i], reward, terminated, truncated, _ = envs[i].step(action)
            returns[i] += float(reward)
            lengths[i] += 1
            if not (terminated or truncated):
                still.append(i)
        running = still
    return returns, lengths


def _actor(policy: Any, *, deterministic: bool) -> Callable[[NDArray[Any]], object]:
    predict = getattr(policy, "predict", None)
    if predict is not None and callable(predict):

        def act(observations: NDArray[Any]) -> object:
            answer = predict(observations, deterministic=deterministic)
            # Stable-Baselines3 returns the actions and the state of a recurrent policy.
            return answer[0] if type(answer) is tuple and len(answer) == 2 else answer

        return act
    if not callable(policy):
        msg = "policy should be a function of observations, or an object with a method predict"
        raise TypeError(msg)
    call: Callable[[NDArray[Any]], object] = policy
    return call


def checked_actions(answer: object, space: spaces.Space[Any], count: int) -> list[Any]:
    """Return ``count`` actions for the environments, or raise ``PolicyError``."""
    if not isinstance(space, (spaces.Box, *_WHOLE_ACTIONS)):
        msg = f"actions of the kind {type(space).__name__} are not supported"
        raise TypeError(msg)
    array = _array(answer)
    shape = (count, *(space.shape or ()))
    if array.shape != shape:
        msg = f"the policy returned actions of shape {array.shape} for {count} observations; "
        raise PolicyError(msg + f"they should have shape {shape}, one row for each observation")
    if isinstance(space, spaces.Box):
        return list(_in_box(array, space))
    if array.dtype.kind not in "biu":
        msg = f"the policy returned actions of type {array.dtype}; this environment takes whole "
        raise PolicyError(msg + "numbers, such as an argmax")
    low, high = _whole_range(space)
    wrong = (array < low) | (array > high)
    if wrong.any():
        msg = f"the policy returned the action {array[wrong].flat[0]}, which is not in {space}"
        raise PolicyError(msg)
    if isinstance(space, spaces.Discrete):
        return [space.dtype.type(action) for action in array.tolist()]
    return list(array.astype(space.dtype))


def _in_box(array: NDArray[Any], space: spaces.Box) -> NDArray[Any]:
    if array.dtype.kind not in "biuf":
        msg = f"the policy returned actions of type {array.dtype}; floats are expected"
        raise PolicyError(msg)
    if np.isnan(array).any():
        msg = "the policy returned an action that is not a number (NaN)"
        raise PolicyError(msg)
    if array.dtype.kind == "b":
        array = array.astype(space.dtype)
    # Clipped before the cast, so that nothing overflows in it.
    clipped: NDArray[Any] = np.clip(array, space.low, space.high).astype(space.dtype)
    if not np.isfinite(clipped).all():
        msg = "the policy returned an infinite action, and the environment sets no bound"
        raise PolicyError(msg)
    return clipped


def _whole_range(space: spaces.Space[Any]) -> tuple[Any, Any]:
    if isinstance(space, spaces.Discrete):
        return int(space.start), int(space.start) + int(space.n) - 1
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    return 0, 1


def _array(answer: object) -> NDArray[Any]:
    """Return an array of the answer's own numbers; nothing but exact types is looked into."""
    torch = sys.modules.get("torch")
    if torch is not None and type(answer) is torch.Tensor:
        answer = answer.detach().cpu().numpy()  # type: ignore[attr-defined]
    if type(answer) is np.ndarray:
        return answer
    if type(answer) in _NUMBERS:
        return np.asarray(answer)
    if type(answer) not in {list, tuple}:
        msg = f"the policy returned {type(answer).__name__}; an array of actions is expected"
        raise PolicyError(msg)
    rows = [_array(item) for item in answer]  # type: ignore[attr-defined]
    if len({row.shape for row in rows}) > 1:
        msg = "the policy returned a list with actions of different shapes"
        raise PolicyError(msg)
    return np.array(rows)


def _seeds(episodes: int | None, seeds: int | Sequence[int] | None) -> list[int]:
    if seeds is None or isinstance(seeds, (int, np.integer)):
        if episodes is None:
            episodes = DEFAULT_EPISODES
        count = _whole("episodes", episodes, 2, MAX_EPISODES)
        start = _DEFAULT_SEED if seeds is None else _whole("seeds", seeds, 0, 2**64)
        return [int(word) for word in np.random.SeedSequence(start).generate_state(count)]
    numbers = [_whole("seeds", seed, 0, 2**32 - 1) for seed in seeds]
    if episodes is not None and episodes != len(numbers):
        msg = f"episodes is {episodes}, but there are {len(numbers)} seeds; give one of them only"
        raise ValueError(msg)
    _whole("the number of seeds", len(numbers), 2, MAX_EPISODES)
    return numbers


def _whole(name: str, value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        msg = f"{name} should hold whole numbers, not {type(value).__name__}"
        raise TypeError(msg)
    if not low <= value <= high:
        msg = f"{name} should be from {low} to {high}, not {value}"
        raise ValueError(msg)
    return int(value)


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half the width of its 95 % confidence interval, by Student's t."""
    count = len(values)
    mean = math.fsum(values) / count
    variance = math.fsum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, student_t_975(count - 1) * math.sqrt(variance / count)


def student_t_975(freedom: int) -> float:
    """Return the t that a t-distributed variable exceeds with probability 2.5 %.

    Found by bisection on the closed form for whole degrees of freedom (Abramowitz and Stegun,
    26.7.3 and 26.7.4).
    """
    low, high = 1.9, 12.8  # the normal distribution's 1.96 and one degree's 12.71
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        if _central_probability(middle, freedom) < 0.95:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _central_probability(t: float, freedom: int) -> float:
    """Return the probability of a value between -t and t."""
    theta = math.atan(t / math.sqrt(freedom))
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = freedom % 2
    term, series = (cosine, 0.0) if odd else (1.0, 0.0)
    for k in range(1 + odd, freedom, 2):
        series += term
        term *= cosine * cosine * k / (k + 1)
    return 2 / math.pi * (theta + sine * series) if odd else sine * series
