from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import distributions

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.bandits import (
    entropy,
    masked_softmax,
    reinforce_bandit_grad,
    relative_entropy,
    run_bandit,
    score,
    softmax,
)

GOLDEN = (0.2, -0.1, 0.4)
thetas = hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-20, 20))


def test_score_and_entropy_have_the_golden_numbers():
    np.testing.assert_allclose(score(GOLDEN, 2), [-0.337585, -0.250089, 0.587673], atol=1e-6)
    assert entropy(softmax(GOLDEN)) == pytest.approx(1.078501, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(thetas, st.floats(-1e4, 1e4))
def test_softmax_and_entropy_are_those_of_torch_wherever_theta_lies(theta, shift):
    wanted = distributions.Categorical(logits=torch.tensor(theta))
    np.testing.assert_allclose(softmax(theta), wanted.probs, atol=1e-9)
    np.testing.assert_allclose(softmax(theta + shift), softmax(theta), atol=1e-9)
    assert entropy(softmax(theta)) == pytest.approx(wanted.entropy().item(), abs=1e-9)
    assert np.isfinite(softmax(theta * 1e4)).all()


@settings(max_examples=50, deadline=None)
@given(thetas, st.data())
def test_the_score_is_the_gradient_of_the_log_probability_and_zero_on_average(theta, data):
    action = data.draw(st.integers(0, len(theta) - 1))
    tensor = torch.tensor(theta, requires_grad=True)
    torch.log_softmax(tensor, 0)[action].backward()
    np.testing.assert_allclose(score(theta, action), tensor.grad, atol=1e-9)
    every = np.array([score(theta, a) for a in range(len(theta))])
    np.testing.assert_allclose(softmax(theta) @ every, 0.0, atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(thetas, st.data())
def test_a_mask_takes_probability_from_what_it_forbids_only(theta, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(theta), max_size=len(theta))))
    if not mask.any():
        return
    found = masked_softmax(theta, mask)
    assert not found[~mask].any()
    np.testing.assert_allclose(found[mask], softmax(theta[mask]), atol=1e-9)


@settings(max_examples=50, deadline=None)
@given(thetas, st.integers(1, 9), st.integers(0, 99), st.floats(-3, 3))
def test_the_gradient_is_the_mean_of_what_each_play_says(theta, n, seed, baseline):
    rng = np.random.default_rng(seed)
    actions, rewards = rng.integers(len(theta), size=n), rng.normal(size=n)
    each = [(r - baseline) * score(theta, a) for a, r in zip(actions, rewards, strict=True)]
    found = reinforce_bandit_grad(theta, actions, rewards, baseline)
    np.testing.assert_allclose(found, np.mean(each, axis=0), atol=1e-9)


def test_a_bandit_finds_the_best_arm_and_is_the_same_again():
    found = run_bandit([0.0, 0.5, 2.0], 0.1, 600, np.random.default_rng(0))
    again = run_bandit([0.0, 0.5, 2.0], 0.1, 600, np.random.default_rng(0))
    assert found.shape == (600, 3)
    np.testing.assert_array_equal(found, again)
    np.testing.assert_allclose(found[0], 1 / 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[-1].argmax() == 2
    assert found[-1, 2] > 0.8


def test_relative_entropy_is_one_where_nothing_is_preferred_and_zero_without_a_choice():
    assert relative_entropy(entropy(np.full(4, 0.25)), 4) == pytest.approx(1.0)
    assert relative_entropy(entropy([0, 1, 0, 0]), 4) == 0.0
    assert relative_entropy(math.log(2), 4) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("function", "arguments", "field"),
    [
        (softmax, ([],), "theta"),
        (softmax, (1.0,), "theta"),
        (score, ([0.0, 0.0], 2), "action"),
        (score, ([0.0, 0.0], -1), "action"),
        (score, ([[0.0, 0.0]], 0), "theta"),
        (entropy, ([[0.5, 0.5]],), "probabilities"),
        (masked_softmax, ([0.0, 0.0], [False, False]), "mask"),
        (masked_softmax, ([0.0, 0.0], [True]), "mask"),
        (reinforce_bandit_grad, ([0.0, 0.0], [0.5], [1.0], 0.0), "actions"),
        (reinforce_bandit_grad, ([0.0, 0.0], [0, 1], [1.0], 0.0), "actions"),
        (reinforce_bandit_grad, ([0.0, 0.0], [0], [[1.0]], 0.0), "rewards"),
        (relative_entropy, (0.0, 1), "n_actions"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(function, arguments, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*arguments)
    assert caught.value.field == field
