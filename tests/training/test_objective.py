"""The course's formulas: golden numbers, properties, and agreement with SB3 and PyTorch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.utils import explained_variance as explained_variance_of_sb3

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.objective import (
    approx_kl_k1,
    approx_kl_k3,
    clip_fraction,
    clip_gradient_mask,
    clipped_surrogate_loss,
    clipped_value_loss,
    compute_gae,
    diagnostics,
    explained_variance,
    normalize_advantages,
    residual_variance,
    squared_value_loss,
    total_loss,
)
from jupyter_ppo.training.teaching.update import approx_kl

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


#: Ratio, advantage, and dL/d log pi of the clipped objective.
GRADIENTS = [(0.5, 1, 0.5), (0.5, -1, 0), (1, 1, 1), (1, -1, -1), (1.5, 1, 0), (1.5, -1, -1.5)]


@pytest.mark.parametrize(("ratio", "advantage", "gradient"), GRADIENTS)
def test_the_clipped_loss_has_the_six_golden_gradients(
    ratio: float, advantage: float, gradient: float
) -> None:
    log_ratio, step = np.log(ratio), 1e-6
    above = clipped_surrogate_loss([log_ratio + step], [advantage], 0.2)
    below = clipped_surrogate_loss([log_ratio - step], [advantage], 0.2)
    assert -(above - below) / (2 * step) == pytest.approx(gradient, abs=1e-6)
    (is_kept,) = clip_gradient_mask([log_ratio], [advantage], 0.2)
    assert is_kept * ratio * advantage == pytest.approx(gradient)


@settings(deadline=None, max_examples=50)
@given(pairs, st.floats(0.01, 0.9))
def test_the_mask_is_where_pytorch_has_a_gradient(pair: tuple[Any, Any], clip_range: float) -> None:
    log_ratio = torch.tensor(pair[0], requires_grad=True)
    advantages = torch.tensor(pair[1])
    ratio = log_ratio.exp()
    clamped = ratio.clamp(1 - clip_range, 1 + clip_range)
    torch.min(ratio * advantages, clamped * advantages).sum().backward()
    mask = clip_gradient_mask(*pair, clip_range)
    assert log_ratio.grad is not None
    # Of two equal numbers PyTorch takes half of each gradient; here one is the other's limit.
    is_edge = np.isclose(np.abs(np.exp(pair[0]) - 1), clip_range)
    expected = mask * np.exp(pair[0]) * pair[1]
    np.testing.assert_allclose(log_ratio.grad.numpy()[~is_edge], expected[~is_edge], atol=1e-12)


def test_advantages_are_normalised_with_the_deviation_of_torch() -> None:
    golden = [-1.161895, -0.387298, 0.387298, 1.161895]
    np.testing.assert_allclose(normalize_advantages([1, 2, 3, 4]), golden, atol=1e-6)
    np.testing.assert_array_equal(normalize_advantages([3.0]), [3.0])
    np.testing.assert_array_equal(normalize_advantages([2.0, 2.0]), [0.0, 0.0])


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float64, st.integers(2, 20), elements=st.floats(-5, 5)))
def test_normalised_advantages_are_those_of_torch(advantages: Any) -> None:
    tensor = torch.tensor(advantages)
    expected = (tensor - tensor.mean()) / (tensor.std() + 1e-8)
    np.testing.assert_allclose(normalize_advantages(advantages), expected, atol=1e-6)
    assert normalize_advantages(advantages).mean() == pytest.approx(0, abs=1e-6)


def test_the_value_losses_have_the_golden_number_and_take_the_worse_error() -> None:
    assert clipped_value_loss([0.9], [0.5], [0.3], 0.2) == pytest.approx(0.5 * 0.36)
    assert squared_value_loss([0.9], [0.3]) == pytest.approx(0.5 * 0.36)
    # The value went the right way, but too far at once: counted is the error where it may be.
    assert clipped_value_loss([0.9], [0.5], [0.9], 0.2) == pytest.approx(0.5 * 0.2**2)


@settings(deadline=None, max_examples=50)
@given(pairs, st.floats(0, 3))
def test_a_clipped_value_loss_is_never_below_the_plain_one(
    pair: tuple[Any, Any], clip_range: float
) -> None:
    values, returns = pair
    plain = squared_value_loss(values, returns)
    assert clipped_value_loss(values, returns / 2, returns, clip_range) >= plain - 1e-12
    assert clipped_value_loss(values, values, returns, clip_range) == pytest.approx(plain)
    assert clipped_value_loss(values, returns / 2, returns, None) == pytest.approx(plain)
    half = torch.nn.functional.mse_loss(torch.tensor(values), torch.tensor(returns)).item() / 2
    assert plain == pytest.approx(half)


def test_the_total_loss_wants_reward_and_entropy_and_fears_wrong_values() -> None:
    assert total_loss(1.0, 2.0, 3.0, vf_coef=0.5, ent_coef=0.01) == pytest.approx(1.97)
    at = {"policy_loss": 0.3, "value_loss": 0.2, "entropy": 0.7, "vf_coef": 0.5, "ent_coef": 0.1}
    for name, slope in {"policy_loss": 1.0, "value_loss": 0.5, "entropy": -0.1}.items():
        change = total_loss(**{**at, name: at[name] + 1}) - total_loss(**at)
        assert change == pytest.approx(slope)


def test_the_diagnostics_have_the_golden_numbers() -> None:
    log_ratio = [0.1, -0.2, 0.05]
    found = diagnostics(log_ratio, 0.1, [1, 2, 3], [1.1, 1.9, 3.2])
    golden = {"k1": 0.016667, "k3": 0.008391, "clip_fraction": 0.666667}
    assert found == pytest.approx({**golden, "explained_variance": 0.976667}, abs=1e-6)
    assert clip_fraction(log_ratio, 0.2) == 0.0


@settings(deadline=None, max_examples=50)
@given(hnp.arrays(np.float64, st.integers(1, 20), elements=st.floats(-5, 5)))
def test_k3_is_never_negative_and_the_one_of_the_fast_way(log_ratio: Any) -> None:
    assert approx_kl_k3(log_ratio) >= 0
    assert approx_kl_k3(log_ratio) == pytest.approx(approx_kl(torch.tensor(log_ratio)).item())
    assert approx_kl_k1(np.zeros(3)) == approx_kl_k3(np.zeros(3)) == 0


def test_both_estimators_come_near_the_divergence_and_k3_nearer() -> None:
    rng = np.random.default_rng(0)
    old, new = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.4, 0.2])
    log_ratio = np.log(new / old)[rng.choice(3, size=(400, 100), p=old)]
    truth = float((old * np.log(old / new)).sum())
    k1, k3 = ([float(kl(row)) for row in log_ratio] for kl in (approx_kl_k1, approx_kl_k3))
    assert np.mean(k1) == pytest.approx(truth, abs=0.005)
    assert np.mean(k3) == pytest.approx(truth, abs=0.0005)
    assert np.std(k3) < np.std(k1) / 5


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_explained_variance_is_that_of_sb3(pair: tuple[Any, Any]) -> None:
    values, returns = pair
    found = explained_variance(returns, values)
    if np.ptp(returns) == 0:  # where rounding leaves a variance, SB3 divides by it
        assert math.isnan(found)
        return
    expected = explained_variance_of_sb3(values, returns)
    assert found == pytest.approx(float(expected), nan_ok=True)
    assert residual_variance(returns, values) == pytest.approx(1 - found, nan_ok=True)


def test_explained_variance_is_one_for_the_truth_zero_for_a_constant_and_nan_without_variance() -> (
    None
):
    returns = [1.0, 2.0, 4.0]
    assert explained_variance(returns, returns) == 1.0
    assert explained_variance(returns, [2.0, 2.0, 2.0]) == pytest.approx(0.0)
    assert explained_variance(returns, [4.0, 2.0, 1.0]) < 0
    assert math.isnan(explained_variance(np.ones(3), returns))
    assert math.isnan(residual_variance(np.full(3, 0.1), np.full(3, 0.1)))


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (clip_gradient_mask, (np.zeros((7, 1)), np.zeros(7), 0.2), "logratio"),
        (squared_value_loss, (np.zeros((7, 1)), np.zeros(7)), "values"),
        (clipped_value_loss, (np.zeros(7), np.zeros(7), np.zeros((7, 1)), 0.2), "values"),
        (normalize_advantages, ([],), "advantages"),
        (normalize_advantages, ([[1.0, 2.0]],), "advantages"),
        (approx_kl_k1, ([],), "logratio"),
        (approx_kl_k3, (np.zeros((2, 2)),), "logratio"),
        (clip_fraction, ([], 0.2), "logratio"),
        (explained_variance, ([1.0, 2.0], [[1.0], [2.0]]), "returns"),
        (residual_variance, ([1.0, 2.0], ["a", "b"]), "values"),
    ],
)
def test_each_formula_refuses_what_would_broadcast(
    function: Any, arguments: tuple[Any, ...], field: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field


@settings(deadline=None, max_examples=20)
@given(pairs)
def test_no_formula_changes_what_it_was_given(pair: tuple[Any, Any]) -> None:
    before = [part.copy() for part in pair]
    normalize_advantages(pair[0])
    clipped_surrogate_loss(*pair, 0.2)
    clipped_value_loss(*pair, pair[0], 0.2)
    diagnostics(pair[0], 0.2, *pair)
    for part, kept in zip(pair, before, strict=True):
        np.testing.assert_array_equal(part, kept)
