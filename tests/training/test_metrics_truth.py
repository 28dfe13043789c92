"""Every number is what it says it is: recomputed here from what happened."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.training import TIMING, Metric
from jupyter_ppo.training.metric_log import current_points

_SEEN: list[tuple[int, float, int]] = []


class Ledger(gym.Env[Any, Any]):
    """Writes down every episode with the copy it was in."""

    observation_space = gym.spaces.Box(-100, 100, (2,), np.float32)
    action_space = gym.spaces.Box(-1, 1, (1,), np.float32)
    copies = 0

    def __init__(self) -> None:
        self.copy = Ledger.copies
        Ledger.copies += 1

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.total, self.t = 0.0, 0
        self.length = int(self.np_random.integers(3, 15))
        return self.np_random.normal(size=2).astype(np.float32), {}

    def step(self, action: Any) -> Any:
        reward = float(self.np_random.normal())
        self.total += reward
        self.t += 1
        done = self.t >= self.length
        if done:
            _SEEN.append((self.copy, self.total, self.t))
        return self.np_random.normal(size=2).astype(np.float32), reward, done, False, {}


@pytest.mark.parametrize("normalised", [False, True])
def test_every_episode_is_there_once_at_its_step_with_its_own_return(
    normalised: bool, train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(env_id="Ledger", normalize_rewards=normalised)
    _SEEN.clear()
    Ledger.copies = 0
    files = train("run", spec, env=Ledger)
    points = [p for p in current_points(files.metrics_file) if Metric.RETURN in p.values]
    # The four copies are the first four; a spare one was tried out before the run.
    played = [one for one in _SEEN if one[0] < spec.n_envs]
    assert len(points) == len(played) > 50
    steps = [0] * spec.n_envs
    for point, (copy, total, length) in zip(points, played, strict=True):
        assert point.values[Metric.RETURN] == pytest.approx(total, abs=1e-5)  # not normalised
        assert point.values[Metric.LENGTH] == length
        steps[copy] += length
        assert point.step == steps[copy] * spec.n_envs


def test_updates_are_at_whole_rollouts_the_last_one_included(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(env_id="Ledger", total_steps=1000), env=Ledger)
    points = current_points(files.metrics_file)
    updates = [point for point in points if Metric.APPROX_KL in point.values]
    assert [point.step for point in updates] == [128 * number for number in range(1, 9)]
    returns: list[float] = []
    for point in points:
        if Metric.RETURN in point.values:
            returns.append(point.values[Metric.RETURN])
        if Metric.MEAN_RETURN in point.values:
            last = returns[-100:]
            assert point.values[Metric.MEAN_RETURN] == pytest.approx(sum(last) / len(last))
    assert len(returns) > 100


def test_the_time_split_adds_up_and_speed_is_steps_over_it(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    spec = small_spec(n_epochs=1)
    files = train("run", spec)
    points = current_points(files.metrics_file)
    updates = [point for point in points if Metric.SECONDS_ENV in point.values]
    total = 0.0
    for point in updates:
        parts = [
            point.values[name]
            for name in (Metric.SECONDS_ENV, Metric.SECONDS_FORWARD, Metric.SECONDS_UPDATE)
        ]
        assert min(parts) > 0
        speed = spec.rollout_size / sum(parts)
        assert point.values[Metric.STEPS_PER_SECOND] == pytest.approx(speed)
        total += sum(parts)
    assert total <= points[-1].seconds


def test_evaluations_are_points_as_well(train: Any, small_spec: Callable[..., RunSpec]) -> None:
    files = train("run", small_spec(eval_every=512, eval_episodes=3))
    points = [p for p in current_points(files.metrics_file) if Metric.EVAL_RETURN in p.values]
    for point, evaluation in zip(points, files.read_evaluations(), strict=True):
        assert point.step == evaluation.step
        assert point.values[Metric.EVAL_RETURN] == evaluation.mean_return
        assert point.values[Metric.EVAL_LENGTH] == sum(evaluation.lengths) / 3


def test_values_are_in_their_ranges_and_named_as_documented(
    train: Any, small_spec: Callable[..., RunSpec]
) -> None:
    files = train("run", small_spec(env_id="Ledger"), env=Ledger)
    (first, *_) = [p for p in current_points(files.metrics_file) if Metric.LOSS in p.values]
    assert set(first.values) == {
        Metric.APPROX_KL, Metric.CLIP_FRACTION, Metric.ENTROPY, Metric.EXPLAINED_VARIANCE,
        Metric.LOSS, Metric.VALUE_LOSS, Metric.POLICY_GRADIENT_LOSS, Metric.LEARNING_RATE,
        Metric.CLIP_RANGE, Metric.ACTION_STD, Metric.MEAN_RETURN, *TIMING,
    }  # fmt: skip
    assert first.values[Metric.ENTROPY] == pytest.approx(0.5 * math.log(2 * math.pi * math.e), 0.01)
    assert first.values[Metric.ACTION_STD] == pytest.approx(1.0, 0.01)
    assert 0 <= first.values[Metric.CLIP_FRACTION] <= 1
    assert first.values[Metric.EXPLAINED_VARIANCE] <= 1
    assert first.values[Metric.APPROX_KL] >= 0
