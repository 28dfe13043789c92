"""The course's two formulas: golden numbers, properties, and agreement with SB3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from stable_baselines3.common.buffers import RolloutBuffer

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.objective import clipped_surrogate_loss, compute_gae

REWARDS, VALUES, DONES = [1.0, 1, 1, 1], [0.5, 0.4, 0.3, 0.2], [0.0, 0, 1, 0]


@pytest.mark.parametrize(
    ("gae_lambda", "expected"),
    [
        (0.0, [0.896, 0.6, 0.898, 0.899]),
        (0.95, [1.4603, 0.6, 1.7435095, 0.899]),
        (1.0, [1.49, 0.6, 1.78801, 0.899]),
    ],
)
def test_gae_has_the_golden_numbers(gae_lambda: float, expected: list[float]) -> None:
    advantages, returns = compute_gae(REWARDS, VALUES, DONES, 0.1, 0.0, 0.99, gae_lambda)
    np.testing.assert_allclose(advantages, expected, atol=1e-9)
    np.testing.assert_allclose(returns, np.add(expected, VALUES), atol=1e-9)


def test_nothing_is_bootstrapped_when_the_last_observation_begins_an_episode() -> None:
    advantages, _ = compute_gae([1.0], [0.25], [0.0], 100.0, 1.0, 0.99, 0.95)
    np.testing.assert_allclose(advantages, [0.75])


rollouts = st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float64, shape, elements=st.floats(-10, 10)),
        hnp.arrays(np.float64, shape, elements=st.floats(-10, 10)),
        hnp.arrays(np.float64, shape, elements=st.sampled_from([0.0, 1.0])),
        hnp.arrays(np.float64, shape[1], elements=st.floats(-10, 10)),
        hnp.arrays(np.float64, shape[1], elements=st.sampled_from([0.0, 1.0])),
    )
)
fractions = st.floats(0, 1)


@settings(deadline=None, max_examples=50)
@given(rollouts, fractions, fractions)
def test_gae_agrees_with_the_rollout_buffer_of_sb3(
    rollout: tuple[Any, ...], gamma: float, gae_lambda: float
) -> None:
    rewards, values, dones, last_value, last_done = rollout
    steps, envs = rewards.shape
    buffer = RolloutBuffer(
        steps,
        spaces.Box(-1, 1, (1,)),
        spaces.Discrete(2),
        device="cpu",
        gae_lambda=gae_lambda,
        gamma=gamma,
        n_envs=envs,
    )
    for t in range(steps):
        buffer.add(
            np.zeros((envs, 1)),
            np.zeros((envs, 1)),
            rewards[t],
            dones[t],
            torch.tensor(values[t]),
            torch.zeros(envs),
        )
    buffer.compute_returns_and_advantage(torch.tensor(last_value), last_done)
    advantages, returns = compute_gae(*rollout, gamma, gae_lambda)
    np.testing.assert_allclose(advantages, buffer.advantages, atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(returns, buffer.returns, atol=1e-3, rtol=1e-4)


@settings(deadline=None, max_examples=50)
@given(rollouts, fractions, fractions)
def test_environments_do_not_touch_each_other(
    rollout: tuple[Any, ...], gamma: float, gae_lambda: float
) -> None:
    together, _ = compute_gae(*rollout, gamma, gae_lambda)
    for env in range(together.shape[1]):
        rewards, values, dones, last_value, last_done = (part[..., env] for part in rollout)
        alone, _ = compute_gae(rewards, values, dones, last_value, last_done, gamma, gae_lambda)
        np.testing.assert_array_equal(together[:, env], alone)


@settings(deadline=None, max_examples=50)
@given(rollouts, fractions)
def test_with_lambda_zero_the_advantage_is_the_td_error(
    rollout: tuple[Any, ...], gamma: float
) -> None:
    rewards, values, dones, last_value, last_done = rollout
    next_values = np.vstack([values[1:], last_value[None]])
    next_dones = np.vstack([dones[1:], last_done[None]])
    advantages, _ = compute_gae(*rollout, gamma, 0.0)
    expected = rewards + gamma * next_values * (1 - next_dones) - values
    np.testing.assert_allclose(advantages, expected, atol=1e-9)


@settings(deadline=None, max_examples=50)
@given(rollouts, fractions, st.floats(-10, 10), st.data())
def test_rewards_after_an_episode_s_end_do_not_count_for_it(
    rollout: tuple[Any, ...], gae_lambda: float, change: float, data: st.DataObject
) -> None:
    rewards, values, dones, last_value, last_done = rollout
    start = data.draw(st.integers(0, len(rewards) - 1))
    dones[start] = 1.0
    before, _ = compute_gae(*rollout, 0.99, gae_lambda)
    changed = rewards.copy()
    changed[start:] += change
    after, _ = compute_gae(changed, values, dones, last_value, last_done, 0.99, gae_lambda)
    np.testing.assert_array_equal(before[:start], after[:start])


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("rewards", ([1.0, 1.0], [1.0], [0.0, 0.0], 0.0, 0.0)),
        ("rewards", (1.0, 1.0, 0.0, 0.0, 0.0)),
        ("last_value", ([1.0], [1.0], [0.0], [0.0], 0.0)),
        ("last_value", ([[1.0]], [[1.0]], [[0.0]], 0.0, 0.0)),
        ("values", ([1.0], ["many"], [0.0], 0.0, 0.0)),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(field: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        compute_gae(*arguments, 0.99, 0.95)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("ratio", "advantage", "objective"),
    [(0.5, 1, 0.5), (0.5, -1, -0.8), (1, 1, 1), (1, -1, -1), (1.5, 1, 1.2), (1.5, -1, -1.5)],
)
def test_the_clipped_loss_has_the_six_golden_values(
    ratio: float, advantage: float, objective: float
) -> None:
    assert clipped_surrogate_loss([np.log(ratio)], [advantage], 0.2) == pytest.approx(-objective)


pairs = st.integers(1, 20).flatmap(
    lambda n: st.tuples(
        hnp.arrays(np.float64, n, elements=st.floats(-3, 3)),
        hnp.arrays(np.float64, n, elements=st.floats(-5, 5)),
    )
)


@settings(deadline=None, max_examples=50)
@given(pairs, st.floats(0.01, 0.9))
def test_the_clipped_loss_agrees_with_the_formula_of_sb3(
    pair: tuple[Any, Any], clip_range: float
) -> None:
    logratio, advantages = (torch.tensor(part) for part in pair)
    ratio = torch.exp(logratio)
    clamped = torch.clamp(ratio, 1 - clip_range, 1 + clip_range)
    expected = -torch.min(advantages * ratio, advantages * clamped).mean().item()
    assert clipped_surrogate_loss(*pair, clip_range) == pytest.approx(expected, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(pairs, st.floats(0.01, 0.9))
def test_the_clipped_loss_is_never_more_optimistic_than_the_unclipped_one(
    pair: tuple[Any, Any], clip_range: float
) -> None:
    unclipped = -np.mean(np.exp(pair[0]) * pair[1])
    assert clipped_surrogate_loss(*pair, clip_range) >= unclipped - 1e-9


def test_arrays_that_would_broadcast_silently_are_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        clipped_surrogate_loss(np.zeros((7, 1)), np.zeros(7), 0.2)
    assert caught.value.field == "logratio"
    with pytest.raises(InvalidInputError):
        clipped_surrogate_loss([], [], 0.2)
