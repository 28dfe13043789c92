from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.training.teaching.distributions import (
    Categorical,
    Gaussian,
    act_clip_store,
    categorical_logprob,
    gaussian_logprob,
    multidiscrete_logprob,
)

numbers = st.floats(-5, 5, width=32)


def test_the_gaussian_has_the_golden_numbers():
    actions, mean = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.0, 1.0]])
    log_std = torch.tensor([1.0, 0.5]).log()
    assert gaussian_logprob(actions, mean, log_std).item() == pytest.approx(-1.76973, abs=1e-5)
    assert Gaussian(mean, log_std).entropies().item() == pytest.approx(2.14473, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 5), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_independent_choices_are_a_sum_of_those_of_torch(seed, n, nvec):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, sum(nvec), generator=random, dtype=torch.float64)
    actions = torch.stack([torch.randint(k, (n,), generator=random) for k in nvec], dim=1)
    expected = sum(
        distributions.Categorical(logits=part).log_prob(column)
        for part, column in zip(torch.split(logits, nvec, 1), actions.unbind(1), strict=True)
    )
    found = multidiscrete_logprob(logits, nvec, actions)
    torch.testing.assert_close(found, expected)
    first = categorical_logprob(logits[:, : nvec[0]], actions[:, 0])
    torch.testing.assert_close(
        first, multidiscrete_logprob(logits, nvec, actions) - (found - first)
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 999), st.integers(1, 5), st.integers(1, 3), st.booleans())
def test_gaussian_densities_are_those_of_torch_for_each_kind_of_deviation(seed, n, size, is_wide):
    random = torch.Generator().manual_seed(seed)
    mean, actions = torch.randn(2, n, size, generator=random, dtype=torch.float64)
    log_std = torch.randn((n, size) if is_wide else (size,), generator=random, dtype=torch.float64)
    wanted = distributions.Independent(distributions.Normal(mean, log_std.exp()), 1)
    torch.testing.assert_close(gaussian_logprob(actions, mean, log_std), wanted.log_prob(actions))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=4))
def test_the_environment_gets_what_is_within_its_bounds_and_the_drawn_action_is_kept(components):
    mean, noise = torch.tensor(components).t().unsqueeze(1)
    log_std = torch.full((mean.shape[1],), -0.5)
    low, high = torch.full_like(log_std, -1.0), torch.full_like(log_std, 2.0)

    taken, stored, log_probs = act_clip_store(mean, log_std, low, high, noise)

    torch.testing.assert_close(stored, mean + log_std.exp() * noise)
    torch.testing.assert_close(taken, torch.minimum(torch.maximum(stored, low), high))
    again = Gaussian(mean, log_std).log_probs(stored)  # in the first epoch: a ratio of 1
    torch.testing.assert_close((again - log_probs).exp(), torch.ones(1))


def test_a_policy_that_is_certain_has_no_entropy():
    pi = Categorical(torch.log_softmax(torch.tensor([[80.0, -80.0]]), 1))
    assert pi.entropies().item() == 0.0


@pytest.mark.parametrize(
    ("function", "shapes", "field"),
    [
        (categorical_logprob, ((3, 2), (3, 1)), "actions"),
        (categorical_logprob, ((3,), (3,)), "actions"),
        (gaussian_logprob, ((3, 2), (3, 1), (2,)), "actions"),
        (gaussian_logprob, ((3,), (3,), (3,)), "actions"),
        (gaussian_logprob, ((3, 2), (3, 2), (3,)), "log_std"),
        (act_clip_store, ((3, 2), (2,), (2,), (2,), (3,)), "noise"),
    ],
)
def test_shapes_that_do_not_fit_are_refused_by_name(function, shapes, field):
    with pytest.raises(InvalidInputError) as caught:
        function(*(torch.zeros(shape) for shape in shapes))
    assert caught.value.field == field


@pytest.mark.parametrize("actions", [[2, 0], [-1, 0], [0.0, 1.0]])
def test_actions_that_are_not_there_are_refused(actions):
    with pytest.raises(InvalidInputError) as caught:
        categorical_logprob(torch.zeros(2, 2), torch.tensor(actions))
    assert caught.value.field == "actions"


def test_the_parts_of_a_choice_must_fit_its_logits():
    for logits, actions, field in (
        (torch.zeros(2, 4), torch.zeros(2, 2, dtype=torch.int64), "logits"),
        (torch.zeros(2, 5), torch.zeros(2, dtype=torch.int64), "actions"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            multidiscrete_logprob(logits, (2, 3), actions)
        assert caught.value.field == field
